//! The exit codes, a contract with scripts.
//!
//! Comes in: how a command went. Goes out: its number. Nothing else in the program picks a number.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: it went fine, or the reader of its output went away.
    Fine,
    /// 1: it went fine and found something.
    Found,
    /// 2: it was asked in a wrong way, or could not do it.
    CouldNot,
    /// 3: the input could not be read, or held nothing to work on.
    Unreadable,
    /// As the command that was run ended.
    Command(u8),
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Found => 1,
            Self::CouldNot => 2,
            Self::Unreadable => 3,
            Self::Command(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
