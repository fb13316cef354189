//! Requests written down: groups of encoded resources, scopes and spans put into one message.
//!
//! Comes in: parts that are encoded already. Goes out: one `ExportTraceServiceRequest`, protobuf or JSON. No part is looked into.

use bytes::Bytes;

use super::pool::Pool;
use crate::otlp::{Encoding, Envelope, Frame};

/// Tags and lengths around a message, at most.
pub(super) const AROUND: usize = 8;

/// Spans of one scope.
#[derive(Debug, Default)]
pub(super) struct ScopeGroup {
    pub(super) scope: Envelope,
    /// Spans as fields of a message, or as items of a list, behind so many bytes that are free.
    spans: Vec<u8>,
    free: usize,
}

impl ScopeGroup {
    /// Without spans. `room` is kept free for what stands before them; `buffer` lends its space.
    pub(super) fn new(scope: Envelope, room: usize, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(room, 0);
        Self { scope, spans: buffer, free: room }
    }

    /// Takes a span in.
    pub(super) fn push(&mut self, span: &[u8], encoding: Encoding) {
        Frame(encoding).before_span(self.spans.len() == self.free, span.len(), &mut self.spans);
        self.spans.extend_from_slice(span);
    }

    fn spans(&self) -> &[u8] {
        self.spans.get(self.free..).unwrap_or_default()
    }

    /// The space of its spans.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.spans
    }
}

/// Scopes of one resource.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) resource: Envelope,
    pub(super) scopes: Vec<ScopeGroup>,
}

/// Writes a whole request.
pub(super) fn request(groups: &[Group], encoding: Encoding, out: &mut Vec<u8>) {
    before(encoding, out);
    for (number, group) in groups.iter().enumerate() {
        if number > 0 && encoding == Encoding::Json {
            out.push(b',');
        }
        let scopes: Vec<(&Envelope, &[u8])> = group.scopes.iter().map(|inner| (&inner.scope, inner.spans())).collect();
        Frame(encoding).whole(&group.resource, &scopes, out);
    }
    behind(encoding, out);
}

/// A whole request of the spans of one scope, which are not moved: what stands before them goes into the room that was kept free.
/// They come back where that is too little.
pub(super) fn in_place(
    resource: &Envelope,
    mut only: ScopeGroup,
    encoding: Encoding,
    pool: &Pool,
) -> Result<Bytes, ScopeGroup> {
    let (frame, length) = (Frame(encoding), only.spans().len() as u64);
    let mut head = Vec::new();
    before(encoding, &mut head);
    frame.open(resource, frame.scope_len(&only.scope, length), &mut head);
    frame.open_scope(true, &only.scope, length, &mut head);
    let Some(begin) = only.free.checked_sub(head.len()) else { return Err(only) };
    if let Some(place) = only.spans.get_mut(begin..only.free) {
        place.copy_from_slice(&head);
    }
    frame.close_scope(&only.scope, &mut only.spans);
    frame.close(resource, &mut only.spans);
    behind(encoding, &mut only.spans);
    Ok(pool.lend(only.spans).slice(begin..))
}

fn before(encoding: Encoding, out: &mut Vec<u8>) {
    if encoding == Encoding::Json {
        out.extend_from_slice(b"{\"resourceSpans\":[");
    }
}

fn behind(encoding: Encoding, out: &mut Vec<u8>) {
    if encoding == Encoding::Json {
        out.extend_from_slice(b"]}");
    }
}
