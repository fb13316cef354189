//! Makes traces up: a simulation of an agent server on a virtual clock, from a seed.
//!
//! Comes in: a [`Plan`]. Goes out: encoded requests, the same bytes for the same plan on every machine and any number of threads.
//! `chance` draws, `plot` makes up what happens, `tell` says it as spans in a convention, `fault` spoils it where that was asked for,
//! `stage` puts it into requests, `play` does so on several threads. Nothing here knows the time, a file or the network.

mod cast;
mod chance;
mod encode;
mod failure;
mod fault;
mod plan;
mod play;
mod plot;
mod plot_run;
mod plot_tool;
mod scene;
mod script;
mod sheet;
mod stage;
mod story;
mod tell;
#[cfg(test)]
mod tests;
mod tools;
mod tour;
mod twist;
mod words;

pub use fault::{Fault, Hits, Kind};
pub use plan::{Convention, Extent, HEAVIEST, Plan, START, Scenario, Wanted, parts};
pub use play::{Made, Play};
pub use script::{Child, Fixed, Generator, Happening, Lasting, Operation, Reference, Script, Service};
pub use stage::{BATCH, Batch};
