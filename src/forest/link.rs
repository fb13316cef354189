//! Finds every span's parent within its trace.
//!
//! Comes in: entries in order. Goes out: for each the place of its parent, and flags. Parents that are missing get a
//! place behind the entries. Lookup is by a table of places, made for each trace in the size it needs.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::cycle;
use super::node::{Flags, NONE};
use super::order::Entry;
use super::places::Places;
use crate::capture::Capture;
use crate::model::Kind;

/// Parents by place: the places of entries, then those of missing parents.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    pub(super) parent: Places,
    pub(super) flags: Vec<Flags>,
    /// The ids that are missing; the first has the place behind the last entry.
    pub(super) missing: Vec<u64>,
    /// Entries that repeat an id and say something else.
    pub(super) conflicts: u32,
    /// Halves of a call that stand under their other half, but name a parent that is missing.
    pub(super) lost_halves: u32,
    /// For the first entry of an id: another one with the same id, `MANY` if there are several.
    twin: Places,
    slots: Places,
    hasher: DefaultHashBuilder,
    scratch: Places,
}

/// More than one other entry with the same id.
const MANY: u32 = NONE - 1;

impl Links {
    /// Refills itself for the entries of one trace.
    pub(super) fn fill(&mut self, capture: &Capture, entries: &[Entry]) {
        let n = entries.len();
        self.missing.clear();
        self.conflicts = 0;
        self.lost_halves = 0;
        self.parent.refill(n);
        self.flags.clear();
        self.flags.resize(n, Flags::default());
        self.twin.refill(n);
        // Every entry may bring its own id and the id of a missing parent.
        self.slots.refill((n * 3).next_power_of_two().max(4));

        self.enter_ids(entries);
        if self.conflicts > 0 {
            self.join_halves(capture, entries);
        }
        let backward = self.find_parents(capture, entries);
        // In the order of starts, a cycle needs a parent that stands behind its child.
        if backward {
            cycle::cut(entries, &mut self.parent, &mut self.flags, &mut self.scratch);
        }
    }

    /// The id at a place.
    fn id(&self, entries: &[Entry], place: u32) -> u64 {
        let place = place as usize;
        match entries.get(place) {
            Some(entry) => entry.id,
            None => self.missing.get(place - entries.len()).copied().unwrap_or_default(),
        }
    }

    /// The slot that holds this id, or the free one where it belongs.
    fn slot(&self, entries: &[Entry], id: u64) -> u32 {
        let mask = (self.slots.len() - 1) as u32;
        let mut slot = self.hasher.hash_one(id) as u32 & mask;
        while self.slots.get(slot).is_some_and(|owner| owner != NONE && self.id(entries, owner) != id) {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn mark(&mut self, place: u32, flag: Flags) {
        if let Some(flags) = self.flags.get_mut(place as usize) {
            flags.add(flag);
        }
    }

    fn enter_ids(&mut self, entries: &[Entry]) {
        for (place, entry) in (0u32..).zip(entries) {
            if entry.id == 0 {
                continue;
            }
            let slot = self.slot(entries, entry.id);
            let owner = self.slots.at(slot);
            if owner == NONE {
                self.slots.put(slot, place);
                continue;
            }
            self.conflicts += 1;
            self.mark(owner, Flags::DUPLICATE);
            self.mark(place, Flags::DUPLICATE);
            self.twin.put(owner, if self.twin.at(owner) == NONE { place } else { MANY });
        }
    }

    /// Zipkin gives the client's and the server's half of a call one id: the server's half goes under the client's.
    fn join_halves(&mut self, capture: &Capture, entries: &[Entry]) {
        let kind = |place: u32| entries.get(place as usize).map(|entry| capture.head(entry.span).marks.kind());
        for owner in 0..entries.len() as u32 {
            let twin = self.twin.at(owner);
            if twin >= MANY {
                continue;
            }
            let (client, server) = match (kind(owner), kind(twin)) {
                (Some(Kind::Client), Some(Kind::Server)) => (owner, twin),
                (Some(Kind::Server), Some(Kind::Client)) => (twin, owner),
                _ => continue,
            };
            for half in [client, server] {
                let Some(flags) = self.flags.get_mut(half as usize) else { continue };
                flags.remove(Flags::DUPLICATE);
                flags.add(Flags::SHARED_ID);
            }
            self.parent.put(server, client);
            // Children of the id belong to the half that did the work.
            self.twin.put(owner, server);
        }
    }

    /// Whether any parent stands behind its child.
    fn find_parents(&mut self, capture: &Capture, entries: &[Entry]) -> bool {
        let mut backward = false;
        for (place, entry) in (0u32..).zip(entries) {
            let other_half = self.parent.at(place);
            let joined = other_half != NONE;
            backward |= joined && other_half > place;
            if entry.parent == 0 {
                self.mark(place, Flags::ROOT);
                continue;
            }
            if joined {
                let known = self.slots.at(self.slot(entries, entry.parent));
                self.lost_halves += if (known as usize) < entries.len() { 0 } else { 1 + entry.repeats };
                continue;
            }
            let marks = capture.head(entry.span).marks;
            if marks.remote() {
                self.mark(place, Flags::REMOTE_PARENT);
            } else if marks.remote_known() {
                self.mark(place, Flags::PARENT_LOCAL);
            }
            if entry.parent == entry.id {
                self.mark(place, Flags::CYCLE);
                continue;
            }
            let parent = self.parent_place(entries, entry.parent);
            if (parent as usize) < entries.len() {
                backward |= parent > place;
            } else {
                self.mark(place, Flags::ORPHAN);
            }
            self.parent.put(place, parent);
        }
        backward
    }

    /// The place of the span with this id, or of the placeholder for it.
    fn parent_place(&mut self, entries: &[Entry], id: u64) -> u32 {
        let slot = self.slot(entries, id);
        match self.slots.at(slot) {
            NONE => {
                let place = (entries.len() + self.missing.len()) as u32;
                self.missing.push(id);
                self.slots.put(slot, place);
                place
            }
            owner if self.flags.get(owner as usize).is_some_and(|flags| flags.has(Flags::SHARED_ID)) => {
                self.twin.at(owner)
            }
            owner => owner,
        }
    }
}
