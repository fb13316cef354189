//! What one look at small spans tells.

use super::glance::Glance;
use super::parameters::MAX_PARAMETER;
use super::role::Role;
use crate::model::Termination;
use crate::otlp::{RawAttribute, RawEvent, RawSpan, RawValue, Text};

/// A look at a span whose scope is nobody's.
fn glance(span: &RawSpan<'_>) -> Glance {
    super::glance::glance(span, false)
}

fn span<'a>(name: &'a str, attributes: &[(&'a str, &'a str)]) -> RawSpan<'a> {
    let pool: Vec<_> = attributes
        .iter()
        .map(|(key, value)| RawAttribute { key: Text::known(key), value: RawValue::Text(Text::known(value)) })
        .collect();
    RawSpan { name: Text::known(name), own: 0..pool.len(), pool, ..RawSpan::default() }
}

fn with_exception<'a>(name: &'a str, kind: &'a str) -> RawSpan<'a> {
    let mut span = span("x", &[("exception.type", kind)]);
    span.events.push(RawEvent { name: Text::known(name), attributes: 0..1, ..RawEvent::default() });
    span.own = 0..0;
    span
}

#[test]
fn roles_come_from_every_convention() {
    let cases = [
        ("x", "gen_ai.operation.name", "chat", Some(Role::Llm)),
        ("x", "openinference.span.kind", "TOOL", Some(Role::Tool)),
        ("x", "traceloop.span.kind", "workflow", Some(Role::Workflow)),
        ("x", "langfuse.observation.type", "chain", Some(Role::Workflow)),
        ("x", "ai.operationId", "ai.streamText.doStream", Some(Role::Llm)),
        ("x", "ai.operationId", "ai.rerank.doRerank", Some(Role::Rerank)),
        ("x", "http.method", "GET", Some(Role::Http)),
        ("pinecone.query", "db.system", "Pinecone", Some(Role::Retrieval)),
        ("pinecone.upsert", "db.system", "pinecone", Some(Role::Db)),
        ("SELECT", "db.system", "postgresql", Some(Role::Db)),
        ("db_operation", "db.operation.type", "cursor_execute", Some(Role::Db)),
        ("LettaAgentV3.step", "parameter.x", "1", Some(Role::Agent)),
        ("OpenAIClient.request_async", "parameter.x", "1", Some(Role::Llm)),
        ("call_llm", "gcp.vertex.agent.event_id", "1", Some(Role::Llm)),
        ("anything", "foo", "bar", None),
    ];
    for (name, key, value, role) in cases {
        assert_eq!(glance(&span(name, &[(key, value)])).role, role, "{name} {key}");
    }
    let search = [("db.system", "chroma"), ("db.operation.name", "similarity_search")];
    assert_eq!(glance(&span("x", &search)).role, Some(Role::Retrieval));
}

#[test]
fn names_of_letta_s_count_only_where_letta_wrote_them() {
    let cases = [
        ("RedisClient.request_async", None, Some(Role::Llm)),
        ("S3Client.stream", None, Some(Role::Llm)),
        ("Foo._execute_tool", None, Some(Role::Tool)),
        ("agent_step", Some(Role::Step), Some(Role::Step)),
        ("call_llm", None, None),
        ("OpenAIClient.request_embeddings", None, Some(Role::Embedding)),
        ("OpenAIEmbedder.generate_embedded_passages", None, Some(Role::Embedding)),
        ("PassageManager.search_agent_passages_async", None, Some(Role::Retrieval)),
        ("PassageManager.insert_passage", None, Some(Role::Memory)),
        ("BlockManager.update_block_async", None, Some(Role::Memory)),
        ("AsyncStdioMCPClient.execute_tool", None, Some(Role::Mcp)),
        ("tpuf.query", None, Some(Role::Retrieval)),
        ("AnthropicClient.send_llm_request_async", None, None),
        ("LettaAgentV3.step", Some(Role::Agent), Some(Role::Agent)),
        ("LettaAgentV3._step", None, None),
    ];
    for (name, anywhere, in_letta) in cases {
        let span = span(name, &[("foo", "bar")]);
        assert_eq!((glance(&span).role, super::glance::glance(&span, true).role), (anywhere, in_letta), "{name}");
    }
    let mut request = span("POST /v1/agents/{agent_id}/messages", &[("http.method", "POST")]);
    request.kind = 2;
    assert_eq!(glance(&request).role, Some(Role::Workflow), "the route is rare enough");
}

#[test]
fn a_link_of_a_chain_is_a_workflow_at_the_root_and_a_step_below() {
    for pair in [("openinference.span.kind", "CHAIN"), ("langfuse.observation.type", "span")] {
        let mut link = span("x", &[pair]);
        assert_eq!(glance(&link).role, Some(Role::Workflow));
        link.parent_id.bits = 7;
        assert_eq!(glance(&link).role, Some(Role::Step));
        let call = span("x", &[pair, ("gen_ai.operation.name", "chat")]);
        assert_eq!(glance(&call).role, Some(Role::Llm), "what else it says is more");
        let served = span("x", &[pair, ("http.method", "POST")]);
        assert_eq!(glance(&served).role, Some(Role::Workflow));
    }
}

#[test]
fn conversations_are_seen_on_any_span() {
    for (pairs, seen) in [
        (&[("a", "b"), ("session.id", "s")][..], Some(1)),
        (&[("session.id", "s"), ("langfuse.session.id", "t")], Some(1)),
        (&[("langfuse.session.id", ""), ("session.id", "s")], Some(1)),
        (&[("parameter.conversation_id", "c")], None),
    ] {
        assert_eq!(glance(&span("x", pairs)).conversation, seen, "{pairs:?}");
    }
}

#[test]
fn cancellations_are_told_from_errors() {
    let cases = [
        ("asyncio.CancelledError", Termination::Cancelled),
        ("asyncio.exceptions.CancelledError", Termination::Cancelled),
        ("letta.server.rest_api.streaming_response.RunCancelledException", Termination::Requested),
        ("GeneratorExit", Termination::Requested),
        ("ValueError", Termination::None),
        ("MyCancelledErrorHandler", Termination::None),
    ];
    for (kind, termination) in cases {
        for event in ["exception", "gen_ai.client.operation.exception", "gen_ai.execute_tool.exception"] {
            assert_eq!(glance(&with_exception(event, kind)).termination, termination, "{event} {kind}");
        }
    }
    let mut failed = span("x", &[]);
    failed.status = 2;
    failed.message = Text::plain(b"RunCancelledException: Run run-1 was cancelled");
    assert_eq!(glance(&failed).termination, Termination::Requested);
}

#[test]
fn parameters_are_measured_as_letta_does() {
    let exact = "x".repeat(MAX_PARAMETER);
    let cut = format!("{exact}... (truncated, original size: 9000000 chars)");
    let accents = "é".repeat(MAX_PARAMETER);
    for fine in [&exact, &cut, &accents] {
        assert!(!glance(&span("x", &[("parameter.a", fine)])).over_parameter_budget);
    }
    let over = format!("{exact}y");
    assert!(glance(&span("x", &[("parameter.a", &over)])).over_parameter_budget);
    assert!(glance(&span("x", &[("other.a", &over)])).over_parameter_budget);
    let others = [("a", exact.as_str()), ("b", &exact), ("c", "z")];
    assert!(glance(&span("x", &others)).over_span_budget);
    let three = span("x", &[("parameter.a", &exact), ("parameter.b", &exact), ("parameter.c", "z")]);
    assert!(!glance(&three).over_span_budget, "Letta tests the total before it adds");
    let four = [("parameter.a", exact.as_str()), ("parameter.b", &exact), ("parameter.c", "z"), ("parameter.d", "z")];
    assert!(glance(&span("x", &four)).over_span_budget);
}
