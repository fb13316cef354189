//! Jaeger and Zipkin and back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tracectl::capture::Detail;
use tracectl::export::{Format, Loss};
use tracectl::mend::{Alteration, NewIds};
use tracectl::model::{Attribute, Kind, Status, Value};
use tracectl::redact::Redactor;

use super::corpus::{again, all, details, export};

/// A value as JSON.
fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Empty => json!(null),
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Double(value) if value.is_finite() => json!(value),
        Value::Double(value) => json!(value.to_string()),
        Value::String(text) => json!(text),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Map(members) => members.iter().map(|member| (member.key.clone(), plain(&member.value))).collect(),
    }
}

/// A value as it is compared: nested ones, and texts that are such, as JSON with sorted names.
fn compared(value: &Value, texts: bool) -> String {
    match value {
        Value::Empty => json!("").to_string(),
        Value::String(text) if text.starts_with(['[', '{']) => {
            let parsed: Option<serde_json::Value> = serde_json::from_str(text).ok();
            parsed.unwrap_or_else(|| json!(text)).to_string()
        }
        // Numbers in texts are the same however they are spelled.
        Value::String(text) if texts && text.parse::<i64>().is_err() => {
            json!(text.parse::<f64>().map_or_else(|_| text.clone(), |number| number.to_string())).to_string()
        }
        Value::Int(number) if texts => json!(number.to_string()).to_string(),
        Value::Double(number) if texts => json!(number.to_string()).to_string(),
        Value::Bool(value) if texts => json!(value.to_string()).to_string(),
        other => plain(other).to_string(),
    }
}

fn list(attributes: &[Attribute]) -> Vec<(String, String)> {
    attributes.iter().map(|a| (a.key.clone(), compared(&a.value, false))).collect()
}

/// Attributes that readers take for something else, and that are told.
fn is_reserved(key: &str) -> bool {
    key == "error" || key == "span.kind" || key.starts_with("otel.") || key == "w3c.tracestate"
}

fn ids(span: &Detail) -> String {
    let links: Vec<_> = span.links.iter().map(|link| (link.trace_id, link.span_id)).collect();
    format!("{} {} {} {links:?}", span.trace_id, span.span_id, span.parent_id)
}

fn service(span: &Detail) -> String {
    let named = span.resource.attributes.iter().rev().find(|attribute| attribute.key == "service.name");
    let named = named.map(|attribute| attribute.value.to_string()).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "unknown_service".to_owned())
}

/// What Jaeger holds of a span.
fn jaeger(span: &Detail) -> (String, String, String) {
    let start = span.start / 1000;
    let end = if span.start == 0 { 0 } else { (span.end / 1000).max(start) };
    let attributes: Vec<_> = list(&span.attributes).into_iter().filter(|(key, _)| !is_reserved(key)).collect();
    let events: Vec<_> = span.events.iter().map(|e| (e.time / 1000, &e.name, e.dropped, list(&e.attributes))).collect();
    let mut resource: Vec<_> = list(&span.resource.attributes);
    resource.retain(|(key, _)| key != "service.name");
    let told = span.attributes.iter().any(|attribute| is_reserved(&attribute.key));
    let status = if told { (Status::Unset, "") } else { (span.status, span.message.as_str()) };
    let dropped = (span.dropped_attributes, span.dropped_events, span.dropped_links);
    let facts = format!("{start} {end} {} {:?} {status:?} {dropped:?} {}", span.name, span.kind, span.flags & 1);
    let scope = format!("{} {} {}", span.trace_state, span.scope.name, span.scope.version);
    (ids(span), format!("{facts} {scope} {} {resource:?}", service(span)), format!("{attributes:?} {events:?}"))
}

#[test]
fn jaeger_gives_back_what_it_holds() {
    for (path, capture) in all() {
        let (bytes, exported) = export(&capture, Format::Jaeger, &Alteration::default());
        let (before, after) = (details(&capture), again(&bytes));
        assert_eq!((before.len() as u64, before.len()), (exported.spans, after.len()), "{}", path.display());
        let form = |spans: &[Detail]| {
            let mut forms: Vec<_> = spans.iter().map(jaeger).collect();
            forms.sort();
            forms
        };
        for (before, after) in form(&before).iter().zip(&form(&after)) {
            assert_eq!(before, after, "{}", path.display());
        }
        let count = |what: &dyn Fn(&Detail) -> usize| before.iter().map(what).sum::<usize>() as u64;
        let nanos = |span: &Detail| {
            let times = span.events.iter().map(|event| event.time).chain([span.start, span.end]);
            times.filter(|time| time % 1000 != 0).count()
        };
        assert_eq!(exported.of(Loss::Nanoseconds), count(&nanos), "{}", path.display());
        assert_eq!(exported.of(Loss::Unfinished), count(&|span| usize::from(span.end == 0)), "{}", path.display());
        assert_eq!((exported.of(Loss::TraceState), exported.of(Loss::Event)), (0, 0));
    }
}

/// What Zipkin holds of a span: attributes are those of the span and, where their names are free, those of its resource.
fn zipkin(span: &Detail, written: bool) -> (String, String, String) {
    let start = span.start / 1000;
    let end = if start == 0 || span.end < span.start {
        let instant = matches!(span.kind, Kind::Producer | Kind::Consumer);
        if instant { start } else { 0 }
    } else {
        start + (span.end / 1000 - start).max(1)
    };
    let kind = if span.kind == Kind::Internal { Kind::Unspecified } else { span.kind };
    let mut attributes: BTreeMap<String, String> = BTreeMap::new();
    for attribute in span.resource.attributes.iter().chain(&span.attributes) {
        attributes.insert(attribute.key.clone(), compared(&attribute.value, true));
    }
    // Endpoints are tested by themselves.
    attributes.retain(|key, _| !is_reserved(key) && !key.starts_with("network.") && key != "peer.service");
    attributes.remove("service.name");
    let told = span.attributes.iter().chain(&span.resource.attributes).any(|attribute| is_reserved(&attribute.key));
    let status = if told { (Status::Unset, "") } else { (span.status, span.message.as_str()) };
    let events: Vec<String> = span
        .events
        .iter()
        .map(|event| {
            let attributes: serde_json::Value =
                event.attributes.iter().map(|a| (a.key.clone(), plain(&a.value))).collect();
            let name = match (written, event.attributes.is_empty()) {
                (false, false) => format!("{}: {attributes}", json!(event.name)),
                _ => event.name.clone(),
            };
            // Members stand in another order in the file.
            let parsed = name.split_once("\": ").and_then(|(name, rest)| {
                let rest: serde_json::Value = serde_json::from_str(rest).ok()?;
                Some(format!("{name}\": {rest}"))
            });
            format!("{} {}", event.time / 1000, parsed.unwrap_or(name))
        })
        .collect();
    let dropped = (span.dropped_attributes, span.dropped_events, span.dropped_links);
    let facts = format!("{start} {end} {} {kind:?} {status:?} {dropped:?} {}", span.name, service(span));
    let scope = format!("{} {} {}", span.trace_state, span.scope.name, span.scope.version);
    let ids = format!("{} {} {}", span.trace_id, span.span_id, span.parent_id);
    (ids, format!("{facts} {scope}"), format!("{attributes:?} {events:?}"))
}

#[test]
fn zipkin_gives_back_what_it_holds() {
    for (path, capture) in all() {
        let (bytes, exported) = export(&capture, Format::Zipkin, &Alteration::default());
        let (before, after) = (details(&capture), again(&bytes));
        assert_eq!((before.len() as u64, before.len()), (exported.spans, after.len()), "{}", path.display());
        let form = |spans: &[Detail], written| {
            let mut forms: Vec<_> = spans.iter().map(|span| zipkin(span, written)).collect();
            forms.sort();
            forms
        };
        for (before, after) in form(&before, false).iter().zip(&form(&after, true)) {
            assert_eq!(before, after, "{}", path.display());
        }
        let links: usize = before.iter().map(|span| span.links.len()).sum();
        let internal = before.iter().filter(|span| span.kind == Kind::Internal).count();
        assert_eq!(exported.of(Loss::Link), links as u64, "{}", path.display());
        assert_eq!(exported.of(Loss::InternalKind), internal as u64, "{}", path.display());
    }
}

#[test]
fn what_changes_on_the_way_changes_here_too() {
    let (_, capture) = all().swap_remove(0);
    let shift = 3_600_000_000_000;
    let alteration = Alteration {
        known: None,
        shift,
        ids: Some(NewIds::new(1, 0)),
        resource: vec![("service.name".into(), "elsewhere".into())],
        redact: Some(Redactor::default()),
    };
    let (bytes, _) = export(&capture, Format::Jaeger, &alteration);
    let (before, after) = (details(&capture), again(&bytes));
    assert_eq!(before.len(), after.len());
    assert!(after.iter().all(|span| service(span) == "elsewhere"));
    let earliest = |spans: &[Detail]| spans.iter().map(|span| span.start).filter(|start| *start > 0).min().unwrap();
    assert_eq!(earliest(&after) / 1000, earliest(&before).saturating_add_signed(shift) / 1000);
    assert!(before.iter().all(|old| after.iter().all(|new| new.trace_id != old.trace_id)));
}
