//! Runs of agents: calls, tokens and tools must be what a small program of its own counts in the raw attributes.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

#[expect(dead_code, reason = "not everything that tests share is needed here")]
mod common;
#[path = "agents/judged.rs"]
mod judged;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Calls to models and tools, and tokens of prompts and answers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    llm: u64,
    embedding: u64,
    tool: u64,
    input: u64,
    output: u64,
    cached: u64,
}

fn run(arguments: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tracectl")).args(arguments).arg(file).env_clear().output().unwrap()
}

fn report(arguments: &[&str], file: &Path) -> Value {
    let output = run(&[&["stats", "--format", "json", "--quiet"], arguments].concat(), file);
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn told(file: &Path) -> Count {
    let report = report(&[], file);
    let agents = |key: &str| report["agents"][key].as_u64().unwrap();
    Count {
        llm: agents("llm_calls"),
        embedding: agents("embedding_calls"),
        tool: agents("tool_calls"),
        input: agents("input_tokens"),
        output: agents("output_tokens"),
        cached: agents("cache_read_tokens"),
    }
}

/// All spans of a file of OTLP/JSON lines.
fn spans(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let array = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let groups = lines.flat_map(|line| array(&line, "resourceSpans"));
    let scopes = groups.flat_map(|group| array(&group, "scopeSpans"));
    scopes.flat_map(|scope| array(&scope, "spans")).collect()
}

fn attribute(span: &Value, key: &str) -> Option<String> {
    let attributes = span["attributes"].as_array()?;
    let value = &attributes.iter().find(|attribute| attribute["key"] == key)?["value"];
    let text =
        |key: &str| value[key].as_str().map(str::to_owned).or_else(|| value[key].as_i64().map(|n| n.to_string()));
    text("stringValue").or_else(|| text("intValue"))
}

fn number(span: &Value, keys: &[&str]) -> Option<u64> {
    keys.iter().find_map(|key| attribute(span, key)?.parse().ok())
}

const INPUT: [&str; 3] = ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"];
const OUTPUT: [&str; 3] =
    ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"];
const CACHED: [&str; 3] = [
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
];

/// Counts by the raw names alone.
fn counted(spans: &[Value]) -> Count {
    let mut count = Count::default();
    let mut recorded = (0, 0, 0);
    let outer = |span: &&Value| span["name"].as_str().is_some_and(|name| name.ends_with("._execute_tool"));
    let outer: Vec<&Value> = spans.iter().filter(outer).map(|span| &span["spanId"]).collect();
    for span in spans {
        let name = span["name"].as_str().unwrap();
        let says = |key: &str, words: &[&str]| attribute(span, key).is_some_and(|text| words.contains(&text.as_str()));
        let is = |operation: &str, kind: &str, loop_kind: &str, request: &str| {
            says("gen_ai.operation.name", &[operation])
                || says("openinference.span.kind", &[kind])
                || says("traceloop.span.kind", &[loop_kind])
                || says("llm.request.type", &[request])
        };
        let client = name.ends_with("Client.request_async") || name.ends_with("Client.stream_async");
        let llm = client || is("chat", "LLM", "-", "chat");
        let embedding = is("embeddings", "EMBEDDING", "-", "embedding") || name.ends_with(".request_embeddings");
        count.llm += u64::from(llm);
        count.embedding += u64::from(embedding);
        count.tool += u64::from(name.ends_with("._execute_tool") || is("execute_tool", "TOOL", "tool", "-"));
        // Letta's inner span of a tool is a call of its own only where nothing of the outer one is there.
        let inner = name == "ToolExecutionManager.execute_tool_async";
        count.tool += u64::from(inner && !outer.contains(&&span["parentSpanId"]));
        if llm || embedding {
            count.input += number(span, &INPUT).unwrap_or(0);
            count.output += number(span, &OUTPUT).unwrap_or(0);
            count.cached += number(span, &CACHED).unwrap_or(0);
        }
        if name.ends_with(".log_provider_trace") {
            let answer: Value =
                attribute(span, "response_data").map(|text| serde_json::from_str(&text).unwrap()).unwrap();
            let usage = |keys: [&str; 2]| keys.iter().find_map(|key| answer["usage"][key].as_u64()).unwrap_or(0);
            recorded.0 += usage(["prompt_tokens", "input_tokens"]);
            recorded.1 += usage(["completion_tokens", "output_tokens"]);
            recorded.2 += answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap_or(0);
        }
    }
    // Letta keeps the tokens in recorded answers; what was put right has them on the calls too.
    if (count.input, count.output) == (0, 0) {
        (count.input, count.output, count.cached) = recorded;
    }
    count
}

#[test]
fn totals_of_real_captures_are_those_of_a_hand_count() {
    let Some(folder) = common::captures() else { return };
    let mut compared = 0;
    for part in ["genai", "letta"] {
        let files = std::fs::read_dir(folder.join(part)).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect();
        files.sort();
        for file in files {
            let expected = counted(&spans(&file));
            if expected == Count::default() {
                assert_eq!(report(&[], &file)["agents"]["llm_calls"].as_u64().unwrap_or(0), 0, "{}", file.display());
                continue;
            }
            assert_eq!(told(&file), expected, "{}", file.display());
            let proto = file.with_extension("pb");
            assert_eq!(told(&proto), expected, "{}", proto.display());
            compared += 1;
        }
    }
    assert!(compared >= 6, "only {compared} files had calls");
}

/// The framework and the library under it record every call: the spans of the library alone are counted here.
#[test]
fn calls_that_two_instrumentations_recorded_count_once() {
    let Some(folder) = common::captures() else { return };
    for name in ["helm.json", "helm_3.json", "k8s.json"] {
        let file = folder.join("public/agentevals-dev__agentevals").join(name);
        let dump: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut expected = Count::default();
        for span in dump["data"].as_array().unwrap().iter().flat_map(|trace| trace["spans"].as_array().unwrap()) {
            let tag = |key: &str| {
                let tag = span["tags"].as_array().unwrap().iter().find(|tag| tag["key"] == key)?;
                tag["value"].as_u64()
            };
            let name = span["operationName"].as_str().unwrap();
            if name == "openai.chat" {
                expected.llm += 1;
                expected.input += tag("gen_ai.usage.prompt_tokens").unwrap_or(0);
                expected.output += tag("gen_ai.usage.completion_tokens").unwrap_or(0);
                expected.cached += tag("gen_ai.usage.cache_read_input_tokens").unwrap_or(0);
            }
            expected.tool += u64::from(name.starts_with("execute_tool "));
        }
        assert!(expected.llm > 0, "{name}");
        assert_eq!(told(&file), expected, "{name}");
    }
}

/// What was counted by hand in the raw attributes of a capture: runs, calls to models and tools, tokens in and out, those of the prompt
/// that were cached, dollars by the list prices of the model, and the conversation.
type Counted<'t> = (&'t str, [u64; 6], f64, &'t str);

#[rustfmt::skip]
const BY_HAND: [Counted<'_>; 12] = [
    // gpt-4.1-mini at 0.40 and 1.60 dollars for a million, cached at 0.10.
    ("public/agentevals-dev__agentevals/helm.json", [1, 2, 1, 1820 + 1956, 13 + 117, 1792],
        (1984.0 * 0.4 + 1792.0 * 0.1 + 130.0 * 1.6) / 1e6, "ctx-7ed9780f-3688-4fc0-b10b-2e4df2f83cf0"),
    // gpt-5-mini at 0.25 and 2.00, cached at 0.025.
    ("public/agentevals-dev__agentevals/helm_3.json", [1, 2, 1, 1909 + 2138, 32 + 771, 1792],
        (2255.0 * 0.25 + 1792.0 * 0.025 + 803.0 * 2.0) / 1e6, "ctx-9cf62851-eac3-4802-ae09-0825201ee0b4"),
    ("public/agentevals-dev__agentevals/k8s.json", [1, 1, 0, 2203, 139, 1792],
        (411.0 * 0.4 + 1792.0 * 0.1 + 139.0 * 1.6) / 1e6, "ctx-d8251ac3-6289-464a-8404-0fc4e312e823"),
    // Its caller's span of the run is there as well, apart from it.
    ("public/agentevals-dev__agentevals/tempo_export_with_batches.json", [1, 2, 1, 2256 + 2392, 13 + 116, 0],
        (4648.0 * 0.4 + 129.0 * 1.6) / 1e6, "ctx-eff35888-55ab-4eb0-b90d-7b21f711f91f"),
    // claude-sonnet-4.6 at 3 and 15.
    ("public/langwatch__langwatch/claude_code.json", [1, 1, 0, 187, 53, 0], (187.0 * 3.0 + 53.0 * 15.0) / 1e6, ""),
    ("public/langwatch__langwatch/claude_cowork.json", [1, 1, 0, 256, 92, 0], (256.0 * 3.0 + 92.0 * 15.0) / 1e6, ""),
    // gpt-5.4 at 2.50 and 15.
    ("public/langwatch__langwatch/cursor.json", [1, 1, 0, 412, 118, 0], (412.0 * 2.5 + 118.0 * 15.0) / 1e6, ""),
    // gpt-4o-mini at 0.15 and 0.60, cached at 0.075; text-embedding-3-small at 0.02 for 3 tokens.
    ("genai/openinference.jsonl", [4, 6, 2, 4 * 25 + 20 + 3, 4 * 9 + 7, 4 * 5 + 4],
        ((120.0 - 24.0) * 0.15 + 24.0 * 0.075 + 43.0 * 0.6 + 3.0 * 0.02) / 1e6, ""),
    ("genai/otel-v2.jsonl", [3, 5, 2, 4 * 25, 4 * 9, 0], (100.0 * 0.15 + 36.0 * 0.6) / 1e6, ""),
    ("letta/success.jsonl", [1, 2, 2, 2 * 1200, 2 * 42, 0], (2400.0 * 0.15 + 84.0 * 0.6) / 1e6,
        "run-36f675cc-81e7-4ef5-a8e2-5d940ed90475"),
    ("letta/stream.jsonl", [1, 2, 2, 2 * 1200, 2 * 42, 0], (2400.0 * 0.15 + 84.0 * 0.6) / 1e6,
        "run-36f675cc-81e7-4ef5-a8e2-5d940ed90475"),
    ("letta/cancel.jsonl", [1, 1, 1, 1200, 42, 0], (1200.0 * 0.15 + 42.0 * 0.6) / 1e6,
        "run-36f675cc-81e7-4ef5-a8e2-5d940ed90475"),
];

#[test]
fn cost_and_conversation_of_real_captures_are_those_of_a_hand_count() {
    let Some(folder) = common::captures() else { return };
    for (name, expected, dollars, conversation) in BY_HAND {
        let report = report(&["--agents"], &folder.join(name));
        let agents = &report["agents"];
        let keys = ["runs", "llm_calls", "tool_calls", "input_tokens", "output_tokens", "cache_read_tokens"];
        assert_eq!(keys.map(|key| agents[key].as_u64().unwrap()), expected, "{name}");
        let cost = agents["cost_usd"].as_f64().unwrap();
        assert!((cost - dollars).abs() < 1e-9 && agents["unpriced_calls"] == 0, "{name}: {cost} {dollars}");
        let runs = agents["list"].as_array().unwrap();
        assert!(runs.iter().all(|run| run["session"] == conversation), "{name}: {runs:?}");
        // Whatever rows are made of: all of them together took what the runs took.
        for by in ["name", "service", "kind", "role", "scope", "model", "provider", "agent", "session"] {
            let rows = self::report(&["--by", by], &folder.join(name));
            let sum = |key: &str| {
                rows["operations"].as_array().unwrap().iter().filter_map(|row| row["tokens"][key].as_u64()).sum::<u64>()
            };
            assert_eq!([sum("input"), sum("output")], [expected[3], expected[4]], "{name} by {by}");
        }
    }
}

#[test]
fn letta_s_calls_know_when_their_first_token_came() {
    let Some(folder) = common::captures() else { return };
    let file = folder.join("letta/stream.jsonl");
    let report = report(&["--by", "model"], &file);
    assert_eq!(report["operations"][0]["calls"]["first_token_ns"]["p50"], 24_000_000);
    let tree: Value = serde_json::from_slice(&run(&["tree", "--format", "json"], &file).stdout).unwrap();
    let spans = tree["traces"][0]["spans"].as_array().unwrap();
    let waits = spans
        .iter()
        .filter(|span| span["role"] == "llm")
        .map(|span| &span["facts"]["first_token_ns"])
        .collect::<Vec<_>>();
    assert_eq!(waits, [&Value::from(24_000_000), &Value::Null]);
}

fn emitted(folder: &Path, convention: &str, more: &[&str]) -> PathBuf {
    let file = folder.join(format!("{convention}{}.jsonl", more.len()));
    let arguments = ["emit", "--convention", convention, "--traces", "40", "--seed", "11"];
    let output = run(&[&arguments[..], more, &["-o"]].concat(), &file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

#[test]
fn every_convention_gives_the_totals_of_a_hand_count() {
    let folder = tempfile::tempdir().unwrap();
    for convention in ["letta", "genai", "openinference", "openllmetry"] {
        let file = emitted(folder.path(), convention, &[]);
        let expected = counted(&spans(&file));
        assert!(expected.llm > 40 && expected.tool > 20 && expected.input > 10_000, "{convention}: {expected:?}");
        assert_eq!(told(&file), expected, "{convention}");
    }
}

#[test]
fn rows_of_calls_add_up_to_the_totals() {
    let folder = tempfile::tempdir().unwrap();
    let file = emitted(folder.path(), "genai", &[]);
    let all = told(&file);
    let sum = |by: &str, of: &dyn Fn(&Value) -> u64| {
        let report = report(&["--by", by], &file);
        report["operations"].as_array().unwrap().iter().map(of).sum::<u64>()
    };
    let count = |row: &Value| row["count"].as_u64().unwrap();
    let input = |row: &Value| row["tokens"]["input"].as_u64().unwrap_or(0);
    assert_eq!(sum("model", &count), all.llm + all.embedding);
    assert_eq!(sum("provider", &count), all.llm + all.embedding);
    assert_eq!(sum("tool", &count), all.tool);
    for by in ["agent", "session"] {
        assert_eq!(sum(by, &count), all.llm + all.embedding + all.tool, "{by}");
        assert_eq!(sum(by, &input), all.input, "{by}");
    }
    // However else rows are made, a call's tokens are in one of them.
    for by in ["name", "service", "kind", "role", "scope", "attr:gen_ai.request.model"] {
        assert_eq!(sum(by, &input), all.input, "{by}");
    }
    let roles = report(&["--by", "role"], &file);
    let llm = roles["operations"].as_array().unwrap().iter().find(|row| row["role"] == "llm").unwrap();
    assert_eq!(llm["calls"]["llm"].as_u64(), Some(all.llm));
    assert!(llm["calls"]["cost_usd"].as_f64().unwrap() > 0.0);
}

#[test]
fn runs_are_told_in_every_width() {
    let folder = tempfile::tempdir().unwrap();
    let file = emitted(folder.path(), "letta", &[]);
    let list = report(&["--agents"], &file);
    let agents = &list["agents"];
    assert_eq!(agents["list"].as_array().unwrap().len() as u64, agents["runs"].as_u64().unwrap());
    let input = agents["list"].as_array().unwrap().iter().map(|run| run["input_tokens"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(input, agents["input_tokens"].as_u64().unwrap());
    for width in ["80", "160"] {
        let text = run(&["stats", "--agents", "--top", "3", "--width", width], &file);
        let text = String::from_utf8(text.stdout).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= width.parse().unwrap()), "{text}");
        assert!(text.contains("AGENT") && text.contains("COST") && text.contains("--top 0 shows all)"), "{text}");
    }
}

/// A dump of one trace: spans of (id, parent, name, status, attributes), a second each.
fn dump(folder: &Path, spans: &[(u8, u8, &str, u8, Value)]) -> PathBuf {
    let attribute = |(key, value): (&String, &Value)| match value {
        Value::Number(number) => json!({"key": key, "value": {"intValue": number.to_string()}}),
        text => json!({"key": key, "value": {"stringValue": text}}),
    };
    let span = |(id, parent, name, status, attributes): &(u8, u8, &str, u8, Value)| {
        let start = 1_700_000_000 + u64::from(*id);
        json!({"traceId": "aa".repeat(16), "spanId": format!("{id:016x}"), "name": name,
            "parentSpanId": if *parent == 0 { String::new() } else { format!("{parent:016x}") },
            "startTimeUnixNano": format!("{start}000000000"), "endTimeUnixNano": format!("{}000000000", start + 1),
            "status": {"code": status}, "attributes": attributes.as_object().unwrap().iter().map(attribute).collect::<Vec<_>>()})
    };
    let path = folder.join("dump.json");
    let spans: Vec<Value> = spans.iter().map(span).collect();
    std::fs::write(&path, json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string()).unwrap();
    path
}

fn text(arguments: &[&str], file: &Path) -> String {
    let output = run(arguments, file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Three runs: one that cost much, one that failed, one that was cancelled.
fn three_runs(folder: &Path) -> PathBuf {
    let agent = |name: &str| json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name});
    let chat = |input: u64| {
        json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": input,
            "gen_ai.usage.output_tokens": 1})
    };
    let mut stopped = agent("stopped");
    stopped["parameter.stop_reason"] = "cancelled".into();
    dump(
        folder,
        &[
            (1, 0, "invoke_agent dear", 0, agent("dear")),
            (2, 1, "chat", 0, chat(9000)),
            (3, 0, "invoke_agent broken", 2, agent("broken")),
            (4, 3, "chat", 2, chat(10)),
            (5, 0, "invoke_agent stopped", 0, stopped),
            (6, 5, "chat", 0, chat(20)),
        ],
    )
}

#[test]
fn runs_that_failed_are_not_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let file = three_runs(folder.path());
    let first =
        |arguments: &[&str]| report(&[&["--agents"], arguments].concat(), &file)["agents"]["list"][0]["agent"].clone();
    assert_eq!(first(&[]), "dear");
    assert_eq!(first(&["--sort", "errors"]), "broken");
    assert_eq!(first(&["--sort", "cancelled"]), "stopped");
    assert_eq!(first(&["--sort", "name"]), "broken");
    assert_eq!(first(&["--outcome", "error"]), "broken");
    assert_eq!(first(&["--outcome", "cancelled"]), "stopped", "no span of it says so");
    let table = text(&["stats", "--agents", "--top", "1"], &file);
    assert!(table.contains("3 agent runs  1 failed  1 cancelled"), "{table}");
    assert!(table.contains("and 2 more, 2 of them failed or cancelled (--sort errors, --top 0 shows all)"), "{table}");
    let table = text(&["stats", "--agents", "--outcome", "error"], &file);
    assert!(table.contains("AGENT") && table.contains("broken") && !table.contains("dear"), "{table}");
    let refused = run(&["stats", "--agents", "--sort", "p95"], &file);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && said.contains("hint: with --agents, --sort is cost"), "{said}");
}

#[test]
fn runs_have_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = three_runs(folder.path());
    let csv = text(&["stats", "--agents", "--format", "csv"], &file);
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("trace_id,span_id,name,service,agent,") && lines.len() == 4, "{csv}");
    assert!(lines[1].contains("invoke_agent dear") && lines[1].ends_with(",0,ok,"), "{csv}");
    let markdown = text(&["stats", "--agents", "--format", "markdown"], &file);
    assert!(markdown.starts_with("| agent |") && markdown.contains("| dear |"), "{markdown}");
}

#[test]
fn rows_of_calls_say_what_they_are_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = dump(
        folder.path(),
        &[
            (1, 0, "agent", 0, json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"})),
            (2, 1, "chat", 2, json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4"})),
            (
                3,
                1,
                "chat",
                0,
                json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4",
            "gen_ai.response.model": "claude-sonnet-4-20250514", "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 9, "gen_ai.usage.reasoning.output_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 50}),
            ),
            (4, 1, "tool", 0, json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"})),
            (5, 1, "rank", 0, json!({"openinference.span.kind": "RERANKER"})),
        ],
    );
    let models = report(&["--by", "model"], &file);
    let row =
        &models["operations"].as_array().unwrap().iter().find(|row| row["name"] == "claude-sonnet-4").unwrap().clone();
    assert_eq!((&row["count"], &row["errors"]), (&json!(2), &json!(1)), "one model, failed or not");
    assert_eq!((&row["calls"]["error_rate"], &row["calls"]["reasoning_tokens"]), (&json!(0.5), &json!(5)));
    let agents = &models["agents"];
    assert_eq!(
        (&agents["embedding_calls"], &agents["rerank_calls"], &agents["reasoning_tokens"]),
        (&json!(0), &json!(1), &json!(5))
    );
    let tree: Value = serde_json::from_slice(&run(&["tree", "--format", "json"], &file).stdout).unwrap();
    let spans = tree["traces"][0]["spans"].as_array().unwrap();
    assert!(spans.iter().filter(|span| span["role"] == "llm").all(|span| span["facts"]["model"] == "claude-sonnet-4"));
    let table = text(&["stats", "--by", "agent", "--width", "160"], &file);
    let heading = table.lines().find(|line| line.starts_with("AGENT")).unwrap();
    assert!(
        heading.split_whitespace().collect::<Vec<_>>().starts_with(&["AGENT", "COUNT", "LLM", "RERANK", "TOOLS"]),
        "{table}"
    );
    let roles = text(&["stats", "--by", "role", "--width", "160"], &file);
    let tool = roles.lines().find(|line| line.starts_with("tool")).unwrap();
    assert!(!tool.contains('-') && roles.contains("50%"), "nothing of nothing is no part of it: {roles}");
}

#[test]
fn sessions_are_those_of_spans_without_a_role_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = dump(
        folder.path(),
        &[
            (1, 0, "GET /", 0, json!({"http.request.method": "GET", "session.id": "s-1"})),
            (2, 1, "chat", 0, json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})),
        ],
    );
    let tree: Value =
        serde_json::from_slice(&run(&["tree", "--by", "session", "--format", "json"], &file).stdout).unwrap();
    assert_eq!(tree["traces"][0]["session"], "s-1");
    assert_eq!(report(&["--by", "session"], &file)["operations"][0]["name"], "s-1");
}

#[test]
fn lint_and_its_configuration_go_by_the_same_prices() {
    let folder = tempfile::tempdir().unwrap();
    let file = three_runs(folder.path());
    let prices = folder.path().join("dear.toml");
    std::fs::write(&prices, "[[price]]\nmodels = ['*4o*']\ninput = 1000.0\ndate = 'd'\nsource = 's'\n").unwrap();
    let limit = ["lint", "--select", "AGT006", "--set", "agt006.cost_usd=1", "--format", "json"];
    let found = |more: &[&str]| {
        let output = run(&[&limit[..], more].concat(), &file);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["findings"].as_array().unwrap().len()
    };
    assert_eq!(found(&["--isolated"]), 0);
    assert_eq!(found(&["--isolated", "--prices", prices.to_str().unwrap()]), 1);
    let config = folder.path().join("tracectl.toml");
    std::fs::write(&config, "[prices]\nfile = 'dear.toml'\n").unwrap();
    assert_eq!(found(&["--config", config.to_str().unwrap()]), 1, "its place is that of the configuration");
}

#[test]
fn prices_of_a_file_win_and_mistakes_in_it_are_placed() {
    let folder = tempfile::tempdir().unwrap();
    let prices = folder.path().join("prices.toml");
    let dump = Path::new("testdata/agent-run.jsonl");
    let entry =
        |price: &str| format!("[[price]]\nmodels = ['gpt-*']\ninput = {price}\ndate = '2026-11-22'\nsource = 'own'\n");
    std::fs::write(&prices, entry("0.0") + &entry("1.0").replace("gpt-*", "gpt-4.1-mini*")).unwrap();
    let path = prices.to_str().unwrap();
    let report = report(&["--prices", path], dump);
    let (cost, input) =
        (report["agents"]["cost_usd"].as_f64().unwrap(), report["agents"]["input_tokens"].as_f64().unwrap());
    assert!((cost - input / 1e6).abs() < 1e-12, "{cost}");
    std::fs::write(&prices, entry("-3.0")).unwrap();
    let output = run(&["stats", "--prices", path], dump);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && text.contains("line 1: -3 is no price"), "{text}");
}
