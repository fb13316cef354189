//! One input read once more from its start, span by span, for whoever rewrites or measures it.
//!
//! Comes in: an input of a capture. Goes out: everything its readers see, in the order of the input. It needs the space of
//! one block and keeps nothing; what is odd in the input was told when it was read first.

use std::io::{self, Read};

use super::head::SourceId;
use super::table::Capture;
use crate::input::{Block, Blocks, Format, Store, Stream, sniff};
use crate::otlp::{JsonReader, ProtoReader, Seen};

/// How much is looked at to tell the format.
const HEAD: u64 = 64 << 10;

impl Capture {
    /// Reads an input again. One that is gone by now is an error; one that holds no spans gives none.
    pub fn reread(&self, source: SourceId, sink: &mut dyn FnMut(Seen<'_, '_>)) -> io::Result<()> {
        self.reread_while(source, &mut |seen| {
            sink(seen);
            true
        })
    }

    /// Reads an input again until `sink` says that it wants no more; it may hear some more of the same block.
    pub fn reread_while(&self, source: SourceId, sink: &mut dyn FnMut(Seen<'_, '_>) -> bool) -> io::Result<()> {
        let mut stream = Stream::reopen(self.store(source)?)?;
        let mut head = Vec::new();
        (&mut stream).take(HEAD).read_to_end(&mut head)?;
        let whole = (head.len() as u64) < HEAD;
        let format = sniff(&head, whole);
        let mut blocks = Blocks::new(stream, format, head);
        let mut going = true;
        match format {
            Format::Json => {
                let mut reader = JsonReader::default();
                each_block(&mut blocks, |block| {
                    reader.feed(block.bytes(), block.at, block.last, &mut |seen| going &= sink(seen));
                    reader.take_tally();
                    going
                })
            }
            Format::Proto(framing) => {
                let mut reader = ProtoReader::new(framing);
                each_block(&mut blocks, |block| {
                    reader.feed(block.bytes(), block.at, block.last, &mut |seen| going &= sink(seen));
                    reader.take_tally();
                    going
                })
            }
            Format::Utf16 | Format::Empty | Format::Unknown => Ok(()),
        }
    }

    pub(super) fn store(&self, source: SourceId) -> io::Result<&Store> {
        self.stores.get(usize::from(source.0)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn each_block(blocks: &mut Blocks, mut feed: impl FnMut(&Block) -> bool) -> io::Result<()> {
    let mut block = Block::default();
    while blocks.next(&mut block)? && feed(&block) {}
    Ok(())
}
