//! What spans of Letta's say, and the payloads of providers that they hold.

use super::act::Tokens;
use super::act_tests::{event, of, span, used};
use super::conventions::{Convention, Piece};
use crate::otlp::{RawValue, Text};

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
fn letta_embeddings() {
    let config = "EmbeddingConfig(embedding_model='text-embedding-3-small', embedding_endpoint_type='openai')";
    let call = span("OpenAIClient.request_embeddings", &[("parameter.embedding_config", config)]);
    let call = of(&call);
    assert_eq!((call.model(), &*call.provider), ("text-embedding-3-small", "openai"));
    let mut batch = span("OpenAIEmbedder._embed_batch", &[("parameter.x", "1")]);
    event(&mut batch, "embedder.batch_started", 2, &[("batch_size", "9"), ("model", "text-embedding-3-large")]);
    assert_eq!(of(&batch).model(), "text-embedding-3-large");
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
        span.pool[0].value = RawValue::Text(Text::json(raw.as_bytes(), escaped));
        let act = of(&span);
        assert_eq!((act.tokens, act.model()), (used(7, 8), "m"));
    }
}

#[test]
fn google_s_answers_are_read_in_both_spellings() {
    let log = |response: &'static str| of(&span("A.log_provider_trace", &[("response_data", response)]));
    let snake = r#"{"candidates": [{"finish_reason": "MAX_TOKENS"}], "usage_metadata": {"prompt_token_count": 100,
        "candidates_token_count": 7, "cached_content_token_count": 60, "thoughts_token_count": 3, "total_token_count": 110}}"#;
    let camel = r#"{"candidates": [{"finishReason": "MAX_TOKENS"}], "usageMetadata": {"promptTokenCount": 100,
        "candidatesTokenCount": 7, "cachedContentTokenCount": 60, "thoughtsTokenCount": 3, "totalTokenCount": 110}}"#;
    for response in [snake, camel] {
        let act = log(response);
        let expected = Tokens { cache_read: Some(60), reasoning: Some(3), total: Some(110), ..used(100, 10) };
        assert_eq!((act.tokens, &*act.finish_reasons[0]), (expected, "MAX_TOKENS"));
    }
}

#[test]
fn the_usage_of_a_long_answer_is_at_its_end() {
    let filler = "x".repeat(1 << 20);
    for end in [
        "'usage': {'prompt_tokens': 7, 'completion_tokens': 8}}, step_id='memory usage=90%')",
        "usage=CompletionUsage(completion_tokens=8, prompt_tokens=7))",
    ] {
        let trace = format!("ProviderTrace(request_json={{'input': '{filler}'}}, response_json={{'a': 1, {end}");
        let act = span("TelemetryManager.create_provider_trace_async", &[("parameter.provider_trace", &trace)]);
        assert_eq!(of(&act).tokens, used(7, 8), "{end}");
    }
}
