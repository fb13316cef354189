//! Members of JSON objects and elements of JSON arrays, whatever they hold.
//!
//! Comes in: a cursor at an object or array. Goes out: each key to somebody who takes its value. Names in snake_case and with escapes in
//! them are known too; what nobody knows is stepped over.

use super::cursor::{Cursor, Halt};
use super::raw::Text;
use super::trouble::TroubleKind;

/// The camelCase name of a field that was written in snake_case.
pub(super) fn camel(key: &[u8]) -> Option<&'static [u8]> {
    const NAMES: &[(&str, &str)] = &[
        ("resource_spans", "resourceSpans"),
        ("resource_logs", "resourceLogs"),
        ("resource_metrics", "resourceMetrics"),
        ("resource_profiles", "resourceProfiles"),
        ("scope_spans", "scopeSpans"),
        ("scope_logs", "scopeLogs"),
        ("log_records", "logRecords"),
        ("scope_metrics", "scopeMetrics"),
        ("instrumentation_library_spans", "instrumentationLibrarySpans"),
        ("instrumentation_library", "instrumentationLibrary"),
        ("schema_url", "schemaUrl"),
        ("trace_id", "traceId"),
        ("span_id", "spanId"),
        ("parent_span_id", "parentSpanId"),
        ("trace_state", "traceState"),
        ("start_time_unix_nano", "startTimeUnixNano"),
        ("end_time_unix_nano", "endTimeUnixNano"),
        ("time_unix_nano", "timeUnixNano"),
        ("dropped_attributes_count", "droppedAttributesCount"),
        ("dropped_events_count", "droppedEventsCount"),
        ("dropped_links_count", "droppedLinksCount"),
        ("entity_refs", "entityRefs"),
        ("id_keys", "idKeys"),
        ("description_keys", "descriptionKeys"),
        ("string_value", "stringValue"),
        ("bool_value", "boolValue"),
        ("int_value", "intValue"),
        ("double_value", "doubleValue"),
        ("array_value", "arrayValue"),
        ("kvlist_value", "kvlistValue"),
        ("bytes_value", "bytesValue"),
        ("deprecated_code", "deprecatedCode"),
    ];
    if !key.contains(&b'_') {
        return None;
    }
    NAMES.iter().find(|(snake, _)| snake.as_bytes() == key).map(|(_, camel)| camel.as_bytes())
}

impl<'a> Cursor<'a, '_> {
    /// Reads the members of an object: `member` gets each key and takes its value, or says that it does not know the
    /// key. Null objects are empty ones.
    #[inline(always)]
    pub(super) fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a [u8]) -> Result<bool, Halt>,
    ) -> Result<(), Halt> {
        if self.peek()? != b'{' {
            return if self.null()? { Ok(()) } else { self.wrong() };
        }
        if !self.enter(b'{', b'}')? {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            if !member(self, key.raw)? {
                self.unknown_member(key, &mut member)?;
            }
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// The members of an object behind one that was read.
    pub(super) fn more_members(
        &mut self,
        member: &mut impl FnMut(&mut Self, &'a [u8]) -> Result<bool, Halt>,
    ) -> Result<(), Halt> {
        while self.more(b'}')? {
            let key = self.key()?;
            if !member(self, key.raw)? {
                self.unknown_member(key, member)?;
            }
        }
        Ok(())
    }

    /// A key that is no field's own name: perhaps it is one in snake_case, or with escapes in it.
    #[cold]
    pub(super) fn unknown_member(
        &mut self,
        key: Text<'a>,
        member: &mut impl FnMut(&mut Self, &'a [u8]) -> Result<bool, Halt>,
    ) -> Result<(), Halt> {
        if let Some(name) = camel(key.decode().as_bytes()) {
            self.note(TroubleKind::SnakeCaseKey);
            if member(self, name)? {
                return Ok(());
            }
        }
        self.skip()
    }

    /// Reads the elements of an array; null is an empty one.
    #[inline(always)]
    pub(super) fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Halt>) -> Result<(), Halt> {
        if self.peek()? != b'[' {
            return if self.null()? { Ok(()) } else { self.wrong() };
        }
        if !self.enter(b'[', b']')? {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    /// Notes a field that was there before.
    #[inline(always)]
    pub(super) fn once(&mut self, seen: &mut u32, field: u32) {
        if *seen & field != 0 {
            self.note(TroubleKind::DuplicateKey);
        }
        *seen |= field;
    }
}
