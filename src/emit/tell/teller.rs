//! What every convention needs to tell a story: the sheet, the clock, and the smallest kinds of spans.
//!
//! Comes in: names and durations. Goes out: spans, and a clock that has moved on.

use super::source::{WRAPPER, file_of, library_of};
use crate::emit::cast::Cast;
use crate::emit::failure::Failure;
use crate::emit::plan::{Convention, Plan};
use crate::emit::sheet::{Datum, Handle, Sheet, Word, number};
use crate::emit::story::Story;

/// Microseconds in nanoseconds.
pub(in crate::emit) const MICRO: u64 = 1_000;
/// Milliseconds in nanoseconds.
pub(in crate::emit) const MILLI: u64 = 1_000_000;

/// Who tells.
pub(in crate::emit) struct Teller<'t> {
    /// What was asked for.
    pub(in crate::emit) plan: &'t Plan,
    /// The services.
    pub(in crate::emit) cast: &'t Cast,
    /// Where it is told.
    pub(in crate::emit) sheet: &'t mut Sheet,
    /// The virtual time.
    pub(in crate::emit) now: u64,
    /// The trace of the request before, and the span that it began with.
    pub(in crate::emit) before: Option<(u128, u64)>,
    /// A connection to the database is open.
    pub(in crate::emit) connected: bool,
}

impl Teller<'_> {
    /// A duration around this median.
    pub(super) fn lasting(&mut self, median: u64) -> u64 {
        self.sheet.chance.lasting(median)
    }

    /// Lets time pass: about so many microseconds.
    pub(super) fn pass(&mut self, micros: u64) {
        self.now += self.sheet.chance.lasting(micros * MICRO);
    }

    /// A span without children that takes about so many microseconds, status as given.
    pub(super) fn leaf(&mut self, parent: Handle, name: impl Into<Word>, micros: u64, status: i32) -> Handle {
        let span = self.sheet.open(Some(parent), name, self.now);
        self.pass(micros);
        self.sheet.close(span, self.now, status);
        self.now += 2 * MICRO;
        span
    }

    /// Records an exception as the Python SDK does.
    pub(super) fn exception(&mut self, span: Handle, at: u64, qualified: &'static str, message: Word, function: Word) {
        let own = self.file_of(span);
        let file = library_of(qualified).unwrap_or(own);
        let trace = self.stack(qualified, message, (file, function), 1);
        self.sheet.event(
            span,
            at,
            "exception",
            &[
                ("exception.type", qualified.into()),
                ("exception.message", message.into()),
                ("exception.stacktrace", trace.into()),
                ("exception.escaped", "False".into()),
            ],
        );
    }

    fn is_letta(&self) -> bool {
        self.plan.convention == Convention::Letta
    }

    /// The file in which a span's function stands.
    pub(super) fn file_of(&self, span: Handle) -> &'static str {
        let name = self.sheet.spans.get(span.0).map_or("", |span| self.sheet.read(span.name));
        file_of(name, self.is_letta())
    }

    /// A stack trace of so many frames, the failing function last.
    pub(super) fn stack(
        &mut self,
        qualified: &'static str,
        message: Word,
        (file, function): (&'static str, Word),
        frames: usize,
    ) -> Word {
        let letta = self.is_letta();
        let mark = self.sheet.mark();
        self.sheet.append("Traceback (most recent call last):\n".into());
        for frame in 1..=frames {
            let line = self.sheet.chance.within(40, 900);
            let last = frame == frames;
            // What lies between are calls through decorators.
            let around = if letta { (WRAPPER, "async_wrapper".into()) } else { ("agent/tracing", "wrapped".into()) };
            let (file, function) = if last { (file, function) } else { around };
            self.sheet.word(format_args!("  File \"/app/{file}.py\", line {line}, in "));
            self.sheet.append(function);
            self.sheet.append("\n".into());
        }
        self.sheet.append(qualified.into());
        self.sheet.append(": ".into());
        self.sheet.append(message);
        self.sheet.append("\n".into());
        self.sheet.since(mark)
    }

    /// Records that a task was cancelled, as every traced function does that the cancellation passes through: at so many frames from
    /// the innermost one, which `at` is: its file and its name.
    pub(super) fn cancelled(
        &mut self,
        span: Handle,
        story: &Story,
        function: Word,
        at: (&'static str, Word),
        frames: usize,
    ) {
        let reason = story.reason();
        let stack = self.stack("asyncio.exceptions.CancelledError", reason, at, frames);
        let task = self.sheet.join(&["run-".into(), story.run.agent]);
        let module = self.file_of(span).replace('/', ".");
        let module = self.sheet.say(&module);
        self.sheet.event(
            span,
            self.now,
            "exception",
            &[
                ("exception.type", "asyncio.CancelledError".into()),
                ("exception.message", reason.into()),
                ("exception.stacktrace", stack.into()),
                ("exception.escaped", "False".into()),
                ("task.name", task.into()),
                ("function.name", function.into()),
                ("function.module", module.into()),
                ("cancellation.timestamp", self.now.into()),
            ],
        );
    }

    /// Links a span to another of the same trace.
    pub(super) fn link(&mut self, span: Handle, to: Handle, reason: &'static str) {
        let to = (self.sheet.trace, self.sheet.id(to));
        self.sheet.link(span, to, &[("link.reason", reason.into())]);
    }

    /// Links what a schedule began to the request that asked for it: the one before.
    pub(super) fn scheduled(&mut self, root: Handle) {
        if let Some(before) = self.before {
            self.sheet.link(root, before, &[("link.reason", "schedule".into())]);
        }
    }

    /// Ends a span as failed: its status says why, and where it happened the exception stands.
    pub(super) fn fail(&mut self, span: Handle, class: &'static str, message: Word) {
        let said = self.sheet.join(&[class.into(), ": ".into(), message]);
        self.sheet.close(span, self.now, number::ERROR);
        self.sheet.with(span, |span| span.message = said);
    }

    /// Ends a span as failed, with the exception.
    pub(super) fn fail_here(&mut self, span: Handle, failure: &Failure) {
        self.exception(span, self.now, failure.qualified, failure.message.into(), failure.function.into());
        self.now += 20 * MICRO;
        self.fail(span, failure.class, failure.message.into());
    }

    /// A number as text.
    pub(super) fn digits(&mut self, number: u64) -> Word {
        self.sheet.word(format_args!("{number}"))
    }

    /// Milliseconds of a duration, as attributes have them.
    pub(super) fn millis(nanos: u64) -> Datum {
        Datum::from(nanos / MILLI)
    }
}
