//! Exceptions of spans that were recorded as logs.
//!
//! Comes in: an exception as a log record tells it. Goes out: a small record. Who the span is, is found out by its ids.

use super::head::NameId;
use super::names::Names;
use crate::agent;
use crate::model::{SpanId, TraceId};
use crate::otlp::LogException;

/// An exception of a span that stands in a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The trace of the span.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// The type of the exception, or its message where it has no type.
    pub kind: NameId,
    /// A fingerprint of its type, message and stack.
    pub print: Option<u64>,
    /// The keys of what the record tells, one a line, in order.
    pub keys: NameId,
}

impl Logged {
    pub(super) fn of(exception: &LogException<'_>, names: &mut Names) -> Self {
        let mut keys: Vec<_> = exception.attributes.iter().map(|attribute| attribute.key.decode()).collect();
        keys.sort_unstable();
        Self {
            trace: exception.trace,
            span: exception.span,
            kind: NameId(names.intern(&exception.kind)),
            print: agent::raised(&exception.attributes),
            keys: NameId(names.intern_str(&keys.join("\n"))),
        }
    }

    /// The same with other numbers for its names.
    pub(super) fn renamed(self, name: impl Fn(NameId) -> NameId) -> Self {
        Self { kind: name(self.kind), keys: name(self.keys), ..self }
    }
}
