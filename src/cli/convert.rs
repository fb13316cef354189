//! `tracectl convert`: write recorded spans in another form, changed or as they are.
//!
//! Comes in: inputs and options. Goes out: files, or bytes on stdout; what was written, and what was odd, on stderr.

use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::convert_args::{Args, Split};
use super::convert_files::Files;
use super::convert_job::{Job, Outcome};
use super::error::{Error, Problem};
use super::interrupts;
use super::terminal::Terminal;
use crate::convert::{Piece, Written};
use crate::input::expand;
use crate::render::Said;

/// Blocks that may wait for stdout.
const AHEAD: usize = 4;
/// Parts that are told one by one.
const TOLD: usize = 20;

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    args.check()?;
    let inputs = args.inputs.settings(config);
    let target = args.target()?;
    let paths = inputs.paths(console)?;
    let stop = interrupts::flag()?;
    let job = Job::new(args, &inputs, paths, target, &stop, console)?;
    match args.file() {
        Some(path) => into_files(&job, path, console),
        None => into_stdout(&job, console),
    }
}

/// Writes a file, or several.
fn into_files(job: &Job<'_>, path: &Path, console: &mut Console) -> Result<Exit, Error> {
    let failed = |source| Error::from(Problem::Output { path: path.to_owned(), source });
    let files = match job.args.split {
        Some(_) => Files::several(path, &job.target.extension()).map_err(failed)?,
        None => Files::one(path),
    };
    let mut files = files.spare(&expand(job.paths())?);
    let outcome = job.write(console, &mut |piece| files.take(piece))?;
    let written = outcome.written.as_ref().map_err(|error| match &files.clash {
        Some(path) => Problem::OutputIsInput { path: path.display().to_string() }.into(),
        None => interrupted(error).unwrap_or_else(|| failed(copy(error))),
    })?;
    // What --strict calls a failure is not written.
    let strict = job.inputs.verdict(outcome.read.sources(), outcome.read.troubles());
    let strict = strict.is_err_and(|error| matches!(error.problem(), Problem::Strict { .. }));
    if written.spans() > 0 && !strict {
        files.finish().map_err(failed)?;
        tell(written, path, &files, job.args.split, console);
    }
    judge(job, &outcome, console)
}

/// Writes to stdout, on this thread, what others make.
fn into_stdout(job: &Job<'_>, console: &mut Console) -> Result<Exit, Error> {
    if job.args.split.is_some() {
        return Err(Problem::Conflict("--split writes several files: say where with -o").into());
    }
    if console.around().stdout_is_terminal && !job.target.is_text() {
        return Err(Problem::BinaryTerminal.into());
    }
    let (give, pieces) = sync_channel::<Vec<u8>>(AHEAD);
    let progress = super::progress::Progress::writing(console);
    let (outcome, printed) = std::thread::scope(|scope| {
        let maker = scope.spawn(move || job.make(progress, &mut |piece| hand_over(&give, piece)));
        let terminal = console.around().stdout_is_terminal;
        let printed = console.write(&Default::default(), |out| {
            let mut tame;
            let out: &mut dyn Write = if terminal {
                tame = Terminal::new(out);
                &mut tame
            } else {
                out
            };
            pieces.into_iter().try_for_each(|piece| out.write_all(&piece))
        });
        (maker.join(), printed)
    });
    let outcome = outcome.map_err(|_| io::Error::other("a thread of this program failed"))??;
    printed?;
    if let Err(error) = &outcome.written {
        return Err(interrupted(error).unwrap_or_else(|| copy(error).into()));
    }
    judge(job, &outcome, console)
}

fn hand_over(give: &SyncSender<Vec<u8>>, piece: Piece<'_>) -> io::Result<()> {
    match piece {
        Piece::Bytes(bytes) => give.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe.into()),
        Piece::Begin(_) | Piece::End => Ok(()),
    }
}

fn interrupted(error: &io::Error) -> Option<Error> {
    (error.kind() == io::ErrorKind::Interrupted).then(|| Problem::Interrupted.into())
}

/// The same error once more: those of the system keep their number.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// Says what was written.
fn tell(written: &Written, path: &Path, files: &Files, split: Option<Split>, console: &mut Console) {
    let spans = |spans: u64| format!("{spans} span{}", if spans == 1 { "" } else { "s" });
    if split.is_none() {
        return console.talk(&Said(format!("tracectl: wrote {} to {}", spans(written.spans()), path.display())));
    }
    for (part, path) in written.parts.iter().zip(&files.paths).take(TOLD) {
        console.talk(&Said(format!("tracectl: wrote {} to {}", spans(part.spans), path.display())));
    }
    let rest = written.parts.get(TOLD..).unwrap_or_default();
    if !rest.is_empty() {
        let more = rest.iter().map(|part| part.spans).sum();
        console.talk(&Said(format!("tracectl: and {} to {} more files", spans(more), rest.len())));
    }
    let (all, parts) = (spans(written.spans()), written.parts.len());
    console.talk(&Said(format!("tracectl: wrote {all} to {parts} file{}", if parts == 1 { "" } else { "s" })));
}

/// Says what was lost and what was odd.
fn judge(job: &Job<'_>, outcome: &Outcome, console: &mut Console) -> Result<Exit, Error> {
    if let Ok(written) = &outcome.written {
        for words in job.losses(written) {
            console.talk(&Said(format!("tracectl: {words}")));
        }
    }
    job.inputs.judge(&outcome.read, console)?;
    match &outcome.written {
        Ok(written) if written.spans() == 0 => Err(Problem::NothingFits { spans: outcome.spans() }.into()),
        _ => Ok(Exit::Fine),
    }
}
