//! The tables themselves, and how batches are taken over into them.

use std::collections::BTreeMap;
use std::path::Path;

use hashbrown::HashMap;

use super::batch::{Batch, Entry};
use super::brief::Brief;
use super::head::{Head, NameId, OriginId, SourceId, SpanRef};
use super::logged::Logged;
use super::names::Names;
use crate::input::{Format, Store};
use crate::otlp::{Shape, Tally, Trouble, TroubleKind};
use crate::redact;

/// Heads stand in chunks of this many, so that growing never copies them.
const CHUNK: usize = 1 << 14;
const CHUNK_OF_BRIEFS: usize = 1 << 12;

/// Where spans came from: a resource and an instrumentation scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `service.name` of the resource; empty when it has none.
    pub service: NameId,
    /// Name of the instrumentation scope; empty when it has none.
    pub scope: NameId,
}

/// One input of a capture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// Its path as people know it; `-` for standard input.
    pub path: String,
    /// The format that was found in it: `otlp-json`, `otlp-proto`, …, several joined by `+`, `unknown` where none was.
    pub format: String,
    /// The compression that was found around it.
    pub compression: Option<&'static str>,
    /// How many spans it held.
    pub spans: u64,
    /// How many bytes were read from it, as stored.
    pub bytes: u64,
    /// Documents of logs, metrics and profiles that were passed by.
    pub other_signals: [u64; 3],
    /// Its spans arrived after their traces had settled.
    pub late: bool,
    /// What it looks like instead, where it held no spans: a clause like "a Langfuse export, not OTLP".
    pub looks_like: Option<String>,
}

/// Everything that was read from all inputs.
pub struct Capture {
    pub(super) chunks: Vec<Vec<Head>>,
    pub(super) length: usize,
    pub(super) names: Names,
    pub(super) origins: Vec<(u32, u32)>,
    origin_numbers: HashMap<(u32, u32), u32>,
    pub(super) resources: Vec<Entry>,
    resource_numbers: HashMap<(u64, u32, u32), u32>,
    pub(super) scopes: Vec<Entry>,
    scope_numbers: HashMap<(u64, u32, u32), u32>,
    /// In the order of the spans, in chunks.
    briefs: Vec<Vec<(SpanRef, Brief)>>,
    /// In the order of the spans.
    sessions: Vec<(SpanRef, NameId)>,
    captured: BTreeMap<SpanRef, NameId>,
    logged: Vec<Logged>,
    pub(super) sources: Vec<Source>,
    /// What stands for the input of a span that is not of this capture.
    nowhere: Source,
    pub(super) stores: Vec<Store>,
    pub(super) troubles: Vec<Trouble>,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            length: 0,
            names: Names::default(),
            origins: vec![(0, 0)],
            origin_numbers: HashMap::default(),
            resources: vec![Entry::default()],
            resource_numbers: HashMap::default(),
            scopes: vec![Entry::default()],
            scope_numbers: HashMap::default(),
            briefs: Vec::new(),
            sessions: Vec::new(),
            captured: BTreeMap::new(),
            logged: Vec::new(),
            sources: Vec::new(),
            nowhere: Source::default(),
            stores: Vec::new(),
            troubles: Vec::new(),
        }
    }
}

impl Capture {
    /// How many spans there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// All spans in the order of the inputs.
    pub fn spans(&self) -> impl Iterator<Item = SpanRef> + use<> {
        (0..self.length as u32).map(SpanRef)
    }

    /// All records in the order of the inputs.
    pub fn heads(&self) -> impl Iterator<Item = &Head> {
        self.chunks.iter().flatten()
    }

    /// The record of a span of this capture. A [`SpanRef`] of another one leads to any record, or to an empty one.
    #[inline]
    pub fn head(&self, span: SpanRef) -> &Head {
        let at = span.0 as usize;
        self.chunks.get(at / CHUNK).and_then(|chunk| chunk.get(at % CHUNK)).unwrap_or(&Head::NONE)
    }

    /// A text of the dictionary.
    pub fn text(&self, name: NameId) -> &str {
        self.names.get(name.0)
    }

    /// All texts of the dictionary, by number.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(_, text)| text)
    }

    /// Where a span came from.
    pub fn origin(&self, origin: OriginId) -> Origin {
        let (resource, scope) = self.origins.get(origin.0 as usize).copied().unwrap_or_default();
        let name =
            |entries: &[Entry], number: u32| entries.get(number as usize).map(|entry| entry.name).unwrap_or_default();
        Origin { service: name(&self.resources, resource), scope: name(&self.scopes, scope) }
    }

    /// The name of the span.
    pub fn name(&self, span: SpanRef) -> &str {
        self.text(self.head(span).name)
    }

    /// The name of the span's service.
    pub fn service(&self, span: SpanRef) -> &str {
        self.text(self.origin(self.head(span).origin).service)
    }

    /// What the span says about an agent's run, in short.
    pub fn brief(&self, span: SpanRef) -> Option<&Brief> {
        if !self.head(span).marks.brief() {
            return None;
        }
        let first = |chunk: &Vec<(SpanRef, Brief)>| chunk.first().is_some_and(|(at, _)| *at <= span);
        let chunk = self.briefs.get(self.briefs.partition_point(first).checked_sub(1)?)?;
        let at = chunk.binary_search_by_key(&span, |(at, _)| *at).ok()?;
        chunk.get(at).map(|(_, brief)| brief)
    }

    /// The conversation that the span names; empty where it names none. Of spans that say nothing else about an agent's run only
    /// roots and requests that are served are asked.
    pub fn conversation(&self, span: SpanRef) -> NameId {
        let named = || {
            let at = self.sessions.binary_search_by_key(&span, |(at, _)| *at).ok()?;
            self.sessions.get(at).map(|(_, name)| *name)
        };
        match self.head(span).marks.session() {
            true => named().unwrap_or_default(),
            false => self.brief(span).map(|brief| brief.conversation).unwrap_or_default(),
        }
    }

    /// Whether any span says anything about an agent's run.
    pub fn has_briefs(&self) -> bool {
        !self.briefs.is_empty()
    }

    /// Exceptions of spans that were recorded as logs, in the order of the inputs.
    pub fn logged(&self) -> &[Logged] {
        &self.logged
    }

    /// The inputs in the order they were read.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The files that were read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.stores.iter().filter_map(|store| if let Store::Path(path) = store { Some(path.as_path()) } else { None })
    }

    /// The input a span was read from.
    pub fn source(&self, source: SourceId) -> &Source {
        self.sources.get(usize::from(source.0)).unwrap_or(&self.nowhere)
    }

    /// What was odd in the inputs: each kind once an input, in the order of the inputs and of the first occurrence.
    pub fn troubles(&self) -> &[Trouble] {
        &self.troubles
    }

    /// Values of the attribute that was asked for when the capture was opened, by span.
    pub fn captured(&self) -> &BTreeMap<SpanRef, NameId> {
        &self.captured
    }

    /// Takes over a batch.
    pub(super) fn commit(&mut self, batch: &Batch) {
        // Names are shown everywhere: a secret in one is hidden before it gets any further.
        let names: Vec<NameId> =
            batch.names.iter().map(|(_, text)| NameId(self.names.intern_str(&redact::text(text)))).collect();
        let name = |id: NameId| names.get(id.0 as usize).copied().unwrap_or_default();
        let global = |entry: &Entry| Entry {
            name: name(entry.name),
            version: name(entry.version),
            schema: name(entry.schema),
            ..*entry
        };
        let sources = &self.sources;
        let path = |entry: &Entry| sources.get(usize::from(entry.source.0)).map(|source| &source.path);
        let number = |entries: &mut Vec<Entry>, numbers: &mut HashMap<(u64, u32, u32), u32>, entry: &Entry| {
            let entry = global(entry);
            let number = *numbers.entry((entry.hash, entry.size, entry.schema.0)).or_insert_with(|| {
                entries.push(entry);
                entries.len() as u32 - 1
            });
            // Of the same in several inputs that of the first path is told, in whatever order they were read.
            if let Some(known) = entries.get_mut(number as usize)
                && known.source != entry.source
                && entry.size > 0
                && path(&entry) < path(known)
            {
                (known.source, known.at, known.shape) = (entry.source, entry.at, entry.shape);
            }
            number
        };
        let resources: Vec<u32> =
            batch.resources.iter().map(|e| number(&mut self.resources, &mut self.resource_numbers, e)).collect();
        let scopes: Vec<u32> =
            batch.scopes.iter().map(|e| number(&mut self.scopes, &mut self.scope_numbers, e)).collect();
        let origins: Vec<OriginId> = batch
            .origins
            .iter()
            .map(|(resource, scope)| {
                let key = (
                    resources.get(*resource as usize).copied().unwrap_or(0),
                    scopes.get(*scope as usize).copied().unwrap_or(0),
                );
                OriginId(*self.origin_numbers.entry(key).or_insert_with(|| {
                    self.origins.push(key);
                    self.origins.len() as u32 - 1
                }))
            })
            .collect();
        let first = self.length as u32;
        for head in &batch.heads {
            let origin = origins.get(head.origin.0 as usize).copied().unwrap_or_default();
            self.push(Head { name: name(head.name), origin, ..*head });
        }
        for (number, brief) in &batch.briefs {
            self.add_brief(SpanRef(first + number), brief.renamed(name));
        }
        let sessions = batch.sessions.iter().map(|(number, session)| (SpanRef(first + number), name(*session)));
        self.sessions.extend(sessions);
        self.logged.extend(batch.logged.iter().map(|logged| logged.renamed(name)));
        self.captured.extend(batch.captured.iter().map(|(number, value)| (SpanRef(first + number), name(*value))));
    }

    fn add_brief(&mut self, span: SpanRef, brief: Brief) {
        match self.briefs.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_OF_BRIEFS => chunk.push((span, brief)),
            // The first chunk grows as it has to, as that of the records does.
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK_OF_BRIEFS);
                chunk.push((span, brief));
                self.briefs.push(chunk);
            }
            None => self.briefs.push(vec![(span, brief)]),
        }
    }

    fn push(&mut self, head: Head) {
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(head),
            _ => {
                // The first chunk grows as it has to: most captures are small.
                let mut chunk = if self.chunks.is_empty() { Vec::new() } else { Vec::with_capacity(CHUNK) };
                chunk.push(head);
                self.chunks.push(chunk);
            }
        }
        self.length += 1;
    }

    /// Notes an oddity that concerns an input as a whole.
    pub(super) fn trouble(&mut self, source: SourceId, kind: TroubleKind, count: u64, detail: &str) {
        self.troubles.push(Trouble {
            kind,
            source: source.0,
            offset: 0,
            line: 0,
            json_path: String::new(),
            trace_id: None,
            span_id: None,
            detail: detail.to_owned(),
            count,
        });
    }

    /// What was odd in the input that was read last.
    fn last_troubles(&mut self, source: SourceId) -> &mut [Trouble] {
        // Inputs are read one after the other, so theirs stand together at the end, however many there are before.
        let before = self.troubles.iter().rposition(|trouble| trouble.source != source.0);
        self.troubles.get_mut(before.map_or(0, |at| at + 1)..).unwrap_or_default()
    }

    /// Says of an input without spans what it looks like instead, as far as its documents have not said so themselves.
    pub(super) fn look_back(&mut self, source: SourceId, format: Format) {
        let troubles = self.last_troubles(source);
        let has = |kind| troubles.iter().any(|trouble| trouble.kind == kind);
        let cut = [TroubleKind::Truncated, TroubleKind::BadCompression, TroubleKind::BadMessage].into_iter().any(has);
        let (broken, text) = (has(TroubleKind::Syntax) || has(TroubleKind::BrokenSpan), has(TroubleKind::OtherText));
        let Some(source) = self.sources.get_mut(usize::from(source.0)).filter(|source| source.spans == 0) else {
            return;
        };
        let [logs, metrics, profiles] = source.other_signals;
        let looks = match source.looks_like.take() {
            Some(_) if cut && source.compression.is_some() && format == Format::Empty => {
                "a compressed file that was cut off before its first bytes".to_owned()
            }
            Some(looks) => looks,
            None if logs + metrics + profiles > 0 => {
                let named = [("logs", logs), ("metrics", metrics), ("profiles", profiles)];
                let names: Vec<&str> = named.iter().filter(|(_, count)| *count > 0).map(|(name, _)| *name).collect();
                format!("OTLP with {} only: traces are exported separately", names.join(" and "))
            }
            None if cut => "a dump that was cut off before its first span was complete".to_owned(),
            None if broken => "JSON that is broken before its first span".to_owned(),
            None if text => "text without any JSON of traces in it".to_owned(),
            None if format != Format::Empty => "OTLP without spans: an exporter that had nothing to send".to_owned(),
            None => return,
        };
        source.looks_like = Some(looks);
    }

    /// Forgets what was odd in an input that a directory brought along and that holds no spans: nobody said it would.
    pub(super) fn pass_over(&mut self, source: SourceId) {
        if self.sources.get(usize::from(source.0)).is_some_and(|source| source.spans == 0) {
            let others = self.troubles.len() - self.last_troubles(source).len();
            self.troubles.truncate(others);
        }
    }

    /// Takes over what was odd in an input.
    pub(super) fn add_troubles(&mut self, source: SourceId, tally: &Tally) {
        for trouble in tally.troubles() {
            let known = self.last_troubles(source).iter_mut().find(|old| old.kind == trouble.kind);
            match known {
                Some(old) => old.count += trouble.count,
                None => self.troubles.push(Trouble { source: source.0, ..trouble }),
            }
        }
        if let Some(source) = self.sources.get_mut(usize::from(source.0)) {
            for (total, more) in source.other_signals.iter_mut().zip(tally.other_signals) {
                *total += more;
            }
            if source.looks_like.is_none() {
                source.looks_like = tally.looks.first().cloned();
            }
        }
    }
}

/// The names of the formats in a set, joined.
pub(super) fn formats(shapes: u8) -> String {
    let names: Vec<&str> = Shape::ALL.iter().filter(|s| shapes & (1 << **s as u8) != 0).map(|s| s.name()).collect();
    names.join("+")
}
