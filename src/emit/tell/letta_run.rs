//! A run of Letta's third agent loop: checkpoints, steps, calls to the model.
//!
//! Comes in: a run. Goes out: its spans under `LettaAgentV3.step`, or under the task that reads a stream.

use super::letta::{Given, Halt, Letta};
use super::letta_payload::Talk;
use super::teller::{MICRO, MILLI, Teller};
use crate::emit::sheet::{Datum, Handle, Part, Word, number};
use crate::emit::story::{Ending, Run, Step};

/// A run while it is being told.
pub(super) struct Running<'r> {
    /// What happens.
    pub(super) run: &'r Run,
    /// The span under which its steps stand side by side.
    pub(super) home: Handle,
    /// The answer is streamed.
    pub(super) streamed: bool,
    /// The run of the agent that the request went to, not one that it handed work to.
    pub(super) first: bool,
    /// `time_to_first_token`.
    request: Handle,
    /// The same, as Python prints it.
    request_python: Word,
    /// When the request came, as text.
    since: Word,
    /// When it came.
    began: u64,
    /// What has been said so far.
    talk: Talk,
}

/// What a step needs from one method to the next.
pub(super) struct Stepping {
    /// `agent_step`.
    pub(super) span: Handle,
    /// The same, as Python prints it.
    pub(super) python: Word,
    /// When it began.
    began: u64,
    /// The same as text.
    stamp: Word,
}

impl Letta<'_, '_> {
    /// A run whose caller waits for it.
    pub(super) fn whole_run(&mut self, parent: Handle, run: &Run) -> Result<(), Halt> {
        let depth = self.running.len();
        let step = self.enter(parent, "LettaAgentV3.step");
        self.tell.sheet.with(step, |span| span.part = Part::Agent);
        let stamp = self.stamp();
        let messages = self.tell.sheet.join(&["[{'role': 'user', 'content': '".into(), run.question, "'}]".into()]);
        self.parameters(
            step,
            &[
                ("parameter.input_messages", Given::Items(1, messages)),
                ("parameter.max_steps", "50".into()),
                ("parameter.run_id", run.id.into()),
                ("parameter.use_assistant_message", "True".into()),
                ("parameter.request_start_timestamp_ns", stamp.into()),
            ],
        );
        match self.run(step, run, false, depth == 0) {
            Ok(()) => {
                self.leave(step);
                Ok(())
            }
            Err(halt) => {
                self.unwind(halt, depth);
                Err(halt)
            }
        }
    }

    /// A run that a stream is read from: its spans stand under the reader's task.
    pub(super) fn streamed_run(&mut self, task: Handle, run: &Run) -> Result<(), Halt> {
        let ran = self.run(task, run, true, true);
        if let Err(halt) = ran {
            self.unwind(halt, 0);
        }
        ran
    }

    fn stamp(&mut self) -> Word {
        let now = self.tell.now;
        self.tell.digits(now)
    }

    fn run(&mut self, home: Handle, run: &Run, streamed: bool, first: bool) -> Result<(), Halt> {
        let mut running = self.begin(home, run, streamed, first);
        let ending = if first { self.story.ending } else { Ending::Answered };
        self.messages_in_context(&running);
        for (number, step) in run.steps.iter().enumerate() {
            let last = number + 1 == run.steps.len();
            if last && matches!(ending, Ending::Stopped) {
                let check = self.quick(home, "LettaAgentV3._check_run_cancellation", 900);
                self.parameters(check, &[("parameter.run_id", run.id.into())]);
                let now = self.tell.now;
                self.tell.sheet.event(
                    running.request,
                    now,
                    "stop_reason",
                    &[("stop_reason", "cancelled".into()), ("error", "None".into()), ("stacktrace", "None".into())],
                );
                break;
            }
            if let Err(halt) = self.step(&mut running, step, number, last) {
                self.give_up(&running, halt);
                return Err(halt);
            }
        }
        if streamed && matches!(ending, Ending::Left) {
            self.client_left(home);
        }
        self.finish(&running);
        Ok(())
    }

    fn begin<'r>(&mut self, home: Handle, run: &'r Run, streamed: bool, first: bool) -> Running<'r> {
        let began = self.tell.now;
        let since = self.stamp();
        let checkpoint = self.enter(home, "LettaAgentV3._request_checkpoint_start");
        self.parameters(checkpoint, &[("parameter.request_start_timestamp_ns", since.into())]);
        // Letta hangs it under the checkpoint, which ends at once; put right, it hangs where it belongs.
        let (under, from) = if self.quirks() { (checkpoint, began - 20 * MICRO) } else { (home, self.tell.now) };
        let request = self.tell.sheet.open(Some(under), "time_to_first_token", from);
        self.tell.pass(60);
        self.leave(checkpoint);
        self.llm_config(request, run);
        let request_python = self.span_python("time_to_first_token", request);
        if first && matches!(self.story.ending, Ending::Cut { asked: true }) {
            self.tell.sheet.event(request, began, "stop_reason", &[("stop_reason", "cancelled".into())]);
        }
        let talk = Talk::new(run, self.tell.sheet);
        Running { run, home, streamed, first, request, request_python, since, began, talk }
    }

    fn llm_config(&mut self, span: Handle, run: &Run) {
        let model = run.model;
        let endpoint = self.tell.sheet.join(&["https://".into(), model.host.into(), "/v1".into()]);
        let handle = self.tell.sheet.join(&[model.provider.into(), "/".into(), model.name.into()]);
        self.tell.sheet.set_all(
            span,
            &[
                ("llm_config.model", model.name.into()),
                ("llm_config.model_endpoint_type", model.provider.into()),
                ("llm_config.model_endpoint", endpoint.into()),
                ("llm_config.provider_name", model.provider.into()),
                ("llm_config.provider_category", "base".into()),
                ("llm_config.context_window", model.window.into()),
                ("llm_config.put_inner_thoughts_in_kwargs", true.into()),
                ("llm_config.handle", handle.into()),
                ("llm_config.temperature", Datum::Milli(700)),
                ("llm_config.max_tokens", 4_096u64.into()),
                ("llm_config.enable_reasoner", false.into()),
                ("llm_config.max_reasoning_tokens", 0u64.into()),
                ("llm_config.strict", false.into()),
            ],
        );
    }

    /// A span as the Python SDK prints it.
    fn span_python(&mut self, name: &'static str, span: Handle) -> Word {
        let (trace, id) = (self.tell.sheet.trace, self.tell.sheet.id(span));
        self.tell.sheet.word(format_args!(
            "_Span(name=\"{name}\", context=SpanContext(trace_id=0x{trace:032x}, span_id=0x{id:016x}, trace_flags=0x01, trace_state=[], is_remote=False))"
        ))
    }

    fn messages_in_context(&mut self, running: &Running<'_>) {
        let prepare = self.enter(running.home, "list._prepare_in_context_messages_no_persist_async");
        self.parameters(
            prepare,
            &[("parameter.agent_state", self.agent(running.run)), ("parameter.actor", self.actor.into())],
        );
        let get = self.enter(prepare, "MessageManager.get_messages_by_ids_async");
        self.parameters(get, &[("parameter.actor", self.actor.into())]);
        if self.story.sql {
            let took = self.tell.lasting(3 * MILLI);
            let select =
                "SELECT messages.id, messages.role, messages.content FROM messages WHERE messages.id = ANY($1)";
            self.tell.sql(get, (select, "SELECT", "messages"), took, None);
        }
        self.tell.pass(600);
        self.leave(get);
        self.quick(prepare, "list.backfill_missing_tool_call_ids", 40);
        self.leave(prepare);
    }

    /// The agent's state, which is never recorded.
    pub(super) fn agent(&self, run: &Run) -> Given {
        Given::Object("AgentState", "AgentState()".into(), Some(run.agent))
    }

    fn step(&mut self, running: &mut Running<'_>, step: &Step, number: usize, last: bool) -> Result<(), Halt> {
        let home = running.home;
        self.announce(running, number);
        let stepping = self.checkpoint_start(running, step);
        let called = self.call(running, step, &stepping, last);
        if let Err(halt) = called {
            self.abandon(&stepping);
            return Err(halt);
        }
        if let Err(halt) = self.handle(running, step, &stepping, last) {
            self.abandon(&stepping);
            return Err(halt);
        }
        if running.streamed && last {
            self.quick(home, "LettaAgentV3._request_checkpoint_ttft", 65);
        }
        self.checkpoint_finish(running, step, &stepping);
        if !last {
            self.task(home, "coroutine.safe_create_task_with_return", "background task".into(), 20 * MILLI);
        }
        Ok(())
    }

    /// The generator is created: a moment, whatever the step takes.
    fn announce(&mut self, running: &Running<'_>, number: usize) {
        let generator = self.quick(running.home, "LettaAgentV3._step", 55);
        let number = self.tell.digits(number as u64);
        let adapter = if self.quirks() {
            let at = self.tell.sheet.chance.below(1 << 32);
            self.tell.sheet.word(format_args!(
                "<letta.adapters.simple_llm_request_adapter.SimpleLLMRequestAdapter object at 0x7f{at:010x}>"
            ))
        } else {
            "SimpleLLMRequestAdapter()".into()
        };
        self.parameters(
            generator,
            &[
                ("parameter.messages", Given::Items(3, "[]".into())),
                ("parameter.llm_adapter", Given::Object("SimpleLLMRequestAdapter", adapter, None)),
                ("parameter.run_id", running.run.id.into()),
                ("parameter.i", number.into()),
            ],
        );
        self.quick(running.home, "LettaAgentV3._get_valid_tools", 45);
        self.quick(running.home, "LettaAgentV3._refresh_messages", 700);
        let check = self.quick(running.home, "LettaAgentV3._check_run_cancellation", 900);
        self.parameters(check, &[("parameter.run_id", running.run.id.into())]);
    }

    fn checkpoint_start(&mut self, running: &Running<'_>, step: &Step) -> Stepping {
        let run = running.run;
        let stamp = self.stamp();
        let began = self.tell.now;
        let start = self.enter(running.home, "LettaAgentV3._step_checkpoint_start");
        self.parameters(start, &[("parameter.step_id", step.id.into()), ("parameter.run_id", run.id.into())]);
        let under = if self.quirks() { start } else { running.home };
        let span = self.tell.sheet.open(Some(under), "agent_step", self.tell.now);
        self.tell.sheet.with(span, |span| span.part = Part::Step);
        self.tell.sheet.set(span, "step_id", step.id);
        let log = self.enter(start, "StepManager.log_step_async");
        let window = self.tell.digits(run.model.window);
        self.parameters(
            log,
            &[
                ("parameter.actor", self.actor.into()),
                ("parameter.agent_id", run.agent.into()),
                ("parameter.provider_name", run.model.provider.into()),
                ("parameter.model", run.model.name.into()),
                ("parameter.context_window_limit", window.into()),
                ("parameter.usage", "UsageStatistics(completion_tokens=0, prompt_tokens=0, total_tokens=0)".into()),
                ("parameter.step_id", step.id.into()),
                ("parameter.run_id", run.id.into()),
                ("parameter.status", "pending".into()),
            ],
        );
        if self.story.sql {
            let took = self.tell.lasting(MILLI);
            let insert = "INSERT INTO steps (id, run_id, agent_id, model, status) VALUES ($1, $2, $3, $4, $5)";
            self.tell.sql(log, (insert, "INSERT", "steps"), took, None);
        }
        self.tell.pass(2_000);
        self.leave(log);
        self.step_metrics(start, step, run);
        self.leave(start);
        let python = self.span_python("agent_step", span);
        Stepping { span, python, began, stamp }
    }

    /// Metrics are written by a task that nobody waits for.
    fn step_metrics(&mut self, parent: Handle, step: &Step, run: &Run) {
        let takes = self.tell.lasting(10 * MILLI);
        let task = self.task(parent, "coroutine.safe_create_task", "record_step_metrics".into(), takes);
        self.job(
            task,
            "StepManager.record_step_metrics_async",
            takes,
            &[
                ("parameter.actor", self.actor.into()),
                ("parameter.step_id", step.id.into()),
                ("parameter.step_ns", Given::Nothing),
                ("parameter.llm_request_ns", Given::Nothing),
                ("parameter.run_id", run.id.into()),
            ],
        );
    }

    fn call(&mut self, running: &mut Running<'_>, step: &Step, stepping: &Stepping, last: bool) -> Result<(), Halt> {
        let (home, run) = (running.home, running.run);
        let build = self.quick(home, run.model.build, 380);
        self.parameters(build, &[("parameter.messages", Given::Items(3, "[]".into()))]);
        let start = self.quick(home, "LettaAgentV3._step_checkpoint_llm_request_start", 60);
        self.parameters(
            start,
            &[
                ("parameter.step_metrics", stepping.stamp.into()),
                ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
            ],
        );
        let now = self.tell.now;
        // Letta names it nanoseconds and means milliseconds since 1970.
        let waited = Teller::millis(now);
        self.tell.sheet.event(
            stepping.span,
            now,
            "request_start_to_provider_request_start_ns",
            &[("request_start_to_provider_request_start_ns", waited)],
        );
        let request = running.talk.request(run, self.tell.sheet);
        let name = if running.streamed { run.model.stream } else { run.model.request };
        for attempt in &step.attempts {
            let call = self.client(home, name, run, request.0);
            self.tell.now += attempt.took;
            self.tell.fail_here(call, attempt.failure);
            self.tell.now += attempt.pause;
        }
        if last
            && running.first
            && let Ending::Broken(failure) = self.story.ending
        {
            self.enter(home, name);
            self.client_parameters(run, request.0);
            self.tell.now += 45 * MILLI;
            return Err(Halt::Failed(failure));
        }
        let began = self.tell.now;
        let call = self.client(home, name, run, request.0);
        self.tell.sheet.with(call, |span| span.part = Part::Llm);
        self.tell.now += step.call.took;
        self.tell.sheet.close(call, self.tell.now, number::OK);
        self.usage(call, run, step);
        if running.streamed {
            let first = began + step.call.first;
            let waited = Teller::millis(first - running.began);
            self.tell.sheet.event(running.request, first, "time_to_first_token_ms", &[("ttft_ms", waited)]);
            if last && running.first && matches!(self.story.ending, Ending::Withdrawn) {
                self.withdrawn(home, run);
            }
        }
        self.provider_trace(running, step, request.1);
        self.quick(home, run.model.convert, 210);
        self.request_finish(running, stepping, began);
        Ok(())
    }

    fn client(&mut self, home: Handle, name: &'static str, run: &Run, request: Word) -> Handle {
        let call = self.enter(home, name);
        self.client_parameters(run, request);
        self.running.pop();
        call
    }

    /// What the client that is running was given.
    fn client_parameters(&mut self, run: &Run, request: Word) {
        let model = run.model;
        let config = self.tell.sheet.word(format_args!(
            "{{'model': '{}', 'model_endpoint_type': '{}', 'model_endpoint': 'https://{}/v1', 'provider_name': '{}', 'provider_category': 'base', 'context_window': {}, 'temperature': 0.7, 'max_tokens': 4096}}",
            model.name, model.provider, model.host, model.provider, model.window
        ));
        if let Some(call) = self.running.last().copied() {
            self.parameters(
                call,
                &[
                    ("parameter.request_data", Given::Object("dict", request, None)),
                    ("parameter.llm_config", Given::Object("LLMConfig", config, None)),
                ],
            );
        }
    }

    /// Letta keeps the usage in the payloads alone; put right, it stands on the call.
    fn usage(&mut self, call: Handle, run: &Run, step: &Step) {
        if !self.quirks() {
            let used = step.call;
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
        let adapter = if running.streamed { "SimpleLLMStreamAdapter" } else { "SimpleLLMRequestAdapter" };
        let name = self.tell.sheet.join(&[adapter.into(), ".log_provider_trace".into()]);
        let log = self.enter(running.home, name);
        self.parameters(log, &[("parameter.step_id", step.id.into()), ("parameter.actor", self.actor.into())]);
        let response = running.talk.response(running.run, step, self.tell.sheet);
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

    fn request_finish(&mut self, running: &Running<'_>, stepping: &Stepping, began: u64) {
        let stamp = self.stamp();
        let finish = self.quick(running.home, "LettaAgentV3._step_checkpoint_llm_request_finish", 60);
        self.parameters(
            finish,
            &[
                ("parameter.step_metrics", stepping.stamp.into()),
                ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
                ("parameter.llm_request_finish_timestamp_ns", stamp.into()),
            ],
        );
        let now = self.tell.now;
        self.tell.sheet.event(stepping.span, now, "llm_request_ms", &[("duration_ms", Teller::millis(now - began))]);
    }

    fn checkpoint_finish(&mut self, running: &Running<'_>, step: &Step, stepping: &Stepping) {
        let finish = self.enter(running.home, "LettaAgentV3._step_checkpoint_finish");
        self.parameters(
            finish,
            &[
                ("parameter.step_metrics", stepping.stamp.into()),
                ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
                ("parameter.step_id", step.id.into()),
            ],
        );
        self.step_metrics(finish, step, running.run);
        let update = self.quick(finish, "StepManager.update_step_success_async", 1_200);
        let (input, output) = (step.call.input, step.call.output);
        let usage = self.tell.sheet.word(format_args!(
            "UsageStatistics(completion_tokens={output}, prompt_tokens={input}, total_tokens={})",
            input + output
        ));
        self.parameters(
            update,
            &[
                ("parameter.actor", self.actor.into()),
                ("parameter.step_id", step.id.into()),
                ("parameter.usage", usage.into()),
                ("parameter.stop_reason", Given::Nothing),
            ],
        );
        let now = self.tell.now;
        let took = Teller::millis(now - stepping.began);
        self.tell.sheet.event(stepping.span, now, "step_ms", &[("duration_ms", took)]);
        let failed = step.tools.iter().find_map(|tool| tool.failed);
        match failed.filter(|_| !self.quirks()) {
            Some(message) => self.tell.fail(stepping.span, "ToolError", message),
            None => self.tell.sheet.close(stepping.span, now, number::UNSET),
        }
        self.leave(finish);
    }

    fn finish(&mut self, running: &Running<'_>) {
        let run = running.run;
        self.quick(running.home, "StepManager.update_step_stop_reason", 1_000);
        let finish = self.enter(running.home, "LettaAgentV3._request_checkpoint_finish");
        let request = Given::Object("_Span", running.request_python, None);
        self.parameters(
            finish,
            &[
                ("parameter.request_span", request),
                ("parameter.request_start_timestamp_ns", running.since.into()),
                ("parameter.run_id", run.id.into()),
            ],
        );
        let log = self.enter(finish, "LettaAgentV3._log_request");
        self.parameters(
            log,
            &[
                ("parameter.request_start_timestamp_ns", running.since.into()),
                ("parameter.request_span", request),
                ("parameter.job_update_metadata", Given::Nothing),
                ("parameter.is_error", "False".into()),
                ("parameter.run_id", run.id.into()),
            ],
        );
        let now = self.tell.now;
        let took = Teller::millis(now - running.began);
        self.tell.sheet.event(running.request, now, "letta_request_ms", &[("duration_ms", took)]);
        self.tell.sheet.close(running.request, now, number::UNSET);
        self.tell.pass(40);
        self.leave(log);
        self.leave(finish);
    }

    /// A step that does not end well: Letta never ends its span, so that it is lost; put right, it ends with the others.
    fn abandon(&mut self, stepping: &Stepping) {
        if self.quirks() {
            self.lose(stepping.span);
        } else {
            self.tell.sheet.close(stepping.span, self.tell.now, number::UNSET);
        }
    }

    fn give_up(&mut self, running: &Running<'_>, halt: Halt) {
        if let Halt::Failed(failure) = halt {
            let update = self.quick(running.home, "StepManager.update_step_error_async", 1_300);
            self.parameters(
                update,
                &[("parameter.actor", self.actor.into()), ("parameter.error_type", failure.class.into())],
            );
        }
        if self.quirks() {
            self.lose(running.request);
        } else {
            self.tell.sheet.close(running.request, self.tell.now, number::UNSET);
        }
    }

    /// A span that is never exported: it has no children.
    fn lose(&mut self, span: Handle) {
        self.tell.sheet.with(span, |span| span.trace = 0);
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
        if self.quirks() {
            self.tell.fail(consume, "RunCancelledException", message);
        } else {
            self.tell.sheet.close(consume, now, number::UNSET);
        }
    }

    /// The client is gone; the run goes on.
    fn client_left(&mut self, home: Handle) {
        let send = self.tell.sheet.open(Some(home), "StreamingResponseWithStatusCode.stream_response", self.tell.now);
        self.tell.pass(300);
        let now = self.tell.now;
        self.tell.exception(send, now, "anyio.ClosedResourceError", Word::default(), "send".into());
        self.tell.sheet.close(send, now, number::UNSET);
    }
}
