//! How inputs are read, as the command line decides it.
//!
//! Plain data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How inputs are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many threads scan; 0 for one a core.
    pub jobs: usize,
    /// An attribute whose value is kept for every span that has it.
    pub capture_key: Option<String>,
    /// Details of spans will be asked for: what comes through a pipe is kept to be read again.
    pub details: bool,
    /// Reading ends, after the block that is read and also where a pipe is silent, as soon as this is true.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Options {
    /// Whether reading is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// How many threads scan, at least one.
    pub fn threads(&self) -> usize {
        match self.jobs {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            jobs => jobs,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { jobs: 0, capture_key: None, details: true, stop: None }
    }
}
