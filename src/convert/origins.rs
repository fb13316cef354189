//! Every different resource and scope of a capture, encoded.
//!
//! Comes in: a capture. Goes out: envelopes by number. What says the same has the same number, in whatever form it was read.

use std::collections::HashMap;

use super::encode::{resource_bytes, scope_bytes};
use super::index::plain;
use super::plan::Plan;
use crate::capture::{self, Capture, SpanRef};
use crate::input::InputError;
use crate::otlp::{Envelope, RawResource, RawScope, Shape, Text};

/// Resources and scopes.
pub(super) struct Origins {
    resources: Vec<Envelope>,
    scopes: Vec<Envelope>,
    /// The first of those that say the same, by number.
    same_resource: Vec<u32>,
    same_scope: Vec<u32>,
    nothing: Envelope,
}

impl Origins {
    pub(super) fn of(capture: &Capture, plan: &Plan) -> Result<Self, InputError> {
        let (resources, scopes) = envelopes(capture, plan)?;
        let (plain_resources, plain_scopes) = envelopes(capture, &plain())?;
        let (same_resource, same_scope) = (firsts(&plain_resources), firsts(&plain_scopes));
        Ok(Self { resources, scopes, same_resource, same_scope, nothing: Envelope::default() })
    }

    /// The numbers of a span's resource and scope.
    pub(super) fn of_span(&self, capture: &Capture, span: SpanRef) -> (u32, u32) {
        let (resource, scope) = capture.envelope_numbers(span);
        let same = |list: &[u32], number: u32| list.get(number as usize).copied().unwrap_or(number);
        (same(&self.same_resource, resource), same(&self.same_scope, scope))
    }

    pub(super) fn resource(&self, number: u32) -> &Envelope {
        self.resources.get(number as usize).unwrap_or(&self.nothing)
    }

    pub(super) fn scope(&self, number: u32) -> &Envelope {
        self.scopes.get(number as usize).unwrap_or(&self.nothing)
    }
}

fn firsts(envelopes: &[Envelope]) -> Vec<u32> {
    let mut known = HashMap::new();
    envelopes.iter().zip(0..).map(|(envelope, number)| *known.entry(envelope).or_insert(number)).collect()
}

fn envelopes(capture: &Capture, plan: &Plan) -> Result<(Vec<Envelope>, Vec<Envelope>), InputError> {
    let bare = (!plan.alteration.resource.is_empty())
        .then(|| resource_bytes(&RawResource::default(), Shape::OtlpJson, plan))
        .flatten();
    let envelope =
        |message: Option<Vec<u8>>, schema: &str| Envelope { message, schema: schema.to_owned(), ..Envelope::default() };
    let mut resources: Vec<Envelope> =
        capture.resource_schemas().map(|schema| envelope(bare.clone(), schema)).collect();
    let named = |(name, version, schema): (&str, &str, &str)| {
        let (name, version) = (Text::known(name), Text::known(version));
        let scope = RawScope { name, version, ..RawScope::default() };
        envelope((!scope.is_silent()).then(|| scope_bytes(&scope, plan)).flatten(), schema)
    };
    let mut scopes: Vec<Envelope> = capture.scope_words().map(named).collect();
    capture.envelopes(&mut |place, read| {
        let number = place.number as usize;
        match read {
            capture::Envelope::Resource(resource) => {
                if let Some(slot) = resources.get_mut(number) {
                    // Its own bytes may be in any form: they are written anew.
                    slot.message = resource_bytes(&resource, Shape::OtlpJson, plan);
                }
            }
            capture::Envelope::Scope(scope) => {
                if let Some(slot) = scopes.get_mut(number) {
                    slot.message = scope_bytes(&scope, plan);
                }
            }
        }
    })?;
    Ok((resources, scopes))
}
