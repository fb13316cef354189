//! One ResourceSpans as readers see it, altered and encoded, until it is put together to requests.
//!
//! Comes in: the parts of a ResourceSpans in any order. Goes out: its spans, each with its resource and scope. A resource and the
//! schema URLs may come after their spans, so it is kept until it is complete.

use super::batch::Batcher;
use super::plan::{Plan, Planned};
use super::spill::Spill;
use crate::mend::Alteration;
use crate::otlp::{Encoding, Envelope, JsonWriter, ProtoWriter, RawResource, RawScope, RawSpan, Seen, Shape};

#[derive(Debug, Default)]
struct Scope {
    envelope: Envelope,
    /// The number of the span after its last one.
    after: usize,
}

/// A ResourceSpans that is gathered.
#[derive(Debug, Default)]
pub(super) struct Group {
    resource: Envelope,
    scopes: Vec<Scope>,
    spans: Spill,
}

impl Group {
    /// Takes one thing in. The answer is whether the group is complete with it.
    pub(super) fn take(&mut self, seen: Seen<'_, '_>, plan: &Plan) -> bool {
        let (alteration, encoding) = (&plan.alteration, plan.encoding);
        match seen {
            Seen::Open => self.clear(),
            Seen::Resource(resource, _, shape) => {
                self.resource.message = said(resource_bytes(resource, shape, alteration, encoding));
            }
            Seen::ResourceSchema(url) => self.resource.schema = url.decode().into_owned(),
            Seen::OpenScope => self.scopes.push(Scope { after: self.spans.len(), ..Scope::default() }),
            Seen::Scope(scope, _) => self.open().envelope.message = said(scope_bytes(scope, alteration, encoding)),
            Seen::ScopeSchema(url) => self.open().envelope.schema = url.decode().into_owned(),
            Seen::Span(span, _) => {
                self.spans.push(|out| span_bytes(span, alteration, encoding, out));
                let after = self.spans.len();
                self.open().after = after;
            }
            Seen::Close => return true,
            _ => {}
        }
        false
    }

    fn open(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    /// How many spans it holds.
    pub(super) fn spans(&self) -> usize {
        self.spans.len()
    }

    /// Nothing of it follows: what the alteration sets is said by resources too that are not there at all.
    pub(super) fn complete(&mut self, plan: &Plan) {
        let (alteration, encoding) = (&plan.alteration, plan.encoding);
        if self.resource.message.is_none() && !alteration.resource.is_empty() {
            let bare = RawResource::default();
            self.resource.message = said(resource_bytes(&bare, Shape::OtlpJson, alteration, encoding));
        }
    }

    /// Puts its spans together to requests, and is empty afterwards. The answer is the number of spans that were lost because a
    /// temporary file could not be read back.
    pub(super) fn pour(&mut self, batcher: &mut Batcher, give: &mut dyn FnMut(Planned)) -> u64 {
        let resource = &self.resource;
        let mut scopes = self.scopes.iter().peekable();
        let mut open = false;
        let missing = self.spans.pour(&mut |number, span| {
            while scopes.next_if(|scope| scope.after <= number).is_some() {
                open = false;
            }
            if let Some(scope) = scopes.peek().filter(|_| !open) {
                batcher.origin(resource, &scope.envelope);
                open = true;
            }
            batcher.span(span, give);
        });
        self.clear();
        missing
    }

    /// Forgets everything, keeping the space.
    pub(super) fn clear(&mut self) {
        self.resource = Envelope::default();
        self.scopes.clear();
        self.spans.clear();
    }
}

/// A message that says something.
pub(super) fn said(message: Vec<u8>) -> Option<Vec<u8>> {
    (!message.is_empty()).then_some(message)
}

/// A resource as it is to be, encoded; empty when it says nothing.
pub(super) fn resource_bytes(
    resource: &RawResource<'_>,
    shape: Shape,
    alteration: &Alteration,
    encoding: Encoding,
) -> Vec<u8> {
    let as_it_is = alteration.keeps_resources();
    if as_it_is && encoding == Encoding::Proto && shape == Shape::OtlpProto {
        return resource.raw.to_vec();
    }
    let mut out = Vec::new();
    alteration.resource(resource, &mut |resource| match encoding {
        _ if resource.is_silent() => {}
        Encoding::Json => JsonWriter::new(&mut out).resource(resource),
        Encoding::Proto => ProtoWriter::new(&mut out).resource(resource),
    });
    out
}

/// A scope as it is to be, encoded; empty when it says nothing.
pub(super) fn scope_bytes(scope: &RawScope<'_>, alteration: &Alteration, encoding: Encoding) -> Vec<u8> {
    let mut out = Vec::new();
    alteration.scope(scope, &mut |scope| match encoding {
        _ if scope.is_silent() => {}
        Encoding::Json => JsonWriter::new(&mut out).scope(scope),
        Encoding::Proto => ProtoWriter::new(&mut out).scope(scope),
    });
    out
}

/// Appends a span as it is to be: its own bytes where they are in the encoding already and nothing changes.
pub(super) fn span_bytes(span: &RawSpan<'_>, alteration: &Alteration, encoding: Encoding, out: &mut Vec<u8>) {
    let as_it_is = alteration.keeps_spans();
    if as_it_is && encoding == Encoding::Proto && span.shape == Shape::OtlpProto {
        return out.extend_from_slice(span.raw);
    }
    let mut write = |span: &RawSpan<'_>| match encoding {
        Encoding::Json => JsonWriter::new(out).span(span),
        Encoding::Proto => ProtoWriter::new(out).span_fields(span),
    };
    if as_it_is { write(span) } else { alteration.span(span, &mut write) }
}
