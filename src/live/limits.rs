//! The bytes of requests that are held at one moment, all connections together.
//!
//! Comes in: pieces of bodies as they arrive. Goes out: a claim that gives its bytes back when it is dropped, or nothing
//! when there is no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Room for requests.
#[derive(Debug)]
pub(super) struct Room {
    used: AtomicUsize,
    size: usize,
}

/// A part of the room.
#[derive(Debug)]
pub(super) struct Claim {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(super) fn new(size: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), size })
    }

    /// A claim on nothing yet.
    pub(super) fn enter(self: &Arc<Self>) -> Claim {
        Claim { room: Arc::clone(self), bytes: 0 }
    }
}

impl Claim {
    /// Claims more; `false` when there is no room for it.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let before = self.room.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before.saturating_add(bytes) <= self.room.size
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_back() {
        let room = Room::new(10);
        let mut first = room.enter();
        assert!(first.grow(6));
        let mut second = room.enter();
        assert!(!second.grow(6));
        drop(second);
        assert!(first.grow(4) && !room.enter().grow(1));
        drop(first);
        assert!(room.enter().grow(10));
    }
}
