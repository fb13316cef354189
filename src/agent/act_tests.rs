//! One small span a convention, and what it says.

use std::borrow::Cow;

use super::act::*;
use super::conventions::{Convention, Piece};
use super::role::Role;
use crate::agent::glance;
use crate::otlp::{RawAttribute, RawEvent, RawSpan, RawValue, Text};
use proptest::prelude::*;

fn value(text: &str) -> RawValue<'_> {
    match text.parse::<i64>() {
        Ok(number) => RawValue::Int(number),
        Err(_) => RawValue::Text(Text::plain(text.as_bytes())),
    }
}

fn attributes<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<RawAttribute<'a>> {
    pairs.iter().map(|(key, text)| RawAttribute { key: Text::plain(key.as_bytes()), value: value(text) }).collect()
}

fn span<'a>(name: &'a str, pairs: &[(&'a str, &'a str)]) -> RawSpan<'a> {
    let pool = attributes(pairs);
    RawSpan { name: Text::plain(name.as_bytes()), own: 0..pool.len(), pool, start: 1_000, ..RawSpan::default() }
}

fn event<'a>(span: &mut RawSpan<'a>, name: &'a str, time: u64, pairs: &[(&'a str, &'a str)]) {
    let from = span.pool.len();
    span.pool.extend(attributes(pairs));
    let attributes = from..span.pool.len();
    span.events.push(RawEvent { time, name: Text::plain(name.as_bytes()), attributes, ..RawEvent::default() });
}

fn of<'a>(span: &RawSpan<'a>) -> Act<'a> {
    act(span, glance(span, false).role).unwrap()
}

fn used(input: u64, output: u64) -> Tokens {
    Tokens { input: Some(input), output: Some(output), ..Tokens::default() }
}

#[test]
fn otel() {
    let chat = of(&span(
        "chat gpt-4o",
        &[
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.system", "az.ai.openai"),
            ("gen_ai.request.model", "gpt-4o"),
            ("gen_ai.response.model", "gpt-4o-2024-08-06"),
            ("gen_ai.usage.prompt_tokens", "1"),
            ("gen_ai.usage.input_tokens", "25"),
            ("gen_ai.usage.output_tokens", "9"),
            ("gen_ai.usage.cache_read.input_tokens", "5"),
            ("gen_ai.usage.reasoning.output_tokens", "2"),
            ("gen_ai.conversation.id", "c1"),
            ("gen_ai.response.finish_reasons", r#"["stop"]"#),
            ("gen_ai.response.time_to_first_chunk", "0.25"),
            ("gen_ai.tool.definitions", "[]"),
            ("gen_ai.request.max_tokens", "50"),
        ],
    ));
    assert_eq!(
        (chat.convention, &*chat.provider, chat.model()),
        (Convention::OtelGenAi, "azure.ai.openai", "gpt-4o-2024-08-06")
    );
    assert_eq!(chat.tokens, Tokens { cache_read: Some(5), reasoning: Some(2), ..used(25, 9) });
    assert_eq!((&*chat.conversation, chat.first_token, chat.max_tokens), ("c1", Some(250_000_000), Some(50)));
    assert_eq!((chat.finish_reasons, chat.definitions), (vec![Cow::Borrowed("stop")], true));
    let tool = of(&span(
        "execute_tool search",
        &[
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.call.id", "call_1"),
            ("gen_ai.tool.call.arguments", r#"{"q":"x"}"#),
        ],
    ));
    let tool = tool.tool.unwrap();
    assert_eq!((&*tool.name, &*tool.call_id, tool.failed), ("search", "call_1", None));
    assert_eq!((tool.arguments.as_deref(), tool.result), (Some(r#"{"q":"x"}"#), None));
    let agent = of(&span("invoke_agent x", &[("gen_ai.operation.name", "invoke_agent"), ("gen_ai.agent.id", "a7")]));
    assert_eq!((&*agent.agent.id, &*agent.agent.name), ("a7", "x"));
}

#[test]
fn openinference() {
    let mut call = span(
        "ChatCompletion",
        &[
            ("openinference.span.kind", "LLM"),
            ("llm.system", "openai"),
            ("llm.provider", "azure"),
            ("llm.invocation_parameters", r#"{"model": "gpt-4o-mini", "max_tokens": 50, "stream": true}"#),
            ("llm.model_name", "gpt-4o-mini-2024-07-18"),
            ("llm.token_count.prompt", "25"),
            ("llm.token_count.completion", "9"),
            ("llm.token_count.total", "34"),
            ("llm.token_count.prompt_details.cache_read", "5"),
            ("llm.cost.total", "0.5"),
            ("llm.tools.3.tool.json_schema", "{}"),
            ("session.id", "s"),
            ("llm.finish_reason", "tool_calls"),
        ],
    );
    event(&mut call, "First Token Stream Event", 1_700, &[]);
    let call = of(&call);
    assert_eq!((call.convention, &*call.provider), (Convention::OpenInference, "azure.ai.openai"));
    assert_eq!((&*call.model_request, &*call.model_response), ("gpt-4o-mini", "gpt-4o-mini-2024-07-18"));
    assert_eq!(call.tokens, Tokens { total: Some(34), cache_read: Some(5), ..used(25, 9) });
    assert_eq!((call.cost, call.max_tokens, call.streaming), (Some(0.5), Some(50), Some(true)));
    assert_eq!((call.first_token, &*call.conversation, call.definitions), (Some(700), "s", true));
    let tool = of(&span(
        "x",
        &[("openinference.span.kind", "TOOL"), ("tool.name", "f"), ("input.value", "1a"), ("output.value", "2b")],
    ));
    let tool = tool.tool.unwrap();
    assert_eq!((&*tool.name, tool.arguments.as_deref(), tool.result.as_deref()), ("f", Some("1a"), Some("2b")));
}

#[test]
fn openllmetry() {
    let call = of(&span(
        "openai.chat",
        &[
            ("llm.request.type", "chat"),
            ("gen_ai.system", "OpenAI"),
            ("gen_ai.request.model", "m"),
            ("gen_ai.usage.prompt_tokens", "7"),
            ("gen_ai.usage.completion_tokens", "3"),
            ("gen_ai.usage.cache_read_input_tokens", "2"),
            ("llm.usage.total_tokens", "10"),
            ("gen_ai.completion.0.finish_reason", "stop"),
            ("llm.request.functions.0.name", "f"),
            ("traceloop.association.properties.session_id", "s"),
            ("llm.is_streaming", "false"),
        ],
    ));
    assert_eq!((call.convention, &*call.provider, call.model()), (Convention::OpenLlmetry, "openai", "m"));
    assert_eq!(call.tokens, Tokens { cache_read: Some(2), total: Some(10), ..used(7, 3) });
    assert_eq!((&*call.conversation, call.streaming, call.definitions), ("s", Some(false), true));
    assert_eq!(call.finish_reasons, ["stop"]);
    let tool = of(&span("search.tool", &[("traceloop.span.kind", "tool"), ("traceloop.entity.input", "{}")]));
    let tool = tool.tool.unwrap();
    assert_eq!((&*tool.name, tool.arguments.as_deref()), ("search", Some("{}")));
}

#[test]
fn langfuse_wins() {
    let call = of(&span(
        "x",
        &[
            ("langfuse.observation.type", "generation"),
            ("gen_ai.request.model", "other"),
            ("gen_ai.response.model", "other"),
            ("gen_ai.usage.input_tokens", "99"),
            ("langfuse.observation.model.name", "claude"),
            (
                "langfuse.observation.usage_details",
                r#"{"input": 12, "output": 4, "total": 16, "cache_read_input_tokens": 8}"#,
            ),
            ("langfuse.observation.cost_details", r#"{"input": 0.1, "total": 0.25}"#),
            ("langfuse.observation.completion_start_time", r#""1970-01-01T00:00:00.000003Z""#),
            ("langfuse.session.id", "s"),
            ("session.id", "t"),
        ],
    ));
    assert_eq!((call.convention, call.model(), &*call.conversation), (Convention::Langfuse, "claude", "s"));
    assert_eq!(call.tokens, Tokens { total: Some(16), cache_read: Some(8), ..used(12, 4) });
    assert_eq!((call.cost, call.first_token), (Some(0.25), Some(2_000)));
}

#[test]
fn vercel() {
    let call = of(&span(
        "ai.streamText.doStream",
        &[
            ("ai.operationId", "ai.streamText.doStream"),
            ("ai.model.provider", "openai.chat"),
            ("ai.model.id", "gpt-4o"),
            ("ai.usage.promptTokens", "5"),
            ("ai.usage.completionTokens", "6"),
            ("ai.response.msToFirstChunk", "1.5"),
            ("ai.response.finishReason", "stop"),
            ("gen_ai.request.model", "gpt-4o"),
        ],
    ));
    assert_eq!((call.convention, &*call.provider, call.model()), (Convention::Vercel, "openai", "gpt-4o"));
    assert_eq!((call.tokens, call.first_token, call.streaming), (used(5, 6), Some(1_500_000), Some(true)));
    let tool = of(&span(
        "ai.toolCall",
        &[
            ("ai.operationId", "ai.toolCall"),
            ("ai.toolCall.name", "f"),
            ("ai.toolCall.id", "c"),
            ("ai.toolCall.args", "{}"),
        ],
    ));
    let tool = tool.tool.unwrap();
    assert_eq!((&*tool.name, &*tool.call_id, tool.arguments.as_deref()), ("f", "c", Some("{}")));
}

#[test]
fn sentry_and_adk() {
    let call = of(&span(
        "chat m",
        &[
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.usage.input_tokens", "9"),
            ("gen_ai.usage.input_tokens.cached", "4"),
            ("gen_ai.usage.output_tokens.reasoning", "1"),
            ("gen_ai.usage.total_tokens", "11"),
        ],
    ));
    assert_eq!(call.convention, Convention::Sentry);
    let expected =
        Tokens { input: Some(9), cache_read: Some(4), reasoning: Some(1), total: Some(11), ..Tokens::default() };
    assert_eq!(call.tokens, expected);
    let call = of(&span("call_llm", &[("gen_ai.system", "gcp.vertex.agent"), ("gcp.vertex.agent.session_id", "s")]));
    assert_eq!((call.role, call.convention, &*call.conversation), (Some(Role::Llm), Convention::Adk, "s"));
}

#[test]
fn letta_tools() {
    let mut tool = span(
        "LettaAgentV3._execute_tool",
        &[("parameter.tool_args", "{'query': 'café', 'none': None}"), ("parameter.step_id", "step-1")],
    );
    event(&mut tool, "start_web_search_execution", 2, &[("query", "café")]);
    event(&mut tool, "finish_web_search_execution", 3, &[("status", "error"), ("func_return", "no such page")]);
    let tool = of(&tool);
    assert_eq!((tool.convention, &*tool.step), (Convention::Letta, "step-1"));
    let tool = tool.tool.unwrap();
    assert_eq!((&*tool.name, tool.failed, &*tool.error), ("web_search", Some(true), "no such page"));
    assert_eq!(tool.arguments.as_deref(), Some("{'query': 'café', 'none': None}"));
    let mut bare = span("LettaAgentV3._execute_tool", &[]);
    event(&mut bare, "start_f_execution", 2, &[("q", "x"), ("n", "5")]);
    event(&mut bare, "finish_f_execution", 3, &[("status", "success"), ("func_return", "ok")]);
    let bare = of(&bare).tool.unwrap();
    assert_eq!((bare.arguments.as_deref(), bare.failed), (Some(r#"{"n":5,"q":"x"}"#), Some(false)));
    assert_eq!((bare.result.as_deref(), &*bare.error), (Some("ok"), ""));
}

#[test]
fn letta_calls() {
    let call = of(&span(
        "OpenAIClient.stream_async",
        &[
            (
                "parameter.request_data",
                "{'model': 'gpt-4o-mini', 'messages': [{'role': 'user'}], 'tools': [{}], 'max_tokens': 9}",
            ),
            (
                "parameter.llm_config",
                "LLMConfig(model='gpt-4o-mini', model_endpoint_type='openai', context_window=128000)",
            ),
        ],
    ));
    assert_eq!((call.convention, &*call.provider, call.model()), (Convention::Letta, "openai", "gpt-4o-mini"));
    assert_eq!((call.context_window, call.max_tokens, call.streaming), (Some(128_000), Some(9), Some(true)));
    assert!(call.definitions && call.tokens == Tokens::default());
    let mut whole = span("time_to_first_token", &[("llm_config.model", "m"), ("llm_config.context_window", "4096")]);
    event(&mut whole, "time_to_first_token_ms", 5, &[("ttft_ms", "34")]);
    event(&mut whole, "stop_reason", 6, &[("stop_reason", "cancelled")]);
    let whole = of(&whole);
    assert_eq!(
        (whole.piece, whole.first_token, &*whole.stop_reason),
        (Some(Piece::Request), Some(34_000_000), "cancelled")
    );
    assert_eq!((whole.model(), whole.context_window), ("m", Some(4096)));
}

#[test]
fn letta_payloads() {
    let openai = r#"{"id": "c", "model": "gpt-4o-mini", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"content": "\"usage\": {"}}],
        "usage": {"prompt_tokens": 1200, "completion_tokens": 42, "total_tokens": 1242, "prompt_tokens_details": {"cached_tokens": 1024}}}"#;
    let anthropic = r#"{"model": "claude-x", "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 6}}"#;
    let log = |response: &'static str| {
        of(&span(
            "SimpleLLMRequestAdapter.log_provider_trace",
            &[("response_data", response), ("parameter.step_id", "s1")],
        ))
    };
    let one = log(openai);
    assert_eq!((one.piece, one.model(), &*one.step), (Some(Piece::Payloads), "gpt-4o-mini", "s1"));
    assert_eq!(one.tokens, Tokens { total: Some(1242), cache_read: Some(1024), ..used(1200, 42) });
    assert_eq!(one.finish_reasons, ["tool_calls"]);
    let other = log(anthropic);
    assert_eq!(other.tokens, Tokens { cache_read: Some(50), cache_write: Some(6), ..used(59, 4) });
    let trace = format!(
        "ProviderTrace(id='p', request_json={{'model': 'a'}}, response_json={})",
        openai.replace("null", "None")
    );
    let task = span("TelemetryManager.create_provider_trace_async", &[("parameter.provider_trace", &trace)]);
    let task = of(&task);
    assert_eq!((task.tokens.input, &*task.model_request, &*task.model_response), (Some(1200), "a", "gpt-4o-mini"));
    let long = format!(
        r#"{{"model": "m", "choices": ["{}"], "usage": {{"prompt_tokens": 7, "completion_tokens": 8}}}}"#,
        "x".repeat(1 << 20)
    );
    let escaped = long.replace('"', "\\\"");
    for (raw, escaped) in [(&long, false), (&escaped, true)] {
        let mut span = span("A.log_provider_trace", &[("response_data", "")]);
        span.pool[0].value = RawValue::Text(Text { raw: raw.as_bytes(), escaped });
        let act = of(&span);
        assert_eq!((act.tokens, act.model()), (used(7, 8), "m"));
    }
}

#[test]
fn what_says_nothing_about_a_run_has_no_act() {
    let none = |name, pairs: &[(&'static str, &'static str)]| {
        let span = span(name, pairs);
        act(&span, glance(&span, false).role).is_none()
    };
    assert!(none("GET /", &[("http.method", "GET")]) && none("x", &[]));
    assert!(!none("POST /v1/agents/{agent_id}/messages", &[("http.method", "POST")]));
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(
        which in proptest::collection::vec(any::<proptest::sample::Index>(), 1..6),
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 6),
        name in any::<proptest::sample::Index>(),
        escaped in any::<bool>(),
    ) {
        let keys: Vec<&str> = crate::agent::conventions::TABLES.iter().flat_map(|t| t.entries).map(|e| e.0).collect();
        let names: [&[u8]; 6] = [b"", b"x", b"A.log_provider_trace", b"call_llm", b"A._execute_tool", b"time_to_first_token"];
        let pool: Vec<_> = which.iter().zip(&values).map(|(at, value)| {
            let key = Text::plain(keys[at.index(keys.len())].as_bytes());
            RawAttribute { key, value: RawValue::Text(Text { raw: value, escaped }) }
        }).collect();
        let mut span = RawSpan { name: Text::plain(names[name.index(names.len())]), own: 0..pool.len(), pool, ..RawSpan::default() };
        for event in ["start_é_execution", "finish__execution", "exception", "time_to_first_token_ms"] {
            let attributes = span.own.clone();
            span.events.push(RawEvent { name: Text::plain(event.as_bytes()), attributes, ..RawEvent::default() });
        }
        for role in Role::ALL.iter().copied().map(Some).chain([None]) {
            let _ = act(&span, role);
        }
        let _ = crate::agent::target(&span);
    }
}
