//! The leaves of an OTLP/JSON document: span, resource, scope.
//!
//! Comes in: a cursor at the leaf. Goes out: the leaf in place. Key order is free, unknown keys are stepped over, every
//! deviation is noted, and none costs the leaf; only broken syntax does.

use super::cursor::{Cursor, Halt};
use super::id::Width;
use super::raw::{RawEntityRef, RawEvent, RawLink, RawResource, RawScope, RawSpan, Shape, Text};

impl<'a> Cursor<'a, '_> {
    /// A span of OTLP/JSON into `span`, which is cleared first.
    pub(super) fn span(&mut self, span: &mut RawSpan<'a>) -> Result<(), Halt> {
        span.clear();
        self.peek()?;
        let from = self.at;
        let mut seen = 0;
        self.members(|cursor, key| cursor.span_member(span, key, &mut seen))?;
        span.shape = Shape::OtlpJson;
        span.raw = self.bytes.get(from..self.at).unwrap_or_default();
        Ok(())
    }

    #[inline(always)]
    fn span_member(&mut self, span: &mut RawSpan<'a>, key: &'a [u8], seen: &mut u32) -> Result<bool, Halt> {
        match key {
            b"traceId" => {
                self.once(seen, 1);
                span.trace_id = self.id(Width::Trace)?;
            }
            b"spanId" => {
                self.once(seen, 1 << 1);
                span.span_id = self.id(Width::Span)?;
            }
            b"parentSpanId" => {
                self.once(seen, 1 << 2);
                span.parent_id = self.id(Width::Span)?;
            }
            b"name" => {
                self.once(seen, 1 << 3);
                span.name = self.text_field()?;
            }
            b"kind" => {
                self.once(seen, 1 << 4);
                span.kind = self.enumeration(KINDS)?;
            }
            b"startTimeUnixNano" => {
                self.once(seen, 1 << 5);
                span.start = self.unsigned_field()?;
            }
            b"endTimeUnixNano" => {
                self.once(seen, 1 << 6);
                span.end = self.unsigned_field()?;
            }
            b"attributes" => {
                self.once(seen, 1 << 7);
                span.own = self.attributes(&mut span.pool)?;
            }
            b"events" => {
                self.once(seen, 1 << 8);
                span.events.clear();
                self.elements(|cursor| cursor.event(span))?;
            }
            b"links" => {
                self.once(seen, 1 << 9);
                span.links.clear();
                self.elements(|cursor| cursor.link(span))?;
            }
            b"status" => {
                self.once(seen, 1 << 10);
                self.status(span)?;
            }
            b"flags" => {
                self.once(seen, 1 << 11);
                span.flags = self.small_field()?;
            }
            b"traceState" => {
                self.once(seen, 1 << 12);
                span.trace_state = self.text_field()?;
            }
            b"droppedAttributesCount" => span.dropped_attributes = self.small_field()?,
            b"droppedEventsCount" => span.dropped_events = self.small_field()?,
            b"droppedLinksCount" => span.dropped_links = self.small_field()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn status(&mut self, span: &mut RawSpan<'a>) -> Result<(), Halt> {
        self.members(|cursor, key| {
            match key {
                b"code" => span.status = cursor.enumeration(CODES)?,
                b"message" => span.message = cursor.text_field()?,
                b"deprecatedCode" => {
                    let code = cursor.loose_integer(false)?;
                    if span.status == 0 && code != 0 {
                        span.status = 2;
                    }
                }
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    fn event(&mut self, span: &mut RawSpan<'a>) -> Result<(), Halt> {
        let mut event = RawEvent::default();
        let mut seen = 0;
        self.members(|cursor, key| {
            match key {
                b"timeUnixNano" => {
                    cursor.once(&mut seen, 1);
                    event.time = cursor.unsigned_field()?;
                }
                b"name" => {
                    cursor.once(&mut seen, 2);
                    event.name = cursor.text_field()?;
                }
                b"attributes" => {
                    cursor.once(&mut seen, 4);
                    event.attributes = cursor.attributes(&mut span.pool)?;
                }
                b"droppedAttributesCount" => event.dropped = cursor.small_field()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        span.events.push(event);
        Ok(())
    }

    fn link(&mut self, span: &mut RawSpan<'a>) -> Result<(), Halt> {
        let mut link = RawLink::default();
        let mut seen = 0;
        self.members(|cursor, key| {
            match key {
                b"traceId" => {
                    cursor.once(&mut seen, 1);
                    link.trace_id = cursor.id(Width::Trace)?;
                }
                b"spanId" => {
                    cursor.once(&mut seen, 2);
                    link.span_id = cursor.id(Width::Span)?;
                }
                b"traceState" => link.trace_state = cursor.text_field()?,
                b"attributes" => {
                    cursor.once(&mut seen, 4);
                    link.attributes = cursor.attributes(&mut span.pool)?;
                }
                b"droppedAttributesCount" => link.dropped = cursor.small_field()?,
                b"flags" => link.flags = cursor.small_field()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        span.links.push(link);
        Ok(())
    }

    /// A resource.
    pub(super) fn resource(&mut self) -> Result<RawResource<'a>, Halt> {
        self.peek()?;
        let from = self.at;
        let mut resource = RawResource::default();
        let mut seen = 0;
        self.members(|cursor, key| {
            match key {
                b"attributes" => {
                    cursor.once(&mut seen, 1);
                    resource.attributes.clear();
                    cursor.attributes(&mut resource.attributes)?;
                }
                b"droppedAttributesCount" => resource.dropped = cursor.small_field()?,
                b"entityRefs" => {
                    resource.entity_refs.clear();
                    cursor.elements(|cursor| {
                        let entity = cursor.entity_ref()?;
                        resource.entity_refs.push(entity);
                        Ok(())
                    })?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        resource.raw = self.bytes.get(from..self.at).unwrap_or_default();
        Ok(resource)
    }

    fn entity_ref(&mut self) -> Result<RawEntityRef<'a>, Halt> {
        let mut entity = RawEntityRef::default();
        self.members(|cursor, key| {
            match key {
                b"schemaUrl" => entity.schema_url = cursor.text_field()?,
                b"type" => entity.kind = cursor.text_field()?,
                b"idKeys" => cursor.texts(&mut entity.id_keys)?,
                b"descriptionKeys" => cursor.texts(&mut entity.description_keys)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(entity)
    }

    fn texts(&mut self, into: &mut Vec<Text<'a>>) -> Result<(), Halt> {
        into.clear();
        self.elements(|cursor| {
            let text = cursor.text_field()?;
            into.push(text);
            Ok(())
        })
    }

    /// An instrumentation scope (or the older instrumentation library).
    pub(super) fn scope(&mut self) -> Result<RawScope<'a>, Halt> {
        self.peek()?;
        let from = self.at;
        let mut scope = RawScope::default();
        let mut seen = 0;
        self.members(|cursor, key| {
            match key {
                b"name" => {
                    cursor.once(&mut seen, 1);
                    scope.name = cursor.text_field()?;
                }
                b"version" => {
                    cursor.once(&mut seen, 2);
                    scope.version = cursor.text_field()?;
                }
                b"attributes" => {
                    cursor.once(&mut seen, 4);
                    scope.attributes.clear();
                    cursor.attributes(&mut scope.attributes)?;
                }
                b"droppedAttributesCount" => scope.dropped = cursor.small_field()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        scope.raw = self.bytes.get(from..self.at).unwrap_or_default();
        Ok(scope)
    }
}

const KINDS: &[(&str, i32)] =
    &[("UNSPECIFIED", 0), ("INTERNAL", 1), ("SERVER", 2), ("CLIENT", 3), ("PRODUCER", 4), ("CONSUMER", 5)];

const CODES: &[(&str, i32)] = &[("UNSET", 0), ("OK", 1), ("ERROR", 2)];
