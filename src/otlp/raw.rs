//! Spans, resources and scopes as they lie in the bytes: borrowed, not yet decoded, the same for every encoding.
//!
//! Comes in: slices of a buffer, cut by one of the scanners. Goes out: views that decode on demand.
//! Nothing here copies a value unless it has to be unescaped, and nothing is judged.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::{Attribute, SpanId, TraceId, Value};

use super::nested;
use super::text;

/// A string as it stands in the input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text<'a> {
    /// The bytes between the quotes (JSON) or of the field (protobuf).
    pub raw: &'a [u8],
    /// JSON escapes are in it.
    pub escaped: bool,
    /// Whoever read it has found it to be well-formed UTF-8; where this is not set, nobody knows.
    pub(super) sound: bool,
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.raw, self.escaped) == (other.raw, other.escaped)
    }
}

impl Eq for Text<'_> {}

impl<'a> Text<'a> {
    /// A string without escapes, of bytes that nobody has looked at.
    pub const fn plain(raw: &'a [u8]) -> Self {
        Self::json(raw, false)
    }

    /// What is between the quotes of a JSON string, of bytes that nobody has looked at.
    pub const fn json(raw: &'a [u8], escaped: bool) -> Self {
        Self { raw, escaped, sound: false }
    }

    /// A text that is at hand as such.
    pub const fn known(text: &'a str) -> Self {
        Self { raw: text.as_bytes(), escaped: false, sound: true }
    }

    /// Whether nothing is between the quotes.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Whether this is exactly `other`, escapes resolved.
    pub fn is(&self, other: &str) -> bool {
        if self.escaped { self.decode() == other } else { self.raw == other.as_bytes() }
    }

    /// The text, with escapes resolved and everything that is not UTF-8 (or is a lone surrogate) replaced by U+FFFD.
    pub fn decode(&self) -> Cow<'a, str> {
        match self.escaped {
            true => Cow::Owned(text::unescape_lossy(self.raw)),
            // Nearly all text is well-formed, and that is told faster than where it is not.
            false => std::str::from_utf8(self.raw).map_or_else(|_| String::from_utf8_lossy(self.raw), Cow::Borrowed),
        }
    }

    /// Length of the decoded text in UTF-8 bytes, at most the length of [`Self::decode`] of well-formed text.
    pub fn byte_len(&self) -> usize {
        if self.escaped { text::unescaped_len(self.raw) } else { self.raw.len() }
    }

    /// Length of the decoded text in characters (Unicode scalar values).
    pub fn char_len(&self) -> usize {
        self.decode().chars().count()
    }
}

/// How an array or map is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// OTLP/JSON: `{"values":[…]}`.
    Json,
    /// OTLP/protobuf: the bytes of an `ArrayValue` or `KeyValueList`.
    Proto,
    /// An ordinary JSON array or object, as foreign formats write them.
    Plain,
}

/// An array or map that was checked but not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nested<'a> {
    /// Its bytes, complete and syntactically sound.
    pub raw: &'a [u8],
    /// What they are.
    pub wire: Wire,
    /// A map (`kvlist_value`) rather than an array.
    pub map: bool,
}

/// An OTLP `AnyValue` in place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RawValue<'a> {
    /// No member set, or one this version cannot carry.
    #[default]
    Empty,
    /// `string_value`.
    Text(Text<'a>),
    /// `bool_value`.
    Bool(bool),
    /// `int_value`.
    Int(i64),
    /// `double_value`.
    Double(f64),
    /// `bytes_value` in protobuf: the bytes themselves.
    Bytes(&'a [u8]),
    /// `bytes_value` in JSON: base64, standard or URL-safe, padded or not.
    Base64(Text<'a>),
    /// `array_value` or `kvlist_value`.
    Nested(Nested<'a>),
}

impl<'a> RawValue<'a> {
    /// The string, if it is one.
    pub fn text(&self) -> Option<Text<'a>> {
        match self {
            Self::Text(text) => Some(*text),
            _ => None,
        }
    }

    /// The integer, if it is one, also when it was written as text or as an integral double.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Double(number) if number.fract() == 0.0 && number.abs() < 9e15 => format!("{number:.0}").parse().ok(),
            Self::Text(text) => text.decode().trim().parse().ok(),
            _ => None,
        }
    }

    /// The value as owned data.
    pub fn decode(&self) -> Value {
        match self {
            Self::Empty => Value::Empty,
            Self::Text(text) => Value::String(text.decode().into_owned()),
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Self::Base64(text) => Value::Bytes(text::base64(text.decode().as_bytes()).unwrap_or_default()),
            Self::Nested(nested) => nested::decode(nested),
        }
    }
}

/// An OTLP `KeyValue` in place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RawAttribute<'a> {
    /// Its key; empty when missing.
    pub key: Text<'a>,
    /// Its value.
    pub value: RawValue<'a>,
}

impl RawAttribute<'_> {
    /// The attribute as owned data.
    pub fn decode(&self) -> Attribute {
        Attribute { key: self.key.decode().into_owned(), value: self.value.decode() }
    }
}

/// What became of an id that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdForm {
    /// Missing, null or empty.
    #[default]
    Absent,
    /// The right number of bytes, not all zero.
    Whole,
    /// All zero.
    Zero,
    /// Another length, or not an id at all: the bits are derived from the spelling.
    Folded,
}

/// A trace or span id in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawId<'a> {
    /// The id, right-aligned; zero when absent.
    pub bits: u128,
    /// How it was written.
    pub form: IdForm,
    /// Its characters (JSON) or bytes (protobuf).
    pub spelling: &'a [u8],
}

impl RawId<'_> {
    /// The id as it was written: its characters in JSON, hexadecimal in protobuf.
    pub fn spelled(&self, shape: Shape) -> String {
        match shape {
            Shape::OtlpProto => self.spelling.iter().map(|byte| format!("{byte:02x}")).collect(),
            _ => String::from_utf8_lossy(self.spelling).into_owned(),
        }
    }

    /// Whether an id is given that is neither 16 (8) bytes nor absent, or is all zero.
    pub fn is_odd(&self) -> bool {
        matches!(self.form, IdForm::Folded | IdForm::Zero)
    }

    /// As a trace id.
    pub fn trace(&self) -> TraceId {
        TraceId(self.bits)
    }

    /// As a span id.
    pub fn span(&self) -> SpanId {
        SpanId((self.bits & u128::from(u64::MAX)) as u64)
    }
}

/// An event of a span. `attributes` is a range of [`RawSpan::pool`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawEvent<'a> {
    /// Unix nanoseconds; zero when missing.
    pub time: u64,
    /// The event's name.
    pub name: Text<'a>,
    /// Where its attributes are in the pool.
    pub attributes: Range<usize>,
    /// `dropped_attributes_count`.
    pub dropped: u32,
}

/// A link of a span. `attributes` is a range of [`RawSpan::pool`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawLink<'a> {
    /// The linked trace.
    pub trace_id: RawId<'a>,
    /// The linked span.
    pub span_id: RawId<'a>,
    /// W3C `tracestate` of the linked context.
    pub trace_state: Text<'a>,
    /// Where its attributes are in the pool.
    pub attributes: Range<usize>,
    /// `dropped_attributes_count`.
    pub dropped: u32,
    /// `flags`, all 32 bits as they came.
    pub flags: u32,
}

/// Which format a span was written in. Its bytes can be read again only as that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Shape {
    /// OTLP/JSON.
    #[default]
    OtlpJson,
    /// OTLP/protobuf.
    OtlpProto,
    /// Jaeger JSON (`/api/traces`, the UI's download).
    Jaeger,
    /// Zipkin v2 JSON.
    Zipkin,
    /// The Python SDK's `ConsoleSpanExporter`.
    Console,
}

impl Shape {
    /// All shapes, by number.
    pub const ALL: [Self; 5] = [Self::OtlpJson, Self::OtlpProto, Self::Jaeger, Self::Zipkin, Self::Console];

    /// The name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::OtlpJson => "otlp-json",
            Self::OtlpProto => "otlp-proto",
            Self::Jaeger => "jaeger-json",
            Self::Zipkin => "zipkin-json",
            Self::Console => "console-json",
        }
    }
}

/// A span in place, filled again and again by a scanner.
///
/// One pool holds the attributes of the span, its events and its links, so that reading a span allocates nothing once
/// the vectors have grown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawSpan<'a> {
    /// The span's own bytes.
    pub raw: &'a [u8],
    /// What those bytes are.
    pub shape: Shape,
    /// `trace_id`.
    pub trace_id: RawId<'a>,
    /// `span_id`.
    pub span_id: RawId<'a>,
    /// `parent_span_id`; absent or zero for a root.
    pub parent_id: RawId<'a>,
    /// W3C `tracestate`.
    pub trace_state: Text<'a>,
    /// `flags`, all 32 bits as they came.
    pub flags: u32,
    /// The span's name.
    pub name: Text<'a>,
    /// `kind` as a number, also when no version of the protocol names it.
    pub kind: i32,
    /// Unix nanoseconds; zero when missing.
    pub start: u64,
    /// Unix nanoseconds; zero when the span never ended.
    pub end: u64,
    /// `status.code` as a number.
    pub status: i32,
    /// `status.message`.
    pub message: Text<'a>,
    /// `dropped_attributes_count`.
    pub dropped_attributes: u32,
    /// `dropped_events_count`.
    pub dropped_events: u32,
    /// `dropped_links_count`.
    pub dropped_links: u32,
    /// Where the span's own attributes are in the pool.
    pub own: Range<usize>,
    /// Attributes of the span, its events and its links.
    pub pool: Vec<RawAttribute<'a>>,
    /// Own attributes that came behind those of events and links, until the span is complete.
    pub(crate) apart: Vec<RawAttribute<'a>>,
    /// Events in the order they were written.
    pub events: Vec<RawEvent<'a>>,
    /// Links in the order they were written.
    pub links: Vec<RawLink<'a>>,
    /// Fields in its bytes that no version known here has.
    pub unknown: u32,
}

impl<'a> RawSpan<'a> {
    /// Makes it ready for the next span, keeping the vectors' space.
    pub fn clear(&mut self) {
        self.raw = &[];
        self.trace_id = RawId::default();
        self.span_id = RawId::default();
        self.parent_id = RawId::default();
        self.trace_state = Text::default();
        self.flags = 0;
        self.name = Text::default();
        self.kind = 0;
        self.start = 0;
        self.end = 0;
        self.status = 0;
        self.message = Text::default();
        self.dropped_attributes = 0;
        self.dropped_events = 0;
        self.dropped_links = 0;
        self.own = 0..0;
        self.pool.clear();
        self.apart.clear();
        self.events.clear();
        self.links.clear();
        self.unknown = 0;
    }

    /// Adds an attribute of the span itself. [`Self::settle`] follows behind the last one.
    #[inline(always)]
    pub(super) fn push(&mut self, attribute: RawAttribute<'a>) {
        if self.own.end == self.pool.len() {
            self.pool.push(attribute);
            self.own.end = self.pool.len();
        } else {
            self.apart.push(attribute);
        }
    }

    /// Lays the span's own attributes side by side, where others came in between.
    #[inline(always)]
    pub(super) fn settle(&mut self) {
        if !self.apart.is_empty() {
            let from = self.pool.len();
            self.pool.extend_from_within(self.own.clone());
            self.pool.append(&mut self.apart);
            self.own = from..self.pool.len();
        }
    }

    /// The span's own attributes.
    pub fn attributes(&self) -> &[RawAttribute<'a>] {
        self.pooled(&self.own)
    }

    /// The last attribute of the span with this key: where keys repeat, the last one counts.
    pub fn attribute(&self, key: &str) -> Option<&RawValue<'a>> {
        self.attributes().iter().rev().find(|attribute| attribute.key.is(key)).map(|attribute| &attribute.value)
    }

    /// The attributes of an event or link of this span.
    pub fn pooled(&self, range: &Range<usize>) -> &[RawAttribute<'a>] {
        self.pool.get(range.clone()).unwrap_or_default()
    }
}

/// An OTLP `EntityRef` in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawEntityRef<'a> {
    /// `schema_url`.
    pub schema_url: Text<'a>,
    /// `type`.
    pub kind: Text<'a>,
    /// `id_keys`.
    pub id_keys: Vec<Text<'a>>,
    /// `description_keys`.
    pub description_keys: Vec<Text<'a>>,
}

/// An OTLP `Resource` in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawResource<'a> {
    /// Its own bytes.
    pub raw: &'a [u8],
    /// Its attributes.
    pub attributes: Vec<RawAttribute<'a>>,
    /// `dropped_attributes_count`.
    pub dropped: u32,
    /// `entity_refs`.
    pub entity_refs: Vec<RawEntityRef<'a>>,
    /// Fields in its bytes that no version known here has.
    pub unknown: u32,
}

/// An OTLP `InstrumentationScope` in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawScope<'a> {
    /// Its own bytes.
    pub raw: &'a [u8],
    /// `name`.
    pub name: Text<'a>,
    /// `version`.
    pub version: Text<'a>,
    /// Its attributes.
    pub attributes: Vec<RawAttribute<'a>>,
    /// `dropped_attributes_count`.
    pub dropped: u32,
    /// Fields in its bytes that no version known here has.
    pub unknown: u32,
}

impl RawResource<'_> {
    /// Whether it says nothing, so that an encoder leaves it out.
    pub fn is_silent(&self) -> bool {
        self.attributes.is_empty() && self.dropped == 0 && self.entity_refs.is_empty()
    }
}

impl RawScope<'_> {
    /// Whether it says nothing, so that an encoder leaves it out.
    pub fn is_silent(&self) -> bool {
        self.name.is_empty() && self.version.is_empty() && self.attributes.is_empty() && self.dropped == 0
    }
}
