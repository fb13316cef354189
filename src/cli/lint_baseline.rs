//! The baseline as a file.
//!
//! Comes in: a path. Goes out: what is known, or a new file. One that is missing is nothing known, so that the first run can
//! make it.

use std::io;
use std::path::Path;

use super::console::Console;
use super::error::{Error, Problem};
use super::output::OutputArgs;
use crate::lint::{Baseline, Compared, LintReport};
use crate::render::write_json;

/// What the baseline says of a report.
pub(super) fn compare(path: &Path, report: &LintReport, update: bool) -> Result<Compared, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let baseline = Baseline::read(&text);
            let baseline = baseline.map_err(|source| Problem::Baseline { path: path.to_owned(), source })?;
            Ok(baseline.compare(report))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && update => Ok(Baseline::of(report).compare(report)),
        Err(source) => {
            Err(Error::from(Problem::NoBaseline { path: path.to_owned(), source }).hint("--update-baseline writes it"))
        }
    }
}

/// Writes what was found.
pub(super) fn update(path: &Path, baseline: &Baseline, console: &mut Console) -> Result<(), Error> {
    console.write(&OutputArgs { output: Some(path.to_owned()) }, |out| write_json(baseline, out))
}
