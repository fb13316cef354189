//! What `tree` shows: which traces, which of their spans, and what went wrong in them.
//!
//! Comes in: a capture, its forest and settings. Goes out: plain reports, one trace at a time, so that a million traces
//! never stand in memory. Nothing is drawn here.

mod adopt;
mod again;
mod books;
mod built;
mod facts;
mod fault;
mod fold;
mod nest;
mod pick;
mod report;
mod row;
#[cfg(test)]
pub(crate) mod sample;
mod settings;
mod steps;
#[cfg(test)]
mod tests;
mod trace;
mod veil;

pub use adopt::Adoption;
pub use books::Books;
pub use facts::{Facts, read_acts};
pub use fault::{Cancellation, Fault};
pub use pick::{LeftOut, Wrong};
pub use report::{Omitted, SessionSums, TreeReport};
pub use row::{Budget, Extent, Fold, Missing, Row};
pub use settings::{Keys, Settings, Sort};
pub use trace::{Belongs, Heading, Nested, TraceView};
