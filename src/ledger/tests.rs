//! Accounts of small traces.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::sample::*;
use super::*;

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
    // The outermost that reports its tokens.
    assert_eq!(account.call(1).map(|(call, counted)| (call.node, counted)), Some((2, false)));
    assert_eq!(account.call(2).map(|(call, counted)| (call.node, counted)), Some((2, true)));
    assert_eq!((account.own(0), account.total(3).llm_calls), (Sums::default(), 0));
}

#[test]
fn the_outermost_record_with_tokens_counts_whatever_lies_between() {
    let tokens = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"];
    let told = [CHAT, ("gen_ai.request.model", "gpt-4o"), (tokens[0], "1000"), (tokens[1], "50")];
    let (_, _, account) = account(vec![
        span(1, 0, "framework", (0, 100), &[CHAT]),
        span(2, 1, "other", (1, 5), &[CHAT, ("gen_ai.request.model", "claude-haiku-4-5"), (tokens[0], "7")]),
        span(3, 1, "client", (5, 100), &[CHAT, ("gen_ai.request.model", "gpt-4o")]),
        span(4, 3, "proxy", (5, 100), &told),
        span(5, 4, "wire", (5, 100), &told),
    ]);
    let total = account.total(0);
    assert_eq!((total.llm_calls, total.duplicate_calls, total.input_tokens), (2, 3, 1007));
    let counted: Vec<usize> = account.calls().iter().map(|call| call.node).collect();
    assert_eq!(counted, [1, 3]);
    assert_eq!((account.own(0).calls(), account.own(3).duplicate_calls), (0, 3));
    assert_eq!(account.call(0).map(|(call, counted)| (call.node, counted)), Some((3, false)));
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
fn a_copy_of_a_call_adds_what_it_alone_knows() {
    let outer = [CHAT, MODEL, (INPUT, "1000"), (OUTPUT, "10")];
    let inner = |input: &'static str| {
        [
            CHAT,
            ("gen_ai.response.model", "gpt-4o-2024-05-13"),
            (INPUT, input),
            (CACHED, "600"),
            ("gen_ai.system", "openai"),
        ]
    };
    let both = |input| account(vec![span(1, 0, "outer", (0, 9), &outer), span(2, 1, "inner", (0, 9), &inner(input))]);
    let (capture, _, account) = both("1000");
    let call = account.calls()[0];
    assert_eq!((call.tokens.cache_read, capture.text(call.provider)), (Some(600), "openai"));
    assert_eq!((capture.text(call.name), capture.text(call.answered)), ("gpt-4o", "gpt-4o-2024-05-13"));
    // The model that answered has a price of its own.
    assert_eq!(call.cost, Some(Money::dollars(1000.0 * 5e-6 + 10.0 * 15e-6)));
    let other = both("2000").2.calls()[0];
    assert_eq!(
        (other.tokens.input, other.tokens.cache_read),
        (Some(1000), None),
        "numbers that differ are of different things"
    );
}

#[test]
fn what_a_tool_reports_is_of_the_calls_in_it() {
    let tool = [TOOL, ("gen_ai.tool.name", "sub"), MODEL, (INPUT, "300"), (OUTPUT, "30")];
    let (_, _, around) = account(vec![
        span(1, 0, "tool", (0, 100), &tool),
        span(2, 1, "c1", (0, 50), &used("100", "10")),
        span(3, 1, "c2", (50, 90), &used("200", "20")),
    ]);
    let total = around.total(0);
    assert_eq!((total.tool_calls, total.input_tokens, total.output_tokens, total.unpriced_calls), (1, 300, 30, 0));
    let (_, _, alone) = account(vec![span(1, 0, "tool", (0, 100), &tool)]);
    assert_eq!((alone.total(0).input_tokens, alone.reports().len()), (300, 1));
    assert_eq!(alone.total(0).cost_usd, Some(Money::dollars(300.0 * 2.5e-6 + 30.0 * 10e-6)));
}

#[test]
fn a_library_s_tries_are_the_calls_of_its_framework() {
    let (_, _, account) = account(vec![
        span(1, 0, "framework", (0, 100), &used("100", "10")),
        failed(span(2, 1, "try", (0, 50), &[CHAT, MODEL])),
        span(3, 1, "try", (50, 100), &used("100", "10")),
        span(4, 0, "framework without usage", (200, 300), &[CHAT, MODEL]),
        failed(span(5, 4, "try", (200, 210), &[CHAT, MODEL])),
        span(6, 4, "try", (250, 290), &used("7", "1")),
    ]);
    let total = account.total(0);
    assert_eq!((total.llm_calls, total.failed_calls, total.input_tokens, total.duplicate_calls), (2, 1, 100, 1));
    assert_eq!(account.call(0).map(|(call, counted)| (call.node, counted)), Some((2, false)));
    assert_eq!(
        account.calls().iter().map(|call| (call.node, call.retry)).collect::<Vec<_>>(),
        [(1, false), (2, true), (4, false), (5, true)]
    );
    assert_eq!((account.total(3).llm_calls, account.total(3).input_tokens), (2, 7));
}

#[test]
fn a_call_that_never_ended_is_the_one_inside_it() {
    let mut open = span(1, 0, "outer", (10, 10), &used("10", "1"));
    open.end_time_unix_nano = 0;
    let (_, _, same) = account(vec![open.clone(), span(2, 1, "inner", (10, 20), &used("10", "1"))]);
    assert_eq!((same.total(0).llm_calls, same.total(0).input_tokens), (1, 10));
    let (_, _, other) = account(vec![open, span(2, 1, "inner", (10, 20), &used("30", "1"))]);
    assert_eq!((other.total(0).llm_calls, other.total(0).input_tokens), (2, 40));
}

#[test]
fn frameworks_around_frameworks_are_taken_apart_from_the_inside() {
    let (_, _, account) = account(vec![
        span(1, 0, "outer", (0, 200), &used("100", "10")),
        span(2, 1, "framework", (0, 150), &used("100", "10")),
        failed(span(3, 2, "try", (0, 50), &[CHAT, MODEL])),
        span(4, 2, "try", (50, 100), &used("100", "10")),
        span(5, 2, "of another model", (100, 110), &[CHAT, (NAME, "other"), (INPUT, "7")]),
    ]);
    let total = account.total(0);
    assert_eq!((total.llm_calls, total.input_tokens, total.duplicate_calls), (3, 107, 2));
    assert_eq!(account.call(0).map(|(call, counted)| (call.node, counted)), Some((3, false)));
}

#[test]
fn another_model_inside_a_call_is_another_call() {
    let (_, _, account) = account(vec![
        span(1, 0, "outer", (0, 100), &used("100", "10")),
        span(2, 1, "inner", (0, 100), &[CHAT, (NAME, "gpt-4o-mini"), (INPUT, "50")]),
    ]);
    assert_eq!((account.total(0).llm_calls, account.total(0).input_tokens), (2, 150));
}

#[test]
fn embeddings_made_in_parts_count_by_part() {
    const EMBED: (&str, &str) = ("gen_ai.operation.name", "embeddings");
    let (_, _, account) = account(vec![
        span(1, 0, "all", (0, 100), &[EMBED]),
        span(2, 1, "part", (0, 50), &[EMBED, (INPUT, "5")]),
        span(3, 1, "part", (50, 99), &[EMBED, ("gen_ai.usage.total_tokens", "6")]),
        span(4, 0, "order", (100, 101), &[("openinference.span.kind", "RERANKER")]),
    ]);
    assert_eq!((account.total(0).embedding_calls, account.total(0).input_tokens), (2, 11));
    assert_eq!((account.total(3).embedding_calls, account.total(3).rerank_calls), (0, 1));
}

#[test]
fn tokens_whose_division_is_not_known_have_no_price() {
    const TOTAL: &str = "gen_ai.usage.total_tokens";
    let of = |pairs: &[(&'static str, &'static str)]| {
        account(vec![span(1, 0, "chat", (0, 9), &[&[CHAT, MODEL], pairs].concat())]).2.total(0)
    };
    let total = of(&[(TOTAL, "1000")]);
    assert_eq!((total.unsplit_tokens, total.tokens(), total.cost_usd, total.unpriced_calls), (1000, 1000, None, 1));
    let cached = of(&[(CACHED, "1000")]);
    assert_eq!((cached.cache_read_tokens, cached.cost_usd, cached.unpriced_calls), (1000, None, 1));
    let divided = of(&[(TOTAL, "1000"), (INPUT, "900")]);
    assert_eq!((divided.input_tokens, divided.output_tokens, divided.unsplit_tokens), (900, 100, 0));
    let reasoning = of(&[(INPUT, "1"), (OUTPUT, "9"), ("gen_ai.usage.reasoning.output_tokens", "5")]);
    assert_eq!((reasoning.output_tokens, reasoning.reasoning_tokens), (9, 5));
}

#[test]
fn what_only_an_agent_reports_has_a_price_or_is_said_to_have_none() {
    let usage = [AGENT, (INPUT, "30"), (OUTPUT, "4")];
    let (_, _, unknown) = account(vec![span(1, 0, "a", (0, 9), &usage)]);
    assert_eq!((unknown.total(0).unpriced_calls, unknown.total(0).cost_usd), (1, None));
    let (_, _, known) = account(vec![span(1, 0, "a", (0, 9), &[&usage[..], &[MODEL]].concat())]);
    assert_eq!(known.total(0).cost_usd, Some(Money::dollars(30.0 * 2.5e-6 + 4.0 * 10e-6)));
    assert_eq!((known.calls().len(), known.reports().len(), known.total(0).llm_calls), (0, 1, 0));
}

#[test]
fn a_call_goes_by_the_model_that_was_asked_for() {
    let (capture, _, account) = account(vec![
        failed(span(1, 0, "chat", (0, 9), &[CHAT, (NAME, "claude-sonnet-4")])),
        span(
            2,
            0,
            "chat",
            (10, 19),
            &[CHAT, (NAME, "claude-sonnet-4"), ("gen_ai.response.model", "claude-sonnet-4-20250514")],
        ),
        span(3, 0, "chat", (20, 29), &[CHAT, ("gen_ai.response.model", "other-1")]),
    ]);
    let names = account.calls().iter().map(|call| capture.text(call.name)).collect::<Vec<_>>();
    assert_eq!(names, ["claude-sonnet-4", "claude-sonnet-4", "other-1"]);
}

#[test]
fn letta_s_wait_for_the_first_token_is_that_of_the_first_call_of_its_request() {
    let mut wait = span(4, 3, "time_to_first_token", (0, 60), &[("llm_config.model", "m")]);
    let ttft = KeyValue {
        key: "ttft_ms".to_owned(),
        value: Some(AnyValue { value: Some(Value::IntValue(24)) }),
        ..KeyValue::default()
    };
    wait.events = vec![Event { name: "time_to_first_token_ms".to_owned(), attributes: vec![ttft], ..Event::default() }];
    let call = |id, time| span(id, 2, "OpenAIClient.stream_async", time, &[("parameter.x", "1")]);
    let (_, _, account) = account(vec![
        span(1, 0, "root", (0, 100), &[]),
        span(5, 1, "OpenAIClient.stream_async", (1, 2), &[("parameter.x", "of another agent")]),
        span(2, 1, "LettaAgentV3.stream", (0, 100), &[]),
        span(3, 2, "LettaAgentV3._request_checkpoint_start", (5, 6), &[]),
        wait,
        call(6, (10, 20)),
        call(7, (30, 40)),
    ]);
    let waits = account.calls().iter().map(|call| call.first_token).collect::<Vec<_>>();
    assert_eq!(waits, [Some(24_000_000), None, None], "in the order of the tree: the other agent's is the last");
}

#[test]
fn a_call_that_was_under_way_when_another_failed_is_no_retry() {
    let search = [TOOL, ("gen_ai.tool.name", "search")];
    let (_, _, account) = account(vec![
        span(1, 0, "agent", (0, 100), &[AGENT]),
        failed(span(2, 1, "a", (0, 30), &search)),
        span(3, 1, "beside", (10, 20), &search),
        span(4, 1, "again", (30, 40), &search),
        span(5, 1, "next", (50, 60), &search),
    ]);
    assert_eq!(account.calls().iter().map(|call| call.retry).collect::<Vec<_>>(), [false, false, true, false]);
}
