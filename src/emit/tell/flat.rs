//! The conventions that tell a run as one tree: request, workflow, agent, steps, calls to models, tools.
//!
//! Comes in: a story. Goes out: spans in OpenTelemetry's GenAI conventions, OpenInference or OpenLLMetry. They differ in names and
//! attributes alone, and in whether steps have spans; those are in files of their own.

use super::flat_said::{Message, Said};
use super::letta::Halt;
use super::letta_payload::SUM_UP;
use super::teller::{MICRO, MILLI, Teller};
use crate::emit::cast::{FASTAPI, GENAI, OPENINFERENCE, OPENLLMETRY};
use crate::emit::plan::Convention;
use crate::emit::sheet::{Handle, Part, Scope, Word, number};
use crate::emit::story::{Attempt, Call, Ending, Mode, Run, Step, Story, ToolUse};

/// Tells a story as one tree.
pub(in crate::emit) struct Flat<'a, 't> {
    /// Sheet, clock and services.
    pub(super) tell: &'a mut Teller<'t>,
    /// What happens.
    pub(super) story: &'a Story,
    /// Whose names are used.
    pub(super) convention: Convention,
    /// The answer is streamed.
    pub(super) streamed: bool,
    /// When the first token of the answer came.
    pub(super) first_token: Option<u64>,
    /// The agent that was asked.
    agent: Option<Handle>,
    /// The call to a model that asked for the tools that are running.
    pub(super) asked: Option<Handle>,
}

impl<'a, 't> Flat<'a, 't> {
    /// A teller of this story.
    pub(in crate::emit) fn new(tell: &'a mut Teller<'t>, story: &'a Story) -> Self {
        let (convention, streamed) = (tell.plan.convention, story.mode == Mode::Stream);
        Self { tell, story, convention, streamed, first_token: None, agent: None, asked: None }
    }

    /// The instrumentation that speaks this convention.
    fn scope(&self) -> Scope {
        match self.convention {
            Convention::Openinference => OPENINFERENCE,
            Convention::Openllmetry => OPENLLMETRY,
            Convention::Genai | Convention::Letta => GENAI,
        }
    }

    /// The status of a span that ended well: OpenInference says so, the others say nothing.
    pub(super) fn fine(&self) -> i32 {
        if self.convention == Convention::Openinference { number::OK } else { number::UNSET }
    }

    /// Tells the whole story.
    pub(in crate::emit) fn story(mut self) {
        self.tell.sheet.scope = FASTAPI;
        let name = if self.story.scheduled { "scheduled agent" } else { "POST /v1/agents/{agent}/runs" };
        let root = self.tell.sheet.open(None, name, self.tell.now);
        self.tell.sheet.with(root, |span| span.part = Part::Root);
        if self.story.scheduled {
            self.tell.scheduled(root);
        } else {
            self.request(root);
        }
        self.tell.pass(900);
        let status = match self.story.ending {
            Ending::Refused(status) => status,
            Ending::Unrouted => 404,
            Ending::Crashed => self.crash(root),
            _ => self.serve(root),
        };
        self.tell.pass(300);
        self.end(root, status);
    }

    fn serve(&mut self, root: Handle) -> u64 {
        // The stream's root ends with the first token, while its agent works: put right, it ends with an event that says that
        // the run has begun, and the agent begins when that is sent.
        let early = self.story.mode == Mode::Background || (self.streamed && !self.tell.plan.quirks);
        if early {
            let answered = self.tell.now + 2 * MILLI;
            // However long the answer takes to be sent, the work begins after it.
            self.tell.now = answered + 12 * MILLI;
            // What a schedule starts waits for nothing but its own run.
            if !self.story.scheduled {
                self.jobs(root);
            }
            // Nobody waits for it: how it ends is told by its own spans.
            let _: Result<(), Halt> = self.workflow(root);
            self.tell.now = if self.story.scheduled { self.tell.now } else { answered - 300 * MICRO };
            return 200;
        }
        let ran = self.workflow(root);
        if let Some(first) = self.first_token.filter(|_| self.streamed) {
            self.tell.now = first;
            return 200;
        }
        match (ran, self.story.ending) {
            (Err(Halt::Failed(failure)), _) => failure.status,
            (_, Ending::Left) => 499,
            _ => 200,
        }
    }

    /// Everything that agents do for a request.
    fn workflow(&mut self, root: Handle) -> Result<(), Halt> {
        self.tell.sheet.scope = self.scope();
        let workflow = self.open_workflow(root);
        self.tell.pass(150);
        let ran = self.run(workflow, &self.story.run, true);
        self.tell.pass(100);
        self.close_workflow(workflow, ran.is_ok());
        if let Err(halt) = ran {
            self.halted(workflow, halt, 4);
        }
        ran
    }

    /// An agent's run.
    pub(super) fn run(&mut self, parent: Handle, run: &Run, first: bool) -> Result<(), Halt> {
        let name = self.agent_name(run);
        let agent = self.tell.sheet.open(Some(parent), name, self.tell.now);
        self.tell.sheet.with(agent, |span| span.part = Part::Agent);
        self.agent(agent, run);
        if let Some(asked) = self.asked {
            self.tell.link(agent, asked, "hand-off");
        }
        if first {
            self.agent = Some(agent);
        }
        let ending = if first { self.story.ending } else { Ending::Answered };
        let mut messages = vec![self.message(1, Said::by("user", run.question))];
        let mut failed = false;
        for (number, step) in run.steps.iter().enumerate() {
            let last = number + 1 == run.steps.len();
            self.tell.pass(400);
            if last && matches!(ending, Ending::Stopped) {
                self.stopped(agent);
                break;
            }
            self.tell.now += step.pause;
            if let Some(summary) = step.summary {
                self.sum_up(agent, run, &mut messages, summary);
            }
            if let Err(halt) = self.step(agent, run, (number, step), &mut messages, last && first) {
                self.halted(agent, halt, 3);
                return Err(halt);
            }
            failed |= step.tools.iter().any(|tool| tool.failed.is_some());
        }
        self.tell.pass(200);
        let now = self.tell.now;
        let broken_off = match ending {
            Ending::Withdrawn => Some("GeneratorExit"),
            Ending::Left if self.streamed => Some("anyio.ClosedResourceError"),
            _ => None,
        };
        if let Some(class) = broken_off {
            self.tell.exception(agent, now, class, Word::default(), "stream".into());
        }
        let answer = run.steps.last().map(|step| step.call.text).unwrap_or_default();
        self.answered(agent, answer);
        let fine = if failed || broken_off.is_some() { number::UNSET } else { self.fine() };
        self.tell.sheet.close(agent, self.tell.now, fine);
        Ok(())
    }

    /// Somebody has called the run off.
    fn stopped(&mut self, agent: Handle) {
        let now = self.tell.now;
        self.tell.sheet.event(agent, now, "stop_reason", &[("stop_reason", "cancelled".into())]);
    }

    /// What ends a run early, on a span around what ended first.
    fn halted(&mut self, span: Handle, halt: Halt, frames: usize) {
        self.tell.pass(150);
        match halt {
            Halt::Failed(failure) => {
                // Instrumentations record what passes through them, each once more.
                if self.tell.plan.quirks {
                    self.tell.fail_here(span, failure);
                } else {
                    self.tell.fail(span, failure.class, failure.message.into());
                }
                self.tell.sheet.set(span, "error.type", failure.class);
            }
            Halt::Cancelled => self.cancelled(span, frames),
        }
    }

    fn step(
        &mut self,
        agent: Handle,
        run: &Run,
        (number, step): (usize, &Step),
        messages: &mut Vec<Message>,
        last: bool,
    ) -> Result<(), Halt> {
        let home = self.open_step(agent, number);
        let stepped = self.think(home.unwrap_or(agent), run, step, messages, last);
        if let Some(home) = home {
            match stepped {
                Ok(()) => self.close_step(home, step),
                Err(halt) => self.halted(home, halt, 2),
            }
        }
        stepped
    }

    /// A call to the model, and the tools that it asks for.
    fn think(
        &mut self,
        home: Handle,
        run: &Run,
        step: &Step,
        messages: &mut Vec<Message>,
        last: bool,
    ) -> Result<(), Halt> {
        let name = self.call_name(run);
        for attempt in &step.attempts {
            self.failed_call(home, name, run, messages, attempt);
        }
        let ending = self.story.ending;
        if last && let Ending::Broken(failure) = ending {
            let took = self.tell.lasting(70 * MILLI);
            self.failed_call(home, name, run, messages, &Attempt { failure, took, pause: 0 });
            return Err(Halt::Failed(failure));
        }
        let call = self.model(home, run, messages, step.call, &step.tools);
        self.tell.sheet.with(call, |span| span.part = Part::Llm);
        self.asked = Some(call);
        let answer = self.message(messages.len() + 1, Said::answer(step.call, &step.tools));
        messages.push(answer);
        self.tell.pass(250);
        let cut = last && matches!(ending, Ending::Cut { .. });
        let (began, mut done) = (self.tell.now, self.tell.now);
        for (at, tool) in step.tools.iter().enumerate() {
            self.tell.now = began + at as u64 * 50 * MICRO;
            self.tool(home, tool, cut)?;
            done = done.max(self.tell.now);
            let result = self.message(messages.len() + 1, Said::result(tool));
            messages.push(result);
        }
        self.tell.now = done;
        Ok(())
    }

    /// A call to a model that answers.
    fn model(&mut self, home: Handle, run: &Run, messages: &[Message], said: Call, tools: &[ToolUse]) -> Handle {
        let name = self.call_name(run);
        let call = self.tell.sheet.open(Some(home), name, self.tell.now);
        let began = self.tell.now;
        self.call(call, run, messages, said.most);
        self.tell.now += said.took;
        self.first_token.get_or_insert(began + said.first);
        self.usage(call, run, said, tools, began);
        self.tell.sheet.close(call, self.tell.now, self.fine());
        call
    }

    /// What has been said is summarised, and the conversation goes on from there.
    fn sum_up(&mut self, agent: Handle, run: &Run, messages: &mut Vec<Message>, summary: Call) {
        let ask = self.message(messages.len() + 1, Said::by("user", SUM_UP.into()));
        messages.push(ask);
        self.model(agent, run, messages, summary, &[]);
        messages.clear();
        let said = self.message(1, Said::by("user", summary.text));
        messages.push(said);
        self.tell.pass(300);
    }

    fn failed_call(&mut self, home: Handle, name: Word, run: &Run, messages: &[Message], attempt: &Attempt) {
        let call = self.tell.sheet.open(Some(home), name, self.tell.now);
        self.call(call, run, messages, 4_096);
        self.tell.now += attempt.took;
        self.tell.fail_here(call, attempt.failure);
        self.tell.sheet.set(call, "error.type", attempt.failure.class);
        self.tell.now += attempt.pause;
    }

    fn tool(&mut self, home: Handle, tool: &ToolUse, cut: bool) -> Result<(), Halt> {
        let name = self.tool_name(tool);
        let span = self.tell.sheet.open(Some(home), name, self.tell.now);
        self.tell.sheet.with(span, |span| span.part = Part::Tool);
        self.tool_attributes(span, tool);
        self.tell.pass(120);
        if cut {
            self.tell.now += 240 * MILLI;
            if let Some(agent) = self.agent.filter(|_| self.story.asked()) {
                self.stopped(agent);
                self.tell.now += 3 * MILLI;
            }
            self.cancelled(span, 1);
            return Err(Halt::Cancelled);
        }
        self.work(span, tool)?;
        self.tell.pass(90);
        self.tool_result(span, tool);
        self.tell.sheet.close(span, self.tell.now, self.fine());
        if let Some(message) = tool.failed {
            let now = self.tell.now;
            self.tell.exception(span, now, "ToolError", message, "execute".into());
            self.tell.fail(span, "ToolError", message);
            self.tell.sheet.set(span, "error.type", "ToolError");
        }
        Ok(())
    }

    /// What a cancelled task leaves on a span that it passes through.
    fn cancelled(&mut self, span: Handle, frames: usize) {
        let at = ("agent/tools", "execute".into());
        self.tell.cancelled(span, self.story, "execute".into(), at, frames);
        self.tell.now += 20 * MICRO;
        // What somebody asked for is no failure.
        let failed = !self.story.asked();
        self.tell.sheet.close(span, self.tell.now, if failed { number::ERROR } else { number::UNSET });
        if failed {
            self.tell.sheet.set(span, "error.type", "asyncio.CancelledError");
        }
    }
}
