//! The bounds on what is under way: requests and bytes.
//!
//! Comes in: the size of a request. Goes out: leave to send it, at once or after a wait.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What may be under way at one moment.
#[derive(Debug)]
pub(super) struct Gate {
    requests: usize,
    bytes: usize,
    inside: Mutex<(usize, usize)>,
    left: Condvar,
}

impl Gate {
    pub(super) fn new(requests: usize, bytes: usize) -> Self {
        Self { requests: requests.max(1), bytes, inside: Mutex::new((0, 0)), left: Condvar::new() }
    }

    /// A request larger than the whole room goes in alone.
    fn fits(&self, inside: (usize, usize), size: usize) -> bool {
        inside.0 == 0 || inside.0 < self.requests && inside.1.saturating_add(size) <= self.bytes
    }

    fn inside(&self) -> MutexGuard<'_, (usize, usize)> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room.
    pub(super) fn enter(&self, size: usize) {
        let mut inside = self.inside();
        while !self.fits(*inside, size) {
            inside = self.left.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        *inside = (inside.0 + 1, inside.1 + size);
    }

    /// Goes in only if there is room now.
    pub(super) fn try_enter(&self, size: usize) -> bool {
        let mut inside = self.inside();
        let fits = self.fits(*inside, size);
        if fits {
            *inside = (inside.0 + 1, inside.1 + size);
        }
        fits
    }

    /// Gives the room of a request back.
    pub(super) fn leave(&self, size: usize) {
        let mut inside = self.inside();
        *inside = (inside.0.saturating_sub(1), inside.1.saturating_sub(size));
        self.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold_and_one_request_always_fits() {
        let gate = Gate::new(2, 10);
        assert!(gate.try_enter(100) && !gate.try_enter(1));
        gate.leave(100);
        assert!(gate.try_enter(4) && !gate.try_enter(7) && gate.try_enter(6) && !gate.try_enter(0));
        gate.leave(4);
        gate.enter(1);
    }
}
