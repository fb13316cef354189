//! A run of Letta's third agent loop: how it begins, goes from step to step, and ends.
//!
//! Comes in: a run. Goes out: its spans under `LettaAgentV3.step`, or under the task that reads a stream.

use super::letta::{Given, Halt, Letta};
use super::letta_payload::Talk;
use super::sql::CONTEXT;
use super::teller::{MICRO, MILLI, Teller};
use crate::emit::sheet::{Datum, Handle, Part, Word, number};
use crate::emit::story::{Ending, Run};

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
    pub(super) request: Handle,
    /// The same, as Python prints it.
    pub(super) request_python: Word,
    /// When the request came, as text.
    pub(super) since: Word,
    /// When it came.
    pub(super) began: u64,
    /// No token has come yet.
    pub(super) is_silent: bool,
    /// What has been said so far.
    pub(super) talk: Talk,
}

impl Letta<'_, '_> {
    /// A run whose caller waits for it. What ends it early ends the callers too: whoever called first unwinds all of them.
    pub(super) fn whole_run(&mut self, parent: Handle, run: &Run) -> Result<(), Halt> {
        let depth = self.running.len();
        let step = self.enter(parent, self.method("step"));
        self.tell.sheet.with(step, |span| span.part = Part::Agent);
        if let Some(asked) = self.asked {
            self.tell.link(step, asked, "hand-off");
        }
        let since = self.stamp();
        let given = self.run_given(run, since);
        self.parameters(step, &given);
        let ran = self.run(step, run, false, depth == 0);
        match ran {
            Ok(()) => self.leave(step),
            Err(halt) if depth == 0 => self.unwind(halt, 0),
            Err(_) => {}
        }
        ran
    }

    /// What a run is given.
    pub(super) fn run_given(&mut self, run: &Run, since: Word) -> [(&'static str, Given); 5] {
        let messages = self.tell.sheet.join(&["[{'role': 'user', 'content': '".into(), run.question, "'}]".into()]);
        [
            ("parameter.input_messages", Given::Items(1, messages)),
            ("parameter.max_steps", "50".into()),
            ("parameter.run_id", run.id.into()),
            ("parameter.use_assistant_message", "True".into()),
            ("parameter.request_start_timestamp_ns", since.into()),
        ]
    }

    /// A run that a stream is read from: its spans stand under the reader's task.
    pub(super) fn streamed_run(&mut self, task: Handle, run: &Run) -> Result<(), Halt> {
        let ran = self.run(task, run, true, true);
        if let Err(halt) = ran {
            self.unwind(halt, 0);
        }
        ran
    }

    pub(super) fn stamp(&mut self) -> Word {
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
                if !self.is_legacy() {
                    let check = self.quick(home, "LettaAgentV3._check_run_cancellation", 900);
                    self.parameters(check, &[("parameter.run_id", run.id.into())]);
                }
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
            self.client_left(home, run);
        }
        self.finish(&running);
        Ok(())
    }

    fn begin<'r>(&mut self, home: Handle, run: &'r Run, streamed: bool, first: bool) -> Running<'r> {
        let began = self.tell.now;
        let since = self.stamp();
        let request = if self.is_legacy() { self.legacy_begin(home, run) } else { self.checkpoint(home, run, since) };
        let request_python = self.span_python("time_to_first_token", request);
        if first {
            self.request = Some(request);
        }
        let talk = Talk::new(run, self.tell.sheet);
        Running { run, home, streamed, first, request, request_python, since, began, is_silent: true, talk }
    }

    /// Letta hangs `time_to_first_token` under the checkpoint, which ends at once; put right, it hangs where it belongs.
    fn checkpoint(&mut self, home: Handle, run: &Run, since: Word) -> Handle {
        let began = self.tell.now;
        let checkpoint = self.enter(home, "LettaAgentV3._request_checkpoint_start");
        self.parameters(checkpoint, &[("parameter.request_start_timestamp_ns", since.into())]);
        let (under, from) = if self.quirks() { (checkpoint, began - 20 * MICRO) } else { (home, self.tell.now) };
        let request = self.tell.sheet.open(Some(under), "time_to_first_token", from);
        self.tell.pass(60);
        self.leave(checkpoint);
        self.llm_config(request, run);
        request
    }

    pub(super) fn llm_config(&mut self, span: Handle, run: &Run) {
        let model = run.model;
        let endpoint = self.tell.sheet.join(&["https://".into(), model.host.into(), "/v1".into()]);
        let handle = self.tell.sheet.join(&[model.endpoint.into(), "/".into(), model.name.into()]);
        self.tell.sheet.set_all(
            span,
            &[
                ("llm_config.model", model.name.into()),
                ("llm_config.model_endpoint_type", model.endpoint.into()),
                ("llm_config.model_endpoint", endpoint.into()),
                ("llm_config.provider_name", model.endpoint.into()),
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
    pub(super) fn span_python(&mut self, name: &'static str, span: Handle) -> Word {
        let (trace, id) = (self.tell.sheet.trace, self.tell.sheet.id(span));
        self.tell.sheet.word(format_args!(
            "_Span(name=\"{name}\", context=SpanContext(trace_id=0x{trace:032x}, span_id=0x{id:016x}, trace_flags=0x01, trace_state=[], is_remote=False))"
        ))
    }

    fn messages_in_context(&mut self, running: &Running<'_>) {
        if self.story.vast {
            self.compile_prompt(running.home, running.run);
        }
        let prepare = self.enter(running.home, "list._prepare_in_context_messages_no_persist_async");
        self.parameters(
            prepare,
            &[("parameter.agent_state", self.agent(running.run)), ("parameter.actor", self.actor.into())],
        );
        let get = self.enter(prepare, "MessageManager.get_messages_by_ids_async");
        self.parameters(get, &[("parameter.actor", self.actor.into())]);
        if self.story.sql {
            let took = self.tell.lasting(3 * MILLI);
            self.tell.sql(get, &CONTEXT, took, None);
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

    fn finish(&mut self, running: &Running<'_>) {
        let run = running.run;
        if self.is_legacy() {
            return self.legacy_end(running);
        }
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

    fn give_up(&mut self, running: &Running<'_>, halt: Halt) {
        if let Halt::Failed(failure) = halt {
            let class = failure.mapped.as_ref().map_or(failure.class, |mapped| mapped.class);
            let update = self.quick(running.home, "StepManager.update_step_error_async", 1_300);
            self.parameters(update, &[("parameter.actor", self.actor.into()), ("parameter.error_type", class.into())]);
        }
        if self.quirks() {
            self.lose(running.request);
        } else {
            self.tell.sheet.close(running.request, self.tell.now, number::UNSET);
        }
    }

    /// A span that is never exported: it has no children.
    pub(super) fn lose(&mut self, span: Handle) {
        self.tell.sheet.with(span, |span| span.trace = 0);
    }

    /// The client is gone; the run goes on.
    fn client_left(&mut self, home: Handle, run: &Run) {
        let send = self.tell.sheet.open(Some(home), "StreamingResponseWithStatusCode.stream_response", self.tell.now);
        self.tell.pass(300);
        let now = self.tell.now;
        self.tell.exception(send, now, "anyio.ClosedResourceError", Word::default(), "send".into());
        self.shielded(send, run);
        self.tell.sheet.close(send, self.tell.now, number::UNSET);
    }
}
