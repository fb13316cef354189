//! Calls that a span of Letta's tells something of without being one of them.
//!
//! Comes in: a tree, its calls in order, and the span. Goes out: the call it belongs to. Only a bounded number of calls is looked at.

use std::ops::RangeInclusive;

use super::account::range;
use super::call::{Call, Kind};
use crate::forest::Tree;

/// How many calls are looked at for the one that a span belongs to.
const NEAR: usize = 256;
/// So many parents of it are looked below.
const UP: usize = 4;

/// The call to a model that began last before a node, under the parent of the node or of one of the three above it.
pub(super) fn call_before(tree: &Tree, calls: &[Call], node: usize) -> Option<usize> {
    let mut up = std::iter::successors(Some(node), |at| tree.parent(*at)).take(UP);
    up.find_map(|at| {
        let parent = tree.parent(at)?;
        // Calls stand in the order of the tree, so that those under one parent are not far apart.
        let before = calls.partition_point(|call| call.node < at);
        let near = calls.get(..before)?.iter().enumerate().rev().take(NEAR).take_while(|(_, call)| call.node > parent);
        let mut own = near.filter(|(_, call)| tree.parent(call.node) == Some(parent));
        own.find(|(_, call)| call.kind == Kind::Model && !call.failed).map(|(at, _)| at)
    })
}

/// The first call to a model that began within a time, below the nearest of the parents of a node that has one below it, or anywhere in
/// the trace.
pub(super) fn first_call<'k>(
    tree: &Tree,
    calls: &'k mut [Call],
    node: usize,
    time: RangeInclusive<u64>,
) -> Option<&'k mut Call> {
    let parents = std::iter::successors(tree.parent(node), |at| tree.parent(*at)).take(UP);
    let ranges = parents.map(|at| range(calls, at..tree.after(at))).chain(std::iter::once(0..calls.len()));
    let within = |at: &usize| calls.get(*at).is_some_and(|call| call.kind == Kind::Model && time.contains(&call.start));
    let first = |range: std::ops::Range<usize>| {
        range.take(NEAR).filter(within).min_by_key(|at| calls.get(*at).map(|call| call.start))
    };
    let at = ranges.into_iter().find_map(first)?;
    calls.get_mut(at)
}
