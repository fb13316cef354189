//! What a conversion is, decided before its first span, and how it is carried out.
//!
//! Comes in: options and inputs. Goes out: pieces of files, what was written, what was read.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::console::Console;
use super::convert_args::{Args, Split};
use super::convert_foreign;
use super::convert_form::Target;
use super::error::{Error, Problem};
use super::inputs::Inputs;
use super::progress::Progress;
use crate::capture::{self, Capture, SpanRef};
use crate::convert::{self, Choice, Piece, Plan, Written};
use crate::input::Options;
use crate::mend::{Alteration, KnownIds};
use crate::otlp::{Encoding, Form};
use crate::query::{Filter, ended};
use crate::replay::{Reach, reach};

/// Takes pieces of files.
pub(super) type Give<'g> = dyn FnMut(Piece<'_>) -> io::Result<()> + Send + 'g;

/// Everything that was decided.
pub(super) struct Job<'a> {
    pub(super) args: &'a Args,
    pub(super) inputs: &'a Inputs,
    paths: Vec<OsString>,
    pub(super) target: Target,
    filter: Filter,
    stop: Arc<AtomicBool>,
    now: u64,
    /// What pseudonyms are made from, where nobody named it.
    pseudonyms: String,
}

/// What came of it.
pub(super) struct Outcome {
    /// What was written, or why not.
    pub(super) written: io::Result<Written>,
    /// What was read; without spans where no index was needed.
    pub(super) read: Capture,
}

impl Outcome {
    /// What there is when somebody pressed Ctrl-C.
    pub(super) fn interrupted(read: Capture) -> Self {
        Self { written: Err(io::ErrorKind::Interrupted.into()), read }
    }

    /// Spans that were read.
    pub(super) fn spans(&self) -> usize {
        let spans: u64 = self.read.sources().iter().map(|source| source.spans).sum();
        usize::try_from(spans).unwrap_or(usize::MAX)
    }
}

impl<'a> Job<'a> {
    /// Decides.
    pub(super) fn new(
        args: &'a Args,
        inputs: &'a Inputs,
        paths: Vec<OsString>,
        target: Target,
        stop: &Arc<AtomicBool>,
        console: &Console,
    ) -> Result<Self, Error> {
        let now = console.around().now;
        let filter = args.filter.filter(now)?;
        if matches!((args.split, target), (Some(Split::Size(_)), Target::Foreign(..))) {
            let why = "--split size is for the forms of OTLP: other formats are split by trace or service";
            return Err(Problem::Conflict(why).into());
        }
        let pseudonyms = args.changes.pseudonyms()?;
        Ok(Self { args, inputs, paths, target, filter, stop: Arc::clone(stop), now, pseudonyms })
    }

    /// Carries it out, with a bar that shows how far it is.
    pub(super) fn write(&self, console: &Console, give: &mut Give<'_>) -> Result<Outcome, Error> {
        self.make(Progress::new(console), give)
    }

    /// Carries it out.
    pub(super) fn make(&self, mut progress: Progress, give: &mut Give<'_>) -> Result<Outcome, Error> {
        let mut reached = |bytes| progress.reached(bytes);
        match self.target {
            Target::Otlp(form) => {
                let options = self.inputs.options(&self.stop, self.is_indexed());
                self.otlp(form, &options, &mut reached, give)
            }
            Target::Foreign(foreign, packing) => {
                let options = self.inputs.options(&self.stop, true);
                convert_foreign::make(self, (foreign, packing), &options, &mut reached, give)
            }
        }
    }

    /// True once somebody has pressed Ctrl-C.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// An error once somebody has pressed Ctrl-C.
    pub(super) fn go_on(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// The inputs as they were named.
    pub(super) fn paths(&self) -> &[OsString] {
        &self.paths
    }

    /// The spans that are written, and what changes on the way.
    pub(super) fn terms<'r>(
        &'r self,
        read: &'r Capture,
    ) -> Result<(impl Fn(SpanRef) -> bool + use<'r>, Alteration), Error> {
        let shift = self.args.changes.nanos(reach(read, &self.filter), self.now)?;
        let wants = |span| self.filter.is_open() || self.filter.admits(read, span, ended(read.head(span)));
        Ok((wants, self.alteration(shift, Some(read))))
    }

    fn alteration(&self, shift: i64, read: Option<&Capture>) -> Alteration {
        let changes = &self.args.changes;
        let known = read.filter(|_| changes.new_ids).map(|read| Arc::new(KnownIds::of(read)));
        changes.alteration(shift, self.now, &self.pseudonyms, known)
    }

    /// Whether something has to be known of all spans before the first is written.
    fn is_indexed(&self) -> bool {
        !self.filter.is_open()
            || self.args.changes.needs_times()
            || self.args.changes.new_ids
            || self.args.order().is_some()
    }

    /// Writes OTLP.
    pub(super) fn otlp(
        &self,
        form: Form,
        options: &Options,
        reached: &mut (dyn FnMut(u64) + Send),
        give: &mut Give<'_>,
    ) -> Result<Outcome, Error> {
        if !self.is_indexed() {
            let plan = self.plan(form, self.args.changes.nanos(Reach::default(), 0)?, None);
            let (read, written) = convert::stream(&self.paths, options, &plan, reached, give)?;
            return Ok(Outcome { written, read });
        }
        let read = capture::open(&self.paths, options, reached)?;
        if options.is_stopped() {
            return Ok(Outcome::interrupted(read));
        }
        let written = self.chosen(&read, form, options, give)?;
        Ok(Outcome { written, read })
    }

    fn chosen(
        &self,
        read: &Capture,
        form: Form,
        options: &Options,
        give: &mut Give<'_>,
    ) -> Result<io::Result<Written>, Error> {
        let plan = self.plan(form, self.args.changes.nanos(reach(read, &self.filter), self.now)?, Some(read));
        let wants = |span| self.filter.is_open() || self.filter.admits(read, span, ended(read.head(span)));
        if let Some(order) = self.args.order() {
            return Ok(convert::ordered(read, &wants, order, &plan, Some(&self.stop), give)?);
        }
        let choice = Choice::new(read, wants);
        if choice.spans == 0 {
            return Ok(Ok(Written::default()));
        }
        Ok(convert::again(read, &choice, options, &plan, give)?)
    }

    fn plan(&self, form: Form, shift: i64, read: Option<&Capture>) -> Plan {
        let most = match self.args.split {
            Some(Split::Size(size)) => Some(size),
            _ => None,
        };
        Plan { alteration: self.alteration(shift, read), form, most }
    }

    /// What the form could not hold, in words.
    pub(super) fn losses(&self, written: &Written) -> Vec<String> {
        let mut words = written.lost.clone();
        let fields = |count: u64| format!("{count} field{} of a later version of OTLP left out", plural(count));
        if written.unknown > 0 {
            let why = match self.target {
                Target::Otlp(form) if form.encoding() == Encoding::Proto => "what is changed is written anew",
                _ => "OTLP/JSON cannot hold what it has no name for",
            };
            words.push(format!("{}: {why}", fields(written.unknown)));
        }
        if written.beside > 0 {
            words.push(format!(
                "{}: they stood beside the resources, of which alone is written",
                fields(written.beside)
            ));
        }
        let counts = [
            (written.missing, "could not be read again: the input has changed"),
            (written.repeated, "left out, being identical to another"),
            (written.conflicting, "repeating an id and saying something else: all were written"),
        ];
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            words.push(format!("{count} span{} {what}", plural(count)));
        }
        words
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
