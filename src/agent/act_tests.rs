//! One small span a convention, and what it says.

use std::borrow::Cow;

use super::act::*;
use super::conventions::Convention;
use super::role::Role;
use crate::agent::glance;
use crate::otlp::{Nested, RawAttribute, RawEvent, RawSpan, RawValue, Text, Wire};
use proptest::prelude::*;

fn value(text: &str) -> RawValue<'_> {
    match text.parse::<i64>() {
        Ok(number) => RawValue::Int(number),
        Err(_) => RawValue::Text(Text::known(text)),
    }
}

fn attributes<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<RawAttribute<'a>> {
    pairs.iter().map(|(key, text)| RawAttribute { key: Text::known(key), value: value(text) }).collect()
}

pub(super) fn span<'a>(name: &'a str, pairs: &[(&'a str, &'a str)]) -> RawSpan<'a> {
    let pool = attributes(pairs);
    RawSpan { name: Text::known(name), own: 0..pool.len(), pool, start: 1_000, ..RawSpan::default() }
}

pub(super) fn event<'a>(span: &mut RawSpan<'a>, name: &'a str, time: u64, pairs: &[(&'a str, &'a str)]) {
    let from = span.pool.len();
    span.pool.extend(attributes(pairs));
    let attributes = from..span.pool.len();
    span.events.push(RawEvent { time, name: Text::known(name), attributes, ..RawEvent::default() });
}

pub(super) fn of<'a>(span: &RawSpan<'a>) -> Act<'a> {
    act(span, glance(span, false).role).unwrap()
}

pub(super) fn used(input: u64, output: u64) -> Tokens {
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
fn what_cannot_be_read_does_not_hide_what_can() {
    let chat = |pairs: &[(&'static str, &'static str)]| {
        of(&span("chat", &[&[("gen_ai.operation.name", "chat")], pairs].concat())).tokens
    };
    let garbage = [
        ("gen_ai.usage.input_tokens", "abc"),
        ("llm.token_count.prompt", "77"),
        ("gen_ai.usage.output_tokens", "-1"),
        ("gen_ai.usage.completion_tokens", "7"),
    ];
    assert_eq!(chat(&garbage), used(77, 7));
    assert_eq!(
        chat(&[("gen_ai.usage.input_tokens", "5000000000"), ("gen_ai.usage.output_tokens", "12.7")]),
        used(5_000_000_000, 13)
    );
    assert_eq!(
        chat(&[("gen_ai.usage.input_tokens", "9000000000000000000"), ("gen_ai.usage.output_tokens", "1e19")]),
        Tokens::default(),
        "no span took so many"
    );
    assert_eq!(
        chat(&[("gen_ai.usage.input_tokens", "NaN"), ("gen_ai.usage.output_tokens", "0x10")]),
        Tokens::default()
    );
    let mut call =
        span("x", &[("langfuse.observation.type", "generation"), ("langfuse.observation.usage_details", "")]);
    let map = br#"{"values":[{"key":"input","value":{"intValue":"5"}},{"key":"output","value":{"intValue":"6"}}]}"#;
    call.pool[1].value = RawValue::Nested(Nested { raw: map, wire: Wire::Json, map: true });
    assert_eq!(of(&call).tokens, used(5, 6));
}

#[test]
fn costs_in_parts_are_added_up() {
    let cost = |pairs: &[(&'static str, &'static str)]| {
        of(&span("x", &[&[("openinference.span.kind", "LLM")], pairs].concat())).cost
    };
    assert_eq!(cost(&[("llm.cost.prompt", "0.25"), ("llm.cost.completion", "0.5")]), Some(0.75));
    assert_eq!(cost(&[("llm.cost.prompt", "0.25"), ("llm.cost.total", "1.5")]), Some(1.5));
    assert_eq!(cost(&[("llm.cost.prompt", "0.25"), ("llm.token_count.completion", "9")]), None);
    assert_eq!(cost(&[("llm.cost.prompt", "0.25")]), Some(0.25));
    assert_eq!(cost(&[("langfuse.observation.cost_details", r#"{"input":0.5,"output":0.25}"#)]), Some(0.75));
    assert_eq!(cost(&[("llm.cost.total", "1e30"), ("gen_ai.usage.cost", "-1")]), None);
}

#[test]
fn failures_are_read_where_conventions_write_them() {
    let level = |kind: &'static str| {
        of(&span(
            "x",
            &[
                ("langfuse.observation.type", kind),
                ("langfuse.observation.level", "ERROR"),
                ("langfuse.observation.status_message", "boom"),
            ],
        ))
    };
    assert_eq!(level("generation").failed, Some(true));
    let tool = level("tool").tool.unwrap();
    assert_eq!((tool.failed, &*tool.error), (Some(true), "boom"));
    let mut call = span("execute_tool x", &[("gen_ai.operation.name", "execute_tool")]);
    event(
        &mut call,
        "gen_ai.execute_tool.exception",
        2,
        &[("exception.type", "Timeout"), ("exception.message", "late")],
    );
    let call = of(&call);
    assert_eq!((&*call.error_type, call.failed), ("Timeout", Some(true)));
    assert_eq!(&*call.tool.unwrap().error, "late");
    let mut call = span("chat", &[("gen_ai.operation.name", "chat")]);
    event(&mut call, "gen_ai.client.operation.exception", 2, &[("exception.type", "RateLimit")]);
    assert_eq!(&*of(&call).error_type, "RateLimit");
}

#[test]
fn calls_that_were_given_the_same_are_known_by_it() {
    let given = |pairs: &[(&'static str, &'static str)]| {
        of(&span("chat", &[&[("gen_ai.operation.name", "chat")], pairs].concat())).given
    };
    let first = given(&[("gen_ai.input.messages", "[1]"), ("gen_ai.system_instructions", "s")]);
    assert!(first.is_some());
    assert_eq!(
        given(&[
            ("gen_ai.system_instructions", "s"),
            ("gen_ai.usage.input_tokens", "5"),
            ("gen_ai.input.messages", "[1]")
        ]),
        first
    );
    assert_ne!(given(&[("gen_ai.input.messages", "[2]"), ("gen_ai.system_instructions", "s")]), first);
    assert_eq!(given(&[("gen_ai.output.messages", "[1]")]), None);
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
            RawAttribute { key, value: RawValue::Text(Text::json(value, escaped)) }
        }).collect();
        let mut span = RawSpan { name: Text::plain(names[name.index(names.len())]), own: 0..pool.len(), pool, ..RawSpan::default() };
        for event in ["start_é_execution", "finish__execution", "exception", "time_to_first_token_ms"] {
            let attributes = span.own.clone();
            span.events.push(RawEvent { name: Text::known(event), attributes, ..RawEvent::default() });
        }
        for role in Role::ALL.iter().copied().map(Some).chain([None]) {
            let _ = act(&span, role);
        }
        let _ = crate::agent::target(&span);
    }
}
