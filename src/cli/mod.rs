//! The command line: the only room that reads the environment, sees a terminal, prints, or picks an exit code.
//!
//! Comes in: arguments, variables, configuration. Goes out: an answer on stdout, talk on stderr, an [`Exit`]. One file a
//! command, each of three parts: `Args`, `settings` and `run`.

mod budgets;
mod completions;
mod config;
mod config_keys;
mod console;
mod emit;
mod emit_args;
mod emit_circle;
mod emit_form;
mod emit_script;
mod emit_value;
mod error;
mod exit;
mod explain;
mod filter;
mod init;
mod inputs;
mod lint;
mod lint_args;
mod lint_baseline;
mod lint_budget;
mod lint_codes;
mod lint_config;
mod lint_entries;
mod lint_fix;
mod lint_format;
mod lint_gate;
mod lint_levels;
mod lint_profile;
mod lint_settings;
mod lint_walk;
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
mod rules;
mod show;
mod stats;
mod surroundings;
mod tree;

pub use exit::Exit;
pub use root::{main, run};
pub use surroundings::Surroundings;
