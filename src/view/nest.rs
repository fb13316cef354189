//! Puts traces that lost their context beneath the rows of their parents.
//!
//! Comes in: the view of a trace and those of its guests. Goes out: one view, guests at their parents or, where these have no rows,
//! beneath the nearest row above them. What they took is added to the rows above.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::adopt::Adoption;
use super::row::Row;
use super::trace::{TraceView, mark_last};
use crate::capture::SpanRef;
use crate::forest::Tree;
use crate::ledger::Sums;

/// A trace beneath a row of another one.
pub(super) struct Guest<'c> {
    /// The place of that row; none where the other trace has no rows.
    pub(super) host: Option<usize>,
    /// What they share.
    pub(super) by: &'static str,
    /// The view; with rows only if there are levels left to show.
    pub(super) view: TraceView<'c>,
    /// No level is left: it is only counted.
    pub(super) hidden: bool,
}

impl<'c> TraceView<'c> {
    /// The places of the rows at or above the parents of some guests.
    pub(super) fn hosts(&self, tree: &Tree, guests: &[(u32, Adoption)]) -> Vec<Option<usize>> {
        let wanted: HashSet<SpanRef> = guests.iter().map(|(_, found)| found.parent).collect();
        let mut nodes: HashMap<SpanRef, usize> = HashMap::new();
        for (at, node) in tree.nodes().iter().enumerate() {
            nodes.extend(node.span.filter(|span| wanted.contains(span)).map(|span| (span, at)));
        }
        let row = |node: &usize| self.nodes.binary_search(node).ok();
        let host = |found: &Adoption| {
            std::iter::successors(nodes.get(&found.parent).copied(), |at| tree.parent(*at)).find_map(|at| row(&at))
        };
        guests.iter().map(|(_, found)| host(found)).collect()
    }

    /// Takes guests in. Those of one row stand in their order.
    pub(super) fn adopt(&mut self, guests: Vec<Guest<'c>>) {
        let (parents, ends) = relations(&self.rows);
        // By where they go, the deeper hosts first.
        let mut arrivals: BTreeMap<(usize, std::cmp::Reverse<u32>), Vec<Row<'c>>> = BTreeMap::new();
        for Guest { host, by, view, hidden } in guests {
            self.heading.counts.end = self.heading.counts.end.max(view.heading.counts.end);
            let all = view.heading.with_nested();
            self.heading.nested.traces += all.traces;
            self.heading.nested.spans += all.spans;
            self.heading.nested.wrong.add(all.wrong);
            if let Some(more) = &view.heading.totals {
                self.heading.totals.get_or_insert_default().add(more);
                self.add_up(host, &parents, more);
            }
            if hidden {
                self.left_out.deep += all.spans;
                self.left_out.deep_wrong.add(all.wrong);
                if let Some(row) = host.and_then(|at| self.rows.get_mut(at)) {
                    row.below += all.spans;
                    row.wrong_below.add(all.wrong);
                }
                continue;
            }
            self.left_out.add(&view.left_out);
            let level = host.and_then(|at| self.rows.get(at)).map_or(0, |row| row.depth + 1);
            let place = host.and_then(|at| ends.get(at)).copied().unwrap_or(self.rows.len());
            let moved = view.rows.into_iter().map(|mut row| {
                row.inferred = if row.depth == 0 { Some(by) } else { row.inferred };
                row.depth += level;
                row
            });
            arrivals.entry((place, std::cmp::Reverse(level))).or_default().extend(moved);
        }
        let mut rows: Vec<Row<'c>> = Vec::with_capacity(self.rows.len());
        let mut own = std::mem::take(&mut self.rows).into_iter();
        let mut taken = 0;
        for ((place, _), guests) in arrivals {
            rows.extend(own.by_ref().take(place - taken));
            taken = place;
            rows.extend(guests);
        }
        rows.extend(own);
        self.rows = rows;
        self.nodes.clear();
        mark_last(&mut self.rows);
    }

    /// Adds what a guest took to its host and all rows above.
    fn add_up(&mut self, host: Option<usize>, parents: &[Option<usize>], more: &Sums) {
        let above = |at: &usize| parents.get(*at).copied().flatten();
        for at in std::iter::successors(host, above) {
            if let Some(row) = self.rows.get_mut(at) {
                row.facts.get_or_insert_default().totals.get_or_insert_default().add(more);
            }
        }
    }
}

/// The row above each row, and one past the last row beneath it.
fn relations(rows: &[Row<'_>]) -> (Vec<Option<usize>>, Vec<usize>) {
    let mut parents = Vec::with_capacity(rows.len());
    let mut ends = vec![rows.len(); rows.len()];
    let mut path: Vec<usize> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        for ended in path.drain((row.depth as usize).min(path.len())..) {
            ends.get_mut(ended).into_iter().for_each(|end| *end = at);
        }
        parents.push(path.last().copied());
        path.push(at);
    }
    (parents, ends)
}
