//! Everything about one span, as plain data.
//!
//! Comes in: a span's details and its node in the tree. Goes out: a [`Span`], field by field what JSON writes, secrets hidden.

use serde::Serialize;
use serde_json::Value as Json;

use super::place::near;
use super::plain::pairs;
use super::{Near, Place};
use crate::capture::{Capture, Detail, EventDetail, LinkDetail, SpanRef};
use crate::forest::{Node, Tree};
use crate::model::SpanId;
use crate::query::ended;
use crate::redact;

/// A span in full.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// Its trace, 32 hexadecimal digits.
    pub trace_id: String,
    /// Its id, 16 hexadecimal digits.
    pub span_id: String,
    /// Its parent's id; null for a root.
    pub parent_id: Option<String>,
    /// Its trace, span and parent ids as they were spelled, where that is not how OTLP spells them.
    pub spelled_ids: [Option<String>; 3],
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Its kind.
    pub kind: &'static str,
    /// What it does in an agent's run.
    pub role: Option<&'static str>,
    /// How it ended: ok, error, cancelled or unfinished.
    pub outcome: &'static str,
    /// The status that was recorded: unset, ok or error.
    pub status: &'static str,
    /// The status message.
    pub message: String,
    /// What is odd about its place in the tree.
    pub oddities: Vec<&'static str>,
    /// Start, Unix nanoseconds in decimal digits.
    pub start_unix_nano: String,
    /// End, likewise; `"0"` when it never ended.
    pub end_unix_nano: String,
    /// How long it took.
    pub duration_ns: u64,
    /// The part of it in which none of its children ran.
    pub self_ns: u64,
    /// Its start after the earliest start of its trace.
    pub offset_ns: u64,
    /// How many identical copies were read besides this one.
    pub repeats: u32,
    /// OTLP flags, all 32 bits.
    pub flags: u32,
    /// W3C `tracestate`.
    pub trace_state: String,
    /// Attributes in the order they were written.
    pub attributes: Vec<Pair>,
    /// How many more the producer dropped.
    pub dropped_attributes: u32,
    /// Events in the order they were written.
    pub events: Vec<Event>,
    /// How many more the producer dropped.
    pub dropped_events: u32,
    /// Links in the order they were written.
    pub links: Vec<Link>,
    /// How many more the producer dropped.
    pub dropped_links: u32,
    /// Attributes of the resource.
    pub resource: Vec<Pair>,
    /// Schema of the resource.
    pub resource_schema_url: String,
    /// Name and version of the instrumentation scope.
    pub scope: String,
    /// Attributes of the scope.
    pub scope_attributes: Vec<Pair>,
    /// Its ancestors, the root first.
    pub parents: Vec<Relative>,
    /// Its children, by start.
    pub children: Vec<Relative>,
    /// Where it was read.
    pub place: Place,
    /// What was odd there.
    pub troubles: Vec<Near>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Json,
}

/// A span event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// When, Unix nanoseconds in decimal digits.
    pub time_unix_nano: String,
    /// When, after the start of the span; negative before it, null where either time is missing.
    pub offset_ns: Option<i64>,
    /// Its attributes.
    pub attributes: Vec<Pair>,
    /// How many more the producer dropped.
    pub dropped_attributes: u32,
}

/// A span link.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Link {
    /// The trace it points to.
    pub trace_id: String,
    /// The span it points to.
    pub span_id: String,
    /// W3C `tracestate`.
    pub trace_state: String,
    /// OTLP flags.
    pub flags: u32,
    /// Its attributes.
    pub attributes: Vec<Pair>,
    /// How many more the producer dropped.
    pub dropped_attributes: u32,
}

/// A span near this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relative {
    /// Its id.
    pub span_id: String,
    /// Its name; null where the span is missing.
    pub name: Option<String>,
    /// How it ended.
    pub outcome: &'static str,
    /// How long it took.
    pub duration_ns: u64,
}

impl Span {
    /// Lays a span open; `at` is its node in `tree`.
    pub(super) fn of(capture: &Capture, tree: &Tree, at: usize, span: SpanRef, detail: &Detail, line: u64) -> Self {
        let head = capture.head(span);
        let node = tree.nodes().get(at);
        let text = |text: &str| redact::text(text).into_owned();
        let scope = [detail.scope.name.as_str(), detail.scope.version.as_str()].join(" ");
        Self {
            trace_id: detail.trace_id.to_string(),
            span_id: detail.span_id.to_string(),
            parent_id: Some(detail.parent_id).filter(|id| !id.is_none()).map(|id| id.to_string()),
            spelled_ids: detail.odd_ids.clone(),
            name: text(&detail.name),
            service: capture.service(span).to_owned(),
            kind: detail.kind.name(),
            role: head.marks.role().map(|role| role.name()),
            outcome: ended(head).name(),
            status: detail.status.name(),
            message: text(&detail.message),
            oddities: node.map(|node| node.flags.names().collect()).unwrap_or_default(),
            start_unix_nano: detail.start.to_string(),
            end_unix_nano: detail.end.to_string(),
            duration_ns: head.duration().0,
            self_ns: node.map_or(0, |node| node.self_ns),
            offset_ns: detail.start.saturating_sub(tree.counts().start),
            repeats: node.map_or(0, |node| node.repeats),
            flags: detail.flags,
            trace_state: text(&detail.trace_state),
            attributes: pairs(&detail.attributes),
            dropped_attributes: detail.dropped_attributes,
            events: detail.events.iter().map(|event| Event::of(event, detail.start)).collect(),
            dropped_events: detail.dropped_events,
            links: detail.links.iter().map(Link::of).collect(),
            dropped_links: detail.dropped_links,
            resource: pairs(&detail.resource.attributes),
            resource_schema_url: text(&detail.resource.schema_url),
            scope: text(scope.trim()),
            scope_attributes: pairs(&detail.scope.attributes),
            parents: parents(capture, tree, at),
            children: tree.children(at).filter_map(|child| relative(capture, tree, child)).collect(),
            place: Place::of(capture, head, line),
            troubles: near(capture, head),
        }
    }
}

/// Of a longer line of ancestors only the nearest are listed.
const NEAREST: usize = 16;

fn parents(capture: &Capture, tree: &Tree, at: usize) -> Vec<Relative> {
    let chain = std::iter::successors(tree.parent(at), |&parent| tree.parent(parent));
    let mut parents: Vec<_> = chain.take(NEAREST).filter_map(|parent| relative(capture, tree, parent)).collect();
    parents.reverse();
    parents
}

fn relative(capture: &Capture, tree: &Tree, at: usize) -> Option<Relative> {
    let node: &Node = tree.nodes().get(at)?;
    let id: SpanId = node.id;
    Some(Relative {
        span_id: id.to_string(),
        name: node.span.map(|span| redact::text(capture.name(span)).into_owned()),
        outcome: node.outcome.name(),
        duration_ns: node.duration_ns(),
    })
}

impl Event {
    fn of(event: &EventDetail, start: u64) -> Self {
        let offset = i128::from(event.time) - i128::from(start);
        Self {
            name: redact::text(&event.name).into_owned(),
            time_unix_nano: event.time.to_string(),
            offset_ns: i64::try_from(offset).ok().filter(|_| start != 0 && event.time != 0),
            attributes: pairs(&event.attributes),
            dropped_attributes: event.dropped,
        }
    }
}

impl Link {
    fn of(link: &LinkDetail) -> Self {
        Self {
            trace_id: link.trace_id.to_string(),
            span_id: link.span_id.to_string(),
            trace_state: redact::text(&link.trace_state).into_owned(),
            flags: link.flags,
            attributes: pairs(&link.attributes),
            dropped_attributes: link.dropped,
        }
    }
}
