//! OTLP/JSON, canonical: ids in lower-case hex, enums as numbers, 64-bit integers as strings, defaults left out.
//!
//! Comes in: a span, resource, scope or whole request in place. Goes out: its object, appended without white space or line
//! breaks. Values nested deeper than the readers accept are written empty.

use std::io::Write as _;

use super::id::{self, Written};
use super::text::{push_decimal, push_text, quoted};
use crate::otlp::id::Width;
use crate::otlp::nested;
use crate::otlp::raw::{
    RawAttribute, RawEntityRef, RawEvent, RawId, RawLink, RawResource, RawScope, RawSpan, RawValue, Shape, Text,
};
use crate::otlp::tape::{Node, level};
use crate::otlp::text::{base64, to_base64};

/// A member's name with everything around it, so that it is appended at once.
macro_rules! name {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}

/// Appends OTLP/JSON to a buffer.
pub struct JsonWriter<'o> {
    out: &'o mut Vec<u8>,
    /// Nothing stands yet in the innermost object or list: what comes next needs no comma.
    fresh: bool,
}

impl<'o> JsonWriter<'o> {
    /// A writer that appends to `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, fresh: true }
    }

    /// An `ExportTraceServiceRequest`; `groups` writes each [`Self::resource_spans`].
    pub fn request(&mut self, groups: impl FnOnce(&mut Self)) {
        self.item(|writer| writer.array(name!("resourceSpans"), groups));
    }

    /// A `ResourceSpans` of a request; `scopes` writes each [`Self::scope_spans`]. A resource that says nothing is left out.
    pub fn resource_spans(
        &mut self,
        resource: &RawResource<'_>,
        schema_url: &Text<'_>,
        scopes: impl FnOnce(&mut Self),
    ) {
        self.item(|writer| {
            if !resource.is_silent() {
                writer.key(name!("resource"));
                writer.resource(resource);
            }
            writer.array(name!("scopeSpans"), scopes);
            writer.text(name!("schemaUrl"), schema_url);
        });
    }

    /// A `ScopeSpans` of a resource; `spans` writes each [`Self::span`]. A scope that says nothing is left out.
    pub fn scope_spans(&mut self, scope: &RawScope<'_>, schema_url: &Text<'_>, spans: impl FnOnce(&mut Self)) {
        self.item(|writer| {
            if !scope.is_silent() {
                writer.key(name!("scope"));
                writer.scope(scope);
            }
            writer.array(name!("spans"), spans);
            writer.text(name!("schemaUrl"), schema_url);
        });
    }

    /// A `Resource`.
    pub fn resource(&mut self, resource: &RawResource<'_>) {
        self.object(|writer| {
            writer.attributes(&resource.attributes);
            writer.small(name!("droppedAttributesCount"), resource.dropped);
            writer.list(name!("entityRefs"), &resource.entity_refs, Self::entity_ref);
        });
    }

    fn entity_ref(&mut self, entity: &RawEntityRef<'_>) {
        self.object(|writer| {
            writer.text(name!("schemaUrl"), &entity.schema_url);
            writer.text(name!("type"), &entity.kind);
            writer.list(name!("idKeys"), &entity.id_keys, Self::string);
            writer.list(name!("descriptionKeys"), &entity.description_keys, Self::string);
        });
    }

    /// An `InstrumentationScope`.
    pub fn scope(&mut self, scope: &RawScope<'_>) {
        self.object(|writer| {
            writer.text(name!("name"), &scope.name);
            writer.text(name!("version"), &scope.version);
            writer.attributes(&scope.attributes);
            writer.small(name!("droppedAttributesCount"), scope.dropped);
        });
    }

    /// A `Span`, by itself or in a [`Self::scope_spans`].
    pub fn span(&mut self, span: &RawSpan<'_>) {
        self.item(|writer| {
            writer.id(name!("traceId"), &span.trace_id, Width::Trace, span.shape);
            writer.id(name!("spanId"), &span.span_id, Width::Span, span.shape);
            writer.text(name!("traceState"), &span.trace_state);
            writer.id(name!("parentSpanId"), &span.parent_id, Width::Span, span.shape);
            writer.small(name!("flags"), span.flags);
            writer.text(name!("name"), &span.name);
            writer.signed(name!("kind"), span.kind);
            writer.time(name!("startTimeUnixNano"), span.start);
            writer.time(name!("endTimeUnixNano"), span.end);
            writer.attributes(span.attributes());
            writer.small(name!("droppedAttributesCount"), span.dropped_attributes);
            writer.list(name!("events"), &span.events, |writer, event| writer.event(span, event));
            writer.small(name!("droppedEventsCount"), span.dropped_events);
            writer.list(name!("links"), &span.links, |writer, link| writer.link(span, link));
            writer.small(name!("droppedLinksCount"), span.dropped_links);
            if span.status != 0 || !span.message.is_empty() {
                writer.key(name!("status"));
                writer.object(|writer| {
                    writer.text(name!("message"), &span.message);
                    writer.signed(name!("code"), span.status);
                });
            }
        });
    }

    fn event(&mut self, span: &RawSpan<'_>, event: &RawEvent<'_>) {
        self.object(|writer| {
            writer.time(name!("timeUnixNano"), event.time);
            writer.text(name!("name"), &event.name);
            writer.attributes(span.pooled(&event.attributes));
            writer.small(name!("droppedAttributesCount"), event.dropped);
        });
    }

    fn link(&mut self, span: &RawSpan<'_>, link: &RawLink<'_>) {
        self.object(|writer| {
            writer.id(name!("traceId"), &link.trace_id, Width::Trace, span.shape);
            writer.id(name!("spanId"), &link.span_id, Width::Span, span.shape);
            writer.text(name!("traceState"), &link.trace_state);
            writer.attributes(span.pooled(&link.attributes));
            writer.small(name!("droppedAttributesCount"), link.dropped);
            writer.small(name!("flags"), link.flags);
        });
    }

    fn attributes(&mut self, attributes: &[RawAttribute<'_>]) {
        self.list(name!("attributes"), attributes, |writer, attribute| {
            writer.attribute(attribute, &nested::nodes_of(&attribute.value))
        });
    }

    /// An attribute that is a text, as most are.
    fn text_attribute(&mut self, key: &Text<'_>, value: &Text<'_>) {
        self.out.extend_from_slice(b"{\"key\":");
        push_text(self.out, key);
        self.out.extend_from_slice(b",\"value\":{\"stringValue\":");
        push_text(self.out, value);
        self.out.extend_from_slice(b"}}");
    }

    fn attribute(&mut self, attribute: &RawAttribute<'_>, below: &[Node<'_>]) {
        if let RawValue::Text(value) = &attribute.value {
            return self.text_attribute(&attribute.key, value);
        }
        self.object(|writer| {
            // A key is what makes it an attribute: it is written even when it is empty.
            writer.key(name!("key"));
            writer.string(&attribute.key);
            writer.key(name!("value"));
            writer.value(&attribute.value, below);
        });
    }

    /// A value, and the nodes below it where it is nested.
    fn value(&mut self, value: &RawValue<'_>, below: &[Node<'_>]) {
        self.object(|writer| match value {
            RawValue::Empty => {}
            RawValue::Text(text) => {
                writer.key(name!("stringValue"));
                writer.string(text);
            }
            RawValue::Bool(value) => {
                writer.key(name!("boolValue"));
                writer.out.extend_from_slice(if *value { b"true" } else { b"false" });
            }
            RawValue::Int(number) => {
                writer.key(name!("intValue"));
                writer.out.push(b'"');
                if *number < 0 {
                    writer.out.push(b'-');
                }
                push_decimal(writer.out, number.unsigned_abs());
                writer.out.push(b'"');
            }
            RawValue::Double(number) => {
                writer.key(name!("doubleValue"));
                writer.double(*number);
            }
            RawValue::Bytes(bytes) => {
                writer.key(name!("bytesValue"));
                writer.put(format_args!("\"{}\"", to_base64(bytes)));
            }
            RawValue::Base64(text) => {
                writer.key(name!("bytesValue"));
                match base64(text.decode().as_bytes()) {
                    Some(bytes) => writer.put(format_args!("\"{}\"", to_base64(&bytes))),
                    None => writer.string(text),
                }
            }
            RawValue::Nested(nested) => writer.nested(nested.map, below),
        });
    }

    fn nested(&mut self, map: bool, nodes: &[Node<'_>]) {
        self.key(if map { name!("kvlistValue") } else { name!("arrayValue") });
        self.object(|writer| {
            writer.array(name!("values"), |writer| {
                for (member, below) in level(nodes) {
                    writer.separate();
                    if map {
                        writer.attribute(member, below);
                    } else {
                        writer.value(&member.value, below);
                    }
                }
            });
        });
    }

    fn double(&mut self, number: f64) {
        if number.is_nan() {
            self.out.extend_from_slice(b"\"NaN\"");
        } else if number.is_infinite() {
            self.out.extend_from_slice(if number > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
        } else {
            // The shortest digits that read back as the same number.
            self.put(format_args!("{number:?}"));
        }
    }

    fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.out.push(b'{');
        self.fresh = true;
        members(self);
        self.fresh = false;
        self.out.push(b'}');
    }

    /// An object that may stand in a list.
    fn item(&mut self, members: impl FnOnce(&mut Self)) {
        self.separate();
        self.object(members);
    }

    fn separate(&mut self) {
        if !self.fresh {
            self.out.push(b',');
        }
        self.fresh = false;
    }

    /// A member's name, as `name!` has it: its comma stays away where it comes first.
    #[inline]
    fn key(&mut self, key: &str) {
        self.out.extend_from_slice(key.as_bytes().get(usize::from(self.fresh)..).unwrap_or_default());
        self.fresh = false;
    }

    /// A list, which is taken back when nothing was written into it.
    fn array(&mut self, key: &str, items: impl FnOnce(&mut Self)) {
        let (before, was_fresh) = (self.out.len(), self.fresh);
        self.key(key);
        self.out.push(b'[');
        self.fresh = true;
        items(self);
        if self.fresh {
            self.out.truncate(before);
            self.fresh = was_fresh;
        } else {
            self.out.push(b']');
        }
    }

    fn list<T>(&mut self, key: &str, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        if items.is_empty() {
            return;
        }
        self.array(key, |writer| {
            for each in items {
                writer.separate();
                item(writer, each);
            }
        });
    }

    fn string(&mut self, text: &Text<'_>) {
        push_text(self.out, text);
    }

    fn text(&mut self, key: &str, text: &Text<'_>) {
        if !text.is_empty() {
            self.key(key);
            self.string(text);
        }
    }

    fn id(&mut self, key: &str, id: &RawId<'_>, width: Width, shape: Shape) {
        let written = id::for_json(id, width, shape);
        if !matches!(written, Written::Nothing) {
            self.key(key);
        }
        match written {
            Written::Nothing => {}
            Written::Whole(count, bytes) => {
                self.out.push(b'"');
                id::push_hex(self.out, bytes.get(16 - count..).unwrap_or_default());
                self.out.push(b'"');
            }
            Written::AsSpelled(characters) => quoted(self.out, &String::from_utf8_lossy(&characters)),
        }
    }

    fn small(&mut self, key: &str, number: u32) {
        if number != 0 {
            self.key(key);
            push_decimal(self.out, number.into());
        }
    }

    fn signed(&mut self, key: &str, number: i32) {
        if number != 0 {
            self.key(key);
            self.put(format_args!("{number}"));
        }
    }

    fn time(&mut self, key: &str, time: u64) {
        if time != 0 {
            self.key(key);
            self.out.push(b'"');
            push_decimal(self.out, time);
            self.out.push(b'"');
        }
    }

    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        // A vector takes everything.
        let _: std::io::Result<()> = self.out.write_fmt(what);
    }
}
