//! Faults of failure: cancellations nobody asked for, errors without reasons, errors that nobody admits.
//!
//! Comes in: a trace. Goes out: the same trace with something that went wrong, told wrongly.

use super::warp::Warp;
use crate::emit::sheet::{Handle, Part, Word, number};

const CANCELLED: &str = "asyncio.CancelledError";

impl Warp<'_> {
    /// An exception at the end of a span, as the Python SDK records it.
    fn raise(&mut self, span: Handle, kind: &'static str, message: &'static str, stack: Word) {
        let end = self.span(span).map_or(0, |span| span.end);
        self.sheet.event(
            span,
            end,
            "exception",
            &[
                ("exception.type", kind.into()),
                ("exception.message", message.into()),
                ("exception.stacktrace", stack.into()),
                ("exception.escaped", "False".into()),
            ],
        );
    }

    fn failed(&mut self, span: Handle, message: &'static str) {
        self.sheet.with(span, |span| (span.status, span.message) = (number::ERROR, message.into()));
    }

    /// ERR001: a task is cancelled at a tool or a call, and everything that waited for it with it.
    pub(super) fn unexpected_cancellation(&mut self) {
        let at = self.part(Part::Tool).or_else(|| self.part(Part::Llm));
        let Some(deepest) = at else {
            let span = self.extra(self.root(), "Worker.run");
            return self.cancel(span, 1);
        };
        let (mut next, mut frames) = (Some(deepest), 1);
        while let Some(span) = next {
            self.cancel(span, frames);
            frames += 1;
            next = self.waiting_for(span);
        }
    }

    /// The parent, if it is a function that waits for the span.
    fn waiting_for(&self, span: Handle) -> Option<Handle> {
        let below = self.span(span)?;
        let at = self.sheet.spans.iter().position(|above| above.id == below.parent && above.trace == below.trace)?;
        let above = self.sheet.spans.get(at)?;
        let waits = above.end >= below.end && above.kind == number::INTERNAL;
        (waits && !matches!(above.part, Part::Root) && below.part != Part::Agent).then_some(Handle(at))
    }

    fn cancel(&mut self, span: Handle, frames: usize) {
        let Some((end, name)) = self.span(span).map(|span| (span.end, span.name)) else { return };
        let function = self.sheet.read(name).rsplit(['.', ' ']).next().unwrap_or_default().to_owned();
        let function = self.sheet.say(&function);
        let stack = self.stack(frames, function);
        self.sheet.event(
            span,
            end,
            "exception",
            &[
                ("exception.type", CANCELLED.into()),
                ("exception.message", "".into()),
                ("exception.stacktrace", stack.into()),
                ("exception.escaped", "False".into()),
                ("task.name", "safe[services/run_manager.py:214:consume]".into()),
                ("function.name", function.into()),
                ("function.module", "letta.services.run_manager".into()),
                ("cancellation.timestamp", end.into()),
            ],
        );
        self.sheet.with(span, |span| span.status = number::ERROR);
    }

    fn stack(&mut self, frames: usize, function: Word) -> Word {
        let mark = self.sheet.mark();
        self.sheet.append("Traceback (most recent call last):\n".into());
        for frame in 0..frames {
            self.sheet
                .word(format_args!("  File \"/app/letta/otel/tracing.py\", line {}, in async_wrapper\n", 410 + frame));
        }
        self.sheet.append("  in ".into());
        self.sheet.append(function);
        self.sheet.append("\nasyncio.exceptions.CancelledError\n".into());
        self.sheet.since(mark)
    }

    /// ERR002.
    pub(super) fn expected_termination(&mut self) {
        let span = self.extra(self.root(), "RunManager.consume_stream");
        let stack = self.stack(1, "consume_stream".into());
        let kind = "letta.server.rest_api.streaming_response.RunCancelledException";
        self.raise(span, kind, "Run run-1 was cancelled", stack);
        self.failed(span, "RunCancelledException: Run run-1 was cancelled");
    }

    /// ERR003: it was asked for, but nobody can tell which task it hit.
    pub(super) fn cancellation_missing_context(&mut self) {
        let outer = self.extra(self.root(), "RunManager.stop_run");
        let (start, end) = self.span(outer).map_or((0, 0), |span| (span.start, span.end));
        self.sheet.event(outer, start, "stop_reason", &[("stop_reason", "cancelled".into())]);
        let inner = self.extra(outer, "RunManager.consume");
        self.sheet.with(inner, |span| (span.start, span.end) = (start, end));
        let stack = self.stack(1, "consume".into());
        // It failed nobody, so its status stays unset.
        self.raise(inner, CANCELLED, "stopped", stack);
    }

    /// ERR004: a span of its own, since a request may have reasons to fail already.
    pub(super) fn error_without_details(&mut self) {
        let outer = self.extra(self.root(), "CacheManager.refresh_async");
        let inner = self.extra(outer, "CacheManager.write_async");
        self.failed(inner, "");
    }

    /// ERR005.
    pub(super) fn status_contradiction(&mut self) {
        let span = self.extra(self.root(), "BlobStore.put");
        self.sheet.set(span, "error.type", "timeout");
    }

    /// ERR006.
    pub(super) fn swallowed_error(&mut self) {
        let outer = self.extra(self.root(), "SourceManager.sync_sources_async");
        self.sheet.with(outer, |span| span.status = number::OK);
        let inner = self.extra(outer, "SourceManager.fetch_async");
        self.failed(inner, "ConnectionError: connection refused");
    }

    /// ERR008: a second attempt succeeds, so that nothing is swallowed.
    pub(super) fn duplicate_exception(&mut self) {
        let outer = self.extra(self.root(), "FileProcessor.process");
        let inner = self.extra(outer, "FileProcessor.parse");
        let stack = self.stack(2, "parse".into());
        for span in [outer, inner] {
            self.raise(span, "ValueError", "page 7 is empty", stack);
            self.failed(span, "ValueError: page 7 is empty");
        }
        // It is tried again when it has failed, and works.
        let failed = self.span(outer).map_or(0, |span| span.end);
        let again = self.extra(self.root(), "FileProcessor.process");
        self.sheet.with(again, |span| {
            let lasted = span.end - span.start;
            (span.start, span.end, span.status) = (failed, failed + lasted, number::OK);
        });
    }

    /// ERR010.
    pub(super) fn unfinished_step(&mut self) {
        let span = self.extra(self.root(), "agent_loop");
        let start = self.span(span).map_or(0, |span| span.start);
        self.sheet.event(span, start, "tool_execution_started", &[]);
    }
}
