//! A finding as plain data: what is wrong, where, how often, and what to do about it.
//!
//! Filled by the engine; every output format reads from here and nowhere else. Text that came from a trace is kept as it is.

use serde::Serialize;

use super::rule::{Confidence, Severity};

/// Something a rule found: once for all spans of one name, service and scope where it is the same thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// The rule's name.
    pub name: &'static str,
    /// How bad it is, after overrides.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What is wrong, one line; never holds a secret.
    pub message: String,
    /// What to do about it; empty when nothing is to be said.
    pub help: String,
    /// A page about the rule; empty where there is none.
    pub url: &'static str,
    /// The trace of the first occurrence, 32 digits; empty where the finding is about no trace.
    pub trace_id: String,
    /// The span of the first occurrence, 16 digits; empty where the finding is about no span.
    pub span_id: String,
    /// Its name.
    pub span_name: String,
    /// Its service, or that of the resource.
    pub service: String,
    /// Its instrumentation scope.
    pub scope: String,
    /// Its kind; empty where the finding is about no span.
    pub kind: &'static str,
    /// Its start, Unix nanoseconds; zero when missing.
    #[serde(serialize_with = "as_text")]
    pub start: u64,
    /// How long it took.
    pub duration_ns: u64,
    /// The attribute at fault.
    pub attribute: Option<String>,
    /// It is an attribute of an event.
    #[serde(skip)]
    pub in_event: bool,
    /// What was measured, in [`Self::unit`]; of the occurrence that is told.
    pub observed: Option<u64>,
    /// What was allowed.
    pub limit: Option<u64>,
    /// Of what `observed` and `limit` are numbers.
    pub unit: Option<Unit>,
    /// The budget preset that the limit comes from.
    pub preset: Option<String>,
    /// Other spans that take part.
    pub related: Vec<Related>,
    /// Where the span stands in the input.
    pub source: Option<Place>,
    /// The line of the program, where the span says it, or where its stack says that it failed.
    pub code_location: Option<CodePlace>,
    /// The program's own frames of that stack, innermost first.
    #[serde(skip)]
    pub frames: Vec<CodePlace>,
    /// The names from the root of the tree down to the span, that of the span last.
    pub path: Vec<String>,
    /// The largest parts of something that is too large, largest first.
    pub contributors: Vec<Contributor>,
    /// How often it occurs.
    pub count: u64,
    /// The first occurrences, the one that is told among them.
    pub examples: Vec<Example>,
    /// What to change, where a machine can do it.
    pub fix: Option<Fix>,
    /// The same for the same fault from run to run: 32 hexadecimal digits.
    pub fingerprint: String,
}

impl Finding {
    /// Whether it is a suspicion about how an agent behaves or how fast something is: such a finding fails no run by itself.
    pub fn is_suspicion(&self) -> bool {
        self.confidence == Confidence::Likely && ["AGT", "PRF"].iter().any(|group| self.code.starts_with(group))
    }
}

/// Of what an observed number and its limit are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Characters.
    Chars,
    /// Things.
    Count,
    /// Nanoseconds.
    Nanos,
    /// Thousandths of a ratio.
    Permille,
    /// Billionths of a US dollar.
    Dollars,
}

/// Another span that takes part in a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Its trace.
    pub trace_id: String,
    /// The span; empty for a whole trace.
    pub span_id: String,
    /// What it is to the finding: parent, child, propagated, repeat, …
    pub role: &'static str,
}

/// A place in an input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The input's path, `-` for standard input.
    pub path: String,
    /// The line from 1; zero where there are none.
    pub line: u64,
    /// Byte offset in the decoded input.
    pub byte_offset: u64,
    /// The path seen from the root of the repository that lint runs in, where the file is one of its own.
    #[serde(skip)]
    pub in_repository: Option<String>,
}

/// A place in the program that wrote the spans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CodePlace {
    /// The file, as the span spells it.
    pub path: String,
    /// The line from 1; zero when it is not known.
    pub line: u64,
    /// It is a file of the repository that lint runs in, and `path` is relative to its root.
    #[serde(skip)]
    pub in_repository: bool,
}

/// A part of something that is too large.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contributor {
    /// An attribute key, `events`, `links`, or the name of a span.
    pub name: String,
    /// Its size, in the finding's unit.
    pub size: u64,
}

/// One occurrence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its trace.
    pub trace_id: String,
    /// Its span.
    pub span_id: String,
    /// Its start, Unix nanoseconds.
    #[serde(serialize_with = "as_text")]
    pub start: u64,
    /// What was measured there.
    pub observed: Option<u64>,
}

/// What to change, so that a machine can do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Fix {
    /// Rename an attribute.
    RenameAttribute {
        /// The key it has.
        from: String,
        /// The key it should have.
        to: String,
    },
    /// Cut a value.
    TruncateAttribute {
        /// Its key.
        key: String,
        /// The most it may hold.
        limit: u64,
        /// Of what.
        unit: Unit,
    },
    /// Remove an attribute.
    RemoveAttribute {
        /// Its key.
        key: String,
    },
    /// Turn a value into another type.
    ConvertAttribute {
        /// Its key.
        key: String,
        /// The type: int, double, bool, string, string[].
        to: &'static str,
    },
    /// Hide a secret inside a value.
    RedactAttribute {
        /// Its key.
        key: String,
    },
    /// Set a resource attribute.
    SetResourceAttribute {
        /// Its key.
        key: String,
        /// A fitting value to put in its place.
        example: String,
    },
    /// Set an environment variable of the SDK.
    SetVariable {
        /// Its name.
        name: String,
        /// A fitting value.
        value: String,
    },
}

fn as_text<S: serde::Serializer>(time: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(time)
}
