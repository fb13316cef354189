//! One line of a tree, ready to be drawn.
//!
//! Comes in: a node, or a run of like siblings. Goes out: borrowed names and counts; what only the span itself tells is filled in
//! later.

use super::built::Built;
use super::facts::Facts;
use super::fault::Fault;
use super::pick::{Item, Wrong};
use crate::agent::Piece;
use crate::capture::{EventDetail, Head, SpanRef};
use crate::forest::{Flags, Grade, Node, Tree};
use crate::model::{Attribute, Outcome, SpanId};

/// One line of a tree.
#[derive(Clone, Debug)]
pub struct Row<'c> {
    /// Number of rows it stands beneath.
    pub depth: u32,
    /// No sibling has a row after it.
    pub last: bool,
    /// The span, or the first of a run; `None` for a placeholder.
    pub span: Option<SpanRef>,
    /// The span's id, or the id that is missing.
    pub id: SpanId,
    /// The span's name; empty for a placeholder.
    pub name: &'c str,
    /// Its service, where that is another than that of the row above it.
    pub service: Option<&'c str>,
    /// Start, Unix nanoseconds; zero when missing.
    pub start: u64,
    /// End, Unix nanoseconds; zero when it never ended.
    pub end: u64,
    /// What its bar stands for.
    pub extent: Extent,
    /// How it ended.
    pub outcome: Outcome,
    /// It was cancelled as somebody had asked.
    pub expected: bool,
    /// What is odd about it.
    pub flags: Flags,
    /// How many identical repeats were read.
    pub repeats: u32,
    /// At the place of a cancellation: how many cancelled spans it passed through.
    pub propagated: u32,
    /// It stands for a run of like siblings.
    pub fold: Option<Fold>,
    /// It is a placeholder.
    pub missing: Option<Missing>,
    /// The budgets it is over.
    pub budget: Budget,
    /// What is wrong with its times or ids, in words.
    pub wrong: &'static str,
    /// Spans beneath it that have no row.
    pub below: u64,
    /// How many of them went wrong.
    pub wrong_below: Wrong,
    /// What it says about a call to a model or a tool.
    pub facts: Option<Facts<'c>>,
    /// It stands here because ids say so: its context was lost.
    pub inferred: Option<&'static str>,
    /// What went wrong, where this row is the place to say so.
    pub fault: Option<Fault>,
    /// The attributes that were asked for.
    pub attributes: Vec<Attribute>,
    /// Its events, if they were asked for.
    pub events: Vec<EventDetail>,
}

/// What a row's bar stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// The time of the span.
    #[default]
    Span,
    /// The wait for the first token, which came so many nanoseconds after the start: the span itself goes on to the end of the request.
    FirstToken(u64),
    /// The whole request: nothing tells when the first token came.
    Request,
}

/// A run of like siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// How many siblings.
    pub times: u64,
    /// How many spans, those beneath included.
    pub spans: u64,
    /// The siblings' durations together.
    pub total_ns: u64,
    /// The longest of them.
    pub slowest_ns: u64,
}

/// A parent that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What its children's flags say about it.
    pub grade: Grade,
    /// How many children it has.
    pub children: u64,
}

/// The budgets a span is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// 2 MiB for one parameter.
    pub parameter: bool,
    /// 4 MiB for all parameters of a span.
    pub span: bool,
}

impl<'c> Row<'c> {
    pub(super) fn of(built: &Built<'_, 'c>, item: &Item, main_service: &'c str) -> Option<Self> {
        let (capture, tree) = (built.capture, built.tree);
        let node = built.node(item.node)?;
        let marks = node.span.map(|span| capture.head(span).marks).unwrap_or_default();
        let above = item.above.and_then(|above| built.node(above)?.span);
        let above = above.map_or(main_service, |span| capture.service(span));
        let fold = (item.times > 1).then(|| Fold::of(tree, item));
        let end = match fold {
            Some(_) => siblings(tree, item).map(Node::last_ns).max().unwrap_or_default(),
            None => node.end,
        };
        Some(Self {
            depth: item.depth,
            last: item.last,
            span: node.span,
            id: node.id,
            name: node.span.map_or("", |span| capture.name(span)),
            service: node.span.map(|span| capture.service(span)).filter(|&service| service != above),
            start: node.start,
            end,
            extent: Extent::of(built, item),
            outcome: node.outcome,
            expected: node.expected,
            flags: siblings(tree, item).fold(node.flags, |flags, next| flags.with(next.flags)),
            repeats: node.repeats,
            propagated: node.propagated,
            fold,
            missing: node.span.is_none().then(|| Missing::of(tree, item.node)),
            budget: Budget { parameter: marks.over_parameter_budget(), span: marks.over_span_budget() },
            wrong: node.span.map_or("", |span| wrong(capture.head(span))),
            below: item.below,
            wrong_below: item.wrong,
            facts: facts(built, item),
            inferred: None,
            fault: None,
            attributes: Vec::new(),
            events: Vec::new(),
        })
    }

    /// How long it took; zero when it has no start or end.
    pub fn duration_ns(&self) -> u64 {
        if self.start == 0 || self.end == 0 { 0 } else { self.end.saturating_sub(self.start) }
    }

    /// Whether its status is fine, but the tool it calls failed.
    pub fn fails_silently(&self) -> bool {
        let failed = |facts: &Facts<'_>| facts.tool_failed == Some(true) || facts.failed == Some(true);
        self.outcome == Outcome::Ok && self.facts.as_ref().is_some_and(failed)
    }
}

/// The nodes an item stands for, those beneath them left aside.
fn siblings<'t>(tree: &'t Tree, item: &Item) -> impl Iterator<Item = &'t Node> + use<'t> {
    run(tree, item).filter_map(|at| tree.nodes().get(at))
}

fn run<'t>(tree: &'t Tree, item: &Item) -> impl Iterator<Item = usize> + use<'t> {
    std::iter::successors(Some(item.node), |&at| Some(tree.after(at))).take(item.times)
}

/// What is said of a row: of one span what it says, of a run what its siblings have in common and took.
fn facts<'c>(built: &Built<'_, 'c>, item: &Item) -> Option<Facts<'c>> {
    let books = built.books?;
    let mut facts = books.facts(built.capture, built.tree, item.node)?;
    if item.times == 1 {
        facts.totals = books.beneath(built.tree, item.node);
        return Some(facts);
    }
    let Facts { role, model, tool, agent, convention, duplicate, .. } = facts;
    let totals = books.total(run(built.tree, item));
    Some(Facts { role, model, tool, agent, convention, duplicate, totals, ..Facts::default() })
}

/// What is wrong with a span's own times or ids.
fn wrong(head: &Head) -> &'static str {
    let marks = head.marks;
    if head.start == 0 {
        "no start time"
    } else if head.end != 0 && head.end < head.start {
        "ends before it starts"
    } else if marks.bad_trace_id() || marks.bad_span_id() || marks.bad_parent_id() {
        "invalid id"
    } else {
        ""
    }
}

impl Extent {
    /// Letta's agents end their span for the first token with the request, after all calls to models; an event tells when the
    /// first token came.
    fn of(built: &Built<'_, '_>, item: &Item) -> Self {
        let Some(brief) = built.brief(item.node).filter(|brief| brief.piece == Some(Piece::Request)) else {
            return Self::Span;
        };
        let whole = |node: &Node| built.books.is_some_and(|books| books.covers_calls(node.start, node.end));
        match brief.first_token() {
            _ if item.times > 1 => Self::Span,
            Some(first_token) => Self::FirstToken(first_token),
            None if built.node(item.node).is_some_and(whole) => Self::Request,
            None => Self::Span,
        }
    }
}

impl Fold {
    fn of(tree: &Tree, item: &Item) -> Self {
        let durations = || siblings(tree, item).map(Node::duration_ns);
        Self {
            times: item.times as u64,
            spans: (item.until - item.node) as u64,
            total_ns: durations().fold(0, u64::saturating_add),
            slowest_ns: durations().max().unwrap_or_default(),
        }
    }
}

impl Missing {
    /// A parent that any child knows to be local was lost; it is remote only if all say so.
    fn of(tree: &Tree, node: usize) -> Self {
        let grades = || tree.children(node).filter_map(|at| tree.nodes().get(at)).map(Node::grade);
        let grade = if grades().any(|grade| grade == Grade::Local) {
            Grade::Local
        } else if grades().all(|grade| grade == Grade::Remote) {
            Grade::Remote
        } else {
            Grade::Unknown
        };
        Self { grade, children: grades().count() as u64 }
    }
}
