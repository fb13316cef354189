//! Named distortions, one for each rule of the linter: current rules and those that are to come.
//!
//! Comes in: a trace that is sound. Goes out: the same trace with one thing wrong, so that exactly one rule has a reason to speak.

mod budget;
mod error;
mod extra;
mod list;
mod meaning;
mod model;
mod structure;
mod tree;
mod warp;

pub use list::{Fault, Hits, Kind};
pub(super) use warp::Warp;
