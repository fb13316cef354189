//! What a foreign span says about where it comes from: its resource and its scope.
//!
//! Filled by the readers of formats that write these into every span, and emptied by them before the next one.

use crate::otlp::raw::{RawResource, RawScope, Text};

/// Where a lifted span comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::otlp) struct Origin<'a> {
    /// The resource, as far as it stands in the span itself.
    pub(in crate::otlp) resource: RawResource<'a>,
    /// The resource's schema URL.
    pub(in crate::otlp) schema_url: Text<'a>,
    /// The scope. Its `raw` is always empty: it is made of things that stand apart from each other.
    pub(in crate::otlp) scope: RawScope<'a>,
    /// Jaeger: the key of its process in the trace's `processes`.
    pub(in crate::otlp) process: Text<'a>,
}

impl Origin<'_> {
    /// Makes it ready for the next span, keeping the vectors' space.
    pub(super) fn clear(&mut self) {
        let mut attributes = std::mem::take(&mut self.resource.attributes);
        attributes.clear();
        *self = Self { resource: RawResource { attributes, ..RawResource::default() }, ..Self::default() };
    }
}
