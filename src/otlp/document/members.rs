//! The members of the envelope: documents, ResourceSpans, ScopeSpans, and the other signals beside them.
//!
//! Comes in: a reader that stands before a member. Goes out: what stands open after it, and resources and scopes.

use super::super::container::camel;
use super::super::cursor::{Cursor, Halt};
use super::super::raw::Shape;
use super::super::seen::Seen;
use super::super::trouble::TroubleKind;
use super::frame::Level;
use super::reader::JsonReader;

/// The name of the array of log records.
pub(super) const RECORDS: &str = "logRecords";

impl JsonReader {
    /// A member of a document's outermost object, or of an object around the envelope.
    pub(super) fn object_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let before = cursor.at;
        let key = self.field(cursor)?;
        let next = cursor.peek()?;
        match (key, next) {
            (b"resourceSpans", b'[') => self.descend(cursor, Level::Groups, "resourceSpans", sink),
            (b"batches", b'[') => self.descend(cursor, Level::Groups, "batches", sink),
            (b"trace", b'{') => self.descend(cursor, Level::Object, "trace", sink),
            (b"result", b'{') => self.descend(cursor, Level::Object, "result", sink),
            (b"data", b'{') => self.descend(cursor, Level::Object, "data", sink),
            (b"result", b'[') => self.descend(cursor, Level::List, "result", sink),
            (b"data", b'[') => self.descend(cursor, Level::List, "data", sink),
            (b"resource" | b"scopeSpans" | b"instrumentationLibrarySpans", _) => {
                // The document is a bare ResourceSpans: this member is one of those already.
                cursor.at = before;
                if let Some(frame) = self.frames.last_mut() {
                    frame.level = Level::Group;
                }
                self.tally.otlp_documents += 1;
                sink(Seen::Open);
                return self.group_member(cursor, sink);
            }
            (b"resourceLogs" | b"scopeLogs", b'[') => self.logs(cursor, before, sink),
            (b"resourceMetrics" | b"scopeMetrics", _) => self.other_signal(1, before),
            (b"resourceProfiles" | b"scopeProfiles", _) => self.other_signal(2, before),
            (b"status", b'"') => {
                if cursor.string()?.decode().eq_ignore_ascii_case("partial") {
                    cursor.note(TroubleKind::PartialAnswer);
                }
                self.bump();
            }
            _ => {
                if matches!(key, b"resourceSpans" | b"batches") && !cursor.null()? {
                    cursor.note(TroubleKind::WrongType);
                    self.skip_value();
                } else if !matches!(key, b"resourceSpans" | b"batches") {
                    self.skip_value();
                } else {
                    self.bump();
                }
            }
        }
        if matches!(key, b"resourceSpans" | b"batches" | b"resourceLogs" | b"resourceMetrics" | b"resourceProfiles") {
            self.tally.otlp_documents += 1;
        }
        self.settle(cursor, 0, "", None);
        Ok(())
    }

    /// A member of a ResourceSpans.
    pub(super) fn group_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let before = cursor.at;
        let key = self.field(cursor)?;
        let next = cursor.peek()?;
        let from = cursor.at;
        match (key, next) {
            (b"scopeSpans", b'[') => self.descend(cursor, Level::Scopes, "scopeSpans", sink),
            (b"instrumentationLibrarySpans", b'[') => {
                cursor.note(TroubleKind::LegacyLibrary);
                self.descend(cursor, Level::Scopes, "instrumentationLibrarySpans", sink);
            }
            (b"resource", _) => {
                self.enter_leaf(cursor, from);
                let resource = cursor.resource()?;
                sink(Seen::Resource(&resource, self.base + from as u64, Shape::OtlpJson));
                self.settle(cursor, from, "resource", None);
                self.bump();
            }
            (b"schemaUrl", _) => {
                self.enter_leaf(cursor, from);
                let url = cursor.text_field()?;
                sink(Seen::ResourceSchema(url));
                self.settle(cursor, from, "schemaUrl", None);
                self.bump();
            }
            (b"scopeLogs", b'[') => self.logs(cursor, before, sink),
            (b"scopeMetrics", _) => self.other_signal(1, before),
            (b"scopeProfiles", _) => self.other_signal(2, before),
            (b"scopeSpans" | b"instrumentationLibrarySpans", b'n') => {
                cursor.null()?;
                self.bump();
            }
            _ => self.skip_value(),
        }
        self.settle(cursor, from, "", None);
        Ok(())
    }

    /// A member of a ScopeSpans.
    pub(super) fn scope_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let key = self.field(cursor)?;
        let next = cursor.peek()?;
        let from = cursor.at;
        match (key, next) {
            (b"spans", b'[') => self.descend(cursor, Level::Spans, "spans", sink),
            (b"scope" | b"instrumentationLibrary", _) => {
                self.enter_leaf(cursor, from);
                let scope = cursor.scope()?;
                sink(Seen::Scope(&scope, self.base + from as u64));
                self.settle(cursor, from, "scope", None);
                self.bump();
            }
            (b"schemaUrl", _) => {
                self.enter_leaf(cursor, from);
                let url = cursor.text_field()?;
                sink(Seen::ScopeSchema(url));
                self.settle(cursor, from, "schemaUrl", None);
                self.bump();
            }
            (b"spans", b'n') => {
                cursor.null()?;
                self.bump();
            }
            _ => self.skip_value(),
        }
        self.settle(cursor, from, "", None);
        Ok(())
    }

    /// A key of the envelope, in camelCase however it was written.
    fn field<'a>(&mut self, cursor: &mut Cursor<'a, '_>) -> Result<&'a [u8], Halt> {
        let key = cursor.key()?.raw;
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        if rest.starts_with(b"\n{\"") || rest.starts_with(b"\r\n{\"") {
            // Nobody breaks the line between a key and its value: the line was cut off here.
            return Err(Halt::Syntax);
        }
        match camel(key) {
            Some(name) => {
                cursor.note(TroubleKind::SnakeCaseKey);
                Ok(name)
            }
            None => Ok(key),
        }
    }

    /// Metrics or profiles: counted and stepped over.
    fn other_signal(&mut self, signal: usize, at: usize) {
        self.count_signal(signal, at);
        self.skip_value();
    }

    fn count_signal(&mut self, signal: usize, at: usize) {
        if let Some(count) = self.tally.other_signals.get_mut(signal) {
            *count += 1;
        }
        self.note_at(TroubleKind::OtherSignal, at);
    }

    /// Logs: counted, and looked through for exceptions of spans.
    fn logs(&mut self, cursor: &mut Cursor<'_, '_>, at: usize, sink: &mut impl FnMut(Seen<'_, '_>)) {
        self.count_signal(0, at);
        self.descend(cursor, Level::LogList, "", sink);
    }

    /// A member of a ResourceLogs or ScopeLogs.
    pub(super) fn logs_member<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        let key = self.field(cursor)?;
        match (key, cursor.peek()?) {
            (b"scopeLogs", b'[') => self.descend(cursor, Level::LogList, "scopeLogs", sink),
            (b"logRecords", b'[') => self.descend(cursor, Level::LogList, RECORDS, sink),
            _ => self.skip_value(),
        }
        cursor.notes.clear();
        Ok(())
    }

    pub(super) fn log_record<'a>(
        &mut self,
        cursor: &mut Cursor<'a, '_>,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> Result<(), Halt> {
        self.enter_leaf(cursor, cursor.at);
        if let Some(exception) = cursor.log_record()? {
            sink(Seen::LogException(exception));
        }
        self.bump();
        Ok(())
    }
}
