//! Cuts cycles of parents at their earliest span, by (start, id).
//!
//! Every place is walked once, whatever the shape.

use super::node::{Flags, NONE};
use super::order::Entry;

/// Cuts and flags every cycle in `parent`. `walks` is scratch.
pub(super) fn cut(entries: &[Entry], parent: &mut [u32], flags: &mut [Flags], walks: &mut Vec<u32>) {
    walks.clear();
    walks.resize(entries.len(), NONE);
    for walk in 0..entries.len() as u32 {
        let mut at = walk;
        // Up to a root, a missing parent, or a place some walk has been at.
        while walks.get(at as usize) == Some(&NONE) {
            walks[at as usize] = walk;
            at = parent[at as usize];
        }
        if walks.get(at as usize) == Some(&walk) {
            open(entries, parent, flags, at);
        }
    }
}

/// Opens the cycle that goes through `at`.
fn open(entries: &[Entry], parent: &mut [u32], flags: &mut [Flags], at: u32) {
    let key = |place: u32| (entries[place as usize].start, entries[place as usize].id, place);
    let mut earliest = at;
    let mut next = at;
    loop {
        flags[next as usize].add(Flags::CYCLE);
        earliest = if key(next) < key(earliest) { next } else { earliest };
        next = parent[next as usize];
        if next == at {
            break;
        }
    }
    parent[earliest as usize] = NONE;
}
