//! What a span says of itself at a glance: its role in an agent's run, whether it was cancelled, what it used.
//!
//! The only room that knows any convention's attribute keys. It looks at one span at a time, while its bytes are hot. Letta's
//! policy of recording parameters is here too, for those who judge such traces and those who make them.

mod act;
#[cfg(test)]
mod act_tests;
mod conventions;
mod details;
mod fingerprint;
mod gather;
mod glance;
#[cfg(test)]
mod glance_tests;
mod letta;
#[cfg(test)]
mod letta_tests;
mod messages;
mod outcome;
mod parameters;
mod payload;
mod provider;
mod python;
mod recognise;
mod role;
mod scan;
mod shape;
mod target;
mod told;

pub use act::{Act, Agent, Tokens, Tool, act, has_act};
pub use conventions::{Convention, Piece, is_generator, is_letta_scope};
pub use fingerprint::{of as fingerprint, raised};
pub use glance::{Glance, cancels, glance, termination};
pub use letta::{StepMark, is_agent_class, is_exclusion_note, outcome_of_stop, step_mark};
pub use messages::{
    Conversation, Defect, Definition, Flaw, Media, Message, Offer, Offers, Outline, Part, Speaker, ToolCall,
    ToolResult, flaw_of_json, how_to_capture, messages, outline, records_answer,
};
pub use outcome::{MOST as LONGEST_RESULT, member_text, result_object, says};
pub use parameters::{
    MAX_PARAMETER, MAX_PARAMETERS, NEVER_SKIPPED, PARAMETER, Python, Recorded, Recorder, SKIPPED, TRUNCATION_NOTE,
    full_reason,
};
pub use provider::provider;
pub use python::{json as python_json, value as json_or_python};
pub use role::Role;
pub use shape::{normal_statement, route_of, shape, statement};
pub use target::target;
