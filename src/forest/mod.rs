//! Traces and their trees.
//!
//! Comes in: a capture's heads. Goes out: spans grouped by trace, and for one trace at a time a tree as flat arrays with
//! every oddity marked. The order of the input never shows, nothing recurses over data, and nothing is read or printed.

#![deny(clippy::indexing_slicing, reason = "no trace may end a run")]

mod critical;
mod cycle;
mod group;
mod judge;
mod layout;
mod link;
mod node;
mod order;
mod places;
#[cfg(test)]
mod tests;
mod tree;

pub use group::{Forest, TraceGroup};
pub use node::{Counts, Flags, Grade, Node};
pub use tree::Tree;
