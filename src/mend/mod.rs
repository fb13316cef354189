//! Rewrites a dump so that what a machine can put right without guessing is right, and moves spans to other times and ids.
//!
//! Comes in: the inputs of a capture and what is to be mended. Goes out: OTLP/JSON Lines or OTLP/protobuf, in the order of
//! the input, and a count of what was done. A value it does not mend is written as it was read.

mod alter;
mod assemble;
mod excluded;
mod id_text;
mod ids;
mod mended;
mod patch;
mod plan;
mod rewrite;
mod value;

pub use alter::Alteration;
pub use id_text::KnownIds;
pub use ids::NewIds;
pub use plan::{Cut, Done, Plan};
pub use rewrite::{MendError, mend};
