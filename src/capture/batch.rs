//! The heads of one block, with names and origins numbered for themselves.
//!
//! Comes in: what a reader sees, in any order the format allows. Goes out: a batch that the capture takes over in the order of
//! the input, so that numbers never depend on which thread was first.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashMap;

use crate::agent::{self, Act, Glance};
use crate::model::{Kind, Status};
use crate::otlp::{IdForm, RawResource, RawScope, RawSpan, Seen, Shape};
use crate::redact;

use super::brief::Brief;
use super::head::{Head, Marks, NameId, OriginId, SourceId};
use super::logged::Logged;
use super::names::Names;

/// Where the bytes of a resource or scope are, and what is needed of it at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// `service.name`, or the name of the scope.
    pub(super) name: NameId,
    /// The version of the scope.
    pub(super) version: NameId,
    /// The schema URL.
    pub(super) schema: NameId,
    /// A fingerprint of its bytes; zero when it has none.
    pub(super) hash: u64,
    pub(super) at: u64,
    pub(super) size: u32,
    pub(super) source: SourceId,
    pub(super) shape: Shape,
}

/// The records of some spans.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) heads: Vec<Head>,
    pub(super) names: Names,
    /// Resource and scope of each origin, by number in this batch.
    pub(super) origins: Vec<(u32, u32)>,
    pub(super) resources: Vec<Entry>,
    pub(super) scopes: Vec<Entry>,
    /// Spans that say something about an agent's run, by number in this batch.
    pub(super) briefs: Vec<(u32, Brief)>,
    /// Conversations of other spans, by number in this batch.
    pub(super) sessions: Vec<(u32, NameId)>,
    /// Values of the attribute that was asked for, by number in this batch.
    pub(super) captured: Vec<(u32, NameId)>,
    /// Exceptions of spans that stand in log records, by the ids of the span.
    pub(super) logged: Vec<Logged>,
    /// The formats that were met, a bit each.
    pub(super) shapes: u8,
}

/// What is noted of a span while its bytes are hot, by its number in the batch; with what it says about an agent's run.
pub(super) type Note<'o, N> = &'o (dyn Fn(&mut N, &RawSpan<'_>, &Glance, Option<&Act<'_>>, u32) + Sync);

/// Fills batches.
pub(super) struct Builder<'o, N> {
    /// The batch, and what was noted of its spans.
    pub(super) made: (Batch, N),
    note: Note<'o, N>,
    source: SourceId,
    wanted: Option<&'o str>,
    hasher: &'o RandomState,
    open_group: bool,
    open_scope: bool,
    /// The resources that many groups share, by where they are: Jaeger's processes, which may be large.
    shared: HashMap<u64, Entry>,
    /// The scope is Letta's, as far as it is known: it may stand behind its spans.
    in_letta: bool,
}

impl<'o, N: Default> Builder<'o, N> {
    pub(super) fn new(source: SourceId, wanted: Option<&'o str>, hasher: &'o RandomState, note: Note<'o, N>) -> Self {
        let made = (Batch::default(), N::default());
        let shared = HashMap::default();
        Self { made, note, source, wanted, hasher, open_group: false, open_scope: false, shared, in_letta: false }
    }

    /// Takes in one thing that was read.
    #[inline]
    pub(super) fn heed(&mut self, seen: Seen<'_, '_>) {
        match seen {
            Seen::Span(span, at) => self.span(span, at),
            Seen::Open => {
                self.open_group = true;
                self.made.0.resources.push(Entry::default());
            }
            Seen::Resource(resource, at, shape) => self.resource(resource, at, shape),
            Seen::ResourceSchema(url) => {
                let schema = NameId(self.made.0.names.intern(&url));
                if let Some(entry) = self.made.0.resources.last_mut() {
                    entry.schema = schema;
                }
            }
            Seen::OpenScope => {
                (self.open_scope, self.in_letta) = (true, false);
                self.made.0.scopes.push(Entry::default());
                self.open_origin();
            }
            Seen::Scope(scope, at) => self.scope(scope, at),
            Seen::ScopeSchema(url) => {
                let schema = NameId(self.made.0.names.intern(&url));
                if let Some(entry) = self.made.0.scopes.last_mut() {
                    entry.schema = schema;
                }
            }
            Seen::LogException(exception) => {
                self.made.0.logged.push(Logged::of(&exception, &mut self.made.0.names));
            }
            Seen::Unknown(_) | Seen::Beside => {}
            Seen::CloseScope => self.open_scope = false,
            Seen::Close => self.open_group = false,
        }
    }

    fn open_origin(&mut self) {
        let last = |entries: &[Entry]| entries.len().saturating_sub(1) as u32;
        self.made.0.origins.push((last(&self.made.0.resources), last(&self.made.0.scopes)));
    }

    fn resource(&mut self, resource: &RawResource<'_>, at: u64, shape: Shape) {
        let known = self.shared.get(&at).filter(|_| shape == Shape::Jaeger);
        if let (Some(known), Some(entry)) = (known, self.made.0.resources.last_mut()) {
            *entry = *known;
            return;
        }
        let service = resource.attributes.iter().rev().find(|a| a.key.is("service.name")).and_then(|a| a.value.text());
        let name = NameId(service.map_or(0, |service| self.made.0.names.intern(&service)));
        let hash = self.fingerprint(resource.raw, &[service.map_or(&[], |service| service.raw)]);
        if let Some(entry) = self.made.0.resources.last_mut() {
            *entry = Entry { name, hash, at, size: size(resource.raw), source: self.source, shape, ..*entry };
            if shape == Shape::Jaeger && !resource.raw.is_empty() {
                self.shared.insert(at, *entry);
            }
        }
    }

    fn scope(&mut self, scope: &RawScope<'_>, at: u64) {
        self.in_letta = agent::is_letta_scope(scope.name.raw);
        let name = NameId(self.made.0.names.intern(&scope.name));
        let version = NameId(self.made.0.names.intern(&scope.version));
        let hash = self.fingerprint(scope.raw, &[scope.name.raw, scope.version.raw]);
        if let Some(entry) = self.made.0.scopes.last_mut() {
            *entry = Entry { name, version, hash, at, size: size(scope.raw), source: self.source, ..*entry };
        }
    }

    /// What tells resources and scopes apart: their bytes, or what is known of those that have none of their own. Zero
    /// stands for "nothing at all".
    fn fingerprint(&self, bytes: &[u8], names: &[&[u8]]) -> u64 {
        match bytes {
            [] if names.iter().all(|name| name.is_empty()) => 0,
            [] => self.hasher.hash_one(names) | 1,
            _ => self.hasher.hash_one(bytes) | 1,
        }
    }

    #[inline]
    fn span(&mut self, span: &RawSpan<'_>, at: u64) {
        let glance = agent::glance(span, self.in_letta);
        let mut marks = Marks::default();
        marks.set_bad_trace_id(span.trace_id.form != IdForm::Whole);
        marks.set_bad_span_id(span.span_id.form != IdForm::Whole);
        marks.set_bad_parent_id(span.parent_id.is_odd());
        marks.set_remote_known(span.flags & 0x100 != 0);
        marks.set_remote(span.flags & 0x300 == 0x300);
        marks.set_over_parameter_budget(glance.over_parameter_budget);
        marks.set_over_span_budget(glance.over_span_budget);
        marks.set_dropped(span.dropped_attributes | span.dropped_events | span.dropped_links != 0);
        marks.set_exception(glance.exception);
        marks.set_kind(Kind::from_number(span.kind));
        marks.set_status(Status::from_number(span.status));
        marks.set_termination(glance.termination);
        marks.set_role(glance.role);
        marks.set_shape(span.shape);
        let number = self.made.0.heads.len() as u32;
        let speaks = agent::has_act(span, glance.role);
        let act = if speaks { agent::act(span, glance.role) } else { None };
        if let Some(act) = &act {
            marks.set_brief(true);
            let brief = Brief::of(act, &mut self.made.0.names);
            self.made.0.briefs.push((number, brief));
        } else if begins(span)
            && let Some(text) = glance.conversation.and_then(|at| span.attributes().get(at)?.value.text())
        {
            marks.set_session(true);
            let name = NameId(self.made.0.names.intern(&text));
            self.made.0.sessions.push((number, name));
        }
        if let Some(key) = self.wanted {
            self.capture(span, key, number);
        }
        (self.note)(&mut self.made.1, span, &glance, act.as_ref(), number);
        self.made.0.shapes |= 1 << span.shape as u8;
        let name = NameId(self.made.0.names.intern(&span.name));
        self.made.0.heads.push(Head {
            trace: span.trace_id.trace(),
            id: span.span_id.span(),
            parent: span.parent_id.span(),
            start: span.start,
            end: span.end,
            at,
            size: size(span.raw),
            name,
            origin: OriginId(self.made.0.origins.len().saturating_sub(1) as u32),
            marks,
            attributes: count(span.attributes().len()),
            events: count(span.events.len()),
            links: count(span.links.len()),
            source: self.source,
        });
    }

    #[cold]
    fn capture(&mut self, span: &RawSpan<'_>, key: &str, number: u32) {
        let Some(value) = span.attribute(key) else { return };
        let value = value.decode().to_string();
        let value = self.made.0.names.intern_str(&redact::attribute_text(key, &value));
        self.made.0.captured.push((number, NameId(value)));
    }

    /// Begins anew, keeping the space.
    pub(super) fn begin(&mut self) {
        self.made.0.clear();
        self.made.1 = N::default();
        self.shared.clear();
        self.open_group = false;
        self.open_scope = false;
        self.in_letta = false;
    }

    /// Whether the batch may be handed over: nothing it says can change any more, as far as spans and services go.
    pub(super) fn settled(&self) -> bool {
        !self.open_group || self.made.0.resources.last().is_some_and(|entry| entry.hash != 0)
    }

    /// Hands over the batch and begins the next one, inside the same resource and scope where those are still open.
    pub(super) fn split(&mut self) -> (Batch, N) {
        let (batch, notes) = std::mem::take(&mut self.made);
        // Its names have other numbers from here on.
        self.shared.clear();
        let carry = |entry: Option<&Entry>, names: &mut Names| {
            let mut entry = entry.copied().unwrap_or_default();
            for name in [&mut entry.name, &mut entry.version, &mut entry.schema] {
                *name = NameId(names.intern_str(batch.names.get(name.0)));
            }
            entry
        };
        if self.open_group {
            let entry = carry(batch.resources.last(), &mut self.made.0.names);
            self.made.0.resources.push(entry);
        }
        if self.open_scope {
            let entry = carry(batch.scopes.last(), &mut self.made.0.names);
            self.made.0.scopes.push(entry);
            self.open_origin();
        }
        (batch, notes)
    }
}

impl Batch {
    /// Makes it ready to be filled again, keeping the space of the heads.
    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.names.clear();
        self.origins.clear();
        self.resources.clear();
        self.scopes.clear();
        self.briefs.clear();
        self.sessions.clear();
        self.captured.clear();
        self.logged.clear();
        self.shapes = 0;
    }
}

/// Whether what is below the span may belong to the conversation it names: a root, or a request that is served.
fn begins(span: &RawSpan<'_>) -> bool {
    const SERVER: i32 = 2;
    span.parent_id.bits == 0 || span.kind == SERVER
}

fn size(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn count(items: usize) -> u16 {
    u16::try_from(items).unwrap_or(u16::MAX)
}
