//! What happened, told in no convention: a request, its runs, their steps, calls to models and tools.
//!
//! Comes in: nothing. Goes out: plain nouns that every convention tells in its own spans. Durations are in nanoseconds.

use super::failure::Failure;
use super::plan::Scenario;
use super::sheet::Word;
use super::tools::ToolKind;
use super::words::{Model, Persona};

/// How the answer goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// In one piece.
    Reply,
    /// Piece by piece: the request's span ends when the first is sent.
    Stream,
    /// Not at all: the request only starts the run.
    Background,
}

/// How a run ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// With an answer.
    Answered,
    /// Somebody called it off through the API: it stops between two steps.
    Stopped,
    /// Somebody called it off while it streamed.
    Withdrawn,
    /// Its task was cancelled inside a tool; whether somebody had asked for it.
    Cut {
        /// The run had been called off before.
        asked: bool,
    },
    /// The client went away.
    Left,
    /// The provider failed for good.
    Broken(&'static Failure),
    /// The request was refused with this status, before anything ran.
    Refused(u64),
    /// There is no such route.
    Unrouted,
    /// The server failed.
    Crashed,
}

/// A request and everything that comes of it.
#[derive(Debug)]
pub(super) struct Story {
    /// What it is about.
    pub(super) scenario: Scenario,
    /// How the answer goes back.
    pub(super) mode: Mode,
    /// How it ends.
    pub(super) ending: Ending,
    /// Who asks.
    pub(super) user: Word,
    /// Whose server it is.
    pub(super) organization: Word,
    /// What for.
    pub(super) project: Word,
    /// The conversation it belongs to.
    pub(super) conversation: Word,
    /// The run of the agent that was asked.
    pub(super) run: Run,
    /// Jobs that the request leaves behind.
    pub(super) jobs: Vec<u64>,
    /// The run belongs to no request: a schedule started it.
    pub(super) scheduled: bool,
    /// The request goes to an endpoint that is not traced.
    pub(super) excluded: bool,
    /// SQL statements are recorded.
    pub(super) sql: bool,
    /// The body of the request is a list, where one of the server's own spans expects an object.
    pub(super) listed: bool,
    /// The agent has more instructions and memory than are ever recorded.
    pub(super) vast: bool,
}

impl Story {
    /// Whether somebody asked for the end of the task that is cancelled.
    pub(super) fn asked(&self) -> bool {
        matches!(self.ending, Ending::Cut { asked: true })
    }

    /// Why a task of it is cancelled.
    pub(super) fn reason(&self) -> Word {
        if self.asked() { "run stopped by the user" } else { "client timeout" }.into()
    }
}

/// An agent at work.
#[derive(Debug)]
pub(super) struct Run {
    /// Who it is.
    pub(super) persona: &'static Persona,
    /// The model it thinks with.
    pub(super) model: &'static Model,
    /// The agent's id.
    pub(super) agent: Word,
    /// The run's id.
    pub(super) id: Word,
    /// What it is asked.
    pub(super) question: Word,
    /// What it does.
    pub(super) steps: Vec<Step>,
}

/// One round: a call to the model, and the tools that it asks for.
#[derive(Debug)]
pub(super) struct Step {
    /// Its id.
    pub(super) id: Word,
    /// How long the agent waits before it, after a tool that failed.
    pub(super) pause: u64,
    /// What was said before is summarised first, so that the prompt does not grow for ever.
    pub(super) summary: Option<Call>,
    /// Calls that failed before one succeeded.
    pub(super) attempts: Vec<Attempt>,
    /// The call; what it brings is nothing where the run breaks here.
    pub(super) call: Call,
    /// Tools that run side by side.
    pub(super) tools: Vec<ToolUse>,
}

/// A call to the model that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// How.
    pub(super) failure: &'static Failure,
    /// After how long.
    pub(super) took: u64,
    /// How long it waits then.
    pub(super) pause: u64,
}

/// A call to the model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// How long it takes.
    pub(super) took: u64,
    /// How long until the first token.
    pub(super) first: u64,
    /// Tokens of the prompt.
    pub(super) input: u64,
    /// Of them, read from the provider's cache.
    pub(super) cached: u64,
    /// Tokens of the answer.
    pub(super) output: u64,
    /// Of them, spent on reasoning.
    pub(super) reasoning: u64,
    /// Tokens that it may say at most.
    pub(super) most: u64,
    /// What it says.
    pub(super) text: Word,
    /// The provider's id of the answer.
    pub(super) id: Word,
}

/// A tool at work.
#[derive(Debug)]
pub(super) struct ToolUse {
    /// Which.
    pub(super) kind: &'static ToolKind,
    /// The name it is called by.
    pub(super) name: &'static str,
    /// The provider's id of the call.
    pub(super) call: Word,
    /// The tool's own id.
    pub(super) id: Word,
    /// Its arguments.
    pub(super) arguments: Vec<(&'static str, Argument)>,
    /// The same as JSON.
    pub(super) json: Word,
    /// The same as Python prints them.
    pub(super) python: Word,
    /// What it brings.
    pub(super) result: Word,
    /// What of that the model gets to read.
    pub(super) kept: Word,
    /// What it says where it fails.
    pub(super) failed: Option<Word>,
    /// What it does.
    pub(super) work: Work,
}

/// An argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    /// A text.
    Text(Word),
    /// A number.
    Int(u64),
}

impl Argument {
    /// The text that it is.
    pub(super) fn text(self) -> Option<Word> {
        match self {
            Self::Text(text) => Some(text),
            Self::Int(_) => None,
        }
    }

    /// The number that it is.
    pub(super) fn number(self) -> Option<u64> {
        match self {
            Self::Text(_) => None,
            Self::Int(number) => Some(number),
        }
    }
}

/// What a tool does.
#[derive(Debug)]
pub(super) enum Work {
    /// Runs code.
    Code {
        /// How long.
        took: u64,
    },
    /// Asks another service.
    Http(Asked),
    /// Asks the cache, and another service where the cache has nothing.
    Cached {
        /// The key.
        key: Word,
        /// It is there.
        hit: bool,
        /// What is asked where it is not.
        asked: Asked,
    },
    /// Makes a vector and looks up what is near it.
    Search {
        /// What is looked for.
        query: Word,
        /// How long the vector takes.
        embedding: u64,
        /// Its tokens.
        tokens: u64,
        /// How the store of vectors answers.
        asked: Asked,
        /// What is found.
        found: Vec<Found>,
    },
    /// Hands the work to another agent.
    Agent(Box<Run>),
}

/// A request to another service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Which, by its place in [`super::cast::BACKENDS`].
    pub(super) backend: usize,
    /// The path and query.
    pub(super) path: Word,
    /// How long it takes.
    pub(super) took: u64,
    /// The status of its answer; `None` where it cannot be reached.
    pub(super) status: Option<u64>,
}

impl Asked {
    /// Whether it went wrong.
    pub(super) fn failed(self) -> bool {
        self.status.is_none_or(|status| status >= 400)
    }
}

/// A passage that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Its id.
    pub(super) id: Word,
    /// What it says.
    pub(super) text: Word,
    /// How near it is, in thousandths.
    pub(super) score: u64,
}
