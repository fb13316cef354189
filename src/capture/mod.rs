//! The tables of everything that was read, and views over them.
//!
//! Comes in: batches of scanned spans. Goes out: one [`Head`] a span, names by number, details on demand.
//! It never links spans to each other and never prints.

mod batch;
mod detail;
mod fetch;
mod head;
mod names;
mod open;
#[cfg(test)]
mod parts;
mod table;

pub use detail::{Detail, EventDetail, LinkDetail, ResourceDetail, ScopeDetail};
pub use head::{Head, Marks, NameId, OriginId, SourceId, SpanRef};
pub use open::{of_messages, open};
pub use table::{Capture, Origin, Source};
