//! What a check sees: one span, resource, trace, or everything, and the numbers its rule goes by.
//!
//! Views only. Nothing here decides.

use std::cell::OnceCell;

use super::budget::Cell;
use super::group::Known;
use super::hints::Hints;
use super::pattern::Pattern;
use super::plan::{Numbers, Plan};
use super::rules::KeyFacts;
use crate::agent::{Act, Glance, Outline, Role, StepMark};
use crate::capture::{Capture, Head, SpanRef};
use crate::forest::{Forest, Node, Tree};
use crate::ledger::{Account, Prices, Run, runs};
use crate::otlp::{RawAttribute, RawSpan, Text};

/// A span while its bytes are hot.
pub struct SpanLook<'a> {
    /// The span.
    pub span: &'a RawSpan<'a>,
    /// What one look at it told.
    pub glance: &'a Glance,
    /// What may be found in it.
    pub hints: Hints,
    /// The attributes whose keys rules know, by their places in the span's pool.
    pub(super) known: &'a [(u32, &'static KeyFacts)],
    /// The attributes whose keys may stand before them already, by their places in the pool; exact but for keys that look alike.
    pub(super) doubled: &'a [u32],
    /// What it says about an agent's run.
    pub act: Option<&'a Act<'a>>,
    /// The messages it records, where it is a call to a model or has them in OpenTelemetry's keys.
    pub talk: Option<&'a Outline>,
    pub(super) plan: &'a Plan<'a>,
    pub(super) numbers: &'a Numbers,
}

impl<'a> SpanLook<'a> {
    /// The attributes of the span whose keys rules know, and what is known of them.
    #[inline]
    pub(super) fn known(&self) -> impl Iterator<Item = (&'a RawAttribute<'a>, &'static KeyFacts)> {
        let own = self.span.own.clone();
        let own = move |(at, _): &&(u32, &'static KeyFacts)| own.contains(&(*at as usize));
        self.known.iter().filter(own).filter_map(|(at, facts)| Some((self.span.pool.get(*at as usize)?, *facts)))
    }

    /// The same with those of its events and links.
    pub(super) fn known_anywhere(&self) -> impl Iterator<Item = (&'a RawAttribute<'a>, &'static KeyFacts)> {
        self.known.iter().filter_map(|(at, facts)| Some((self.span.pool.get(*at as usize)?, *facts)))
    }

    /// Whether the limit of characters is Letta's, which a value that Letta cut holds to: the note it appends is beyond it.
    #[inline]
    pub fn forgives_cuts(&self) -> bool {
        self.plan.forgives_cuts
    }

    /// The rule's limit with this place in its list.
    #[inline]
    pub fn limit(&self, at: usize) -> Option<u64> {
        self.numbers.number(at)
    }

    /// The rule's words with this place in its list of limits.
    pub fn words(&self, at: usize) -> &[String] {
        self.numbers.words(at)
    }

    /// The rule's regular expressions with this place in its list of limits.
    pub fn patterns(&self, at: usize) -> &[Pattern] {
        self.numbers.patterns(at)
    }

    /// The rule's flag with this place in its list of limits.
    pub fn flag(&self, at: usize) -> bool {
        self.numbers.flag(at)
    }

    /// Whether nobody set the limit with this place in the rule's list.
    pub fn is_usual(&self, at: usize) -> bool {
        self.numbers.is_usual(at)
    }

    /// What the budget allows.
    #[inline]
    pub fn bound(&self, cell: Cell) -> Option<u64> {
        self.plan.bound(cell)
    }

    /// The present, Unix nanoseconds.
    pub fn now(&self) -> u64 {
        self.plan.settings.now
    }

    /// The version of the semantic conventions that holds, as a minor version of 1.
    #[inline]
    pub fn semconv(&self) -> u8 {
        self.plan.settings.semconv
    }
}

/// A resource or an instrumentation scope.
#[derive(Clone, Copy)]
pub struct ResourceLook<'a> {
    /// Its attributes.
    pub attributes: &'a [RawAttribute<'a>],
    /// `dropped_attributes_count`.
    pub dropped: u32,
    /// It is an instrumentation scope.
    pub is_scope: bool,
    /// The name of the scope; empty for a resource.
    pub name: &'a Text<'a>,
    /// The version of the scope; empty for a resource.
    pub version: &'a Text<'a>,
    pub(super) plan: &'a Plan<'a>,
    pub(super) numbers: &'a Numbers,
}

impl ResourceLook<'_> {
    /// The rule's words with this place in its list of limits.
    pub fn words(&self, at: usize) -> &[String] {
        self.numbers.words(at)
    }

    /// The rule's regular expressions with this place in its list of limits.
    pub fn patterns(&self, at: usize) -> &[Pattern] {
        self.numbers.patterns(at)
    }

    /// Whether the limit of characters is Letta's, which a value that Letta cut holds to: the note it appends is beyond it.
    #[inline]
    pub fn forgives_cuts(&self) -> bool {
        self.plan.forgives_cuts
    }

    /// The version of the semantic conventions that holds, as a minor version of 1.
    pub fn semconv(&self) -> u8 {
        self.plan.settings.semconv
    }

    /// What the budget allows.
    pub fn bound(&self, cell: Cell) -> Option<u64> {
        self.plan.bound(cell)
    }
}

/// A trace as a tree.
pub struct TraceLook<'a> {
    /// Everything that was read.
    pub capture: &'a Capture,
    /// The spans of the trace, every one that was read.
    pub spans: &'a [SpanRef],
    /// Its tree.
    pub tree: &'a Tree,
    /// What is among its spans.
    pub brief: Brief,
    pub(super) books: &'a Books<'a>,
    pub(super) known: &'a Known,
    pub(super) plan: &'a Plan<'a>,
    pub(super) numbers: &'a Numbers,
}

impl<'a> TraceLook<'a> {
    /// The nodes that are spans, with their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = (usize, &'a Node, SpanRef)> {
        self.tree.nodes().iter().enumerate().filter_map(|(at, node)| Some((at, node, node.span?)))
    }

    /// The record of a span.
    pub fn head(&self, span: SpanRef) -> &'a Head {
        self.capture.head(span)
    }

    /// The span of a node.
    pub fn span_of(&self, node: usize) -> Option<SpanRef> {
        self.tree.nodes().get(node).and_then(|node| node.span)
    }

    /// The calls of the trace to models and tools, each counted once.
    pub fn account(&self) -> &'a Account {
        &self.books.kept().0
    }

    /// Its runs of agents.
    pub fn runs(&self) -> &'a [Run] {
        &self.books.kept().1
    }

    /// What models cost and take.
    pub fn prices(&self) -> &'a Prices {
        self.books.prices
    }

    /// What was noted while everything was read.
    pub fn known(&self) -> &'a Known {
        self.known
    }

    /// The rule's limit with this place in its list.
    pub fn limit(&self, at: usize) -> Option<u64> {
        self.numbers.number(at)
    }

    /// The rule's flag with this place in its list.
    pub fn flag(&self, at: usize) -> bool {
        self.numbers.flag(at)
    }

    /// The rule's words with this place in its list.
    pub fn words(&self, at: usize) -> &'a [String] {
        self.numbers.words(at)
    }

    /// What the budget allows.
    pub fn bound(&self, cell: Cell) -> Option<u64> {
        self.plan.bound(cell)
    }

    /// Exception types that are expected ends by configuration, and those that are not.
    pub fn ends(&self) -> (&'a [String], &'a [String]) {
        (&self.plan.settings.expected, &self.plan.settings.unexpected)
    }

    /// Whether the dump is a part of something.
    pub fn is_partial(&self) -> bool {
        self.plan.settings.partial
    }
}

/// Everything at once.
pub struct DumpLook<'a> {
    /// Everything that was read.
    pub capture: &'a Capture,
    /// Its traces.
    pub forest: &'a Forest,
    /// Spans that only say once more what another one says, in order.
    pub(super) copies: &'a [SpanRef],
    pub(super) known: &'a Known,
    pub(super) numbers: &'a Numbers,
}

/// What is among the spans of a trace, for rules that look at only a few of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brief {
    /// Calls to databases, servers and embedding models.
    pub calls: u32,
    /// Spans that record an exception.
    pub exceptions: u32,
    /// Spans that begin a step.
    pub started: u32,
    /// Spans that say something about an agent's run.
    pub acts: u32,
}

impl Brief {
    /// Counts.
    pub(super) fn of(capture: &Capture, spans: &[SpanRef], known: &Known) -> Self {
        let mut brief = Self::default();
        for &span in spans {
            let head = capture.head(span);
            brief.calls += u32::from(matches!(head.marks.role(), Some(Role::Db | Role::Http | Role::Embedding)));
            brief.exceptions += u32::from(head.marks.exception());
            brief.acts += u32::from(head.marks.brief());
            brief.started += u32::from(known.step_mark(head.name) == Some(StepMark::Started));
        }
        brief
    }
}

/// What a trace took, reckoned when somebody asks for the first time.
pub(super) struct Books<'a> {
    capture: &'a Capture,
    tree: &'a Tree,
    prices: &'a Prices,
    kept: OnceCell<(Account, Vec<Run>)>,
}

impl<'a> Books<'a> {
    pub(super) fn new(capture: &'a Capture, tree: &'a Tree, prices: &'a Prices) -> Self {
        Self { capture, tree, prices, kept: OnceCell::new() }
    }

    fn kept(&self) -> &(Account, Vec<Run>) {
        self.kept.get_or_init(|| {
            let account = Account::of(self.capture, self.tree, self.prices);
            let runs = runs(self.capture, self.tree, &account);
            (account, runs)
        })
    }
}

impl<'a> DumpLook<'a> {
    /// The spans with their records, each once however often it was sent.
    pub fn spans(&self) -> impl Iterator<Item = (SpanRef, &'a Head)> {
        let mut copies = self.copies.iter().copied().peekable();
        let all = self.capture.spans().zip(self.capture.heads());
        all.filter(move |(span, _)| copies.next_if_eq(span).is_none())
    }

    /// What was noted while everything was read.
    pub fn known(&self) -> &'a Known {
        self.known
    }

    /// The rule's flag with this place in its list.
    pub fn flag(&self, at: usize) -> bool {
        self.numbers.flag(at)
    }

    /// Whether a span only says once more what another one says.
    pub fn is_copy(&self, span: SpanRef) -> bool {
        self.copies.binary_search(&span).is_ok()
    }

    /// The rule's limit with this place in its list.
    pub fn limit(&self, at: usize) -> Option<u64> {
        self.numbers.number(at)
    }

    /// The rule's words with this place in its list.
    pub fn words(&self, at: usize) -> &'a [String] {
        self.numbers.words(at)
    }

    /// Whether nobody set the limit with this place in the rule's list.
    pub fn is_usual(&self, at: usize) -> bool {
        self.numbers.is_usual(at)
    }

    /// The rule's regular expressions with this place in its list.
    pub fn patterns(&self, at: usize) -> &'a [Pattern] {
        self.numbers.patterns(at)
    }
}
