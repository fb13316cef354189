//! What the Instrumentation Score asks of resources.
//!
//! Comes in: the resources of spans. Goes out: failures by service. Resources are looked at where they stand, once each.

use std::collections::{BTreeMap, BTreeSet};

use super::score::{Failures, fail};
use crate::capture::{Capture, Envelope, SpanRef};
use crate::input::InputError;
use crate::otlp::{RawAttribute, RawValue};

/// Attributes that belong to resources.
const OF_RESOURCES: [&[u8]; 5] = [b"service.", b"telemetry.sdk.", b"host.", b"process.", b"k8s."];
/// Of them, those that name the other side of a call.
const OF_PEERS: &[u8] = b"service.peer.";
/// Attributes that belong to spans.
const OF_SPANS: [&[u8]; 3] = [b"http.", b"db.", b"gen_ai."];

/// Attributes that tell workloads apart.
const WORKLOADS: [&str; 5] = ["k8s.pod.uid", "k8s.pod.name", "container.id", "host.id", "host.name"];

/// Whether an attribute belongs to resources, not to spans.
pub(super) fn is_of_resources(key: &[u8]) -> bool {
    OF_RESOURCES.iter().any(|prefix| key.starts_with(prefix)) && !key.starts_with(OF_PEERS)
}

/// The resources that spans come from.
#[derive(Default)]
pub(super) struct Resources {
    /// The services of each, by its number.
    services: BTreeMap<u32, BTreeSet<String>>,
    /// Services of spans without a resource of their own.
    bare: BTreeSet<String>,
}

/// What identifies one workload, by the attributes that say it.
type Workload = [Option<String>; WORKLOADS.len()];

impl Resources {
    pub(super) fn add(&mut self, capture: &Capture, span: SpanRef) {
        let service = capture.service(span);
        let services = match capture.has_resource(span) {
            true => self.services.entry(capture.envelope_numbers(span).0).or_default(),
            false => &mut self.bare,
        };
        if !services.contains(service) {
            services.insert(service.to_owned());
        }
    }

    pub(super) fn judge(&self, capture: &Capture, failures: &mut BTreeMap<String, Failures>) -> Result<(), InputError> {
        for service in &self.bare {
            fail(failures, service, "RES-001", 1);
            fail(failures, service, "RES-005", u64::from(service.is_empty()));
        }
        // Workloads of each service by the id of the instance.
        let mut instances: BTreeMap<(&str, String), Vec<Workload>> = BTreeMap::new();
        capture.envelopes(&mut |place, envelope| {
            let Envelope::Resource(raw) = envelope else { return };
            for service in self.services.get(&place.number).into_iter().flatten() {
                let attributes = raw.attributes.as_slice();
                one(attributes, service, failures);
                if let Some(id) = text(attributes, "service.instance.id") {
                    let workload = WORKLOADS.map(|key| text(attributes, key));
                    instances.entry((service, id)).or_default().push(workload);
                }
            }
        })?;
        for ((service, _), workloads) in instances {
            fail(failures, service, "RES-002", u64::from(differ(&workloads)));
        }
        Ok(())
    }
}

fn one(attributes: &[RawAttribute<'_>], service: &str, failures: &mut BTreeMap<String, Failures>) {
    let begins = |prefix: &[u8]| attributes.iter().any(|attribute| attribute.key.raw.starts_with(prefix));
    let lacks = |key: &str| u64::from(text(attributes, key).is_none());
    fail(failures, service, "RES-001", lacks("service.instance.id"));
    fail(failures, service, "RES-003", if begins(b"k8s.") { lacks("k8s.pod.uid") } else { 0 });
    fail(failures, service, "RES-004", u64::from(OF_SPANS.iter().any(|prefix| begins(prefix))));
    fail(failures, service, "RES-005", lacks("service.name"));
}

/// The value of an attribute, unless it is empty.
fn text(attributes: &[RawAttribute<'_>], key: &str) -> Option<String> {
    match &attributes.iter().rev().find(|attribute| attribute.key.is(key))?.value {
        RawValue::Text(text) if !text.is_empty() => Some(text.decode().into_owned()),
        _ => None,
    }
}

/// Whether any attribute tells two of them apart.
fn differ(workloads: &[Workload]) -> bool {
    (0..WORKLOADS.len()).any(|at| {
        let values: BTreeSet<&String> = workloads.iter().filter_map(|workload| workload.get(at)?.as_ref()).collect();
        values.len() > 1
    })
}
