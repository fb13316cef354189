//! The filter that every reading command shares.
//!
//! Comes in: what was asked for, each part optional. Goes out: yes or no for a span.

use globset::{Glob, GlobMatcher};
use thiserror::Error;

use super::IdPrefix;
use crate::capture::{Capture, Head, SpanRef};
use crate::model::{Nanos, Outcome};

/// What a span must be like; every part that is given must fit, and one alternative of a part is enough.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Its trace's id begins like one of these.
    pub traces: Vec<IdPrefix>,
    /// Its service's name fits one of these.
    pub services: Vec<GlobMatcher>,
    /// Its own name fits one of these.
    pub names: Vec<GlobMatcher>,
    /// It ended like one of these.
    pub outcomes: Vec<Outcome>,
    /// It took at least this long.
    pub min_duration: Option<Nanos>,
    /// It started at this time or later, Unix nanoseconds.
    pub since: Option<u64>,
    /// It started before this time, Unix nanoseconds.
    pub until: Option<u64>,
}

/// Why a pattern was not understood.
#[derive(Clone, Debug, Error)]
#[error("'{pattern}' is not a pattern (use * for anything, ? for one character, [ab] for either)")]
pub struct GlobError {
    pattern: String,
    source: globset::Error,
}

/// A pattern for names: `*` also fits `/`, for names are not paths.
pub fn name_glob(pattern: &str) -> Result<GlobMatcher, GlobError> {
    match Glob::new(pattern) {
        Ok(glob) => Ok(glob.compile_matcher()),
        Err(source) => Err(GlobError { pattern: pattern.to_owned(), source }),
    }
}

/// How a span ended, as its own record says it.
pub fn ended(head: &Head) -> Outcome {
    head.outcome()
}

impl Filter {
    /// Whether every span passes.
    pub fn is_open(&self) -> bool {
        let Self { traces, services, names, outcomes, min_duration, since, until } = self;
        traces.is_empty()
            && services.is_empty()
            && names.is_empty()
            && outcomes.is_empty()
            && min_duration.is_none()
            && since.is_none()
            && until.is_none()
    }

    /// Whether a span that ended like `outcome` passes.
    pub fn admits(&self, capture: &Capture, span: SpanRef, outcome: Outcome) -> bool {
        let head = capture.head(span);
        let among =
            |globs: &[GlobMatcher], text: &str| globs.is_empty() || globs.iter().any(|glob| glob.is_match(text));
        (self.outcomes.is_empty() || self.outcomes.contains(&outcome))
            && (self.traces.is_empty() || self.traces.iter().any(|prefix| prefix.fits_trace(head.trace)))
            && self.min_duration.is_none_or(|least| head.duration() >= least)
            && self.since.is_none_or(|since| head.start >= since)
            && self.until.is_none_or(|until| head.start != 0 && head.start < until)
            && (self.services.is_empty() || among(&self.services, capture.service(span)))
            && (self.names.is_empty() || among(&self.names, capture.name(span)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_for_names_crosses_slashes() {
        let glob = name_glob("POST /v1/*/messages").unwrap();
        assert!(glob.is_match("POST /v1/agents/{agent_id}/messages"));
        assert!(!glob.is_match("GET /v1/agents/{agent_id}/messages"));
        assert!(name_glob("[a").is_err());
    }

    #[test]
    fn an_empty_filter_lets_everything_pass() {
        assert!(Filter::default().is_open());
        assert!(!Filter { since: Some(0), ..Filter::default() }.is_open());
    }
}
