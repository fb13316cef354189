//! A list of places by place. What is not in it reads as "no such place" and cannot be written, so that nothing panics.
//!
//! Plain data, filled again for each trace in the space it has.

use super::node::NONE;

/// Places by place.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<u32>);

impl Places {
    /// Refills itself with so many times "no such place".
    pub(super) fn refill(&mut self, count: usize) {
        self.0.clear();
        self.0.resize(count, NONE);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What stands at a place, where there is such a place.
    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<u32> {
        self.0.get(place as usize).copied()
    }

    /// What stands at a place.
    #[inline]
    pub(super) fn at(&self, place: u32) -> u32 {
        self.get(place).unwrap_or(NONE)
    }

    /// Writes what stands at a place.
    #[inline]
    pub(super) fn put(&mut self, place: u32, to: u32) {
        if let Some(slot) = self.0.get_mut(place as usize) {
            *slot = to;
        }
    }
}
