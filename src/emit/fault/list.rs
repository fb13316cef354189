//! The list of faults: their names, the rules that see them, and how lint has to be asked.
//!
//! Comes in: a name or a code. Goes out: a fault. A fault has the name of its rule.

macro_rules! faults {
    ($($(#[$about:meta])* $fault:ident, $code:literal, $name:literal, $summary:literal, $asked:literal;)*) => {
        /// A distortion.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Fault {
            $(#[doc = $summary] $fault,)*
        }

        impl Fault {
            /// All faults, in the order of their rules.
            pub const ALL: &[Self] = &[$(Self::$fault,)*];

            /// What is known of it.
            pub fn kind(self) -> Kind {
                match self {
                    $(Self::$fault => Kind { code: $code, name: $name, summary: $summary, asked: $asked },)*
                }
            }
        }
    };
}

/// What is known of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The code of the rule that sees it.
    pub code: &'static str,
    /// Its name, which is the rule's.
    pub name: &'static str,
    /// What is wrong.
    pub summary: &'static str,
    /// Options that lint needs to see it; empty where the defaults do.
    pub asked: &'static str,
}

faults! {
    InvalidId, "STR001", "invalid-id", "a span id that is all zero", "";
    BadTimestamps, "STR002", "bad-timestamps", "a span that ends before it begins", "";
    DuplicateSpanId, "STR003", "duplicate-span-id", "two different spans with one id", "";
    EmptySpanName, "STR004", "empty-span-name", "a span without a name", "";
    DuplicateAttributeKey, "STR005", "duplicate-attribute-key", "one key twice on a span", "";
    UndecodableInput, "STR009", "undecodable-input", "a message that is cut off in the middle", "";
    OrphanSpan, "TRE001", "orphan-span", "a span whose parent is missing", "";
    DisconnectedRoot, "TRE002", "disconnected-root", "a span that lost its context and begins a trace of its own", "";
    ClientRoot, "TRE003", "client-root", "a trace that begins with an outgoing call", "";
    ParentCycle, "TRE004", "parent-cycle", "two spans that are each other's parent", "";
    MultipleRoots, "TRE005", "multiple-roots", "a second root in the trace", "";
    ChildOutsideParent, "TRE007", "child-outside-parent", "a child that outlives its parent", "";
    FragmentedRun, "TRE009", "fragmented-run", "calls to a model that are traces of their own", "";
    AttributeTooLarge, "BUD001", "attribute-too-large", "a value of more than 2 MiB that nobody cut", "";
    SpanTooLarge, "BUD002", "span-too-large", "a span of more than 1 MB", "--set bud002.span_bytes=1000000";
    TraceTooLarge, "BUD003", "trace-too-large", "a trace of more than 5 MB", "--set bud003.trace_bytes=5000000";
    TooManyItems, "BUD004", "too-many-items", "140 attributes on one span", "--budget letta,otel-default";
    DroppedData, "BUD005", "dropped-data", "a span that says it dropped attributes", "";
    ExcludedParameter, "BUD006", "excluded-parameter", "the state of an agent as a parameter", "";
    TruncatedValue, "BUD007", "truncated-value", "a value that Letta cut", "";
    SerializationFailed, "BUD008", "serialization-failed", "a parameter that could not be printed", "";
    UnexportableSpan, "BUD009", "unexportable-span", "a span over the 4 MiB that a gRPC message may have", "";
    BinaryInAttribute, "BUD010", "binary-in-attribute", "an image in an attribute", "";
    UnexpectedCancellation, "ERR001", "unexpected-cancellation", "a task that is cancelled, up the whole chain", "";
    ExpectedTermination, "ERR002", "expected-termination", "a run that was called off, with status ERROR", "";
    CancellationMissingContext, "ERR003", "cancellation-missing-context", "a cancellation without the task's name", "";
    ErrorWithoutDetails, "ERR004", "error-without-details", "status ERROR and no reason", "";
    StatusContradiction, "ERR005", "status-contradiction", "an error type under a status that is fine", "";
    SwallowedError, "ERR006", "swallowed-error", "a failed child under a parent that says OK", "";
    DuplicateException, "ERR008", "duplicate-exception", "one exception recorded twice on its way up", "";
    UnfinishedStep, "ERR010", "unfinished-step", "a step that begins and never ends", "";
    DeprecatedAttribute, "SEM001", "deprecated-attribute", "an attribute by its old name", "";
    WrongType, "SEM002", "wrong-type", "a number as a string", "";
    MissingServiceName, "SEM003", "missing-service-name", "a resource without service.name", "";
    MissingRequired, "SEM004", "missing-required", "an outgoing call that does not say where to", "";
    HighCardinalityName, "SEM005", "high-cardinality-name", "a span name with an id in it", "";
    MissingTokenUsage, "GEN001", "missing-token-usage", "a call to a model without token counts", "";
    InconsistentUsage, "GEN002", "inconsistent-usage", "more reasoning tokens than tokens in all", "";
    MissingModel, "GEN003", "missing-model", "a call to a model that does not say which", "";
    DoubleInstrumentedCall, "GEN006", "double-instrumented-call", "one call told by two instrumentations", "";
    ToolCallWithoutSpan, "GEN007", "tool-call-without-span", "a tool that was asked for and never ran", "";
    InvalidMessages, "GEN008", "invalid-messages", "messages that are cut-off JSON", "";
    AbnormalFinish, "GEN009", "abnormal-finish", "an answer that was cut at its limit", "";
    RepeatedToolCall, "AGT001", "repeated-tool-call", "one tool with the same arguments four times", "";
    RetryWithoutBackoff, "AGT002", "retry-without-backoff", "failed calls that are tried again at once", "";
    CallCycle, "AGT003", "call-cycle", "two tools in turn, four times", "";
    TooManySteps, "AGT004", "too-many-steps", "a run that stops at its limit of steps", "";
    ToolErrorAsSuccess, "AGT005", "tool-error-as-success", "a tool that says it failed under a span that is fine", "";
    RunOverBudget, "AGT006", "run-over-budget", "a run that takes 900,000 tokens", "--set agt006.tokens=500000";
    PromptGrowth, "AGT007", "prompt-growth", "a prompt that grows sixfold", "";
    UnknownTool, "AGT008", "unknown-tool", "a tool that nobody defined", "";
    InvalidToolArgs, "AGT009", "invalid-tool-args", "arguments that lack what the tool requires", "";
    NPlusOne, "PRF001", "n-plus-one", "one query for each row", "";
    ZeroDuration, "PRF004", "zero-duration", "a query that took no time", "";
    SyncIoOnLoop, "PRF006", "sync-io-on-loop", "a query on the event loop", "";
    Secret, "SEC001", "secret", "an API key in a parameter", "";
    CredentialHeader, "SEC002", "credential-header", "an authorization header", "";
    CredentialInUrl, "SEC003", "credential-in-url", "an API key in a URL", "";
    SensitiveKeyName, "SEC004", "sensitive-key-name", "a password in a body", "";
}

impl Fault {
    /// The fault with this name or code.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| {
            let kind = fault.kind();
            kind.name == word || kind.code.eq_ignore_ascii_case(word)
        })
    }
}

impl Fault {
    /// Whether it is something that an agent does, not something in how it is recorded.
    pub fn is_of_run(self) -> bool {
        matches!(
            self,
            Self::RepeatedToolCall
                | Self::RetryWithoutBackoff
                | Self::CallCycle
                | Self::RunOverBudget
                | Self::PromptGrowth
                | Self::UnknownTool
                | Self::InvalidToolArgs
        )
    }
}

/// Some of the faults: those that hit a trace, those that found something in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits(u64);

impl Hits {
    /// Whether it is among them.
    pub fn has(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u8 != 0
    }

    /// Adds one.
    pub fn add(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u8;
    }

    /// Adds others.
    pub(in crate::emit) fn join(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those among them.
    pub fn each(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |fault| self.has(*fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_unique_and_fit_into_a_set() {
        let mut words: Vec<_> = Fault::ALL.iter().flat_map(|fault| [fault.kind().name, fault.kind().code]).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 2 * Fault::ALL.len());
        assert!(Fault::ALL.len() <= 64);
        assert_eq!(Fault::named("secret"), Fault::named("sec001"));
        assert_eq!(Fault::named("nothing"), None);
    }

    #[test]
    fn sets_hold_what_was_added() {
        let mut hits = Hits::default();
        assert!(hits.is_empty());
        hits.add(Fault::SensitiveKeyName);
        hits.add(Fault::InvalidId);
        assert_eq!(hits.each().collect::<Vec<_>>(), [Fault::InvalidId, Fault::SensitiveKeyName]);
    }
}
