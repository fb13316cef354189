//! What makes findings the same from run to run, and a choice among too many of them.
//!
//! Comes in: names. Goes out: identities and their digests. No id, time, size or position is in one.

use sha2::{Digest, Sha256};

use super::rule::Severity;
use super::rules::RULES;
use crate::capture::{NameId, OriginId};

/// Start, trace, span, a number for the path of the input, place: what the first occurrences are chosen by.
pub(super) type Order = (u64, u128, u64, u64, u64);

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Owner {
    /// That of spans of this name and origin.
    Spans(OriginId, NameId),
    /// That of a service, and what of it: a text by number.
    Service(NameId, u32),
    /// That of a resource or scope.
    Envelope(u32),
    /// That of an input.
    Input(u16),
}

/// What makes faults one finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ident {
    pub(super) severity: Severity,
    pub(super) rule: u8,
    pub(super) service: String,
    pub(super) scope: String,
    /// The span's name without what differs from run to run, the path of the input, or what else it is about.
    pub(super) name: String,
    pub(super) attribute: String,
    pub(super) class: &'static str,
    /// What sets it apart from others of its class; empty for nothing.
    pub(super) apart: String,
}

impl Ident {
    /// 32 hexadecimal digits. The level is not part of it: a baseline survives a change of levels.
    pub(super) fn fingerprint(&self) -> String {
        self.hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A number for it, that of the level among it.
    pub(super) fn digest(&self) -> u128 {
        let bytes = self.hash().into_iter().take(16);
        bytes.fold(0, |number, byte| number << 8 | u128::from(byte)) ^ self.severity as u128
    }

    fn hash(&self) -> [u8; 32] {
        let code = RULES.get(usize::from(self.rule)).map_or("", |rule| rule.code);
        let mut hasher = Sha256::new();
        let apart = Some(&*self.apart).filter(|apart| !apart.is_empty());
        let parts = [code, &self.service, &self.scope, &self.name, &self.attribute, self.class];
        for part in parts.into_iter().chain(apart) {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        hasher.finalize().into()
    }
}

/// Holds all digests at first, and half as many each time it is narrowed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sieve {
    halvings: u32,
}

impl Sieve {
    pub(super) fn holds(self, digest: u128) -> bool {
        digest.leading_zeros() >= self.halvings
    }

    pub(super) fn narrow(&mut self) {
        self.halvings += 1;
    }
}

/// A span name without what differs from run to run: ids and digits become `#`.
pub(super) fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
        let (body, end) = match word.char_indices().next_back() {
            Some((at, c)) if !c.is_ascii_alphanumeric() && c != '-' => word.split_at(at),
            _ => (word, ""),
        };
        let hex = body.len() >= 8 && body.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if hex && body.bytes().any(|b| b.is_ascii_digit()) {
            out.push('#');
        } else {
            let mut digits = false;
            for c in body.chars() {
                if !c.is_ascii_digit() {
                    out.push(c);
                } else if !digits {
                    out.push('#');
                }
                digits = c.is_ascii_digit();
            }
        }
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_differs_from_run_to_run() {
        assert_eq!(normal("GET /v1/agents/agent-1e2f/17"), "GET /v#/agents/agent-#e#f/#");
        assert_eq!(normal("run 3f2504e0-4f89-41d3-9a0c-0305e82c3301!"), "run #!");
        assert_eq!(normal("LettaAgentV3.step"), "LettaAgentV#.step");
        assert_eq!(normal("feedback"), "feedback");
    }
}
