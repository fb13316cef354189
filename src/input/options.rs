//! How inputs are read, as the command line decides it.
//!
//! Plain data.

/// How inputs are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many threads scan; 0 for one a core.
    pub jobs: usize,
    /// An attribute whose value is kept for every span that has it.
    pub capture_key: Option<String>,
    /// Details of spans will be asked for: what comes through a pipe is kept to be read again.
    pub details: bool,
}

impl Options {
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
        Self { jobs: 0, capture_key: None, details: true }
    }
}
