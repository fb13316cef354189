//! Google's Agent Development Kit: what it has beyond OpenTelemetry's names.

use super::{Convention, Field, Read, Table};
use crate::agent::role::Role;
use Read::Plain;

pub(super) const TABLE: Table = Table {
    convention: Convention::Adk,
    marks: &["gcp.vertex.agent."],
    entries: &[
        ("gcp.vertex.agent.tool_call_args", Field::Arguments, Plain),
        ("gcp.vertex.agent.tool_response", Field::Result, Plain),
        ("gcp.vertex.agent.session_id", Field::Conversation, Plain),
        ("gcp.vertex.agent.invocation_id", Field::Run, Plain),
    ],
};

/// The role that a name gives: calls to models carry no `gen_ai.operation.name`.
pub(super) fn role_of_name(name: &[u8]) -> Option<Role> {
    (name == b"call_llm").then_some(Role::Llm)
}

/// Whether an attribute with this key is of a span of the kit.
pub(super) fn is_proof(key: &[u8]) -> bool {
    key.starts_with(b"gcp.vertex.agent.") || key.starts_with(b"gen_ai.")
}
