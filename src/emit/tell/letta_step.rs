//! A step of Letta's agent loop, between its two checkpoints.
//!
//! Comes in: a step of a run. Goes out: `agent_step`, what is logged about it, and the tasks that write its metrics. Calls and
//! tools are told by their own files.

use super::letta::{Given, Halt, Letta};
use super::letta_run::Running;
use super::sql::STEP;
use super::teller::{MILLI, Teller};
use crate::emit::sheet::{Handle, Part, Word, number};
use crate::emit::story::{Run, Step};

/// What a step needs from one method to the next.
pub(super) struct Stepping {
    /// `agent_step`.
    pub(super) span: Handle,
    /// The same, as Python prints it.
    pub(super) python: Word,
    /// When it began.
    pub(super) began: u64,
    /// The same as text, where checkpoints are told of it.
    pub(super) stamp: Option<Word>,
}

impl Letta<'_, '_> {
    pub(super) fn step(
        &mut self,
        running: &mut Running<'_>,
        step: &Step,
        number: usize,
        last: bool,
    ) -> Result<(), Halt> {
        let home = running.home;
        self.tell.now += step.pause;
        if let Some(summary) = step.summary {
            self.compact(running, step, summary);
        }
        let stepping = if self.is_legacy() {
            self.legacy_start(running, step)
        } else {
            self.announce(running, number);
            self.checkpoint_start(running, step)
        };
        let told = self.call(running, step, &stepping, last).and_then(|()| self.handle(running, step, &stepping, last));
        if let Err(halt) = told {
            self.abandon(&stepping);
            return Err(halt);
        }
        if self.is_legacy() {
            self.legacy_finish(running, step, &stepping);
            return Ok(());
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
        let class = if running.streamed { "SimpleLLMStreamAdapter" } else { "SimpleLLMRequestAdapter" };
        let adapter = if self.quirks() {
            let at = self.tell.sheet.chance.below(1 << 32);
            let module = if running.streamed { "simple_llm_stream_adapter" } else { "simple_llm_request_adapter" };
            self.tell.sheet.word(format_args!("<letta.adapters.{module}.{class} object at 0x7f{at:010x}>"))
        } else {
            self.tell.sheet.join(&[class.into(), "()".into()])
        };
        self.parameters(
            generator,
            &[
                ("parameter.messages", running.talk.listed()),
                ("parameter.llm_adapter", Given::Object(class, adapter, None)),
                ("parameter.run_id", running.run.id.into()),
                ("parameter.i", number.into()),
            ],
        );
        self.quick(running.home, "LettaAgentV3._get_valid_tools", 45);
        let refresh = self.quick(running.home, "LettaAgentV3._refresh_messages", 700);
        self.parameters(refresh, &[("parameter.in_context_messages", running.talk.listed())]);
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
        self.log_step(start, run, step);
        self.step_metrics(start, step, run);
        self.leave(start);
        let python = self.span_python("agent_step", span);
        Stepping { span, python, began, stamp: Some(stamp) }
    }

    /// A step is written down as soon as it begins.
    pub(super) fn log_step(&mut self, parent: Handle, run: &Run, step: &Step) {
        let log = self.enter(parent, "StepManager.log_step_async");
        let window = self.tell.digits(run.model.window);
        self.parameters(
            log,
            &[
                ("parameter.actor", self.actor.into()),
                ("parameter.agent_id", run.agent.into()),
                ("parameter.provider_name", run.model.endpoint.into()),
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
            self.tell.sql(log, &STEP, took, None);
        }
        self.tell.pass(2_000);
        self.leave(log);
    }

    /// Metrics are written by a task that nobody waits for.
    fn step_metrics(&mut self, parent: Handle, step: &Step, run: &Run) {
        let takes = self.tell.lasting(10 * MILLI);
        let task = self.task(parent, "coroutine.safe_create_task", "record_step_metrics".into(), takes);
        let job = self.job(task, "StepManager.record_step_metrics_async", takes, &[]);
        self.metrics_given(job, step, run);
    }

    pub(super) fn metrics_given(&mut self, span: Handle, step: &Step, run: &Run) {
        self.parameters(
            span,
            &[
                ("parameter.actor", self.actor.into()),
                ("parameter.step_id", step.id.into()),
                ("parameter.step_ns", Given::Nothing),
                ("parameter.llm_request_ns", Given::Nothing),
                ("parameter.run_id", run.id.into()),
            ],
        );
    }

    fn checkpoint_finish(&mut self, running: &Running<'_>, step: &Step, stepping: &Stepping) {
        let finish = self.enter(running.home, "LettaAgentV3._step_checkpoint_finish");
        let began = stepping.stamp.unwrap_or_default();
        self.parameters(
            finish,
            &[
                ("parameter.step_metrics", began.into()),
                ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
                ("parameter.step_id", step.id.into()),
            ],
        );
        self.step_metrics(finish, step, running.run);
        self.step_success(finish, step);
        self.end_step(step, stepping);
        self.leave(finish);
    }

    pub(super) fn step_success(&mut self, parent: Handle, step: &Step) {
        let update = self.quick(parent, "StepManager.update_step_success_async", 1_200);
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
    }

    /// `agent_step` ends.
    pub(super) fn end_step(&mut self, step: &Step, stepping: &Stepping) {
        let now = self.tell.now;
        let took = Teller::millis(now - stepping.began);
        self.tell.sheet.event(stepping.span, now, "step_ms", &[("duration_ms", took)]);
        let failed = step.tools.iter().find_map(|tool| tool.failed);
        match failed.filter(|_| !self.quirks()) {
            Some(message) => self.tell.fail(stepping.span, "ToolError", message),
            None => self.tell.sheet.close(stepping.span, now, number::UNSET),
        }
    }

    /// A step that does not end well: Letta never ends its span, so that it is lost; put right, it ends with the others.
    fn abandon(&mut self, stepping: &Stepping) {
        if self.quirks() {
            self.lose(stepping.span);
        } else {
            self.tell.sheet.close(stepping.span, self.tell.now, number::UNSET);
        }
    }
}
