//! Spans put together to requests of bounded size.
//!
//! Comes in: encoded resources, scopes and spans, in any order. Goes out: whole requests in the same encoding. Spans of one resource
//! and scope share a group; a request is never over the bounds unless a single span is.

use std::time::Duration;

use bytes::Bytes;

use super::encode::{AROUND, Group, ScopeGroup, in_place, request};
use super::plan::{Bounds, Planned};
use super::pool::Pool;
use crate::otlp::{Encoding, Envelope};

/// How many groups are looked through for one of the same resource and scope.
const LOOK_BACK: usize = 16;

/// Puts spans together.
#[derive(Debug)]
pub(super) struct Batcher {
    encoding: Encoding,
    bounds: Bounds,
    groups: Vec<Group>,
    /// Where the next span goes, if that group is open.
    place: Option<(usize, usize)>,
    resource: Envelope,
    scope: Envelope,
    spans: u64,
    size: usize,
    /// The size of a request, by the last one.
    usual: usize,
    pool: Pool,
}

impl Batcher {
    pub(super) fn new(encoding: Encoding, bounds: Bounds) -> Self {
        let bounds = Bounds { spans: bounds.spans.max(1), ..bounds };
        let (resource, scope) = (Envelope::default(), Envelope::default());
        let (groups, pool) = (Vec::new(), Pool::default());
        Self { encoding, bounds, groups, place: None, resource, scope, spans: 0, size: 0, usual: 0, pool }
    }

    /// Where the spans that follow come from.
    pub(super) fn origin(&mut self, resource: &Envelope, scope: &Envelope) {
        if self.resource != *resource {
            self.resource.clone_from(resource);
            self.place = None;
        }
        if self.scope != *scope {
            self.scope.clone_from(scope);
            self.place = None;
        }
    }

    /// Takes a span in; gives a request when it is full.
    pub(super) fn span(&mut self, span: &[u8], give: &mut dyn FnMut(Planned)) {
        let own = span.len() + AROUND;
        let place = self.find();
        let origin = if place.is_some() { 0 } else { self.resource.room() + self.scope.room() };
        let over = self.size + own + origin > self.bounds.bytes;
        if self.spans > 0 && (over || self.spans >= self.bounds.spans) {
            self.flush(give);
        }
        let (group, scope) = self.place.unwrap_or_else(|| self.open());
        let Some(open) = self.groups.get_mut(group).and_then(|group| group.scopes.get_mut(scope)) else { return };
        open.push(span, self.encoding);
        self.spans += 1;
        self.size += own;
        if self.spans >= self.bounds.spans || self.size > self.bounds.bytes {
            self.flush(give);
        }
    }

    /// An open group of the same origin.
    fn find(&mut self) -> Option<(usize, usize)> {
        if self.place.is_none() {
            let from = self.groups.len().saturating_sub(LOOK_BACK);
            let groups = self.groups.iter().enumerate().skip(from).rev();
            self.place = groups.filter(|(_, group)| group.resource == self.resource).find_map(|(number, group)| {
                Some((number, group.scopes.iter().position(|inner| inner.scope == self.scope)?))
            });
        }
        self.place
    }

    fn open(&mut self) -> (usize, usize) {
        let same = self.groups.last().is_some_and(|group| group.resource == self.resource);
        if !same {
            self.size += self.resource.room();
            self.groups.push(Group { resource: self.resource.clone(), scopes: Vec::new() });
        }
        self.size += self.scope.room();
        // The first scope may turn out to be the only one, and its space to be the request's.
        let room = if self.spans == 0 { self.resource.room() + self.scope.room() } else { 0 };
        let buffer = self.pool.take(if self.spans == 0 { self.usual } else { 0 });
        let number = self.groups.len().saturating_sub(1);
        let inner = self.groups.last_mut().map_or(0, |group| {
            group.scopes.push(ScopeGroup::new(self.scope.clone(), room, buffer));
            group.scopes.len() - 1
        });
        self.place = Some((number, inner));
        (number, inner)
    }

    /// Gives what there is as a request.
    pub(super) fn flush(&mut self, give: &mut dyn FnMut(Planned)) {
        if self.spans == 0 {
            return;
        }
        let bytes = self.bytes();
        self.usual = (bytes.len() + bytes.len() / 8).min(self.bounds.bytes);
        let oversize = self.spans == 1 && bytes.len() > self.bounds.bytes;
        let spans = std::mem::take(&mut self.spans);
        (self.size, self.place) = (0, None);
        give(Planned { bytes, spans, due: Duration::ZERO, oversize });
    }

    /// What there is as one message.
    fn bytes(&mut self) -> Bytes {
        if let [Group { resource, scopes }] = &mut *self.groups
            && scopes.len() == 1
            && let Some(only) = scopes.pop()
        {
            match in_place(resource, only, self.encoding, &self.pool) {
                Ok(bytes) => {
                    self.groups.clear();
                    return bytes;
                }
                Err(only) => scopes.push(only),
            }
        }
        let mut bytes = self.pool.take(self.size);
        request(&self.groups, self.encoding, &mut bytes);
        for inner in self.groups.drain(..).flat_map(|group| group.scopes) {
            self.pool.keep(inner.into_buffer());
        }
        self.pool.lend(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use prost::Message;

    fn envelope(schema: &str) -> Envelope {
        Envelope { schema: schema.to_owned(), ..Envelope::default() }
    }

    fn span(name: &str) -> Vec<u8> {
        Span { name: name.to_owned(), ..Span::default() }.encode_to_vec()
    }

    #[test]
    fn spans_of_one_origin_share_a_group() {
        let mut batcher = Batcher::new(Encoding::Proto, Bounds::default());
        let mut requests = Vec::new();
        for (number, schema) in ["a", "b", "a", "a", "b"].into_iter().enumerate() {
            batcher.origin(&envelope(schema), &envelope("scope"));
            batcher.span(&span(&number.to_string()), &mut |request| requests.push(request));
        }
        batcher.flush(&mut |request| requests.push(request));
        let [request] = &requests[..] else { panic!("{requests:?}") };
        let message = ExportTraceServiceRequest::decode(&*request.bytes).unwrap();
        assert_eq!(message.encode_to_vec(), request.bytes);
        let shape: Vec<_> = message
            .resource_spans
            .iter()
            .map(|group| (group.schema_url.as_str(), group.scope_spans[0].spans.len()))
            .collect();
        assert_eq!((shape, request.spans), (vec![("a", 3), ("b", 2)], 5));
    }

    #[test]
    fn no_request_is_over_the_bounds_but_for_a_single_span() {
        for encoding in [Encoding::Proto, Encoding::Json] {
            let bounds = Bounds { spans: 10, bytes: 1000 };
            let mut batcher = Batcher::new(encoding, bounds);
            let mut requests = Vec::new();
            let mut given = 0;
            for number in 0..200usize {
                let name = "x".repeat(if number == 100 { 3000 } else { number });
                let piece = if encoding == Encoding::Proto {
                    span(&name)
                } else {
                    format!("{{\"name\":\"{name}\"}}").into_bytes()
                };
                batcher.origin(&envelope(&"r".repeat(number % 3)), &envelope(&"s".repeat(number % 5)));
                batcher.span(&piece, &mut |request| requests.push(request));
                given += 1;
            }
            batcher.flush(&mut |request| requests.push(request));
            assert_eq!(requests.iter().map(|request| request.spans).sum::<u64>(), given);
            for request in &requests {
                assert!(
                    request.spans <= 10 && (request.bytes.len() <= 1000) != request.oversize,
                    "{}",
                    request.bytes.len()
                );
                assert!(!request.oversize || request.spans == 1);
                if encoding == Encoding::Json {
                    serde_json::from_slice::<serde_json::Value>(&request.bytes).unwrap();
                }
            }
            assert_eq!(requests.iter().filter(|request| request.oversize).count(), 1);
        }
    }
}
