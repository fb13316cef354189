//! What each convention calls what spans say about calls to models and tools: one table a convention, as data.
//!
//! Comes in: an attribute's key. Goes out: what it tells, and how its value is read. The order of the tables, and of the keys in
//! them, is the order in which they are believed where several speak.

use std::sync::LazyLock;

use hashbrown::HashMap;

use super::{adk, general, langfuse, letta, openinference, openllmetry, otel, sentry, vercel};
use crate::agent::role::Role;
use crate::otlp::RawSpan;

/// Whose names a span uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Convention {
    /// OpenTelemetry's GenAI semantic conventions, current and old names.
    OtelGenAi,
    /// OpenInference (Arize Phoenix).
    OpenInference,
    /// OpenLLMetry (Traceloop).
    OpenLlmetry,
    /// Langfuse.
    Langfuse,
    /// Vercel AI SDK.
    Vercel,
    /// Sentry's agent monitoring.
    Sentry,
    /// Google's Agent Development Kit.
    Adk,
    /// Letta, which names spans after its methods.
    Letta,
    /// None of these.
    #[default]
    Other,
}

impl Convention {
    /// The name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::OtelGenAi => "otel-genai",
            Self::OpenInference => "openinference",
            Self::OpenLlmetry => "openllmetry",
            Self::Langfuse => "langfuse",
            Self::Vercel => "vercel",
            Self::Sentry => "sentry",
            Self::Adk => "adk",
            Self::Letta => "letta",
            Self::Other => "other",
        }
    }
}

/// What an attribute tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Field {
    Provider,
    ModelRequest,
    ModelResponse,
    Input,
    Output,
    CacheRead,
    CacheWrite,
    Reasoning,
    Total,
    /// US dollars for all of it, for the prompt, for the answer.
    Cost,
    CostInput,
    CostOutput,
    /// Counts and amounts by kind, as Langfuse writes them.
    UsageDetails,
    CostDetails,
    ToolName,
    CallId,
    Arguments,
    Result,
    Conversation,
    Run,
    Step,
    AgentId,
    AgentName,
    ErrorType,
    ErrorText,
    /// How much it matters; `ERROR` is a failure.
    Level,
    FirstToken,
    Streaming,
    Finish,
    StopReason,
    ContextWindow,
    MaxTokens,
    Definitions,
    /// The tier of service that was asked for; some cost what batches cost.
    Tier,
    /// What a span that is no call to a tool wants to reach.
    Place,
    /// A recorded request to a model, as JSON or as Python prints it.
    Request,
    /// A recorded answer of a model, as JSON or as Python prints it.
    Response,
    /// A model's configuration as Python prints it.
    Settings,
}

impl Field {
    /// How many there are.
    pub(in crate::agent) const COUNT: usize = Self::Settings as usize + 1;

    /// Whether its value is a number of tokens.
    pub(in crate::agent) fn is_count(self) -> bool {
        use Field::{CacheRead, CacheWrite, ContextWindow, Input, MaxTokens, Output, Reasoning, Total};
        matches!(self, Input | Output | CacheRead | CacheWrite | Reasoning | Total | ContextWindow | MaxTokens)
    }

    /// Whether its value is an amount of money.
    pub(in crate::agent) fn is_amount(self) -> bool {
        matches!(self, Self::Cost | Self::CostInput | Self::CostOutput)
    }
}

/// How a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Read {
    /// As it stands.
    Plain,
    /// A duration in seconds.
    Seconds,
    /// A duration in milliseconds.
    Millis,
    /// A point in time, RFC 3339, quoted or not.
    Instant,
    /// A member of a JSON object.
    Member(&'static str),
}

/// A key, what it tells, how its value is read.
pub(in crate::agent) type Entry = (&'static str, Field, Read);

/// The keys of one convention.
pub(in crate::agent) struct Table {
    pub(in crate::agent) convention: Convention,
    /// Keys that prove it. A `*` stands for a number, a trailing `.` for any rest.
    pub(in crate::agent) marks: &'static [&'static str],
    /// In the order in which they are believed. A `*` between dots stands for any number.
    pub(in crate::agent) entries: &'static [Entry],
}

/// In the order in which they are believed.
pub(in crate::agent) const TABLES: [&Table; 9] = [
    &langfuse::TABLE,
    &otel::TABLE,
    &openinference::TABLE,
    &openllmetry::TABLE,
    &vercel::TABLE,
    &sentry::TABLE,
    &adk::TABLE,
    &letta::TABLE,
    &general::TABLE,
];

/// One key's meaning, with its place in the order of belief; the lower, the better.
#[derive(Clone, Copy, Debug)]
pub(in crate::agent) struct Meaning {
    pub(in crate::agent) rank: u16,
    pub(in crate::agent) field: Field,
    pub(in crate::agent) read: Read,
}

/// All keys that mean anything.
pub(in crate::agent) struct Index {
    meanings: HashMap<&'static [u8], Vec<Meaning>>,
    longest: usize,
}

pub(in crate::agent) static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { meanings: HashMap::new(), longest: 0 };
    let entries = TABLES.iter().flat_map(|table| table.entries);
    for (rank, (key, field, read)) in (0u16..).zip(entries) {
        index.longest = index.longest.max(key.len());
        let meaning = Meaning { rank, field: *field, read: *read };
        index.meanings.entry(key.as_bytes()).or_default().push(meaning);
    }
    index
});

impl Index {
    /// What a key means; nothing for nearly every key.
    #[inline]
    pub(in crate::agent) fn meanings(&self, key: &[u8]) -> &[Meaning] {
        if key.len() > self.longest + 8 {
            return &[];
        }
        let plain = |key: &[u8]| self.meanings.get(key).map(Vec::as_slice);
        plain(key).or_else(|| plain(numberless(key, &mut [0; MOST])?)).unwrap_or_default()
    }
}

/// The longest key with a number in it that is looked at.
const MOST: usize = 96;

/// The key with `*` for the numbers between its dots; `None` where there are none.
fn numberless<'b>(key: &[u8], into: &'b mut [u8; MOST]) -> Option<&'b [u8]> {
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if key.len() > MOST || !key.iter().any(u8::is_ascii_digit) {
        return None;
    }
    let (mut length, mut changed) = (0, false);
    for (at, part) in key.split(|byte| *byte == b'.').enumerate() {
        let number = is_number(part);
        changed |= number;
        let dot: &[u8] = if at > 0 { b"." } else { b"" };
        for byte in dot.iter().chain(if number { b"*" } else { part }) {
            *into.get_mut(length)? = *byte;
            length += 1;
        }
    }
    if changed { into.get(..length) } else { None }
}

/// The role that a span's name gives, where a convention has nothing else to tell it by: names are not rare enough to prove whose
/// they are, so the scope has to be Letta's (`in_letta`), or one of the span's own keys that of the convention.
pub(in crate::agent) fn role_of_name(span: &RawSpan<'_>, in_letta: bool) -> Option<Role> {
    let name = span.name.raw;
    let proves = |is_proof: fn(&[u8]) -> bool| span.attributes().iter().any(|attribute| is_proof(attribute.key.raw));
    if let Some(role) = letta::role_of_name(name)
        && (in_letta || letta::is_rare(name) || proves(letta::is_proof))
    {
        return Some(role);
    }
    adk::role_of_name(name).filter(|_| proves(adk::is_proof))
}

/// The convention whose mark this key is.
pub(in crate::agent) fn marked(key: &[u8]) -> Option<Convention> {
    let is = |mark: &&str| match mark.strip_suffix('.') {
        Some(_) => key.starts_with(mark.as_bytes()),
        None => key == mark.as_bytes(),
    };
    // Every mark begins with one of these.
    if !matches!(key.first(), Some(b'l' | b'o' | b't' | b'a' | b'g' | b'p')) {
        return None;
    }
    TABLES.iter().find(|table| table.marks.iter().any(is)).map(|table| table.convention)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_says_the_same_twice() {
        let mut seen = BTreeSet::new();
        for (key, field, read) in TABLES.iter().flat_map(|table| table.entries) {
            assert!(seen.insert((*key, *field as usize, format!("{read:?}"))), "{key} {field:?}");
        }
    }

    #[test]
    fn keys_with_numbers_are_found() {
        let fields = |key: &str| INDEX.meanings(key.as_bytes()).iter().map(|m| m.field).collect::<Vec<_>>();
        assert_eq!(fields("gen_ai.completion.0.finish_reason"), [Field::Finish]);
        assert_eq!(fields("gen_ai.completion.17.finish_reason"), [Field::Finish]);
        assert_eq!(fields("gen_ai.completion.x1.finish_reason"), []);
        assert_eq!(fields("llm.tools.0.tool.json_schema"), [Field::Definitions]);
        assert_eq!(fields(&"9.".repeat(60)), []);
        assert_eq!(fields(""), []);
        assert_eq!(fields("gen_ai.usage.input_tokens"), [Field::Input]);
    }

    #[test]
    fn every_mark_is_recognised() {
        for table in TABLES {
            for mark in table.marks {
                let key = mark.strip_suffix('.').map_or((*mark).to_owned(), |_| format!("{mark}x"));
                assert!(marked(key.as_bytes()).is_some(), "{mark}");
            }
        }
        assert_eq!(marked(b"http.method"), None);
    }
}
