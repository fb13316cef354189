//! Groups written one behind the other: into one file or, bound in size, into several.
//!
//! Comes in: groups that are ready. Goes out: pieces of files, compressed as the form says, and what was written to each. Every block
//! is compressed by itself, as members of gzip and frames of zstd may follow each other.

use std::io;

use super::overflow::{Chunk, read_back};
use super::pack::{Group, Made};
use super::plan::Part;
use crate::otlp::{Form, Layout, Packing};

/// Bytes that are compressed together.
const MEMBER: usize = 1 << 20;

/// A piece of what is written.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'p> {
    /// A file begins; its name is empty where there is one only.
    Begin(&'p str),
    /// Bytes of it.
    Bytes(&'p [u8]),
    /// It is complete.
    End,
}

/// Takes pieces.
pub(super) type Give<'g> = dyn FnMut(Piece<'_>) -> io::Result<()> + Send + 'g;

/// What was written.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The files.
    pub parts: Vec<Part>,
    /// Fields of later versions of the protocol that the form cannot hold.
    pub unknown: u64,
    /// Fields of such versions that stood beside the ResourceSpans, and stay there.
    pub beside: u64,
    /// What a format other than OTLP had no place for, in words.
    pub lost: Vec<String>,
    /// Spans whose bytes were no longer where they had been.
    pub missing: u64,
    /// Identical spans that were written once.
    pub repeated: u64,
    /// Spans that repeat an id and say something else: all of them were written.
    pub conflicting: u64,
}

impl Written {
    /// Spans of all files.
    pub fn spans(&self) -> u64 {
        self.parts.iter().map(|part| part.spans).sum()
    }
}

/// Writes groups.
pub(super) struct Sink<'g> {
    form: Form,
    most: Option<u64>,
    give: &'g mut Give<'g>,
    pub(super) written: Written,
    open: bool,
    /// What waits to be compressed.
    waiting: Vec<u8>,
    packed: Vec<u8>,
}

impl<'g> Sink<'g> {
    pub(super) fn new(form: Form, most: Option<u64>, give: &'g mut Give<'g>) -> Self {
        Self { form, most, give, written: Written::default(), open: false, waiting: Vec::new(), packed: Vec::new() }
    }

    /// Begins a file. The one before it ends.
    pub(super) fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end()?;
        (self.give)(Piece::Begin(name))?;
        self.open = true;
        self.written.parts.push(Part { name: name.to_owned(), ..Part::default() });
        if self.form.layout == Layout::Document {
            self.put(b"{\"resourceSpans\":[")?;
        }
        Ok(())
    }

    /// Ends the file that is open.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.open) {
            return Ok(());
        }
        if self.form.layout == Layout::Document {
            self.put(b"]}\n")?;
        }
        self.flush(true)?;
        (self.give)(Piece::End)
    }

    /// Ends everything. What holds no group is a file nevertheless.
    pub(super) fn finish(mut self) -> io::Result<Written> {
        if self.written.parts.is_empty() {
            self.begin("")?;
        }
        self.end()?;
        Ok(self.written)
    }

    /// Takes groups.
    pub(super) fn take(&mut self, made: &Made) -> io::Result<()> {
        self.written.unknown += made.unknown;
        self.written.beside += made.beside;
        if made.too_large {
            let words = "a ResourceSpans has more than 4 GiB, which a length of four bytes cannot say";
            return Err(io::Error::other(words));
        }
        if self.most.is_none() && made.in_memory() {
            return self.all(made);
        }
        let mut from = 0;
        for group in &made.groups {
            let chunks = made.chunks.get(from..group.chunks).unwrap_or_default();
            from = group.chunks;
            self.group(group, chunks, &made.bytes)?;
        }
        Ok(())
    }

    /// Takes all groups at once.
    fn all(&mut self, made: &Made) -> io::Result<()> {
        if made.groups.is_empty() {
            return Ok(());
        }
        self.turn(made.bytes.len() as u64)?;
        let skip = usize::from(self.is_first());
        self.put(made.bytes.get(skip..).unwrap_or_default())?;
        self.note(made.spans(), made.bytes.len() as u64);
        Ok(())
    }

    fn group(&mut self, group: &Group, chunks: &[Chunk], bytes: &[u8]) -> io::Result<()> {
        self.turn(group.bytes)?;
        let mut skip = usize::from(self.is_first());
        for chunk in chunks {
            match chunk {
                Chunk::Memory(range) => {
                    let bytes = bytes.get(range.clone()).unwrap_or_default();
                    self.put(bytes.get(skip..).unwrap_or_default())?;
                    skip = 0;
                }
                Chunk::File(file, range) => read_back(file, range.clone(), &mut |page| self.put(page))?,
            }
        }
        self.note(group.spans, group.bytes);
        Ok(())
    }

    /// Begins the first file, or the next where this one has no room for so many bytes.
    fn turn(&mut self, bytes: u64) -> io::Result<()> {
        let Some(most) = self.most else {
            return if self.open { Ok(()) } else { self.begin("") };
        };
        let full = self.written.parts.last().is_none_or(|part| part.bytes > 0 && part.bytes + bytes > most);
        if full || !self.open {
            let name = format!("{:04}", self.written.parts.len() + 1);
            self.begin(&name)?;
        }
        Ok(())
    }

    fn note(&mut self, spans: u64, bytes: u64) {
        if let Some(part) = self.written.parts.last_mut() {
            part.spans += spans;
            part.bytes += bytes;
        }
    }

    /// Whether the next group is the first of a document, before which no comma stands.
    fn is_first(&self) -> bool {
        self.form.layout == Layout::Document && self.written.parts.last().is_none_or(|part| part.bytes == 0)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.form.packing == Packing::None {
            return (self.give)(Piece::Bytes(bytes));
        }
        self.waiting.extend_from_slice(bytes);
        self.flush(false)
    }

    fn flush(&mut self, all: bool) -> io::Result<()> {
        if self.waiting.is_empty() || !(all || self.waiting.len() >= MEMBER) {
            return Ok(());
        }
        self.packed.clear();
        self.form.packing.write(&mut self.packed, |out| out.write_all(&self.waiting))?;
        self.waiting.clear();
        (self.give)(Piece::Bytes(&self.packed))
    }
}
