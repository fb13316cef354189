//! What Letta's agent does with an answer: tools, one after another or side by side, and the messages that are kept.
//!
//! Comes in: a step. Goes out: the spans under `_handle_ai_response`. A tool that fails is swallowed by the execution manager, as it
//! is in Letta; put right, every span above it says so.

use super::letta::{Given, Halt, Letta};
use super::letta_run::Running;
use super::letta_step::Stepping;
use super::sql::{MESSAGES, PASSAGES};
use super::teller::{MICRO, MILLI, Teller};
use crate::emit::sheet::{Attr, Datum, Event, Handle, Part, Word, number};
use crate::emit::story::{Argument, Asked, Ending, Step, ToolUse, Work};

/// What a request for embeddings is configured with.
pub(super) fn embedding_config() -> (&'static str, Given) {
    let repr = "EmbeddingConfig(embedding_model='text-embedding-3-small')";
    ("parameter.embedding_config", Given::Object("EmbeddingConfig", repr.into(), None))
}

impl Letta<'_, '_> {
    /// Handles the answer of a step.
    pub(super) fn handle(
        &mut self,
        running: &Running<'_>,
        step: &Step,
        stepping: &Stepping,
        last: bool,
    ) -> Result<(), Halt> {
        let handle = self.enter(running.home, self.method("_handle_ai_response"));
        let call = match step.tools.first() {
            Some(tool) => self.tell.sheet.join(&["ToolCall(id='".into(), tool.call, "')".into()]),
            None => "None".into(),
        };
        self.parameters(
            handle,
            &[
                ("parameter.tool_call", Given::Object("ToolCall", call, None)),
                ("parameter.step_id", step.id.into()),
                ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
                ("parameter.run_id", running.run.id.into()),
            ],
        );
        self.tell.pass(60);
        let cut = last && running.first && matches!(self.story.ending, Ending::Cut { .. });
        let failed = self.tools(running, step, stepping, handle, cut)?;
        if !self.is_legacy() {
            self.quick(handle, "LettaAgentV3._decide_continuation", 35);
        }
        self.keep_messages(handle, running);
        self.leave(handle);
        if let Some(message) = failed.filter(|_| !self.quirks()) {
            self.tell.fail(handle, "ToolError", message);
        }
        Ok(())
    }

    /// All tools of the step begin at once; the step goes on when the last of them is done.
    fn tools(
        &mut self,
        running: &Running<'_>,
        step: &Step,
        stepping: &Stepping,
        handle: Handle,
        cut: bool,
    ) -> Result<Option<Word>, Halt> {
        let (began, mut done, mut failed) = (self.tell.now, self.tell.now, None);
        for (at, tool) in step.tools.iter().enumerate() {
            self.tell.now = began + at as u64 * 40 * MICRO;
            if at == 0 && !cut {
                let now = self.tell.now;
                self.tell.sheet.event(stepping.span, now, "tool_execution_started", &[]);
            }
            self.tool(running, step, tool, stepping, handle, cut)?;
            done = done.max(self.tell.now);
            failed = failed.or(tool.failed);
            if at == 0 {
                self.completed(stepping.span, tool, began);
            }
        }
        self.tell.now = done;
        Ok(failed)
    }

    fn completed(&mut self, step: Handle, tool: &ToolUse, began: u64) {
        let now = self.tell.now;
        self.tell.sheet.event(
            step,
            now,
            "tool_execution_completed",
            &[
                ("tool_name", tool.name.into()),
                ("duration_ms", Teller::millis(now - began)),
                ("success", tool.failed.is_none().into()),
                ("tool_type", "custom".into()),
                ("tool_id", tool.id.into()),
            ],
        );
    }

    fn tool(
        &mut self,
        running: &Running<'_>,
        step: &Step,
        tool: &ToolUse,
        stepping: &Stepping,
        handle: Handle,
        cut: bool,
    ) -> Result<(), Halt> {
        let execute = self.enter(handle, self.method("_execute_tool"));
        self.tell.sheet.with(execute, |span| span.part = Part::Tool);
        let python = self.tell.sheet.join(&["Tool(id='".into(), tool.id, "')".into()]);
        self.parameters(
            execute,
            &[
                ("parameter.target_tool", Given::Object("Tool", python, None)),
                ("parameter.tool_args", Given::Object("dict", tool.python, None)),
                ("parameter.agent_state", self.agent(running.run)),
                ("parameter.agent_step_span", Given::Object("_Span", stepping.python, None)),
                ("parameter.step_id", step.id.into()),
            ],
        );
        self.tool_begins(execute, tool);
        let manager = self.enter(execute, "ToolExecutionManager.execute_tool_async");
        self.parameters(
            manager,
            &[
                ("parameter.function_name", tool.name.into()),
                ("parameter.function_args", Given::Object("dict", tool.python, None)),
                ("parameter.tool", Given::Object("Tool", python, None)),
                ("parameter.step_id", step.id.into()),
            ],
        );
        self.execute(manager, tool, python, cut)?;
        self.leave(manager);
        self.tool_ends(execute, tool);
        self.leave(execute);
        if let Some(message) = tool.failed.filter(|_| !self.quirks()) {
            self.tell.fail(manager, "ToolError", message);
            self.tell.fail(execute, "ToolError", message);
        }
        Ok(())
    }

    /// `start_{tool}_execution`, with the arguments as they are.
    fn tool_begins(&mut self, execute: Handle, tool: &ToolUse) {
        let name = self.tell.sheet.join(&["start_".into(), tool.name.into(), "_execution".into()]);
        let name = if tool.name == tool.kind.name { tool.kind.start.into() } else { name };
        let attributes = tool.arguments.iter().map(|(key, value)| {
            let value = match value {
                Argument::Text(text) => Datum::Text(*text),
                Argument::Int(number) => Datum::from(*number),
            };
            Attr { key: (*key).into(), value }
        });
        let event = Event { time: self.tell.now, name, attributes: attributes.collect() };
        self.tell.sheet.with(execute, |span| span.events.push(event));
    }

    fn tool_ends(&mut self, execute: Handle, tool: &ToolUse) {
        let name = self.tell.sheet.join(&["finish_".into(), tool.name.into(), "_execution".into()]);
        let name = if tool.name == tool.kind.name { tool.kind.finish.into() } else { name };
        let now = self.tell.now;
        self.tell.sheet.event(
            execute,
            now,
            name,
            &[
                ("status", if tool.failed.is_some() { "error" } else { "success" }.into()),
                ("func_return", tool.result.into()),
                ("agent_state", "None".into()),
                ("stdout", "None".into()),
                ("stderr", "None".into()),
                ("sandbox_config_fingerprint", "None".into()),
            ],
        );
    }

    fn execute(&mut self, manager: Handle, tool: &ToolUse, python: Word, cut: bool) -> Result<(), Halt> {
        let executor = match &tool.work {
            Work::Search { .. } => "LettaCoreToolExecutor.execute",
            Work::Agent(_) => "LettaMultiAgentToolExecutor.execute",
            _ => "SandboxToolExecutor.execute",
        };
        let execute = self.enter(manager, executor);
        self.parameters(
            execute,
            &[
                ("parameter.function_name", tool.name.into()),
                ("parameter.function_args", Given::Object("dict", tool.python, None)),
                ("parameter.tool", Given::Object("Tool", python, None)),
                ("parameter.actor", self.actor.into()),
                ("parameter.agent_state", Given::Nothing),
                ("parameter.sandbox_config", Given::Nothing),
            ],
        );
        let worked = match &tool.work {
            Work::Search { embedding, asked, found, .. } => {
                self.search(execute, *embedding, *asked, found.len() as u64, cut)
            }
            Work::Agent(run) => {
                let asked = self.asked;
                self.handing_on |= cut;
                let ran = self.whole_run(execute, run);
                self.asked = asked;
                ran
            }
            Work::Code { took } if self.story.sql => self.e2b(execute, tool, *took, cut),
            work => self.sandbox(execute, tool, work, cut),
        };
        worked?;
        self.leave(execute);
        if let Some(message) = tool.failed {
            let now = self.tell.now;
            self.tell.exception(execute, now, "letta.errors.ToolError", message, "execute".into());
            self.tell.fail(execute, "ToolError", message);
        }
        Ok(())
    }

    /// A tool of somebody's own, in a process of its own.
    fn sandbox(&mut self, parent: Handle, tool: &ToolUse, work: &Work, cut: bool) -> Result<(), Halt> {
        let run = self.enter(parent, "AsyncToolSandboxLocal.run");
        self.sandbox_given(run, tool);
        let inner = self.enter(run, "AsyncToolSandboxLocal.run_local_dir_sandbox");
        self.parameters(inner, &[("parameter.args", Given::Object("dict", tool.python, None))]);
        let now = self.tell.now;
        self.tell.sheet.event(inner, now, "start subprocess", &[]);
        let process = self.enter(inner, "AsyncToolSandboxLocal._execute_tool_subprocess");
        self.parameters(process, &[("parameter.seconds", "180".into())]);
        if cut {
            return Err(self.cut());
        }
        self.tell.pass(900);
        self.inside(process, work);
        self.leave(process);
        let now = self.tell.now;
        self.tell.sheet.event(inner, now, "finish subprocess", &[]);
        self.leave(inner);
        self.leave(run);
        let quirks = self.quirks();
        if let Some(message) = tool.failed {
            for (span, function) in [(process, ""), (inner, "run_local_dir_sandbox"), (run, "run")] {
                // The process itself ended well, and whoever reads its answer raises.
                match (quirks, function) {
                    (true, "") => continue,
                    (true, function) => {
                        self.tell.exception(span, now, "letta.errors.ToolError", message, function.into());
                    }
                    (false, _) => {}
                }
                self.tell.fail(span, "ToolError", message);
            }
        }
        Ok(())
    }

    /// What every sandbox is given; the variables among it.
    pub(super) fn sandbox_given(&mut self, run: Handle, tool: &ToolUse) -> Word {
        let variables = self.tell.sheet.join(&["{'LETTA_AGENT_ID': '".into(), self.story.run.agent, "'}".into()]);
        self.parameters(
            run,
            &[
                ("parameter.args", Given::Object("dict", tool.python, None)),
                ("parameter.agent_state", Given::Nothing),
                ("parameter.additional_env_vars", Given::Object("dict", variables, None)),
            ],
        );
        variables
    }

    fn inside(&mut self, process: Handle, work: &Work) {
        match work {
            Work::Code { took } => self.tell.now += took,
            Work::Http(asked) => {
                self.tell.http(process, *asked);
            }
            Work::Cached { key, hit, asked } => {
                self.cache(process, "exchange_rate", *key, *hit, |letta, original| {
                    letta.tell.http(original, *asked);
                });
            }
            Work::Search { .. } | Work::Agent(_) => {}
        }
    }

    fn search(&mut self, parent: Handle, embedding: u64, asked: Asked, found: u64, cut: bool) -> Result<(), Halt> {
        let query = self.enter(parent, "AgentManager.query_agent_passages_async");
        self.parameters(
            query,
            &[("parameter.actor", self.actor.into()), ("parameter.agent_id", self.story.run.agent.into())],
        );
        let embed = self.enter(query, "OpenAIClient.request_embeddings");
        self.parameters(embed, &[embedding_config()]);
        if cut {
            return Err(self.cut());
        }
        self.tell.now += embedding;
        self.leave(embed);
        let passages = self.enter(query, "PassageManager.search_passages_async");
        let count = self.tell.digits(found);
        self.parameters(passages, &[("parameter.actor", self.actor.into()), ("parameter.limit", count.into())]);
        // Passages are in the database, or in a store of vectors.
        if self.story.sql {
            let complaint = "canceling statement due to statement timeout".into();
            self.tell.sql(passages, &PASSAGES, asked.took / 4, asked.failed().then_some(complaint));
        } else {
            self.tell.http(passages, asked);
        }
        self.leave(passages);
        self.leave(query);
        if asked.failed() && !self.quirks() {
            [passages, query]
                .into_iter()
                .for_each(|span| self.tell.fail(span, "ToolError", "the search failed".into()));
        }
        Ok(())
    }

    fn keep_messages(&mut self, handle: Handle, running: &Running<'_>) {
        let create = self.enter(handle, "MessageManager.create_many_messages_async");
        let messages = self.tell.sheet.join(&["[Message(id='".into(), running.talk.last_id(), "')]".into()]);
        self.parameters(
            create,
            &[
                ("parameter.pydantic_msgs", Given::Items(1, messages)),
                ("parameter.actor", self.actor.into()),
                ("parameter.run_id", running.run.id.into()),
            ],
        );
        if self.story.sql {
            let took = self.tell.lasting(MILLI);
            self.tell.sql(create, &MESSAGES, took, None);
        }
        self.tell.pass(900);
        self.leave(create);
        let status = number::OK;
        self.tell.leaf(handle, "AgentManager.update_message_ids_async", 800, status);
    }
}
