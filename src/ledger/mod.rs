//! What runs of agents took: calls counted once, tokens, money, and what was spent for nothing.
//!
//! Comes in: a capture, a tree and prices. Goes out: sums for every subtree and for every run. Calls that were recorded twice count
//! once, and spans that repeat what the calls below them report count nothing.

mod account;
mod beside;
mod call;
mod model;
mod money;
mod prices;
mod run;
#[cfg(test)]
mod run_tests;
mod same;
#[cfg(test)]
mod sample;
mod sums;
#[cfg(test)]
mod tests;
mod waste;

pub use account::Account;
pub use call::{Call, Kind};
pub use money::Money;
pub use prices::{Price, PriceError, Prices};
pub use run::{Run, is_step, runs, who};
pub use sums::Sums;
