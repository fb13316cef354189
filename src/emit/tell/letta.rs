//! Letta's way of telling: traced methods, their parameters, and what happens to all of them when a task is cancelled.
//!
//! Comes in: a story. Goes out: spans as Letta 0.16.8 exports them. With quirks they are told as they are; without, with what a
//! linter would find put right: current attribute names, `agent_step` and `time_to_first_token` under a span that lasts as long
//! as they do and exported even where the run fails, token usage on the calls themselves, a reason for every error, failures of
//! tools admitted by the spans above them.

use std::borrow::Cow;

use super::teller::{MICRO, MILLI, Teller};
use crate::agent::{PARAMETER, Python, Recorded, Recorder, full_reason};
use crate::emit::failure::Failure;
use crate::emit::sheet::{Attr, Datum, Handle, Word, number};
use crate::emit::story::Story;

/// How many ids of a list's items are recorded.
pub(super) const LISTED: usize = 5;

/// A parameter as the traced method was given it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given {
    /// What `str()` prints.
    Text(Word),
    /// `None`.
    Nothing,
    /// An object: its class, what `repr()` prints, and its id.
    Object(&'static str, Word, Option<Word>),
    /// A list of so many objects that have no ids, and what `repr()` prints.
    Items(usize, Word),
    /// A list that is never recorded, of so many objects, and the ids of the first of them.
    Listed(usize, [Option<Word>; LISTED]),
    /// Something that cannot be printed.
    Broken(&'static str),
    /// A list of so many objects of which `repr()` prints more than is ever recorded.
    Vast(u64),
}

impl From<Word> for Given {
    fn from(word: Word) -> Self {
        Self::Text(word)
    }
}

impl From<&'static str> for Given {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

/// Why what is running ends early.
#[derive(Clone, Copy, Debug)]
pub(super) enum Halt {
    /// `asyncio.CancelledError`.
    Cancelled,
    /// An exception.
    Failed(&'static Failure),
}

/// Tells a story as Letta does.
pub(in crate::emit) struct Letta<'a, 't> {
    /// Sheet, clock and services.
    pub(super) tell: &'a mut Teller<'t>,
    /// Traced methods that are running, the innermost last.
    pub(super) running: Vec<Handle>,
    /// Ends of background tasks that have been started.
    pub(super) tasks: Vec<u64>,
    /// The user, as Python prints it.
    pub(super) actor: Word,
    /// What happens.
    pub(super) story: &'a Story,
    /// The call to a model that asked for the tools that are running.
    pub(super) asked: Option<Handle>,
    /// `time_to_first_token` of the run that the request began.
    pub(super) request: Option<Handle>,
    /// The agent that work is handed on to is cancelled while it works.
    pub(super) handing_on: bool,
    /// Where what is running was when it had to stop: the file and the function.
    halted: Option<(&'static str, Word)>,
}

impl<'a, 't> Letta<'a, 't> {
    /// A teller of this story.
    pub(in crate::emit) fn new(tell: &'a mut Teller<'t>, story: &'a Story) -> Self {
        let actor = tell.sheet.join(&["User(id='".into(), story.user, "')".into()]);
        let (running, tasks) = (Vec::new(), Vec::new());
        Self { tell, running, tasks, actor, story, asked: None, request: None, handing_on: false, halted: None }
    }

    /// Told as it is, or put right.
    pub(super) fn quirks(&self) -> bool {
        self.tell.plan.quirks
    }

    /// Enters a traced method.
    pub(super) fn enter(&mut self, parent: Handle, name: impl Into<Word>) -> Handle {
        let span = self.tell.sheet.open(Some(parent), name, self.tell.now);
        self.tell.now += 8 * MICRO;
        self.running.push(span);
        span
    }

    /// Leaves the innermost traced method, well.
    pub(super) fn leave(&mut self, span: Handle) {
        self.running.pop();
        self.tell.now += 4 * MICRO;
        self.tell.sheet.close(span, self.tell.now, number::OK);
    }

    /// A traced method that calls no other.
    pub(super) fn quick(&mut self, parent: Handle, name: impl Into<Word>, micros: u64) -> Handle {
        self.tell.leaf(parent, name, micros, number::OK)
    }

    /// Records parameters by Letta's policy.
    pub(super) fn parameters(&mut self, span: Handle, given: &[(&'static str, Given)]) {
        let mut recorder = Recorder::default();
        for (key, value) in given {
            let name = key.strip_prefix(PARAMETER).unwrap_or(key);
            let sheet = &mut *self.tell.sheet;
            let printed = match *value {
                Given::Text(word) | Given::Object(_, word, _) | Given::Items(_, word) => word,
                Given::Nothing => "None".into(),
                Given::Vast(_) | Given::Listed(..) | Given::Broken(_) => Word::default(),
            };
            let repr = sheet.read(printed);
            let mut ids = [""; LISTED];
            let python = match *value {
                Given::Text(_) => Python::Plain { class: "str", text: repr },
                Given::Nothing => Python::Plain { class: "NoneType", text: repr },
                Given::Object(class, _, id) => Python::Object { class, id: id.map(|id| sheet.read(id)), repr },
                Given::Items(count, _) => Python::Items { class: "list", count, ids: &[], repr },
                Given::Listed(count, known) => {
                    ids.iter_mut().zip(known.iter().flatten()).for_each(|(id, word)| *id = sheet.read(*word));
                    let known = known.iter().flatten().count();
                    Python::Items { class: "list", count, ids: ids.get(..known).unwrap_or_default(), repr }
                }
                Given::Broken(class) => Python::Broken { class },
                Given::Vast(count) => Python::Vast { class: "list", count },
            };
            // What is recorded as it stands needs no second copy.
            let made = match recorder.record(name, &python) {
                Recorded::Text(Cow::Borrowed(_)) => None,
                Recorded::Text(Cow::Owned(text)) => Some(text),
                Recorded::Full => {
                    let reason = full_reason();
                    let reason = sheet.say(&reason);
                    sheet.set_all(
                        span,
                        &[("parameters.truncated", true.into()), ("parameters.truncated_reason", reason.into())],
                    );
                    continue;
                }
                Recorded::Nothing => continue,
            };
            let text = made.map_or(printed, |text| sheet.say(&text));
            let attribute = Attr { key: (*key).into(), value: Datum::Text(text) };
            sheet.with(span, |span| span.attributes.push(attribute));
        }
    }

    /// The task that runs is cancelled, a while after now.
    pub(super) fn cut(&mut self) -> Halt {
        self.tell.now += 240 * MILLI;
        if self.story.asked()
            && let Some(request) = self.request
        {
            let asked = self.tell.now - 3 * MILLI;
            self.tell.sheet.event(request, asked, "stop_reason", &[("stop_reason", "cancelled".into())]);
        }
        Halt::Cancelled
    }

    /// Ends every traced method that is running, from the innermost outwards, down to `depth` of them.
    pub(super) fn unwind(&mut self, halt: Halt, depth: usize) {
        let mut frames = 1;
        while self.running.len() > depth
            && let Some(span) = self.running.pop()
        {
            self.tell.now += 30 * MICRO;
            match halt {
                Halt::Cancelled => self.cancelled(span, frames),
                Halt::Failed(failure) if frames == 1 => self.tell.fail_here(span, failure),
                Halt::Failed(failure) => self.pass_on(span, failure),
            }
            frames += 1;
        }
    }

    /// A method through which a failure passes, by Letta's own name for it.
    pub(super) fn pass_on(&mut self, span: Handle, failure: &Failure) {
        let own = (failure.class, failure.qualified, failure.message);
        let mapped = failure.mapped.as_ref().map(|mapped| (mapped.class, mapped.qualified, mapped.message));
        let (class, qualified, message) = mapped.unwrap_or(own);
        if self.quirks() {
            let (now, function) = (self.tell.now, self.function(span));
            self.tell.exception(span, now, qualified, message.into(), function);
            self.tell.now += 20 * MICRO;
        }
        self.tell.fail(span, class, message.into());
    }

    /// The function that a span is named after.
    fn function(&mut self, span: Handle) -> Word {
        let name = self.tell.sheet.spans.get(span.0).map(|span| span.name).unwrap_or_default();
        let function = self.tell.sheet.read(name).rsplit('.').next().unwrap_or_default().to_owned();
        self.tell.sheet.say(&function)
    }

    /// What Letta records of `asyncio.CancelledError` in each traced method it passes through.
    fn cancelled(&mut self, span: Handle, frames: usize) {
        let function = self.function(span);
        let at = match self.halted.filter(|_| frames > 1) {
            Some(at) => at,
            None => (self.tell.file_of(span), function),
        };
        self.halted = Some(at);
        self.tell.cancelled(span, self.story, function, at, frames);
        self.tell.now += 12 * MICRO;
        // Letta itself says ERROR all the same.
        let failed = self.quirks() || !self.story.asked();
        self.tell.sheet.close(span, self.tell.now, if failed { number::ERROR } else { number::UNSET });
    }

    /// `safe_create_task`: a span of a few microseconds under which the work goes on when it has long ended. What comes back is
    /// that span; the work itself begins at `now`.
    pub(super) fn task(&mut self, parent: Handle, name: &'static str, label: Word, takes: u64) -> Handle {
        let count = self.started(takes);
        let span = self.quick(parent, name, 55);
        let given = [("parameter.label", label.into()), ("total_background_task_count", count.into())];
        self.tell.sheet.set_all(span, &given);
        span
    }

    /// Counts one more background task; how many there are with it.
    pub(super) fn started(&mut self, takes: u64) -> u64 {
        let now = self.tell.now;
        self.tasks.retain(|end| *end > now);
        self.tasks.push(now + takes);
        self.tasks.len() as u64
    }

    /// A background job: a traced method under a task's span, from now on, without anybody waiting for it.
    pub(super) fn job(
        &mut self,
        task: Handle,
        name: &'static str,
        takes: u64,
        given: &[(&'static str, Given)],
    ) -> Handle {
        let begin = self.tell.now + 30 * MICRO;
        let span = self.tell.sheet.open(Some(task), name, begin);
        self.parameters(span, given);
        self.tell.sheet.close(span, begin + takes, number::OK);
        span
    }
}
