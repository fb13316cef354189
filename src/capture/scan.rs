//! Inputs scanned on all cores, and what is made of them handed over in the order of the input.
//!
//! Comes in: a name or a stream, and somebody who makes something of what readers see. Goes out: what was made, piece by piece. A
//! block that does not stand on its own (one document over many blocks) is read in turn by one reader instead, so the result never
//! depends on how the input was cut or on threads.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tempfile::SpooledTempFile;

use super::head::SourceId;
use super::table::{Capture, formats};
use crate::input::{Block, Blocks, Format, Named, Options, Piped, Store, Stream, Tee, sniff};
use crate::otlp::{JsonReader, ProtoReader, Seen, Tally, TroubleKind};

/// How much of a pipe is kept in memory before it goes to a temporary file.
pub(super) const SPOOL: usize = 8 << 20;
/// How much is looked at to tell the format.
const HEAD: u64 = 64 << 10;

/// Somebody who makes something of what readers see. There is one for every thread, and one that remembers for blocks that have to
/// be read in turn.
pub trait Gather: Send {
    /// What is made.
    type Made: Send;

    /// Takes in one thing that was read.
    fn take(&mut self, seen: Seen<'_, '_>);

    /// Whether what was made may be handed over: nothing that follows changes it.
    fn is_settled(&self) -> bool;

    /// What was made since the last time, where nothing is left open.
    fn made(&mut self) -> &mut Self::Made;

    /// Hands over what was made and goes on with what is open.
    fn hand_over(&mut self) -> Self::Made;

    /// Forgets everything, keeping the space.
    fn reset(&mut self);

    /// Nothing follows: what is still open was cut off.
    fn finish(&mut self) {}
}

/// What was handed over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Handed {
    /// Spans in it.
    pub spans: u64,
    /// Their formats, a bit each.
    pub shapes: u8,
    /// Nobody wants more.
    pub enough: bool,
}

/// Takes over what was made, in the order of the input.
pub(super) type Commit<'c, M> = dyn FnMut(&mut Capture, &mut M) -> Handed + Send + 'c;

/// A reader of either encoding.
pub(super) enum Reader {
    Json(JsonReader),
    Proto(ProtoReader),
}

impl Reader {
    fn new(format: Format) -> Self {
        match format {
            Format::Proto(framing) => Self::Proto(ProtoReader::new(framing)),
            _ => Self::Json(JsonReader::default()),
        }
    }

    fn feed(&mut self, block: &Block, sink: &mut impl FnMut(Seen<'_, '_>)) {
        match self {
            Self::Json(reader) => reader.feed(block.bytes(), block.at, block.last, sink),
            Self::Proto(reader) => reader.feed(block.bytes(), block.at, block.last, sink),
        }
    }

    fn is_idle(&self) -> bool {
        match self {
            Self::Json(reader) => reader.is_idle(),
            Self::Proto(reader) => reader.is_idle(),
        }
    }

    fn take_tally(&mut self) -> Tally {
        match self {
            Self::Json(reader) => reader.take_tally(),
            Self::Proto(reader) => reader.take_tally(),
        }
    }
}

/// The scan of one input.
pub(super) struct Scan<'s, G: Gather> {
    pub(super) source: SourceId,
    pub(super) options: &'s Options,
    /// Makes a gatherer.
    pub(super) gather: &'s (dyn Fn(SourceId) -> G + Sync),
    pub(super) commit: &'s mut Commit<'s, G::Made>,
    pub(super) progress: &'s mut (dyn FnMut(u64) + Send),
    /// Nobody wants more.
    pub(super) enough: bool,
}

impl<G: Gather> Scan<'_, G> {
    /// Scans an input that was named.
    pub(super) fn input(&mut self, name: &Named, capture: &mut Capture) -> io::Result<()> {
        let (reader, store, expected) = self.locate(name)?;
        self.stream(Stream::new(reader)?, store, (None, expected), capture)?;
        if matches!(name, Named::Below(_)) {
            capture.pass_over(self.source);
        }
        Ok(())
    }

    /// Scans a stream, of which the format and the length may be known.
    pub(super) fn stream(
        &mut self,
        mut stream: Stream,
        store: Store,
        (format, expected): (Option<Format>, Option<u64>),
        capture: &mut Capture,
    ) -> io::Result<()> {
        let mut head = Vec::new();
        (&mut stream).take(HEAD).read_to_end(&mut head)?;
        let whole = (head.len() as u64) < HEAD;
        let format = format.unwrap_or_else(|| sniff(&head, whole));
        if let Some(source) = capture.sources.get_mut(usize::from(self.source.0)) {
            source.compression = stream.compression().map(|compression| compression.name());
            source.looks_like = unreadable_format(format).map(str::to_owned);
        }
        capture.stores.push(store);
        let readable = matches!(format, Format::Json | Format::Proto(_));
        let mut blocks = Blocks::new(stream, format, head);
        if readable {
            let (shapes, spans) = self.blocks(&mut blocks, format, capture)?;
            if let Some(source) = capture.sources.get_mut(usize::from(self.source.0)) {
                source.spans = spans;
                source.format = match format {
                    _ if shapes != 0 => formats(shapes),
                    Format::Proto(_) => "otlp-proto".to_owned(),
                    _ => "json".to_owned(),
                };
            }
        }
        self.finish(&blocks, expected, capture);
        capture.look_back(self.source, format);
        Ok(())
    }

    /// Opens an input: how to read it now, where to read it again, and how long it is if it is a file.
    fn locate(&self, name: &Named) -> io::Result<(Box<dyn Read + Send>, Store, Option<u64>)> {
        let piped = match name {
            Named::Stdin => self.pipe(|| Ok(io::stdin()))?,
            Named::File(path) | Named::Below(path) => {
                let meta = std::fs::metadata(path)?;
                if meta.is_dir() {
                    return Err(io::ErrorKind::IsADirectory.into());
                }
                if meta.is_file() {
                    // What is appended while this is read belongs to the next look at the file.
                    let file = File::open(path)?;
                    let length = file.metadata()?.len();
                    return Ok((Box::new(file.take(length)), Store::Path(path.clone()), Some(length)));
                }
                let path = path.clone();
                self.pipe(move || File::open(path))?
            }
        };
        if !self.options.details {
            return Ok((piped, Store::Gone, None));
        }
        let spool = Arc::new(Mutex::new(SpooledTempFile::new(SPOOL)));
        Ok((Box::new(Tee::new(piped, Arc::clone(&spool))), Store::Spool(spool), None))
    }

    /// A pipe, which is left as soon as nobody wants more.
    fn pipe<R: Read + Send + 'static>(
        &self,
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
    ) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.options.stop {
            Some(stop) => Box::new(Piped::new(open, Arc::clone(stop))?),
            None => Box::new(open()?),
        })
    }

    /// Scans all blocks, on this thread alone where there is only one.
    pub(super) fn blocks(
        &mut self,
        blocks: &mut Blocks,
        format: Format,
        capture: &mut Capture,
    ) -> io::Result<(u8, u64)> {
        let (source, gather) = (self.source, self.gather);
        let mut turn = Turn {
            next: 0,
            reader: Reader::new(format),
            gather: gather(source),
            capture,
            commit: &mut *self.commit,
            source,
            shapes: 0,
            spans: 0,
            enough: false,
            progress: &mut *self.progress,
        };
        let mut block = Block::default();
        let mut failed = None;
        if blocks.next(&mut block)? {
            turn.in_turn(&block);
            let jobs = self.options.threads();
            if !block.last && jobs == 1 {
                while !turn.enough && !self.options.is_stopped() && blocks.next(&mut block)? {
                    turn.in_turn(&block);
                    (turn.progress)(blocks.stream().stored());
                }
            } else if !block.last {
                turn.next = 1;
                (turn, failed) = on_threads(turn, blocks, format, self.options, &|| gather(source));
            }
        }
        turn.gather.finish();
        turn.flush();
        self.enough |= turn.enough;
        failed.map_or(Ok((turn.shapes, turn.spans)), Err)
    }

    /// After the last block: what was damaged, what changed.
    fn finish(&mut self, blocks: &Blocks, expected: Option<u64>, capture: &mut Capture) {
        let stream = blocks.stream();
        if let Some(source) = capture.sources.get_mut(usize::from(self.source.0)) {
            source.bytes = stream.stored();
        }
        if let Some(damage) = stream.damage() {
            let cut = damage.kind() == io::ErrorKind::UnexpectedEof;
            let kind = if cut { TroubleKind::Truncated } else { TroubleKind::BadCompression };
            capture.trouble(self.source, kind, 1, &damage.to_string());
        }
        if stream.lost() > 0 {
            capture.trouble(self.source, TroubleKind::BadMessage, stream.lost(), "");
        }
        if expected.is_some_and(|expected| stream.stored() < expected && stream.damage().is_none()) && blocks.is_done()
        {
            capture.trouble(self.source, TroubleKind::Changed, 1, "it became shorter");
        }
    }
}

/// What an input looks like that no reader takes.
fn unreadable_format(format: Format) -> Option<&'static str> {
    match format {
        Format::Empty => Some("nothing: it is empty"),
        Format::Utf16 => Some("text in UTF-16; save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"),
        Format::Unknown => Some("binary data of no known trace format"),
        Format::Json | Format::Proto(_) => None,
    }
}

/// What only one thread at a time may touch, in the order of the blocks.
struct Turn<'t, G: Gather> {
    next: u64,
    reader: Reader,
    gather: G,
    capture: &'t mut Capture,
    commit: &'t mut Commit<'t, G::Made>,
    source: SourceId,
    shapes: u8,
    spans: u64,
    enough: bool,
    progress: &'t mut (dyn FnMut(u64) + Send),
}

impl<G: Gather> Turn<'_, G> {
    /// Reads a block with the reader that remembers the blocks before.
    fn in_turn(&mut self, block: &Block) {
        let (reader, gather) = (&mut self.reader, &mut self.gather);
        reader.feed(block, &mut |seen| gather.take(seen));
        if self.gather.is_settled() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let mut made = self.gather.hand_over();
        let tally = self.reader.take_tally();
        self.commit(&tally, &mut made);
    }

    fn commit(&mut self, tally: &Tally, made: &mut G::Made) {
        let handed = (self.commit)(self.capture, made);
        self.shapes |= handed.shapes;
        self.spans += handed.spans;
        self.enough |= handed.enough;
        if !tally.is_empty() {
            self.capture.add_troubles(self.source, tally);
        }
    }
}

/// Scans the rest of the blocks on all threads.
fn on_threads<'t, G: Gather>(
    turn: Turn<'t, G>,
    blocks: &mut Blocks,
    format: Format,
    options: &Options,
    gather: &(dyn Fn() -> G + Sync),
) -> (Turn<'t, G>, Option<io::Error>) {
    let shared = Shared {
        blocks: Mutex::new((blocks, None)),
        midway: AtomicBool::new(!turn.reader.is_idle()),
        enough: AtomicBool::new(turn.enough),
        turn: Mutex::new(turn),
        moved: Condvar::new(),
        format,
        options,
    };
    std::thread::scope(|scope| {
        for _ in 1..options.threads() {
            scope.spawn(|| shared.work(gather()));
        }
        shared.work(gather());
    });
    let (_, failed) = shared.blocks.into_inner().unwrap_or_else(PoisonError::into_inner);
    (shared.turn.into_inner().unwrap_or_else(PoisonError::into_inner), failed)
}

/// What all threads share.
struct Shared<'t, 'b, G: Gather> {
    blocks: Mutex<(&'b mut Blocks, Option<io::Error>)>,
    turn: Mutex<Turn<'t, G>>,
    moved: Condvar,
    /// The reader in turn stands inside a document: reading ahead would be in vain.
    midway: AtomicBool,
    /// Nobody wants more.
    enough: AtomicBool,
    format: Format,
    options: &'b Options,
}

impl<'t, G: Gather> Shared<'t, '_, G> {
    /// Takes block after block: reads it alone where it stands on its own, then hands it over when its turn comes.
    fn work(&self, mut gather: G) {
        let mut block = Block::default();
        let mut reader = Reader::new(self.format);
        while let Some(stored) = self.next(&mut block) {
            let ahead = block.clean && !self.midway.load(Ordering::Relaxed);
            if ahead {
                reader.feed(&block, &mut |seen| gather.take(seen));
            }
            let mut turn = self.wait_for(block.sequence);
            if ahead && reader.is_idle() && turn.reader.is_idle() {
                let tally = reader.take_tally();
                turn.commit(&tally, gather.made());
            } else {
                turn.in_turn(&block);
            }
            self.midway.store(!turn.reader.is_idle(), Ordering::Relaxed);
            self.enough.fetch_or(turn.enough, Ordering::Relaxed);
            (turn.progress)(stored);
            turn.next += 1;
            drop(turn);
            self.moved.notify_all();
            gather.reset();
            if !reader.is_idle() {
                reader = Reader::new(self.format);
            }
            reader.take_tally();
        }
    }

    fn next(&self, block: &mut Block) -> Option<u64> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let (source, failed) = &mut *blocks;
        if self.enough.load(Ordering::Relaxed) || self.options.is_stopped() {
            return None;
        }
        match source.next(block) {
            Ok(true) => Some(source.stream().stored()),
            Ok(false) => None,
            Err(error) => {
                failed.get_or_insert(error);
                None
            }
        }
    }

    fn wait_for(&self, sequence: u64) -> MutexGuard<'_, Turn<'t, G>> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.moved.wait_while(turn, |turn| turn.next != sequence).unwrap_or_else(PoisonError::into_inner)
    }
}
