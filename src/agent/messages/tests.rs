//! One small span a convention, and what has to be read of it.
//!
//! Comes in: spans put together by hand. Goes out: nothing.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::otlp::{RawAttribute, RawEvent, RawSpan, RawValue, Text};

/// The messages of a span, with the role that one look at it gives.
fn messages(span: &RawSpan<'_>) -> Option<Conversation> {
    super::messages(span, crate::agent::glance(span, false).role)
}

fn pool<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<RawAttribute<'a>> {
    let attribute = |(key, value): &(&'a str, &'a str)| RawAttribute {
        key: Text::known(key),
        value: RawValue::Text(Text::known(value)),
    };
    pairs.iter().map(attribute).collect()
}

fn span<'a>(pairs: &[(&'a str, &'a str)]) -> RawSpan<'a> {
    let pool = pool(pairs);
    RawSpan { own: 0..pool.len(), pool, ..RawSpan::default() }
}

fn event<'a>(span: &mut RawSpan<'a>, name: &'a str, pairs: &[(&'a str, &'a str)]) {
    let from = span.pool.len();
    span.pool.extend(pool(pairs));
    let attributes = from..span.pool.len();
    span.events.push(RawEvent { name: Text::known(name), attributes, ..RawEvent::default() });
}

/// A conversation in one line a message, so that a test can be read.
fn told(found: &Conversation) -> Vec<String> {
    let line = |way: &str, message: &Message| {
        let parts = message.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Reasoning(text) => format!("({text})"),
            Part::Call(call) => format!("{}#{}{}", call.name, call.id.as_deref().unwrap_or("-"), call.arguments),
            Part::Result(result) => format!("#{}={}", result.id.as_deref().unwrap_or("-"), result.result),
            Part::Media(media) => format!("<{} {:?}>", media.kind, media.bytes),
            Part::Other(json) => format!("?{json}"),
        });
        let finish = message.finish.as_deref().map(|finish| format!(" .{finish}")).unwrap_or_default();
        format!("{way}{}: {}{finish}", message.speaker.name(), parts.collect::<Vec<_>>().join(" | "))
    };
    let input = found.input.iter().map(|message| line("", message));
    input.chain(found.output.iter().map(|message| line("> ", message))).collect()
}

fn read(pairs: &[(&str, &str)]) -> Vec<String> {
    told(&messages(&span(pairs)).unwrap())
}

fn flaws(pairs: &[(&str, &str)]) -> Vec<String> {
    let found = messages(&span(pairs)).unwrap();
    found.defects.iter().map(Defect::to_string).collect()
}

const CHAT: [&str; 5] = [
    "system: Be brief.",
    "user: weather?",
    "assistant: get_weather#call_0{\"city\":\"Zürich\"}",
    "tool: #call_0=21 degrees",
    "> assistant: (hm) | It is warm. .stop",
];

#[test]
fn opentelemetry_attributes() {
    let input = r#"[{"role":"user","parts":[{"type":"text","content":"weather?"}]},
        {"role":"assistant","parts":[{"type":"tool_call","id":"call_0","name":"get_weather","arguments":{"city":"Zürich"}}]},
        {"role":"tool","parts":[{"type":"tool_call_response","id":"call_0","response":"21 degrees"}]}]"#;
    let output = r#"[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},
        {"type":"text","content":"It is warm."}],"finish_reason":"stop"}]"#;
    let tools = r#"[{"type":"function","name":"get_weather","parameters":{"type":"object","required":["city"]}}]"#;
    let pairs = [
        ("gen_ai.system_instructions", r#"[{"type":"text","content":"Be brief."}]"#),
        ("gen_ai.input.messages", input),
        ("gen_ai.output.messages", output),
        ("gen_ai.tool.definitions", tools),
    ];
    assert_eq!(read(&pairs), CHAT);
    let found = messages(&span(&pairs)).unwrap();
    assert_eq!(found.defects, []);
    assert_eq!((found.tools.len(), found.tools[0].name.as_str()), (1, "get_weather"));
    assert_eq!(found.tools[0].schema, Some(json!({"type":"object","required":["city"]})));
    let mut same = RawSpan::default();
    event(&mut same, "gen_ai.client.inference.operation.details", &pairs);
    assert_eq!(messages(&same), Some(found));
}

#[test]
fn opentelemetry_events() {
    let mut span = span(&[("gen_ai.operation.name", "chat")]);
    event(&mut span, "gen_ai.system.message", &[("content", "Be brief."), ("gen_ai.system", "openai")]);
    event(&mut span, "gen_ai.user.message", &[("content", "weather?")]);
    let calls =
        r#"[{"id":"call_0","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Zürich\"}"}}]"#;
    event(&mut span, "gen_ai.assistant.message", &[("tool_calls", calls)]);
    event(&mut span, "gen_ai.tool.message", &[("id", "call_0"), ("content", "21 degrees")]);
    let choice = r#"{"role":"assistant","reasoning_content":"hm","content":"It is warm."}"#;
    event(&mut span, "gen_ai.choice", &[("index", "0"), ("finish_reason", "stop"), ("message", choice)]);
    assert_eq!(told(&messages(&span).unwrap()), CHAT);
    let mut oldest = RawSpan::default();
    event(&mut oldest, "gen_ai.content.prompt", &[("gen_ai.prompt", r#"[{"role":"user","content":"hi"}]"#)]);
    event(
        &mut oldest,
        "gen_ai.content.completion",
        &[("gen_ai.completion", r#"[{"role":"assistant","content":"ho"}]"#)],
    );
    assert_eq!(told(&messages(&oldest).unwrap()), ["user: hi", "> assistant: ho"]);
    let plain =
        [("gen_ai.operation.name", "text_completion"), ("gen_ai.prompt", "once"), ("gen_ai.completion", "upon")];
    assert_eq!(read(&plain), ["user: once", "> assistant: upon"]);
}

#[test]
fn openllmetry() {
    let pairs = [
        ("gen_ai.completion.0.finish_reason", "stop"),
        ("gen_ai.completion.0.role", "assistant"),
        ("gen_ai.completion.0.reasoning", "hm"),
        ("gen_ai.completion.0.content", "It is warm."),
        ("gen_ai.prompt.2.role", "assistant"),
        ("gen_ai.prompt.2.tool_calls.0.id", "call_0"),
        ("gen_ai.prompt.2.tool_calls.0.name", "get_weather"),
        ("gen_ai.prompt.2.tool_calls.0.arguments", "{\"city\":\"Zürich\"}"),
        ("gen_ai.prompt.3.role", "tool"),
        ("gen_ai.prompt.3.content", "21 degrees"),
        ("gen_ai.prompt.3.tool_call_id", "call_0"),
        ("gen_ai.prompt.0.role", "system"),
        ("gen_ai.prompt.0.content", "Be brief."),
        ("gen_ai.prompt.1.role", "user"),
        ("gen_ai.prompt.1.content", r#"[{"type":"text","text":"weather?"}]"#),
        ("gen_ai.prompt.name", "not a message"),
        ("llm.request.functions.0.name", "get_weather"),
        ("llm.request.functions.0.parameters", r#"{"type":"object"}"#),
    ];
    assert_eq!(read(&pairs), CHAT);
    assert_eq!(messages(&span(&pairs)).unwrap().tools[0].schema, Some(json!({"type":"object"})));
    let output = r#"{"outputs":{"messages":[{"lc":1,"type":"constructor","kwargs":{"content":"hi","type":"human"}},
        {"lc":1,"kwargs":{"content":"ho","type":"ai","tool_calls":[{"name":"f","args":{"a":1},"id":"c"}]}}]}}"#;
    let workflow =
        [("traceloop.span.kind", "workflow"), ("traceloop.entity.input", "hi"), ("traceloop.entity.output", output)];
    assert_eq!(read(&workflow), ["user: hi", "> assistant: ho | f#c{\"a\":1}"]);
    assert_eq!(messages(&span(&[("traceloop.span.kind", "tool"), ("traceloop.entity.input", "{}")])), None);
}

#[test]
fn openinference() {
    let pairs = [
        ("openinference.span.kind", "LLM"),
        ("llm.input_messages.0.message.role", "system"),
        ("llm.input_messages.0.message.content", "Be brief."),
        ("llm.input_messages.1.message.role", "user"),
        ("llm.input_messages.1.message.contents.0.message_content.type", "text"),
        ("llm.input_messages.1.message.contents.0.message_content.text", "weather?"),
        ("llm.input_messages.2.message.role", "assistant"),
        ("llm.input_messages.2.message.tool_calls.0.tool_call.id", "call_0"),
        ("llm.input_messages.2.message.tool_calls.0.tool_call.function.name", "get_weather"),
        ("llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments", "{\"city\":\"Zürich\"}"),
        ("llm.input_messages.3.message.role", "tool"),
        ("llm.input_messages.3.message.content", "21 degrees"),
        ("llm.input_messages.3.message.tool_call_id", "call_0"),
        (
            "output.value",
            r#"{"choices":[{"finish_reason":"stop","message":{"role":"assistant","reasoning":"hm","content":"It is warm."}}]}"#,
        ),
        ("llm.tools.0.tool.json_schema", r#"{"type":"function","function":{"name":"get_weather","parameters":{}}}"#),
    ];
    assert_eq!(read(&pairs), CHAT);
    assert_eq!(messages(&span(&pairs)).unwrap().tools[0].name, "get_weather");
    let plain = [("openinference.span.kind", "AGENT"), ("input.value", "why?"), ("output.value", "so")];
    assert_eq!(read(&plain), ["user: why?", "> assistant: so"]);
}

#[test]
fn langfuse_and_vercel() {
    let langfuse = [
        ("langfuse.observation.type", "generation"),
        ("langfuse.observation.input", r#"[{"role":"user","content":"hi"}]"#),
        ("langfuse.observation.output", r#"{"role":"assistant","content":"ho"}"#),
        ("gen_ai.input.messages", "[]"),
    ];
    assert_eq!(read(&langfuse), ["user: hi", "> assistant: ho"]);
    let vercel = [
        ("ai.operationId", "ai.generateText.doGenerate"),
        (
            "ai.prompt.messages",
            r#"[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"hi"}]},
            {"role":"tool","content":[{"type":"tool-result","toolCallId":"c","toolName":"f","result":{"a":1}}]}]"#,
        ),
        (
            "ai.response.toolCalls",
            r#"[{"toolCallType":"function","toolCallId":"d","toolName":"g","args":"{\"x\":1}"}]"#,
        ),
        ("ai.response.text", "ho"),
        ("ai.response.finishReason", "tool-calls"),
    ];
    let wanted = ["system: Be brief.", "user: hi", "tool: #c={\"a\":1}", "> assistant: ho | g#d{\"x\":1} .tool-calls"];
    assert_eq!(read(&vercel), wanted);
    let outer = [("ai.operationId", "ai.generateText"), ("ai.prompt", r#"{"system":"Be brief.","prompt":"hi"}"#)];
    assert_eq!(read(&outer), ["system: Be brief.", "user: hi"]);
}

#[test]
fn letta_with_every_provider() {
    let openai = [
        (
            "request_data",
            r#"{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}],
            "tools":[{"type":"function","function":{"name":"f"}}]}"#,
        ),
        (
            "response_data",
            r#"{"choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,
            "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        ),
    ];
    assert_eq!(read(&openai), ["system: Be brief.", "user: hi", "> assistant: f#c{} .tool_calls"]);
    let responses = [
        (
            "request_data",
            r#"{"instructions":"Be brief.","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"1"}]}"#,
        ),
        (
            "response_data",
            r#"{"output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"ho"}]}]}"#,
        ),
    ];
    let wanted =
        ["system: Be brief.", "user: hi", "assistant: f#c{}", "tool: #c=1", "> assistant: (hm)", "> assistant: ho"];
    assert_eq!(read(&responses), wanted);
    let anthropic = [
        (
            "request_data",
            r#"{"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[
            {"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"no"}],"is_error":true},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}],
            "tools":[{"name":"f","input_schema":{"type":"object"}}]}"#,
        ),
        (
            "response_data",
            r#"{"role":"assistant","stop_reason":"tool_use","content":[{"type":"thinking","thinking":"hm"},
            {"type":"tool_use","id":"d","name":"f","input":{"a":1}}]}"#,
        ),
    ];
    let wanted =
        ["system: Be brief.", "user: #c=no | <image/png Some(3)>", "> assistant: (hm) | f#d{\"a\":1} .tool_use"];
    assert_eq!(read(&anthropic), wanted);
    let google = [
        (
            "request_data",
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":
            {"name":"f","args":{"a":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"r":2}}}]}],
            "config":{"system_instruction":"Be brief.","tools":[{"function_declarations":[{"name":"f"}]}]}}"#,
        ),
        (
            "response_data",
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"ho"}]},
            "finishReason":"STOP"}]}"#,
        ),
    ];
    let wanted = [
        "system: Be brief.",
        "user: hi",
        "assistant: f#-{\"a\":1}",
        "user: #-={\"r\":2}",
        "> assistant: (hm) | ho .STOP",
    ];
    assert_eq!(read(&google), wanted);
    for pairs in [openai, anthropic, google] {
        assert_eq!(messages(&span(&pairs)).unwrap().tools[0].name, "f");
    }
}

#[test]
fn letta_as_python_prints_it() {
    let trace = "ProviderTrace(id='t', request_json={'messages': [{'role': 'user', 'content': 'it\\'s me'}]}, \
        response_json={'content': {'content': 'ho', 'reasoning': None, 'tool_call': {'name': 'f', 'arguments': {}, 'id': 'c'}}, \
        'role': 'assistant'}, step_id='s')";
    assert_eq!(read(&[("parameter.provider_trace", trace)]), ["user: it's me", "> assistant: ho | f#c{}"]);
    assert_eq!(messages(&span(&[("parameter.provider_trace", "{'step_id': 'step-1'}")])), None);
    let cut = "{'messages': [{'role': 'user', 'content': 'hell... (truncated, original size: 2097160 chars)";
    assert_eq!(read(&[("parameter.request_data", cut)]), ["user: hell"]);
    let said = "parameter.request_data: cut by its producer, 2097160 characters originally";
    assert_eq!(flaws(&[("parameter.request_data", cut)]), [said]);
    let mut events = RawSpan::default();
    event(&mut events, "llm_request_sent", &[("model", "m"), ("messages", "[{'role': 'user', 'content': 'hi'}]")]);
    event(
        &mut events,
        "llm_response_received",
        &[("choices", "[{'message': {'role': 'assistant', 'content': 'ho'}}]")],
    );
    assert_eq!(told(&messages(&events).unwrap()), ["user: hi", "> assistant: ho"]);
}

#[test]
fn what_is_wrong_is_kept() {
    let input = |json| flaws(&[("gen_ai.input.messages", json)]);
    let head = "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"";
    let cut = format!("{head}{}", "x".repeat(65_536 - head.len()));
    let cut = cut.as_str();
    assert_eq!(input(cut), ["gen_ai.input.messages: truncated JSON at byte 65536"]);
    assert_eq!(read(&[("gen_ai.input.messages", cut)])[0].len(), 65_536 - head.len() + "user: ".len());
    assert_eq!(input("hello"), ["gen_ai.input.messages: not JSON at byte 0"]);
    assert_eq!(input(r#"{"role":"user","parts":[]}"#), ["gen_ai.input.messages: not an array"]);
    assert_eq!(input(r#"[{"role":"user","parts":[]},{"parts":[]}]"#), ["gen_ai.input.messages: item 1 has no role"]);
    assert_eq!(input(r#"[1]"#), ["gen_ai.input.messages: item 0 is not an object"]);
    assert_eq!(input(r#"[{"role":"user"}]"#), ["gen_ai.input.messages: item 0 has no parts"]);
    let old = input(r#"[{"role":"user","content":"hi"}]"#);
    assert_eq!(old, ["gen_ai.input.messages: item 0 has content instead of parts"]);
    let call = r#"[{"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":"{oops"}]}]"#;
    assert_eq!(
        flaws(&[("gen_ai.output.messages", call)]),
        ["gen_ai.output.messages: the arguments for f are not JSON"]
    );
    let tools = flaws(&[("gen_ai.tool.definitions", r#"{"name":"f"}"#)]);
    assert_eq!(tools, ["gen_ai.tool.definitions: not an array"]);
    let many = format!("[{}]", vec![r#"{"role":"user","parts":[]}"#; 10_007].join(","));
    assert_eq!(input(&many), ["gen_ai.input.messages: 7 more messages are not read"]);
}

#[test]
fn nothing_recorded_is_nothing_read() {
    assert_eq!(messages(&span(&[("gen_ai.operation.name", "chat"), ("gen_ai.usage.input_tokens", "3")])), None);
    assert_eq!(messages(&span(&[("http.method", "GET")])), None);
    assert_eq!(
        messages(&span(&[("openinference.span.kind", "TOOL"), ("input.value", "{\"messages\":[\"x\"]}")])),
        None
    );
}

const SPELLED: [&str; 12] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt.0.content",
    "llm.input_messages.0.message.tool_calls.0",
    "langfuse.observation.input",
    "ai.prompt",
    "request_data",
    "response_data",
    "parameter.provider_trace",
    "output.value",
];

proptest! {
    #[test]
    fn no_bytes_panic(key in 0..SPELLED.len(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let value = RawValue::Text(Text::json(&bytes, key % 2 == 0));
        let pool = vec![RawAttribute { key: Text::plain(SPELLED[key].as_bytes()), value }];
        let _ = messages(&RawSpan { own: 0..1, pool, name: Text::plain(b"x"), ..RawSpan::default() });
    }

    #[test]
    fn no_shape_panics(key in 0..SPELLED.len(), at in 0usize..400, bits in any::<u8>()) {
        let whole = r#"{"messages":[{"role":"tool","content":[{"type":"tool_result","content":[{"type":"image","source":{"data":"AA"}}]}],
            "tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}],"choices":[{"message":{"parts":[{"text":"a"}]}}],"tools":[["x"]],
            "content":{"parts":[],"reasoning":[1]},"system":{"parts":null},"kwargs":{"message":{"message":{}}}}"#;
        let mut bytes = whole.as_bytes().to_vec();
        let end = at.min(bytes.len() - 1);
        bytes[end] ^= bits;
        for bytes in [&bytes[..], &bytes[..end]] {
            let pool = vec![
                RawAttribute { key: Text::plain(SPELLED[key].as_bytes()), value: RawValue::Text(Text::plain(bytes)) },
                RawAttribute { key: Text::plain(b"openinference.span.kind"), value: RawValue::Text(Text::plain(b"LLM")) },
            ];
            let _ = messages(&RawSpan { own: 0..2, pool, ..RawSpan::default() });
        }
    }
}
