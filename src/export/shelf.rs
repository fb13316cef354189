//! Spans, resources and scopes of a capture as they are to be written.
//!
//! Comes in: a span's number. Goes out: the span in full with all changes made, and where it came from. Resources and scopes are read
//! once; a span is read when it is asked for and then forgotten.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::capture::{Capture, Detail, Envelope, Pages, ResourceDetail, ScopeDetail, SpanRef};
use crate::input::InputError;
use crate::mend::Alteration;
use crate::model::{Attribute, SpanId, TraceId, Value};
use crate::otlp::{RawResource, RawScope, RawSpan, Text};

/// A resource, and the name of its service.
#[derive(Clone, Debug, Default)]
pub(super) struct Home {
    pub(super) resource: ResourceDetail,
    /// Nothing where the resource names none.
    pub(super) service: Option<String>,
}

/// Reads spans with the changes made.
pub(super) struct Shelf<'a> {
    pub(super) capture: &'a Capture,
    alteration: &'a Alteration,
    pages: Pages,
    homes: Vec<Home>,
    scopes: Vec<ScopeDetail>,
    /// Once this is true nobody wants more.
    pub(super) stop: Option<&'a AtomicBool>,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(capture: &'a Capture, alteration: &'a Alteration) -> Result<Self, InputError> {
        let mut homes: Vec<Home> = capture
            .resource_schemas()
            .map(|schema| home(&RawResource::default(), alteration, schema.to_owned()))
            .collect();
        let mut scopes: Vec<ScopeDetail> = capture
            .scope_words()
            .map(|(name, version, schema)| {
                let (name, version) = (Text::known(name), Text::known(version));
                scope(&RawScope { name, version, ..RawScope::default() }, alteration, schema.to_owned())
            })
            .collect();
        capture.envelopes(&mut |place, envelope| {
            let number = place.number as usize;
            match envelope {
                Envelope::Resource(raw) => {
                    if let Some(slot) = homes.get_mut(number) {
                        *slot = home(&raw, alteration, std::mem::take(&mut slot.resource.schema_url));
                    }
                }
                Envelope::Scope(raw) => {
                    if let Some(slot) = scopes.get_mut(number) {
                        *slot = scope(&raw, alteration, std::mem::take(&mut slot.schema_url));
                    }
                }
            }
        })?;
        Ok(Self { capture, alteration, pages: Pages::default(), homes, scopes, stop: None })
    }

    /// The span in full, but for its resource and scope; `None` when its bytes are no longer there.
    pub(super) fn span(&mut self, span: SpanRef) -> Result<Option<Detail>, InputError> {
        if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Ok(None);
        }
        let Some(raw) = self.pages.span(self.capture, span)? else { return Ok(None) };
        if self.alteration.keeps_spans() {
            return Ok(Some(Detail::of(&raw)));
        }
        let mut detail = None;
        self.alteration.span(&raw, &mut |changed| detail = Some(Detail::of(changed)));
        Ok(detail)
    }

    /// The spans that a span links to, by the ids they have in the capture.
    pub(super) fn links(&mut self, span: SpanRef) -> Result<Vec<(TraceId, SpanId)>, InputError> {
        let raw = self.pages.span(self.capture, span)?;
        let ids =
            |raw: RawSpan<'_>| raw.links.iter().map(|link| (link.trace_id.trace(), link.span_id.span())).collect();
        Ok(raw.map(ids).unwrap_or_default())
    }

    /// The number of a span's resource, and the resource.
    pub(super) fn home(&self, span: SpanRef) -> (u32, &Home) {
        const NOWHERE: &Home = &Home {
            resource: ResourceDetail { attributes: Vec::new(), dropped: 0, schema_url: String::new() },
            service: None,
        };
        let (number, _) = self.capture.envelope_numbers(span);
        (number, self.homes.get(number as usize).unwrap_or(NOWHERE))
    }

    /// A span's scope.
    pub(super) fn scope(&self, span: SpanRef) -> &ScopeDetail {
        const NONE: &ScopeDetail = &ScopeDetail {
            name: String::new(),
            version: String::new(),
            attributes: Vec::new(),
            dropped: 0,
            schema_url: String::new(),
        };
        let (_, number) = self.capture.envelope_numbers(span);
        self.scopes.get(number as usize).unwrap_or(NONE)
    }

    /// A time as it is after the changes.
    pub(super) fn moved(&self, time: u64) -> u64 {
        self.alteration.moved(time)
    }
}

fn home(raw: &RawResource<'_>, alteration: &Alteration, schema_url: String) -> Home {
    let mut home = Home::default();
    alteration.resource(raw, &mut |changed| home.resource = ResourceDetail::of(changed, schema_url.clone()));
    home.service = named(&home.resource.attributes);
    home
}

fn scope(raw: &RawScope<'_>, alteration: &Alteration, schema_url: String) -> ScopeDetail {
    let mut scope = ScopeDetail::default();
    alteration.scope(raw, &mut |changed| scope = ScopeDetail::of(changed, schema_url.clone()));
    scope
}

/// The service that attributes of a resource name.
fn named(attributes: &[Attribute]) -> Option<String> {
    let last = attributes.iter().rev().find(|attribute| attribute.key == "service.name")?;
    match &last.value {
        Value::Empty => None,
        Value::String(text) if text.is_empty() => None,
        value => Some(value.to_string()),
    }
}
