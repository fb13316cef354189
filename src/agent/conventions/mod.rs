//! Conventions by which spans say what they do in a run of an agent: one table each, as data.
//!
//! Comes in: keys of attributes and names of spans. Goes out: what they mean. Nothing here reads a value.

mod adk;
mod general;
mod langfuse;
mod letta;
mod openinference;
mod openllmetry;
mod otel;
mod sentry;
mod table;
mod vercel;

pub use letta::{Piece, is_generator, is_letta_scope};
pub(super) use letta::{is_client, piece, request_of_agent};
pub use table::Convention;
pub(super) use table::{Entry, Field, INDEX, Read, TABLES, Table, marked, role_of_name};
