//! What time it is, counted on from the moment a sender began.
//!
//! Comes in: the time then. Goes out: the time now, where that one was given.

use std::time::Instant;

/// A clock that was set once, or never.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Unix nanoseconds; zero where nobody set it.
    set: u64,
    at: Instant,
}

impl Clock {
    pub(super) fn new(set: u64) -> Self {
        Self { set, at: Instant::now() }
    }

    /// Unix seconds.
    pub(super) fn now(&self) -> Option<i64> {
        let now = self.set.checked_add(u64::try_from(self.at.elapsed().as_nanos()).ok()?)?;
        (self.set != 0).then_some(i64::try_from(now / 1_000_000_000).ok()?)
    }
}
