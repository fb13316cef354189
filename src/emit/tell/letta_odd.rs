//! What Letta's server does besides answering: endpoints and routes that are none, schedules, refusals, bugs, jobs.
//!
//! Comes in: a story that is no ordinary request. Goes out: its spans.

use super::letta::{Halt, Letta};
use super::teller::{MICRO, MILLI};
use crate::emit::failure::BUG;
use crate::emit::sheet::{Handle, Part, number};

impl Letta<'_, '_> {
    /// An endpoint that is not traced: two of the middleware's spans are all the same, each in a trace of its own.
    pub(super) fn excluded(&mut self) {
        let id = self.tell.sheet.open(None, "middleware.request_id", self.tell.now);
        self.tell.sheet.with(id, |span| span.part = Part::Root);
        self.tell.pass(28);
        self.tell.sheet.close(id, self.tell.now, number::UNSET);
        self.tell.sheet.trace = self.tell.sheet.new_trace();
        self.logging(None, 1_500);
    }

    /// A route that there is not: nothing renames the spans, so that one has the raw path and the other its own name.
    pub(super) fn unrouted(&mut self) {
        let name = self.tell.sheet.join(&["POST /v1/agent/".into(), self.story.run.agent, "/messages".into()]);
        let root = self.server(name);
        self.logging(Some(root), 140);
        self.tell.pass(40);
        self.answer(root, 404);
    }

    /// The middleware that logs, where no route gave its span another name.
    fn logging(&mut self, parent: Option<Handle>, micros: u64) {
        let logging = self.tell.sheet.open(parent, "middleware.logging", self.tell.now);
        self.tell.leaf(logging, "middleware.logging.context", 110, number::UNSET);
        self.tell.pass(micros);
        self.tell.sheet.close(logging, self.tell.now, number::UNSET);
    }

    /// A job that no request started: it is a root of its own, and its agent runs the loop that came before the current one.
    pub(super) fn schedule(&mut self) {
        let root = self.tell.sheet.open(None, "LettaScheduler.run_scheduled_agent", self.tell.now);
        self.tell.sheet.with(root, |span| span.part = Part::Root);
        self.tell.scheduled(root);
        self.parameters(
            root,
            &[("parameter.agent_id", self.story.run.agent.into()), ("parameter.actor", self.actor.into())],
        );
        self.tell.pass(200);
        let ran = self.whole_run(root, &self.story.run);
        self.tell.pass(300);
        self.tell.sheet.close(root, self.tell.now, if ran.is_ok() { number::OK } else { number::UNSET });
        if let Err(Halt::Failed(failure)) = ran {
            self.pass_on(root, failure);
        }
    }

    /// A request that is refused: an HTTP exception on the middleware's span, and nothing else.
    pub(super) fn refuse(&mut self, inner: Handle, status: u64) {
        let message = if status == 404 { "404: Agent not found" } else { "422: max_steps has to be at least 1" };
        self.http_exception(inner, message.into());
    }

    /// A bug of the server: nobody handles the exception.
    pub(super) fn crash(&mut self, inner: Handle, root: Handle, route: &'static str) -> u64 {
        let depth = self.running.len();
        let agent = self.enter(inner, "AgentManager.refresh_memory_async");
        self.parameters(agent, &[("parameter.agent_id", self.story.run.agent.into())]);
        self.tell.pass(300);
        self.enter(agent, "BlockManager.compile_memory_async");
        self.tell.pass(250);
        self.unwind(Halt::Failed(&BUG), depth);
        if self.quirks() {
            self.tell.fail_here(inner, &BUG);
            self.tell.pass(80);
            let raw = route.replace("{agent_id}", self.tell.sheet.read(self.story.run.agent));
            let raw = self.tell.sheet.word(format_args!("POST {raw}"));
            let now = self.tell.now;
            // Both the middleware and the SDK record it.
            self.tell.exception(root, now, BUG.qualified, BUG.message.into(), BUG.function.into());
            self.tell.fail_here(root, &BUG);
            self.tell.sheet.with(root, |span| span.name = raw);
        }
        BUG.status
    }

    /// A task that knows nothing of the request that began it.
    pub(super) fn lost_task(&mut self, takes: u64) -> Handle {
        let count = self.started(takes);
        let span = self.tell.sheet.open(None, "coroutine.safe_create_task", self.tell.now);
        let given = [("parameter.label", "empty_context".into()), ("total_background_task_count", count.into())];
        self.tell.sheet.set_all(span, &given);
        self.tell.pass(55);
        self.tell.sheet.close(span, self.tell.now, number::OK);
        span
    }

    /// The first job takes a file in, the others are anybody's.
    pub(super) fn any_job(&mut self, at: usize, task: Handle, takes: u64) -> Handle {
        if at == 0 {
            return self.file(task, takes);
        }
        let id = self.tell.sheet.uuid("job-");
        let millis = takes / MILLI;
        let delay = self.tell.sheet.word(format_args!("{}.{:03}", millis / 1_000, millis % 1_000));
        let job =
            self.job(task, "Job.run", takes, &[("parameter.job_id", id.into()), ("parameter.delay", delay.into())]);
        let (begin, end) = self.tell.sheet.spans.get(job.0).map_or((0, 0), |span| (span.start, span.end));
        let started = [("job_id", id.into()), ("delay", delay.into()), ("attempt", 1u64.into()), ("meta", "{}".into())];
        self.tell.sheet.event(job, begin + 20 * MICRO, "job.started", &started);
        let finish = self.tell.sheet.open(Some(job), "Job.finish", end.saturating_sub(90 * MICRO));
        self.parameters(finish, &[("parameter.job_id", id.into())]);
        let done = end.saturating_sub(10 * MICRO);
        self.tell.sheet.event(finish, done, "job.finished", &[("job_id", id.into())]);
        self.tell.sheet.close(finish, done, number::OK);
        job
    }
}
