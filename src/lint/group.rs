//! Facts put together: one group for all that is the same fault of spans of one name, service and scope.
//!
//! Comes in: facts in any order. Goes out: counts and the first few occurrences, the same whatever the order was.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::budget::Cell;
use super::ident::{Ident, Order, Owner, Sieve, normal};
use super::note::{Hit, Notes, Subject, Texts};
use super::rule::{Confidence, Severity};
use super::talk::{Talk, numbered};
use crate::agent::{Definition, Offer, StepMark, step_mark};
use crate::capture::{Capture, EnvelopePlace, Logged, NameId, SourceId, SpanRef};
use crate::model::{SpanId, TraceId};

/// How many occurrences a finding tells.
pub(super) const EXAMPLES: usize = 5;
/// Of faults that are a finding each: how many of one kind are, before the rest is one finding.
pub(super) const EACH: usize = 100;
/// Beyond this many groups, only a part of them is kept, and the others are counted.
const MOST_GROUPS: usize = 200_000;

/// What was noted of spans while everything was read.
#[derive(Debug, Default)]
pub struct Known {
    pub(super) talks: Vec<(SpanRef, Talk)>,
    pub(super) words: Texts,
    offers: Vec<Arc<Offer>>,
    pub(super) exceptions: Vec<(SpanRef, String)>,
    pub(super) targets: Vec<(SpanRef, u64)>,
    pub(super) silent: Vec<SpanRef>,
    pub(super) shapes: Vec<(SpanRef, u32)>,
    pub(super) raised: Vec<(SpanRef, u64)>,
    pub(super) failed_steps: Vec<SpanRef>,
    logged: Vec<(SpanRef, Logged)>,
    /// What names say about steps, by number.
    step_marks: Vec<Option<StepMark>>,
    /// Encoded sizes of resources, by number.
    pub(super) resource_sizes: BTreeMap<u32, u64>,
    pub(super) inline: BTreeMap<SpanRef, String>,
    pub(super) sizes: Vec<u32>,
}

impl Known {
    /// What a call to a model recorded of tools.
    pub fn talk(&self, span: SpanRef) -> Option<&Talk> {
        let at = self.talks.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        self.talks.get(at).map(|(_, talk)| talk)
    }

    /// Takes over what was recorded of tools in a batch that begins with a span.
    pub(super) fn add_talks(&mut self, first: SpanRef, notes: &mut Notes) {
        let offers: Vec<u32> = notes.offers.drain(..).map(|offer| numbered(&mut self.offers, &offer)).collect();
        let mut renumbered = Renumbered::default();
        for (number, talk) in notes.talks.drain(..) {
            let word = |word| renumbered.number(word, &notes.words, &mut self.words);
            let talk = talk.renamed(word, |offer| offers.get(offer as usize).copied().unwrap_or_default());
            self.talks.push((SpanRef(first.0 + number), talk));
        }
        notes.words = Texts::default();
    }

    /// The tools of an offer, by its number.
    pub fn offer(&self, number: u32) -> &[Definition] {
        self.offers.get(number as usize).map(|offer| offer.tools.as_slice()).unwrap_or_default()
    }

    /// A name in such a record.
    pub fn word(&self, number: u32) -> &str {
        self.words.get(number)
    }

    /// The type of the span's exception, or its message where it has no type; empty where it records none.
    pub fn exception(&self, span: SpanRef) -> &str {
        let at = self.exceptions.binary_search_by_key(&span, |(span, _)| *span).ok();
        at.and_then(|at| self.exceptions.get(at)).map_or("", |(_, text)| text)
    }

    /// Whether the span failed and says nothing about it.
    pub fn is_silent(&self, span: SpanRef) -> bool {
        self.silent.binary_search(&span).is_ok()
    }

    /// Adds exceptions that spans recorded as logs; those in spans themselves count first.
    pub(super) fn add_logged(&mut self, capture: &Capture) {
        let mut logged: BTreeMap<(TraceId, SpanId), Vec<&Logged>> = BTreeMap::new();
        for one in capture.logged() {
            logged.entry((one.trace, one.span)).or_default().push(one);
        }
        if logged.is_empty() {
            return;
        }
        for span in capture.spans() {
            let head = capture.head(span);
            let Some(own) = logged.get(&(head.trace, head.id)) else { continue };
            if !head.marks.exception() {
                let last = own.last().map(|last| (span, capture.text(last.kind).to_owned()));
                self.exceptions.extend(last);
                self.logged.extend(own.iter().map(|one| (span, **one)));
            }
            self.raised.extend(own.iter().filter_map(|one| Some((span, one.print?))));
        }
        self.exceptions.sort_by_key(|(span, _)| *span);
        self.raised.sort_unstable();
        self.raised.dedup();
    }

    /// The exceptions that a span recorded as logs, where it records none itself.
    pub fn logged(&self, span: SpanRef) -> impl Iterator<Item = &Logged> {
        let from = self.logged.partition_point(|(other, _)| *other < span);
        let own = self.logged.get(from..).unwrap_or_default().iter().take_while(move |(other, _)| *other == span);
        own.map(|(_, logged)| logged)
    }

    /// Whether any span recorded an exception as a log.
    pub fn has_logged(&self) -> bool {
        !self.logged.is_empty()
    }

    /// A fingerprint of what a failed span wanted to reach.
    pub fn target(&self, span: SpanRef) -> Option<u64> {
        let at = self.targets.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        self.targets.get(at).map(|(_, target)| *target)
    }

    /// A fingerprint of what a call is but for its values.
    pub fn shape(&self, span: SpanRef) -> Option<u32> {
        let at = self.shapes.binary_search_by_key(&span, |(span, _)| *span).ok()?;
        self.shapes.get(at).map(|(_, shape)| *shape)
    }

    /// Fingerprints of the exceptions that the span records.
    pub fn raised(&self, span: SpanRef) -> impl Iterator<Item = u64> {
        let from = self.raised.partition_point(|(other, _)| *other < span);
        let own = self.raised.get(from..).unwrap_or_default().iter().take_while(move |(other, _)| *other == span);
        own.map(|(_, print)| *print)
    }

    /// Whether any step says that its tool failed.
    pub fn has_failed_steps(&self) -> bool {
        !self.failed_steps.is_empty()
    }

    /// Whether the span is a step that says that its tool failed.
    pub fn is_failed_step(&self, span: SpanRef) -> bool {
        self.failed_steps.binary_search(&span).is_ok()
    }

    /// What a name says about a step.
    pub fn step_mark(&self, name: NameId) -> Option<StepMark> {
        self.step_marks.get(name.0 as usize).copied().flatten()
    }

    /// Reads all names, once everything is read.
    pub(super) fn read_names(&mut self, capture: &Capture) {
        self.step_marks = capture.texts().map(step_mark).collect();
        while self.step_marks.last() == Some(&None) {
            self.step_marks.pop();
        }
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

/// What tells groups apart while spans are read: the parts of an [`Ident`] by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    rule: u8,
    severity: Severity,
    owner: Owner,
    attribute: u32,
    class: &'static str,
    apart: u32,
}

/// An occurrence.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub(super) subject: Subject,
    pub(super) order: Order,
    pub(super) observed: Option<u64>,
    pub(super) limit: Option<u64>,
    pub(super) cell: Option<Cell>,
    pub(super) confidence: Option<Confidence>,
    pub(super) note: Option<Box<str>>,
    pub(super) related: Vec<(SpanRef, &'static str)>,
    pub(super) parts: Vec<(SpanRef, u64)>,
}

/// The same fault, however often.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) ident: Ident,
    pub(super) count: u64,
    /// The first ones, in order.
    pub(super) first: Vec<Occurrence>,
    /// The one that measures most, where anything is measured.
    pub(super) worst: Option<Occurrence>,
    /// How many of the first ones are kept.
    kept: usize,
}

impl Group {
    fn new(ident: Ident, each: bool) -> Self {
        let kept = if each { EACH } else { EXAMPLES };
        Self { ident, count: 0, first: Vec::with_capacity(1), worst: None, kept }
    }

    /// The occurrence that is told: the worst, where anything is measured, else the first.
    pub(super) fn told(&self) -> Option<&Occurrence> {
        self.worst.as_ref().or(self.first.first())
    }

    /// Apart where every occurrence is a finding of its own; what is beyond the kept ones stays with the last.
    pub(super) fn apart(self) -> Vec<Self> {
        if self.kept == EXAMPLES {
            return vec![self];
        }
        let Self { ident, count, first, kept, .. } = self;
        let beyond = count.saturating_sub(first.len() as u64);
        let one = |occurrence| Self { ident: ident.clone(), count: 1, first: vec![occurrence], worst: None, kept };
        let mut all: Vec<Self> = first.into_iter().map(one).collect();
        if let Some(last) = all.last_mut() {
            last.count += beyond;
        }
        all
    }

    /// Adds a fact. Nearly always it is neither among the first ones nor the worst, and only counts.
    fn add(&mut self, capture: &Capture, order: Order, hit: Hit) {
        self.count += 1;
        let worst = hit.observed.is_some()
            && self
                .worst
                .as_ref()
                .is_none_or(|old| (hit.observed, Reverse(order)) > (old.observed, Reverse(old.order)));
        let late = self.first.len() >= self.kept && self.first.last().is_some_and(|last| last.order <= order);
        if late && !worst {
            return;
        }
        let Hit { subject, observed, limit, cell, confidence, note, related, parts, .. } = hit;
        let occurrence = Occurrence { subject, order, observed, limit, cell, confidence, note, related, parts };
        if worst {
            self.worst = Some(occurrence.clone());
        }
        if !late {
            self.place(capture, occurrence);
        }
    }

    /// Puts an occurrence among the first ones. Of a span that was sent twice only one is: the one that stands first.
    fn place(&mut self, capture: &Capture, occurrence: Occurrence) {
        let at = self.first.partition_point(|known| known.order <= occurrence.order);
        let is_copy = |other: Option<&Occurrence>| other.is_some_and(|other| other.is_copy_of(&occurrence, capture));
        if is_copy(at.checked_sub(1).and_then(|before| self.first.get(before))) {
            return;
        }
        if is_copy(self.first.get(at)) {
            if let Some(slot) = self.first.get_mut(at) {
                *slot = occurrence;
            }
            return;
        }
        self.first.truncate(self.kept - 1);
        self.first.insert(at, occurrence);
    }
}

impl Occurrence {
    /// Whether another span was judged that says just the same.
    fn is_copy_of(&self, other: &Self, capture: &Capture) -> bool {
        let id = |order: &Order| (order.0, order.1, order.2);
        let spans = match (self.subject, other.subject) {
            (Subject::Span(a), Subject::Span(b)) if a != b && id(&self.order) == id(&other.order) => (a, b),
            _ => return false,
        };
        capture.head(spans.0).repeats(capture.head(spans.1))
    }
}

/// The texts of a batch, and the numbers that they have here.
pub(super) type Batch<'b> = (&'b Texts, &'b mut Renumbered);

/// The numbers that the texts of one batch have here, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Renumbered(Vec<u32>);

impl Renumbered {
    /// The number that a text has here, by the one that it has there.
    #[inline]
    fn number(&mut self, there: u32, from: &Texts, to: &mut Texts) -> u32 {
        if there == 0 {
            return 0;
        }
        let at = there as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        match self.0.get_mut(at) {
            Some(0) | None => {
                let number = to.number(from.get(there));
                if let Some(slot) = self.0.get_mut(at) {
                    *slot = number;
                }
                number
            }
            Some(number) => *number,
        }
    }
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    numbers: HashMap<Key, u32>,
    idents: HashMap<u128, u32>,
    groups: Vec<Group>,
    texts: Texts,
    sieve: Sieve,
    /// The input that was met last, and the number for its path.
    last: Option<SourceId>,
    path: u64,
    /// Facts that had to be let go because there were too many different ones, by rule.
    pub(super) overflow: BTreeMap<u8, u64>,
}

impl Groups {
    /// Adds a fact, whose texts are those of a batch.
    pub(super) fn add(&mut self, of: &Sources<'_>, texts: Batch<'_>, severity: Severity, hit: Hit) {
        let (key, order) = self.key(of, texts, severity, &hit);
        let known = self.numbers.get(&key).copied().or_else(|| self.number(of, key, hit.each));
        match known.and_then(|number| self.groups.get_mut(number as usize)) {
            Some(group) => group.add(of.capture, order, hit),
            None => *self.overflow.entry(key.rule).or_default() += 1,
        }
    }

    /// Counts a fact no more. Of what is told of the group nothing changes: copies were never among it.
    pub(super) fn take_back(&mut self, of: &Sources<'_>, texts: Batch<'_>, severity: Severity, hit: &Hit) {
        let (key, _) = self.key(of, texts, severity, hit);
        let known = self.numbers.get(&key).copied().or_else(|| self.number(of, key, hit.each));
        match known.and_then(|number| self.groups.get_mut(number as usize)) {
            Some(group) => group.count = group.count.saturating_sub(1),
            None => {
                let count = self.overflow.entry(key.rule).or_default();
                *count = count.saturating_sub(1);
            }
        }
    }

    fn key(&mut self, of: &Sources<'_>, texts: Batch<'_>, severity: Severity, hit: &Hit) -> (Key, Order) {
        let (texts, renumbered) = texts;
        let (mut owner, order) = self.owner(of, hit.subject);
        if let (Owner::Spans(origin, _), 1..) = (owner, hit.about) {
            let about = renumbered.number(hit.about, texts, &mut self.texts);
            owner = Owner::Service(of.capture.origin(origin).service, about);
        }
        let attribute = renumbered.number(hit.attribute, texts, &mut self.texts);
        let apart = renumbered.number(hit.apart, texts, &mut self.texts);
        (Key { rule: hit.rule, severity, owner, attribute, class: hit.class, apart }, order)
    }

    fn owner(&mut self, of: &Sources<'_>, subject: Subject) -> (Owner, Order) {
        match subject {
            Subject::Span(span) => {
                let head = of.capture.head(span);
                let order = (head.start, head.trace.0, head.id.0, self.input(of, head.source), head.at);
                (Owner::Spans(head.origin, head.name), order)
            }
            Subject::Envelope(number) => {
                let (source, at) =
                    of.places.get(number as usize).map(|place| (place.source, place.at)).unwrap_or_default();
                (Owner::Envelope(number), (0, 0, 0, self.input(of, source), at))
            }
            Subject::Input(source, _, offset) => {
                (Owner::Input(source), (0, 0, 0, self.input(of, SourceId(source)), offset))
            }
        }
    }

    /// A number for the path of an input, whatever place it has among the inputs.
    fn input(&mut self, of: &Sources<'_>, source: SourceId) -> u64 {
        if self.last != Some(source) {
            let path = of.capture.source(source).path.bytes();
            // FNV-1a.
            self.path =
                path.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
            self.last = Some(source);
        }
        self.path
    }

    /// The number of a group that was not met under this key before; `None` where there are too many.
    fn number(&mut self, of: &Sources<'_>, key: Key, each: bool) -> Option<u32> {
        let Key { rule, severity, owner, attribute, class, apart } = key;
        let (service, scope, name) = of.names(owner, &self.texts);
        let attribute = self.texts.get(attribute).to_owned();
        let apart = self.texts.get(apart).to_owned();
        let ident = Ident { severity, rule, service, scope, name, attribute, class, apart };
        let digest = ident.digest();
        let number = match self.idents.get(&digest) {
            Some(number) => *number,
            None => {
                if self.groups.len() >= MOST_GROUPS {
                    self.thin_out();
                }
                if !self.sieve.holds(digest) {
                    return None;
                }
                let number = self.groups.len() as u32;
                self.groups.push(Group::new(ident, each));
                self.idents.insert(digest, number);
                number
            }
        };
        self.numbers.insert(key, number);
        Some(number)
    }

    /// Lets a part of the groups go. Which ones does not depend on the order in which they came.
    fn thin_out(&mut self) {
        self.sieve.narrow();
        for group in &self.groups {
            if !self.sieve.holds(group.ident.digest()) {
                *self.overflow.entry(group.ident.rule).or_default() += group.count;
            }
        }
        let sieve = self.sieve;
        self.groups.retain(|group| sieve.holds(group.ident.digest()));
        self.numbers.clear();
        self.idents = self.groups.iter().zip(0..).map(|(group, number)| (group.ident.digest(), number)).collect();
    }

    /// The groups in the order of their identity.
    pub(super) fn sorted(&mut self) -> Vec<Group> {
        let mut groups = std::mem::take(&mut self.groups);
        groups.sort_unstable_by(|a, b| a.ident.cmp(&b.ident));
        groups.into_iter().flat_map(Group::apart).collect()
    }
}

/// Where facts come from: what the numbers in them stand for.
pub(super) struct Sources<'s> {
    pub(super) capture: &'s Capture,
    pub(super) places: &'s [EnvelopePlace],
    /// The services and scopes of what is at these places.
    pub(super) owners: &'s [(String, String)],
}

impl Sources<'_> {
    /// Service, scope and name.
    fn names(&self, owner: Owner, texts: &Texts) -> (String, String, String) {
        let capture = self.capture;
        match owner {
            Owner::Spans(origin, name) => {
                let origin = capture.origin(origin);
                let text = |name| capture.text(name).to_owned();
                (text(origin.service), text(origin.scope), normal(capture.text(name)))
            }
            Owner::Service(service, about) => {
                (capture.text(service).to_owned(), String::new(), texts.get(about).to_owned())
            }
            Owner::Envelope(number) => {
                let (service, scope) = self.owners.get(number as usize).cloned().unwrap_or_default();
                (service, scope, String::new())
            }
            Owner::Input(source) => (String::new(), String::new(), capture.source(SourceId(source)).path.clone()),
        }
    }
}
