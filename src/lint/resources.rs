//! Judges every different resource and instrumentation scope once.
//!
//! Comes in: a capture. Goes out: facts about resources, with the service they belong to.

use std::collections::BTreeMap;

use super::gather::Gathering;
use super::look::ResourceLook;
use super::note::{Notes, Sink, Subject};
use crate::capture::{Capture, Envelope, EnvelopePlace};
use crate::input::InputError;
use crate::otlp::{ProtoWriter, RawAttribute, RawValue};

/// Runs the checks of resources.
pub(super) fn check(capture: &Capture, gathering: &mut Gathering<'_>) -> Result<(), InputError> {
    let plan = gathering.plan;
    let checks: Vec<_> = plan.rules().filter_map(|(number, rule)| Some((number, rule.check.resource?))).collect();
    let mut notes = Notes::default();
    let (mut places, mut owners) = (Vec::new(), Vec::new());
    let mut judge =
        |place: EnvelopePlace, attributes: &[RawAttribute<'_>], dropped, is_scope, owner: (String, String)| {
            let number = places.len() as u32;
            places.push(place);
            owners.push(owner);
            for (rule, check) in &checks {
                let look = ResourceLook { attributes, dropped, is_scope, plan };
                check(&look, &mut Sink { notes: &mut notes, rule: *rule, subject: Subject::Envelope(number) });
            }
        };
    let mut bare = spans_without_resource(capture);
    capture.envelopes(&mut |place, envelope| match envelope {
        Envelope::Resource(raw) => {
            judge(place, &raw.attributes, raw.dropped, false, (service(&raw.attributes), String::new()));
        }
        Envelope::Scope(raw) => {
            judge(place, &raw.attributes, raw.dropped, true, (String::new(), raw.name.decode().into_owned()));
        }
    })?;
    if let Some(place) = bare.take() {
        judge(place, &[], 0, false, (String::new(), String::new()));
    }
    if plan.wants_sizes() {
        gathering.known.resource_sizes = resource_sizes(capture)?;
    }
    gathering.kept.places = places;
    gathering.kept.owners = owners;
    gathering.kept.absorb(plan, capture, &gathering.known, &mut notes);
    Ok(())
}

/// How many bytes every resource takes, encoded, by number.
pub(super) fn resource_sizes(capture: &Capture) -> Result<BTreeMap<u32, u64>, InputError> {
    let mut sizes = BTreeMap::new();
    capture.envelopes(&mut |place, envelope| {
        if let Envelope::Resource(raw) = envelope {
            let mut counter = ProtoWriter::counter();
            counter.resource(&raw);
            sizes.insert(place.number, counter.len() as u64);
        }
    })?;
    Ok(sizes)
}

fn service(attributes: &[RawAttribute<'_>]) -> String {
    let found = attributes.iter().rev().find(|attribute| attribute.key.is("service.name"));
    match found.map(|attribute| &attribute.value) {
        Some(RawValue::Text(text)) => text.decode().into_owned(),
        _ => String::new(),
    }
}

/// Where the first span stands that came with no resource of its own, and has no service either.
fn spans_without_resource(capture: &Capture) -> Option<EnvelopePlace> {
    let bare = capture.spans().find(|&span| !capture.has_resource(span))?;
    let head = capture.head(bare);
    Some(EnvelopePlace { number: 0, source: head.source, at: head.at })
}
