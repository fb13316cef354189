//! The two streams of the program: stdout for the answer, stderr for talk.
//!
//! Comes in: reports and errors. Goes out: characters, through [`Ink`] only. Commands never see a stream themselves.

use std::io::{self, BufWriter, Write};

use super::error::{Error, Problem};
use super::look::{Look, Loudness};
use super::output::{OutputArgs, write_file};
use super::surroundings::Surroundings;
use crate::render::{Ink, Page, Render};

/// Where a command speaks.
pub(super) struct Console {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    look: Look,
    around: Surroundings,
    /// What stops a command is told as an object on a line.
    json: bool,
}

impl Console {
    /// A console on two streams.
    pub(super) fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, around: Surroundings) -> Self {
        Self { out, err, look: Look::first(&around), around, json: false }
    }

    /// Takes the look that flags and configuration ask for.
    pub(super) fn dress(&mut self, look: Look) {
        self.look = look;
    }

    /// Tells what stops the command as an object on a line, as everything else on stderr is told then.
    pub(super) fn log_json(&mut self, json: bool) {
        self.json = json;
    }

    /// Reports what stopped a command.
    pub(super) fn report(&mut self, error: &Error) {
        match self.json {
            true => {
                let _ = writeln!(self.err, "{}", error.json());
            }
            false => self.cry(error),
        }
    }

    /// The world around.
    pub(super) fn around(&self) -> &Surroundings {
        &self.around
    }

    /// The page of the answer.
    pub(super) fn page(&self, output: &OutputArgs) -> Page {
        if output.file().is_some() { self.look.file } else { self.look.answer }
    }

    /// The page of the talk.
    pub(super) fn talk_page(&self) -> Page {
        self.look.talk
    }

    /// How much is said.
    pub(super) fn loudness(&self) -> Loudness {
        self.look.loudness
    }

    /// Gives the answer.
    pub(super) fn show(&mut self, report: &dyn Render, output: &OutputArgs) -> Result<(), Error> {
        self.answer(output, |ink| report.render(ink))
    }

    /// Gives an answer that is drawn piece by piece.
    pub(super) fn answer(
        &mut self,
        output: &OutputArgs,
        mut draw: impl FnMut(&mut Ink<'_>) -> io::Result<()>,
    ) -> Result<(), Error> {
        let page = self.page(output);
        self.write(output, |out| draw(&mut Ink::new(out, page)))
    }

    /// Gives an answer for machines: bytes as they are.
    pub(super) fn write(
        &mut self,
        output: &OutputArgs,
        draw: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        if let Some(path) = output.file() {
            return write_file(path, draw).map_err(|source| Problem::Output { path: path.to_owned(), source }.into());
        }
        let mut out = BufWriter::with_capacity(1 << 16, &mut self.out);
        draw(&mut out)?;
        Ok(out.flush()?)
    }

    /// Says something on stderr, unless told to be quiet. A stderr that cannot be written to is no reason to stop.
    pub(super) fn talk(&mut self, report: &dyn Render) {
        if self.look.loudness != Loudness::Quiet {
            self.cry(report);
        }
    }

    /// Says something on stderr whatever was told.
    pub(super) fn cry(&mut self, report: &dyn Render) {
        let mut text = Vec::new();
        let _ = report.render(&mut Ink::new(&mut text, self.look.talk));
        let _ = self.err.write_all(&text).and_then(|()| self.err.flush());
    }

    /// Says what clap has to say: help and versions on stdout, misuse on stderr.
    pub(super) fn recite(&mut self, error: &clap::Error) -> io::Result<()> {
        let (stream, page) = match error.use_stderr() {
            true => (&mut self.err, self.look.talk),
            false => (&mut self.out, self.look.answer),
        };
        let text = error.render();
        let text = if page.color { text.ansi().to_string() } else { text.to_string() };
        stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
    }
}
