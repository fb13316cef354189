//! Writes inputs anew: in another form, filtered, moved, merged, in another order, in several parts.
//!
//! Comes in: names of inputs or a capture, and a plan. Goes out: bytes of OTLP/JSON or OTLP/protobuf, in pieces, and what was counted
//! on the way. It opens no file of its own but temporary ones, and never looks into a span that it need not change.

mod choice;
mod encode;
mod index;
mod origins;
mod overflow;
mod pack;
mod plan;
mod sink;
mod stream;

pub use choice::Choice;
pub use index::{Order, Sort, Split, merge, ordered};
pub use plan::{Part, Plan};
pub use sink::{Piece, Written};
pub use stream::{again, stream};
