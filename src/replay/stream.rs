//! Inputs read once from the beginning to the end, in constant space, without knowing anything of what follows.
//!
//! Comes in: names of inputs. Goes out: requests, and what was odd. Blocks are read on all cores; no more than a few of them and one
//! ResourceSpans are kept.

use std::ffi::OsStr;

use super::gather::{Gatherer, Made};
use super::outlet::{Give, Outlet};
use super::plan::Plan;
use crate::capture::{self, Capture};
use crate::input::{InputError, Options};

/// What was read.
#[derive(Default)]
pub struct Poured {
    /// The inputs and what was odd in them; it has no spans.
    pub read: Capture,
    /// Spans that were lost because a temporary file could not be read back.
    pub missing: u64,
}

/// Reads all inputs and gives requests. `give` says whether to go on; `reached` hears how many bytes, as stored, were read.
pub fn stream<'g>(
    inputs: &[impl AsRef<OsStr>],
    options: &Options,
    plan: &Plan,
    reached: &mut (dyn FnMut(u64) + Send),
    give: &'g mut Give<'g>,
) -> Result<Poured, InputError> {
    let mut outlet = Outlet::new(plan, give);
    let gather = |_| Gatherer::new(plan, |_| true);
    let mut take = |made: &mut Made| outlet.take(made);
    let read = capture::pour(inputs, options, &gather, &mut take, reached)?;
    Ok(Poured { read, missing: outlet.end() })
}
