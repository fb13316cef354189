//! Inputs: what was named on the command line, opened, decompressed, recognised by content and cut into blocks.
//!
//! Comes in: paths, globs, directories, `-`. Goes out: blocks of bytes that begin and end where documents or messages do,
//! each with its offset. It never looks into a span.

mod blocks;
mod error;
mod expand;
mod messages;
mod options;
mod piped;
mod sniff;
mod stream;

pub use blocks::{Block, Blocks};
pub use error::InputError;
pub use expand::{Named, expand};
pub use options::Options;
pub(crate) use piped::Piped;
pub use sniff::{Compression, Format, sniff};
pub(crate) use stream::Tee;
pub use stream::{Store, Stream};
