//! The messages of a call to a language model, from any convention.
//!
//! Comes in: a span in place. Goes out: a [`Conversation`]: what the model was told, what it answered, the tools it was offered,
//! and what is wrong with how that was recorded. It never looks at another span, and no text makes it fail or run away.

mod brief;
mod capture;
mod conversation;
mod defect;
mod draft;
mod indexed;
mod item;
mod json;
mod loose;
mod part;
mod payload;
mod sources;
mod tools;

pub use capture::how_to_capture;
pub use conversation::{Conversation, Definition, Media, Message, Outline, Part, Speaker, ToolCall, ToolResult};
pub use defect::{Defect, Flaw};
pub use json::flaw_of_json;
pub use sources::{messages, outline, records_answer};
pub use tools::{Offer, Offers};

#[cfg(test)]
mod tests;
