//! The role that an attribute gives its span, by the tables of every convention.
//!
//! Comes in: one attribute, and its span where the value alone does not say enough. Goes out: a role, or that the span is a link of a
//! chain. Names of spans are another matter: see the conventions that go by them.

use super::role::Role;
use crate::otlp::{RawAttribute, RawSpan, RawValue};

/// Of two roles the one that says more: what an agent does outranks how it is carried.
pub(super) fn stronger(old: Option<Role>, new: Option<Role>) -> Option<Role> {
    match (old, new) {
        (Some(old), Some(new)) => Some(old.min(new)),
        (old, new) => old.or(new),
    }
}

/// Whether it is only how something is carried.
pub(super) fn is_protocol(role: Role) -> bool {
    matches!(role, Role::Http | Role::Db | Role::Messaging | Role::Rpc)
}

/// What an attribute says of its span.
pub(super) enum Said {
    Nothing,
    Role(Role),
    /// A link of a chain: a workflow where it is the root, or else a step.
    Link,
}

impl From<Option<Role>> for Said {
    fn from(role: Option<Role>) -> Self {
        role.map_or(Self::Nothing, Self::Role)
    }
}

/// The role an attribute gives its span.
pub(super) fn role_of(attribute: &RawAttribute<'_>, span: &RawSpan<'_>) -> Said {
    let RawValue::Text(text) = &attribute.value else { return protocol_of(attribute.key.raw).into() };
    let value = text.decode().to_ascii_lowercase();
    let role = match (attribute.key.raw, value.as_str()) {
        (b"openinference.span.kind", "chain") | (b"langfuse.observation.type", "span") => return Said::Link,
        (b"gen_ai.operation.name", operation_name) => operation(operation_name),
        (b"openinference.span.kind" | b"traceloop.span.kind" | b"langfuse.observation.type", name) => kind(name),
        (b"llm.request.type", "chat" | "completion") => Some(Role::Llm),
        (b"llm.request.type", "embedding") => Some(Role::Embedding),
        (b"llm.request.type", "rerank") => Some(Role::Rerank),
        (b"llm.request.type", _) => None,
        (b"ai.operationId", id) => vercel(id),
        (b"db.system.name" | b"db.system", vendor) if is_vector_store(vendor) && searches(span) => {
            Some(Role::Retrieval)
        }
        (key, _) => protocol_of(key),
    };
    role.into()
}

/// Databases of vectors, as OpenLLMetry and OpenTelemetry name them.
fn is_vector_store(vendor: &str) -> bool {
    const VENDORS: [&str; 11] = [
        "pinecone",
        "chroma",
        "chromadb",
        "qdrant",
        "weaviate",
        "milvus",
        "lancedb",
        "marqo",
        "vespa",
        "turbopuffer",
        "faiss",
    ];
    VENDORS.contains(&vendor)
}

/// Whether a call to a database of vectors looks something up, by its operation or the end of its name: `pinecone.query`.
fn searches(span: &RawSpan<'_>) -> bool {
    let told = ["db.operation.name", "db.operation"].iter().find_map(|key| span.attribute(key)?.text());
    let operation = told.unwrap_or(span.name).decode().to_ascii_lowercase();
    let verb = operation.rsplit('.').next().unwrap_or_default();
    ["query", "search", "retrieve", "get", "fetch", "peek", "recommend", "scroll"]
        .iter()
        .any(|word| verb.contains(word))
}

/// The role that the presence of a key gives, whatever its value.
fn protocol_of(key: &[u8]) -> Option<Role> {
    match key {
        b"mcp.method.name" => Some(Role::Mcp),
        b"http.request.method" | b"http.method" => Some(Role::Http),
        b"db.system.name" | b"db.system" | b"db.operation.type" => Some(Role::Db),
        b"messaging.system" => Some(Role::Messaging),
        b"rpc.system" | b"rpc.system.name" => Some(Role::Rpc),
        _ => None,
    }
}

/// OpenTelemetry `gen_ai.operation.name` (semantic conventions 1.41.1 and the 1.42 development version).
fn operation(name: &str) -> Option<Role> {
    Some(match name {
        "invoke_agent" | "create_agent" => Role::Agent,
        "invoke_workflow" => Role::Workflow,
        "plan" => Role::Step,
        "chat" | "generate_content" | "text_completion" => Role::Llm,
        "embeddings" => Role::Embedding,
        "execute_tool" => Role::Tool,
        "retrieval" => Role::Retrieval,
        _ if name.ends_with("_memory") || name.ends_with("_memory_store") => Role::Memory,
        _ => return None,
    })
}

/// OpenInference `openinference.span.kind`, Traceloop `traceloop.span.kind`, Langfuse `langfuse.observation.type`.
fn kind(name: &str) -> Option<Role> {
    Some(match name {
        "agent" => Role::Agent,
        "workflow" | "chain" => Role::Workflow,
        "task" => Role::Step,
        "llm" | "generation" => Role::Llm,
        "embedding" => Role::Embedding,
        "tool" => Role::Tool,
        "retriever" => Role::Retrieval,
        "reranker" => Role::Rerank,
        "guardrail" => Role::Guardrail,
        _ => return None,
    })
}

/// Vercel AI SDK `ai.operationId`.
fn vercel(name: &str) -> Option<Role> {
    Some(match name {
        "ai.generatetext" | "ai.streamtext" | "ai.generateobject" | "ai.streamobject" => Role::Workflow,
        "ai.toolcall" => Role::Tool,
        _ if name.starts_with("ai.embed") => Role::Embedding,
        _ if name.starts_with("ai.rerank") => Role::Rerank,
        _ if name.ends_with(".dogenerate") || name.ends_with(".dostream") => Role::Llm,
        _ => return None,
    })
}
