//! The command line: the only room that reads the environment, sees a terminal, prints, or picks an exit code.
//!
//! Comes in: arguments, variables, configuration. Goes out: an answer on stdout, talk on stderr, an [`Exit`]. One file a
//! command, each of three parts: `Args`, `settings` and `run`.

mod completions;
mod config;
mod config_keys;
mod console;
mod error;
mod exit;
mod filter;
mod inputs;
mod listen;
mod listen_args;
mod listen_child;
mod listen_show;
mod listen_status;
mod listen_talk;
mod look;
mod man;
mod nearest;
mod output;
mod progress;
mod root;
mod show;
mod stats;
mod surroundings;
mod tree;

pub use exit::Exit;
pub use root::{main, run};
pub use surroundings::Surroundings;
