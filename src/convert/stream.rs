//! Inputs written anew from the beginning to the end, in constant space: once, or again where a choice was made among their spans.
//!
//! Comes in: names of inputs, or a capture and a choice. Goes out: pieces of files, what was counted, and what was odd.

use std::ffi::OsStr;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::choice::Choice;
use super::encode::{Encoder, Wanted};
use super::pack::Made;
use super::plan::Plan;
use super::sink::{Give, Sink, Written};
use crate::capture::{self, Capture, Handed, SourceId};
use crate::input::{InputError, Options};

/// Writes all inputs anew. The capture that is given has no spans; it says what was odd.
pub fn stream<'g>(
    inputs: &[impl AsRef<OsStr>],
    options: &Options,
    plan: &Plan,
    progress: &mut (dyn FnMut(u64) + Send),
    give: &'g mut Give<'g>,
) -> Result<(Capture, io::Result<Written>), InputError> {
    let stop = options.stop.as_deref();
    let mut writer = Writer::new(plan, give);
    let gather = |source: SourceId| Encoder::new(plan, None, source);
    let mut take = |made: &mut Made| writer.take(made, stop);
    let read = capture::pour(inputs, options, &gather, &mut take, progress)?;
    Ok((read, writer.end(stop)))
}

/// Writes the spans of a capture that were chosen, in the order of the inputs.
pub fn again<'g>(
    capture: &Capture,
    choice: &Choice,
    options: &Options,
    plan: &Plan,
    give: &'g mut Give<'g>,
) -> Result<io::Result<Written>, InputError> {
    let stop = options.stop.as_deref();
    let mut writer = Writer::new(plan, give);
    let gather = |source: SourceId| Encoder::new(plan, Some(Wanted { capture, choice }), source);
    let mut take = |made: &mut Made| writer.take(made, stop);
    capture.pour_again(options, &gather, &mut take)?;
    Ok(writer.end(stop))
}

/// A sink that remembers how it failed.
struct Writer<'g> {
    sink: Sink<'g>,
    failed: Option<io::Error>,
}

impl<'g> Writer<'g> {
    fn new(plan: &Plan, give: &'g mut Give<'g>) -> Self {
        Self { sink: Sink::new(plan.form, plan.most, give), failed: None }
    }

    fn take(&mut self, made: &Made, stop: Option<&AtomicBool>) -> Handed {
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            self.failed.get_or_insert_with(|| io::ErrorKind::Interrupted.into());
        }
        if self.failed.is_none() {
            self.failed = self.sink.take(made).err();
        }
        Handed { spans: made.spans(), shapes: made.shapes, enough: self.failed.is_some() }
    }

    /// A pipe that was left looks as if it had ended, which it has not.
    fn end(self, stop: Option<&AtomicBool>) -> io::Result<Written> {
        match self.failed {
            Some(error) => Err(error),
            None if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) => Err(io::ErrorKind::Interrupted.into()),
            None => self.sink.finish(),
        }
    }
}
