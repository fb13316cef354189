//! What is noted of spans before anybody knows which spans they are.
//!
//! Comes in: facts of checks. Goes out: small records, texts by number, taken over batch by batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::budget::Cell;
use super::facts::Fact;
use super::hints::Known;
use super::rule::{Confidence, Severity};
use super::talk::Talk;
use crate::agent::{Offer, Offers};
use crate::capture::SpanRef;

/// A dictionary of texts. Number 0 is the empty one.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Texts {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.texts.push(text.into());
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        number
    }

    pub(super) fn get(&self, number: u32) -> &str {
        let at = (number as usize).checked_sub(1);
        at.and_then(|at| self.texts.get(at)).map_or("", |text| text)
    }
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    /// A span, by its number in the batch or in the capture.
    Span(SpanRef),
    /// A resource or scope, by its number in the list of those that were judged.
    Envelope(u32),
    /// A place in an input: its number, line and offset.
    Input(u16, u64, u64),
}

/// A fact with its place.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) rule: u8,
    pub(super) subject: Subject,
    pub(super) class: &'static str,
    /// The number of the attribute's key.
    pub(super) attribute: u32,
    pub(super) severity: Option<Severity>,
    pub(super) confidence: Option<Confidence>,
    pub(super) observed: Option<u64>,
    pub(super) limit: Option<u64>,
    pub(super) cell: Option<Cell>,
    pub(super) note: Option<Box<str>>,
    pub(super) related: Vec<(SpanRef, &'static str)>,
    pub(super) each: bool,
    /// The number of what it is about instead of spans of one name.
    pub(super) about: u32,
    /// The number of what sets it apart from others of its class.
    pub(super) apart: u32,
    pub(super) parts: Vec<(SpanRef, u64)>,
}

/// What was noted of a batch of spans.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) hits: Vec<Hit>,
    pub(super) texts: Texts,
    /// What calls to models recorded of tools, by the numbers of `words`.
    pub(super) talks: Vec<(u32, Talk)>,
    pub(super) words: Texts,
    pub(super) offers: Vec<Arc<Offer>>,
    /// Offers that were read, so that none is read twice.
    pub(super) read: Offers,
    pub(super) exceptions: Vec<(u32, String)>,
    /// Failed spans that say nothing about it.
    pub(super) silent: Vec<u32>,
    /// What failed spans wanted to reach, as fingerprints.
    pub(super) targets: Vec<(u32, u64)>,
    /// What calls to databases, servers and embedding models are but for their values, as fingerprints.
    pub(super) shapes: Vec<(u32, u32)>,
    /// Exceptions as fingerprints.
    pub(super) raised: Vec<(u32, u64)>,
    /// Steps whose tool failed, as they say.
    pub(super) failed_steps: Vec<u32>,
    /// Codes that spans ask to be ignored.
    pub(super) inline: Vec<(u32, String)>,
    /// Encoded sizes of all spans, where a rule wants them.
    pub(super) sizes: Vec<u32>,
    pub(super) not_checked: BTreeMap<(u8, &'static str), u64>,
    /// The attributes that rules know of the span that is looked at; kept for its space.
    pub(super) known: Known,
    /// The same for those whose keys may be there twice.
    pub(super) doubled: Vec<u32>,
}

/// Where a check puts what it found.
pub struct Sink<'n> {
    pub(super) notes: &'n mut Notes,
    pub(super) rule: u8,
    pub(super) subject: Subject,
}

impl Sink<'_> {
    /// The span or resource that is looked at has this fault.
    pub fn found(&mut self, fact: Fact<'_>) {
        let Fact {
            class,
            attribute,
            apart,
            observed,
            limit,
            cell,
            note,
            severity,
            confidence,
            related,
            each,
            about,
            parts,
        } = fact;
        self.notes.hits.push(Hit {
            rule: self.rule,
            subject: self.subject,
            class,
            attribute: self.notes.texts.number(&attribute),
            severity,
            confidence,
            observed,
            limit,
            cell,
            note: (!note.is_empty()).then(|| note.into()),
            related,
            each,
            about: self.notes.texts.number(&about),
            apart: self.notes.texts.number(&apart),
            parts,
        });
    }

    /// A span has this fault.
    pub fn found_at(&mut self, span: SpanRef, fact: Fact<'_>) {
        self.look_at(span);
        self.found(fact);
    }

    /// What is found from now on is about a span.
    pub fn look_at(&mut self, span: SpanRef) {
        self.subject = Subject::Span(span);
    }

    /// The span that is looked at is a step whose tool failed, as the step says.
    pub fn failed_step(&mut self) {
        if let Subject::Span(span) = self.subject {
            self.notes.failed_steps.push(span.0);
        }
    }

    /// A place in an input has this fault.
    pub fn found_in(&mut self, source: u16, line: u64, offset: u64, fact: Fact<'_>) {
        self.subject = Subject::Input(source, line, offset);
        self.found(fact);
    }

    /// The rule could not look at so many places.
    pub fn not_checked(&mut self, reason: &'static str, count: u64) {
        *self.notes.not_checked.entry((self.rule, reason)).or_default() += count;
    }
}
