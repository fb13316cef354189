//! Letta's HTTP server: middleware, dependencies, the request's attributes, and how requests end.
//!
//! Comes in: a story. Goes out: the spans around the agent's run. The innermost middleware span is renamed to the route, so that
//! two spans have its name.

use super::letta::{Halt, Letta};
use super::sql::{AGENT, USER};
use super::teller::{MICRO, MILLI};
use crate::emit::cast::LETTA;
use crate::emit::plan::Scenario;
use crate::emit::sheet::{Datum, Handle, Part, Word, number};
use crate::emit::story::{Ending, Mode};

impl Letta<'_, '_> {
    /// Tells the whole story.
    pub(in crate::emit) fn story(mut self) {
        self.tell.sheet.scope = LETTA;
        if self.story.excluded {
            return self.excluded();
        }
        if self.story.scheduled {
            return self.schedule();
        }
        if matches!(self.story.ending, Ending::Unrouted) {
            return self.unrouted();
        }
        let route = match self.story.mode {
            Mode::Reply => "/v1/agents/{agent_id}/messages",
            Mode::Stream => "/v1/agents/{agent_id}/messages/stream",
            Mode::Background => "/v1/agents/{agent_id}/messages/async",
        };
        let name = self.tell.sheet.join(&["POST ".into(), route.into()]);
        let root = self.server(name);
        let inner = self.tell.sheet.open(Some(root), name, self.tell.now);
        self.tell.pass(20);
        self.tell.leaf(inner, "middleware.logging.context", 150, number::UNSET);
        self.tell.pass(120);
        self.tell.leaf(inner, "trace.set_attributes", 45, number::UNSET);
        let body = self.tell.leaf(inner, "trace.request_body", 14, number::UNSET);
        self.request_attributes(inner, body);
        self.tell.pass(50);
        self.tell.leaf(inner, "dependency.get_headers", 8, number::UNSET);
        let status = self.serve(inner, root, route);
        self.end(root, inner, status);
    }

    /// The span of a request, until its first middleware has done its work.
    pub(super) fn server(&mut self, name: Word) -> Handle {
        let root = self.tell.sheet.open(None, name, self.tell.now);
        self.tell.sheet.with(root, |span| (span.kind, span.part) = (number::SERVER, Part::Root));
        let stamp = Datum::from(self.tell.now / MILLI);
        self.tell.sheet.set(root, "entry.timestamp_ms", stamp);
        self.tell.pass(60);
        self.tell.leaf(root, "middleware.request_id", 30, number::UNSET);
        self.tell.pass(40);
        root
    }

    fn request_attributes(&mut self, inner: Handle, body: Handle) {
        let story = self.story;
        let quirks = self.quirks();
        let url = self.tell.sheet.join(&[
            "http://letta.internal:8283/v1/agents/".into(),
            story.run.agent,
            match story.mode {
                Mode::Reply => "/messages?stream=false",
                Mode::Stream => "/messages/stream",
                Mode::Background => "/messages/async",
            }
            .into(),
        ]);
        self.tell.sheet.set_all(
            inner,
            &[
                (if quirks { "http.method" } else { "http.request.method" }, "POST".into()),
                (if quirks { "http.url" } else { "url.full" }, url.into()),
                ("http.agent_id", story.run.agent.into()),
                ("user.id", story.user.into()),
                ("organization.id", story.organization.into()),
                ("project.id", story.project.into()),
                ("agent.id", story.run.agent.into()),
                ("template.id", "template-1".into()),
                ("base_template.id", "base-template-1".into()),
                ("client", "Letta/Python 1.7.12".into()),
                ("sdk.version", "1.7.12".into()),
                ("sdk.language", "python".into()),
                ("source", "app".into()),
            ],
        );
        if story.listed {
            // The body is a list, and Letta asks it for its items; the request goes on all the same.
            let (now, message) = (self.tell.now, "'list' object has no attribute 'items'".into());
            self.tell.exception(body, now, "AttributeError", message, "_update_trace_attributes".into());
            return self.tell.fail(body, "AttributeError", message);
        }
        let messages =
            self.tell.sheet.join(&["[{'role': 'user', 'content': '".into(), story.run.question, "'}]".into()]);
        self.tell.sheet.set_all(
            inner,
            &[
                ("http.request.body.messages", messages.into()),
                ("http.request.body.max_steps", "50".into()),
                ("http.request.body.stream", if story.mode == Mode::Stream { "True" } else { "False" }.into()),
            ],
        );
    }

    /// Serves the request; the HTTP status that the client gets.
    fn serve(&mut self, inner: Handle, root: Handle, route: &'static str) -> u64 {
        if let Ending::Refused(status) = self.story.ending {
            self.refuse(inner, status);
            return status;
        }
        self.who(inner);
        if matches!(self.story.ending, Ending::Crashed) {
            return self.crash(inner, root, route);
        }
        match self.story.mode {
            Mode::Reply => self.reply(inner),
            Mode::Stream => {
                self.stream(inner);
                200
            }
            Mode::Background => {
                self.background(inner);
                200
            }
        }
    }

    /// Who asks, and of which agent.
    fn who(&mut self, inner: Handle) {
        self.tell.leaf(inner, "dependency.get_letta_server", 9, number::UNSET);
        let user = self.enter(inner, "UserManager.get_actor_or_default_async");
        self.parameters(user, &[("parameter.actor_id", self.story.user.into())]);
        if self.story.sql {
            let key = self.tell.sheet.join(&["letta:user:".into(), self.story.user]);
            let hit = self.story.scenario != Scenario::Rag;
            self.cache(user, "get_actor_by_id_async", key, hit, |letta, original| {
                let took = letta.tell.lasting(2 * MILLI);
                letta.tell.sql(original, &USER, took, None);
            });
        }
        self.tell.pass(400);
        self.leave(user);
        if self.story.sql {
            let agent = self.enter(inner, "AgentManager.get_agent_by_id_async");
            self.parameters(
                agent,
                &[("parameter.agent_id", self.story.run.agent.into()), ("parameter.actor", self.actor.into())],
            );
            self.tell.pass(200);
            let took = self.tell.lasting(2 * MILLI);
            self.tell.sql(agent, &AGENT, took, None);
            self.tell.load_relations(agent);
            self.leave(agent);
        }
    }

    /// Letta's decorator around what may be cached: what is not there is done, and put there.
    pub(super) fn cache(
        &mut self,
        parent: Handle,
        function: &'static str,
        key: Word,
        hit: bool,
        original: impl FnOnce(&mut Self, Handle),
    ) {
        let span = self.tell.sheet.open(Some(parent), "redis_cache", self.tell.now);
        self.tell.pass(20);
        self.tell.leaf(span, "redis_cache.get_client", 12, number::UNSET);
        let get = self.tell.sheet.open(Some(span), "redis_cache.get", self.tell.now);
        self.tell.pass(30);
        self.tell.redis_get(get, key, hit);
        self.tell.sheet.set(get, "cache.hit", hit);
        self.tell.sheet.close(get, self.tell.now, number::UNSET);
        if hit {
            self.tell.leaf(span, "redis_cache.deserialize", 120, number::UNSET);
        } else {
            let call = self.tell.sheet.open(Some(span), "redis_cache.call_original", self.tell.now);
            self.tell.pass(15);
            original(self, call);
            self.tell.sheet.close(call, self.tell.now, number::UNSET);
            let set = self.tell.sheet.open(Some(span), "redis_cache.set", self.tell.now);
            self.tell.pass(30);
            self.tell.redis_set(set, key);
            self.tell.sheet.close(set, self.tell.now, number::UNSET);
        }
        self.tell.sheet.set_all(
            span,
            &[
                ("cache.function", function.into()),
                ("cache.key", key.into()),
                ("cache.result", if hit { "hit" } else { "miss" }.into()),
            ],
        );
        self.tell.sheet.close(span, self.tell.now, number::UNSET);
    }

    fn reply(&mut self, inner: Handle) -> u64 {
        let ran = self.whole_run(inner, &self.story.run);
        if ran.is_ok() {
            let update = self.quick(inner, "RunManager.update_run_by_id_async", 1_900);
            self.parameters(
                update,
                &[("parameter.run_id", self.story.run.id.into()), ("parameter.actor", self.actor.into())],
            );
        }
        // Who cancelled the task has long had its answer.
        let Err(Halt::Failed(failure)) = ran else { return 200 };
        let told = failure.mapped.as_ref().map_or(failure.message, |mapped| mapped.told);
        let message = self.tell.sheet.word(format_args!("{}: {told}", failure.status));
        self.http_exception(inner, message);
        failure.status
    }

    /// What the error handler records of an answer that is an error.
    pub(super) fn http_exception(&mut self, inner: Handle, message: Word) {
        self.tell.pass(700);
        let now = self.tell.now;
        self.tell.exception(inner, now, "HTTPException", message, "send_message".into());
        self.tell.pass(150);
    }

    /// The root ends with the first bytes; everything else hangs under a task that reads the stream.
    fn stream(&mut self, inner: Handle) {
        let stream = self.quick(inner, "LettaAgentV3.stream", 95);
        let since = self.stamp();
        let given = self.run_given(&self.story.run, since);
        let [messages, steps, run, _, start] = given;
        self.parameters(stream, &[messages, steps, ("parameter.stream_tokens", "True".into()), run, start]);
        let task = self.task(inner, "coroutine.safe_create_task", "stream_reader".into(), 10_000 * MILLI);
        let answered = self.tell.now + 60 * MICRO;
        self.tell.now = answered + 400 * MICRO;
        let ran = self.streamed_run(task, &self.story.run);
        self.admit(task, ran);
        self.tell.now = answered;
    }

    /// A task says that all is well when it has begun, whatever comes of it; put right, it says nothing where it fails.
    fn admit(&mut self, task: Handle, ran: Result<(), Halt>) {
        if ran.is_err() && !self.quirks() {
            self.tell.sheet.with(task, |span| span.status = number::UNSET);
        }
    }

    /// The request only starts the run, and maybe other jobs.
    fn background(&mut self, inner: Handle) {
        let label = self.tell.sheet.join(&["background_run_".into(), self.story.run.id]);
        let task = self.task(inner, "coroutine.safe_create_task", label, 10_000 * MILLI);
        let (mut jobs, mut last) = (Vec::new(), None);
        for (at, takes) in self.story.jobs.iter().enumerate() {
            // Now and then a task is begun in an empty context, and with it a trace of its own.
            let lost = at == 1 && self.quirks();
            let trace = self.tell.sheet.trace;
            let task = if lost {
                self.tell.sheet.trace = self.tell.sheet.new_trace();
                self.lost_task(*takes)
            } else {
                self.task(inner, "coroutine.safe_create_task", "job".into(), *takes)
            };
            jobs.push(self.any_job(at, task, *takes));
            self.tell.sheet.trace = trace;
            last = if lost { last } else { Some(task) };
        }
        if let Some(last) = last {
            self.flush(last, &jobs);
        }
        let answered = self.tell.now + 200 * MICRO;
        self.tell.now = answered + 300 * MICRO;
        let ran = self.whole_run(task, &self.story.run);
        self.admit(task, ran);
        self.tell.now = answered;
    }

    fn end(&mut self, root: Handle, inner: Handle, status: u64) {
        let (quirks, crashed) = (self.quirks(), matches!(self.story.ending, Ending::Crashed));
        if !(quirks && crashed) {
            self.tell.pass(40);
            self.tell.sheet.close(inner, self.tell.now, number::UNSET);
        }
        self.tell.pass(90);
        if quirks && crashed {
            return self.tell.sheet.with(root, |span| span.end = span.end.max(span.start + MILLI));
        }
        self.answer(root, status);
    }

    /// The end of a request: its status, and what that means for the span.
    pub(super) fn answer(&mut self, root: Handle, status: u64) {
        let quirks = self.quirks();
        let code = if quirks { "http.status_code" } else { "http.response.status_code" };
        self.tell.sheet.set(root, code, status);
        if !quirks {
            // The real middleware leaves this to the span beneath it.
            let name = self.tell.sheet.spans.get(root.0).map(|span| span.name).unwrap_or_default();
            let path = self.tell.sheet.read(name).trim_start_matches("POST ").to_owned();
            let path = self.tell.sheet.word(format_args!("{path}"));
            let told =
                [("http.request.method", "POST".into()), ("url.path", path.into()), ("url.scheme", "http".into())];
            self.tell.sheet.set_all(root, &told);
        }
        let said = match status {
            0..400 => number::OK,
            400..500 if !quirks => number::UNSET,
            _ => number::ERROR,
        };
        self.tell.sheet.close(root, self.tell.now, said);
        if !quirks && status >= 500 {
            let reason = self.tell.digits(status);
            self.tell.sheet.set(root, "error.type", reason);
        }
    }
}
