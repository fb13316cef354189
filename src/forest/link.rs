//! Finds every span's parent within its trace.
//!
//! Comes in: entries in order. Goes out: for each the place of its parent, and flags. Parents that are missing get a
//! place behind the entries. Lookup is by a table of places, made for each trace in the size it needs.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::cycle;
use super::node::{Flags, NONE};
use super::order::Entry;
use crate::capture::Capture;
use crate::model::Kind;

/// Parents by place: the places of entries, then those of missing parents.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    pub(super) parent: Vec<u32>,
    pub(super) flags: Vec<Flags>,
    /// The ids that are missing; the first has the place behind the last entry.
    pub(super) missing: Vec<u64>,
    /// Entries that repeat an id and say something else.
    pub(super) conflicts: u32,
    /// Halves of a call that stand under their other half, but name a parent that is missing.
    pub(super) lost_halves: u32,
    /// For the first entry of an id: another one with the same id, `MANY` if there are several.
    twin: Vec<u32>,
    slots: Vec<u32>,
    hasher: DefaultHashBuilder,
    pub(super) scratch: Vec<u32>,
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
        self.parent.clear();
        self.parent.resize(n, NONE);
        self.flags.clear();
        self.flags.resize(n, Flags::default());
        self.twin.clear();
        self.twin.resize(n, NONE);
        // Every entry may bring its own id and the id of a missing parent.
        self.slots.clear();
        self.slots.resize((n * 3).next_power_of_two().max(4), NONE);

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
    fn slot(&self, entries: &[Entry], id: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(id) as usize & mask;
        while self.slots[slot] != NONE && self.id(entries, self.slots[slot]) != id {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn enter_ids(&mut self, entries: &[Entry]) {
        for (place, entry) in (0u32..).zip(entries) {
            if entry.id == 0 {
                continue;
            }
            let slot = self.slot(entries, entry.id);
            let owner = self.slots[slot];
            if owner == NONE {
                self.slots[slot] = place;
                continue;
            }
            self.conflicts += 1;
            self.flags[owner as usize].add(Flags::DUPLICATE);
            self.flags[place as usize].add(Flags::DUPLICATE);
            let twin = &mut self.twin[owner as usize];
            *twin = if *twin == NONE { place } else { MANY };
        }
    }

    /// Zipkin gives the client's and the server's half of a call one id: the server's half goes under the client's.
    fn join_halves(&mut self, capture: &Capture, entries: &[Entry]) {
        let kind = |place: u32| capture.head(entries[place as usize].span).marks.kind();
        for owner in 0..entries.len() as u32 {
            let twin = self.twin[owner as usize];
            if twin >= MANY {
                continue;
            }
            let (client, server) = match (kind(owner), kind(twin)) {
                (Kind::Client, Kind::Server) => (owner, twin),
                (Kind::Server, Kind::Client) => (twin, owner),
                _ => continue,
            };
            for half in [client, server] {
                let flags = &mut self.flags[half as usize];
                flags.remove(Flags::DUPLICATE);
                flags.add(Flags::SHARED_ID);
            }
            self.parent[server as usize] = client;
            // Children of the id belong to the half that did the work.
            self.twin[owner as usize] = server;
        }
    }

    /// Whether any parent stands behind its child.
    fn find_parents(&mut self, capture: &Capture, entries: &[Entry]) -> bool {
        let mut backward = false;
        for (place, entry) in (0u32..).zip(entries) {
            let at = place as usize;
            let joined = self.parent[at] != NONE;
            backward |= joined && self.parent[at] > place;
            if entry.parent == 0 {
                self.flags[at].add(Flags::ROOT);
                continue;
            }
            if joined {
                let known = self.slots[self.slot(entries, entry.parent)];
                self.lost_halves += if (known as usize) < entries.len() { 0 } else { 1 + entry.repeats };
                continue;
            }
            let marks = capture.head(entry.span).marks;
            if marks.remote() {
                self.flags[at].add(Flags::REMOTE_PARENT);
            } else if marks.remote_known() {
                self.flags[at].add(Flags::PARENT_LOCAL);
            }
            if entry.parent == entry.id {
                self.flags[at].add(Flags::CYCLE);
                continue;
            }
            let parent = self.parent_place(entries, entry.parent);
            if (parent as usize) < entries.len() {
                backward |= parent > place;
            } else {
                self.flags[at].add(Flags::ORPHAN);
            }
            self.parent[at] = parent;
        }
        backward
    }

    /// The place of the span with this id, or of the placeholder for it.
    fn parent_place(&mut self, entries: &[Entry], id: u64) -> u32 {
        let slot = self.slot(entries, id);
        match self.slots[slot] {
            NONE => {
                let place = (entries.len() + self.missing.len()) as u32;
                self.missing.push(id);
                self.slots[slot] = place;
                place
            }
            owner if self.flags.get(owner as usize).is_some_and(|flags| flags.has(Flags::SHARED_ID)) => {
                self.twin[owner as usize]
            }
            owner => owner,
        }
    }
}
