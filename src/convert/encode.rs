//! What readers see, changed and encoded, one ResourceSpans after another.
//!
//! Comes in: the parts of a ResourceSpans in any order. Goes out: whole groups, ready to be written, in the order of the input. A
//! resource and the schema URLs may come after their spans, so one ResourceSpans is kept until it is complete.

use super::choice::Choice;
use super::overflow::Overflow;
use super::pack::{Made, Slice};
use super::plan::Plan;
use crate::capture::{Capture, Gather, SourceId};
use crate::otlp::{
    Encoding, Envelope, Frame, JsonWriter, Layout, ProtoWriter, RawResource, RawScope, RawSpan, Seen, Shape,
};

/// A ScopeSpans that is gathered.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) envelope: Envelope,
    /// Where its spans end, and how many there are.
    pub(super) end: u64,
    pub(super) spans: u64,
}

/// Which spans are wanted of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'c> {
    pub(super) capture: &'c Capture,
    pub(super) choice: &'c Choice,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capture of {} spans", self.len())
    }
}

/// Encodes one ResourceSpans after another.
pub(super) struct Encoder<'p> {
    plan: &'p Plan,
    source: SourceId,
    wanted: Option<Wanted<'p>>,
    next: Option<u32>,
    encoding: Encoding,
    resource: Envelope,
    scopes: Vec<Scope>,
    /// A ResourceSpans and a ScopeSpans stand open.
    open: (bool, bool),
    body: Overflow,
    /// Where each span ends, where groups may have to be cut.
    ends: Vec<u64>,
    made: Made,
}

impl<'p> Encoder<'p> {
    pub(super) fn new(plan: &'p Plan, wanted: Option<Wanted<'p>>, source: SourceId) -> Self {
        Self {
            plan,
            source,
            wanted,
            next: None,
            encoding: plan.form.encoding(),
            resource: Envelope::default(),
            scopes: Vec::new(),
            open: (false, false),
            body: Overflow::default(),
            ends: Vec::new(),
            made: Made::default(),
        }
    }

    /// How many bytes of spans wait for their group to be complete.
    pub(super) fn waiting(&self) -> usize {
        usize::try_from(self.body.len()).unwrap_or(usize::MAX)
    }

    /// Whether a group of this resource stands open, or none at all.
    pub(super) fn stands_in(&self, resource: &Envelope) -> bool {
        !self.open.0 || self.resource == *resource
    }

    /// Adds a span to the group that stands open.
    pub(super) fn add(&mut self, span: &RawSpan<'_>, resource: &Envelope, scope: &Envelope) {
        if !self.open.0 {
            self.resource.clone_from(resource);
            self.open.0 = true;
        }
        if self.scopes.last().is_none_or(|open| open.envelope != *scope) {
            let end = self.body.len();
            self.scopes.push(Scope { envelope: scope.clone(), end, spans: 0 });
        }
        self.span(span, 0);
    }

    fn scope(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    fn span(&mut self, span: &RawSpan<'_>, at: u64) {
        if let Some(Wanted { capture, choice }) = self.wanted
            && !choice.wants(capture, self.source, at, &mut self.next)
        {
            return;
        }
        self.made.shapes |= 1 << span.shape as u8;
        let first = self.scopes.last().is_none_or(|scope| scope.spans == 0);
        if !stays(span, self.plan) {
            self.made.unknown += u64::from(span.unknown);
        }
        encode_span(span, self.plan, first, &mut self.body.memory);
        self.body.grown();
        let end = self.body.len();
        if self.plan.most.is_some() {
            self.ends.push(end);
        }
        let scope = self.scope();
        (scope.end, scope.spans) = (end, scope.spans + 1);
    }

    fn unknown(&mut self, field: &[u8]) {
        match (self.encoding, self.open.1) {
            (Encoding::Json, _) => self.made.unknown += 1,
            (Encoding::Proto, true) => self.scope().envelope.unknown.extend_from_slice(field),
            (Encoding::Proto, false) => self.resource.unknown.extend_from_slice(field),
        }
    }

    fn clear(&mut self) {
        self.resource = Envelope::default();
        self.scopes.clear();
        self.body.clear();
        self.ends.clear();
        self.open = (false, false);
    }

    /// Writes the group that is complete.
    fn close(&mut self) {
        // What the alteration sets is said by resources too that are not there at all.
        if self.resource.message.is_none() && !self.plan.alteration.resource.is_empty() {
            self.resource.message = resource_bytes(&RawResource::default(), Shape::OtlpJson, self.plan);
        }
        if self.wanted.is_some() {
            self.keep_full();
        }
        if self.wanted.is_none() || !self.scopes.is_empty() {
            let slices = self.slices();
            match self.plan.most {
                Some(most) if self.body.len() > most => self.cut(slices, most),
                _ => self.write(&slices),
            }
        }
        self.clear();
    }

    /// Scopes whose spans are all unwanted go.
    fn keep_full(&mut self) {
        self.scopes.retain(|scope| scope.spans > 0);
    }

    fn slices(&self) -> Vec<Slice> {
        let mut from = 0;
        let slice = |(number, scope): (usize, &Scope)| {
            let range = from..scope.end.max(from);
            from = range.end;
            Slice { scope: number, range, spans: scope.spans }
        };
        self.scopes.iter().enumerate().map(slice).collect()
    }

    /// Writes the group in several, none of which has more bytes than allowed unless a single span does.
    fn cut(&mut self, slices: Vec<Slice>, most: u64) {
        let ends = std::mem::take(&mut self.ends);
        let mut ends = ends.iter().copied().peekable();
        let (mut group, mut size): (Vec<Slice>, u64) = (Vec::new(), 0);
        for slice in slices {
            let mut open = Slice { spans: 0, range: slice.range.start..slice.range.start, scope: slice.scope };
            while let Some(end) = ends.next_if(|end| *end <= slice.range.end && slice.spans > 0) {
                let own = end - open.range.end;
                if size > 0 && size + own > most {
                    let next = open.range.end
                        + u64::from(self.encoding == Encoding::Json && open.range.end > slice.range.start);
                    group.push(std::mem::replace(&mut open, Slice { spans: 0, range: next..next, scope: slice.scope }));
                    group.retain(|slice| slice.spans > 0);
                    self.write(&group);
                    group.clear();
                    size = 0;
                }
                (open.range.end, open.spans, size) = (end, open.spans + 1, size + own);
            }
            group.push(open);
        }
        self.write(&group);
    }

    fn write(&mut self, slices: &[Slice]) {
        let frame = Frame(self.encoding);
        let length = |slice: &Slice| slice.range.end - slice.range.start;
        let scopes: Vec<&Scope> = slices.iter().filter_map(|slice| self.scopes.get(slice.scope)).collect();
        let inner =
            slices.iter().zip(&scopes).map(|(slice, scope)| frame.scope_len(&scope.envelope, length(slice))).sum();
        let made = &mut self.made;
        made.begin();
        before(self.plan.form.layout, frame.len(&self.resource, inner), made);
        frame.open(&self.resource, inner, &mut made.bytes);
        for (number, (slice, scope)) in slices.iter().zip(&scopes).enumerate() {
            frame.open_scope(number == 0, &scope.envelope, length(slice), &mut made.bytes);
            made.add(&self.body, slice.range.clone());
            frame.close_scope(&scope.envelope, &mut made.bytes);
        }
        frame.close(&self.resource, &mut made.bytes);
        if self.plan.form.layout == Layout::Lines {
            made.bytes.extend_from_slice(b"]}\n");
        }
        made.end(slices.iter().map(|slice| slice.spans).sum());
    }
}

/// What stands before a group of so many bytes.
fn before(layout: Layout, length: u64, made: &mut Made) {
    match layout {
        Layout::Lines => made.bytes.extend_from_slice(b"{\"resourceSpans\":["),
        // The first one of a document loses it again.
        Layout::Document => made.bytes.push(b','),
        Layout::Framed => {
            made.too_large |= length > u64::from(u32::MAX);
            made.bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
        Layout::Single => {}
    }
}

impl Gather for Encoder<'_> {
    type Made = Made;

    #[inline]
    fn take(&mut self, seen: Seen<'_, '_>) {
        match seen {
            Seen::Span(span, at) => self.span(span, at),
            Seen::Open => {
                self.clear();
                self.open.0 = true;
            }
            Seen::Resource(resource, _, shape) => {
                if !resource_stays(shape, self.plan) {
                    self.made.unknown += u64::from(resource.unknown);
                }
                self.resource.message = resource_bytes(resource, shape, self.plan);
            }
            Seen::ResourceSchema(url) => self.resource.schema = url.decode().into_owned(),
            Seen::OpenScope => {
                let end = self.body.len();
                self.open.1 = true;
                self.scopes.push(Scope { end, ..Scope::default() });
            }
            Seen::Scope(scope, _) => {
                if !scope_stays(scope, self.plan) {
                    self.made.unknown += u64::from(scope.unknown);
                }
                self.scope().envelope.message = scope_bytes(scope, self.plan);
            }
            Seen::ScopeSchema(url) => self.scope().envelope.schema = url.decode().into_owned(),
            Seen::Unknown(field) => self.unknown(field),
            Seen::Beside => self.made.beside += 1,
            Seen::CloseScope => self.open.1 = false,
            Seen::Close => self.close(),
            Seen::LogException(_) => {}
        }
    }

    fn is_settled(&self) -> bool {
        true
    }

    fn made(&mut self) -> &mut Made {
        &mut self.made
    }

    fn hand_over(&mut self) -> Made {
        std::mem::take(&mut self.made)
    }

    fn reset(&mut self) {
        self.clear();
        self.made.clear();
        self.next = None;
    }

    fn finish(&mut self) {
        if self.open.0 {
            self.close();
        }
    }
}

/// Whether a span is written with its own bytes.
fn stays(span: &RawSpan<'_>, plan: &Plan) -> bool {
    plan.form.encoding() == Encoding::Proto && span.shape == Shape::OtlpProto && plan.alteration.keeps_spans()
}

/// Whether a resource is written with its own bytes.
fn resource_stays(shape: Shape, plan: &Plan) -> bool {
    plan.alteration.keeps_resources() && plan.form.encoding() == Encoding::Proto && shape == Shape::OtlpProto
}

/// Whether a scope is written with its own bytes. Those of foreign formats have none.
fn scope_stays(scope: &RawScope<'_>, plan: &Plan) -> bool {
    let proto = scope.raw.first().is_some_and(|first| *first != b'{');
    plan.alteration.keeps_scopes() && plan.form.encoding() == Encoding::Proto && proto
}

/// Appends a span as it is to be, behind what stands before it: its own bytes where they are in the encoding already and nothing
/// changes.
pub(super) fn encode_span(span: &RawSpan<'_>, plan: &Plan, first: bool, out: &mut Vec<u8>) {
    let as_it_is = plan.alteration.keeps_spans();
    match plan.form.encoding() {
        Encoding::Proto if stays(span, plan) => {
            Frame(Encoding::Proto).before_span(first, span.raw.len(), out);
            out.extend_from_slice(span.raw);
        }
        Encoding::Proto if as_it_is => ProtoWriter::new(out).span(span),
        Encoding::Proto => plan.alteration.span(span, &mut |span| ProtoWriter::new(out).span(span)),
        Encoding::Json => {
            if !first {
                out.push(b',');
            }
            match as_it_is {
                true => JsonWriter::new(out).span(span),
                false => plan.alteration.span(span, &mut |span| JsonWriter::new(out).span(span)),
            }
        }
    }
}

/// A resource as it is to be, encoded. One that says nothing stays there if it was.
pub(super) fn resource_bytes(resource: &RawResource<'_>, shape: Shape, plan: &Plan) -> Option<Vec<u8>> {
    let alteration = &plan.alteration;
    if resource_stays(shape, plan) {
        return Some(resource.raw.to_vec());
    }
    let mut out = Vec::new();
    alteration.resource(resource, &mut |resource| match plan.form.encoding() {
        Encoding::Json => JsonWriter::new(&mut out).resource(resource),
        Encoding::Proto => ProtoWriter::new(&mut out).resource(resource),
    });
    Some(out)
}

/// A scope as it is to be, encoded.
pub(super) fn scope_bytes(scope: &RawScope<'_>, plan: &Plan) -> Option<Vec<u8>> {
    if scope_stays(scope, plan) {
        return Some(scope.raw.to_vec());
    }
    let mut out = Vec::new();
    plan.alteration.scope(scope, &mut |scope| match plan.form.encoding() {
        Encoding::Json => JsonWriter::new(&mut out).scope(scope),
        Encoding::Proto => ProtoWriter::new(&mut out).scope(scope),
    });
    Some(out)
}
