//! Everything that is read once more after the scan without being a span: resources, scopes, and the lines spans stand on.
//!
//! Comes in: a capture. Goes out: resources and scopes in place, one after the other, and line numbers. Nothing is kept.

use std::collections::BTreeMap;

use super::fetch::{Piece, line_numbers};
use super::head::{SourceId, SpanRef};
use super::table::Capture;
use crate::input::{InputError, Stream};
use crate::otlp::{RawResource, RawScope, read_resource, read_scope};

/// A resource or scope in place.
#[derive(Debug)]
pub enum Envelope<'a> {
    /// A resource.
    Resource(RawResource<'a>),
    /// An instrumentation scope.
    Scope(RawScope<'a>),
}

/// Where a resource or scope stands, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvelopePlace {
    /// Its number among the resources, or among the scopes.
    pub number: u32,
    /// The input.
    pub source: SourceId,
    /// Byte offset in the decoded stream of the input.
    pub at: u64,
}

impl Capture {
    /// Reads every different resource and then every different scope once more.
    pub fn envelopes(&self, each: &mut dyn FnMut(EnvelopePlace, Envelope<'_>)) -> Result<(), InputError> {
        let count = self.resources.len();
        let entries = || self.resources.iter().chain(&self.scopes);
        let mut pieces: Vec<(Piece, usize)> = entries()
            .enumerate()
            .filter(|(_, entry)| entry.size > 0)
            .map(|(number, entry)| (Piece { source: entry.source.0, at: entry.at, size: entry.size }, number))
            .collect();
        pieces.sort_unstable();
        self.pieces(&pieces, &mut |number, bytes| {
            let resource = self.resources.get(number);
            let scope = number.checked_sub(count).and_then(|number| self.scopes.get(number));
            let Some(entry) = resource.or(scope) else { return };
            let number = if resource.is_some() { number } else { number - count };
            let place = EnvelopePlace { number: number as u32, source: entry.source, at: entry.at };
            let envelope = match resource {
                Some(_) => read_resource(bytes, entry.shape).map(Envelope::Resource),
                None => read_scope(bytes, self.scope_shape(bytes)).map(Envelope::Scope),
            };
            if let Some(envelope) = envelope {
                each(place, envelope);
            }
        })
    }

    /// The resource and the scope of a span, by the numbers that [`Self::envelopes`] gives.
    pub fn envelope_numbers(&self, span: SpanRef) -> (u32, u32) {
        self.origins.get(self.head(span).origin.0 as usize).copied().unwrap_or_default()
    }

    /// The schema URLs of all resources, by their numbers.
    pub fn resource_schemas(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(|entry| self.text(entry.schema))
    }

    /// Name, version and schema URL of all scopes, by their numbers.
    pub fn scope_words(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.scopes.iter().map(|entry| (self.text(entry.name), self.text(entry.version), self.text(entry.schema)))
    }

    /// Whether the span's resource says anything, its service at least.
    pub fn has_resource(&self, span: SpanRef) -> bool {
        let (resource, _) = self.envelope_numbers(span);
        self.resources.get(resource as usize).is_some_and(|entry| entry.hash != 0)
    }

    /// The services of all resources that spans came with, in no order and with repeats.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.origins
            .iter()
            .filter_map(|(resource, _)| self.resources.get(*resource as usize))
            .map(|r| self.text(r.name))
    }

    /// The lines of places in the inputs, in the order of the questions; zero in binary inputs and those that are gone.
    pub fn lines(&self, places: &[(SourceId, u64)]) -> Vec<u64> {
        let mut lines = vec![0; places.len()];
        let mut wanted: BTreeMap<SourceId, Vec<(u64, usize)>> = BTreeMap::new();
        for (number, (source, at)) in places.iter().enumerate() {
            wanted.entry(*source).or_default().push((*at, number));
        }
        for (source, mut places) in wanted {
            let is_text = !self.source(source).format.contains("proto");
            let Some(store) = self.stores.get(usize::from(source.0)).filter(|_| is_text) else { continue };
            places.sort_unstable();
            let offsets: Vec<u64> = places.iter().map(|(at, _)| *at).collect();
            // Without lines the offset still says where: a file that is gone by now is no failure.
            let found = Stream::reopen(store).and_then(|stream| line_numbers(stream, &offsets)).unwrap_or_default();
            for ((_, number), line) in places.iter().zip(found) {
                if let Some(slot) = lines.get_mut(*number) {
                    *slot = line;
                }
            }
        }
        lines
    }
}
