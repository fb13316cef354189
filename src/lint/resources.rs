//! Judges every different resource and instrumentation scope once.
//!
//! Comes in: a capture. Goes out: facts about resources, with the service they belong to.

use std::collections::{BTreeMap, BTreeSet};

use super::gather::{Gathering, Sign};
use super::look::ResourceLook;
use super::note::{Notes, Sink, Subject};
use crate::capture::{Capture, Envelope, EnvelopePlace};
use crate::input::InputError;
use crate::otlp::{ProtoWriter, RawAttribute, RawValue, Text};
use crate::query::Filter;
use crate::redact;

/// Runs the checks of resources.
pub(super) fn check(capture: &Capture, gathering: &mut Gathering<'_>) -> Result<(), InputError> {
    let plan = gathering.plan;
    let checks: Vec<_> = plan.rules().filter_map(|(number, rule)| Some((number, rule.check.resource?))).collect();
    let mut notes = Notes::default();
    let (mut places, mut owners) = (Vec::new(), Vec::new());
    let mut judge = |place: EnvelopePlace, look: ResourceLook<'_>, owner: (String, String)| {
        let number = places.len() as u32;
        places.push(place);
        owners.push(owner);
        for (rule, check) in &checks {
            let look = ResourceLook { numbers: plan.numbers(*rule), ..look };
            check(&look, &mut Sink { notes: &mut notes, rule: *rule, subject: Subject::Envelope(number) });
        }
    };
    let none = Text::default();
    // Each rule gets its own numbers.
    let (name, version, numbers) = (&none, &none, plan.numbers(u8::MAX));
    let admitted = admitted(capture, &plan.settings.filter);
    let passes = |place: &EnvelopePlace, is_scope: bool| {
        admitted.as_ref().is_none_or(|admitted| admitted.contains(&(is_scope, place.number)))
    };
    let mut bare = spans_without_resource(capture);
    capture.envelopes(&mut |place, envelope| match envelope {
        Envelope::Resource(raw) if passes(&place, false) => {
            let (attributes, dropped) = (raw.attributes.as_slice(), raw.dropped);
            let look = ResourceLook { attributes, dropped, is_scope: false, name, version, plan, numbers };
            judge(place, look, (service(&raw.attributes), String::new()));
        }
        Envelope::Scope(raw) if passes(&place, true) => {
            let (attributes, dropped) = (raw.attributes.as_slice(), raw.dropped);
            let (name, version) = (&raw.name, &raw.version);
            let look = ResourceLook { attributes, dropped, is_scope: true, name, version, plan, numbers };
            judge(place, look, (String::new(), redact::text(&raw.name.decode()).into_owned()));
        }
        _ => {}
    })?;
    if let Some(place) = bare.take().filter(|place| passes(place, false)) {
        let look = ResourceLook { attributes: &[], dropped: 0, is_scope: false, name, version, plan, numbers };
        judge(place, look, (String::new(), String::new()));
    }
    if plan.wants_sizes() {
        gathering.known.resource_sizes = resource_sizes(capture)?;
    }
    gathering.kept.places = places;
    gathering.kept.owners = owners;
    gathering.kept.absorb(plan, capture, &gathering.known, &mut notes, Sign::More);
    Ok(())
}

/// The scopes and resources of the spans that the filter lets pass, by whether they are scopes and by number; `None` where it lets
/// all pass.
fn admitted(capture: &Capture, filter: &Filter) -> Option<BTreeSet<(bool, u32)>> {
    if filter.is_open() {
        return None;
    }
    let admitted = capture.spans().filter(|span| filter.admits(capture, *span, capture.head(*span).outcome()));
    Some(
        admitted
            .flat_map(|span| {
                let (resource, scope) = capture.envelope_numbers(span);
                [(false, resource), (true, scope)]
            })
            .collect(),
    )
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
        // Names are shown everywhere: a secret in one is hidden before it gets any further.
        Some(RawValue::Text(text)) => redact::text(&text.decode()).into_owned(),
        _ => String::new(),
    }
}

/// Where the first span stands that came with no resource of its own, and has no service either.
fn spans_without_resource(capture: &Capture) -> Option<EnvelopePlace> {
    let bare = capture.spans().find(|&span| !capture.has_resource(span))?;
    let head = capture.head(bare);
    Some(EnvelopePlace { number: 0, source: head.source, at: head.at })
}
