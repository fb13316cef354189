//! Which spans a command is about.
//!
//! Comes in: what was asked for. Goes out: a predicate over the spans of a capture. It reads no clock: "now" is given.

mod filter;
mod moment;
mod prefix;

pub use filter::{Filter, GlobError, ended, name_glob};
pub use moment::{MomentError, parse_moment};
pub use prefix::{IdPrefix, PrefixError};
