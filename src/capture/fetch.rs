//! Details of spans, read again from where the spans lie.
//!
//! Comes in: spans somebody wants to see. Goes out: each in full. A plain file is read at the offsets; what is compressed or
//! came through a pipe is streamed once more, in the order of the offsets, and never kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::batch::Entry;
use super::detail::{Detail, ResourceDetail, ScopeDetail};
use super::head::{SourceId, SpanRef};
use super::table::Capture;
use crate::input::{InputError, Store, Stream};
use crate::otlp::{RawSpan, Shape, Trouble, read_resource, read_scope, read_span};

/// A piece of an input: where it begins and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) source: u16,
    pub(super) at: u64,
    pub(super) size: u32,
}

impl Capture {
    /// Reads the given spans again, in full. The answers stand in the order of the questions; a span whose bytes are no
    /// longer there (its file shrank or was replaced) is `None`.
    pub fn details(&self, spans: &[SpanRef]) -> Result<Vec<Option<Detail>>, InputError> {
        let mut details: Vec<Option<Detail>> = spans.iter().map(|_| None).collect();
        let mut wanted: Vec<(Piece, usize)> = spans
            .iter()
            .enumerate()
            .map(|(number, span)| {
                let head = self.head(*span);
                (Piece { source: head.source.0, at: head.at, size: head.size }, number)
            })
            .collect();
        wanted.sort_unstable();
        self.pieces(&wanted, &mut |number, bytes| {
            let Some(span) = spans.get(number) else { return };
            if let Some(slot) = details.get_mut(number) {
                *slot = self.decode(*span, bytes);
            }
        })?;
        self.add_origins(spans, &mut details)?;
        Ok(details)
    }

    /// Reads the given spans again, in place, in the order in which they lie in the inputs. `each` gets the place of the span in
    /// the question; spans whose bytes are no longer there are left out.
    pub fn again(&self, spans: &[SpanRef], each: &mut dyn FnMut(usize, &RawSpan<'_>)) -> Result<(), InputError> {
        let piece = |span: &SpanRef| {
            let head = self.head(*span);
            Piece { source: head.source.0, at: head.at, size: head.size }
        };
        let mut wanted: Vec<(Piece, usize)> = spans.iter().map(piece).zip(0..).collect();
        wanted.sort_unstable();
        self.pieces(&wanted, &mut |number, bytes| {
            let mut raw = RawSpan::default();
            if spans.get(number).is_some_and(|span| self.reads(*span, bytes, &mut raw)) {
                each(number, &raw);
            }
        })
    }

    fn decode(&self, span: SpanRef, bytes: &[u8]) -> Option<Detail> {
        let mut raw = RawSpan::default();
        self.reads(span, bytes, &mut raw).then(|| Detail::of(&raw))
    }

    /// Whether these bytes are still this span.
    pub(super) fn reads<'b>(&self, span: SpanRef, bytes: &'b [u8], raw: &mut RawSpan<'b>) -> bool {
        let head = self.head(span);
        read_span(bytes, head.marks.shape(), raw) && raw.trace_id.trace() == head.trace && raw.span_id.span() == head.id
    }

    /// Fills in resources and scopes: each is read once, however many spans share it.
    fn add_origins(&self, spans: &[SpanRef], details: &mut [Option<Detail>]) -> Result<(), InputError> {
        let origin = |span: &SpanRef| self.origins.get(self.head(*span).origin.0 as usize).copied().unwrap_or_default();
        let mut wanted = Vec::new();
        for (resource, scope) in spans.iter().map(origin) {
            wanted.push((0u8, resource));
            wanted.push((1u8, scope));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let entry = |key: &(u8, u32)| match key {
            (0, number) => self.resources.get(*number as usize).copied().unwrap_or_default(),
            (_, number) => self.scopes.get(*number as usize).copied().unwrap_or_default(),
        };
        let mut pieces: Vec<(Piece, usize)> = wanted
            .iter()
            .enumerate()
            .map(|(number, key)| (key, number, entry(key)))
            .filter(|(_, _, entry)| entry.size > 0)
            .map(|(_, number, entry)| (Piece { source: entry.source.0, at: entry.at, size: entry.size }, number))
            .collect();
        pieces.sort_unstable();
        let mut resources = BTreeMap::new();
        let mut scopes = BTreeMap::new();
        for key in &wanted {
            let entry = entry(key);
            if key.0 == 1 {
                scopes.insert(key.1, self.bare_scope(&entry));
            } else {
                let schema_url = self.text(entry.schema).to_owned();
                resources.insert(key.1, ResourceDetail { schema_url, ..ResourceDetail::default() });
            }
        }
        self.pieces(&pieces, &mut |number, bytes| {
            let Some(key) = wanted.get(number) else { return };
            let entry = entry(key);
            let schema_url = self.text(entry.schema).to_owned();
            if key.0 == 0 {
                if let Some(raw) = read_resource(bytes, entry.shape) {
                    resources.insert(key.1, ResourceDetail::of(&raw, schema_url));
                }
            } else if let Some(raw) = read_scope(bytes, self.scope_shape(bytes)) {
                scopes.insert(key.1, ScopeDetail::of(&raw, schema_url));
            }
        })?;
        for (span, detail) in spans.iter().zip(details) {
            let Some(detail) = detail else { continue };
            let (resource, scope) = origin(span);
            detail.resource = resources.get(&resource).cloned().unwrap_or_default();
            detail.scope = scopes.get(&scope).cloned().unwrap_or_default();
        }
        Ok(())
    }

    /// What is known of a scope without its bytes.
    fn bare_scope(&self, entry: &Entry) -> ScopeDetail {
        ScopeDetail {
            name: self.text(entry.name).to_owned(),
            version: self.text(entry.version).to_owned(),
            schema_url: self.text(entry.schema).to_owned(),
            ..ScopeDetail::default()
        }
    }

    /// A scope is JSON or protobuf, as its first byte tells: a protobuf scope begins with a field tag below `{`.
    pub(super) fn scope_shape(&self, bytes: &[u8]) -> Shape {
        if bytes.first() == Some(&b'{') { Shape::OtlpJson } else { Shape::OtlpProto }
    }

    /// Reads pieces that are sorted by source and offset.
    pub(super) fn pieces(
        &self,
        wanted: &[(Piece, usize)],
        each: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), InputError> {
        for group in wanted.chunk_by(|a, b| a.0.source == b.0.source) {
            let Some((first, _)) = group.first() else { continue };
            let source = usize::from(first.source);
            let path = self.sources.get(source).map(|source| source.path.as_str()).unwrap_or_default();
            let compressed = self.sources.get(source).is_some_and(|source| source.compression.is_some());
            let read = match self.stores.get(source) {
                Some(Store::Path(path)) if !compressed => {
                    File::open(path).and_then(|file| at_offsets(file, group, each))
                }
                Some(store) => Stream::reopen(store).and_then(|stream| in_passing(stream, group, each)),
                None => Ok(()),
            };
            match read {
                Ok(()) => {}
                // The file is gone or no longer what it was: those spans have no details, which the caller tells.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) => {}
                Err(error) => return Err(InputError::read(path, error)),
            }
        }
        Ok(())
    }

    /// Works out the lines of what was odd, for inputs of text that can be read again.
    pub(super) fn resolve_lines(&mut self) {
        let placed = |trouble: &&mut Trouble| trouble.kind.has_place();
        let place = |trouble: &Trouble| (SourceId(trouble.source), trouble.offset);
        let places: Vec<_> = self.troubles.iter().filter(|trouble| trouble.kind.has_place()).map(place).collect();
        let lines = self.lines(&places);
        for (trouble, line) in self.troubles.iter_mut().filter(placed).zip(lines) {
            trouble.line = line;
        }
    }
}

fn at_offsets(mut file: File, wanted: &[(Piece, usize)], each: &mut dyn FnMut(usize, &[u8])) -> io::Result<()> {
    let mut buffer = Vec::new();
    for (piece, number) in wanted {
        buffer.clear();
        file.seek(SeekFrom::Start(piece.at))?;
        (&mut file).take(u64::from(piece.size)).read_to_end(&mut buffer)?;
        each(*number, &buffer);
    }
    Ok(())
}

fn in_passing(mut stream: Stream, wanted: &[(Piece, usize)], each: &mut dyn FnMut(usize, &[u8])) -> io::Result<()> {
    let mut position = 0u64;
    let mut buffer = Vec::new();
    let mut last: Option<Piece> = None;
    for (piece, number) in wanted {
        // Two questions about the same bytes, or about overlapping ones: only equal pieces overlap.
        if last != Some(*piece) {
            let Some(gap) = piece.at.checked_sub(position) else { continue };
            io::copy(&mut (&mut stream).take(gap), &mut io::sink())?;
            buffer.clear();
            (&mut stream).take(u64::from(piece.size)).read_to_end(&mut buffer)?;
            position = piece.at + u64::from(piece.size);
            last = Some(*piece);
        }
        each(*number, &buffer);
    }
    Ok(())
}

/// The line of each offset, from 1. The offsets are sorted.
pub(super) fn line_numbers(mut stream: Stream, offsets: &[u64]) -> io::Result<Vec<u64>> {
    let mut lines = Vec::with_capacity(offsets.len());
    let mut buffer = vec![0; 256 << 10];
    let (mut position, mut line) = (0u64, 1u64);
    let mut open = offsets.iter().peekable();
    while open.peek().is_some() {
        let read = stream.read(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        let mut counted = 0;
        while let Some(offset) = open.next_if(|offset| read == 0 || **offset < position + read as u64) {
            let at = usize::try_from(offset.saturating_sub(position)).unwrap_or(read).clamp(counted, read);
            line += newlines(bytes.get(counted..at).unwrap_or_default());
            counted = at;
            lines.push(line);
        }
        line += newlines(bytes.get(counted..).unwrap_or_default());
        position += read as u64;
    }
    Ok(lines)
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
