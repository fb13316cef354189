//! Cuts dumps into requests and says when each is due.
//!
//! Comes in: inputs or a capture, a filter, what is to be changed, bounds, a pace. Goes out: one request of OTLP after another, each
//! with its spans and its time. Nothing is sent here and no clock is read.

mod batch;
mod chosen;
mod convert;
mod encode;
mod gather;
mod group;
mod outlet;
mod pace;
mod paced;
mod plan;
mod pool;
mod spill;
mod stream;

pub use chosen::{Reach, chosen, reach};
pub use convert::{converted, first_span, parted};
pub use pace::{Pace, first_moment};
pub use paced::paced;
pub use plan::{Bounds, Plan, Planned};
pub use stream::{Poured, stream};
