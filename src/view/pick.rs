//! Chooses the nodes of a tree that get a row: by depth, by what matters, by role, by folding, and by a limit of rows.
//!
//! Comes in: a tree and settings. Goes out: items depth first, in which every parent stands before its children, and
//! what was left out.

use super::built::Built;
use super::fold;
use super::settings::Settings;
use crate::agent::is_generator;
use crate::forest::Tree;
use crate::model::Outcome;

/// What of a trace is not shown, in spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Off the paths that matter, where only these were asked for.
    pub fine: u64,
    /// Deeper than was asked for.
    pub deep: u64,
    /// Over the limit of rows.
    pub over: u64,
    /// What went wrong with the deeper ones.
    pub deep_wrong: Wrong,
    /// What went wrong with those over the limit.
    pub over_wrong: Wrong,
    /// Generators that were only made there: their spans are over before they begin.
    pub hollow: u64,
    /// Between the spans of agents' runs, where only these were asked for.
    pub between: u64,
}

/// How many of some spans went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// Failed.
    pub failed: u64,
    /// Were cancelled, expected or not.
    pub cancelled: u64,
}

impl LeftOut {
    /// Adds what is not shown of another trace.
    pub(super) fn add(&mut self, other: &Self) {
        self.fine += other.fine;
        self.deep += other.deep;
        self.over += other.over;
        self.hollow += other.hollow;
        self.between += other.between;
        self.deep_wrong.add(other.deep_wrong);
        self.over_wrong.add(other.over_wrong);
    }
}

impl Wrong {
    pub(super) fn add(&mut self, other: Self) {
        self.failed += other.failed;
        self.cancelled += other.cancelled;
    }
}

/// A node that gets a row, or a run of like siblings that gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) node: usize,
    /// One past the last node it stands for.
    pub(super) until: usize,
    /// How many siblings it stands for.
    pub(super) times: usize,
    /// The nearest node above it that gets a row.
    pub(super) above: Option<usize>,
    /// How many of the nodes above it get one.
    pub(super) depth: u32,
    /// Whether it is on a path to something wrong.
    pub(super) matters: bool,
    /// No sibling gets a row after it.
    pub(super) last: bool,
    /// Spans beneath it that get none.
    pub(super) below: u64,
    /// What went wrong with them.
    pub(super) wrong: Wrong,
}

/// Nodes that get a row, from a top down to where a walk is: each with the end of its subtree.
#[derive(Default)]
struct Path(Vec<(usize, usize)>);

impl Path {
    /// Goes on to a node: how many are above it, and the nearest of them.
    fn reach(&mut self, at: usize) -> (u32, Option<usize>) {
        while self.0.pop_if(|(_, after)| *after <= at).is_some() {}
        (self.0.len() as u32, self.0.last().map(|(node, _)| *node))
    }

    fn enter(&mut self, tree: &Tree, at: usize) {
        self.0.push((at, tree.after(at)));
    }
}

/// The items of a tree, `depth` levels of it.
pub(super) fn pick(built: &Built<'_, '_>, settings: &Settings, depth: Option<u32>) -> (Vec<Item>, LeftOut) {
    let tree = built.tree;
    let matters = matters(built);
    let of_run = if settings.agents { of_runs(built) } else { Vec::new() };
    let likeness = if settings.collapse { fold::likeness(built) } else { Vec::new() };
    let (mut left, mut items, mut path) = (LeftOut::default(), Vec::new(), Path::default());
    let mut at = 0;
    while at < tree.nodes().len() {
        let on_path = matters.get(at).copied().unwrap_or_default();
        if settings.errors && !on_path {
            left.fine += built.spans(at, tree.after(at));
            at = tree.after(at);
            continue;
        }
        if settings.collapse && is_hollow(built, at) {
            left.hollow += 1;
            at += 1;
            continue;
        }
        if of_run.get(at) == Some(&false) {
            left.between += built.spans(at, at + 1);
            at += 1;
            continue;
        }
        let (level, above) = path.reach(at);
        let (times, next) = fold::run(tree, &likeness, at);
        let mut item = Item {
            node: at,
            until: at + 1,
            times: 1,
            above,
            depth: level,
            matters: on_path,
            last: false,
            below: 0,
            wrong: Wrong::default(),
        };
        at += 1;
        if times >= fold::RUN {
            (item.times, item.until) = (times, next);
        } else if depth.is_some_and(|depth| level + 1 >= depth) {
            item.until = tree.after(item.node);
            item.below = built.spans(at, item.until);
            item.wrong = wrong(built, at, item.until);
            left.deep += item.below;
            left.deep_wrong.add(item.wrong);
        } else {
            path.enter(tree, item.node);
        }
        at = item.until.max(at);
        items.push(item);
    }
    if let Some(rows) = settings.rows.filter(|&rows| rows < items.len()) {
        (left.over, left.over_wrong) = shorten(built, &mut items, rows);
    }
    mark_last(&mut items);
    (items, left)
}

/// Which nodes are left where only some paths, levels or roles were asked for; empty where all are.
pub(super) fn kept(built: &Built<'_, '_>, settings: &Settings) -> Vec<bool> {
    if !settings.errors && !settings.agents && settings.depth.is_none() {
        return Vec::new();
    }
    let matters = if settings.errors { matters(built) } else { Vec::new() };
    let of_run = if settings.agents { of_runs(built) } else { Vec::new() };
    let mut path = Path::default();
    let keeps = |at: usize| {
        let wanted = matters.get(at) != Some(&false) && of_run.get(at) != Some(&false);
        let (level, _) = path.reach(at);
        if wanted {
            path.enter(built.tree, at);
        }
        wanted && settings.depth.is_none_or(|depth| level < depth)
    };
    (0..built.tree.nodes().len()).map(keeps).collect()
}

/// Which nodes are part of what agents did, or went wrong; and the tops above any of these.
fn of_runs(built: &Built<'_, '_>) -> Vec<bool> {
    let tree = built.tree;
    let mut of_run: Vec<bool> = (0..tree.nodes().len()).map(|at| built.is_of_run(at) || built.is_wrong(at)).collect();
    for top in tree.tops() {
        let any = of_run.get(top..tree.after(top)).is_some_and(|nodes| nodes.contains(&true));
        of_run.get_mut(top).into_iter().for_each(|kept| *kept = any);
    }
    of_run
}

/// How many spans of a range went wrong.
fn wrong(built: &Built<'_, '_>, from: usize, to: usize) -> Wrong {
    let mut wrong = Wrong::default();
    for at in from..to {
        match built.node(at).map(|node| node.outcome) {
            Some(Outcome::Error) => wrong.failed += 1,
            Some(Outcome::Cancelled) => wrong.cancelled += 1,
            _ => wrong.failed += u64::from(built.fails_silently(at)),
        }
    }
    wrong
}

/// Longer than this, a span is no mere making of a generator.
const HOLLOW: u64 = 5_000_000;

/// Whether a node is a generator that was made there and did its work elsewhere.
fn is_hollow(built: &Built<'_, '_>, at: usize) -> bool {
    let Some(node) = built.node(at) else { return false };
    let childless = built.tree.after(at) == at + 1 && node.outcome == Outcome::Ok && node.repeats == 0;
    let brief = childless && node.duration_ns() < HOLLOW;
    brief && node.span.is_some_and(|span| is_generator(built.capture.name(span)))
}

/// Which nodes have something wrong in them or beneath them.
fn matters(built: &Built<'_, '_>) -> Vec<bool> {
    let mut matters: Vec<_> = (0..built.tree.nodes().len()).map(|at| built.is_wrong(at)).collect();
    for at in (0..matters.len()).rev() {
        let wrong = matters.get(at) == Some(&true);
        if let Some(parent) = built.tree.parent(at).and_then(|parent| matters.get_mut(parent)) {
            *parent |= wrong;
        }
    }
    matters
}

/// Keeps the rows that say most: paths to something wrong, then level by level from the top. Parents stay with their
/// children because they are less deep and matter whenever a child does. The number of spans that went.
fn shorten(built: &Built<'_, '_>, items: &mut Vec<Item>, rows: usize) -> (u64, Wrong) {
    let mut rank: Vec<_> = (0..).zip(items.iter()).map(|(at, item)| (!item.matters, item.depth, at)).collect();
    rank.sort_unstable();
    let mut kept = vec![false; items.len()];
    for (_, _, at) in rank.into_iter().take(rows) {
        if let Some(kept) = kept.get_mut::<usize>(at) {
            *kept = true;
        }
    }
    let (mut left, mut left_wrong) = (0, Wrong::default());
    let mut short: Vec<Item> = Vec::with_capacity(rows);
    // Kept items from a top down to where the walk is.
    let mut path: Vec<usize> = Vec::new();
    for (item, kept) in items.iter().zip(kept) {
        while path.last().and_then(|&at| short.get(at)).is_some_and(|above| above.depth >= item.depth) {
            path.pop();
        }
        if kept {
            path.push(short.len());
            short.push(*item);
            continue;
        }
        let gone = built.spans(item.node, item.until);
        let bad = wrong(built, item.node, item.until);
        left += gone;
        left_wrong.add(bad);
        if let Some(above) = path.last().and_then(|&at| short.get_mut(at)) {
            above.below += gone;
            above.wrong.add(bad);
        }
    }
    *items = short;
    (left, left_wrong)
}

/// Finds, from the end, the last item of every set of siblings.
fn mark_last(items: &mut [Item]) {
    let mut seen: Vec<bool> = Vec::new();
    for item in items.iter_mut().rev() {
        let level = item.depth as usize;
        seen.resize(level + 1, false);
        if let Some(seen) = seen.get_mut(level) {
            item.last = !*seen;
            *seen = true;
        }
    }
}
