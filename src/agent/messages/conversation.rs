//! A conversation with a model in neutral words.
//!
//! Plain data: messages with roles, made of texts, reasoning, tool calls, their results, and media by kind and size.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::defect::Defect;
use super::tools::Offer;

/// What one call to a model recorded of its conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Conversation {
    /// The messages the model was given, instructions of the system first.
    pub input: Vec<Message>,
    /// The messages it answered with, one a choice.
    pub output: Vec<Message>,
    /// The tools it was offered.
    pub tools: Vec<Definition>,
    /// What is wrong with the record.
    pub defects: Vec<Defect>,
}

impl Conversation {
    /// Whether nothing was said at all.
    pub fn is_silent(&self) -> bool {
        self.input.is_empty() && self.output.is_empty()
    }

    /// Every tool call that the model asked for in its answer.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.output.iter().flat_map(Message::calls)
    }
}

/// The outline of a conversation: the calls and results in it, its endings and its defects, in which a word stands for every long
/// text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The messages; their tools are those of the offer.
    pub said: Conversation,
    /// The tools the model was offered; shared where spans offer the same.
    pub offer: Option<Arc<Offer>>,
}

/// Who says a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// Whoever set the model up: `system`, `developer`.
    System,
    /// A person, or whoever asks.
    User,
    /// The model.
    Assistant,
    /// A tool.
    Tool,
    /// Nobody of these, or nobody says.
    #[default]
    Other,
}

impl Speaker {
    /// The speaker that a role names, in the words of any provider or framework.
    pub fn of(role: &str) -> Self {
        match role.to_ascii_lowercase().as_str() {
            "system" | "developer" | "systemmessage" => Self::System,
            "user" | "human" | "humanmessage" => Self::User,
            "assistant" | "model" | "ai" | "aimessage" | "aimessagechunk" | "tool-call" => Self::Assistant,
            "tool" | "function" | "tool-response" | "ipython" | "toolmessage" => Self::Tool,
            _ => Self::Other,
        }
    }

    /// The name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Other => "other",
        }
    }
}

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Message {
    /// Who says it.
    pub speaker: Speaker,
    /// The role as it is written; empty where none is.
    pub role: String,
    /// The name of who says it, where one is given.
    pub name: Option<String>,
    /// What is said.
    pub parts: Vec<Part>,
    /// Why the model stopped there.
    pub finish: Option<String>,
}

impl Message {
    /// A message of one text.
    pub fn text(speaker: Speaker, text: impl Into<String>) -> Self {
        let parts = vec![Part::Text(text.into())];
        Self { speaker, role: speaker.name().to_owned(), parts, ..Self::default() }
    }

    /// The tool calls in it.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::Call(call) => Some(call),
            _ => None,
        })
    }
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "content")]
pub enum Part {
    /// Words.
    Text(String),
    /// What the model thought before it answered; empty where that is withheld.
    Reasoning(String),
    /// A tool is to be called.
    Call(ToolCall),
    /// A tool was called, and this is what it brought.
    Result(ToolResult),
    /// A picture, sound or file.
    Media(Media),
    /// Something else, as JSON.
    Other(String),
}

/// A tool call that a model asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ToolCall {
    /// Its id.
    pub id: Option<String>,
    /// The tool; empty where nothing names it.
    pub name: String,
    /// The arguments as they were written, or as JSON where they came as values; empty where there are none.
    pub arguments: String,
    /// The same as a value; null where they are no JSON.
    pub values: Option<Json>,
    /// The provider executes the tool itself.
    #[serde(skip)]
    pub hosted: bool,
}

impl ToolCall {
    /// Whether there are arguments and they cannot be read.
    pub fn is_broken(&self) -> bool {
        self.values.is_none() && !self.arguments.trim().is_empty()
    }
}

/// What a tool brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ToolResult {
    /// The id of the call.
    pub id: Option<String>,
    /// The tool.
    pub name: Option<String>,
    /// The result, as text or JSON.
    pub result: String,
    /// Whether it says that the tool failed.
    pub failed: Option<bool>,
}

/// A picture, sound or file, without its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Media {
    /// `image/png`, or just `image`.
    pub kind: String,
    /// Bytes, where they were recorded.
    pub bytes: Option<u64>,
    /// Where it is instead.
    pub uri: Option<String>,
}

/// A tool that a model was offered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON schema of its arguments.
    pub schema: Option<Json>,
}
