//! `tracectl emit`: traces that nobody had to wait for.
//!
//! Comes in: options. Goes out: OTLP in the form that the output's name asks for, and a line about it on stderr; or, with `--to`,
//! requests to a receiver.

use std::io;
use std::sync::atomic::Ordering;

use super::Exit;
use super::config::Config;
use super::console::Console;
pub(super) use super::emit_args::Args;
use super::emit_args::Settings;
use super::emit_form::Form;
use super::emit_script::EXAMPLE;
use super::emit_send;
use super::emit_wishes::Wishes;
use super::error::{Error, Problem};
use super::interrupts;
use super::progress::Progress;
use crate::emit::{Fault, Made, Play};
use crate::render::{Ink, Render, Tone};

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    if args.list_faults {
        console.show(&Faults, &args.output)?;
        return Ok(Exit::Fine);
    }
    if args.example_scenario {
        console.show(&Example, &args.output)?;
        return Ok(Exit::Fine);
    }
    if let Some(url) = &args.to {
        return emit_send::run(args, url, config, console);
    }
    let form = form(args, console)?;
    let Settings { plan, jobs } = args.settings(config, console.around().now)?;
    let wanted = Wishes::of(&plan);
    let mut progress = Progress::making(console, wanted.amount);
    let mut play = Play::begin(plan, form.encoding(), jobs);
    let mut bytes = 0;
    // A file appears when it is whole, or not at all; a pipe has what was written.
    let stop = args.output.file().map(|_| interrupts::flag()).transpose()?;
    let stopped = || stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed));
    let written = console.write(&args.output, |out| {
        let next = |spent| {
            let batch = play.swap(spent).filter(|_| !stopped())?;
            bytes += batch.bytes.len() as u64;
            progress.made(bytes, wanted.done(&play.made()));
            Some(batch)
        };
        form.write(next, out)?;
        if stopped() { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    });
    drop(progress);
    if stopped() {
        return Err(Problem::Interrupted.into());
    }
    written?;
    if let Some(file) = args.output.file() {
        let file = file.display().to_string();
        console.talk(&Done { made: play.made(), file });
    }
    wanted.idle(&play.made()).for_each(|idle| console.talk(&idle));
    Ok(Exit::Fine)
}

/// How names of files end that say what is written.
const NAMES: &str = "end the name in .jsonl, .json or .pb, with .gz or .zst behind it, or use --to-format; \
                     `tracectl convert` writes other formats";

/// The form that was asked for, or that the file's name asks for; a name that asks for another format is refused.
fn form(args: &Args, console: &Console) -> Result<Form, Error> {
    let file = args.output.file();
    let named = match (args.to_format, file) {
        (Some(form), _) => Some(form),
        (None, Some(file)) if file.extension().is_some() => {
            Some(Form::of(file).ok_or_else(|| Error::from(Problem::NoForm { path: file.to_owned() }).hint(NAMES))?)
        }
        _ => None,
    };
    let form = named.unwrap_or(Form::LINES);
    if file.is_none() && !form.is_text() && console.around().stdout_is_terminal {
        return Err(Error::from(Problem::BinaryTerminal).hint("name a file with -o, or send it into a pipe"));
    }
    Ok(form)
}

/// What was made.
struct Done {
    made: Made,
    file: String,
}

impl Render for Done {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let Made { traces, spans, .. } = self.made;
        let counted = |number, what| if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") };
        ink.put(Tone::Quiet, format!("made {} in {}: ", counted(spans, "span"), counted(traces, "trace")))?;
        ink.say(&self.file)?;
        ink.line()
    }
}

/// An example of a scenario file.
struct Example;

impl Render for Example {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        for line in EXAMPLE.lines() {
            ink.put(Tone::Plain, line)?;
            ink.line()?;
        }
        Ok(())
    }
}

/// The list of faults.
struct Faults;

impl Render for Faults {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let width = Fault::ALL.iter().map(|fault| fault.kind().name.len()).max().unwrap_or(0);
        for fault in Fault::ALL {
            let kind = fault.kind();
            ink.put(Tone::Plain, format!("{:<width$}  ", kind.name))?;
            ink.put(Tone::Quiet, kind.code)?;
            ink.put(Tone::Plain, format!("  {}", kind.summary))?;
            if !kind.asked.is_empty() {
                ink.put(Tone::Quiet, format!(" (lint {})", kind.asked))?;
            }
            ink.line()?;
        }
        Ok(())
    }
}
