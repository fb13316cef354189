//! Accounts of small traces that are read as captures are.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::*;
use crate::capture::{Capture, of_messages};
use crate::forest::{Forest, Tree};
use crate::model::Outcome;

/// A span from `start` to `end` milliseconds.
fn span(id: u8, parent: u8, name: &str, (start, end): (u64, u64), pairs: &[(&str, &str)]) -> Span {
    let value = |text: &str| match text.parse() {
        Ok(number) => Value::IntValue(number),
        Err(_) => Value::StringValue(text.to_owned()),
    };
    let attribute = |(key, text): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(value(text)) }),
        ..KeyValue::default()
    };
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: name.to_owned(),
        kind: 1,
        start_time_unix_nano: (1_000_000 + start) * 1_000_000,
        end_time_unix_nano: (1_000_000 + end) * 1_000_000,
        attributes: pairs.iter().map(attribute).collect(),
        ..Span::default()
    }
}

fn failed(span: Span) -> Span {
    Span { status: Some(Status { code: 2, ..Status::default() }), ..span }
}

fn read(spans: Vec<Span>) -> (Capture, Tree) {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    let capture = of_messages(vec![("test".to_owned(), request.encode_to_vec(), false)]).unwrap();
    let mut tree = Tree::default();
    Forest::of(&capture).tree(&capture, 0, &mut tree);
    (capture, tree)
}

fn account(spans: Vec<Span>) -> (Capture, Tree, Account) {
    let (capture, tree) = read(spans);
    let account = Account::of(&capture, &tree, &Prices::built_in());
    (capture, tree, account)
}

const CHAT: (&str, &str) = ("gen_ai.operation.name", "chat");
const TOOL: (&str, &str) = ("gen_ai.operation.name", "execute_tool");
const AGENT: (&str, &str) = ("gen_ai.operation.name", "invoke_agent");
const MODEL: (&str, &str) = ("gen_ai.request.model", "gpt-4o");

fn used<'t>(input: &'t str, output: &'t str) -> [(&'t str, &'t str); 4] {
    [CHAT, MODEL, ("gen_ai.usage.input_tokens", input), ("gen_ai.usage.output_tokens", output)]
}

#[test]
fn a_call_recorded_twice_counts_once() {
    let (_, _, account) = account(vec![
        span(
            1,
            0,
            "agent",
            (0, 100),
            &[AGENT, ("gen_ai.usage.input_tokens", "1000"), ("gen_ai.usage.output_tokens", "50")],
        ),
        span(2, 1, "framework", (10, 90), &[CHAT]),
        span(
            3,
            2,
            "chat",
            (11, 89),
            &[
                CHAT,
                ("gen_ai.request.model", "gpt-4o-2024-08-06"),
                ("gen_ai.usage.input_tokens", "1000"),
                ("gen_ai.usage.output_tokens", "50"),
            ],
        ),
        span(4, 3, "POST", (12, 20), &[("http.method", "POST")]),
    ]);
    let total = account.total(0);
    assert_eq!((total.llm_calls, total.duplicate_calls, total.input_tokens, total.output_tokens), (1, 1, 1000, 50));
    assert_eq!((total.cost_usd, total.unpriced_calls), (Some(Money::dollars(0.0025 + 0.0005)), 0));
    assert_eq!(account.call(1).map(|(_, counted)| counted), Some(true));
    assert_eq!(account.call(2).map(|(_, counted)| counted), Some(false));
    assert_eq!((account.own(0), account.total(3).llm_calls), (Sums::default(), 0));
}

#[test]
fn different_calls_that_are_nested_count_each() {
    let (_, _, account) = account(vec![
        span(1, 0, "chat", (0, 100), &used("10", "1")),
        span(2, 1, "chat", (10, 50), &used("20", "2")),
        span(
            3,
            1,
            "chat",
            (5, 99),
            &[CHAT, ("gen_ai.request.model", "claude-haiku-4-5"), ("gen_ai.usage.input_tokens", "40")],
        ),
    ]);
    let total = account.total(0);
    assert_eq!((total.llm_calls, total.duplicate_calls, total.input_tokens), (3, 0, 70));
}

#[test]
fn an_agent_without_calls_counts_what_it_reports_itself() {
    let usage = [AGENT, ("gen_ai.usage.input_tokens", "30"), ("gen_ai.usage.output_tokens", "4")];
    let (_, _, account) = account(vec![span(1, 0, "outer", (0, 100), &usage), span(2, 1, "inner", (10, 90), &usage)]);
    let total = account.total(0);
    assert_eq!((total.llm_calls, total.input_tokens, total.output_tokens), (0, 30, 4));
}

#[test]
fn cached_tokens_are_part_of_the_prompt() {
    let call = |input: &'static str| {
        let pairs = [
            CHAT,
            ("gen_ai.request.model", "claude-haiku-4-5"),
            ("gen_ai.usage.input_tokens", input),
            ("gen_ai.usage.cache_read.input_tokens", "600"),
            ("gen_ai.usage.cache_creation.input_tokens", "300"),
        ];
        account(vec![span(1, 0, "chat", (0, 9), &pairs)]).2.total(0)
    };
    let (inside, beside) = (call("1000"), call("100"));
    assert_eq!((inside.input_tokens, beside.input_tokens), (1000, 1000));
    let cost = Money::dollars((100.0 * 1.0 + 600.0 * 0.1 + 300.0 * 1.25) / 1e6);
    assert_eq!((inside.cost_usd, beside.cost_usd), (Some(cost), Some(cost)));
}

#[test]
fn an_unknown_model_is_unpriced_and_a_reported_cost_wins() {
    let pairs = [CHAT, ("gen_ai.request.model", "my-own-model"), ("gen_ai.usage.input_tokens", "5")];
    let (_, _, unknown) = account(vec![span(1, 0, "chat", (0, 9), &pairs)]);
    assert_eq!((unknown.total(0).cost_usd, unknown.total(0).unpriced_calls), (None, 1));
    let pairs = [CHAT, MODEL, ("gen_ai.usage.input_tokens", "5"), ("gen_ai.usage.cost", "0.75")];
    let (_, _, told) = account(vec![span(1, 0, "chat", (0, 9), &pairs)]);
    assert_eq!((told.total(0).cost_usd, told.total(0).unpriced_calls), (Some(Money::dollars(0.75)), 0));
}

#[test]
fn letta_s_payloads_belong_to_the_call_before_them() {
    let response = r#"{"model": "gpt-4o-mini", "usage": {"prompt_tokens": 1200, "completion_tokens": 42}}"#;
    let trace = format!("ProviderTrace(response_json={response})");
    let (capture, tree, account) = account(vec![
        span(1, 0, "LettaAgentV3.step", (0, 100), &[]),
        failed(span(2, 1, "OpenAIClient.request_async", (1, 10), &[("parameter.x", "None")])),
        span(3, 1, "OpenAIClient.request_async", (11, 30), &[("parameter.request_data", "{'model': 'gpt-4o-mini'}")]),
        span(4, 1, "SimpleLLMRequestAdapter.log_provider_trace", (31, 32), &[("response_data", response)]),
        span(5, 4, "coroutine.safe_create_task", (31, 32), &[]),
        span(6, 5, "TelemetryManager.create_provider_trace_async", (33, 50), &[("parameter.provider_trace", &trace)]),
        span(7, 1, "LettaAgentV3._execute_tool", (51, 60), &[("parameter.function_name", "f")]),
        span(8, 7, "ToolExecutionManager.execute_tool_async", (51, 52), &[("parameter.function_name", "f")]),
    ]);
    let total = account.total(0);
    assert_eq!((total.llm_calls, total.tool_calls, total.failed_calls, total.duplicate_calls), (2, 1, 1, 1));
    assert_eq!((total.input_tokens, total.output_tokens), (1200, 42));
    assert_eq!(account.own(2).input_tokens, 1200, "the call that did not fail");
    let runs = runs(&capture, &tree, &account);
    assert_eq!((runs.len(), runs[0].steps, runs[0].retries), (1, 2, 1));
    assert_eq!(capture.text(runs[0].agent), "LettaAgentV3");
}

#[test]
fn payloads_whose_call_was_lost_are_calls() {
    let response = r#"{"model": "gpt-4o-mini", "usage": {"prompt_tokens": 7, "completion_tokens": 2}}"#;
    let (_, _, account) = account(vec![span(4, 9, "A.log_provider_trace", (31, 32), &[("response_data", response)])]);
    assert_eq!((account.calls().len(), account.total(0).input_tokens), (1, 7));
}

#[test]
fn runs_know_what_was_spent_for_nothing() {
    let again = [TOOL, ("gen_ai.tool.name", "search"), ("gen_ai.tool.call.arguments", r#"{"q": 1}"#)];
    let (capture, tree, account) = account(vec![
        span(1, 0, "POST /runs", (0, 1000), &[("http.method", "POST")]),
        span(2, 1, "invoke_agent a", (1, 900), &[AGENT, ("gen_ai.agent.name", "a"), ("gen_ai.conversation.id", "c")]),
        span(3, 2, "chat", (2, 100), &used("100", "10")),
        span(4, 2, "execute_tool search", (101, 110), &again),
        span(5, 2, "chat", (111, 200), &used("200", "10")),
        span(6, 2, "execute_tool search", (201, 210), &again),
        failed(span(7, 2, "chat", (211, 220), &used("300", "0"))),
        span(8, 2, "chat", (221, 300), &used("300", "30")),
    ]);
    let runs = runs(&capture, &tree, &account);
    let [run] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!((run.node, capture.text(run.agent), capture.text(run.conversation)), (1, "a", "c"));
    assert_eq!((run.steps, run.repeated_calls, run.retries), (4, 1, 1));
    assert_eq!((run.wasted_tokens, run.sums.tokens()), (210 + 300, 950));
    assert_eq!((run.outcome, run.duration_ns), (Outcome::Ok, 899_000_000));
}

#[test]
fn calls_without_an_agent_are_a_run_of_their_trace() {
    let (capture, tree, account) =
        account(vec![span(1, 9, "work", (0, 100), &[]), span(2, 1, "chat", (10, 90), &used("1", "1"))]);
    let runs = runs(&capture, &tree, &account);
    assert_eq!((runs.len(), runs[0].sums.llm_calls), (1, 1));
    assert!(tree.nodes()[runs[0].node].span.is_some(), "a placeholder is no run");
}
