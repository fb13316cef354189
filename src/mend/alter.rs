//! Spans moved to other times, other ids and other resources, their secrets hidden.
//!
//! Comes in: spans, resources and scopes in place. Goes out: the same in place, changed; each lives as long as the call. Order,
//! durations, and who belongs to whom stay as they were.

use std::sync::Arc;

use super::id_text::{KnownIds, Renewal, carries_id, may_hold};
use super::ids::NewIds;
use super::mended::{mended_resource, mended_scope, mended_span};
use super::plan::{Done, Plan};
use super::value::{Owned, owned};
use crate::otlp::{IdForm, RawAttribute, RawId, RawResource, RawScope, RawSpan, RawValue, Text};
use crate::redact::Redactor;

/// What is to be changed on the way.
#[derive(Clone, Debug, Default)]
pub struct Alteration {
    /// Nanoseconds that all times of spans and events are moved by.
    pub shift: i64,
    /// New ids for traces, spans, parents and links, and for the texts that carry them.
    pub ids: Option<NewIds>,
    /// The ids of the capture, where it was read before: they are renewed wherever they stand in a text. Else only those are that
    /// a span says of itself, and what stands under a name that says so.
    pub known: Option<Arc<KnownIds>>,
    /// Attributes that every resource has in the end.
    pub resource: Vec<(String, String)>,
    /// Whether secrets are hidden.
    pub redact: Option<Redactor>,
}

impl Alteration {
    /// Whether spans stay exactly as they are.
    pub fn keeps_spans(&self) -> bool {
        self.shift == 0 && self.ids.is_none() && self.redact.is_none()
    }

    /// Whether resources stay exactly as they are.
    pub fn keeps_resources(&self) -> bool {
        self.keeps_scopes() && self.resource.is_empty()
    }

    /// Whether scopes stay exactly as they are.
    pub fn keeps_scopes(&self) -> bool {
        self.ids.is_none() && self.redact.is_none()
    }

    /// Gives the resource as it is to be.
    pub fn resource(&self, resource: &RawResource<'_>, give: &mut dyn FnMut(&RawResource<'_>)) {
        let mut changed = resource.clone();
        let renewed = self.renewal(KnownIds::default()).map(|renewal| values(&changed.attributes, &renewal));
        put(&mut changed.attributes, renewed.as_deref().unwrap_or_default());
        for (key, value) in &self.resource {
            changed.attributes.retain(|attribute| !attribute.key.is(key));
            let value = RawValue::Text(Text::known(value));
            changed.attributes.push(RawAttribute { key: Text::known(key), value });
        }
        if self.redact.is_none() {
            return give(&changed);
        }
        mended_resource(&changed, &self.plan(), &mut Done::default(), give);
    }

    /// Gives the scope as it is to be.
    pub fn scope(&self, scope: &RawScope<'_>, give: &mut dyn FnMut(&RawScope<'_>)) {
        let mut changed = scope.clone();
        let renewed = self.renewal(KnownIds::default()).map(|renewal| values(&changed.attributes, &renewal));
        put(&mut changed.attributes, renewed.as_deref().unwrap_or_default());
        if self.redact.is_none() {
            return give(&changed);
        }
        mended_scope(&changed, &self.plan(), &mut Done::default(), give);
    }

    /// Gives the span as it is to be.
    pub fn span(&self, span: &RawSpan<'_>, give: &mut dyn FnMut(&RawSpan<'_>)) {
        let renewal = self.renewal(own(span));
        let renewed = renewal.as_ref().map(|renewal| values(&span.pool, renewal)).unwrap_or_default();
        let texts = renewal.as_ref().map(|renewal| texts(span, renewal)).unwrap_or_default();
        let mut changed = span.clone();
        self.move_times(&mut changed);
        if let Some(ids) = &self.ids {
            renew(&mut changed, ids);
        }
        put(&mut changed.pool, &renewed);
        for (text, new) in texts_of(&mut changed).zip(&texts) {
            if let Some(new) = new {
                *text = Text::known(new);
            }
        }
        if self.redact.is_none() {
            return give(&changed);
        }
        mended_span(&changed, &self.plan(), &mut Done::default(), give);
    }

    fn renewal(&self, own: KnownIds) -> Option<Renewal<'_>> {
        Some(Renewal { ids: self.ids.as_ref()?, known: self.known.as_deref(), own })
    }

    fn plan(&self) -> Plan {
        Plan { redact: self.redact.clone(), ..Plan::default() }
    }

    fn move_times(&self, span: &mut RawSpan<'_>) {
        span.start = self.moved(span.start);
        span.end = self.moved(span.end);
        for event in &mut span.events {
            event.time = self.moved(event.time);
        }
    }

    /// A time that is not given stays so, and none becomes one that is not given.
    pub fn moved(&self, time: u64) -> u64 {
        if time == 0 { 0 } else { time.saturating_add_signed(self.shift).max(1) }
    }
}

fn renew(span: &mut RawSpan<'_>, ids: &NewIds) {
    renew_trace(&mut span.trace_id, ids);
    renew_span(&mut span.span_id, ids);
    renew_span(&mut span.parent_id, ids);
    for link in &mut span.links {
        renew_trace(&mut link.trace_id, ids);
        renew_span(&mut link.span_id, ids);
    }
}

/// Ids of a wrong length are renewed like all others: they too tie spans together.
fn renew_trace(id: &mut RawId<'_>, ids: &NewIds) {
    if matches!(id.form, IdForm::Whole | IdForm::Folded) {
        *id = RawId { bits: ids.trace(id.bits), form: IdForm::Whole, spelling: &[] };
    }
}

fn renew_span(id: &mut RawId<'_>, ids: &NewIds) {
    if matches!(id.form, IdForm::Whole | IdForm::Folded) {
        *id = RawId { bits: ids.span(id.span().0).into(), form: IdForm::Whole, spelling: &[] };
    }
}

/// The ids that a span says.
fn own(span: &RawSpan<'_>) -> KnownIds {
    let traces = std::iter::once(&span.trace_id).chain(span.links.iter().map(|link| &link.trace_id));
    let spans = [&span.span_id, &span.parent_id].into_iter().chain(span.links.iter().map(|link| &link.span_id));
    KnownIds::these(traces.map(|id| id.bits), spans.map(|id| id.span().0))
}

/// What attributes are to say that carry old ids, by their places.
fn values(attributes: &[RawAttribute<'_>], renewal: &Renewal<'_>) -> Vec<(usize, Owned)> {
    let mut renewed = Vec::new();
    for (at, attribute) in attributes.iter().enumerate() {
        let new = match &attribute.value {
            RawValue::Text(text) if may_hold(text.raw) => {
                renewal.text(&text.decode(), carries_id(&attribute.key.decode())).map(Owned::Text)
            }
            RawValue::Nested(nested) if may_hold(nested.raw) => {
                let mut value = attribute.value.decode();
                renewal.value(&mut value, carries_id(&attribute.key.decode())).then(|| owned(value)).flatten()
            }
            _ => None,
        };
        renewed.extend(new.map(|new| (at, new)));
    }
    renewed
}

/// Puts values in their places.
fn put<'a>(attributes: &mut [RawAttribute<'a>], values: &'a [(usize, Owned)]) {
    for (at, value) in values {
        if let Some(attribute) = attributes.get_mut(*at) {
            value.put(&mut attribute.value);
        }
    }
}

/// The texts of a span beside its attributes.
fn texts_of<'s, 'a>(span: &'s mut RawSpan<'a>) -> impl Iterator<Item = &'s mut Text<'a>> {
    let RawSpan { name, message, trace_state, events, links, .. } = span;
    let events = events.iter_mut().map(|event| &mut event.name);
    [name, message, trace_state].into_iter().chain(events).chain(links.iter_mut().map(|link| &mut link.trace_state))
}

/// What these are to say, where they carry old ids.
fn texts(span: &RawSpan<'_>, renewal: &Renewal<'_>) -> Vec<Option<String>> {
    let mut copy = span.clone();
    let new = |text: &mut Text<'_>| if may_hold(text.raw) { renewal.text(&text.decode(), false) } else { None };
    texts_of(&mut copy).map(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::{JsonReader, JsonWriter, Seen};
    use serde_json::{Value, json};

    const SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{
        "traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"1112131415161718","parentSpanId":"2122232425262728",
        "startTimeUnixNano":"100","endTimeUnixNano":"150","events":[{"timeUnixNano":"120","name":"e"},{"name":"no time"}],
        "links":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"2122232425262728"}],
        "attributes":[{"key":"log.trace_id","value":{"stringValue":"0102030405060708090a0b0c0d0e0f10"}},
            {"key":"parent.spanId","value":{"stringValue":"2122232425262728"}},
            {"key":"run","value":{"stringValue":"1112131415161718"}},
            {"key":"digest","value":{"stringValue":"3132333435363738"}},
            {"key":"http.request.header.traceparent",
             "value":{"stringValue":"00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01"}},
            {"key":"api_key","value":{"stringValue":"hunter2"}},
            {"key":"parameter.agent_step_span","value":{"stringValue":"_Span(name=\"x\", context=SpanContext(trace_id=0x0102030405060708090a0b0c0d0e0f10, span_id=0x4142434445464748))"}},
            {"key":"list","value":{"arrayValue":{"values":[{"stringValue":"{\"span_id\":\"1112131415161718\"}"},{"intValue":"1"}]}}}]}]}]}]}"#;

    fn altered(alteration: &Alteration) -> Value {
        let mut out = Vec::new();
        JsonReader::default().feed(SPAN.as_bytes(), 0, true, &mut |seen| {
            if let Seen::Span(span, _) = seen {
                alteration.span(span, &mut |span| JsonWriter::new(&mut out).span(span));
            }
        });
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn times_move_together_and_missing_ones_stay_missing() {
        let span = altered(&Alteration { shift: 1000, ..Alteration::default() });
        assert_eq!((&span["startTimeUnixNano"], &span["endTimeUnixNano"]), (&json!("1100"), &json!("1150")));
        assert_eq!(
            (&span["events"][0]["timeUnixNano"], &span["events"][1]["timeUnixNano"]),
            (&json!("1120"), &Value::Null)
        );
        let early = altered(&Alteration { shift: -1000, ..Alteration::default() });
        assert_eq!(early["startTimeUnixNano"], "1");
    }

    #[test]
    fn new_ids_are_the_same_wherever_an_old_one_stands() {
        let ids = NewIds::new(1, 0);
        let span = altered(&Alteration { ids: Some(ids), ..Alteration::default() });
        let trace = format!("{:032x}", ids.trace(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10));
        let (own, parent) =
            (format!("{:016x}", ids.span(0x1112_1314_1516_1718)), format!("{:016x}", ids.span(0x2122_2324_2526_2728)));
        assert_eq!(
            (&span["traceId"], &span["spanId"], &span["parentSpanId"]),
            (&json!(trace), &json!(own), &json!(parent))
        );
        assert_eq!((&span["links"][0]["traceId"], &span["links"][0]["spanId"]), (&json!(trace), &json!(parent)));
        let texts: Vec<_> = (0..5).map(|at| span["attributes"][at]["value"]["stringValue"].as_str().unwrap()).collect();
        assert_eq!(texts, [&*trace, &parent, &own, "3132333435363738", &format!("00-{trace}-{own}-01")]);
        let step = |span: &Value| span["attributes"][6]["value"]["stringValue"].as_str().unwrap().to_owned();
        let list = &span["attributes"][7]["value"]["arrayValue"]["values"];
        assert_eq!(list[0]["stringValue"], format!("{{\"span_id\":\"{own}\"}}"));
        assert!(step(&span).contains(&format!("trace_id=0x{trace}, span_id=0x4142434445464748")), "{span}");
        // The ids of other spans are old ones where the capture is known.
        let known = Arc::new(KnownIds::these(std::iter::empty(), std::iter::once(0x4142_4344_4546_4748)));
        let span = altered(&Alteration { ids: Some(ids), known: Some(known), ..Alteration::default() });
        let other = format!("{:016x}", ids.span(0x4142_4344_4546_4748));
        assert!(step(&span).contains(&format!("span_id=0x{other}")), "{span}");
    }

    #[test]
    fn secrets_are_hidden_and_resources_are_set() {
        let span = altered(&Alteration { redact: Some(Redactor::default()), ..Alteration::default() });
        assert_eq!(span["attributes"][5]["value"]["stringValue"], "[redacted, 7 characters]");
        assert_eq!(span["attributes"][2]["value"]["stringValue"], "1112131415161718");
        let set = Alteration { resource: vec![("service.name".into(), "shop".into())], ..Alteration::default() };
        let service = RawAttribute { key: Text::plain(b"service.name"), value: RawValue::Int(1) };
        let resource = RawResource { attributes: vec![service], ..RawResource::default() };
        set.resource(&resource, &mut |resource| {
            assert_eq!(resource.attributes.len(), 1);
            assert!(resource.attributes[0].value.text().unwrap().is("shop"));
        });
        assert!(set.keeps_spans() && set.keeps_scopes() && !set.keeps_resources());
    }
}
