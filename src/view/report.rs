//! Which traces are shown, and in which order.
//!
//! Comes in: a capture, its forest, settings and a choice of spans. Goes out: trace numbers; the traces themselves are
//! built one at a time, when they are asked for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use super::adopt::{Adoption, adoptions};
use super::books::{Books, has_calls};
use super::built::{Built, is_of_call, is_of_run};
use super::nest::Guest;
use super::pick;
use super::settings::{Settings, Sort};
use super::trace::{Belongs, TraceView};
use super::veil::veil;
use crate::capture::{Capture, Detail, SpanRef};
use crate::forest::{Forest, TraceGroup, Tree};
use crate::input::InputError;
use crate::ledger::{Prices, Sums};
use crate::model::{SpanId, Status, Termination, TraceId};

/// The trees that were asked for.
pub struct TreeReport<'c> {
    capture: &'c Capture,
    forest: &'c Forest,
    settings: Settings,
    shown: Vec<u32>,
    omitted: Omitted,
    adoptions: BTreeMap<u32, Adoption>,
    /// The traces that belong beneath spans of a trace, by its number.
    guests: BTreeMap<u32, Vec<u32>>,
    /// The traces to show of each session, where they are put together by it.
    sessions: HashMap<&'c str, Vec<u32>>,
}

/// What the traces of a session that are shown took together, those nested in them among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionSums {
    /// How many traces are shown of it.
    pub traces: u64,
    /// The earliest start, Unix nanoseconds; zero when none is known.
    pub start: u64,
    /// The latest end.
    pub end: u64,
    /// Its calls to models and tools, where it has any.
    pub totals: Option<Sums>,
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
    /// A span is part of what an agent did.
    agents: bool,
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
            if !settings.errors && !settings.agents && settings.sort == Sort::Start {
                chosen.push((Reverse(0), number));
                continue;
            }
            let sketch = Sketch::of(capture, trace);
            let key = match settings.sort {
                Sort::Start => 0,
                Sort::Duration => sketch.end.saturating_sub(sketch.start),
                Sort::Errors => sketch.wrong,
            };
            let wrong = sketch.wrong > 0 || sketch.unfinished;
            if wrong || !settings.errors && (!settings.agents || sketch.agents) {
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
            let host = |number: &u32| adoptions.get(number).map(|found| found.trace);
            shown.retain(|number| !std::iter::successors(host(number), host).any(|above| there.contains(&above)));
        }
        let mut sessions: HashMap<&str, Vec<u32>> = HashMap::new();
        for number in shown.iter().filter(|_| settings.by_session) {
            sessions.entry(session(capture, forest, *number as usize)).or_default().push(*number);
        }
        let over = shown.split_off(settings.limit.map_or(shown.len(), |limit| limit.min(shown.len())));
        let spans = over.iter().map(|&number| forest.trace(number as usize).spans.len() as u64).sum();
        let omitted = Omitted { traces: over.len() as u64, spans };
        let mut guests: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (guest, found) in &adoptions {
            guests.entry(found.trace).or_default().push(*guest);
        }
        Self { capture, forest, settings, shown, omitted, adoptions, guests, sessions }
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
        let mut view = self.view(number, tree, self.settings.depth)?;
        view.roll_up();
        let apart = self.adoptions.get(&numbered(number)).filter(|_| self.settings.nest);
        view.heading.belongs = apart.map(|found| Belongs {
            trace: self.forest.trace(found.trace as usize).id,
            name: self.capture.name(found.parent),
            by: found.by,
        });
        Ok(view)
    }

    /// The view of a trace and those that are nested in it, `depth` levels of it.
    fn view(&self, number: usize, tree: &mut Tree, depth: Option<u32>) -> Result<TraceView<'c>, InputError> {
        self.tree(number, tree);
        let mut view = TraceView::of(self.capture, tree, &self.settings, depth, self.books(tree).as_ref())?;
        let nested = self.nested(number);
        if nested.is_empty() {
            return Ok(view);
        }
        let mut guests = Vec::with_capacity(nested.len());
        for ((guest, found), host) in nested.iter().zip(view.hosts(tree, &nested)) {
            let level = host.and_then(|at| view.rows.get(at)).map_or(0, |row| row.depth + 1);
            let left = depth.map(|depth| depth.saturating_sub(level));
            let nested = self.view(*guest as usize, tree, left.map(|left| left.max(1)))?;
            guests.push(Guest { host, by: found.by, view: nested, hidden: left == Some(0) });
        }
        view.adopt(guests);
        Ok(view)
    }

    /// The traces that are nested in one, in the order of their starts.
    fn nested(&self, number: usize) -> Vec<(u32, Adoption)> {
        let guests = self.guests.get(&numbered(number)).filter(|_| self.settings.nest);
        let found = |guest: &u32| self.adoptions.get(guest).map(|found| (*guest, *found));
        guests.into_iter().flatten().filter_map(found).collect()
    }

    /// Where a trace that lost its context belongs: the ids of the trace and the span, and what they share.
    pub fn adoption(&self, number: usize) -> Option<(TraceId, SpanId, &'static str)> {
        let found = self.adoptions.get(&numbered(number))?;
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

    /// What the traces of a session took, those over the limit among them, where they are put together by it; uses the space of `tree`.
    pub fn session_sums(&self, name: &str, tree: &mut Tree) -> SessionSums {
        let own = self.sessions.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut sums = SessionSums { traces: own.len() as u64, ..SessionSums::default() };
        let mut open: Vec<usize> = own.iter().map(|number| *number as usize).collect();
        while let Some(number) = open.pop() {
            open.extend(self.nested(number).into_iter().map(|(guest, _)| guest as usize));
            self.forest.tree(self.capture, number, tree);
            let counts = tree.counts();
            let earlier = counts.start != 0 && (sums.start == 0 || counts.start < sums.start);
            sums.start = if earlier { counts.start } else { sums.start };
            sums.end = sums.end.max(counts.end);
            let totals = self.books(tree).map(|books| books.totals(tree)).filter(has_calls);
            totals.iter().for_each(|more| sums.totals.get_or_insert_default().add(more));
        }
        sums
    }

    /// The conversation that a trace is part of; empty where nothing says it.
    pub fn session(&self, number: usize) -> &'c str {
        session(self.capture, self.forest, number)
    }

    /// The nodes of a built tree that are left when only some paths, levels or roles were asked for.
    pub fn kept(&self, tree: &Tree, books: Option<&Books>) -> impl Fn(usize) -> bool + use<> {
        let kept = pick::kept(&Built { capture: self.capture, tree, books }, &self.settings);
        move |at| kept.get(at) != Some(&false)
    }

    /// Reads spans again, in full, secrets hidden.
    pub fn details(&self, spans: &[SpanRef]) -> Result<Vec<Option<Detail>>, InputError> {
        let mut details = if spans.is_empty() { Vec::new() } else { self.capture.details(spans)? };
        details.iter_mut().flatten().for_each(veil);
        Ok(details)
    }
}

/// Traces have numbers of 32 bits.
fn numbered(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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
            let ended_badly = head.marks.status() == Status::Error || head.marks.termination() != Termination::None;
            let tool_failed = || capture.brief(span).is_some_and(|brief| brief.failed == Some(true));
            let failed = ended_badly || tool_failed();
            let is_call = || capture.brief(span).is_some_and(|brief| brief.piece.is_some_and(is_of_call));
            sketch.agents |= head.marks.role().is_some_and(is_of_run) || is_call();
            sketch.wrong += u64::from(failed);
            sketch.unfinished |= head.end == 0;
            sketch.end = sketch.end.max(head.end).max(head.start);
            sketch.start = if head.start == 0 { sketch.start } else { sketch.start.min(head.start) };
        }
        sketch
    }
}
