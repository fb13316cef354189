//! Traces and their trees.
//!
//! Comes in: a capture's heads. Goes out: spans grouped by trace, and for one trace at a time a tree as flat arrays with
//! every oddity marked. The order of the input never shows, nothing recurses over data, and nothing is read or printed.

mod critical;
mod cycle;
mod group;
mod judge;
mod layout;
mod link;
mod node;
mod order;
#[cfg(test)]
mod tests;
mod tree;

pub use group::{Forest, TraceGroup};
pub use node::{Counts, Flags, Grade, Node};
pub use tree::Tree;
