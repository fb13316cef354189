//! The nouns every other room speaks: ids, times, rates, kinds, statuses, outcomes and attribute values.
//!
//! Nothing here reads bytes, knows a convention or prints.

mod id;
mod outcome;
mod rate;
mod size;
mod span;
mod time;
mod value;

pub use id::{SpanId, TraceId};
pub use outcome::{Outcome, Termination};
pub use rate::Rate;
pub use size::{ByteSize, SizeError};
pub use span::{Kind, Status};
pub use time::{DurationError, Nanos, parse_duration, timestamp};
pub use value::{Attribute, Value};
