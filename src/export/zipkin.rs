//! Zipkin's v2 JSON: an array of spans.
//!
//! Comes in: chosen spans. Goes out: one object each span, one a line. Follows the OpenTelemetry document "OpenTelemetry to Zipkin
//! Transformation"; like the Collector it writes the resource's attributes on each span, for there is no other place for them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write;
use std::net::IpAddr;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::attributes::{Counted, event_time, micros, odd_ids, odd_times};
use super::exporter::{ExportError, Exporter, Pick};
use super::loss::{Exported, Loss};
use super::pen::Pen;
use super::shelf::Home;
use super::tags::{Says, fields, is_reserved};
use super::text::{Members, last_ones, text, trace_hex};
use crate::capture::{Detail, EventDetail, ScopeDetail};
use crate::model::{Attribute, Kind, Status, Value};

/// Writes the chosen spans.
pub(super) fn write(
    exporter: &mut Exporter<'_>,
    pick: &Pick<'_>,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let mut counted = Counted::default();
    let mut pen = Pen::new(out);
    pen.raw("[")?;
    for spans in exporter.rows(pick) {
        for span in spans {
            let Some(detail) = exporter.shelf.span(span)? else {
                exported.missing += 1;
                continue;
            };
            let shelf = &exporter.shelf;
            exported.note(Loss::NoService, shelf.home(span).1.service.is_none());
            counted.origin(shelf, span, Some(Loss::ResourceOnSpans), &mut exported);
            pen.item(&Span::of(&detail, shelf.home(span).1, shelf.scope(span), &mut exported))?;
            exported.spans += 1;
        }
    }
    pen.raw("\n]\n")?;
    Ok(exported)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    trace_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    local_endpoint: Endpoint<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_endpoint: Option<Endpoint<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'a>>,
    #[serde(skip_serializing_if = "Tags::is_empty")]
    tags: Tags<'a>,
    #[serde(skip_serializing_if = "is_false")]
    debug: bool,
    #[serde(skip_serializing_if = "is_false")]
    shared: bool,
}

fn is_false(yes: &bool) -> bool {
    !*yes
}

#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

#[derive(Serialize)]
struct Annotation<'a> {
    timestamp: u64,
    value: Cow<'a, str>,
}

/// Tags in their order; each name once.
#[derive(Default)]
struct Tags<'a> {
    list: Vec<(&'a str, Cow<'a, str>)>,
    names: HashSet<&'a str>,
}

impl<'a> Tags<'a> {
    fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether the name was free.
    fn add(&mut self, key: &'a str, value: Cow<'a, str>) -> bool {
        let free = self.names.insert(key);
        if free {
            self.list.push((key, value));
        }
        free
    }
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.list.len()))?;
        for (key, value) in &self.list {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'a> Span<'a> {
    fn of(span: &'a Detail, home: &'a Home, scope: &'a ScopeDetail, exported: &mut Exported) -> Self {
        micros(span, exported);
        odd_times(span, exported);
        odd_ids(span, exported);
        exported.note(Loss::Flags, span.flags != 0);
        exported.count(Loss::Link, span.links.len());
        exported.note(Loss::InternalKind, span.kind == Kind::Internal);
        let mut taken = Taken { span, keys: HashSet::new() };
        let service = Some(Cow::Borrowed(home.service.as_deref().unwrap_or("unknown_service")));
        let local_endpoint = taken.local(service);
        let remote_endpoint = taken.remote(exported);
        let (shared, debug) = (taken.mark("zipkin.shared"), taken.mark("zipkin.debug"));
        Self {
            trace_id: trace_hex(span.trace_id),
            parent_id: (!span.parent_id.is_none()).then(|| span.parent_id.to_string()),
            id: span.span_id.to_string(),
            kind: kind(span.kind),
            name: &span.name,
            timestamp: Some(span.start / 1000).filter(|start| *start != 0),
            duration: duration(span, exported),
            local_endpoint,
            remote_endpoint,
            annotations: span.events.iter().map(|event| annotation(span, event, exported)).collect(),
            tags: tags(span, home, scope, &taken.keys, exported),
            debug,
            shared,
        }
    }
}

fn kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Unspecified | Kind::Internal => None,
        Kind::Server => Some("SERVER"),
        Kind::Client => Some("CLIENT"),
        Kind::Producer => Some("PRODUCER"),
        Kind::Consumer => Some("CONSUMER"),
    }
}

/// Both ends are cut to the microsecond, so that what lay within a span still does; but nothing takes less than one.
fn duration(span: &Detail, exported: &mut Exported) -> Option<u64> {
    // A start in the first microsecond of 1970 is none for Zipkin.
    if span.start < 1000 || span.end < span.start {
        exported.note(Loss::NoStart, (1..1000).contains(&span.start));
        return None;
    }
    let duration = (span.end / 1000).saturating_sub(span.start / 1000);
    exported.note(Loss::ShortDuration, duration == 0);
    Some(duration.max(1))
}

/// The name, and the attributes in it as the specification has them: `"name": {…}`.
fn annotation<'a>(span: &Detail, event: &'a EventDetail, exported: &mut Exported) -> Annotation<'a> {
    exported.note(Loss::Dropped, event.dropped > 0);
    let timestamp = event_time(span, event) / 1000;
    if event.attributes.is_empty() {
        return Annotation { timestamp, value: Cow::Borrowed(&event.name) };
    }
    exported.note(Loss::EventAttributes, true);
    let name = serde_json::to_string(&event.name).unwrap_or_default();
    let attributes = serde_json::to_string(&Members(&event.attributes)).unwrap_or_default();
    Annotation { timestamp, value: Cow::Owned(format!("{name}: {attributes}")) }
}

fn tags<'a>(
    span: &'a Detail,
    home: &'a Home,
    scope: &'a ScopeDetail,
    taken: &HashSet<&'a str>,
    exported: &mut Exported,
) -> Tags<'a> {
    let mut tags = Tags::default();
    for (key, says) in fields(span, scope) {
        tags.add(
            key,
            match says {
                Says::Text(text) => Cow::Borrowed(text),
                Says::Count(count) => Cow::Owned(count.to_string()),
            },
        );
    }
    status(span, &mut tags);
    let mut kept = 0;
    for attribute in last_ones(&span.attributes) {
        kept += 1;
        if taken.contains(attribute.key.as_str()) {
            continue;
        }
        let value = text(&attribute.value);
        // The mere presence of this tag means a failure.
        let denied = attribute.key == "error" && value == "false";
        exported.note(Loss::ReservedKey, denied || is_reserved(attribute, span, |_| true));
        if !denied {
            exported.note(Loss::ValueType, !matches!(attribute.value, Value::String(_)));
            let free = tags.add(&attribute.key, value);
            exported.note(Loss::RepeatedKey, !free);
        }
    }
    exported.count(Loss::RepeatedKey, span.attributes.len() - kept);
    for attribute in last_ones(&home.resource.attributes).into_iter().filter(|a| a.key != "service.name") {
        let free = tags.add(&attribute.key, text(&attribute.value));
        exported.note(Loss::RepeatedKey, !free);
    }
    tags
}

/// The tag `error` is the message of a failure; messages that would not be taken for one have a tag of their own.
fn status<'a>(span: &'a Detail, tags: &mut Tags<'a>) {
    let failed = span.status == Status::Error;
    let fits = failed && !matches!(span.message.as_str(), "true" | "false");
    if failed {
        tags.add("error", Cow::Borrowed(if fits { &span.message } else { "" }));
    }
    if !fits && !span.message.is_empty() {
        tags.add("otel.status_description", Cow::Borrowed(&span.message));
    }
}

/// Attributes that name the other side of a call, the best first.
const REMOTE: [&str; 9] = [
    "server.address",
    "net.peer.name",
    "server.socket.domain",
    "server.socket.address",
    "net.sock.peer.name",
    "net.sock.peer.addr",
    "peer.hostname",
    "peer.address",
    "db.name",
];

/// Attributes that went into fields.
struct Taken<'a> {
    span: &'a Detail,
    keys: HashSet<&'a str>,
}

impl<'a> Taken<'a> {
    fn find(&self, key: &str) -> Option<&'a Attribute> {
        self.span.attributes.iter().rev().find(|attribute| attribute.key == key)
    }

    /// The attribute's text, where it is one that says something.
    fn text(&mut self, key: &str) -> Option<&'a str> {
        let attribute = self.find(key)?;
        let Value::String(text) = &attribute.value else { return None };
        let text = Some(text.as_str()).filter(|text| !text.is_empty())?;
        self.keys.insert(&attribute.key);
        Some(text)
    }

    fn mark(&mut self, key: &str) -> bool {
        let Some(attribute) = self.find(key).filter(|attribute| attribute.value == Value::Bool(true)) else {
            return false;
        };
        self.keys.insert(&attribute.key)
    }

    /// The address and port under these names, where they are such.
    fn address(&mut self, [address, port, second]: [&str; 3], endpoint: &mut Endpoint<'a>) {
        let parse = |attribute: &'a Attribute| match &attribute.value {
            Value::String(text) => text.parse::<IpAddr>().ok().map(|ip| (text.as_str(), ip, &attribute.key)),
            _ => None,
        };
        if let Some((text, ip, key)) = self.find(address).and_then(parse) {
            let field = if ip.is_ipv4() { &mut endpoint.ipv4 } else { &mut endpoint.ipv6 };
            *field = Some(text);
            self.keys.insert(key);
        }
        if let Some((text, IpAddr::V6(_), key)) = self.find(second).and_then(parse).filter(|_| endpoint.ipv4.is_some())
        {
            endpoint.ipv6 = Some(text);
            self.keys.insert(key);
        }
        if let Some(attribute) = self.find(port)
            && let Value::Int(number) = attribute.value
            && let Some(number) = u16::try_from(number).ok().filter(|number| *number > 0)
        {
            endpoint.port = Some(number);
            self.keys.insert(&attribute.key);
        }
    }

    fn local(&mut self, service_name: Option<Cow<'a, str>>) -> Endpoint<'a> {
        let mut endpoint = Endpoint { service_name, ..Endpoint::default() };
        self.address(["network.local.address", "network.local.port", "zipkin.local.ipv6"], &mut endpoint);
        endpoint
    }

    /// The other side, named after the best attribute there is. Of a span that calls nobody only what says so in plain words.
    fn remote(&mut self, exported: &mut Exported) -> Option<Endpoint<'a>> {
        let service_name = self.text("peer.service").map(Cow::Borrowed);
        let mut endpoint = Endpoint { service_name, ..Endpoint::default() };
        self.address(["network.peer.address", "network.peer.port", "zipkin.remote.ipv6"], &mut endpoint);
        let calls = matches!(self.span.kind, Kind::Client | Kind::Producer);
        if calls && endpoint.service_name.is_none() && endpoint.ipv4.is_none() && endpoint.ipv6.is_none() {
            let named = REMOTE.iter().find_map(|key| self.find(key)).map(|attribute| text(&attribute.value));
            exported.note(Loss::Endpoint, named.is_some());
            endpoint.service_name = named;
        }
        (endpoint != Endpoint::default()).then_some(endpoint)
    }
}
