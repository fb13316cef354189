//! Takes over what was noted, decides what counts, and runs the checks that need more than one span.
//!
//! Comes in: notes, batch by batch. Goes out: groups. Overrides, entries that set findings aside and the filter are applied here,
//! so that no rule knows of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::group::{Groups, Known, Renumbered, Sources};
use super::look::{Books, Brief, DumpLook, TraceLook};
use super::note::{Hit, Notes, Sink, Subject, Texts};
use super::plan::Plan;
use super::rule::Severity;
use super::rules::RULES;
use super::settings::Aim;
use crate::agent;
use crate::capture::{Capture, EnvelopePlace, SpanRef};
use crate::forest::{Forest, Tree};
use crate::input::InputError;
use crate::model::SpanId;
use crate::query::ended;

/// How many facts a thread gathers before it hands them over.
const HAND_OVER: usize = 1024;

/// What was gathered.
pub(super) struct Gathering<'p> {
    pub(super) plan: &'p Plan<'p>,
    pub(super) kept: Kept,
    pub(super) known: Known,
}

/// What counts, and what was set aside.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) groups: Groups,
    pub(super) not_checked: BTreeMap<(u8, &'static str), u64>,
    /// By code and reason.
    pub(super) ignored: BTreeMap<(u8, String), u64>,
    /// How often each entry that sets findings aside did so.
    pub(super) used: BTreeMap<usize, u64>,
    /// Where the resources and scopes stand that were judged, and their services.
    pub(super) places: Vec<EnvelopePlace>,
    pub(super) owners: Vec<(String, String)>,
    /// Spans that only say once more what another one says, in order.
    pub(super) copies: Vec<SpanRef>,
}

/// What becomes of a fact.
enum Verdict {
    /// It counts, at this level.
    Counts(Severity),
    /// Somebody asked to leave it out: who, and by which entry.
    Aside(String, Option<usize>),
    /// It is not asked about.
    Out,
}

/// Whether facts are added, or taken back because they are about copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    More,
    Less,
}

impl Sign {
    fn apply(self, count: &mut u64, by: u64) {
        *count = match self {
            Self::More => count.saturating_add(by),
            Self::Less => count.saturating_sub(by),
        };
    }
}

impl<'p> Gathering<'p> {
    pub(super) fn new(plan: &'p Plan<'p>) -> Self {
        Self { plan, kept: Kept::default(), known: Known::default() }
    }

    /// Takes over what was noted of spans that are in the capture now.
    pub(super) fn take(&mut self, capture: &Capture, first: SpanRef, notes: &mut Notes) {
        let span = |number: u32| SpanRef(first.0 + number);
        self.known.add_talks(first, notes);
        self.known.exceptions.extend(notes.exceptions.drain(..).map(|(number, text)| (span(number), text)));
        self.known.silent.extend(notes.silent.drain(..).map(span));
        self.known.failed_steps.extend(notes.failed_steps.drain(..).map(span));
        self.known.targets.extend(notes.targets.drain(..).map(|(number, target)| (span(number), target)));
        self.known.shapes.extend(notes.shapes.drain(..).map(|(number, shape)| (span(number), shape)));
        self.known.raised.extend(notes.raised.drain(..).map(|(number, print)| (span(number), print)));
        self.known.inline.extend(notes.inline.drain(..).map(|(number, codes)| (span(number), codes)));
        self.known.sizes.append(&mut notes.sizes);
        for hit in &mut notes.hits {
            if let Subject::Span(number) = hit.subject {
                hit.subject = Subject::Span(span(number.0));
            }
        }
        self.kept.absorb(self.plan, capture, &self.known, notes, Sign::More);
        notes.texts = Texts::default();
    }

    /// Runs the checks of whole traces, on several threads, and finds what was sent twice.
    pub(super) fn traces(&mut self, capture: &Capture, forest: &Forest) {
        let checks: Vec<_> = self.plan.rules().filter_map(|(number, rule)| Some((number, rule.check.trace?))).collect();
        let (plan, known) = (self.plan, &self.known);
        let kept = Mutex::new(&mut self.kept);
        std::thread::scope(|scope| {
            for range in forest.shares(plan.settings.jobs) {
                let (kept, checks) = (&kept, &checks);
                scope.spawn(move || {
                    let mut notes = Notes::default();
                    let mut tree = Tree::default();
                    let mut copies = Copies::default();
                    for number in range {
                        let spans = forest.trace(number).spans;
                        if checks.is_empty() && !copies.may_be_among(capture, spans) {
                            continue;
                        }
                        forest.tree(capture, number, &mut tree);
                        copies.find(spans, &tree);
                        let brief = Brief::of(capture, spans, known);
                        let books = Books::new(capture, &tree, plan.prices());
                        for (rule, check) in checks {
                            let numbers = plan.numbers(*rule);
                            let look =
                                TraceLook { capture, spans, tree: &tree, brief, books: &books, known, plan, numbers };
                            let subject = Subject::Input(0, 0, 0);
                            check(&look, &mut Sink { notes: &mut notes, rule: *rule, subject });
                        }
                        if notes.hits.len() >= HAND_OVER {
                            hand_over(kept, plan, capture, known, &mut notes);
                        }
                    }
                    hand_over(kept, plan, capture, known, &mut notes);
                    kept.lock().unwrap_or_else(PoisonError::into_inner).copies.append(&mut copies.found);
                });
            }
        });
        self.kept.copies.sort_unstable();
    }

    /// Takes back what was noted of spans that only say once more what others say. They are judged again for that: nobody could
    /// know what they are when they were read, and there are none in most dumps.
    pub(super) fn take_back_copies(&mut self, capture: &Capture) -> Result<(), InputError> {
        let copies = std::mem::take(&mut self.kept.copies);
        let mut notes = Notes::default();
        capture.again(&copies, &mut |number, span| {
            // As it was read the first time, when its scope may have stood behind it.
            let role = copies.get(number).and_then(|copy| capture.head(*copy).marks.role());
            let mut glances = [false, true].into_iter().map(|in_letta| agent::glance(span, in_letta));
            let Some(glance) = glances.find(|glance| glance.role == role) else { return };
            let act = agent::act(span, glance.role);
            self.plan.span(&mut notes, span, &glance, act.as_ref(), number as u32);
            for hit in &mut notes.hits {
                hit.subject = Subject::Span(copies.get(number).copied().unwrap_or(SpanRef(u32::MAX)));
            }
            self.kept.absorb(self.plan, capture, &self.known, &mut notes, Sign::Less);
            notes = Notes::default();
        })?;
        self.kept.copies = copies;
        Ok(())
    }

    /// Runs the checks of everything at once.
    pub(super) fn dump(&mut self, capture: &Capture, forest: &Forest) {
        let mut notes = Notes::default();
        for (number, rule) in self.plan.rules() {
            let Some(check) = rule.check.dump else { continue };
            let look = DumpLook {
                capture,
                forest,
                copies: &self.kept.copies,
                known: &self.known,
                numbers: self.plan.numbers(number),
            };
            check(&look, &mut Sink { notes: &mut notes, rule: number, subject: Subject::Input(0, 0, 0) });
        }
        self.kept.absorb(self.plan, capture, &self.known, &mut notes, Sign::More);
    }
}

/// Spans of traces that only say once more what others say.
#[derive(Default)]
struct Copies {
    found: Vec<SpanRef>,
    ids: Vec<SpanId>,
}

impl Copies {
    /// Whether an id occurs twice among spans.
    fn may_be_among(&mut self, capture: &Capture, spans: &[SpanRef]) -> bool {
        self.ids.clear();
        self.ids.extend(spans.iter().map(|span| capture.head(*span).id));
        self.ids.sort_unstable();
        self.ids.windows(2).any(|pair| pair.first() == pair.last())
    }

    /// Finds those that a tree left out.
    fn find(&mut self, spans: &[SpanRef], tree: &Tree) {
        if tree.nodes().iter().all(|node| node.repeats == 0) {
            return;
        }
        let kept: BTreeSet<SpanRef> = tree.nodes().iter().filter_map(|node| node.span).collect();
        self.found.extend(spans.iter().filter(|span| !kept.contains(span)));
    }
}

fn hand_over(kept: &Mutex<&mut Kept>, plan: &Plan<'_>, capture: &Capture, known: &Known, notes: &mut Notes) {
    kept.lock().unwrap_or_else(PoisonError::into_inner).absorb(plan, capture, known, notes, Sign::More);
    notes.texts = Texts::default();
}

impl Kept {
    /// Takes over facts about things that everybody knows by the same numbers, or takes them back.
    pub(super) fn absorb(&mut self, plan: &Plan<'_>, capture: &Capture, known: &Known, notes: &mut Notes, sign: Sign) {
        for ((rule, reason), count) in std::mem::take(&mut notes.not_checked) {
            sign.apply(self.not_checked.entry((rule, reason)).or_default(), count);
        }
        let mut renumbered = Renumbered::default();
        for hit in notes.hits.drain(..) {
            match self.judge(plan, capture, known, &notes.texts, &hit) {
                Verdict::Counts(severity) => {
                    let of = Sources { capture, places: &self.places, owners: &self.owners };
                    let texts = (&notes.texts, &mut renumbered);
                    match sign {
                        Sign::More => self.groups.add(&of, texts, severity, hit),
                        Sign::Less => self.groups.take_back(&of, texts, severity, &hit),
                    }
                }
                Verdict::Aside(reason, entry) => {
                    entry.into_iter().for_each(|entry| sign.apply(self.used.entry(entry).or_default(), 1));
                    sign.apply(self.ignored.entry((hit.rule, reason)).or_default(), 1);
                }
                Verdict::Out => {}
            }
        }
    }

    /// What becomes of a fact.
    fn judge(&self, plan: &Plan<'_>, capture: &Capture, known: &Known, texts: &Texts, hit: &Hit) -> Verdict {
        let settings = plan.settings;
        let Some(rule) = RULES.get(usize::from(hit.rule)) else { return Verdict::Out };
        let confidence = hit.confidence.unwrap_or(rule.confidence);
        if confidence > settings.min_confidence || !self.is_admitted(plan, capture, hit.subject) {
            return Verdict::Out;
        }
        // A level that somebody chose counts for every kind of fault of the rule.
        let mut severity = plan.chosen(hit.rule).or(hit.severity).unwrap_or(rule.severity);
        if let Subject::Span(span) = hit.subject
            && known.inline.get(&span).is_some_and(|codes| names_rule(codes, rule.code))
        {
            return Verdict::Aside("inline".to_owned(), None);
        }
        for entry in settings.overrides.iter().filter(|entry| self.fits(&entry.aim, capture, hit.subject)) {
            if entry.ignore.contains(&rule.code) {
                return Verdict::Aside("override".to_owned(), None);
            }
            severity = entry.levels.get(rule.code).copied().unwrap_or(severity);
        }
        let attribute = texts.get(hit.attribute);
        let aside = settings.ignores.iter().position(|entry| {
            (entry.rules.is_empty() || entry.rules.contains(&rule.code))
                && entry.expires.is_none_or(|expires| settings.now < expires)
                && entry.attribute.as_ref().is_none_or(|glob| glob.is_match(attribute))
                && self.fits(&entry.aim, capture, hit.subject)
        });
        match aside.and_then(|at| Some((at, settings.ignores.get(at)?))) {
            Some((at, entry)) => Verdict::Aside(entry.reason.clone(), Some(at)),
            None => Verdict::Counts(severity),
        }
    }

    /// Whether the filter lets pass what a fact is about.
    fn is_admitted(&self, plan: &Plan<'_>, capture: &Capture, subject: Subject) -> bool {
        let filter = &plan.settings.filter;
        match subject {
            _ if filter.is_open() => true,
            Subject::Span(span) => filter.admits(capture, span, ended(capture.head(span))),
            _ if filter.services.is_empty() => true,
            subject => {
                let service = self.service(capture, subject);
                filter.services.iter().any(|glob| glob.is_match(service))
            }
        }
    }

    /// The service of what a fact is about.
    fn service<'k>(&'k self, capture: &'k Capture, subject: Subject) -> &'k str {
        match subject {
            Subject::Span(span) => capture.service(span),
            Subject::Envelope(number) => self.owners.get(number as usize).map_or("", |(service, _)| service),
            Subject::Input(..) => "",
        }
    }

    /// Whether a fact about this is what an entry is about.
    pub(super) fn fits(&self, aim: &Aim, capture: &Capture, subject: Subject) -> bool {
        let Aim { service, span, trace, path } = aim;
        let source = match subject {
            Subject::Span(span) => capture.head(span).source,
            Subject::Envelope(number) => self.places.get(number as usize).map(|place| place.source).unwrap_or_default(),
            Subject::Input(number, ..) => crate::capture::SourceId(number),
        };
        let of_span = match subject {
            Subject::Span(at) => {
                span.as_ref().is_none_or(|glob| glob.is_match(capture.name(at)))
                    && trace.as_ref().is_none_or(|prefix| prefix.fits_trace(capture.head(at).trace))
            }
            _ => span.is_none() && trace.is_none(),
        };
        of_span
            && service.as_ref().is_none_or(|glob| glob.is_match(self.service(capture, subject)))
            && path.as_ref().is_none_or(|glob| glob.is_match(&capture.source(source).path))
    }
}

/// Whether a list like `BUD001,AGT` names a rule.
fn names_rule(codes: &str, code: &str) -> bool {
    codes.split([',', ' ']).any(|word| word == code || (word.len() == 3 && code.starts_with(word)))
}
