//! The inputs of a capture, written anew with the plan carried out.
//!
//! Comes in: a capture whose inputs can be read again. Goes out: a dump and a count. A ResourceSpans is written when it is
//! complete, so no more than one is kept.

use std::borrow::Cow;
use std::io::{self, Write};

use thiserror::Error;

use super::assemble::Assembly;
use super::patch::{any, patched, patches};
use super::plan::{Done, Plan};
use crate::capture::{Capture, SourceId};
use crate::otlp::{RawAttribute, RawResource, RawScope, RawSpan, Seen, Text};
use crate::redact;

/// How a dump is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// OTLP/JSON, a line a resource.
    Json,
    /// OTLP/protobuf, one message.
    Proto,
}

/// Why a dump could not be written anew.
#[derive(Debug, Error)]
pub enum MendError {
    /// An input cannot be read again.
    #[error("{path} cannot be read again")]
    Read {
        /// The input.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The dump cannot be written.
    #[error("the mended dump cannot be written")]
    Write(#[from] io::Error),
}

/// Writes all inputs anew.
pub fn mend(capture: &Capture, plan: &Plan, encoding: Encoding, out: &mut dyn Write) -> Result<Done, MendError> {
    let mut rewrite = Rewrite { plan, done: Done::default(), assembly: Assembly::new(encoding), out, failed: None };
    for (source, number) in capture.sources().iter().zip(0..) {
        if source.spans == 0 {
            continue;
        }
        capture
            .reread(SourceId(number), &mut |seen| rewrite.take(seen))
            .map_err(|error| MendError::Read { path: source.path.clone(), source: error })?;
        rewrite.flush();
    }
    match rewrite.failed {
        Some(error) => Err(error.into()),
        None => Ok(rewrite.done),
    }
}

struct Rewrite<'r> {
    plan: &'r Plan,
    done: Done,
    assembly: Assembly,
    out: &'r mut dyn Write,
    failed: Option<io::Error>,
}

impl Rewrite<'_> {
    fn take(&mut self, seen: Seen<'_, '_>) {
        match seen {
            Seen::Open | Seen::Close => self.flush(),
            Seen::Resource(resource, ..) => self.resource(resource),
            Seen::ResourceSchema(url) => self.assembly.resource_schema(url.decode().into_owned()),
            Seen::OpenScope => self.assembly.open_scope(),
            Seen::Scope(scope, _) => self.scope(scope),
            Seen::ScopeSchema(url) => self.assembly.scope_schema(url.decode().into_owned()),
            Seen::Span(span, _) => self.span(span),
            Seen::CloseScope | Seen::LogException(_) => {}
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(&self.assembly.take()).err();
        }
    }

    fn resource(&mut self, resource: &RawResource<'_>) {
        let patches = patches(&resource.attributes, self.plan, &mut self.done);
        let mut fixed = resource.clone();
        fixed.attributes = patched(&resource.attributes, &patches);
        self.assembly.resource(&fixed);
    }

    fn scope(&mut self, scope: &RawScope<'_>) {
        let patches = patches(&scope.attributes, self.plan, &mut self.done);
        let mut fixed = scope.clone();
        fixed.attributes = patched(&scope.attributes, &patches);
        self.assembly.scope(&fixed);
    }

    fn span(&mut self, span: &RawSpan<'_>) {
        self.done.spans += 1;
        let texts = [&span.name, &span.message].map(|text| self.veiled(text));
        let names: Vec<Option<String>> = span.events.iter().map(|event| self.veiled(&event.name)).collect();
        let ranges = span.events.iter().map(|event| &event.attributes);
        let ranges = ranges.chain(span.links.iter().map(|link| &link.attributes));
        let ranges: Vec<_> = std::iter::once(&span.own).chain(ranges).collect();
        let lists: Vec<_> = ranges.iter().map(|range| patches(span.pooled(range), self.plan, &mut self.done)).collect();
        let untouched = texts.iter().chain(&names).all(Option::is_none) && !lists.iter().any(|list| any(list));
        if untouched {
            return self.assembly.span(span);
        }
        let mut pool: Vec<RawAttribute<'_>> = Vec::with_capacity(span.pool.len() + 1);
        let mut placed = Vec::with_capacity(ranges.len());
        for (range, list) in ranges.iter().zip(&lists) {
            let from = pool.len();
            pool.extend(patched(span.pooled(range), list));
            placed.push(from..pool.len());
        }
        let mut fixed = span.clone();
        fixed.pool = pool;
        let mut placed = placed.into_iter();
        fixed.own = placed.next().unwrap_or_default();
        for (event, name) in fixed.events.iter_mut().zip(&names) {
            event.attributes = placed.next().unwrap_or_default();
            put(&mut event.name, name);
        }
        for link in &mut fixed.links {
            link.attributes = placed.next().unwrap_or_default();
        }
        let [name, message] = &texts;
        put(&mut fixed.name, name);
        put(&mut fixed.message, message);
        self.assembly.span(&fixed);
    }

    /// The text with its secrets hidden, if it has any and they are to be hidden.
    fn veiled(&mut self, text: &Text<'_>) -> Option<String> {
        if !self.plan.redact || text.is_empty() {
            return None;
        }
        match redact::text(&text.decode()) {
            Cow::Borrowed(_) => None,
            Cow::Owned(hidden) => {
                self.done.hidden += 1;
                Some(hidden)
            }
        }
    }
}

fn put<'t>(text: &mut Text<'t>, new: &'t Option<String>) {
    if let Some(new) = new {
        *text = Text::plain(new.as_bytes());
    }
}
