//! Jaeger's JSON, as its API answers and its UI opens: `{"data":[{"traceID","spans","processes"}]}`.
//!
//! Comes in: chosen spans. Goes out: a trace object each trace, its processes behind its spans. Follows the OpenTelemetry document
//! "OpenTelemetry to Jaeger Transformation"; like the Collector it also names the kind "internal".

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::attributes::{Counted, event_time, micros, odd_ids, odd_times};
use super::exporter::{ExportError, Exporter, Pick};
use super::loss::{Exported, Loss};
use super::pen::Pen;
use super::shelf::{Home, Shelf};
use super::tags::{Says, fields, is_reserved};
use super::text::{number_text, text, trace_hex};
use crate::capture::{Detail, EventDetail, LinkDetail, ScopeDetail};
use crate::model::{Attribute, Kind, Status, Value};

/// The largest integer that every reader of JSON keeps.
const EXACT: u64 = 1 << 53;
/// The attribute of a link that says which kind of reference it was.
const REFERENCE: &str = "opentracing.ref_type";

/// Writes the chosen spans.
pub(super) fn write(
    exporter: &mut Exporter<'_>,
    pick: &Pick<'_>,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let mut counted = Counted::default();
    let mut pen = Pen::new(out);
    pen.raw("{\"data\":[")?;
    let mut traces = 0;
    for trace in pick.traces.clone() {
        let spans = exporter.spans(trace, pick);
        let mut processes = Processes::default();
        pen.list();
        for span in spans {
            let Some(detail) = exporter.shelf.span(span)? else {
                exported.missing += 1;
                continue;
            };
            if processes.numbers.is_empty() {
                pen.raw(if traces > 0 { ",\n" } else { "\n" })?;
                pen.raw(&format!("{{\"traceID\":\"{}\",\"spans\":[", trace_hex(detail.trace_id)))?;
                traces += 1;
            }
            let shelf = &exporter.shelf;
            exported.note(Loss::NoService, shelf.home(span).1.service.is_none());
            counted.origin(shelf, span, None, &mut exported);
            let process = processes.of(shelf.home(span).0);
            pen.item(&Span::of(&detail, shelf.scope(span), process, &mut exported))?;
            exported.spans += 1;
            processes.example.entry(process).or_insert(span);
        }
        processes.write(&exporter.shelf, &mut pen, &mut exported)?;
    }
    pen.raw("\n],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}\n")?;
    Ok(exported)
}

/// The processes of one trace: resources by the order in which spans name them.
#[derive(Default)]
struct Processes {
    numbers: BTreeMap<u32, usize>,
    /// A span of each.
    example: BTreeMap<usize, crate::capture::SpanRef>,
}

impl Processes {
    fn of(&mut self, resource: u32) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(resource).or_insert(next)
    }

    fn write(&self, shelf: &Shelf<'_>, pen: &mut Pen<'_>, exported: &mut Exported) -> io::Result<()> {
        if self.numbers.is_empty() {
            return Ok(());
        }
        pen.raw("\n],\"processes\":{")?;
        for (number, (process, span)) in self.example.iter().enumerate() {
            pen.raw(&format!("{}\"p{process}\":", if number > 0 { "," } else { "" }))?;
            pen.value(&Process::of(shelf.home(*span).1, exported))?;
        }
        pen.raw("},\"warnings\":null}")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Process<'a> {
    service_name: &'a str,
    tags: Vec<Tag<'a>>,
}

impl<'a> Process<'a> {
    fn of(home: &'a Home, exported: &mut Exported) -> Self {
        let others = home.resource.attributes.iter().filter(|attribute| attribute.key != "service.name");
        let tags = others.map(|attribute| Tag::of(attribute, exported)).collect();
        Self { service_name: home.service.as_deref().unwrap_or("unknown_service"), tags }
    }
}

#[derive(Serialize)]
struct Span<'a> {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    flags: u32,
    #[serde(rename = "operationName")]
    name: &'a str,
    references: Vec<Reference>,
    #[serde(rename = "startTime")]
    start: u64,
    duration: u64,
    tags: Vec<Tag<'a>>,
    logs: Vec<Log<'a>>,
    #[serde(rename = "processID")]
    process: String,
    warnings: Option<()>,
}

#[derive(Serialize)]
struct Reference {
    #[serde(rename = "refType")]
    kind: &'static str,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Serialize)]
struct Log<'a> {
    timestamp: u64,
    fields: Vec<Tag<'a>>,
}

#[derive(Serialize)]
struct Tag<'a> {
    key: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: TagValue<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum TagValue<'a> {
    Text(Cow<'a, str>),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl<'a> Span<'a> {
    fn of(span: &'a Detail, scope: &'a ScopeDetail, process: usize, exported: &mut Exported) -> Self {
        micros(span, exported);
        odd_times(span, exported);
        odd_ids(span, exported);
        exported.note(Loss::Flags, span.flags & !1 != 0);
        let start = span.start / 1000;
        // Both ends are cut, so that what lay within a span still does.
        let duration = if span.start == 0 { 0 } else { (span.end / 1000).saturating_sub(start) };
        Self {
            trace_id: trace_hex(span.trace_id),
            span_id: span.span_id.to_string(),
            flags: span.flags & 1,
            name: &span.name,
            references: references(span, exported),
            start,
            duration,
            tags: tags(span, scope, exported),
            logs: span.events.iter().map(|event| Log::of(span, event, exported)).collect(),
            process: format!("p{process}"),
            warnings: None,
        }
    }
}

/// The parent first, then the links.
fn references(span: &Detail, exported: &mut Exported) -> Vec<Reference> {
    let reference =
        |kind, trace, id: crate::model::SpanId| Reference { kind, trace_id: trace_hex(trace), span_id: id.to_string() };
    let has_parent = !span.parent_id.is_none();
    let mut references = Vec::new();
    if has_parent {
        references.push(reference("CHILD_OF", span.trace_id, span.parent_id));
    }
    for link in &span.links {
        // Without a parent, a second one in the trace would be taken for it.
        let child = is_child(link) && (has_parent || link.trace_id != span.trace_id);
        let more = link.attributes.len() > usize::from(child) || !link.trace_state.is_empty();
        exported.note(Loss::LinkDetails, more || link.flags != 0 || link.dropped > 0);
        references.push(reference(if child { "CHILD_OF" } else { "FOLLOWS_FROM" }, link.trace_id, link.span_id));
    }
    references
}

fn is_child(link: &LinkDetail) -> bool {
    let child = |value: &Value| matches!(value, Value::String(text) if text == "child_of");
    link.attributes.iter().any(|attribute| attribute.key == REFERENCE && child(&attribute.value))
}

fn tags<'a>(span: &'a Detail, scope: &'a ScopeDetail, exported: &mut Exported) -> Vec<Tag<'a>> {
    let mut tags = Vec::with_capacity(span.attributes.len() + 4);
    if span.kind != Kind::Unspecified {
        tags.push(Tag::text("span.kind", span.kind.name()));
    }
    if span.status == Status::Error {
        tags.push(Tag { key: "error", kind: "bool", value: TagValue::Bool(true) });
    }
    if !span.message.is_empty() {
        tags.push(Tag::text("otel.status_description", &span.message));
    }
    for (key, says) in fields(span, scope) {
        tags.push(match says {
            Says::Text(text) => Tag::text(key, text),
            Says::Count(count) => Tag::count(key, count),
        });
    }
    for attribute in &span.attributes {
        let failed = |value: &Value| match value {
            Value::Bool(yes) => *yes,
            Value::String(text) => text == "true",
            _ => false,
        };
        exported.note(Loss::ReservedKey, is_reserved(attribute, span, failed));
        tags.push(Tag::of(attribute, exported));
    }
    tags
}

impl<'a> Log<'a> {
    fn of(span: &Detail, event: &'a EventDetail, exported: &mut Exported) -> Self {
        let mut fields = vec![Tag::text("event", &event.name)];
        if event.dropped > 0 {
            fields.push(Tag::count("otel.dropped_attributes_count", event.dropped));
        }
        fields.extend(event.attributes.iter().map(|attribute| Tag::of(attribute, exported)));
        Self { timestamp: event_time(span, event) / 1000, fields }
    }
}

impl<'a> Tag<'a> {
    fn text(key: &'a str, value: &'a str) -> Self {
        Self { key, kind: "string", value: TagValue::Text(Cow::Borrowed(value)) }
    }

    fn count(key: &'a str, count: u32) -> Self {
        Self { key, kind: "int64", value: TagValue::Int(count.into()) }
    }

    fn of(attribute: &'a Attribute, exported: &mut Exported) -> Self {
        let (kind, value) = match &attribute.value {
            Value::String(text) => ("string", TagValue::Text(Cow::Borrowed(text))),
            Value::Bool(value) => ("bool", TagValue::Bool(*value)),
            Value::Int(number) if number.unsigned_abs() <= EXACT => ("int64", TagValue::Int(*number)),
            Value::Int(number) => ("int64", TagValue::Text(Cow::Owned(number.to_string()))),
            Value::Double(number) if number.is_finite() => ("float64", TagValue::Double(*number)),
            Value::Double(number) => ("float64", TagValue::Text(number_text(*number))),
            Value::Bytes(bytes) => ("binary", TagValue::Text(Cow::Owned(STANDARD.encode(bytes)))),
            other => {
                exported.note(Loss::ValueType, true);
                ("string", TagValue::Text(text(other)))
            }
        };
        Self { key: &attribute.key, kind, value }
    }
}
