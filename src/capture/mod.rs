//! The tables of everything that was read, and views over them.
//!
//! Comes in: batches of scanned spans. Goes out: one [`Head`] a span, names by number, details on demand.
//! It never links spans to each other and never prints.

mod again;
mod batch;
mod brief;
mod detail;
mod fetch;
mod head;
mod logged;
mod names;
mod open;
mod pages;
#[cfg(test)]
mod parts;
mod pour;
mod reread;
mod scan;
mod table;

pub use again::{Envelope, EnvelopePlace};
pub use brief::{Brief, Print};
pub use detail::{Detail, EventDetail, LinkDetail, ResourceDetail, ScopeDetail};
pub use head::{Head, Marks, NameId, OriginId, SourceId, SpanRef};
pub use logged::Logged;
pub use open::{Watch, of_messages, open, open_watched};
pub use pages::Pages;
pub use pour::pour;
pub use scan::{Gather, Handed};
pub use table::{Capture, Origin, Source};
