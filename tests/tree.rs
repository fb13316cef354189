//! Trees of traces of agents, as people and scripts get them: what is shown, what is rolled up, what is left out.
//!
//! Comes in: bundled captures, traces made up here, and real ones where they are there. Goes out: text and JSON of the real program.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

#[expect(dead_code, reason = "not everything that tests share is needed here")]
mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::captures;
use serde_json::{Value, json};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracectl"));
    command.args(arguments).env_clear().env("LC_ALL", "C.UTF-8").output().unwrap()
}

fn tracectl(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json_of(arguments: &[&str]) -> Value {
    serde_json::from_str(&tracectl(&[arguments, &["--format", "json"]].concat())).unwrap()
}

/// The spans of all traces.
fn spans(arguments: &[&str]) -> Vec<Value> {
    let tree = json_of(arguments);
    tree["traces"].as_array().unwrap().iter().flat_map(|trace| trace["spans"].as_array().unwrap().clone()).collect()
}

/// A span of a trace: id, parent, name, milliseconds from start to end, attributes.
fn span(trace: char, id: u8, parent: u8, name: &str, [start, end]: [u64; 2], attributes: &Value) -> Value {
    let attributes: Vec<Value> = (attributes.as_object().unwrap().iter())
        .map(|(key, value)| match value.as_u64() {
            Some(number) => json!({"key": key, "value": {"intValue": number.to_string()}}),
            None => json!({"key": key, "value": {"stringValue": value}}),
        })
        .collect();
    let time = |millis: u64| ((1_700_000_000_000 + millis) * 1_000_000).to_string();
    json!({"traceId": trace.to_string().repeat(32), "spanId": format!("{id:016x}"), "name": name,
        "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") }, "kind": 1,
        "startTimeUnixNano": time(start), "endTimeUnixNano": time(end), "attributes": attributes})
}

fn dump(folder: &Path, spans: &[Value]) -> String {
    let path = folder.join("dump.json");
    std::fs::write(
        &path,
        json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "letta.otel.tracing"}, "spans": spans}]}]})
            .to_string(),
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

/// The span with an event of a tool of Letta's that ended so.
fn executed(mut span: Value, tool: &str, status: &str) -> Value {
    let attribute = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let event = |name: String, attributes: Value| json!({"name": name, "attributes": attributes});
    span["events"] = json!([
        event(format!("start_{tool}_execution"), json!([attribute("q", tool)])),
        event(
            format!("finish_{tool}_execution"),
            json!([attribute("status", status), attribute("func_return", "it went so")])
        ),
    ]);
    span
}

/// A run of Letta's in which one of three tools failed by its own word.
fn letta(folder: &Path) -> String {
    let tool = |id: u8, name: &str, status: &str| {
        let start = 100 * u64::from(id);
        executed(span('a', id, 2, "LettaAgentV3._execute_tool", [start, start + 90], &json!({})), name, status)
    };
    dump(
        folder,
        &[
            span('a', 1, 0, "LettaAgentV3.step", [0, 900], &json!({})),
            span('a', 2, 1, "LettaAgentV3._handle_ai_response", [10, 890], &json!({})),
            tool(3, "web_search", "success"),
            tool(4, "send_message", "error"),
            tool(5, "archival_insert", "success"),
        ],
    )
}

#[test]
fn what_tells_calls_apart_is_never_folded() {
    let folder = tempfile::tempdir().unwrap();
    let path = letta(folder.path());
    let text = tracectl(&["tree", &path, "--width", "100"]);
    for line in ["web_search  \"q\":", "failed  send_message  \"q\":", "✗ it went so", "archival_insert  \"q\":"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let call = |id: u8, model: &str| {
        let attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": model});
        span('a', id, 1, "ChatCompletion", [u64::from(id), u64::from(id) + 1], &attributes)
    };
    let step =
        |id: u8| span('a', id, 1, "task", [u64::from(id), u64::from(id) + 1], &json!({"traceloop.span.kind": "task"}));
    let agent = span('a', 1, 0, "invoke_agent a", [0, 100], &json!({"gen_ai.operation.name": "invoke_agent"}));
    let path = dump(
        folder.path(),
        &[agent, call(2, "m-1"), call(3, "m-2"), call(4, "m-3"), step(5), step(6), step(7), step(8)],
    );
    let text = tracectl(&["tree", &path]);
    assert!(!text.contains('×'), "{text}");
    assert!(["m-1", "m-2", "m-3", "#1", "#2", "#3", "#4"].iter().all(|word| text.contains(word)), "{text}");
}

#[test]
fn a_tool_is_named_before_it_is_told_what_it_was_given() {
    let text = tracectl(&["tree", "testdata/agents/letta.jsonl", "--width", "80"]);
    let line = text.lines().find(|line| line.contains("■ Letta")).unwrap();
    assert!(line.contains("archival_memory_search") && !line.contains('"'), "{line}");
}

#[test]
fn the_row_that_a_call_is_counted_at_tells_all_of_it() {
    let text = tracectl(&["tree", "testdata/agent-run.jsonl", "--width", "160"]);
    let counted = "■ ToolExecutionManager.execute_tool_async  failed  post_reminder  \"invoice\":\"INV-17\"";
    assert!(text.contains(counted) && text.contains("✗ ■ execute_tool post_reminder  same call"), "{text}");
    let spans = spans(&["tree", "testdata/agent-run.jsonl"]);
    let copy = spans.iter().find(|span| span["facts"]["duplicate"] == json!(true)).unwrap();
    let of = spans.iter().find(|span| span["span_id"] == copy["facts"]["duplicate_of"]).unwrap();
    assert_eq!((&of["name"], &copy["parent_id"]), (&json!("ToolExecutionManager.execute_tool_async"), &of["span_id"]));
}

#[test]
fn tools_that_failed_by_their_own_word_are_on_paths_to_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = letta(folder.path());
    let text = tracectl(&["tree", &path, "--errors", "--width", "100"]);
    assert!(text.contains("1 tool failed") && text.contains("send_message") && !text.contains("web_search"), "{text}");
    assert!(text.contains("2 spans without errors"), "{text}");
    let shown: Vec<Value> =
        spans(&["tree", &path, "--errors"]).into_iter().map(|span| span["span_id"].clone()).collect();
    assert_eq!(shown, ["0000000000000001", "0000000000000002", "0000000000000004"]);
    let hidden = tracectl(&["tree", &path, "--depth", "2", "--width", "100"]);
    assert!(hidden.contains("+3 spans  1 failed"), "{hidden}");
    let none = run(&["tree", &path, "--outcome", "error"]);
    let told = String::from_utf8(none.stderr).unwrap();
    assert!(none.status.code() == Some(3) && told.contains("--errors shows them"), "{told}");
}

const AGENTS: &str = "\
d7bab4cb  POST /v1/agents/{agent_id}/messages  3.77 s
  letta-server-dev · 2025-06-02T09:00:00.000Z · 92 spans · 8 errors · 2 llm calls · 1 embedding call
  1 tool call · 6962→213 tokens · $0.0151
○ POST /v1/agents/{agent_id}…  Σ 6962→213  $0.0151  2 llm  1 tool …      3.76 s ━━━━━━━━━━━━━━━━━━━━
";

#[test]
fn what_agents_did_stands_alone_when_asked() {
    let path = "testdata/agents/letta.jsonl";
    let text = tracectl(&["tree", path, "--agents", "--width", "100"]);
    assert!(text.starts_with(AGENTS), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.ends_with(['━', '╸', '╺'])).collect();
    assert_eq!(rows.len(), 13, "{text}");
    assert!(rows[1].starts_with("└─ ● LettaAgentV3.step ") && rows[2].starts_with("  ├─ ✗ ▸ agent_step  #1"), "{text}");
    assert!(text.contains("  … 77 other spans (shown without --agents)\n"), "{text}");
    let all = spans(&["tree", path]);
    let some = spans(&["tree", path, "--agents"]);
    assert!(
        some.len() == 14 && some.iter().all(|span| all.contains(span)),
        "parents and depths are those of the whole tree"
    );
    // Errors are kept wherever they happened, and told once.
    let run = tracectl(&["tree", "testdata/agent-run.jsonl", "--agents", "--width", "100"]);
    assert!(run.contains("✗ SELECT ledger") && !run.contains("✗ ■ execute_tool post_reminder"), "{run}");
    assert!(!run.contains("INSERT messages") && run.contains("✗ TimeoutError: ledger"), "{run}");
    let markdown = tracectl(&["tree", path, "--agents", "--format", "markdown"]);
    assert!(markdown.contains("… 77 other spans"), "{markdown}");
    // A trace without any of that is not shown.
    let folder = tempfile::tempdir().unwrap();
    let plain = dump(folder.path(), &[span('a', 1, 0, "GET /health", [0, 1], &json!({}))]);
    assert_eq!(run_code(&["tree", &plain, "--agents"]), Some(3));
    let config = folder.path().join("tracectl.toml");
    std::fs::write(&config, "[tree]\nagents = true\n").unwrap();
    assert_eq!(run_code(&["tree", &plain, "--config", config.to_str().unwrap()]), Some(3));
}

fn run_code(arguments: &[&str]) -> Option<i32> {
    run(arguments).status.code()
}

#[test]
fn sums_stand_where_they_say_something_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let path = path.to_str().unwrap();
    tracectl(&[
        "emit",
        "--scenario",
        "multi-agent",
        "--depth",
        "2",
        "--convention",
        "genai",
        "--traces",
        "1",
        "-o",
        path,
    ]);
    let text = tracectl(&["tree", path, "--width", "200"]);
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("POST")).collect();
    assert!(rows[0].contains("  Σ "), "the root: {text}");
    for pair in rows.windows(2) {
        let [above, below] = pair else { continue };
        let agent = below.contains("● invoke_agent");
        assert!(
            !agent || (above.contains("  Σ ") || above.contains("invoke_workflow")) && !below.contains("  Σ "),
            "told once, at the top of a chain: {text}"
        );
    }
    let spans = spans(&["tree", path]);
    let number = |span: &Value, key: &str| span["facts"]["totals"][key].as_u64().unwrap_or(0);
    for span in &spans {
        let beneath = spans.iter().filter(|child| child["parent_id"] == span["span_id"]);
        let sum: u64 = beneath.map(|child| number(child, "input_tokens")).sum();
        let own = span["facts"]["input_tokens"].as_u64().unwrap_or(0);
        assert_eq!(number(span, "input_tokens"), sum + own, "{span}");
    }
}

#[test]
fn steps_are_numbered_as_runs_count_them() {
    for convention in ["genai", "openinference", "openllmetry", "letta"] {
        let path = format!("testdata/agents/{convention}.jsonl");
        let steps = json_of(&["stats", &path])["agents"]["steps"].as_u64().unwrap();
        let spans = spans(&["tree", &path]);
        let numbered = spans.iter().filter(|span| span["facts"]["step"].is_u64()).count() as u64;
        assert!(steps > 0 && numbered == steps, "{convention}: {numbered} of {steps}");
    }
    // A step of Letta's that failed never exports its own span.
    let folder = tempfile::tempdir().unwrap();
    let path = dump(
        folder.path(),
        &[
            span('a', 1, 0, "LettaAgentV3.step", [0, 900], &json!({})),
            span('a', 2, 1, "LettaAgentV3._step_checkpoint_start", [10, 12], &json!({"parameter.step_id": "s1"})),
            span('a', 3, 2, "agent_step", [11, 400], &json!({"step_id": "s1"})),
            span('a', 4, 1, "OpenAIClient.request_async", [20, 300], &json!({})),
            span('a', 5, 1, "LettaAgentV3._step_checkpoint_start", [500, 502], &json!({"parameter.step_id": "s2"})),
            span('a', 6, 1, "OpenAIClient.request_async", [510, 600], &json!({})),
            span('a', 7, 1, "LettaAgentV3._step_checkpoint_start", [700, 702], &json!({"parameter.step_id": "s3"})),
        ],
    );
    let numbered: Vec<(Value, Value)> = (spans(&["tree", &path]).into_iter())
        .filter(|span| span["facts"]["step"].is_u64())
        .map(|span| (span["span_id"].clone(), span["facts"]["step"].clone()))
        .collect();
    let expected = [("0000000000000003", 1), ("0000000000000006", 2), ("0000000000000007", 3)];
    assert_eq!(numbered, expected.map(|(id, step)| (json!(id), json!(step))));
}

#[test]
fn the_wait_for_the_first_token_is_not_the_length_of_its_span() {
    let folder = tempfile::tempdir().unwrap();
    let first = |with: bool| {
        let mut wait = span('a', 2, 1, "time_to_first_token", [0, 1000], &json!({}));
        let millis = json!([{"key": "ttft_ms", "value": {"intValue": "100"}}]);
        if with {
            wait["events"] = json!([{"name": "time_to_first_token_ms", "attributes": millis}]);
        }
        let call = span('a', 3, 1, "OpenAIClient.stream_async", [10, 900], &json!({}));
        let path = dump(folder.path(), &[span('a', 1, 0, "LettaAgentV3.step", [0, 1000], &json!({})), wait, call]);
        let text = tracectl(&["tree", &path, "--width", "100"]);
        text.lines().find(|line| line.contains("time_to_first_token")).unwrap().to_owned()
    };
    let known = first(true);
    let bar = known.chars().filter(|c| *c == '━').count();
    assert!(known.contains("ttft 100 ms") && (2..8).contains(&bar), "{known}");
    let unknown = first(false);
    assert!(unknown.contains("the whole request") && unknown.contains('┅') && !unknown.contains('━'), "{unknown}");
}

#[test]
fn machines_get_all_that_a_call_says() {
    let folder = tempfile::tempdir().unwrap();
    let call = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.finish_reasons": "stop",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 5, "gen_ai.usage.reasoning.output_tokens": 20,
        "gen_ai.usage.total_tokens": 150, "gen_ai.is_streaming": "true", "error.type": "Timeout", "parameter.run_id": "run-1"});
    let key = format!("sk-proj-{}", "Ab1_".repeat(10));
    let tool = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f", "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.call.arguments": format!("{{\"a\": [1, 2], \"key\": \"{key}\"}}")});
    let path = dump(
        folder.path(),
        &[span('a', 1, 0, "chat gpt-4o", [0, 100], &call), span('a', 2, 1, "execute_tool f", [10, 20], &tool)],
    );
    let spans = spans(&["tree", &path]);
    let facts = |at: usize, key: &str| spans[at]["facts"][key].clone();
    let numbers =
        ["cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens"].map(|key| facts(0, key));
    assert_eq!(numbers, [40, 5, 20, 150].map(|number| json!(number)));
    assert_eq!([facts(0, "error_type"), facts(0, "run")], [json!("Timeout"), json!("run-1")]);
    assert_eq!(facts(0, "finish_reasons"), json!(["stop"]));
    assert_eq!(facts(1, "call_id"), json!("c1"));
    let arguments = facts(1, "arguments").as_str().unwrap().to_owned();
    assert!(arguments.starts_with("{\"a\": [1, 2], ") && !arguments.contains(&key), "{arguments}");
    assert_eq!(facts(1, "totals")["tool_calls"], json!(1));
}

#[test]
fn trees_tell_what_calls_took() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let path = path.to_str().unwrap();
    tracectl(&["emit", "--convention", "letta", "--seed", "3", "--traces", "1", "-o", path]);
    let tree: Value = serde_json::from_str(&tracectl(&["tree", path, "--format", "json"])).unwrap();
    let trace =
        tree["traces"].as_array().unwrap().iter().find(|trace| trace["totals"]["llm_calls"] != json!(0)).unwrap();
    let spans = trace["spans"].as_array().unwrap();
    let sum = |field: &str| spans.iter().filter_map(|span| span["facts"][field].as_u64()).sum::<u64>();
    assert_eq!(trace["totals"]["input_tokens"], json!(sum("input_tokens")), "each call counts once");
    assert_eq!(trace["totals"]["output_tokens"], json!(sum("output_tokens")));
    let numbered: Vec<_> = spans.iter().filter_map(|span| span["facts"]["step"].as_u64()).collect();
    assert_eq!(numbered, (1..=numbered.len() as u64).collect::<Vec<_>>());
    let text = tracectl(&["tree", path, "--limit", "1"]);
    assert!(
        text.contains("▸ agent_step  #1") && text.contains("empty generator") && !text.contains("V3._step "),
        "{text}"
    );
    let all = tracectl(&["tree", path, "--limit", "1", "--no-collapse"]);
    assert!(all.contains("LettaAgentV3._step ") && !all.contains("empty generator"), "{all}");
}

/// Three traces of one conversation: a request with a tool, an agent that lost its context within the tool, the next request.
fn lost(folder: &Path) -> String {
    let span = |trace: char, id: u8, parent: u8, name: &str, times: [u64; 2], mut attributes: Value| {
        if name != "POST /run" {
            attributes["gen_ai.operation.name"] = name.split(' ').next().into();
            attributes["gen_ai.conversation.id"] = "conv-1".into();
        }
        span(trace, id, parent, name, times, &attributes)
    };
    let call = |model: &str, input: u64, output: u64| json!({"gen_ai.request.model": model, "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output});
    let spans = [
        span('a', 1, 0, "POST /run", [0, 1000], json!({})),
        span('a', 2, 1, "invoke_agent planner", [10, 990], json!({})),
        span('a', 3, 2, "chat m", [20, 200], call("mystery-1", 1000, 50)),
        span(
            'a',
            4,
            2,
            "execute_tool research",
            [210, 800],
            json!({"gen_ai.tool.name": "research", "gen_ai.tool.call.arguments": "{\"topic\": \"bees\"}"}),
        ),
        span('a', 5, 2, "chat m", [810, 980], call("mystery-1", 1200, 80)),
        span('b', 6, 0, "invoke_agent researcher", [230, 790], json!({})),
        span('b', 7, 6, "chat m", [240, 700], call("mystery-2", 300, 20)),
        span('c', 8, 0, "invoke_agent planner", [2000, 2100], json!({})),
    ];
    dump(folder, &spans)
}

const ON_80: &str = "\
aaaaaaaa  POST /run  1.00 s
  2023-11-14T22:13:20.000Z · 5 spans · 3 llm calls · 1 tool call
  2500→150 tokens · unpriced · 1 trace with 2 spans nested by ids
POST /run  Σ 2500→150  unpriced  3 llm  1 tool           1.00 s ━━━━━━━━━━━━━━━━
└─ ● invoke_agent planner                                980 ms ━━━━━━━━━━━━━━━━
  ├─ ◆ chat m  #1  mystery-1  1000→50  unpriced          180 ms ━━━╸
  ├─ ■ execute_tool research  Σ 300→20  unpriced  1 llm  590 ms    ━━━━━━━━━━
  │ └╌ ● invoke_agent researcher  by conversation        560 ms    ╺━━━━━━━━━
  │   └─ ◆ chat m  #1  mystery-2  300→20  unpriced       460 ms    ╺━━━━━━━╸
  └─ ◆ chat m  #2  mystery-1  1200→80  unpriced          170 ms             ╺━━━

cccccccc  invoke_agent planner  100 ms
  2023-11-14T22:13:22.000Z · 1 span
● invoke_agent planner  100 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
";

const ON_160: &str = "\
aaaaaaaa  POST /run  1.00 s
  2023-11-14T22:13:20.000Z · 5 spans · 3 llm calls · 1 tool call · 2500→150 tokens · unpriced · 1 trace with 2 spans nested by ids
POST /run  Σ 2500→150  unpriced  3 llm  1 tool                           1.00 s ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
└─ ● invoke_agent planner                                                980 ms ╺━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸
  ├─ ◆ chat m  #1  mystery-1  1000→50  unpriced                          180 ms  ╺━━━━━━━━━━━━━━
  ├─ ■ execute_tool research  Σ 300→20  unpriced  1 llm  \"topic\":\"bees\"  590 ms                 ╺━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  │ └╌ ● invoke_agent researcher  by conversation                        560 ms                   ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸
  │   └─ ◆ chat m  #1  mystery-2  300→20  unpriced                       460 ms                    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  └─ ◆ chat m  #2  mystery-1  1200→80  unpriced                          170 ms                                                                 ╺━━━━━━━━━━━━━╸

cccccccc  invoke_agent planner  100 ms
  2023-11-14T22:13:22.000Z · 1 span
● invoke_agent planner  100 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
";

#[test]
fn a_trace_that_lost_its_context_hangs_on_dashes() {
    let folder = tempfile::tempdir().unwrap();
    let path = lost(folder.path());
    let drawn = |more: &[&str]| tracectl(&[&["tree", &path, "--color", "never"], more].concat());
    assert_eq!(drawn(&["--width", "80"]), ON_80);
    assert_eq!(drawn(&["--width", "160"]), ON_160);
    let apart = drawn(&["--no-infer", "--by", "session"]);
    assert!(
        apart.starts_with("session conv-1  3 traces · 2023") && apart.contains("\nbbbbbbbb ") && !apart.contains('╌'),
        "{apart}"
    );
    let ascii = drawn(&["--ascii"]);
    assert!(ascii.is_ascii() && ascii.contains("`. A invoke_agent researcher"), "{ascii}");
    let coloured = tracectl(&["tree", &path, "--color", "always", "--width", "80"]);
    let unpriced = "\u{1b}[32m◆ \u{1b}[0mchat m  \u{1b}[1m#1\u{1b}[0m  \u{1b}[2mmystery-1\u{1b}[0m  1000→50  \u{1b}[33munpriced\u{1b}[0m";
    assert!(coloured.contains(unpriced), "{coloured:?}");
    let tree: Value = serde_json::from_str(&tracectl(&["tree", &path, "--format", "json"])).unwrap();
    let parent = json!({"trace_id": "a".repeat(32), "span_id": "0000000000000004", "by": "conversation"});
    assert_eq!(tree["traces"][1]["inferred_parent"], parent);
    assert_eq!(
        (&tree["traces"][0]["session"], &tree["traces"][0]["totals"]["unpriced_calls"]),
        (&json!("conv-1"), &json!(2))
    );
    assert_eq!(tree["traces"].as_array().unwrap().len(), 3, "machines get every trace where it stands");
}

#[test]
fn hidden_rows_tell_what_failed() {
    let Some(captures) = captures() else { return };
    let path = captures.join("letta/errors.jsonl");
    let text = tracectl(&["tree", path.to_str().unwrap(), "--depth", "2", "--width", "160"]);
    assert!(text.contains(" failed"), "{text}");
}

/// An agent that asks one that asks a third by tools, each in a trace of its own.
fn chain(folder: &Path) -> String {
    let span = |trace: char, id: u8, parent: u8, name: &str, times: [u64; 2]| {
        let operation = name.split(' ').next();
        let mut attributes = json!({"gen_ai.operation.name": operation, "gen_ai.conversation.id": "conv-1"});
        if operation == Some("chat") {
            attributes["gen_ai.request.model"] = "mystery-1".into();
            attributes["gen_ai.usage.input_tokens"] = 10.into();
            attributes["gen_ai.usage.output_tokens"] = 1.into();
        }
        span(trace, id, parent, name, times, &attributes)
    };
    let mut failed = span('c', 7, 6, "chat m", [340, 500]);
    failed["status"] = json!({"code": 2, "message": "no"});
    dump(
        folder,
        &[
            span('a', 1, 0, "invoke_agent planner", [0, 1000]),
            span('a', 2, 1, "execute_tool ask", [100, 900]),
            span('b', 3, 0, "invoke_agent researcher", [150, 800]),
            span('b', 4, 3, "chat m", [160, 300]),
            span('b', 5, 3, "execute_tool dig", [310, 790]),
            span('c', 6, 0, "invoke_agent digger", [320, 700]),
            failed,
        ],
    )
}

#[test]
fn chains_of_agents_that_lost_their_context_are_nested_and_rolled_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = chain(folder.path());
    let text = tracectl(&["tree", &path, "--width", "100"]);
    let row = |word: &str| text.lines().find(|line| line.contains(word)).unwrap();
    assert_eq!(text.matches("2023-11-14T").count(), 1, "one trace is left: {text}");
    assert!(text.contains("2 traces with 5 spans (1 failed) nested by ids"), "{text}");
    assert!(row("● invoke_agent planner").contains("Σ 20→2  unpriced  2 llm  2 tools"), "{text}");
    assert!(row("execute_tool ask").contains("Σ 20→2  unpriced  2 llm  1 tool"), "{text}");
    assert!(row("execute_tool dig").starts_with("│   └─") || row("execute_tool dig").starts_with("    └─"), "{text}");
    assert!(row("execute_tool dig").contains("Σ 10→1  unpriced  1 llm"), "{text}");
    assert!(!row("researcher").contains('Σ') && row("digger").contains("└╌"), "{text}");
    // A guest has no more levels than its host; what has none is counted, with what failed in it.
    let flat = tracectl(&["tree", &path, "--width", "100", "--depth", "2"]);
    assert!(!flat.contains("researcher  by") && flat.contains("+5 spans  1 failed"), "{flat}");
    let three = tracectl(&["tree", &path, "--width", "100", "--depth", "3"]);
    assert!(three.contains("● invoke_agent researcher  by conversation  +4 spans  1 failed"), "{three}");
    // Alone it says where it belongs.
    let alone = tracectl(&["tree", &path, "--width", "100", "--trace", "cccc"]);
    assert!(alone.contains("belongs beneath execute_tool dig of trace bbbbbbbb, by conversation"), "{alone}");
    let apart = tracectl(&["tree", &path, "--width", "100", "--no-infer"]);
    assert!(!apart.contains("belongs") && apart.matches("2023-11-14T").count() == 3, "{apart}");
}

#[test]
fn sessions_say_when_they_were_and_what_they_took() {
    let folder = tempfile::tempdir().unwrap();
    let path = lost(folder.path());
    let told = "  2 traces · 2023-11-14T22:13:20.000Z to 22:13:22.100Z · 2.10 s · 3 llm calls · 1 tool call · 2500→150 tokens · unpriced";
    let text = tracectl(&["tree", &path, "--by", "session", "--width", "160"]);
    assert_eq!(text.lines().next(), Some(format!("session conv-1{told}").as_str()), "nested traces are among it");
    let narrow = tracectl(&["tree", &path, "--by", "session", "--width", "60"]);
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    let markdown = tracectl(&["tree", &path, "--by", "session", "--format", "markdown"]);
    assert!(
        markdown.starts_with("# Session `conv-1`\n\n2 traces · 2023-11-14T22:13:20.000Z to 22:13:22.100Z"),
        "{markdown}"
    );
}

#[test]
fn guests_of_hosts_within_hosts_stand_at_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let tool = |trace: char, id: u8, parent: u8, call: &str, times: [u64; 2]| {
        let attributes =
            json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": call, "gen_ai.tool.call.id": call});
        span(trace, id, parent, &format!("execute_tool {call}"), times, &attributes)
    };
    let path = dump(
        folder.path(),
        &[
            span('a', 1, 0, "invoke_agent a", [0, 1000], &json!({"gen_ai.operation.name": "invoke_agent"})),
            tool('a', 2, 1, "outer", [100, 900]),
            tool('a', 3, 2, "inner", [200, 800]),
            tool('b', 4, 0, "outer", [150, 160]),
            tool('c', 5, 0, "outer", [850, 860]),
            tool('d', 6, 0, "inner", [300, 400]),
        ],
    );
    let text = tracectl(&["tree", &path, "--width", "100"]);
    let rows: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("execute_tool").map(|(guides, _)| guides)).collect();
    assert_eq!(rows, ["└─ ■ ", "  ├─ ■ ", "  │ └╌ ■ ", "  ├╌ ■ ", "  └╌ ■ "], "{text}");
}

#[test]
fn a_tool_whose_result_says_so_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    for convention in ["letta", "genai", "openinference", "openllmetry"] {
        let path = folder.path().join(convention).to_string_lossy().into_owned();
        let story =
            ["--scenario", "tools", "--traces", "2", "--fault", "tool-error-as-success", "--to-format", "jsonl"];
        tracectl(&[&["emit", "--convention", convention, "-o", &path][..], &story].concat());
        let tree = tracectl(&["tree", &path, "--errors", "--width", "120"]);
        assert!(tree.contains("  failed"), "{convention}: {tree}");
        let rows = |by: &str| json_of(&["stats", &path, "--by", by])["operations"].as_array().unwrap().clone();
        let failed: u64 = rows("tool").iter().map(|row| row["errors"].as_u64().unwrap()).sum();
        assert!(failed > 0, "{convention}");
        // Every call is counted in the row of what it is, wherever it was recorded.
        let other = rows("role").into_iter().filter(|row| row["calls"]["tool"].as_u64().unwrap_or(0) > 0);
        assert_eq!(other.map(|row| row["name"].clone()).collect::<Vec<_>>(), ["tool"], "{convention}");
    }
}
