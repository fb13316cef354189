//! The baseline as a file.
//!
//! Comes in: a path. Goes out: what is known, or a new file. One that is missing is nothing known, so that the first run can
//! make it.

use std::io;
use std::path::Path;

use super::console::Console;
use super::error::{Error, Problem};
use super::output::OutputArgs;
use crate::lint::Baseline;
use crate::render::write_json;

/// What the file knows; nothing where there is none yet and one is to be written.
pub(super) fn read(path: &Path, update: bool) -> Result<Option<Baseline>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => match Baseline::read(&text) {
            Ok(baseline) => Ok(Some(baseline)),
            Err(source) => Err(Problem::Baseline { path: path.to_owned(), source }.into()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && update => Ok(None),
        Err(source) => {
            Err(Error::from(Problem::NoBaseline { path: path.to_owned(), source }).hint("--update-baseline writes it"))
        }
    }
}

/// Writes what is known.
pub(super) fn write(path: &Path, baseline: &Baseline, console: &mut Console) -> Result<(), Error> {
    console.write(&OutputArgs { output: Some(path.to_owned()) }, |out| write_json(baseline, out))
}
