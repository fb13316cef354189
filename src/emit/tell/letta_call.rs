//! A call to a model as Letta tells it: the client's method, the adapter's payloads, the checkpoints around them.
//!
//! Comes in: a step of a run. Goes out: its spans and what the conversation has become. Letta keeps token usage in payloads alone.

use super::letta::{Given, Halt, Letta};
use super::letta_payload::response;
use super::letta_run::Running;
use super::letta_step::Stepping;
use super::teller::{MICRO, MILLI, Teller};
use crate::emit::failure::Failure;
use crate::emit::sheet::{Datum, Handle, Part, Word, number};
use crate::emit::story::{Call, Ending, Run, Step};

impl Letta<'_, '_> {
    pub(super) fn call(
        &mut self,
        running: &mut Running<'_>,
        step: &Step,
        stepping: &Stepping,
        last: bool,
    ) -> Result<(), Halt> {
        let (home, run) = (running.home, running.run);
        self.build(home, running);
        if let Some(stamp) = stepping.stamp {
            let start = self.quick(home, "LettaAgentV3._step_checkpoint_llm_request_start", 60);
            self.parameters(
                start,
                &[
                    ("parameter.step_metrics", stamp.into()),
                    ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
                ],
            );
            let now = self.tell.now;
            // Letta names it nanoseconds and means milliseconds since 1970.
            let waited = Teller::millis(now);
            let name = "request_start_to_provider_request_start_ns";
            self.tell.sheet.event(stepping.span, now, name, &[(name, waited)]);
        }
        let request = running.talk.request(run, step.call.most, self.tell.sheet);
        let name = if running.streamed { run.model.stream } else { run.model.request };
        for (at, attempt) in (1..).zip(&step.attempts) {
            let call = self.client(home, name, run, request.0);
            self.tell.now += attempt.took;
            self.tell.fail_here(call, attempt.failure);
            self.retry(home, attempt.failure, ("attempt", at), Some(attempt.pause));
            self.tell.now += attempt.pause;
        }
        if last
            && running.first
            && let Ending::Broken(failure) = self.story.ending
        {
            self.retry(home, failure, ("max_retries", step.attempts.len() as u64), None);
            self.enter(home, name);
            self.client_parameters(run, request.0);
            self.tell.now += 45 * MILLI;
            return Err(Halt::Failed(failure));
        }
        if self.handing_on {
            self.enter(home, name);
            self.client_parameters(run, request.0);
            return Err(self.cut());
        }
        let began = self.tell.now;
        let call = self.client(home, name, run, request.0);
        self.tell.sheet.with(call, |span| span.part = Part::Llm);
        self.asked = Some(call);
        let ends = began + step.call.took;
        // The real client is done when it has the stream; put right, it is done when the stream is.
        let returned = if running.streamed && self.quirks() { began + step.call.first * 3 / 4 } else { ends };
        self.tell.sheet.close(call, returned, number::OK);
        self.usage(call, run, step.call);
        if running.streamed && running.is_silent {
            self.tell.now = began + step.call.first;
            self.first_token(running);
        }
        self.tell.now = ends.max(self.tell.now);
        if running.streamed && last && running.first && matches!(self.story.ending, Ending::Withdrawn) {
            self.withdrawn(home, run);
        }
        self.legacy(home, "agent.step.llm_response.received");
        self.provider_trace(running, step, request.1);
        self.converted(running, step);
        running.talk.go_on(step, self.tell.sheet);
        self.request_finish(running, stepping, began);
        Ok(())
    }

    /// The request is made of the messages.
    fn build(&mut self, home: Handle, running: &Running<'_>) {
        let build = self.quick(home, running.run.model.build, 380);
        self.parameters(build, &[("parameter.messages", running.talk.listed())]);
    }

    /// The first token of a run has come.
    fn first_token(&mut self, running: &mut Running<'_>) {
        running.is_silent = false;
        let now = self.tell.now;
        let waited = Teller::millis(now - running.began);
        self.tell.sheet.event(running.request, now, "time_to_first_token_ms", &[("ttft_ms", waited)]);
        let span = self.quick(running.home, "LettaAgentV3._request_checkpoint_ttft", 65);
        self.parameters(
            span,
            &[
                ("parameter.request_span", Given::Object("_Span", running.request_python, None)),
                ("parameter.request_start_timestamp_ns", running.since.into()),
            ],
        );
    }

    /// What Letta logs of a call that failed: that it is tried once more after a while, or that it was tried often enough.
    fn retry(&mut self, home: Handle, failure: &Failure, (key, times): (&'static str, u64), delay: Option<u64>) {
        let mut logged = vec![(key, Datum::from(times))];
        if let Some(delay) = delay {
            logged.push(("delay", Datum::Milli(i64::try_from(delay / MILLI).unwrap_or(0))));
        }
        let code = failure.message.split([' ', '.']).find_map(|word| word.parse::<u64>().ok());
        logged.extend(code.map(|code| ("status_code", Datum::from(code))));
        logged.extend([("error_type", failure.class.into()), ("error", failure.message.into())]);
        let name = if delay.is_some() { "llm_retry_attempt" } else { "llm_max_retries_exceeded" };
        let now = self.tell.now;
        self.tell.sheet.event(home, now, name, &logged);
    }

    pub(super) fn client(&mut self, home: Handle, name: &'static str, run: &Run, request: Word) -> Handle {
        let call = self.enter(home, name);
        self.client_parameters(run, request);
        self.running.pop();
        call
    }

    /// The model's settings as Python prints them.
    fn settings(&mut self, run: &Run) -> Given {
        let model = run.model;
        let config = self.tell.sheet.word(format_args!(
            "{{'model': '{}', 'model_endpoint_type': '{}', 'model_endpoint': 'https://{}/v1', 'provider_name': '{}', 'provider_category': 'base', 'context_window': {}, 'temperature': 0.7, 'max_tokens': 4096}}",
            model.name, model.endpoint, model.host, model.endpoint, model.window
        ));
        Given::Object("LLMConfig", config, None)
    }

    /// What the client that is running was given.
    pub(super) fn client_parameters(&mut self, run: &Run, request: Word) {
        let config = self.settings(run);
        if let Some(call) = self.running.last().copied() {
            let request = Given::Object("dict", request, None);
            self.parameters(call, &[("parameter.request_data", request), ("parameter.llm_config", config)]);
        }
    }

    /// Letta keeps the usage in the payloads alone; put right, it stands on the call.
    pub(super) fn usage(&mut self, call: Handle, run: &Run, used: Call) {
        if !self.quirks() {
            self.tell.sheet.set_all(
                call,
                &[
                    ("gen_ai.request.model", run.model.name.into()),
                    ("gen_ai.usage.input_tokens", used.input.into()),
                    ("gen_ai.usage.output_tokens", used.output.into()),
                    ("gen_ai.usage.cache_read.input_tokens", used.cached.into()),
                ],
            );
        }
    }

    fn provider_trace(&mut self, running: &mut Running<'_>, step: &Step, request: Word) {
        if self.is_legacy() {
            return self.telemetry(running, step, request);
        }
        let adapter = if running.streamed { "SimpleLLMStreamAdapter" } else { "SimpleLLMRequestAdapter" };
        let name = self.tell.sheet.join(&[adapter.into(), ".log_provider_trace".into()]);
        let log = self.enter(running.home, name);
        self.parameters(log, &[("parameter.step_id", step.id.into()), ("parameter.actor", self.actor.into())]);
        let response = response(running.run, step.call, &step.tools, "\"", self.tell.sheet);
        self.tell.sheet.set_all(log, &[("request_data", request.into()), ("response_data", response.into())]);
        self.tell.pass(120);
        let takes = self.tell.lasting(21 * MILLI);
        let task = self.task(log, "coroutine.safe_create_task", "create_provider_trace".into(), takes);
        let trace = self.tell.sheet.join(&["{'step_id': '".into(), step.id, "'}".into()]);
        self.job(
            task,
            "TelemetryManager.create_provider_trace_async",
            takes,
            &[("parameter.actor", self.actor.into()), ("parameter.provider_trace", Given::Object("dict", trace, None))],
        );
        self.leave(log);
    }

    /// The answer becomes what all answers look like. What that is given is long, and Letta records it.
    fn converted(&mut self, running: &Running<'_>, step: &Step) {
        let run = running.run;
        let convert = self.quick(running.home, run.model.convert, 210);
        if self.quirks() {
            let response = response(run, step.call, &step.tools, "'", self.tell.sheet);
            let messages = running.talk.printed(self.tell.sheet);
            let config = self.settings(run);
            self.parameters(
                convert,
                &[
                    ("parameter.response_data", Given::Object("dict", response, None)),
                    ("parameter.input_messages", messages),
                    ("parameter.llm_config", config),
                ],
            );
        }
    }

    fn request_finish(&mut self, running: &Running<'_>, stepping: &Stepping, began: u64) {
        if let Some(started) = stepping.stamp {
            let stamp = self.stamp();
            let finish = self.quick(running.home, "LettaAgentV3._step_checkpoint_llm_request_finish", 60);
            self.parameters(
                finish,
                &[
                    ("parameter.step_metrics", started.into()),
                    ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
                    ("parameter.llm_request_finish_timestamp_ns", stamp.into()),
                ],
            );
        }
        let now = self.tell.now;
        self.tell.sheet.event(stepping.span, now, "llm_request_ms", &[("duration_ms", Teller::millis(now - began))]);
    }

    /// What has been said is summarised, and the conversation goes on from there.
    pub(super) fn compact(&mut self, running: &mut Running<'_>, step: &Step, summary: Call) {
        let (home, run) = (running.home, running.run);
        let compact = self.enter(home, self.method("compact"));
        self.parameters(
            compact,
            &[
                ("parameter.messages", running.talk.listed()),
                ("parameter.run_id", run.id.into()),
                ("parameter.step_id", step.id.into()),
                ("parameter.trigger", "post_step_context_check".into()),
            ],
        );
        self.quick(compact, self.method("_get_valid_tools"), 45);
        let all = self.enter(compact, "letta.services.summarizer.compact.compact_messages");
        self.parameters(all, &[("parameter.actor", self.actor.into()), ("parameter.messages", running.talk.listed())]);
        let summarise = self.enter(all, "list.simple_summary");
        self.parameters(summarise, &[("parameter.actor", self.actor.into()), ("parameter.run_id", run.id.into())]);
        running.talk.ask_for_summary(self.tell.sheet);
        self.build(summarise, running);
        let request = running.talk.request(run, summary.most, self.tell.sheet);
        let ask = self.enter(summarise, "dict._run_summarizer_request");
        let call = self.client(ask, run.model.request, run, request.0);
        self.tell.now += summary.took;
        self.tell.sheet.close(call, self.tell.now, number::OK);
        self.usage(call, run, summary);
        self.telemetry_of(ask, step.id, run, summary, None);
        [ask, summarise, all].into_iter().for_each(|span| self.leave(span));
        self.leave(compact);
        running.talk.begin(run, summary.text, self.tell.sheet);
        self.quick(home, "AgentManager.rebuild_system_prompt_async", 2_400);
        self.quick(home, self.method("_refresh_messages"), 700);
    }

    /// Somebody called the run off while it streamed.
    fn withdrawn(&mut self, home: Handle, run: &Run) {
        let consume = self.tell.sheet.open(Some(home), "RunManager.consume_stream", self.tell.now - 20 * MICRO);
        self.parameters(consume, &[("parameter.run_id", run.id.into())]);
        let message = self.tell.sheet.join(&["Run ".into(), run.id, " was cancelled".into()]);
        self.tell.pass(60);
        let now = self.tell.now;
        let qualified = "letta.server.rest_api.streaming_response.RunCancelledException";
        self.tell.exception(consume, now, qualified, message, "cancellation_aware_stream_wrapper".into());
        self.shielded(consume, run);
        if self.quirks() {
            self.tell.fail(consume, "RunCancelledException", message);
        } else {
            self.tell.sheet.close(consume, self.tell.now, number::UNSET);
        }
    }
}
