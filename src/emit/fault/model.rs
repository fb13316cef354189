//! Faults of calls to models and of what agents make of them.
//!
//! Comes in: a trace. Goes out: the same trace with a call that does not add up. Traces without calls stay as they are.

use super::warp::Warp;
use crate::emit::cast::{GENAI, OPENINFERENCE};
use crate::emit::chance::Chance;
use crate::emit::plan::Convention;
use crate::emit::sheet::{Datum, Handle, Part, number};
use crate::emit::tools::{self, TOOLS};

const INPUT: [&str; 3] = ["gen_ai.usage.input_tokens", "llm.token_count.prompt", "gen_ai.usage.prompt_tokens"];
const OUTPUT: [&str; 3] =
    ["gen_ai.usage.output_tokens", "llm.token_count.completion", "gen_ai.usage.completion_tokens"];
const MODEL: [&str; 4] = ["gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "parameter.llm_config"];
/// Where the name of a tool that runs stands.
const TOOL: [&str; 4] = ["gen_ai.tool.name", "tool.name", "traceloop.entity.name", "parameter.function_name"];

impl Warp<'_> {
    /// GEN001.
    pub(super) fn missing_token_usage(&mut self) -> Option<()> {
        let call = self.part(Part::Llm)?;
        let usage = ["gen_ai.usage.", "llm.token_count.", "llm.usage."];
        self.drop_attributes(call, |key| usage.iter().any(|prefix| key.starts_with(prefix)));
        if let Some(payload) = self.payload(call) {
            self.rewrite(payload, "response_data", |text| {
                text.split_once(", \"usage\": ").map(|(head, _)| format!("{head}}}"))
            });
        }
        Some(())
    }

    /// GEN002: answers say less than was thought.
    pub(super) fn inconsistent_usage(&mut self) -> Option<()> {
        let call = self.part(Part::Llm)?;
        let key = match self.plan.convention {
            Convention::Openinference => "llm.token_count.completion_details.reasoning",
            Convention::Openllmetry => "gen_ai.usage.reasoning_tokens",
            _ => "gen_ai.usage.reasoning.output_tokens",
        };
        if self.get(call, &OUTPUT).is_none() {
            self.put(call, "gen_ai.usage.output_tokens", 40u64);
        }
        self.put(call, key, 9_999_999u64);
        Some(())
    }

    /// GEN003.
    pub(super) fn missing_model(&mut self) -> Option<()> {
        let call = self.part(Part::Llm)?;
        self.drop_attributes(call, |key| MODEL.contains(&key));
        self.rewrite(call, "parameter.request_data", |text| without(text, "'model': '", "', "));
        if let Some(payload) = self.payload(call) {
            for key in ["request_data", "response_data"] {
                self.rewrite(payload, key, |text| without(text, "\"model\": \"", "\", "));
            }
        }
        Some(())
    }

    /// The span in which Letta records what a call was given and what it brought.
    fn payload(&self, call: Handle) -> Option<Handle> {
        let is_payload = |at: &usize| {
            let name = self.sheet.spans.get(*at).map(|span| self.sheet.read(span.name));
            name.is_some_and(|name| name.ends_with(".log_provider_trace"))
        };
        (call.0 + 1..self.sheet.spans.len()).find(is_payload).map(Handle)
    }

    /// Changes the text of an attribute, if it is there and there is something to change.
    fn rewrite(&mut self, span: Handle, key: &'static str, change: impl Fn(&str) -> Option<String>) {
        if let Some((_, Datum::Text(word))) = self.get(span, &[key])
            && let Some(text) = change(self.sheet.read(word))
        {
            let word = self.sheet.say(&text);
            self.put(span, key, word);
        }
    }

    /// GEN006.
    pub(super) fn double_instrumented_call(&mut self) -> Option<()> {
        let call = self.part(Part::Llm)?;
        let (start, end) = self.span(call).map_or((0, 0), |span| (span.start, span.end));
        let twin = self.extra(call, "chat");
        let scope = if self.plan.convention == Convention::Openinference { GENAI } else { OPENINFERENCE };
        self.sheet.with(twin, |span| (span.start, span.end, span.scope) = (start, end, scope));
        self.sheet
            .set_all(twin, &[("gen_ai.operation.name", "chat".into()), ("gen_ai.provider.name", "openai".into())]);
        let facts = [
            (
                "gen_ai.request.model",
                self.get(call, &["gen_ai.response.model", "gen_ai.request.model", "llm.model_name"]),
            ),
            ("gen_ai.usage.input_tokens", self.get(call, &INPUT)),
            ("gen_ai.usage.output_tokens", self.get(call, &OUTPUT)),
        ];
        for (key, value) in facts {
            if let Some((_, value)) = value {
                self.put(twin, key, value);
            }
        }
        Some(())
    }

    /// GEN007: the last answer asks for a tool, and nothing comes of it.
    pub(super) fn tool_call_without_span(&mut self) -> Option<()> {
        let calls = self.sheet.spans.iter().enumerate().filter(|(_, span)| span.part == Part::Llm);
        let (call, start) = calls.map(|(at, span)| (Handle(at), span.start)).max_by_key(|(_, start)| *start)?;
        let ran = |name: &str| {
            let later = self.sheet.spans.iter().enumerate().filter(|(_, span)| span.start >= start);
            later.into_iter().any(|(at, _)| match self.get(Handle(at), &TOOL) {
                Some((_, Datum::Text(word))) => self.sheet.read(word) == name,
                _ => false,
            })
        };
        let tool = TOOLS.iter().find(|tool| !ran(tool.name))?;
        let id = self.sheet.chance.next();
        let given = tools::arguments(tool, &mut Chance::new(id, 0), self.sheet);
        let given = tools::json(&given, self.sheet);
        let before = self.sheet.word(format_args!(
            "[{{\"role\": \"assistant\", \"parts\": [{{\"type\": \"tool_call\", \"id\": \"call_{id:016x}\", \"name\": \"{}\", \"arguments\": ",
            tool.name
        ));
        let messages = self.sheet.join(&[before, given, "}], \"finish_reason\": \"tool_call\"}]".into()]);
        self.put(call, "gen_ai.output.messages", messages);
        Some(())
    }

    /// GEN008.
    pub(super) fn invalid_messages(&mut self) -> Option<()> {
        let call = self.part(Part::Llm)?;
        self.put(
            call,
            "gen_ai.input.messages",
            "[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"where is my",
        );
        Some(())
    }

    /// GEN009.
    pub(super) fn abnormal_finish(&mut self) -> Option<()> {
        let call = self.part(Part::Llm)?;
        for key in ["llm.finish_reason", "gen_ai.completion.0.finish_reason"] {
            if self.get(call, &[key]).is_some() {
                self.put(call, key, "length");
            }
        }
        self.put(call, "gen_ai.response.finish_reasons", Datum::List("[\"length\"]".into()));
        Some(())
    }

    fn agent_or_root(&self) -> Handle {
        self.part(Part::Agent).unwrap_or(self.root())
    }

    /// AGT004.
    pub(super) fn too_many_steps(&mut self) {
        let agent = self.agent_or_root();
        let end = self.span(agent).map_or(0, |span| span.end);
        self.sheet.event(agent, end, "stop_reason", &[("stop_reason", "max_steps".into())]);
    }

    /// AGT005.
    pub(super) fn tool_error_as_success(&mut self) -> Option<()> {
        let fine = |at: usize| {
            self.sheet.spans.get(at).is_some_and(|span| span.part == Part::Tool && span.status != number::ERROR)
        };
        let tool = (0..self.sheet.spans.len()).find(|at| fine(*at)).map(Handle)?;
        let key = match self.plan.convention {
            Convention::Openinference => "output.value",
            Convention::Openllmetry => "traceloop.entity.output",
            _ => "gen_ai.tool.call.result",
        };
        self.put(tool, key, "{\"status\": \"error\", \"message\": \"no such order\"}");
        Some(())
    }
}

/// A text without what stands from `head` to the `tail` that follows it.
fn without(text: &str, head: &str, tail: &str) -> Option<String> {
    let (before, rest) = text.split_once(head)?;
    let (_, after) = rest.split_once(tail)?;
    Some(format!("{before}{after}"))
}
