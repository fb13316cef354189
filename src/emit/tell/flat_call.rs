//! Calls to models in OpenTelemetry's GenAI conventions, OpenInference and OpenLLMetry: messages, tools, usage.
//!
//! Comes in: a conversation and a step. Goes out: attributes on a span that is open. With quirks OpenLLMetry and the GenAI
//! conventions use the names they had before, and the latter an event per message.

use std::sync::LazyLock;

use super::flat::Flat;
use super::flat_said::{Message, Said};
use super::letta_payload::response;
use super::teller::MILLI;
use crate::emit::plan::Convention;
use crate::emit::sheet::{Attr, Datum, Event, Handle, Word, number};
use crate::emit::story::{Call, Run, ToolUse};
use crate::emit::tools::{HAND_OFF, TOOLS};

/// The definitions of all tools, as a list.
static DEFINITIONS: LazyLock<String> = LazyLock::new(|| {
    let definitions: Vec<&str> = TOOLS.iter().chain([&HAND_OFF]).map(|tool| tool.definition).collect();
    format!("[{}]", definitions.join(", "))
});

const SCHEMAS: [&str; 8] = [
    "llm.tools.0.tool.json_schema",
    "llm.tools.1.tool.json_schema",
    "llm.tools.2.tool.json_schema",
    "llm.tools.3.tool.json_schema",
    "llm.tools.4.tool.json_schema",
    "llm.tools.5.tool.json_schema",
    "llm.tools.6.tool.json_schema",
    "llm.tools.7.tool.json_schema",
];

/// Name, description and parameters of a function in OpenLLMetry's words.
macro_rules! function {
    ($number:literal) => {
        [
            concat!("llm.request.functions.", $number, ".name"),
            concat!("llm.request.functions.", $number, ".description"),
            concat!("llm.request.functions.", $number, ".parameters"),
        ]
    };
}

const FUNCTIONS: [[&str; 3]; 8] = [
    function!("0"),
    function!("1"),
    function!("2"),
    function!("3"),
    function!("4"),
    function!("5"),
    function!("6"),
    function!("7"),
];

impl Flat<'_, '_> {
    /// Whether messages are events, as they were before they were attributes.
    pub(super) fn has_events(&self) -> bool {
        self.convention == Convention::Genai && self.tell.plan.quirks
    }

    /// The name of a call's span.
    pub(super) fn call_name(&mut self, run: &Run) -> Word {
        match self.convention {
            Convention::Openinference => "ChatCompletion".into(),
            Convention::Openllmetry => run.model.chat.into(),
            _ => self.tell.sheet.join(&["chat ".into(), run.model.name.into()]),
        }
    }

    pub(super) fn provider_key(&self) -> &'static str {
        if self.tell.plan.quirks { "gen_ai.system" } else { "gen_ai.provider.name" }
    }

    /// What a call says when it begins.
    pub(super) fn call(&mut self, span: Handle, run: &Run, messages: &[Message], most: u64) {
        match self.convention {
            Convention::Openinference => self.openinference_call(span, run, messages, most),
            Convention::Openllmetry => self.openllmetry_call(span, run, messages, most),
            _ => self.genai_call(span, run, messages, most),
        }
    }

    fn genai_call(&mut self, span: Handle, run: &Run, messages: &[Message], most: u64) {
        let provider = self.provider_key();
        self.tell.sheet.with(span, |span| span.kind = number::CLIENT);
        self.tell.sheet.set_all(
            span,
            &[
                ("gen_ai.operation.name", "chat".into()),
                (provider, run.model.provider.into()),
                ("gen_ai.request.model", run.model.name.into()),
                ("gen_ai.request.max_tokens", most.into()),
                ("gen_ai.request.temperature", Datum::Milli(200)),
                ("server.address", run.model.host.into()),
                ("server.port", Datum::Int(443)),
            ],
        );
        if self.has_events() {
            return self.genai_events(span, run, messages);
        }
        let sheet = &mut *self.tell.sheet;
        let mark = sheet.mark();
        for (at, message) in messages.iter().enumerate() {
            sheet.append(if at > 0 { ", " } else { "[" }.into());
            sheet.append(message.json);
        }
        sheet.append("]".into());
        let input = sheet.since(mark);
        let system =
            sheet.join(&["[{\"type\": \"text\", \"content\": \"".into(), run.persona.system.into(), "\"}]".into()]);
        sheet.set_all(
            span,
            &[
                ("gen_ai.conversation.id", self.story.conversation.into()),
                ("gen_ai.system_instructions", system.into()),
                ("gen_ai.input.messages", input.into()),
                ("gen_ai.tool.definitions", DEFINITIONS.as_str().into()),
            ],
        );
        if self.streamed {
            sheet.set(span, "gen_ai.request.stream", true);
        }
    }

    /// One event a message, as it was before 1.37.
    fn genai_events(&mut self, span: Handle, run: &Run, messages: &[Message]) {
        let now = self.tell.now;
        let system = [("gen_ai.system", run.model.provider.into()), ("content", run.persona.system.into())];
        self.tell.sheet.event(span, now, "gen_ai.system.message", &system);
        let events = messages.iter().map(|message| {
            let attributes = message.attributes.clone();
            Event { time: now, name: message.json, attributes }
        });
        self.tell.sheet.with(span, |span| span.events.extend(events));
    }

    fn openinference_call(&mut self, span: Handle, run: &Run, messages: &[Message], most: u64) {
        let system = Said::by("system", run.persona.system.into());
        let sheet = &mut *self.tell.sheet;
        let first = system.message(sheet);
        let mark = sheet.mark();
        sheet.append("{\"model\": \"".into());
        sheet.append(run.model.name.into());
        sheet.append("\", \"messages\": [".into());
        sheet.append(first);
        for message in messages {
            sheet.append(", ".into());
            sheet.append(message.json);
        }
        sheet.word(format_args!("], \"max_tokens\": {most}, \"temperature\": 0.2}}"));
        let value = sheet.since(mark);
        let parameters = sheet.word(format_args!("{{\"max_tokens\": {most}, \"temperature\": 0.2}}"));
        let (speaks, provider) = run.model.system;
        sheet.set_all(
            span,
            &[
                ("openinference.span.kind", "LLM".into()),
                ("llm.system", speaks.into()),
                ("llm.provider", provider.into()),
                ("llm.model_name", run.model.name.into()),
                ("llm.invocation_parameters", parameters.into()),
                ("session.id", self.story.conversation.into()),
                ("input.value", value.into()),
                ("input.mime_type", "application/json".into()),
            ],
        );
        let system = system.numbered(sheet, "llm.input_messages.0.message".into());
        let schemas = SCHEMAS
            .iter()
            .zip(TOOLS.iter().chain([&HAND_OFF]))
            .map(|(key, tool)| Attr { key: (*key).into(), value: tool.definition.into() });
        sheet.with(span, |span| span.attributes.extend(schemas.chain(system)));
        self.repeat(span, messages);
    }

    /// Puts what was said before on a call.
    fn repeat(&mut self, span: Handle, messages: &[Message]) {
        self.tell.sheet.with(span, |span| {
            span.attributes.extend(messages.iter().flat_map(|message| &message.attributes));
        });
    }

    pub(super) fn put(&mut self, span: Handle, key: Word, value: Datum) {
        self.tell.sheet.with(span, |span| span.attributes.push(Attr { key, value }));
    }

    fn openllmetry_call(&mut self, span: Handle, run: &Run, messages: &[Message], most: u64) {
        let provider = self.provider_key();
        self.tell.sheet.with(span, |span| span.kind = number::CLIENT);
        self.tell.sheet.set_all(
            span,
            &[
                ("llm.request.type", "chat".into()),
                (provider, run.model.provider.into()),
                ("gen_ai.request.model", run.model.name.into()),
                ("gen_ai.request.max_tokens", most.into()),
                ("gen_ai.request.temperature", Datum::Milli(200)),
                ("llm.is_streaming", self.streamed.into()),
                ("traceloop.workflow.name", "agent_run".into()),
                ("traceloop.association.properties.session_id", self.story.conversation.into()),
                ("gen_ai.prompt.0.role", "system".into()),
                ("gen_ai.prompt.0.content", run.persona.system.into()),
            ],
        );
        self.repeat(span, messages);
        let functions = FUNCTIONS.iter().zip(TOOLS.iter().chain([&HAND_OFF])).flat_map(|(keys, tool)| {
            let said = [tool.name, tool.about, tool.parameters];
            keys.iter().zip(said).map(|(key, said)| Attr { key: (*key).into(), value: said.into() })
        });
        self.tell.sheet.with(span, |span| span.attributes.extend(functions));
    }

    /// What a call says when it ends.
    pub(super) fn usage(&mut self, span: Handle, run: &Run, said: Call, tools: &[ToolUse], began: u64) {
        let finish = if tools.is_empty() { "stop" } else { "tool_calls" };
        match self.convention {
            Convention::Openinference => self.openinference_usage(span, run, said, tools, (finish, began)),
            Convention::Openllmetry => self.openllmetry_usage(span, run, said, tools, finish),
            _ => self.genai_usage(span, run, said, tools),
        }
    }

    fn genai_usage(&mut self, span: Handle, run: &Run, used: Call, tools: &[ToolUse]) {
        let (events, now) = (self.has_events(), self.tell.now);
        let sheet = &mut *self.tell.sheet;
        let reasons = if tools.is_empty() { "[\"stop\"]" } else { "[\"tool_calls\"]" };
        sheet.set_all(
            span,
            &[
                ("gen_ai.response.model", run.model.version.into()),
                ("gen_ai.response.id", used.id.into()),
                ("gen_ai.response.finish_reasons", Datum::List(reasons.into())),
                ("gen_ai.usage.input_tokens", used.input.into()),
                ("gen_ai.usage.output_tokens", used.output.into()),
            ],
        );
        if events {
            let message = Said::answer(used, tools).message(sheet);
            let choice = [
                ("gen_ai.system", run.model.provider.into()),
                ("index", Datum::Int(0)),
                ("finish_reason", if tools.is_empty() { "stop" } else { "tool_calls" }.into()),
                ("message", message.into()),
            ];
            return sheet.event(span, now, "gen_ai.choice", &choice);
        }
        let mark = sheet.mark();
        sheet.append("[".into());
        // The schema of messages has its own word for it.
        Said::answer(used, tools).parts(sheet, Some(if tools.is_empty() { "stop" } else { "tool_call" }));
        sheet.append("]".into());
        let output = sheet.since(mark);
        sheet.set_all(
            span,
            &[
                ("gen_ai.output.messages", output.into()),
                ("gen_ai.usage.cache_read.input_tokens", used.cached.into()),
                ("gen_ai.usage.reasoning.output_tokens", used.reasoning.into()),
            ],
        );
        if self.streamed {
            let millis = i64::try_from(used.first / MILLI).unwrap_or(0);
            sheet.set(span, "gen_ai.response.time_to_first_chunk", Datum::Milli(millis));
        }
    }

    fn openinference_usage(
        &mut self,
        span: Handle,
        run: &Run,
        used: Call,
        tools: &[ToolUse],
        (finish, began): (&'static str, u64),
    ) {
        let value = response(run, used, tools, "\"", self.tell.sheet);
        self.tell.sheet.set_all(
            span,
            &[
                ("output.value", value.into()),
                ("output.mime_type", "application/json".into()),
                ("llm.finish_reason", finish.into()),
                ("llm.token_count.prompt", used.input.into()),
                ("llm.token_count.completion", used.output.into()),
                ("llm.token_count.total", (used.input + used.output).into()),
                ("llm.token_count.prompt_details.cache_read", used.cached.into()),
                ("llm.token_count.completion_details.reasoning", used.reasoning.into()),
            ],
        );
        let answer = Said::answer(used, tools).numbered(self.tell.sheet, "llm.output_messages.0.message".into());
        self.tell.sheet.with(span, |span| span.attributes.extend(answer));
        if self.streamed {
            self.tell.sheet.event(span, began + used.first, "First Token Stream Event", &[]);
        }
    }

    fn openllmetry_usage(&mut self, span: Handle, run: &Run, used: Call, tools: &[ToolUse], finish: &'static str) {
        let quirks = self.tell.plan.quirks;
        let old = |old, new| if quirks { old } else { new };
        self.tell.sheet.set_all(
            span,
            &[
                ("gen_ai.response.model", run.model.version.into()),
                ("gen_ai.response.id", used.id.into()),
                ("gen_ai.completion.0.role", "assistant".into()),
                ("gen_ai.completion.0.content", used.text.into()),
                ("gen_ai.completion.0.finish_reason", finish.into()),
                (old("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"), used.input.into()),
                (old("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"), used.output.into()),
                ("llm.usage.total_tokens", (used.input + used.output).into()),
                ("gen_ai.usage.cache_read_input_tokens", used.cached.into()),
            ],
        );
        let calls = Said::answer(used, tools).flattened(self.tell.sheet, "gen_ai.completion.0".into());
        self.tell.sheet.with(span, |span| span.attributes.extend(calls));
    }
}
