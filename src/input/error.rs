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
    #[error(
        "{found} input files are too many: at most 65,535 can be told apart (files of one format can be piped in as one: \
         find DIRECTORY -type f -exec cat {{}} + | tracectl …)"
    )]
    TooMany {
        /// How many there are.
        found: usize,
    },
}

impl InputError {
    pub(crate) fn read(path: &str, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}
