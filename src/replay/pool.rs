//! Buffers that come back when the requests in them are over: new memory costs more than what is written into it.
//!
//! Comes in: a buffer that was filled. Goes out: its bytes, to be shared; and once nobody holds them, the buffer, to be filled again.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How many buffers wait to be filled.
const KEPT: usize = 16;
/// Larger ones are not kept.
const LARGE: usize = 8 << 20;

/// Buffers that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pool {
    /// An empty buffer; a new one has room for so many bytes.
    pub(super) fn take(&self, room: usize) -> Vec<u8> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.pop().unwrap_or_else(|| Vec::with_capacity(room))
    }

    /// The bytes of a buffer, which comes back here.
    pub(super) fn lend(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { buffer, pool: self.clone() })
    }

    /// Takes a buffer back.
    pub(super) fn keep(&self, mut buffer: Vec<u8>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < KEPT && buffer.capacity() <= LARGE {
            buffer.clear();
            waiting.push(buffer);
        }
    }
}

struct Lent {
    buffer: Vec<u8>,
    pool: Pool,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.pool.keep(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_nobody_holds_its_bytes() {
        let pool = Pool::default();
        let mut buffer = pool.take(100);
        buffer.extend_from_slice(b"spans");
        let place = buffer.as_ptr();
        let bytes = pool.lend(buffer);
        let rest = bytes.slice(2..);
        drop(bytes);
        let other = pool.take(0);
        assert_ne!(other.as_ptr(), place);
        assert_eq!(&*rest, b"ans");
        drop(rest);
        let again = pool.take(0);
        assert!(again.is_empty() && again.as_ptr() == place);
        pool.keep(Vec::with_capacity(LARGE + 1));
        assert_eq!(pool.take(0).capacity(), 0);
    }
}
