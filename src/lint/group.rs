//! Facts put together: one group for all that is the same fault of spans of one name and origin.
//!
//! Comes in: facts in any order. Goes out: counts and the first few occurrences, the same whatever the order was.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::budget::Cell;
use super::note::{Hit, Subject, Texts};
use super::rule::{Confidence, Severity};
use crate::agent::Call;
use crate::capture::{Capture, EnvelopePlace, NameId, OriginId, SpanRef};

/// How many occurrences a finding tells.
pub(super) const EXAMPLES: usize = 5;
/// Beyond this many groups, new ones are only counted.
const MOST_GROUPS: usize = 200_000;

/// What was noted of spans while everything was read.
#[derive(Debug, Default)]
pub struct Known {
    pub(super) calls: Vec<(SpanRef, Call)>,
    pub(super) exceptions: Vec<(SpanRef, String)>,
    pub(super) targets: Vec<(SpanRef, u64)>,
    /// Encoded sizes of resources, by number.
    pub(super) resource_sizes: BTreeMap<u32, u64>,
    pub(super) inline: BTreeMap<SpanRef, String>,
    pub(super) sizes: Vec<u32>,
}

impl Known {
    /// What a call to a model or tool says about itself.
    pub fn call(&self, span: SpanRef) -> Option<&Call> {
        let at = self.calls.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        self.calls.get(at).map(|(_, call)| call)
    }

    /// The type of the span's exception, or its message where it has no type; empty where it records none.
    pub fn exception(&self, span: SpanRef) -> &str {
        let at = self.exceptions.binary_search_by_key(&span, |(span, _)| *span).ok();
        at.and_then(|at| self.exceptions.get(at)).map_or("", |(_, text)| text)
    }

    /// A fingerprint of what a failed span wanted to reach.
    pub fn target(&self, span: SpanRef) -> Option<u64> {
        let at = self.targets.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        self.targets.get(at).map(|(_, target)| *target)
    }

    /// How many bytes a resource takes, encoded.
    pub fn resource_size(&self, number: u32) -> u64 {
        self.resource_sizes.get(&number).copied().unwrap_or(0)
    }

    /// How many bytes the span takes, encoded; zero where nobody asked for sizes.
    pub fn size(&self, span: SpanRef) -> u64 {
        self.sizes.get(span.0 as usize).copied().map_or(0, u64::from)
    }
}

/// What tells groups apart while spans are read. Texts are numbers yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    rule: u8,
    severity: Severity,
    owner: Owner,
    attribute: u32,
    class: &'static str,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Owner {
    /// That of spans of this name and origin.
    Spans(OriginId, NameId),
    /// That of a resource or scope.
    Envelope(u32),
    /// That of an input.
    Input(u16),
}

/// An occurrence. The derived order is not used.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub(super) subject: Subject,
    /// Start, trace, span, place: what the first ones are chosen by.
    pub(super) order: (u64, u128, u64, u16, u64),
    pub(super) observed: Option<u64>,
    pub(super) limit: Option<u64>,
    pub(super) cell: Option<Cell>,
    pub(super) confidence: Option<Confidence>,
    pub(super) note: Option<Box<str>>,
    pub(super) related: Vec<(SpanRef, &'static str)>,
}

/// The same fault, however often.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) rule: u8,
    pub(super) severity: Severity,
    pub(super) owner: Owner,
    pub(super) attribute: u32,
    pub(super) class: &'static str,
    pub(super) count: u64,
    /// The first ones, in order.
    pub(super) first: Vec<Occurrence>,
    /// The one that measures most, where anything is measured.
    pub(super) worst: Option<Occurrence>,
}

impl Group {
    /// Adds the occurrences of another group of the same fault.
    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        for occurrence in other.first {
            insert(&mut self.first, occurrence);
        }
        if let Some(occurrence) = other.worst {
            worsen(&mut self.worst, &occurrence);
        }
    }

    fn add(&mut self, occurrence: Occurrence) {
        self.count += 1;
        worsen(&mut self.worst, &occurrence);
        insert(&mut self.first, occurrence);
    }
}

fn insert(first: &mut Vec<Occurrence>, occurrence: Occurrence) {
    let at = first.partition_point(|known| known.order <= occurrence.order);
    if at < EXAMPLES {
        first.insert(at, occurrence);
        first.truncate(EXAMPLES);
    }
}

fn worsen(worst: &mut Option<Occurrence>, occurrence: &Occurrence) {
    let Some(observed) = occurrence.observed else { return };
    let beaten = worst.as_ref().is_none_or(|old| {
        let known = old.observed.unwrap_or(0);
        observed > known || (observed == known && occurrence.order < old.order)
    });
    if beaten {
        *worst = Some(occurrence.clone());
    }
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    numbers: HashMap<Key, u32>,
    pub(super) groups: Vec<Group>,
    pub(super) texts: Texts,
    /// Facts of rules that had too many different ones.
    pub(super) overflow: BTreeMap<u8, u64>,
}

impl Groups {
    /// Adds a fact; its texts are those of `texts`.
    pub(super) fn add(
        &mut self,
        capture: &Capture,
        places: &[EnvelopePlace],
        texts: &Texts,
        severity: Severity,
        hit: Hit,
    ) {
        let (owner, order) = match hit.subject {
            Subject::Span(span) => {
                let head = capture.head(span);
                let order = (head.start, head.trace.0, head.id.0, head.source.0, head.at);
                (Owner::Spans(head.origin, head.name), order)
            }
            Subject::Envelope(number) => {
                let place = places.get(number as usize);
                let (source, at) = place.map_or((0, 0), |place| (place.source.0, place.at));
                (Owner::Envelope(number), (0, 0, 0, source, at))
            }
            Subject::Input(source, _, offset) => (Owner::Input(source), (0, 0, 0, source, offset)),
        };
        let attribute = if hit.attribute == 0 { 0 } else { self.texts.number(texts.get(hit.attribute)) };
        let key = Key { rule: hit.rule, severity, owner, attribute, class: hit.class };
        let Hit { subject, observed, limit, cell, confidence, note, related, .. } = hit;
        let occurrence = Occurrence { subject, order, observed, limit, cell, confidence, note, related };
        if let Some(group) = self.numbers.get(&key).and_then(|number| self.groups.get_mut(*number as usize)) {
            group.add(occurrence);
            return;
        }
        if self.groups.len() >= MOST_GROUPS {
            *self.overflow.entry(key.rule).or_default() += 1;
            return;
        }
        self.numbers.insert(key, self.groups.len() as u32);
        let Key { rule, class, .. } = key;
        let mut group =
            Group { rule, severity, owner, attribute, class, count: 0, first: Vec::with_capacity(1), worst: None };
        group.add(occurrence);
        self.groups.push(group);
    }
}
