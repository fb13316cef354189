//! What a check notes, and the words that are made of it once a finding.
//!
//! Plain data between the rules and the engine.

use std::borrow::Cow;

use super::budget::Cell;
use super::finding::{Contributor, Fix, Unit};
use super::rule::{Confidence, Severity};
use crate::capture::{Detail, SpanRef};

/// What is wrong at one place. Facts of one class and attribute become one finding with those of the same service, scope
/// and span name.
#[derive(Clone, Debug, Default)]
pub struct Fact<'a> {
    /// Which of the things that the rule judges.
    pub class: &'static str,
    /// The attribute at fault; empty for none.
    pub attribute: Cow<'a, str>,
    /// What sets it apart from others of its class: facts with different texts here are different findings. Like names it must not
    /// change from run to run.
    pub apart: Cow<'a, str>,
    /// What was measured.
    pub observed: Option<u64>,
    /// What was allowed.
    pub limit: Option<u64>,
    /// The kind of limit, where it comes from a budget.
    pub cell: Option<Cell>,
    /// A few words that the message needs; never a secret.
    pub note: Cow<'a, str>,
    /// The level, where it is not the rule's own.
    pub severity: Option<Severity>,
    /// How sure it is, where it is not the rule's own.
    pub confidence: Option<Confidence>,
    /// Other spans that take part.
    pub related: Vec<(SpanRef, &'static str)>,
    /// It is a finding of its own, whatever else is like it.
    pub each: bool,
    /// What it is about instead of spans of one name and scope: facts of one service with the same text here are one finding.
    pub about: Cow<'a, str>,
    /// The largest parts of something too large, with their sizes.
    pub parts: Vec<(SpanRef, u64)>,
}

/// One finding, seen by the rule that finds the words for it.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Which of the things that the rule judges.
    pub class: &'static str,
    /// The attribute at fault; empty for none.
    pub attribute: &'a str,
    /// What was measured; zero for nothing.
    pub observed: u64,
    /// What was allowed; zero for nothing.
    pub limit: u64,
    /// Of what both are numbers.
    pub unit: Option<Unit>,
    /// The budget preset that says so; empty for none.
    pub preset: &'a str,
    /// What the check noted.
    pub note: &'a str,
    /// How often it occurs.
    pub count: u64,
    /// The name of the span.
    pub span_name: &'a str,
    /// Its service.
    pub service: &'a str,
    /// The span in full, where there is one and its bytes are still there.
    pub detail: Option<&'a Detail>,
    /// How many other spans take part.
    pub related: usize,
    /// The largest parts of something too large.
    pub parts: Vec<Contributor>,
}

/// The words for a finding.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// What is wrong, one line.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// What to change.
    pub fix: Option<Fix>,
    /// The largest parts of something too large.
    pub contributors: Vec<Contributor>,
}

impl Words {
    /// A message and what to do about it.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), ..Self::default() }
    }

    /// The same with a change.
    pub fn fix(self, fix: Fix) -> Self {
        Self { fix: Some(fix), ..self }
    }
}
