//! What a span's events tell of a call: when the first token came, why it stopped, what a tool was given and brought.
//!
//! Comes in: a span in place. Goes out: a few facts. Conventions that leave this to events are Letta, OpenInference and
//! OpenLLMetry, and OpenTelemetry for what went wrong; exceptions are everybody's.

use std::borrow::Cow;

use super::glance::is_exception;
use super::payload::object;
use crate::otlp::{RawAttribute, RawEvent, RawSpan};

/// What events tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) first_token: Option<u64>,
    pub(super) stop_reason: Cow<'a, str>,
    pub(super) error_type: Cow<'a, str>,
    pub(super) error: Cow<'a, str>,
    pub(super) finish: Cow<'a, str>,
    pub(super) model: Cow<'a, str>,
    pub(super) tool: Cow<'a, str>,
    pub(super) arguments: Option<Cow<'a, str>>,
    pub(super) result: Option<Cow<'a, str>>,
    pub(super) failed: Option<bool>,
}

/// Goes through the events of a span once.
pub(super) fn told<'a>(span: &RawSpan<'a>) -> Told<'a> {
    let mut told = Told::default();
    for event in &span.events {
        told.event(span, event);
    }
    told
}

impl<'a> Told<'a> {
    fn event(&mut self, span: &RawSpan<'a>, event: &RawEvent<'a>) {
        let attributes = span.pooled(&event.attributes);
        let text = |key: &str| text(attributes, key);
        match event.name.raw {
            b"exception" => self.error_type = text("exception.type").unwrap_or_default(),
            name if is_exception(name) => {
                if self.error_type.is_empty() {
                    self.error_type = ["exception.type", "error.type"].into_iter().find_map(text).unwrap_or_default();
                }
                self.error = text("exception.message").unwrap_or_default();
                self.failed = self.failed.or(Some(true));
            }
            b"stop_reason" => self.stop_reason = text("stop_reason").unwrap_or_default(),
            b"gen_ai.choice" => self.finish = text("finish_reason").unwrap_or_default(),
            b"time_to_first_token_ms" => {
                let millis = value(attributes, "ttft_ms").and_then(|value| value.value.integer());
                self.first_token = millis.and_then(|millis| u64::try_from(millis).ok()?.checked_mul(1_000_000));
            }
            b"First Token Stream Event" | b"llm.content.completion.chunk" | b"ai.stream.firstChunk" => {
                let waited = event.time.checked_sub(span.start).filter(|_| span.start > 0);
                self.first_token = self.first_token.or(waited);
            }
            name if name.ends_with(b"_execution") => self.execution(event, attributes),
            name if name.starts_with(b"embedder.") => {
                self.model = text("model").unwrap_or(std::mem::take(&mut self.model));
            }
            _ => {}
        }
    }

    /// Letta's `start_<tool>_execution` and `finish_<tool>_execution`.
    fn execution(&mut self, event: &RawEvent<'a>, attributes: &[RawAttribute<'a>]) {
        let name = event.name.decode();
        let executed = |before: &str| name.strip_prefix(before)?.strip_suffix("_execution");
        if let Some(tool) = executed("start_") {
            self.tool = Cow::Owned(tool.to_owned());
            self.arguments = Some(Cow::Owned(object(attributes)));
        } else if executed("finish_").is_some() {
            self.result = text(attributes, "func_return");
            self.failed = match text(attributes, "status").as_deref() {
                Some("error") => Some(true),
                Some("success") => Some(false),
                _ => None,
            };
        }
    }
}

fn value<'r, 'a>(attributes: &'r [RawAttribute<'a>], key: &str) -> Option<&'r RawAttribute<'a>> {
    attributes.iter().rev().find(|attribute| attribute.key.is(key))
}

fn text<'a>(attributes: &[RawAttribute<'a>], key: &str) -> Option<Cow<'a, str>> {
    value(attributes, key)?.value.text().map(|text| text.decode())
}
