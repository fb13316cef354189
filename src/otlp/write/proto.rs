//! OTLP/protobuf, exact and minimal: fields by number, defaults left out, lengths in as few bytes as they need.
//!
//! Comes in: a span, resource, scope or whole request in place. Goes out: its message, appended, or only the message's length.
//! Values nested deeper than the readers accept are written empty.
//!
//! Field numbers: opentelemetry-proto v1.11 `trace.proto`, `common.proto`, `resource.proto`.

use super::id::{self, Written};
use super::text::utf8_bytes;
use crate::otlp::id::Width;
use crate::otlp::nested;
use crate::otlp::raw::{
    RawAttribute, RawEntityRef, RawEvent, RawId, RawLink, RawResource, RawScope, RawSpan, RawValue, Shape, Text, Wire,
};
use crate::otlp::tape::{Node, level};
use crate::otlp::text::base64;

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

/// Tags and lengths that are appended at once.
#[derive(Default)]
struct Few {
    digits: [u8; 32],
    count: usize,
}

impl Few {
    #[inline(always)]
    fn varint(&mut self, mut number: u64) {
        while let Some(place) = self.digits.get_mut(self.count) {
            self.count += 1;
            *place = (number & 0x7f) as u8;
            number >>= 7;
            if number == 0 {
                return;
            }
            *place |= 0x80;
        }
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.digits.get_mut(self.count..self.count + bytes.len()) {
            place.copy_from_slice(bytes);
            self.count += bytes.len();
        }
    }

    /// The fields of an `AnyValue` that is not longer than this; nothing for others.
    #[inline]
    fn scalar(value: &RawValue<'_>) -> Self {
        let mut few = Self::default();
        match value {
            RawValue::Bool(value) => {
                few.varint(u64::from(2 << 3 | VARINT));
                few.varint(u64::from(*value));
            }
            RawValue::Int(number) => {
                few.varint(u64::from(3 << 3 | VARINT));
                few.varint(number.cast_unsigned());
            }
            RawValue::Double(number) => {
                few.varint(u64::from(4 << 3 | FIXED64));
                few.put(&number.to_le_bytes());
            }
            _ => {}
        }
        few
    }

    fn bytes(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or_default()
    }
}

/// Appends OTLP/protobuf to a buffer, or counts what it would append.
pub struct ProtoWriter<'o> {
    out: Option<&'o mut Vec<u8>>,
    length: usize,
}

impl<'o> ProtoWriter<'o> {
    /// A writer that appends to `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out: Some(out), length: 0 }
    }

    /// A writer that only counts.
    pub fn counter() -> Self {
        Self { out: None, length: 0 }
    }

    /// How many bytes it has written or counted so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has written nothing yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// A `ResourceSpans` of a request; `scopes` writes each [`Self::scope_spans`]. A request is nothing but these, one after
    /// the other. A resource that says nothing is left out.
    pub fn resource_spans(
        &mut self,
        resource: &RawResource<'_>,
        schema_url: &Text<'_>,
        scopes: impl FnOnce(&mut Self),
    ) {
        self.message_about(3, 1, |writer| {
            if !resource.is_silent() {
                writer.message(1, |writer| writer.resource(resource));
            }
            scopes(writer);
            writer.text(3, schema_url);
        });
    }

    /// A `ScopeSpans` of a resource; `spans` writes each [`Self::span`]. A scope that says nothing is left out.
    pub fn scope_spans(&mut self, scope: &RawScope<'_>, schema_url: &Text<'_>, spans: impl FnOnce(&mut Self)) {
        self.message_about(3, 2, |writer| {
            if !scope.is_silent() {
                writer.message(1, |writer| writer.scope(scope));
            }
            spans(writer);
            writer.text(3, schema_url);
        });
    }

    /// A span of a [`Self::scope_spans`], with its length in front.
    pub fn span(&mut self, span: &RawSpan<'_>) {
        self.message_about(2, 2, |writer| writer.span_fields(span));
    }

    /// The fields of a `Resource`.
    pub fn resource(&mut self, resource: &RawResource<'_>) {
        self.attributes(1, &resource.attributes);
        self.small(2, resource.dropped);
        for entity in &resource.entity_refs {
            self.message(3, |writer| writer.entity_ref(entity));
        }
    }

    fn entity_ref(&mut self, entity: &RawEntityRef<'_>) {
        self.text(1, &entity.schema_url);
        self.text(2, &entity.kind);
        for key in &entity.id_keys {
            self.string(3, key);
        }
        for key in &entity.description_keys {
            self.string(4, key);
        }
    }

    /// The fields of an `InstrumentationScope`.
    pub fn scope(&mut self, scope: &RawScope<'_>) {
        self.text(1, &scope.name);
        self.text(2, &scope.version);
        self.attributes(3, &scope.attributes);
        self.small(4, scope.dropped);
    }

    /// The fields of a `Span`.
    pub fn span_fields(&mut self, span: &RawSpan<'_>) {
        self.id(1, &span.trace_id, Width::Trace, span.shape);
        self.id(2, &span.span_id, Width::Span, span.shape);
        self.text(3, &span.trace_state);
        self.id(4, &span.parent_id, Width::Span, span.shape);
        self.text(5, &span.name);
        self.signed(6, span.kind);
        self.time(7, span.start);
        self.time(8, span.end);
        self.attributes(9, span.attributes());
        self.small(10, span.dropped_attributes);
        for event in &span.events {
            self.message(11, |writer| writer.event(span, event));
        }
        self.small(12, span.dropped_events);
        for link in &span.links {
            self.message(13, |writer| writer.link(span, link));
        }
        self.small(14, span.dropped_links);
        if span.status != 0 || !span.message.is_empty() {
            self.message(15, |writer| {
                writer.text(2, &span.message);
                writer.signed(3, span.status);
            });
        }
        self.flags(16, span.flags);
    }

    fn event(&mut self, span: &RawSpan<'_>, event: &RawEvent<'_>) {
        self.time(1, event.time);
        self.text(2, &event.name);
        self.attributes(3, span.pooled(&event.attributes));
        self.small(4, event.dropped);
    }

    fn link(&mut self, span: &RawSpan<'_>, link: &RawLink<'_>) {
        self.id(1, &link.trace_id, Width::Trace, span.shape);
        self.id(2, &link.span_id, Width::Span, span.shape);
        self.text(3, &link.trace_state);
        self.attributes(4, span.pooled(&link.attributes));
        self.small(5, link.dropped);
        self.flags(6, link.flags);
    }

    fn attributes(&mut self, field: u32, attributes: &[RawAttribute<'_>]) {
        for attribute in attributes {
            match &attribute.value {
                RawValue::Text(value) => self.text_attribute(field, &attribute.key, value),
                RawValue::Bool(_) | RawValue::Int(_) | RawValue::Double(_) => {
                    self.scalar_attribute(field, &attribute.key, Few::scalar(&attribute.value));
                }
                value => {
                    let below = nested::nodes_of(value);
                    self.message_about(room(value), field, |writer| writer.attribute(attribute, &below));
                }
            }
        }
    }

    /// An attribute that is a number or a truth.
    fn scalar_attribute(&mut self, field: u32, key: &Text<'_>, value: Few) {
        let key = &*utf8_bytes(key);
        self.head_of_attribute(field, key, 2 + value.count);
        let mut outer = Few::default();
        outer.varint(u64::from(2 << 3 | BYTES));
        outer.varint(value.count as u64);
        outer.put(value.bytes());
        self.put_few(&outer);
    }

    /// The beginning of a `KeyValue`, up to its value, of which the length with its tag is known.
    #[inline(always)]
    fn head_of_attribute(&mut self, field: u32, key: &[u8], outer: usize) {
        let named = if key.is_empty() { 0 } else { 1 + varint_length(key.len()) + key.len() };
        let mut head = Few::default();
        head.varint(u64::from(field << 3 | BYTES));
        head.varint((named + outer) as u64);
        if !key.is_empty() {
            head.varint(u64::from(1 << 3 | BYTES));
            head.varint(key.len() as u64);
        }
        self.put_few(&head);
        self.put(key);
    }

    /// An attribute that is a text, as most are: its lengths are known before it is written.
    fn text_attribute(&mut self, field: u32, key: &Text<'_>, value: &Text<'_>) {
        let (key, value) = (utf8_bytes(key), utf8_bytes(value));
        let (key, value) = (&*key, &*value);
        let inner = 1 + varint_length(value.len()) + value.len();
        self.head_of_attribute(field, key, 1 + varint_length(inner) + inner);
        let mut head = Few::default();
        head.varint(u64::from(2 << 3 | BYTES));
        head.varint(inner as u64);
        head.varint(u64::from(1 << 3 | BYTES));
        head.varint(value.len() as u64);
        self.put_few(&head);
        self.put(value);
    }

    fn attribute(&mut self, attribute: &RawAttribute<'_>, below: &[Node<'_>]) {
        self.text(1, &attribute.key);
        self.message_about(room(&attribute.value), 2, |writer| writer.value(&attribute.value, below));
    }

    /// An `AnyValue`, and the nodes below it where it is nested. Its members are written also when they are empty or zero: that they are set is what counts.
    fn value(&mut self, value: &RawValue<'_>, below: &[Node<'_>]) {
        match value {
            RawValue::Empty => {}
            RawValue::Text(text) => self.string(1, text),
            RawValue::Bool(_) | RawValue::Int(_) | RawValue::Double(_) => self.put_few(&Few::scalar(value)),
            RawValue::Bytes(bytes) => self.bytes(7, bytes),
            RawValue::Base64(text) => self.bytes(7, &base64(text.decode().as_bytes()).unwrap_or_default()),
            RawValue::Nested(nested) => {
                let field = if nested.map { 6 } else { 5 };
                self.message_about(room(value), field, |writer| writer.nodes(nested.map, below));
            }
        }
    }

    fn nodes(&mut self, map: bool, nodes: &[Node<'_>]) {
        for (member, below) in level(nodes) {
            self.message_about(room(&member.value), 1, |writer| {
                if map {
                    writer.attribute(member, below);
                } else {
                    writer.value(&member.value, below);
                }
            });
        }
    }

    /// A field that is a message and most often shorter than 128 bytes.
    fn message(&mut self, field: u32, body: impl FnOnce(&mut Self)) {
        self.message_about(1, field, body);
    }

    /// A field that is a message. So many bytes are kept for its length as it will need most often; where it needs more or
    /// fewer, the body is moved.
    fn message_about(&mut self, kept: usize, field: u32, body: impl FnOnce(&mut Self)) {
        self.tag(field, BYTES);
        let before = self.length;
        self.put([0; 3].get(..kept).unwrap_or_default());
        body(self);
        let length = self.length - before - kept;
        let mut digits = [0; 10];
        let count = varint_into(length as u64, &mut digits);
        self.length = before + count + length;
        let Some(out) = self.out.as_deref_mut() else { return };
        let at = out.len() - length - kept;
        if count != kept {
            out.resize(out.len() + count.saturating_sub(kept), 0);
            out.copy_within(at + kept..at + kept + length, at + count);
            out.truncate(at + count + length);
        }
        if let (Some(place), Some(digits)) = (out.get_mut(at..at + count), digits.get(..count)) {
            place.copy_from_slice(digits);
        }
    }

    fn string(&mut self, field: u32, text: &Text<'_>) {
        self.bytes(field, &utf8_bytes(text));
    }

    fn text(&mut self, field: u32, text: &Text<'_>) {
        if !text.is_empty() {
            self.string(field, text);
        }
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, BYTES);
        self.varint(bytes.len() as u64);
        self.put(bytes);
    }

    fn id(&mut self, field: u32, id: &RawId<'_>, width: Width, shape: Shape) {
        match id::for_proto(id, width, shape) {
            Written::Nothing => {}
            Written::Whole(count, bytes) => self.bytes(field, bytes.get(16 - count..).unwrap_or_default()),
            Written::AsSpelled(bytes) => self.bytes(field, &bytes),
        }
    }

    fn small(&mut self, field: u32, number: u32) {
        if number != 0 {
            self.tag(field, VARINT);
            self.varint(u64::from(number));
        }
    }

    /// An enum: negative numbers take ten bytes, as protobuf has it.
    fn signed(&mut self, field: u32, number: i32) {
        if number != 0 {
            self.tag(field, VARINT);
            self.varint(i64::from(number).cast_unsigned());
        }
    }

    fn time(&mut self, field: u32, time: u64) {
        if time != 0 {
            self.tag(field, FIXED64);
            self.put(&time.to_le_bytes());
        }
    }

    fn flags(&mut self, field: u32, flags: u32) {
        if flags != 0 {
            self.tag(field, FIXED32);
            self.put(&flags.to_le_bytes());
        }
    }

    #[inline]
    fn tag(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    #[inline]
    fn varint(&mut self, number: u64) {
        if number < 0x80 {
            return self.put(&[number as u8]);
        }
        let mut digits = [0; 10];
        let count = varint_into(number, &mut digits);
        self.put(digits.get(..count).unwrap_or_default());
    }

    /// Appends a few bytes; mostly as one block, of which what is too much is taken away again.
    #[inline(always)]
    fn put_few(&mut self, few: &Few) {
        let (block, _) = few.digits.as_chunks::<16>();
        let (Some(block), 0..=16) = (block.first(), few.count) else { return self.put(few.bytes()) };
        self.length += few.count;
        if let Some(out) = self.out.as_deref_mut() {
            let from = out.len();
            out.extend_from_slice(block);
            out.truncate(from + few.count);
        }
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        if let Some(out) = self.out.as_deref_mut() {
            out.extend_from_slice(bytes);
        }
    }
}

/// How many bytes are kept for the length of a message around this value. It is a guess where the value is nested: one that is wrong
/// costs a move of the message, and on every level that would be the square of the depth.
fn room(value: &RawValue<'_>) -> usize {
    let RawValue::Nested(nested) = value else { return 1 };
    // JSON takes about four times as many bytes per level as protobuf.
    let about = if nested.wire == Wire::Proto { nested.raw.len() } else { nested.raw.len() / 3 };
    match about {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 3,
    }
}

/// Bytes of a length as varint.
#[inline]
fn varint_length(length: usize) -> usize {
    let bits = (usize::BITS - length.leading_zeros()).max(1) as usize;
    bits.div_ceil(7)
}

/// A varint into `digits`; how many of them it takes.
#[inline]
fn varint_into(mut number: u64, digits: &mut [u8; 10]) -> usize {
    let mut count = 0;
    for digit in digits {
        count += 1;
        *digit = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            break;
        }
        *digit |= 0x80;
    }
    count
}
