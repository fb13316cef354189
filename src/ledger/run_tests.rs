//! Runs in small traces: what they took, what was wasted, whose they are.

use opentelemetry_proto::tonic::trace::v1::Span;

use super::sample::*;
use super::*;
use crate::capture::Capture;
use crate::model::Outcome;

fn found(spans: Vec<Span>) -> (Capture, Vec<Run>) {
    let (capture, tree, account) = account(spans);
    let runs = runs(&capture, &tree, &account);
    (capture, runs)
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

#[test]
fn agents_that_work_side_by_side_do_not_waste_what_the_other_did() {
    let search = [TOOL, ("gen_ai.tool.name", "s"), ("gen_ai.tool.call.arguments", r#"{"q":1}"#)];
    let agent = |name: &'static str| [AGENT, ("gen_ai.agent.name", name)];
    let (_, runs) = found(vec![
        span(1, 0, "root", (0, 1000), &agent("root")),
        span(2, 1, "x", (0, 500), &agent("x")),
        span(3, 1, "y", (10, 600), &agent("y")),
        span(4, 2, "chat", (0, 50), &used("1000", "10")),
        span(5, 2, "tool", (60, 70), &search),
        span(6, 3, "chat", (80, 100), &used("1000", "10")),
        span(7, 3, "tool", (110, 120), &search),
        span(8, 2, "chat", (130, 150), &used("1000", "10")),
        span(9, 3, "chat", (160, 180), &used("1000", "10")),
    ]);
    assert_eq!((runs.len(), runs[0].wasted_tokens, runs[0].repeated_calls), (1, 0, 0));
}

#[test]
fn asking_a_model_the_same_again_is_waste() {
    let ask = |what: &'static str| [&used("1000", "10")[..], &[("gen_ai.input.messages", what)]].concat();
    let (_, runs) = found(vec![
        span(1, 0, "agent", (0, 100), &[AGENT]),
        span(2, 1, "chat", (0, 10), &ask("[1]")),
        span(3, 1, "chat", (20, 30), &ask("[1]")),
        span(4, 1, "chat", (40, 50), &ask("[2]")),
        failed(span(5, 1, "chat", (60, 70), &ask("[3]"))),
        span(6, 1, "chat", (80, 90), &ask("[3]")),
        span(7, 1, "not recorded", (91, 92), &used("1000", "10")),
        span(8, 1, "not recorded", (93, 94), &used("1000", "10")),
    ]);
    assert_eq!((runs[0].wasted_tokens, runs[0].retries), (2 * 1010, 1), "the second, and the one that failed");
}

#[test]
fn a_run_belongs_to_what_is_said_around_it() {
    let (capture, runs) = found(vec![
        span(1, 0, "POST /chat", (0, 100), &[("http.request.method", "POST"), ("session.id", "s-1")]),
        span(2, 1, "agent", (0, 90), &[AGENT, ("gen_ai.agent.name", "a")]),
        span(3, 2, "chat", (0, 10), &used("1", "1")),
    ]);
    assert_eq!((runs.len(), capture.text(runs[0].conversation), runs[0].node), (1, "s-1", 1));
    let (capture, runs) = found(vec![
        span(
            1,
            0,
            "POST /v1/agents/{agent_id}/messages",
            (0, 100),
            &[("http.method", "POST"), ("http.agent_id", "agent-7")],
        ),
        span(2, 1, "LettaAgentV3.step", (0, 90), &[("parameter.run_id", "run-9")]),
        span(3, 2, "OpenAIClient.request_async", (0, 10), &[("parameter.x", "1")]),
    ]);
    let run = &runs[0];
    assert_eq!((capture.text(run.agent), capture.text(run.who(&capture))), ("LettaAgentV3", "agent-7"));
    assert_eq!(capture.text(run.conversation), "run-9", "where no conversation is named, the run stands for it");
}

#[test]
fn steps_within_steps_are_no_steps_of_the_run() {
    const CHAIN: (&str, &str) = ("openinference.span.kind", "CHAIN");
    let chain = |top: u8| {
        vec![
            span(2, top, "graph", (0, 100), &[CHAIN]),
            span(3, 2, "node", (0, 40), &[CHAIN]),
            span(4, 3, "sequence", (0, 40), &[CHAIN]),
            span(5, 4, "chat", (1, 30), &used("1", "1")),
            span(6, 3, "branch", (31, 40), &[CHAIN]),
            span(7, 2, "node", (50, 90), &[CHAIN]),
            span(8, 7, "chat", (51, 80), &used("1", "1")),
        ]
    };
    let (_, at_root) = found(chain(0));
    assert_eq!((at_root.len(), at_root[0].steps), (1, 2));
    let (_, served) = found([vec![span(1, 0, "POST", (0, 100), &[("http.method", "POST")])], chain(1)].concat());
    assert_eq!((served.len(), served[0].steps, served[0].node), (1, 2, 1));
}

#[test]
fn what_a_caller_saw_of_a_run_is_no_run_of_its_own() {
    let (capture, runs) = found(vec![
        span(1, 0, "POST /", (0, 100), &[("http.method", "POST")]),
        span(2, 1, "invoke_agent helm-agent", (1, 99), &[AGENT]),
        span(4, 9, "invoke_agent helm_agent", (5, 90), &[AGENT, ("gen_ai.agent.name", "helm_agent")]),
        span(5, 4, "chat", (6, 80), &used("1", "1")),
    ]);
    assert_eq!((runs.len(), capture.text(runs[0].agent)), (1, "helm_agent"));
    let (_, apart) = found(vec![
        span(1, 0, "POST /", (0, 100), &[("http.method", "POST")]),
        span(2, 1, "invoke_agent a", (1, 99), &[AGENT]),
        span(3, 1, "invoke_agent b", (5, 90), &[AGENT]),
        span(5, 3, "chat", (6, 80), &used("1", "1")),
    ]);
    assert_eq!(apart.len(), 2);
}

/// Many runs below one request, and as many workflows in one another: what looks at all of them for each of them takes minutes.
#[test]
fn runs_are_found_in_one_walk() {
    const MANY: u64 = 40_000;
    let numbered = |mut span: Span, id: u64, parent: u64| {
        (span.span_id, span.parent_span_id) = (id.to_be_bytes().to_vec(), parent.to_be_bytes().to_vec());
        span
    };
    let root = numbered(span(1, 0, "root", (0, 100), &[]), 1, 0);
    let runs_of = |id: u64| {
        let agent = numbered(span(1, 0, "agent", (0, 90), &[AGENT]), 2 * id, 1);
        [agent, numbered(span(1, 0, "chat", (0, 9), &used("1", "1")), 2 * id + 1, 2 * id)]
    };
    let spans = std::iter::once(root).chain((1..=MANY).flat_map(runs_of)).collect();
    let (_, wide) = found(spans);
    assert_eq!(wide.iter().map(|run| run.sums.llm_calls).sum::<u64>(), MANY);
    let workflow = [("gen_ai.operation.name", "invoke_workflow")];
    let deep = (1..=MANY).map(|id| numbered(span(1, 0, "workflow", (0, 90), &workflow), id, id - 1)).collect();
    assert_eq!(found(deep).1, []);
}
