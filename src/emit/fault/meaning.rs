//! Faults of meaning: attributes with old names or wrong types, resources and names that say too little or too much.
//!
//! Comes in: a trace. Goes out: the same trace with something that dashboards cannot use.

use super::warp::Warp;
use crate::emit::sheet::number;

impl Warp<'_> {
    /// SEM001.
    pub(super) fn deprecated_attribute(&mut self) {
        let root = self.root();
        self.put(root, "http.user_agent", "curl/8.5.0");
    }

    /// SEM002.
    pub(super) fn wrong_type(&mut self) {
        let root = self.root();
        self.put(root, "server.port", "8283");
    }

    /// SEM003.
    pub(super) fn missing_service_name(&mut self) -> Option<()> {
        let (named, nameless) = (self.span(self.root())?.service, self.cast.nameless());
        for span in self.sheet.spans.iter_mut().filter(|span| span.service == named) {
            span.service = nameless;
        }
        Some(())
    }

    /// SEM004.
    pub(super) fn missing_required(&mut self) {
        let span = self.extra(self.root(), "DELETE");
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.sheet.set(span, "http.request.method", "DELETE");
    }

    /// SEM005.
    pub(super) fn high_cardinality_name(&mut self) {
        let id = self.sheet.uuid("");
        let name = self.sheet.join(&["load agent ".into(), id]);
        self.extra(self.root(), name);
    }
}
