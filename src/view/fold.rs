//! Tells which siblings are alike: same name, same service, same role, tool, model and agent, and the same beneath, with nothing
//! wrong in it and no step numbered.
//!
//! Comes in: a tree. Goes out: one number per node, equal for nodes that are alike and zero for nodes that stand for themselves.

use super::built::Built;
use crate::forest::{Flags, Tree};

/// A run is folded from this many siblings on.
pub(super) const RUN: usize = 3;

/// The likeness of every node.
pub(super) fn likeness(built: &Built<'_, '_>) -> Vec<u64> {
    let mut likeness: Vec<u64> = (0..built.tree.nodes().len()).map(|at| own(built, at)).collect();
    // Backwards, so that all children are mixed into a node before it is mixed into its parent.
    for at in (0..likeness.len()).rev() {
        let beneath = likeness.get(at).copied().unwrap_or_default();
        let Some(parent) = built.tree.parent(at).and_then(|parent| likeness.get_mut(parent)) else { continue };
        *parent = if beneath == 0 || *parent == 0 { 0 } else { mix(*parent, beneath) };
    }
    likeness
}

/// How many siblings from `at` on are alike, and where the next one stands.
pub(super) fn run(tree: &Tree, likeness: &[u64], at: usize) -> (usize, usize) {
    let end = tree.parent(at).map_or(tree.nodes().len(), |parent| tree.after(parent));
    let wanted = likeness.get(at).copied().filter(|&wanted| wanted != 0);
    let (mut count, mut next) = (1, tree.after(at));
    while next < end && wanted.is_some() && likeness.get(next).copied() == wanted {
        count += 1;
        next = tree.after(next);
    }
    (count, next)
}

fn own(built: &Built<'_, '_>, at: usize) -> u64 {
    let Some((node, span)) = built.node(at).and_then(|node| Some((node, node.span?))) else { return 0 };
    let head = built.capture.head(span);
    let odd = node.flags.has(Flags::CYCLE.with(Flags::DUPLICATE)) || node.repeats > 0 || built.is_single(at);
    if odd || head.marks.over_parameter_budget() || head.marks.over_span_budget() {
        return 0;
    }
    let service = built.capture.origin(head.origin).service;
    let named = mix(mix(0x9e37_79b9_7f4a_7c15, u64::from(head.name.0)), u64::from(service.0));
    built.kind(at).into_iter().fold(named, |likeness, part| mix(likeness, u64::from(part)))
}

/// Never zero: zero means "alike to nothing".
fn mix(a: u64, b: u64) -> u64 {
    let x = (a.rotate_left(23) ^ b).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (x ^ x >> 32) | 1
}
