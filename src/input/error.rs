//! Why an input could not be read at all.

use std::io;

use thiserror::Error;

/// An input that cannot be opened or read. Damage inside an input is a trouble instead.
#[derive(Debug, Error)]
pub enum InputError {
    /// The file system refused.
    #[error("cannot read {path}")]
    Read {
        /// The path as it was named.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A glob matched nothing.
    #[error("no file matches {pattern}")]
    NoMatch {
        /// The pattern as it was written.
        pattern: String,
    },
    /// A glob that is none.
    #[error("{pattern} is not a valid pattern")]
    Pattern {
        /// The pattern as it was written.
        pattern: String,
        /// Why.
        #[source]
        source: globset::Error,
    },
    /// More inputs than can be told apart.
    #[error("more than 65,535 inputs")]
    TooMany,
}

impl InputError {
    pub(crate) fn read(path: &str, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}
