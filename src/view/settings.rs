//! What a reader of trees asked for.
//!
//! Plain data; every limit that is `None` does not exist.

use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use crate::ledger::Prices;

/// What to show and how much of it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Levels of a tree, at least one.
    pub depth: Option<u32>,
    /// Traces.
    pub limit: Option<usize>,
    /// Rows of one trace, after folding.
    pub rows: Option<usize>,
    /// The order of the traces.
    pub sort: Sort,
    /// Only the paths to errors, cancellations and unfinished spans.
    pub errors: bool,
    /// Only the spans of agents' runs and what went wrong.
    pub agents: bool,
    /// The attributes to show with each span.
    pub attributes: Option<Keys>,
    /// Show the events of each span.
    pub events: bool,
    /// Show the id of each span.
    pub ids: bool,
    /// Fold runs of like siblings.
    pub collapse: bool,
    /// Mark the critical path.
    pub critical_path: bool,
    /// Put the traces of one conversation together.
    pub by_session: bool,
    /// Find the parents of traces that lost their context by the ids they share.
    pub infer: bool,
    /// Draw such traces beneath their parents.
    pub nest: bool,
    /// What tokens cost; those built in where none are given.
    pub prices: Option<Arc<Prices>>,
}

/// The order of the traces. Ties stand by (earliest start, trace id).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Earliest first.
    #[default]
    Start,
    /// Longest first.
    Duration,
    /// Most errors and cancellations first.
    Errors,
}

/// A choice of attribute keys.
#[derive(Clone, Debug)]
pub struct Keys(GlobMatcher);

impl Keys {
    /// The keys that match a glob; `*` stands for any number of characters.
    pub fn matching(glob: &str) -> Result<Self, globset::Error> {
        GlobBuilder::new(glob).build().map(|glob| Self(glob.compile_matcher()))
    }

    /// Whether a key is one of them.
    pub fn has(&self, key: &str) -> bool {
        self.0.is_match(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_chosen_by_glob() {
        let keys = Keys::matching("parameter.*").unwrap();
        assert!(keys.has("parameter.request_data") && !keys.has("http.method"));
        assert!(Keys::matching("*").unwrap().has("http/url"));
        assert!(Keys::matching("a[").is_err());
    }
}
