//! What is around an agent in the conventions that tell a run as one tree: the request, the workflow, steps, jobs.
//!
//! Comes in: a story. Goes out: the spans of the server and of the framework. With quirks the server's attributes have the names of
//! instrumentations of some time ago.

use super::flat::Flat;
use super::teller::MILLI;
use crate::emit::failure::BUG;
use crate::emit::plan::Convention;
use crate::emit::sheet::{Datum, Handle, number};
use crate::emit::story::{Step, ToolUse, Work};

/// What the workflow is called.
const WORKFLOW: &str = "agent_run";

impl Flat<'_, '_> {
    pub(super) fn request(&mut self, root: Handle) {
        let path = self.tell.sheet.join(&["/v1/agents/".into(), self.story.run.agent, "/runs".into()]);
        let id = self.tell.sheet.uuid("");
        let header = self.tell.sheet.join(&["[\"".into(), id, "\"]".into()]);
        let quirks = self.tell.plan.quirks;
        let old = |old, new| if quirks { old } else { new };
        self.tell.sheet.with(root, |span| span.kind = number::SERVER);
        self.tell.sheet.set_all(
            root,
            &[
                (old("http.method", "http.request.method"), "POST".into()),
                ("http.route", "/v1/agents/{agent}/runs".into()),
                (old("http.target", "url.path"), path.into()),
                (old("http.scheme", "url.scheme"), "https".into()),
                (old("net.host.name", "server.address"), "agents.internal".into()),
                (old("http.user_agent", "user_agent.original"), "agent-client/2.3.0".into()),
                ("http.request.header.x-request-id", Datum::List(header)),
                ("user.id", self.story.user.into()),
            ],
        );
    }

    /// Jobs that nobody waits for, and one that writes down what all of them found.
    pub(super) fn jobs(&mut self, root: Handle) {
        if self.story.jobs.is_empty() {
            return;
        }
        let (now, mut last, mut jobs) = (self.tell.now, 0, Vec::new());
        for takes in &self.story.jobs {
            let job = self.tell.sheet.open(Some(root), "job", now);
            self.tell.sheet.close(job, now + takes, number::UNSET);
            last = last.max(now + takes);
            jobs.push(job);
        }
        let flush = self.tell.sheet.open(Some(root), "flush jobs", last + MILLI);
        self.tell.sheet.close(flush, last + 3 * MILLI, number::UNSET);
        jobs.into_iter().for_each(|job| self.tell.link(flush, job, "batch"));
    }

    pub(super) fn crash(&mut self, root: Handle) -> u64 {
        let load = self.tell.leaf(root, "load agent", 700, number::UNSET);
        self.tell.fail_here(load, &BUG);
        self.tell.sheet.set(load, "error.type", BUG.class);
        BUG.status
    }

    pub(super) fn end(&mut self, root: Handle, status: u64) {
        let (failed, quirks) = (status >= 500, self.tell.plan.quirks);
        if !self.story.scheduled {
            let code = if quirks { "http.status_code" } else { "http.response.status_code" };
            self.tell.sheet.set(root, code, status);
        }
        self.tell.sheet.close(root, self.tell.now, if failed { number::ERROR } else { number::UNSET });
        if failed && !quirks {
            let reason = self.tell.digits(status);
            self.tell.sheet.set(root, "error.type", reason);
        }
    }

    /// The workflow that agents work in.
    pub(super) fn open_workflow(&mut self, root: Handle) -> Handle {
        let name = match self.convention {
            Convention::Openinference => "Agent workflow",
            Convention::Openllmetry => "agent_run.workflow",
            _ => "invoke_workflow agent_run",
        };
        let span = self.tell.sheet.open(Some(root), name, self.tell.now);
        let (conversation, question) = (self.story.conversation, self.story.run.question);
        match self.convention {
            Convention::Openinference => self.tell.sheet.set_all(
                span,
                &[
                    ("openinference.span.kind", "CHAIN".into()),
                    ("session.id", conversation.into()),
                    ("user.id", self.story.user.into()),
                    ("input.value", question.into()),
                    ("input.mime_type", "text/plain".into()),
                ],
            ),
            Convention::Openllmetry => self.tell.sheet.set_all(
                span,
                &[
                    ("traceloop.span.kind", "workflow".into()),
                    ("traceloop.entity.name", WORKFLOW.into()),
                    ("traceloop.workflow.name", WORKFLOW.into()),
                    ("traceloop.association.properties.session_id", conversation.into()),
                    ("traceloop.entity.input", question.into()),
                ],
            ),
            _ => self.tell.sheet.set_all(
                span,
                &[
                    ("gen_ai.operation.name", "invoke_workflow".into()),
                    ("gen_ai.workflow.name", WORKFLOW.into()),
                    ("gen_ai.conversation.id", conversation.into()),
                ],
            ),
        }
        span
    }

    /// It ends as its agent did.
    pub(super) fn close_workflow(&mut self, workflow: Handle, well: bool) {
        let agent = self.tell.sheet.spans.get(workflow.0 + 1).map_or(number::UNSET, |agent| agent.status);
        if well {
            let answer = self.story.run.steps.last().map(|step| step.call.text).unwrap_or_default();
            self.answered(workflow, answer);
        }
        self.tell.sheet.close(workflow, self.tell.now, if agent == number::OK { number::OK } else { number::UNSET });
    }

    /// A step, where the convention has spans for steps.
    pub(super) fn open_step(&mut self, agent: Handle, number: usize) -> Option<Handle> {
        let conversation = self.story.conversation;
        match self.convention {
            Convention::Openinference => {
                let name = self.tell.sheet.word(format_args!("Step {}", number + 1));
                let span = self.tell.sheet.open(Some(agent), name, self.tell.now);
                let attributes = [("openinference.span.kind", "CHAIN".into()), ("session.id", conversation.into())];
                self.tell.sheet.set_all(span, &attributes);
                Some(span)
            }
            Convention::Openllmetry => {
                let span = self.tell.sheet.open(Some(agent), "agent_step.task", self.tell.now);
                self.tell.sheet.set_all(
                    span,
                    &[
                        ("traceloop.span.kind", "task".into()),
                        ("traceloop.entity.name", "agent_step".into()),
                        ("traceloop.workflow.name", WORKFLOW.into()),
                        ("traceloop.association.properties.session_id", conversation.into()),
                    ],
                );
                Some(span)
            }
            _ => None,
        }
    }

    pub(super) fn close_step(&mut self, span: Handle, step: &Step) {
        let failed = step.tools.iter().any(|tool| tool.failed.is_some());
        self.tell.pass(40);
        self.answered(span, step.call.text);
        self.tell.sheet.close(span, self.tell.now, if failed { number::UNSET } else { self.fine() });
    }

    /// What a tool does.
    pub(super) fn work(&mut self, span: Handle, tool: &ToolUse) -> Result<(), super::letta::Halt> {
        match &tool.work {
            Work::Code { took } => self.tell.now += took,
            Work::Http(asked) => {
                self.tell.http(span, *asked);
            }
            Work::Cached { key, hit, asked } => {
                self.tell.redis_get(span, *key, *hit);
                if !hit {
                    self.tell.http(span, *asked);
                    if !asked.failed() {
                        self.tell.redis_set(span, *key);
                    }
                }
            }
            Work::Search { query, embedding, tokens, asked, found } => {
                self.embedding(span, *query, *embedding, *tokens);
                self.retrieval(span, *query, *asked, found);
            }
            Work::Agent(run) => {
                let asked = self.asked;
                let ran = self.run(span, run, false);
                self.asked = asked;
                return ran;
            }
        }
        Ok(())
    }
}
