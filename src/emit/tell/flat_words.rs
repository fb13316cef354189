//! Agents, tools and retrieval in OpenTelemetry's GenAI conventions, OpenInference and OpenLLMetry: names and attributes.
//!
//! Comes in: runs and tools. Goes out: attributes on spans that are open.

use super::flat::Flat;
use crate::emit::plan::Convention;
use crate::emit::sheet::{Datum, Handle, Word, number};
use crate::emit::story::{Asked, Found, Run, ToolUse};
use crate::emit::words::EMBEDDING;

impl Flat<'_, '_> {
    /// The name of an agent's span.
    pub(super) fn agent_name(&mut self, run: &Run) -> Word {
        match self.convention {
            Convention::Openllmetry => self.tell.sheet.join(&[run.persona.name.into(), ".agent".into()]),
            _ => self.tell.sheet.join(&["invoke_agent ".into(), run.persona.name.into()]),
        }
    }

    /// What an agent's span says when it begins.
    pub(super) fn agent(&mut self, span: Handle, run: &Run) {
        let (conversation, name) = (self.story.conversation, run.persona.name);
        match self.convention {
            Convention::Openinference => self.tell.sheet.set_all(
                span,
                &[
                    ("openinference.span.kind", "AGENT".into()),
                    ("agent.name", name.into()),
                    ("session.id", conversation.into()),
                    ("user.id", self.story.user.into()),
                    ("input.value", run.question.into()),
                    ("input.mime_type", "text/plain".into()),
                ],
            ),
            Convention::Openllmetry => self.tell.sheet.set_all(
                span,
                &[
                    ("traceloop.span.kind", "agent".into()),
                    ("traceloop.entity.name", name.into()),
                    ("traceloop.workflow.name", "agent_run".into()),
                    ("traceloop.association.properties.session_id", conversation.into()),
                    ("traceloop.entity.input", run.question.into()),
                ],
            ),
            _ => self.tell.sheet.set_all(
                span,
                &[
                    ("gen_ai.operation.name", "invoke_agent".into()),
                    (self.provider_key(), run.model.provider.into()),
                    ("gen_ai.agent.name", name.into()),
                    ("gen_ai.agent.id", run.agent.into()),
                    ("gen_ai.conversation.id", conversation.into()),
                    ("gen_ai.request.model", run.model.name.into()),
                ],
            ),
        }
    }

    /// What it says when it ends.
    pub(super) fn answered(&mut self, span: Handle, answer: Word) {
        match self.convention {
            Convention::Openinference => {
                self.tell
                    .sheet
                    .set_all(span, &[("output.value", answer.into()), ("output.mime_type", "text/plain".into())]);
            }
            Convention::Openllmetry => self.tell.sheet.set(span, "traceloop.entity.output", answer),
            _ => {}
        }
    }

    /// The name of a tool's span.
    pub(super) fn tool_name(&mut self, tool: &ToolUse) -> Word {
        match self.convention {
            Convention::Openllmetry => self.tell.sheet.join(&[tool.name.into(), ".tool".into()]),
            Convention::Openinference => tool.name.into(),
            _ => self.tell.sheet.join(&["execute_tool ".into(), tool.name.into()]),
        }
    }

    /// What a tool says when it begins.
    pub(super) fn tool_attributes(&mut self, span: Handle, tool: &ToolUse) {
        match self.convention {
            Convention::Openinference => self.tell.sheet.set_all(
                span,
                &[
                    ("openinference.span.kind", "TOOL".into()),
                    ("tool.name", tool.name.into()),
                    ("tool.id", tool.call.into()),
                    ("session.id", self.story.conversation.into()),
                    ("input.value", tool.json.into()),
                    ("input.mime_type", "application/json".into()),
                ],
            ),
            Convention::Openllmetry => self.tell.sheet.set_all(
                span,
                &[
                    ("traceloop.span.kind", "tool".into()),
                    ("traceloop.entity.name", tool.name.into()),
                    ("traceloop.workflow.name", "agent_run".into()),
                    ("traceloop.association.properties.session_id", self.story.conversation.into()),
                    ("traceloop.entity.input", tool.json.into()),
                ],
            ),
            _ => self.tell.sheet.set_all(
                span,
                &[
                    ("gen_ai.operation.name", "execute_tool".into()),
                    ("gen_ai.tool.name", tool.name.into()),
                    ("gen_ai.tool.type", "function".into()),
                    ("gen_ai.tool.call.id", tool.call.into()),
                    ("gen_ai.tool.call.arguments", tool.json.into()),
                    ("gen_ai.conversation.id", self.story.conversation.into()),
                ],
            ),
        }
    }

    /// What a tool brings.
    pub(super) fn tool_result(&mut self, span: Handle, tool: &ToolUse) {
        let key = match self.convention {
            Convention::Openinference => "output.value",
            Convention::Openllmetry => "traceloop.entity.output",
            _ => "gen_ai.tool.call.result",
        };
        if tool.failed.is_none() {
            self.tell.sheet.set(span, key, tool.result);
        }
    }

    /// A text made into a vector.
    pub(super) fn embedding(&mut self, parent: Handle, query: Word, took: u64, tokens: u64) {
        let name = match self.convention {
            Convention::Openinference => "CreateEmbeddings",
            Convention::Openllmetry => "openai.embeddings",
            _ => "embeddings text-embedding-3-small",
        };
        let span = self.tell.sheet.open(Some(parent), name, self.tell.now);
        self.tell.now += took;
        let provider = self.provider_key();
        let old_tokens = self.tell.plan.quirks && self.convention == Convention::Openllmetry;
        let input = if old_tokens { "gen_ai.usage.prompt_tokens" } else { "gen_ai.usage.input_tokens" };
        match self.convention {
            Convention::Openinference => self.tell.sheet.set_all(
                span,
                &[
                    ("openinference.span.kind", "EMBEDDING".into()),
                    ("llm.provider", "openai".into()),
                    ("embedding.model_name", EMBEDDING.into()),
                    ("embedding.embeddings.0.embedding.text", query.into()),
                    ("input.value", query.into()),
                    ("input.mime_type", "text/plain".into()),
                    ("llm.token_count.prompt", tokens.into()),
                    ("llm.token_count.total", tokens.into()),
                ],
            ),
            Convention::Openllmetry => self.tell.sheet.set_all(
                span,
                &[
                    ("llm.request.type", "embedding".into()),
                    (provider, "openai".into()),
                    ("gen_ai.request.model", EMBEDDING.into()),
                    ("gen_ai.prompt.0.content", query.into()),
                    (input, tokens.into()),
                ],
            ),
            _ => self.tell.sheet.set_all(
                span,
                &[
                    ("gen_ai.operation.name", "embeddings".into()),
                    (provider, "openai".into()),
                    ("gen_ai.request.model", EMBEDDING.into()),
                    ("gen_ai.usage.input_tokens", tokens.into()),
                    ("server.address", "api.openai.com".into()),
                    ("server.port", Datum::Int(443)),
                ],
            ),
        }
        self.close_client(span, false);
        self.tell.pass(80);
    }

    fn close_client(&mut self, span: Handle, failed: bool) {
        if self.convention != Convention::Openinference {
            self.tell.sheet.with(span, |span| span.kind = number::CLIENT);
        }
        self.tell.sheet.close(span, self.tell.now, self.fine());
        if failed {
            self.tell.fail(span, "SearchError", "the store of vectors does not answer".into());
            self.tell.sheet.set(span, "error.type", "SearchError");
        }
    }

    /// What is near the vector, from the store that has it.
    pub(super) fn retrieval(&mut self, parent: Handle, query: Word, asked: Asked, found: &[Found]) {
        let name = match self.convention {
            Convention::Openinference => "retrieve",
            Convention::Openllmetry => "pinecone.query",
            _ => "retrieval archival-memory",
        };
        let span = self.tell.sheet.open(Some(parent), name, self.tell.now);
        self.tell.pass(60);
        self.tell.http(span, asked);
        self.tell.pass(40);
        let found = if asked.failed() { &[] } else { found };
        let conversation = self.story.conversation;
        match self.convention {
            Convention::Openinference => {
                self.tell.sheet.set_all(
                    span,
                    &[
                        ("openinference.span.kind", "RETRIEVER".into()),
                        ("session.id", conversation.into()),
                        ("input.value", query.into()),
                        ("input.mime_type", "text/plain".into()),
                    ],
                );
                self.documents(span, found);
            }
            Convention::Openllmetry => {
                let system = if self.tell.plan.quirks { "db.system" } else { "db.system.name" };
                self.tell.sheet.set_all(
                    span,
                    &[
                        (system, "pinecone".into()),
                        ("db.vector.query.top_k", (found.len() as u64).into()),
                        ("server.address", "vectors.internal".into()),
                        ("server.port", Datum::Int(443)),
                    ],
                );
                for one in found {
                    let now = self.tell.now;
                    let result = [("db.query.result.id", one.id.into()), ("db.query.result.score", score(one))];
                    self.tell.sheet.event(span, now, "db.query.result", &result);
                }
            }
            _ => {
                let documents = self.listed(found);
                self.tell.sheet.set_all(
                    span,
                    &[
                        ("gen_ai.operation.name", "retrieval".into()),
                        ("gen_ai.data_source.id", "archival-memory".into()),
                        ("gen_ai.retrieval.query.text", query.into()),
                        ("gen_ai.retrieval.documents", documents.into()),
                        ("gen_ai.conversation.id", conversation.into()),
                    ],
                );
            }
        }
        self.close_client(span, asked.failed());
        self.tell.pass(60);
    }

    /// Ids and scores as JSON.
    fn listed(&mut self, found: &[Found]) -> Word {
        let sheet = &mut *self.tell.sheet;
        let mark = sheet.mark();
        sheet.append("[".into());
        for (at, one) in found.iter().enumerate() {
            sheet.append(if at > 0 { ", {\"id\": \"" } else { "{\"id\": \"" }.into());
            sheet.append(one.id);
            sheet.word(format_args!("\", \"score\": 0.{:03}}}", one.score));
        }
        sheet.append("]".into());
        sheet.since(mark)
    }

    fn documents(&mut self, span: Handle, found: &[Found]) {
        for (at, one) in found.iter().enumerate() {
            for (rest, value) in [("id", one.id.into()), ("content", one.text.into()), ("score", score(one))] {
                let key = self.tell.sheet.word(format_args!("retrieval.documents.{at}.document.{rest}"));
                self.put(span, key, value);
            }
        }
    }
}

fn score(found: &Found) -> Datum {
    Datum::Milli(i64::try_from(found.score).unwrap_or(0))
}
