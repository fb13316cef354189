//! The answer: calls to models and what was said in them.
//!
//! Plain data, field by field what JSON writes. Texts are whole, secrets in them hidden.

use serde::Serialize;

use crate::agent::{Media, Message, Part, Speaker, ToolCall, ToolResult};
use crate::redact;

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Chat {
    /// The version of this form: 1.
    pub schema: u32,
    /// The trace it is of.
    pub trace_id: String,
    /// From the first start to the last end of its calls and tools.
    pub duration_ns: u64,
    /// Calls to models by their start.
    pub calls: Vec<ChatCall>,
    /// Tools that ran before any of them, or where there is none.
    pub tools: Vec<Said>,
    /// How many of them recorded nothing that was said.
    pub without_content: usize,
    /// How to make the instrumentation record it.
    pub how_to_capture: Option<&'static str>,
    /// Spans that were not read: there are too many, or they are too long.
    pub spans_left_out: usize,
}

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChatCall {
    /// Its span.
    pub span_id: String,
    /// The span's name.
    pub name: String,
    /// The span's service.
    pub service: String,
    /// What the span does: `llm`, or `agent` and others where these alone say what was said.
    pub role: Option<&'static str>,
    /// The agent that makes it; empty where nothing names one.
    pub agent: String,
    /// The convention it is recorded in.
    pub convention: &'static str,
    /// Who answers; empty where nothing says it.
    pub provider: String,
    /// The model; empty where nothing names it.
    pub model: String,
    /// How it ended.
    pub outcome: &'static str,
    /// The type of what went wrong; empty where nothing did or nothing names it.
    pub error_type: String,
    /// What is said of it; empty where nothing is.
    pub error_message: String,
    /// Start, Unix nanoseconds in decimal digits.
    pub start_unix_nano: String,
    /// How long it took.
    pub duration_ns: u64,
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// How long it took to the first token.
    pub first_token_ns: Option<u64>,
    /// Why the model stopped.
    pub finish_reasons: Vec<String>,
    /// The tools it was offered.
    pub tools: Vec<String>,
    /// Whether anything that was said is recorded.
    pub captured: bool,
    /// How many messages of its input an earlier call has shown.
    pub repeated: usize,
    /// What is new, in order.
    pub messages: Vec<Said>,
    /// What is wrong with the record.
    pub defects: Vec<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// `input`, `output`, or `span` for a tool's span that no message speaks of.
    pub direction: &'static str,
    /// Who says it.
    pub speaker: Speaker,
    /// The role as it is written.
    pub role: String,
    /// A name beside the role.
    pub name: Option<String>,
    /// What is said.
    pub parts: Vec<Bit>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Bit {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// What the model thought.
    Reasoning {
        /// The words; empty where they are withheld.
        text: String,
    },
    /// A tool is called.
    ToolCall {
        /// The id of the call.
        id: Option<String>,
        /// The tool.
        name: String,
        /// The arguments as written; empty where none are recorded.
        arguments: String,
        /// The arguments are no JSON.
        broken: bool,
        /// What it brought, where that is known.
        result: Option<Brought>,
    },
    /// A result whose call is nowhere to be found.
    ToolResult(Brought),
    /// A picture, sound or file.
    Media {
        /// Its type.
        kind: String,
        /// Its size.
        bytes: Option<u64>,
        /// Where it is.
        uri: Option<String>,
    },
    /// Anything else.
    Other {
        /// As JSON.
        text: String,
    },
}

/// What a tool brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Brought {
    /// The id of the call.
    pub id: Option<String>,
    /// The tool.
    pub name: Option<String>,
    /// The result; null where it is not recorded.
    pub result: Option<String>,
    /// Whether it says that it failed.
    pub failed: Option<bool>,
    /// Its execution was cancelled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// The span of the tool's execution.
    pub span_id: Option<String>,
    /// How long that took.
    pub duration_ns: Option<u64>,
}

impl ChatCall {
    /// Start, Unix nanoseconds.
    pub(super) fn start(&self) -> u64 {
        self.start_unix_nano.parse().unwrap_or(0)
    }

    pub(super) fn end(&self) -> u64 {
        self.start().saturating_add(self.duration_ns)
    }
}

pub(super) fn safe(text: &str) -> String {
    redact::text(text).into_owned()
}

impl Said {
    pub(super) fn of(message: &Message, direction: &'static str) -> Self {
        Self {
            direction,
            speaker: message.speaker,
            role: safe(&message.role),
            name: message.name.as_deref().map(safe),
            parts: message.parts.iter().map(Bit::of).collect(),
        }
    }
}

impl Bit {
    fn of(part: &Part) -> Self {
        match part {
            Part::Text(text) => Self::Text { text: safe(text) },
            Part::Reasoning(text) => Self::Reasoning { text: safe(text) },
            Part::Call(call) => Self::call(call),
            Part::Result(result) => Self::ToolResult(Brought::of(result)),
            Part::Media(Media { kind, bytes, uri }) => {
                Self::Media { kind: kind.clone(), bytes: *bytes, uri: uri.as_deref().map(safe) }
            }
            Part::Other(text) => Self::Other { text: safe(text) },
        }
    }

    fn call(call: &ToolCall) -> Self {
        Self::ToolCall {
            id: call.id.clone(),
            name: safe(&call.name),
            arguments: safe(&call.arguments),
            broken: call.is_broken(),
            result: None,
        }
    }
}

impl Brought {
    pub(super) fn of(result: &ToolResult) -> Self {
        Self {
            id: result.id.clone(),
            name: result.name.as_deref().map(safe),
            result: Some(safe(&result.result)),
            failed: result.failed,
            ..Self::default()
        }
    }
}
