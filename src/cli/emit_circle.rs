//! Looks for circles and explosions in a scenario.
//!
//! Comes in: operations that call each other. Goes out: nothing, or the operation that calls itself or makes too many spans.

use crate::emit::{Generator, Script};

/// How many spans an operation makes at most: found while circles are looked for.
pub(super) struct Spans<'s> {
    script: &'s Script,
    known: Vec<Option<u64>>,
}

/// Spans of one trace at most, where they say little: a kilobyte of text counts as one more.
const MOST: u64 = 100_000;

impl<'s> Spans<'s> {
    /// Nothing is known yet.
    pub(super) fn new(script: &'s Script) -> Self {
        Self { script, known: vec![None; script.operations.len()] }
    }

    /// Operations are settled when all that they call are. What cannot be settled calls itself.
    pub(super) fn all(mut self) -> Result<(), (usize, String)> {
        loop {
            let ready = self.known.iter().enumerate().find_map(|(at, known)| {
                let sum = if known.is_none() { self.sum(at) } else { None };
                sum.map(|sum| (at, sum))
            });
            let Some((at, sum)) = ready else { break };
            if sum > MOST {
                return Err((
                    at,
                    format!("the operation makes up to {sum} spans and kilobytes of text; {MOST} are allowed"),
                ));
            }
            if let Some(slot) = self.known.get_mut(at) {
                *slot = Some(sum);
            }
        }
        match self.known.iter().position(Option::is_none) {
            Some(at) => Err((at, "the operation calls itself through its children".to_owned())),
            None => Ok(()),
        }
    }

    fn sum(&self, at: usize) -> Option<u64> {
        let children = &self.script.operations.get(at)?.children;
        children.iter().try_fold(self.own(at), |sum, child| {
            let each = self.known.get(child.operation).copied().flatten()?;
            Some(sum.saturating_add(each.saturating_mul(child.times.1)))
        })
    }

    /// What it costs without those it calls.
    fn own(&self, at: usize) -> u64 {
        let attributes =
            self.script.operations.get(at).map(|operation| operation.attributes.as_slice()).unwrap_or_default();
        let text = attributes.iter().map(|(_, generator)| match generator {
            Generator::Words(bytes) => bytes / 1_000,
            Generator::Text(text) => text.len() as u64 / 1_000,
            Generator::Pick(texts) => texts.iter().map(String::len).max().unwrap_or(0) as u64 / 1_000,
            _ => 0,
        });
        1 + text.sum::<u64>()
    }
}
