//! Faults of a span's own structure: ids, times, names, keys.
//!
//! Comes in: a trace. Goes out: one more span in it that breaks a rule of the protocol.

use super::warp::Warp;
use crate::emit::sheet::{Attr, Datum};

impl Warp<'_> {
    /// STR001.
    pub(super) fn invalid_id(&mut self) {
        let span = self.extra(self.root(), "IdGenerator.next");
        self.sheet.with(span, |span| span.id = 0);
    }

    /// STR002.
    pub(super) fn bad_timestamps(&mut self) {
        let span = self.extra(self.root(), "Clock.adjust");
        self.sheet.with(span, |span| span.end = span.start.saturating_sub(3_000_000));
    }

    /// STR003.
    pub(super) fn duplicate_span_id(&mut self) {
        let first = self.extra(self.root(), "Worker.prepare");
        let second = self.extra(self.root(), "Worker.finish");
        let id = self.sheet.id(first);
        self.sheet.with(second, |span| span.id = id);
    }

    /// STR004.
    pub(super) fn empty_span_name(&mut self) {
        self.extra(self.root(), "");
    }

    /// STR005.
    pub(super) fn duplicate_attribute_key(&mut self) {
        let span = self.extra(self.root(), "Attributes.merge");
        for value in ["first", "second"] {
            let attribute = Attr { key: "app.region".into(), value: Datum::from(value) };
            self.sheet.with(span, |span| span.attributes.push(attribute));
        }
    }
}
