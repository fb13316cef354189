//! Everything that can stop a command, and what it means for the exit code.
//!
//! Comes in: errors of the library's rooms. Goes out: three kinds of lines (what, because, hint) and an [`Exit`].

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use thiserror::Error as ThisError;

use super::config::ConfigError;
use super::exit::Exit;
use super::lint_settings::Misuse;
use crate::input::InputError;
use crate::ledger::PriceError;
use crate::lint::BaselineError;
use crate::live::LiveError;
use crate::mend::MendError;
use crate::model::ByteSize;
use crate::query::{MomentError, PrefixError};
use crate::render::{Ink, Render, Tone};
use crate::send::{SendError, TargetError};

/// What stopped a command.
#[derive(Debug, ThisError)]
pub(super) enum Problem {
    /// The command line was not understood; clap's own words.
    #[error("{0}")]
    Arguments(Box<clap::Error>),
    /// A configuration file or variable is wrong.
    #[error("cannot use the configuration")]
    Config(#[from] ConfigError),
    /// `--since` or `--until` is wrong.
    #[error("cannot use --{flag}")]
    Moment {
        /// The flag without its dashes.
        flag: &'static str,
        /// Why.
        source: MomentError,
    },
    /// A setting of the configuration has a value that is wrong.
    #[error("cannot use the setting {name}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The options of lint cannot be used.
    #[error("cannot lint like this")]
    Lint(#[from] Misuse),
    /// A baseline cannot be understood.
    #[error("cannot use the baseline {}", path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// Why.
        source: BaselineError,
    },
    /// A baseline cannot be read.
    #[error("cannot read the baseline {}", path.display())]
    NoBaseline {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The dump cannot be put right.
    #[error("cannot put the dump right")]
    Mend(#[from] MendError),
    /// A file is there already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to read.
    #[error("no input: name a file or a directory, or pipe a dump in")]
    NoInput,
    /// The input could not be opened or read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Some of the inputs could not be opened or read; the answer is about the others.
    #[error("{inputs} of {of} {} could not be read", if *of == 1 { "input" } else { "inputs" })]
    Unreadable {
        /// How many could not.
        inputs: usize,
        /// How many there are.
        of: usize,
    },
    /// Nothing in the input is a span.
    #[error("no spans in {inputs}")]
    NoSpans {
        /// The inputs' names.
        inputs: String,
    },
    /// No span passes the filters.
    #[error("{}", nothing_fits(*spans))]
    NothingFits {
        /// How many there are.
        spans: usize,
    },
    /// `--strict`, and something is odd.
    #[error("--strict: {kinds} {} odd in the input", if *kinds == 1 { "thing is" } else { "things are" })]
    Strict {
        /// How many kinds of oddities at or above warning.
        kinds: usize,
    },
    /// Several traces or spans begin like this.
    #[error("'{prefix}' fits {count} different ids")]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// How many ids begin like it.
        count: usize,
    },
    /// What is to be shown has no id, and no input has this name either.
    #[error("cannot show this")]
    Id(#[from] PrefixError),
    /// Nobody said which trace.
    #[error("there are {count} traces: which of them?")]
    WhichTrace {
        /// How many there are.
        count: usize,
    },
    /// No trace and no span begins like this.
    #[error("no trace or span has an id that begins with '{prefix}'")]
    NotFound {
        /// What was asked for.
        prefix: String,
    },
    /// The answer could not be written to its file.
    #[error("cannot write {}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The servers could not be started.
    #[error("cannot listen")]
    Live(#[from] LiveError),
    /// Requests cannot be sent there.
    #[error("cannot send")]
    Target(#[from] TargetError),
    /// Sending could not begin.
    #[error("cannot send")]
    Send(#[from] SendError),
    /// A journal cannot be used.
    #[error("cannot resume with {}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of what could not be delivered cannot be written.
    #[error("cannot write the dead letters to {}", path.display())]
    Letters {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Options that exclude each other for a reason.
    #[error("{0}")]
    Conflict(&'static str),
    /// The command to run could not be started.
    #[error("cannot run {program}")]
    Spawn {
        /// Its name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// An option needs a variable that is not set.
    #[error("the environment variable {name} is not set")]
    Variable {
        /// Its name.
        name: String,
    },
    /// A certificate without a key, or a key without a certificate.
    #[error("TLS needs a certificate and its key: --tls-cert and --tls-key")]
    HalfTls,
    /// A record is read again, and gone on with.
    #[error("the record has to be a file: stdout cannot hold it")]
    RecordOnStdout,
    /// There can be one record.
    #[error("there is one record already: {} would be a second", path.display())]
    SecondRecord {
        /// The file that is too many.
        path: PathBuf,
    },
    /// Listening is over and no span has come.
    #[error("no spans arrived")]
    NothingArrived,
    /// The answer would replace what it was drawn from.
    #[error("{path} is an input: writing the answer there would destroy it")]
    OutputIsInput {
        /// The file.
        path: String,
    },
    /// A scenario file cannot be read.
    #[error("cannot read the scenario {}", path.display())]
    NoScenario {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A scenario file is wrong.
    #[error("cannot use the scenario: {place}: {message}")]
    Scenario {
        /// File and line.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// A file of prices cannot be read.
    #[error("cannot read the prices {}", path.display())]
    NoPrices {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of prices is wrong.
    #[error("cannot use the prices {}", path.display())]
    Prices {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PriceError,
    },
    /// One trace would take more memory than any deserves.
    #[error("a trace of this may take {bytes}, and {most} are allowed")]
    HeavyTrace {
        /// What it may take.
        bytes: ByteSize,
        /// What it may take at most.
        most: ByteSize,
    },
    /// What a terminal cannot show would be written to one.
    #[error("protobuf and compressed traces are not for a terminal")]
    BinaryTerminal,
    /// Nobody said what is to be written.
    #[error("cannot tell from its name what to write to {}", path.display())]
    NoForm {
        /// The file.
        path: PathBuf,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted: what was not complete was not written")]
    Interrupted,
    /// The answer could not be printed.
    #[error("cannot print the answer")]
    Print(#[from] io::Error),
}

fn nothing_fits(spans: usize) -> String {
    match spans {
        1 => "the only span that was read does not fit the filters".to_owned(),
        spans => format!("none of the {spans} spans that were read fits the filters"),
    }
}

/// What stopped a command, with what to do about it.
#[derive(Debug)]
pub(super) struct Error {
    // Boxed, so that a good end does not carry the room for a bad one.
    problem: Box<Problem>,
    hints: Vec<String>,
}

impl Error {
    /// The error with one more hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What happened.
    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The error as an object on a line: `event`, `message`, `because`, `hints`.
    pub(super) fn json(&self) -> serde_json::Value {
        let mut because = Vec::new();
        let mut cause = self.problem.source();
        while let Some(error) = cause {
            because.push(error.to_string());
            cause = error.source();
        }
        serde_json::json!({
            "event": "error", "message": self.problem.to_string(), "because": because, "hints": self.hints,
        })
    }

    /// The one table from problems to exit codes.
    pub(super) fn exit(&self) -> Exit {
        match &*self.problem {
            Problem::Arguments(error) if error.use_stderr() => Exit::CouldNot,
            Problem::Arguments(_) => Exit::Fine,
            Problem::Config(_) | Problem::Moment { .. } | Problem::Setting { .. } => Exit::CouldNot,
            Problem::Lint(_) | Problem::Baseline { .. } | Problem::NoBaseline { .. } => Exit::CouldNot,
            Problem::Mend(_) | Problem::Exists { .. } => Exit::CouldNot,
            Problem::Id(_) | Problem::WhichTrace { .. } => Exit::CouldNot,
            Problem::NoInput | Problem::Ambiguous { .. } | Problem::OutputIsInput { .. } => Exit::CouldNot,
            Problem::Live(_) | Problem::Spawn { .. } | Problem::Variable { .. } => Exit::CouldNot,
            Problem::HalfTls | Problem::RecordOnStdout | Problem::SecondRecord { .. } => Exit::CouldNot,
            Problem::Target(_) | Problem::Send(_) | Problem::Journal { .. } => Exit::CouldNot,
            Problem::Letters { .. } | Problem::Conflict(_) => Exit::CouldNot,
            Problem::NoScenario { .. } | Problem::Scenario { .. } => Exit::CouldNot,
            Problem::NoPrices { .. } | Problem::Prices { .. } => Exit::CouldNot,
            Problem::HeavyTrace { .. } | Problem::BinaryTerminal => Exit::CouldNot,
            Problem::NoForm { .. } | Problem::Interrupted => Exit::CouldNot,
            Problem::NothingArrived => Exit::Unreadable,
            Problem::Input(_) | Problem::NoSpans { .. } | Problem::NothingFits { .. } => Exit::Unreadable,
            Problem::Unreadable { .. } | Problem::Strict { .. } | Problem::NotFound { .. } => Exit::Unreadable,
            Problem::Output { source, .. } | Problem::Print(source) if source.kind() == io::ErrorKind::BrokenPipe => {
                Exit::Fine
            }
            Problem::Output { .. } | Problem::Print(_) => Exit::CouldNot,
        }
    }
}

impl<P: Into<Problem>> From<P> for Error {
    fn from(problem: P) -> Self {
        Self { problem: Box::new(problem.into()), hints: Vec::new() }
    }
}

impl Render for Error {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        ink.put(Tone::Error, "tracectl: ")?;
        ink.say(&self.problem)?;
        ink.line()?;
        let mut cause = self.problem.source();
        while let Some(error) = cause {
            ink.put(Tone::Quiet, "  because: ")?;
            ink.say(error)?;
            ink.line()?;
            cause = error.source();
        }
        for hint in &self.hints {
            ink.put(Tone::Good, "  hint: ")?;
            ink.say(hint)?;
            ink.line()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Page;

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "permission denied");
        let error = Error::from(Problem::Output { path: "out\x1b.json".into(), source }).hint("choose another place");
        let mut out = Vec::new();
        error.render(&mut Ink::new(&mut out, Page::plain(80))).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "tracectl: cannot write out␛.json\n  because: permission denied\n  hint: choose another place\n"
        );
        assert_eq!(error.exit(), Exit::CouldNot);
    }

    #[test]
    fn a_reader_that_went_away_is_a_normal_end() {
        let error = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.exit(), Exit::Fine);
    }
}
