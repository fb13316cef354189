//! Letta 0.16.8, which names spans after its methods and records their parameters as Python prints them.
//!
//! Comes in: a span's name. Goes out: its role, or which piece of a call it holds. Usage stands in recorded payloads alone.

use super::{Convention, Field, Read, Table};
use crate::agent::role::Role;
use Read::Plain;

pub(super) const TABLE: Table = Table {
    convention: Convention::Letta,
    marks: &["parameter.", "llm_config."],
    entries: &[
        ("llm_config.model_endpoint_type", Field::Provider, Plain),
        ("llm_config.provider_name", Field::Provider, Plain),
        ("llm_config.model", Field::ModelRequest, Plain),
        ("llm_config.context_window", Field::ContextWindow, Plain),
        ("llm_config.max_tokens", Field::MaxTokens, Plain),
        ("parameter.llm_config", Field::Settings, Plain),
        ("parameter.embedding_config", Field::Settings, Plain),
        ("parameter.function_name", Field::ToolName, Plain),
        ("parameter.tool_name", Field::ToolName, Plain),
        ("parameter.tool_call_id", Field::CallId, Plain),
        ("parameter.function_args", Field::Arguments, Plain),
        ("parameter.tool_args", Field::Arguments, Plain),
        ("http.conversation_id", Field::Conversation, Plain),
        ("parameter.conversation_id", Field::Conversation, Plain),
        ("parameter.run_id", Field::Run, Plain),
        ("step_id", Field::Step, Plain),
        ("parameter.step_id", Field::Step, Plain),
        ("http.agent_id", Field::AgentId, Plain),
        ("agent.id", Field::AgentId, Plain),
        ("parameter.agent_id", Field::AgentId, Plain),
        ("parameter.stop_reason", Field::StopReason, Plain),
        ("response_data", Field::Response, Plain),
        ("parameter.provider_trace", Field::Response, Plain),
        ("request_data", Field::Request, Plain),
        ("parameter.request_data", Field::Request, Plain),
    ],
};

/// A span of Letta's that is no call of its own but holds a piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// Request and answer of the call before it, with the tokens it took.
    Payloads,
    /// The whole request: model, and when the first token came.
    Request,
    /// A step begins.
    StepStart,
    /// A step ends.
    StepEnd,
    /// The inside of a tool's execution.
    InnerTool,
    /// How a step or a run ended.
    Ending,
}

/// Whether a span with this name is a generator of an agent of Letta's: it covers only that the generator was made, the work hangs
/// below whoever consumes it.
pub fn is_generator(name: &str) -> bool {
    name.starts_with("LettaAgent") && (name.ends_with("._step") || name.ends_with(".stream"))
}

/// Which piece a span with this name holds.
pub(in crate::agent) fn piece(name: &[u8]) -> Option<Piece> {
    const PIECES: [(&[u8], Piece); 7] = [
        (b".log_provider_trace", Piece::Payloads),
        (b".create_provider_trace_async", Piece::Payloads),
        (b"._step_checkpoint_start", Piece::StepStart),
        (b"._step_checkpoint_finish", Piece::StepEnd),
        (b"ToolExecutionManager.execute_tool_async", Piece::InnerTool),
        (b".update_step_stop_reason", Piece::Ending),
        (b".update_run_by_id_async", Piece::Ending),
    ];
    // The last letters of all of these: nearly every name is told apart by its last one.
    match name.last() {
        Some(b'n') if name == b"time_to_first_token" => Some(Piece::Request),
        Some(b'e' | b'c' | b't' | b'h' | b'n') => {
            PIECES.iter().find(|(end, _)| name.ends_with(end)).map(|(_, piece)| *piece)
        }
        _ => None,
    }
}

/// Whether it is a request to an agent, by its route or its path.
pub(in crate::agent) fn request_of_agent(name: &[u8]) -> bool {
    name.starts_with(b"POST /v1/agents/") && memchr::memmem::find(name, b"/messages").is_some()
}

/// Whether it is a method of one of Letta's clients of models.
pub(in crate::agent) fn is_client(name: &[u8]) -> bool {
    let calls: [&[u8]; 4] = [b"Client.request_async", b"Client.stream_async", b"Client.request", b"Client.stream"];
    calls.iter().any(|call| name.ends_with(call))
}

/// Keys that only Letta writes; a trailing `.` stands for any rest.
const PROOF: [&str; 8] = [
    "parameter.",
    "parameters.truncated",
    "llm_config.",
    "step_id",
    "request_data",
    "response_data",
    "entry.timestamp_ms",
    "total_background_task_count",
];

/// Whether an attribute with this key is Letta's.
pub(super) fn is_proof(key: &[u8]) -> bool {
    PROOF
        .iter()
        .any(|proof| if proof.ends_with('.') { key.starts_with(proof.as_bytes()) } else { key == proof.as_bytes() })
}

/// Whether an instrumentation scope with this name is Letta's own.
pub fn is_letta_scope(name: &[u8]) -> bool {
    name.starts_with(b"letta")
}

/// Whether nobody else names a span like this to say something else.
pub(super) fn is_rare(name: &[u8]) -> bool {
    name == b"agent_step" || name.starts_with(b"LettaAgent")
}

/// The role that a name gives a span of Letta's. Others have clients and managers too: who asks makes sure that the span is one.
pub(in crate::agent) fn role_of_name(name: &[u8]) -> Option<Role> {
    if name == b"agent_step" {
        return Some(Role::Step);
    }
    let dot = memchr::memchr(b'.', name)?;
    let (class, method) = (name.get(..dot)?, name.get(dot + 1..)?);
    match class.last()? {
        _ if method == b"_execute_tool" => Some(Role::Tool),
        b't' if class.ends_with(b"Client") => client(class, method),
        b'r' if class.ends_with(b"Embedder") => Some(Role::Embedding),
        b'r' if searches_passages(name) => Some(Role::Retrieval),
        b'r' if class == b"BlockManager" || class == b"PassageManager" => Some(Role::Memory),
        _ if is_agent(class, method) => Some(Role::Agent),
        _ if searches_passages(name) => Some(Role::Retrieval),
        _ => None,
    }
}

fn is_agent(class: &[u8], method: &[u8]) -> bool {
    class.starts_with(b"LettaAgent") && (method == b"step" || method == b"stream")
}

/// Clients of models, of tool servers and of Turbopuffer and Pinecone, where passages are kept.
fn client(class: &[u8], method: &[u8]) -> Option<Role> {
    let holds = |part: &[u8]| memchr::memmem::find(class, part).is_some();
    match method {
        _ if holds(b"MCP") => Some(Role::Mcp),
        _ if holds(b"Turbopuffer") || holds(b"Pinecone") => searches(method).then_some(Role::Retrieval),
        b"request_async" | b"stream_async" | b"request" | b"stream" => Some(Role::Llm),
        b"request_embeddings" => Some(Role::Embedding),
        _ => None,
    }
}

fn searches_passages(name: &[u8]) -> bool {
    searches(name)
        && ["passage", "Passage", "tpuf"].iter().any(|of| memchr::memmem::find(name, of.as_bytes()).is_some())
}

fn searches(method: &[u8]) -> bool {
    ["search", "query"].iter().any(|how| memchr::memmem::find(method, how.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_pieces_and_roles() {
        let pieces = [
            ("SimpleLLMRequestAdapter.log_provider_trace", Some(Piece::Payloads)),
            ("TelemetryManager.create_provider_trace_async", Some(Piece::Payloads)),
            ("time_to_first_token", Some(Piece::Request)),
            ("LettaAgentV3._step_checkpoint_start", Some(Piece::StepStart)),
            ("LettaAgentV2._step_checkpoint_finish", Some(Piece::StepEnd)),
            ("ToolExecutionManager.execute_tool_async", Some(Piece::InnerTool)),
            ("StepManager.update_step_stop_reason", Some(Piece::Ending)),
            ("RunManager.update_run_by_id_async", Some(Piece::Ending)),
            ("LettaAgentV3.step", None),
            ("", None),
        ];
        for (name, expected) in pieces {
            assert_eq!(piece(name.as_bytes()), expected, "{name}");
        }
        assert!(request_of_agent(b"POST /v1/agents/{agent_id}/messages/stream"));
        assert!(!request_of_agent(b"GET /v1/agents/{agent_id}/messages"));
        assert!(!request_of_agent(b"POST /v1/agents/{agent}/runs"));
    }
}
