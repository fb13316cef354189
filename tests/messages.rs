//! What was said in real captures and in traces made up here: `show --messages`, seen from a shell.
//!
//! Comes in: captures of every convention. Goes out: the chat as people and scripts get it.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

#[expect(dead_code, reason = "not everything that tests share is needed here")]
mod common;

use std::path::Path;
use std::process::Command;

use common::captures;
use serde_json::{Value, json};

fn tracectl(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracectl"));
    let output = command.args(arguments).env_clear().env("LC_ALL", "C.UTF-8").output().unwrap();
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The ids of traces that have spans of this role.
fn traces(path: &str, role: &str) -> Vec<String> {
    let tree: Value = serde_json::from_str(&tracectl(&["tree", path, "--format", "json"])).unwrap();
    let has = |trace: &&Value| trace["spans"].as_array().unwrap().iter().any(|span| span["role"] == role);
    let found = tree["traces"].as_array().unwrap().iter().filter(has);
    found.map(|trace| trace["trace_id"].as_str().unwrap().to_owned()).collect()
}

fn chat(path: &str, id: &str) -> Value {
    serde_json::from_str(&tracectl(&["show", id, path, "--messages", "--format", "json"])).unwrap()
}

/// A dump of one trace: spans of (id, parent, name, attributes), a second each.
fn dump(folder: &Path, spans: &[(u8, u8, &str, Value)]) -> String {
    let spans: Vec<Value> = spans
        .iter()
        .map(|(id, parent, name, attributes)| {
            let attributes = attributes.as_object().unwrap().iter();
            let attributes: Vec<Value> =
                attributes.map(|(key, text)| json!({"key": key, "value": {"stringValue": text}})).collect();
            let start = 1_700_000_000 + u64::from(*id);
            json!({"traceId": "aa".repeat(16), "spanId": format!("{id:016x}"), "name": name,
                "parentSpanId": if *parent == 0 { String::new() } else { format!("{parent:016x}") },
                "startTimeUnixNano": format!("{start}000000000"), "endTimeUnixNano": format!("{}000000000", start + 1),
                "attributes": attributes})
        })
        .collect();
    let path = folder.join("dump.json");
    std::fs::write(&path, json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_convention_tells_the_same_story() {
    let folder = tempfile::tempdir().unwrap();
    let mut stories = Vec::new();
    for convention in ["genai", "openinference", "openllmetry", "letta"] {
        let path = folder.path().join(format!("{convention}.jsonl"));
        let path = path.to_str().unwrap();
        tracectl(&["emit", "--convention", convention, "--seed", "3", "--traces", "2", "-o", path]);
        let chat = chat(path, &traces(path, "llm")[0]);
        let calls = chat["calls"].as_array().unwrap();
        let count = |direction: &str| {
            let said = calls.iter().flat_map(|call| call["messages"].as_array().unwrap());
            said.filter(|said| said["direction"] == direction).count()
        };
        let tokens: Vec<_> =
            calls.iter().map(|call| (call["input_tokens"].clone(), call["output_tokens"].clone())).collect();
        let open = calls.iter().flat_map(|call| call["messages"].as_array().unwrap()).flat_map(|said| {
            said["parts"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|part| part["type"] == "tool_call" && part["result"].is_null())
        });
        assert_eq!(open.count(), 0, "{convention}: every call has its result");
        stories.push((convention, calls.len(), count("input"), count("output"), tokens));
    }
    let (_, calls, input, output, tokens) = stories[0].clone();
    assert!(calls > 1 && output == calls && input == 2, "the system and the user speak once: {stories:?}");
    for story in &stories[1..] {
        assert_eq!((story.1, story.2, story.3, &story.4), (calls, input, output, &tokens), "{}", story.0);
    }
}

#[test]
fn real_captures_are_told() {
    let Some(captures) = captures() else { return };
    let path = captures.join("genai/openinference.jsonl");
    let path = path.to_str().unwrap();
    let text = tracectl(&["show", &traces(path, "agent")[0], path, "--messages", "--width", "80"]);
    for line in ["system     You are helpful.", "user       weather?", "tool call  get_weather(\"city\": \"Zürich\")"]
    {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    assert_eq!(text.matches("You are helpful.").count(), 1, "{text}");
    assert!(text.contains("25→9 tokens"), "{text}");
    let path = captures.join("letta/success.jsonl");
    let path = path.to_str().unwrap();
    let chat = chat(path, &traces(path, "llm")[0]);
    let call = &chat["calls"][0]["messages"][1]["parts"][0];
    assert_eq!((&call["name"], &call["result"]["result"]), (&json!("web_search"), &json!("result for café")));
    assert_eq!((&chat["calls"][0]["input_tokens"], &chat["calls"][0]["output_tokens"]), (&json!(1200), &json!(42)));
    let path = captures.join("genai/otel-v2.jsonl");
    let path = path.to_str().unwrap();
    let text = tracectl(&["show", &traces(path, "llm")[0], path, "--messages"]);
    assert!(text.contains("CAPTURE_MESSAGE_CONTENT"), "what is missing is said, and how to get it: {text}");
}

#[test]
fn secrets_and_escapes_do_not_reach_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let token = format!("sk-proj-{}", "Ab1_".repeat(10));
    let said = json!([{"role": "user", "parts": [{"type": "text", "content": format!("\u{1b}[2Jkey {token}")}]}]);
    let cut = "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"and so";
    let path = dump(
        folder.path(),
        &[(
            1,
            0,
            "chat m",
            json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": said.to_string(),
            "gen_ai.output.messages": cut}),
        )],
    );
    for format in ["text", "json"] {
        let text = tracectl(&["show", "aaaa", &path, "--messages", "--format", format, "--color", "never"]);
        assert!(!text.contains(&token) && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("redacted") && text.contains("and so"), "{text}");
        assert!(text.contains(&format!("truncated JSON at byte {}", cut.len())), "{text}");
    }
}

#[test]
fn results_come_from_tool_spans_where_messages_lack_them() {
    let folder = tempfile::tempdir().unwrap();
    let asked = json!([{"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}]}]);
    let path = dump(
        folder.path(),
        &[
            (1, 0, "invoke_agent a", json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"})),
            (2, 1, "chat m", json!({"gen_ai.operation.name": "chat", "gen_ai.output.messages": asked.to_string()})),
            (
                3,
                1,
                "execute_tool f",
                json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f",
                "gen_ai.tool.call.id": "c1", "gen_ai.tool.call.result": "seven"}),
            ),
        ],
    );
    let chat = chat(&path, "aaaa");
    let result = &chat["calls"][0]["messages"][0]["parts"][0]["result"];
    assert_eq!((&result["result"], &result["span_id"]), (&json!("seven"), &json!("0000000000000003")));
    assert_eq!(chat["calls"][0]["agent"], "a");
}

#[test]
fn no_line_is_wider_than_the_page() {
    let folder = tempfile::tempdir().unwrap();
    for convention in ["genai", "letta"] {
        let path = folder.path().join(format!("{convention}.jsonl"));
        let path = path.to_str().unwrap();
        tracectl(&["emit", "--convention", convention, "--seed", "9", "--traces", "5", "-o", path]);
        for (width, id) in [("40", &traces(path, "llm")[0]), ("80", &traces(path, "llm")[1])] {
            for arguments in [vec!["show", id, path, "--messages", "--full"], vec!["tree", path]] {
                let arguments = [&arguments[..], &["--width", width, "--ascii"]].concat();
                let text = tracectl(&arguments);
                assert!(!text.lines().any(|line| line.ends_with(' ')), "{arguments:?}: {text}");
                let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
                assert!(widest.chars().count() <= width.parse().unwrap(), "{arguments:?}: {widest}");
            }
        }
    }
}

#[test]
fn what_went_wrong_is_told_where_the_answer_would_be() {
    let Some(captures) = captures() else { return };
    let path = captures.join("genai/openinference.jsonl");
    let path = path.to_str().unwrap();
    let text = tracectl(&["show", "7ee43e5f", path, "--messages", "--width", "80"]);
    let error = "           ✗ RateLimitError: Error code: 429 - fake rate limit";
    assert!(text.lines().any(|line| line == error) && !text.contains("no answer is recorded"), "{text}");
    let call = &chat(path, "7ee43e5f")["calls"][0];
    let told = (&call["error_type"], &call["error_message"]);
    assert_eq!(told, (&json!("openai.RateLimitError"), &json!("Error code: 429 - fake rate limit")));
}

#[test]
fn tools_that_ran_are_told_whether_anybody_asked_for_them_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let tool = |name: &str| json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name});
    let asked = json!([{"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}]}]);
    let protocol = json!({"content": [{"type": "text", "text": "line\nnext"}], "isError": true}).to_string();
    let unasked = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "g",
        "gen_ai.tool.call.result": protocol});
    let path = dump(
        folder.path(),
        &[
            (1, 0, "execute_tool e", tool("e")),
            (2, 0, "chat m", json!({"gen_ai.operation.name": "chat", "gen_ai.output.messages": asked.to_string()})),
            (3, 0, "execute_tool f", tool("f")),
            (4, 0, "execute_tool g", unasked),
        ],
    );
    let text = tracectl(&["show", "aaaa", &path, "--messages"]);
    let expected = [
        "── before any call to a model",
        "tool call  e(…)",
        "           arguments not recorded",
        "           no message asks for it",
        "tool call  f(\"a\":1)",
        "tool call  g(…)",
        "           → failed 1.00 s line",
        "             next",
    ];
    for line in expected {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    // Without any call to a model, tools and their time are told all the same.
    let path = dump(folder.path(), &[(1, 0, "execute_tool e", tool("e")), (2, 0, "execute_tool f", tool("f"))]);
    let text = tracectl(&["show", "aaaa", &path, "--messages"]);
    assert!(text.contains("0 calls, 2 tool calls, 2.00 s\n\ntool call  e(…)"), "{text}");
}

#[test]
fn a_tool_that_was_recorded_twice_is_told_once_with_its_failure() {
    let text = tracectl(&["show", "1f58b914", "testdata/agent-run.jsonl", "--messages", "--width", "100"]);
    let told =
        "tool call  post_reminder(\"invoice\":\"INV-17\")\n           → failed 84.0 ms TimeoutError: ledger did not";
    assert!(text.contains(told) && text.matches("tool call ").count() == 3, "{text}");
    // One inside another is told, too, where they are not the same.
    let folder = tempfile::tempdir().unwrap();
    let tool = |id: &str| json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ask", "gen_ai.tool.call.id": id});
    let path = dump(folder.path(), &[(1, 0, "execute_tool ask", tool("a")), (2, 1, "execute_tool ask", tool("b"))]);
    assert_eq!(tracectl(&["show", "aaaa", &path, "--messages"]).matches("tool call ").count(), 2);
}

#[test]
fn messages_of_sentry_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let call = json!([{"id": "c", "type": "function_call", "name": "f", "arguments": "{}"}]);
    let attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.operation.type": "ai_client",
        "gen_ai.request.messages": json!([{"role": "user", "content": "hi"}]).to_string(),
        "gen_ai.response.text": json!(["hello"]).to_string(), "gen_ai.response.tool_calls": call.to_string(),
        "gen_ai.request.available_tools": json!([{"name": "f", "description": "d"}]).to_string()});
    let path = dump(folder.path(), &[(1, 0, "chat", attributes)]);
    let chat = chat(&path, "aaaa");
    let call = &chat["calls"][0];
    assert_eq!((&call["captured"], &call["tools"]), (&json!(true), &json!(["f"])));
    let parts = |at: usize| call["messages"][at]["parts"].clone();
    assert_eq!(parts(0)[0]["text"], json!("hi"));
    assert_eq!((&parts(1)[0]["text"], &parts(1)[1]["name"]), (&json!("hello"), &json!("f")));
}

#[test]
fn a_run_of_very_many_calls_is_told_in_one_go() {
    let folder = tempfile::tempdir().unwrap();
    const MANY: usize = 20_000;
    let asked: Vec<Value> =
        (0..MANY).map(|at| json!({"type": "tool_call", "id": at.to_string(), "name": "f", "arguments": {}})).collect();
    let brought: Vec<Value> = (0..MANY)
        .rev()
        .map(|at| json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": at.to_string(), "response": at}]}))
        .take(9_000)
        .collect();
    let asked = json!([{"role": "assistant", "parts": asked}]).to_string();
    let brought = Value::from(brought).to_string();
    let path = dump(
        folder.path(),
        &[
            (1, 0, "chat m", json!({"gen_ai.operation.name": "chat", "gen_ai.output.messages": asked})),
            (2, 0, "chat m", json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": brought})),
        ],
    );
    let chat = chat(&path, "aaaa");
    let parts = chat["calls"][0]["messages"][0]["parts"].as_array().unwrap();
    let answered = parts.iter().filter(|part| !part["result"].is_null()).count();
    assert_eq!((parts.len(), answered), (MANY, 9_000));
    assert_eq!(parts[MANY - 1]["result"]["result"], json!((MANY - 1).to_string()));
}
