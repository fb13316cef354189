//! The agent loop that Letta had before the current one, which scheduled runs still use: fewer methods are traced, steps and requests
//! have no checkpoints, and events say how far a step is.
//!
//! Comes in: what a step needs. Goes out: its spans.

use super::letta::{Given, Letta};
use super::letta_payload::response;
use super::letta_run::Running;
use super::letta_step::Stepping;
use super::teller::{MILLI, Teller};
use crate::emit::sheet::{Handle, Part, Word, number};
use crate::emit::story::{Call, Run, Step};

/// The methods of an agent that both loops have.
const METHODS: [(&str, &str, &str); 7] = [
    ("step", "LettaAgentV3.step", "LettaAgent.step"),
    ("_handle_ai_response", "LettaAgentV3._handle_ai_response", "LettaAgent._handle_ai_response"),
    ("_execute_tool", "LettaAgentV3._execute_tool", "LettaAgent._execute_tool"),
    ("compact", "LettaAgentV3.compact", "LettaAgent.summarize_conversation_history"),
    ("_get_valid_tools", "LettaAgentV3._get_valid_tools", "LettaAgent._create_llm_request_data_async"),
    ("_refresh_messages", "LettaAgentV3._refresh_messages", "LettaAgent._rebuild_context_window"),
    ("_decide_continuation", "LettaAgentV3._decide_continuation", "LettaAgent._rebuild_context_window"),
];

impl Letta<'_, '_> {
    /// Whether the loop is the former one.
    pub(super) fn is_legacy(&self) -> bool {
        self.story.scheduled
    }

    /// A method of the agent, by the class of the loop that runs.
    pub(super) fn method(&self, name: &str) -> &'static str {
        let found = METHODS.iter().find(|(method, ..)| *method == name);
        found.map_or("", |(_, current, former)| if self.is_legacy() { former } else { current })
    }

    /// Says in an event how far a step is.
    pub(super) fn legacy(&mut self, home: Handle, name: &'static str) {
        if self.is_legacy() {
            self.log(home, name, &[]);
        }
    }

    /// `time_to_first_token` without a checkpoint.
    pub(super) fn legacy_begin(&mut self, home: Handle, run: &Run) -> Handle {
        let request = self.tell.sheet.open(Some(home), "time_to_first_token", self.tell.now);
        self.llm_config(request, run);
        request
    }

    /// A step begins: its span, and what is written down of it.
    pub(super) fn legacy_start(&mut self, running: &Running<'_>, step: &Step) -> Stepping {
        let (home, began) = (running.home, self.tell.now);
        let span = self.tell.sheet.open(Some(home), "agent_step", began);
        self.tell.sheet.with(span, |span| span.part = Part::Step);
        self.tell.sheet.set(span, "step_id", step.id);
        self.log_step(home, running.run, step);
        self.log(home, "agent.stream_no_tokens.messages.refreshed", &[]);
        let create = self.quick(home, "LettaAgent._create_llm_request_data_async", 800);
        self.parameters(
            create,
            &[
                ("parameter.llm_client", Given::Object("LLMClient", "LLMClient()".into(), None)),
                ("parameter.in_context_messages", running.talk.listed()),
                ("parameter.agent_state", self.agent(running.run)),
            ],
        );
        self.log(home, "agent.stream_no_tokens.llm_request.created", &[]);
        let python = self.span_python("agent_step", span);
        Stepping { span, python, began, stamp: None }
    }

    /// A step ends.
    pub(super) fn legacy_finish(&mut self, running: &Running<'_>, step: &Step, stepping: &Stepping) {
        self.step_success(running.home, step);
        self.legacy(running.home, "agent.step.llm_response.processed");
        self.end_step(step, stepping);
        let takes = self.tell.lasting(3 * MILLI);
        let now = self.tell.now;
        let record = self.tell.sheet.open(Some(running.home), "StepManager.record_step_metrics_async", now);
        self.metrics_given(record, step, running.run);
        self.tell.now += takes;
        self.tell.sheet.close(record, self.tell.now, number::OK);
    }

    /// The run ends: nothing but the span of its request.
    pub(super) fn legacy_end(&mut self, running: &Running<'_>) {
        self.quick(running.home, "LettaAgent._rebuild_context_window", 900);
        let now = self.tell.now;
        let took = Teller::millis(now - running.began);
        self.tell.sheet.event(running.request, now, "letta_request_ms", &[("duration_ms", took)]);
        self.tell.sheet.close(running.request, now, number::UNSET);
    }

    /// What was asked and answered, written down at once.
    pub(super) fn telemetry(&mut self, running: &Running<'_>, step: &Step, request: Word) {
        let request = Some(request).filter(|_| !self.quirks());
        self.telemetry_of(running.home, step.id, running.run, step.call, request);
    }

    /// The same of any call.
    pub(super) fn telemetry_of(&mut self, parent: Handle, step: Word, run: &Run, call: Call, request: Option<Word>) {
        let trace = self.quick(parent, "TelemetryManager.create_provider_trace_async", 1_800);
        let response = response(run, call, &[], "'", self.tell.sheet);
        let asked = request.map_or([Word::default(); 2], |request| [", 'request_json': ".into(), request]);
        let said = ["{'step_id': '".into(), step, "'".into(), asked[0], asked[1], ", 'response_json': ".into()];
        let said = self.tell.sheet.join(&[&said[..], &[response, "}".into()]].concat());
        self.parameters(
            trace,
            &[("parameter.actor", self.actor.into()), ("parameter.provider_trace", Given::Object("dict", said, None))],
        );
    }
}
