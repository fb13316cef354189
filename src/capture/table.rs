//! The tables themselves.

use std::collections::BTreeMap;

use super::{Detail, Head, NameId, OriginId, SourceId, SpanRef};
use crate::input::InputError;
use crate::otlp::Trouble;

/// Where spans came from: a resource and an instrumentation scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `service.name` of the resource; empty when it has none.
    pub service: NameId,
    /// Name of the instrumentation scope; empty when it has none.
    pub scope: NameId,
}

/// One input of a capture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// Its path as people know it; `-` for standard input.
    pub path: String,
    /// The format that was found in it (`otlp-json`, `otlp-proto`, …, or several joined by `+`).
    pub format: String,
    /// The compression that was found around it.
    pub compression: Option<&'static str>,
    /// How many spans it held.
    pub spans: u64,
    /// How many bytes were read from it, as stored.
    pub bytes: u64,
}

/// Everything that was read from all inputs.
pub struct Capture {}

impl Capture {
    /// How many spans there are.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All spans in the order of the inputs.
    pub fn spans(&self) -> impl Iterator<Item = SpanRef> + '_ {
        (0..self.len() as u32).map(SpanRef)
    }

    /// The record of a span.
    pub fn head(&self, _span: SpanRef) -> &Head {
        unreachable!()
    }

    /// A text of the dictionary.
    pub fn text(&self, _name: NameId) -> &str {
        ""
    }

    /// Where a span came from.
    pub fn origin(&self, _origin: OriginId) -> Origin {
        unreachable!()
    }

    /// The name of the span.
    pub fn name(&self, span: SpanRef) -> &str {
        self.text(self.head(span).name)
    }

    /// The name of the span's service.
    pub fn service(&self, span: SpanRef) -> &str {
        self.text(self.origin(self.head(span).origin).service)
    }

    /// The inputs in the order they were read.
    pub fn sources(&self) -> &[Source] {
        &[]
    }

    /// The input a span was read from.
    pub fn source(&self, _source: SourceId) -> &Source {
        unreachable!()
    }

    /// What was odd in the inputs, by place.
    pub fn troubles(&self) -> &[Trouble] {
        &[]
    }

    /// Reads the given spans again, in full. The answers stand in the order of the questions; a span whose bytes are
    /// no longer there (its file shrank or was replaced) is `None`.
    pub fn details(&self, _spans: &[SpanRef]) -> Result<Vec<Option<Detail>>, InputError> {
        Ok(Vec::new())
    }

    /// Values of the attribute that was asked for when the capture was opened, by span.
    pub fn captured(&self) -> &BTreeMap<SpanRef, NameId> {
        unreachable!()
    }
}
