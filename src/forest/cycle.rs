//! Cuts cycles of parents at their earliest span, by (start, id).
//!
//! Every place is walked once, whatever the shape.

use super::node::{Flags, NONE};
use super::order::Entry;
use super::places::Places;

/// Cuts and flags every cycle in `parent`. `walks` is scratch.
pub(super) fn cut(entries: &[Entry], parent: &mut Places, flags: &mut [Flags], walks: &mut Places) {
    walks.refill(entries.len());
    for walk in 0..entries.len() as u32 {
        let mut at = walk;
        // Up to a root, a missing parent, or a place some walk has been at.
        while walks.get(at) == Some(NONE) {
            walks.put(at, walk);
            at = parent.at(at);
        }
        if walks.get(at) == Some(walk) {
            open(entries, parent, flags, at);
        }
    }
}

/// Opens the cycle that goes through `at`.
fn open(entries: &[Entry], parent: &mut Places, flags: &mut [Flags], at: u32) {
    let key = |place: u32| entries.get(place as usize).map(|entry| (entry.start, entry.id, place));
    let mut earliest = at;
    let mut next = at;
    while let Some(flags) = flags.get_mut(next as usize) {
        flags.add(Flags::CYCLE);
        earliest = if key(next) < key(earliest) { next } else { earliest };
        next = parent.at(next);
        if next == at {
            break;
        }
    }
    parent.put(earliest, NONE);
}
