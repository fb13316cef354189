//! The spans of a capture in the order they were over, each due when it was over then, or when its trace was.
//!
//! Comes in: a capture, a filter, a speed. Goes out: requests with the time each is due. Spans are put in order by an index of their
//! numbers; their bytes are read when their turn comes.

use std::time::Duration;

use super::batch::Batcher;
use super::chosen::passes;
use super::group::{resource_bytes, said, scope_bytes, span_bytes};
use super::pace::{Moments, Pace};
use super::plan::{Plan, Planned};
use crate::capture::{self, Capture, Pages, SpanRef};
use crate::input::InputError;
use crate::otlp::{Envelope, RawResource, RawScope, Shape, Text};
use crate::query::Filter;

/// Spans that are due within this time go together, when the last of them is due.
const TOGETHER: Duration = Duration::from_millis(50);

/// Gives the spans that pass as requests, `speed` times as fast as they were recorded, or their traces. `give` says whether to go on. The
/// answer is the number of spans whose bytes are no longer where they were.
pub fn paced(
    capture: &Capture,
    filter: &Filter,
    plan: &Plan,
    (pace, speed): (Pace, f64),
    give: &mut dyn FnMut(Planned) -> bool,
) -> Result<u64, InputError> {
    let mut missing = 0;
    let mut order: Vec<SpanRef> = capture.spans().filter(|span| passes(capture, filter, *span)).collect();
    let moments = Moments::of(capture, filter, pace);
    let moment = |span: &SpanRef| moments.moment(capture.head(*span));
    // Of traces that were over at one time, each stays together.
    order.sort_unstable_by_key(|span| (moment(span), (pace == Pace::Trace).then(|| capture.head(*span).trace), *span));
    let first = order.iter().map(moment).find(|time| *time != 0).unwrap_or(0);
    let due = |span: &SpanRef| Duration::from_secs_f64(moment(span).saturating_sub(first) as f64 / 1e9 / speed);
    let origins = Origins::of(capture, plan)?;
    let mut pages = Pages::default();
    let mut batcher = Batcher::new(plan.encoding, plan.bounds);
    let mut piece = Vec::new();
    let (mut begun, mut latest, mut going) = (Duration::ZERO, Duration::ZERO, true);
    for span in &order {
        let due = due(span);
        if due.saturating_sub(begun) > TOGETHER {
            batcher.flush(&mut |planned| going = going && give(Planned { due: latest, ..planned }));
            begun = due;
        }
        latest = due;
        if !going {
            return Ok(missing);
        }
        piece.clear();
        let Some(place) = pages.span(capture, *span)? else {
            missing += 1;
            continue;
        };
        span_bytes(&place, &plan.alteration, plan.encoding, &mut piece);
        let (resource, scope) = capture.envelope_numbers(*span);
        batcher.origin(origins.resource(resource), origins.scope(scope));
        batcher.span(&piece, &mut |planned| going = going && give(Planned { due: latest, ..planned }));
    }
    batcher.flush(&mut |planned| going = going && give(Planned { due: latest, ..planned }));
    Ok(missing)
}

/// Every different resource and scope, encoded.
struct Origins {
    resources: Vec<Envelope>,
    scopes: Vec<Envelope>,
    nothing: Envelope,
}

impl Origins {
    fn of(capture: &Capture, plan: &Plan) -> Result<Self, InputError> {
        let (alteration, encoding) = (&plan.alteration, plan.encoding);
        let bare = resource_bytes(&RawResource::default(), Shape::OtlpJson, alteration, encoding);
        let mut resources: Vec<Envelope> = capture
            .resource_schemas()
            .map(|schema| Envelope { message: said(bare.clone()), schema: schema.to_owned(), ..Envelope::default() })
            .collect();
        let mut scopes: Vec<Envelope> = capture
            .scope_words()
            .map(|(name, version, schema)| {
                let (name, version) = (Text::known(name), Text::known(version));
                let message = scope_bytes(&RawScope { name, version, ..RawScope::default() }, alteration, encoding);
                Envelope { message: said(message), schema: schema.to_owned(), ..Envelope::default() }
            })
            .collect();
        capture.envelopes(&mut |place, envelope| {
            let number = place.number as usize;
            match envelope {
                capture::Envelope::Resource(resource) => {
                    if let Some(slot) = resources.get_mut(number) {
                        // Its own bytes may be in any form: they are written anew.
                        slot.message = said(resource_bytes(&resource, Shape::OtlpJson, alteration, encoding));
                    }
                }
                capture::Envelope::Scope(scope) => {
                    if let Some(slot) = scopes.get_mut(number) {
                        slot.message = said(scope_bytes(&scope, alteration, encoding));
                    }
                }
            }
        })?;
        Ok(Self { resources, scopes, nothing: Envelope::default() })
    }

    fn resource(&self, number: u32) -> &Envelope {
        self.resources.get(number as usize).unwrap_or(&self.nothing)
    }

    fn scope(&self, number: u32) -> &Envelope {
        self.scopes.get(number as usize).unwrap_or(&self.nothing)
    }
}
