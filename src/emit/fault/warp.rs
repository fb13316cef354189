//! Applies faults to a trace that was told.
//!
//! Comes in: a sheet. Goes out: the same sheet with the faults in it. Faults of the run itself (loops, retries, growing prompts)
//! are in the story already and pass by here.

use super::list::{Fault, Hits};
use crate::emit::cast::Cast;
use crate::emit::plan::Plan;
use crate::emit::sheet::{Attr, Datum, Handle, Part, Sheet, Span, Word};

/// A trace, and what faults need to know of it.
pub(in crate::emit) struct Warp<'w> {
    /// The trace.
    pub(super) sheet: &'w mut Sheet,
    /// What was asked for.
    pub(super) plan: &'w Plan,
    /// The services.
    pub(super) cast: &'w Cast,
}

impl<'w> Warp<'w> {
    /// Faults for this trace.
    pub(in crate::emit) fn new(sheet: &'w mut Sheet, plan: &'w Plan, cast: &'w Cast) -> Self {
        Self { sheet, plan, cast }
    }

    /// Applies all of them; those that found something to spoil.
    pub(in crate::emit) fn apply(&mut self, hits: Hits) -> Hits {
        let mut spoilt = Hits::default();
        if !self.sheet.spans.is_empty() {
            hits.each().filter(|fault| self.one(*fault)).for_each(|fault| spoilt.add(fault));
        }
        spoilt
    }

    /// Applies one; whether there was something to spoil.
    fn one(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::MissingServiceName => return self.missing_service_name().is_some(),
            Fault::MissingTokenUsage => return self.missing_token_usage().is_some(),
            Fault::InconsistentUsage => return self.inconsistent_usage().is_some(),
            Fault::MissingModel => return self.missing_model().is_some(),
            Fault::DoubleInstrumentedCall => return self.double_instrumented_call().is_some(),
            Fault::ToolCallWithoutSpan => return self.tool_call_without_span().is_some(),
            Fault::InvalidMessages => return self.invalid_messages().is_some(),
            Fault::AbnormalFinish => return self.abnormal_finish().is_some(),
            Fault::ToolErrorAsSuccess => return self.tool_error_as_success().is_some(),
            Fault::InvalidId => self.invalid_id(),
            Fault::UndecodableInput => self.sheet.torn = true,
            Fault::BadTimestamps => self.bad_timestamps(),
            Fault::DuplicateSpanId => self.duplicate_span_id(),
            Fault::EmptySpanName => self.empty_span_name(),
            Fault::DuplicateAttributeKey => self.duplicate_attribute_key(),
            Fault::OrphanSpan => self.orphan_span(),
            Fault::DisconnectedRoot => self.disconnected_root(),
            Fault::ClientRoot => self.client_root(),
            Fault::ParentCycle => self.parent_cycle(),
            Fault::MultipleRoots => self.multiple_roots(),
            Fault::ChildOutsideParent => self.child_outside_parent(),
            Fault::FragmentedRun => self.fragmented_run(),
            Fault::AttributeTooLarge => self.attribute_too_large(),
            Fault::SpanTooLarge => self.span_too_large(),
            Fault::TraceTooLarge => self.trace_too_large(),
            Fault::TooManyItems => self.too_many_items(),
            Fault::DroppedData => self.dropped_data(),
            Fault::ExcludedParameter => self.excluded_parameter(),
            Fault::TruncatedValue => self.truncated_value(),
            Fault::SerializationFailed => self.serialization_failed(),
            Fault::UnexportableSpan => self.unexportable_span(),
            Fault::BinaryInAttribute => self.binary_in_attribute(),
            // Made-up stories end in it; what a file says has its own end.
            Fault::UnexpectedCancellation if self.plan.script.is_none() => return false,
            Fault::UnexpectedCancellation => self.unexpected_cancellation(),
            Fault::ExpectedTermination => self.expected_termination(),
            Fault::CancellationMissingContext => self.cancellation_missing_context(),
            Fault::ErrorWithoutDetails => self.error_without_details(),
            Fault::StatusContradiction => self.status_contradiction(),
            Fault::SwallowedError => self.swallowed_error(),
            Fault::DuplicateException => self.duplicate_exception(),
            Fault::UnfinishedStep => self.unfinished_step(),
            Fault::DeprecatedAttribute => self.deprecated_attribute(),
            Fault::WrongType => self.wrong_type(),
            Fault::MissingRequired => self.missing_required(),
            Fault::HighCardinalityName => self.high_cardinality_name(),
            Fault::TooManySteps => self.too_many_steps(),
            Fault::NPlusOne => self.n_plus_one(),
            Fault::ZeroDuration => self.zero_duration(),
            Fault::SyncIoOnLoop => self.sync_io_on_loop(),
            Fault::Secret => self.secret(),
            Fault::CredentialHeader => self.credential_header(),
            Fault::CredentialInUrl => self.credential_in_url(),
            Fault::SensitiveKeyName => self.sensitive_key_name(),
            Fault::RepeatedToolCall
            | Fault::RetryWithoutBackoff
            | Fault::CallCycle
            | Fault::RunOverBudget
            | Fault::PromptGrowth
            | Fault::UnknownTool
            | Fault::InvalidToolArgs => return false,
        }
        true
    }

    /// The span that the trace begins with.
    pub(super) fn root(&self) -> Handle {
        self.part(Part::Root).unwrap_or(Handle(0))
    }

    /// The first span that is this in the run.
    pub(super) fn part(&self, part: Part) -> Option<Handle> {
        self.sheet.spans.iter().position(|span| span.part == part).map(Handle)
    }

    /// A span.
    pub(super) fn span(&self, handle: Handle) -> Option<&Span> {
        self.sheet.spans.get(handle.0)
    }

    /// One more span, well inside its parent's time, with nothing wrong.
    pub(super) fn extra(&mut self, parent: Handle, name: impl Into<Word>) -> Handle {
        const SHORT: u64 = 10_000;
        let (start, end, scope, service) = match self.span(parent) {
            Some(span) => (span.start, span.end, span.scope, span.service),
            None => return parent,
        };
        let begin = (start + SHORT).min(end);
        (self.sheet.scope, self.sheet.service) = (scope, service);
        let span = self.sheet.open(Some(parent), name, begin);
        self.sheet.with(span, |span| span.end = (begin + SHORT).min(end));
        span
    }

    /// Sets an attribute, in the place of one with the same key.
    pub(super) fn put(&mut self, span: Handle, key: &'static str, value: impl Into<Datum>) {
        let value = value.into();
        let known = self
            .span(span)
            .and_then(|found| found.attributes.iter().position(|attribute| self.sheet.read(attribute.key) == key));
        self.sheet.with(span, |span| match known.and_then(|at| span.attributes.get_mut(at)) {
            Some(attribute) => attribute.value = value,
            None => span.attributes.push(Attr { key: key.into(), value }),
        });
    }

    /// The value of an attribute.
    pub(super) fn get(&self, span: Handle, keys: &[&'static str]) -> Option<(&'static str, Datum)> {
        let span = self.span(span)?;
        keys.iter().find_map(|key| {
            let attribute = span.attributes.iter().find(|attribute| self.sheet.read(attribute.key) == *key)?;
            Some((*key, attribute.value))
        })
    }

    /// Takes attributes away.
    pub(super) fn drop_attributes(&mut self, span: Handle, unwanted: impl Fn(&str) -> bool) {
        let Some(found) = self.sheet.spans.get_mut(span.0) else { return };
        let attributes = std::mem::take(&mut found.attributes);
        let kept = attributes.into_iter().filter(|attribute| !unwanted(self.sheet.read(attribute.key))).collect();
        self.sheet.with(span, |span| span.attributes = kept);
    }

    /// So many bytes of text.
    pub(super) fn filler(&mut self, bytes: usize) -> Word {
        const LINE: &str = "All work and no play makes the agent write the same words again. ";
        self.sheet.write(|out| {
            let end = out.len() + bytes;
            out.reserve(bytes);
            while out.len() < end {
                let left = end - out.len();
                out.push_str(LINE.get(..left).unwrap_or(LINE));
            }
        })
    }
}
