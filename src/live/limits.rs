//! The bytes of requests that are held at one moment, all connections together.
//!
//! Comes in: pieces of bodies as they arrive. Goes out: a claim that gives its bytes back when it is dropped, or nothing
//! when there is no room. Buffers of requests that are done with are used again: fresh ones cost the system more than filling
//! them does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// Buffers that are kept to be used again.
const SPARE: usize = 8;
/// Larger ones, of which there are few, are let go.
const LARGE: usize = 2 << 20;

/// Room for requests.
#[derive(Debug)]
pub(super) struct Room {
    used: AtomicUsize,
    size: usize,
    spare: Mutex<Vec<BytesMut>>,
}

/// A part of the room.
#[derive(Debug)]
pub(super) struct Claim {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(super) fn new(size: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), size, spare: Mutex::default() })
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

    /// An empty buffer for so many bytes.
    pub(super) fn buffer(&self, bytes: usize) -> BytesMut {
        let spare = self.room.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = spare.unwrap_or_default();
        buffer.reserve(bytes);
        buffer
    }

    /// Gives the claim back, and its buffer if nobody else looks at it any more.
    pub(super) fn done(self, bytes: Bytes) {
        let Ok(mut buffer) = bytes.try_into_mut() else { return };
        buffer.clear();
        let mut spare = self.room.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE && buffer.capacity() <= LARGE {
            spare.push(buffer);
        }
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

    #[test]
    fn buffers_are_used_again_unless_somebody_holds_them() {
        let room = Room::new(10);
        let mut buffer = room.enter().buffer(1000);
        buffer.extend_from_slice(b"head, message");
        let whole = buffer.freeze();
        let place = whole.as_ptr();
        let message = whole.slice(6..);
        room.enter().done(message.clone());
        drop(whole);
        assert!(room.spare.lock().unwrap().is_empty());
        room.enter().done(message);
        let again = room.enter().buffer(1000);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        room.enter().done(again.freeze().clone());
        assert!(room.spare.lock().unwrap().len() <= 1);
    }
}
