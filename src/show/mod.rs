//! One span, or one whole trace, laid open.
//!
//! Comes in: a capture and an id. Goes out: a [`Report`] with everything that was recorded, secrets hidden. It prints
//! nothing and cuts nothing.

mod chat;
mod find;
mod place;
mod plain;
mod report;
mod span;

pub use chat::{Bit, Brought, Chat, ChatCall, Said, chat_of_span, chat_of_trace};
pub use find::{Candidate, Found, find, find_only};
pub use place::{Near, Place};
pub use report::{Report, report_span, report_trace};
pub use span::{Event, Link, Pair, Relative, Span};
