//! What agents did is judged by whose it was, and told alike by every command.

use std::path::Path;

use serde_json::{Value, json};

use super::{dump, run, text};

fn agent(name: &str) -> Value {
    json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name})
}

fn search() -> Value {
    json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search",
        "gen_ai.tool.call.arguments": "{\"q\": 1}", "gen_ai.tool.call.result": "none"})
}

/// The messages that a rule has for a file.
fn lint(code: &str, file: &Path) -> Vec<String> {
    let output = run(&["lint", "--isolated", "--exit-zero", "--select", code, "--format", "json"], file);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let messages = report["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    messages.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn calls_are_repeated_where_one_agent_repeats_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut apart = vec![(1, 0, "all", 0, json!({}))];
    for at in 0..3 {
        apart.push((10 * at + 10, 1, "invoke_agent", 0, agent(&format!("a{at}"))));
        apart.push((10 * at + 11, 10 * at + 10, "execute_tool search", 0, search()));
    }
    assert_eq!(lint("AGT001", &dump(folder.path(), &apart)), [""; 0], "three agents called it once each");
    let asks = json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ask"});
    let mut inside = vec![
        (1, 0, "invoke_agent", 0, agent("a")),
        (2, 1, "execute_tool ask", 0, asks),
        (3, 2, "invoke_agent", 0, agent("b")),
    ];
    inside.extend((4..8).map(|at| (at, 3, "execute_tool search", 0, search())));
    let said = lint("AGT001", &dump(folder.path(), &inside));
    assert!(said.len() == 1 && said[0].contains("4x"), "an agent that is a tool of another: {said:?}");
}

#[test]
fn faults_that_differ_are_findings_that_differ() {
    let folder = tempfile::tempdir().unwrap();
    let definitions = json!([{"type": "function", "name": "search", "parameters": {"type": "object",
        "properties": {"q": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "n": {"maximum": 9}}, "required": ["q"]}}]);
    let call = |name: &str, arguments: Value| json!({"type": "tool_call", "name": name, "arguments": arguments});
    let calls = [
        call("alpha", json!({})),
        call("beta", json!({})),
        call("search", json!({"n": 1})),
        call("search", json!({"q": 1})),
        call("search", json!({"q": null, "n": 10})),
        call("search", json!({"q": "x", "n": 9})),
    ];
    let answer = json!([{"role": "assistant", "parts": calls, "finish_reason": "tool_call"}]);
    let chat = json!({"gen_ai.operation.name": "chat", "gen_ai.tool.definitions": definitions.to_string(),
        "gen_ai.output.messages": answer.to_string()});
    let file = dump(folder.path(), &[(1, 0, "invoke_agent", 0, agent("a")), (2, 1, "chat", 0, chat)]);
    let unknown = lint("AGT008", &file);
    assert!(unknown.len() == 2 && unknown[0] != unknown[1], "{unknown:?}");
    let unfit = lint("AGT009", &file).join("\n");
    for why in ["missing required \"q\"", "\"q\" fits none of its 2 forms", "\"n\" is more than 9"] {
        assert!(unfit.contains(why), "{why}: {unfit}");
    }
    assert_eq!(unfit.lines().count(), 3);
}

#[test]
fn a_call_that_says_so_itself_has_failed_and_is_no_tool() {
    let folder = tempfile::tempdir().unwrap();
    let generation = json!({"langfuse.observation.type": "generation", "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "rate limited", "gen_ai.request.model": "gpt-4o"});
    let file = dump(folder.path(), &[(1, 0, "invoke_agent", 0, agent("a")), (2, 1, "chat", 0, generation)]);
    let tree = text(&["tree"], &file);
    assert!(tree.contains("1 call failed") && tree.contains("rate limited") && !tree.contains("tool failed"), "{tree}");
    let chat = text(&["show", "--messages"], &file);
    assert!(chat.contains("rate limited"), "{chat}");
    let rows: Value = serde_json::from_str(&text(&["tree", "--format", "json"], &file)).unwrap();
    let facts = &rows["traces"][0]["spans"][1]["facts"];
    assert_eq!((&facts["failed"], &facts["tool_failed"]), (&json!(true), &Value::Null));
    assert_eq!(lint("GEN001", &file), [""; 0], "whoever failed has no usage to report");
}

#[test]
fn of_the_context_protocol_only_calls_to_tools_are_such_calls() {
    let folder = tempfile::tempdir().unwrap();
    let mcp = |method: &str| json!({"mcp.method.name": method});
    let mut called = mcp("tools/call");
    called["gen_ai.tool.name"] = "search".into();
    let file = dump(
        folder.path(),
        &[
            (1, 0, "invoke_agent", 0, agent("a")),
            (2, 1, "initialize", 0, mcp("initialize")),
            (3, 1, "execute_tool search", 0, search()),
            (4, 3, "tools/call search", 0, called),
        ],
    );
    let chat = text(&["show", "--messages"], &file);
    assert!(chat.matches("search(").count() == 1 && !chat.contains("initialize("), "{chat}");
}

#[test]
fn a_session_sums_up_its_traces_whatever_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let chat = |session: &str| {
        json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10, "gen_ai.conversation.id": session})
    };
    let mut all = String::new();
    for at in 0..3u8 {
        let file = dump(folder.path(), &[(at + 1, 0, "chat", 0, chat("s"))]);
        all += &(std::fs::read_to_string(file).unwrap().replace(&"aa".repeat(16), &format!("{:032x}", at + 1)) + "\n");
    }
    let file = folder.path().join("all.jsonl");
    std::fs::write(&file, all).unwrap();
    let tree = text(&["tree", "--by", "session", "--limit", "1"], &file);
    assert!(tree.contains("3 traces") && tree.contains("300→30"), "{tree}");
}
