//! Oddities met while one span (or resource, or scope) is read, not yet counted.
//!
//! A leaf of a document may have to be read twice when its bytes arrive in pieces, so what was odd about it is kept here
//! until it is complete.

use super::trouble::TroubleKind;

/// Oddities with the offset they were met at, relative to the buffer that is read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pending: Vec<(TroubleKind, usize)>,
}

impl Notes {
    /// Notes an oddity.
    #[cold]
    pub(super) fn add(&mut self, kind: TroubleKind, at: usize) {
        self.pending.push((kind, at));
    }

    /// Whether nothing was odd.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Takes everything out, in the order it was met.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (TroubleKind, usize)> + '_ {
        self.pending.drain(..)
    }
}
