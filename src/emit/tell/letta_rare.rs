//! What Letta does now and then: files that are taken in, tools that run elsewhere, work that survives its task.
//!
//! Comes in: jobs, tools, runs that end early. Goes out: their spans with the events that Letta's own code logs on them.

use super::letta::{Given, Halt, Letta};
use super::letta_tool::embedding_config;
use super::teller::{MICRO, MILLI};
use crate::emit::chance::Chance;
use crate::emit::sheet::{Datum, Handle, Sheet, Word, number};
use crate::emit::story::{Run, ToolUse};
use crate::emit::words::{EMBEDDING, findings};

/// A file, as long as it is being taken in.
struct Upload {
    id: Word,
    source: Word,
    name: Word,
    pages: u64,
    passages: u64,
}

impl Letta<'_, '_> {
    /// A file that was uploaded: read, cut into pieces, embedded and kept, without anybody waiting for it.
    pub(super) fn file(&mut self, task: Handle, takes: u64) -> Handle {
        let chance = &mut self.tell.sheet.chance;
        let (pages, number) = (chance.within(2, 40), chance.below(1_000));
        let upload = Upload {
            id: self.tell.sheet.uuid("file-"),
            source: self.tell.sheet.uuid("source-"),
            name: self.tell.sheet.word(format_args!("handbook-{number:03}.pdf")),
            pages,
            passages: pages * 3,
        };
        let metadata = self.tell.sheet.join(&["FileMetadata(id='".into(), upload.id, "')".into()]);
        let job = self.job(
            task,
            "FileProcessor.process",
            takes,
            &[
                // What a query brought may be gone before it is printed.
                ("parameter.agent_states", if self.quirks() { Given::Broken("InstrumentedList") } else { "[]".into() }),
                ("parameter.source_id", upload.source.into()),
                ("parameter.content", Given::Object("bytes", "b''".into(), None)),
                ("parameter.file_metadata", Given::Object("FileMetadata", metadata, None)),
            ],
        );
        let after = self.tell.now;
        self.tell.now += 60 * MICRO;
        self.read_file(job, &upload, takes);
        self.embed_file(job, &upload, takes);
        self.keep_passages(job, &upload);
        self.tell.now = after;
        job
    }

    pub(super) fn log(&mut self, span: Handle, name: &'static str, attributes: &[(&'static str, Datum)]) {
        let now = self.tell.now;
        self.tell.sheet.event(span, now, name, attributes);
        self.tell.now += 3 * MICRO;
    }

    fn read_file(&mut self, job: Handle, upload: &Upload, takes: u64) {
        let (name, kind) = (("filename", upload.name.into()), "application/pdf");
        let parsing = [("file_id", upload.id.into()), name, ("file_type", kind.into()), ("status", "parsing".into())];
        self.log(job, "file_processor.file_created", &parsing);
        let size = Datum::from(upload.pages * 41_000);
        self.log(job, "file_processor.ocr_started", &[name, ("file_size", size), ("mime_type", kind.into())]);
        let parse = self.enter(job, "MistralFileParser.extract_text");
        self.parameters(parse, &[("parameter.mime_type", kind.into())]);
        self.tell.now += takes * 9 / 20;
        self.leave(parse);
        let read = [name, ("pages_extracted", upload.pages.into()), ("text_length", (upload.pages * 2_400).into())];
        self.log(job, "file_processor.ocr_completed", &read);
        self.log(job, "file_processor.chunking_started", &[name, ("pages_to_process", upload.pages.into())]);
    }

    fn embed_file(&mut self, job: Handle, upload: &Upload, takes: u64) {
        let (file, source) = (("file_id", upload.id.into()), ("source_id", upload.source.into()));
        let total = Datum::from(upload.passages);
        let embedder = self.enter(job, "OpenAIEmbedder.generate_embedded_passages");
        self.parameters(
            embedder,
            &[
                ("parameter.file_id", upload.id.into()),
                ("parameter.source_id", upload.source.into()),
                ("parameter.actor", self.actor.into()),
            ],
        );
        let (model, kind) = (("model", EMBEDDING.into()), ("embedding_endpoint_type", "openai".into()));
        let begun = [("total_chunks", total), model, kind, ("batch_size", Datum::Int(1_024)), file, source];
        self.log(embedder, "embedder.generation_started", &begun);
        let batches = [("total_batches", Datum::Int(1)), ("batch_size", Datum::Int(1_024)), ("total_chunks", total)];
        self.log(embedder, "embedder.batching_completed", &batches);
        let tasks = [("concurrent_tasks", Datum::Int(1)), ("max_concurrent_global", Datum::Int(3))];
        self.log(embedder, "embedder.concurrent_processing_started", &tasks);
        let batch = self.enter(embedder, "OpenAIEmbedder._embed_batch");
        self.log(batch, "embedder.batch_started", &[("batch_size", total), model, kind]);
        let call = self.enter(batch, "OpenAIClient.request_embeddings");
        self.parameters(call, &[embedding_config()]);
        self.tell.now += takes * 7 / 20;
        self.leave(call);
        self.log(batch, "embedder.batch_completed", &[("batch_size", total), ("embeddings_generated", total)]);
        self.leave(batch);
        self.log(embedder, "embedder.concurrent_processing_completed", &[("batches_processed", Datum::Int(1))]);
        let seconds = Datum::Milli(i64::try_from(takes * 7 / 20 / MILLI).unwrap_or(0));
        let done = [("passages_created", total), ("total_chunks_processed", total), file, source];
        self.log(embedder, "embedder.generation_completed", &[&done[..], &[("duration_seconds", seconds)]].concat());
        self.leave(embedder);
    }

    fn keep_passages(&mut self, job: Handle, upload: &Upload) {
        let (name, total) = (("filename", upload.name.into()), ("total_passages", upload.passages.into()));
        let keep = self.enter(job, "PassageManager.create_many_source_passages_async");
        // Each has its vector, printed number by number: together they are longer than anything that is recorded.
        let passages = if self.quirks() { Given::Vast(upload.passages) } else { Given::Items(1, "[Passage()]".into()) };
        self.parameters(keep, &[("parameter.passages", passages), ("parameter.actor", self.actor.into())]);
        self.tell.pass(1_800);
        self.leave(keep);
        self.log(job, "file_processor.passages_created", &[name, total]);
        let status = [name, ("file_id", upload.id.into()), total, ("status", "completed".into())];
        self.log(job, "file_processor.processing_completed", &status);
    }

    /// What jobs have found is written by one of them for all.
    pub(super) fn flush(&mut self, task: Handle, jobs: &[Handle]) {
        let spans = &self.tell.sheet.spans;
        let (mut last, mut links) = (0, Vec::new());
        for span in jobs.iter().filter_map(|job| spans.get(job.0)) {
            last = last.max(span.end);
            links.push((span.trace, span.id));
        }
        let flush = self.tell.sheet.open(Some(task), "JobManager.flush_finished_jobs_async", last + MILLI);
        for link in links {
            self.tell.sheet.link(flush, link, &[("link.reason", "batch".into())]);
        }
        self.tell.sheet.close(flush, last + 3 * MILLI, number::OK);
    }

    /// A tool in a sandbox of E2B's.
    pub(super) fn e2b(&mut self, parent: Handle, tool: &ToolUse, took: u64, cut: bool) -> Result<(), Halt> {
        let (print, id) = (self.tell.sheet.chance.next(), self.tell.sheet.chance.next());
        let print = self.tell.sheet.word(format_args!("{print:016x}"));
        let sandbox = self.tell.sheet.word(format_args!("sbx-{id:016x}"));
        let run = self.enter(parent, "AsyncToolSandboxE2B.run");
        let variables = self.sandbox_given(run, tool);
        let create = self.enter(run, "AsyncToolSandboxE2B.create_e2b_sandbox_with_metadata_hash");
        let (print, sandbox) = (("sandbox_fingerprint", print.into()), ("sandbox_id", sandbox.into()));
        let config = ("e2b_config", "{'timeout': 300, 'template': 'letta-sandbox', 'pip_requirements': None}".into());
        self.log(create, "e2b_sandbox_create_started", &[print, config]);
        self.tell.pass(180_000);
        self.log(create, "e2b_sandbox_create_finished", &[sandbox, print]);
        self.leave(create);
        let (name, result) = (("tool", tool.name.into()), ("func_return", tool.result.into()));
        let code = ("code", tool.python.into());
        self.log(run, "e2b_execution_started", &[name, sandbox, code, ("env_vars", variables.into())]);
        if cut {
            return Err(self.cut());
        }
        self.tell.now += took;
        let Some(message) = tool.failed else {
            self.log(run, "e2b_execution_succeeded", &[name, sandbox, result]);
            self.leave(run);
            return Ok(());
        };
        let failure = [name, sandbox, ("error_type", "ValueError".into()), ("error_message", message.into()), result];
        self.log(run, "e2b_execution_failed", &failure);
        self.leave(run);
        if !self.quirks() {
            self.tell.fail(run, "ToolError", message);
        }
        Ok(())
    }

    /// `safe_create_shielded_task`: it has no span of its own, so that the count of tasks stands on its caller's.
    pub(super) fn shielded(&mut self, caller: Handle, run: &Run) {
        let takes = self.tell.lasting(MILLI);
        let count = self.started(takes);
        self.tell.sheet.set(caller, "total_background_task_count", count);
        let update = self.enter(caller, "RunManager.update_run_by_id_async");
        self.parameters(update, &[("parameter.run_id", run.id.into()), ("parameter.actor", self.actor.into())]);
        self.tell.now += takes;
        self.leave(update);
    }

    /// The system's words and the memory of an agent that was given a whole book of each: more than Letta records of all parameters.
    pub(super) fn compile_prompt(&mut self, home: Handle, run: &Run) {
        const BOOK: u64 = 2_200_000;
        let sheet = &mut *self.tell.sheet;
        let mut chance = Chance::new(sheet.chance.next(), 1);
        let mut book = |sheet: &mut Sheet| sheet.write(|out| findings(&mut chance, BOOK, out));
        let (system, memory) = (book(sheet), book(sheet));
        let compile = self.quick(home, "letta.prompts.prompt_generator.get_system_message_from_compiled_memory", 2_600);
        self.parameters(
            compile,
            &[
                ("parameter.system_prompt", system.into()),
                ("parameter.memory_with_sources", memory.into()),
                ("parameter.agent_id", run.agent.into()),
                ("parameter.timezone", "UTC".into()),
            ],
        );
    }
}
