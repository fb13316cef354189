//! From inputs to a report: the one way in.
//!
//! Comes in: names of inputs and settings. Goes out: the capture that was read and what was found in it.

use std::ffi::OsStr;

use super::gather::Gathering;
use super::plan::Plan;
use super::report::LintReport;
use super::settings::Settings;
use super::{resources, words};
use crate::capture::{Capture, Watch, open_watched};
use crate::forest::Forest;
use crate::input::{InputError, Options};

/// What was read, and what was found in it.
pub struct Linted {
    /// What was read.
    pub capture: Capture,
    /// What was found.
    pub report: LintReport,
}

/// Reads all inputs and lints them. `progress` hears how many bytes have been read.
///
/// [`Options::details`] has to be set: the spans that are told are read again.
pub fn lint(
    inputs: &[impl AsRef<OsStr>],
    options: &Options,
    settings: &Settings,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Linted, InputError> {
    let plan = Plan::of(settings);
    let mut gathering = Gathering::new(&plan);
    let capture = open_watched(
        inputs,
        options,
        progress,
        &mut Watch {
            note: &|notes, span, glance, act, number| plan.span(notes, span, glance, act, number),
            take: &mut |capture, first, notes| gathering.take(capture, first, notes),
        },
    )?;
    gathering.known.add_logged(&capture);
    gathering.known.read_names(&capture);
    resources::check(&capture, &mut gathering)?;
    let forest = Forest::of(&capture);
    gathering.traces(&capture, &forest);
    gathering.take_back_copies(&capture)?;
    gathering.dump(&capture, &forest);
    let report = words::report(&capture, &forest, gathering)?;
    Ok(Linted { capture, report })
}
