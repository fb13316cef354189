//! Which traces are shown, and in which order.
//!
//! Comes in: a capture, its forest, settings and a choice of spans. Goes out: trace numbers; the traces themselves are
//! built one at a time, when they are asked for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use super::adopt::{Adoption, adoptions};
use super::books::Books;
use super::pick;
use super::settings::{Settings, Sort};
use super::trace::TraceView;
use super::veil::veil;
use crate::capture::{Capture, Detail, SpanRef};
use crate::forest::{Forest, TraceGroup, Tree};
use crate::input::InputError;
use crate::ledger::Prices;
use crate::model::{SpanId, Status, Termination, TraceId};

/// The trees that were asked for.
pub struct TreeReport<'c> {
    capture: &'c Capture,
    forest: &'c Forest,
    settings: Settings,
    shown: Vec<u32>,
    omitted: Omitted,
    adoptions: BTreeMap<u32, Adoption>,
    /// How many of the traces to show each session has, where they are put together by it.
    sessions: HashMap<&'c str, u64>,
}

/// What was asked for, but is over the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Omitted {
    /// Traces.
    pub traces: u64,
    /// Their spans.
    pub spans: u64,
}

/// What is known of a trace without building its tree.
#[derive(Default)]
struct Sketch {
    start: u64,
    end: u64,
    wrong: u64,
    unfinished: bool,
}

impl<'c> TreeReport<'c> {
    /// Chooses the traces of which any span is `selected`.
    pub fn of(
        capture: &'c Capture,
        forest: &'c Forest,
        settings: Settings,
        selected: &dyn Fn(SpanRef) -> bool,
    ) -> Self {
        let mut chosen: Vec<(Reverse<u64>, u32)> = Vec::new();
        for (number, trace) in (0u32..).zip(forest.traces()) {
            if !trace.spans.iter().any(|&span| selected(span)) {
                continue;
            }
            // The forest's order is that of starts: only other orders need a look at the spans.
            if !settings.errors && settings.sort == Sort::Start {
                chosen.push((Reverse(0), number));
                continue;
            }
            let sketch = Sketch::of(capture, trace);
            let key = match settings.sort {
                Sort::Start => 0,
                Sort::Duration => sketch.end.saturating_sub(sketch.start),
                Sort::Errors => sketch.wrong,
            };
            if !settings.errors || sketch.wrong > 0 || sketch.unfinished {
                chosen.push((Reverse(key), number));
            }
        }
        chosen.sort_unstable();
        let mut shown: Vec<u32> = chosen.into_iter().map(|(_, number)| number).collect();
        if settings.by_session {
            shown = together(capture, forest, shown);
        }
        let adoptions = if settings.infer { adoptions(capture, forest) } else { BTreeMap::new() };
        if settings.nest {
            let there: BTreeSet<u32> = shown.iter().copied().collect();
            // Parents begin before their children: a parent that goes has gone to one that stays.
            shown.retain(|number| adoptions.get(number).is_none_or(|found| !there.contains(&found.trace)));
        }
        let over = shown.split_off(settings.limit.map_or(shown.len(), |limit| limit.min(shown.len())));
        let spans = over.iter().map(|&number| forest.trace(number as usize).spans.len() as u64).sum();
        let omitted = Omitted { traces: over.len() as u64, spans };
        let mut sessions = HashMap::new();
        for number in shown.iter().filter(|_| settings.by_session) {
            *sessions.entry(session(capture, forest, *number as usize)).or_default() += 1;
        }
        Self { capture, forest, settings, shown, omitted, adoptions, sessions }
    }

    /// The numbers of the traces to show, in order.
    pub fn shown(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.shown.iter().map(|&number| number as usize)
    }

    /// What is over the limit.
    pub fn omitted(&self) -> Omitted {
        self.omitted
    }

    /// What was asked for.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The capture the trees are of.
    pub fn capture(&self) -> &'c Capture {
        self.capture
    }

    /// Builds the tree of one trace.
    pub fn tree(&self, number: usize, tree: &mut Tree) {
        self.forest.tree(self.capture, number, tree);
        if self.settings.critical_path {
            tree.mark_critical_path();
        }
    }

    /// Builds the rows of one trace, using the space of `tree`.
    pub fn trace(&self, number: usize, tree: &mut Tree) -> Result<TraceView<'c>, InputError> {
        self.tree(number, tree);
        let mut view = TraceView::of(self.capture, tree, &self.settings, self.books(tree).as_ref())?;
        if self.settings.nest {
            let here = self.adoptions.iter().filter(|(_, found)| found.trace as usize == number);
            for (guest, found) in here {
                let nested = self.trace(*guest as usize, tree)?;
                view.adopt(nested, found);
            }
        }
        Ok(view)
    }

    /// Where a trace that lost its context belongs: the ids of the trace and the span, and what they share.
    pub fn adoption(&self, number: usize) -> Option<(TraceId, SpanId, &'static str)> {
        let found = self.adoptions.get(&u32::try_from(number).ok()?)?;
        Some((self.forest.trace(found.trace as usize).id, self.capture.head(found.parent).id, found.by))
    }

    /// Draws up the books of a built tree; `None` where nothing in it takes part in an agent's run.
    pub fn books(&self, tree: &Tree) -> Option<Books> {
        if !self.capture.has_briefs() {
            return None;
        }
        let prices = self.settings.prices.as_ref().unwrap_or(&BUILT_IN);
        Books::of(self.capture, tree, prices)
    }

    /// How many traces of a session are shown, where they are put together by it.
    pub fn traces_of_session(&self, name: &str) -> u64 {
        self.sessions.get(name).copied().unwrap_or_default()
    }

    /// The conversation that a trace is part of; empty where nothing says it.
    pub fn session(&self, number: usize) -> &'c str {
        session(self.capture, self.forest, number)
    }

    /// The nodes of a built tree that are left when only some paths or levels were asked for.
    pub fn kept(&self, tree: &Tree) -> impl Fn(usize) -> bool + use<> {
        let matters = if self.settings.errors { pick::matters(tree) } else { Vec::new() };
        let depths: Vec<u32> = match self.settings.depth {
            Some(_) => tree.nodes().iter().map(|node| node.depth).collect(),
            None => Vec::new(),
        };
        let (errors, depth) = (self.settings.errors, self.settings.depth.unwrap_or(u32::MAX));
        move |at| (!errors || matters.get(at) == Some(&true)) && depths.get(at).is_none_or(|&level| level < depth)
    }

    /// Reads spans again, in full, secrets hidden.
    pub fn details(&self, spans: &[SpanRef]) -> Result<Vec<Option<Detail>>, InputError> {
        let mut details = if spans.is_empty() { Vec::new() } else { self.capture.details(spans)? };
        details.iter_mut().flatten().for_each(veil);
        Ok(details)
    }
}

static BUILT_IN: LazyLock<Arc<Prices>> = LazyLock::new(|| Arc::new(Prices::built_in()));

/// The conversation of the earliest span of a trace that names one.
fn session<'c>(capture: &'c Capture, forest: &Forest, number: usize) -> &'c str {
    let spans = forest.trace(number).spans.iter();
    let named = spans.map(|span| (capture.head(*span).start, capture.conversation(*span)));
    let first = named.filter(|(_, name)| !name.is_empty()).min_by_key(|(start, name)| (*start, capture.text(*name)));
    first.map_or("", |(_, name)| capture.text(name))
}

/// Traces of one session together, sessions in the order of their first trace; those without one at the end.
fn together(capture: &Capture, forest: &Forest, shown: Vec<u32>) -> Vec<u32> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut keyed: Vec<(usize, usize, u32)> = Vec::with_capacity(shown.len());
    for (at, number) in shown.into_iter().enumerate() {
        let name = session(capture, forest, number as usize);
        let next = places.len();
        let place = if name.is_empty() { usize::MAX } else { *places.entry(name).or_insert(next) };
        keyed.push((place, at, number));
    }
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, number)| number).collect()
}

impl Sketch {
    fn of(capture: &Capture, trace: TraceGroup<'_>) -> Self {
        let mut sketch = Self { start: u64::MAX, ..Self::default() };
        for &span in trace.spans {
            let head = capture.head(span);
            let failed = head.marks.status() == Status::Error || head.marks.termination() != Termination::None;
            sketch.wrong += u64::from(failed);
            sketch.unfinished |= head.end == 0;
            sketch.end = sketch.end.max(head.end).max(head.start);
            sketch.start = if head.start == 0 { sketch.start } else { sketch.start.min(head.start) };
        }
        sketch
    }
}
