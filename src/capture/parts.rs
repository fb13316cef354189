//! Captures made of ready heads, for the tests of the rooms after this one.
//!
//! Comes in: heads whose names and origins are numbers of the given lists. Goes out: a capture without bytes, so that no span
//! can be read again.

use super::batch::{Batch, Entry};
use super::head::Head;
use super::table::{Capture, Origin};

impl Capture {
    /// A capture of these heads. The first text is the empty one, and no text occurs twice.
    pub(crate) fn of_parts(heads: Vec<Head>, texts: Vec<String>, origins: Vec<Origin>) -> Self {
        let mut batch = Batch { heads, ..Batch::default() };
        for (number, text) in (0..).zip(&texts) {
            assert_eq!(batch.names.intern_str(text), number, "{text:?} does not stand where it has to");
        }
        for (number, origin) in (0..).zip(&origins) {
            let entry = |name| Entry { name, hash: u64::from(number) + 1, ..Entry::default() };
            batch.resources.push(entry(origin.service));
            batch.scopes.push(entry(origin.scope));
            batch.origins.push((number, number));
        }
        let mut capture = Self::default();
        capture.commit(&batch);
        capture
    }
}
