//! Inputs read from the beginning to the end without keeping anything, for whoever writes them anew.
//!
//! Comes in: names of inputs or a capture of them, and somebody who makes something of what is read. Goes out: what was made, in the
//! order of the inputs, and a capture without spans that says what was odd. It takes the space of a few blocks.

use std::ffi::OsStr;
use std::io::{self, Read};

use super::head::SourceId;
use super::open::scan_all;
use super::scan::{Gather, Handed, Scan};
use super::table::Capture;
use crate::input::{Blocks, Format, InputError, Options, Stream, expand, sniff};

/// How much is looked at to tell the format.
const HEAD: u64 = 64 << 10;

/// Reads all inputs. `take` hears what was made, in the order of the inputs; `progress` how many bytes, as stored, were read.
pub fn pour<G: Gather>(
    inputs: &[impl AsRef<OsStr>],
    options: &Options,
    gather: &(dyn Fn(SourceId) -> G + Sync),
    take: &mut (dyn FnMut(&mut G::Made) -> Handed + Send),
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Capture, InputError> {
    let mut capture = Capture::default();
    let mut commit = |_: &mut Capture, made: &mut G::Made| take(made);
    scan_all(&expand(inputs)?, options, (gather, &mut commit), &mut capture, progress)?;
    capture.resolve_lines();
    Ok(capture)
}

impl Capture {
    /// Reads all inputs of the capture again. What is odd in them was told when they were read first.
    pub fn pour_again<G: Gather>(
        &self,
        options: &Options,
        gather: &(dyn Fn(SourceId) -> G + Sync),
        take: &mut (dyn FnMut(&mut G::Made) -> Handed + Send),
    ) -> Result<(), InputError> {
        for (source, number) in self.sources.iter().zip(0..).filter(|(source, _)| source.spans > 0) {
            let enough = self
                .pour_source(SourceId(number), options, gather, take)
                .map_err(|error| InputError::read(&source.path, error))?;
            if enough {
                break;
            }
        }
        Ok(())
    }

    fn pour_source<G: Gather>(
        &self,
        source: SourceId,
        options: &Options,
        gather: &(dyn Fn(SourceId) -> G + Sync),
        take: &mut (dyn FnMut(&mut G::Made) -> Handed + Send),
    ) -> io::Result<bool> {
        let mut stream = Stream::reopen(self.store(source)?)?;
        let mut head = Vec::new();
        (&mut stream).take(HEAD).read_to_end(&mut head)?;
        let format = sniff(&head, (head.len() as u64) < HEAD);
        if !matches!(format, Format::Json | Format::Proto(_)) {
            return Ok(false);
        }
        let mut blocks = Blocks::new(stream, format, head);
        let mut nowhere = Capture::default();
        let mut commit = |_: &mut Capture, made: &mut G::Made| take(made);
        let progress = &mut |_| {};
        let mut scan = Scan { source, options, gather, commit: &mut commit, progress, enough: false };
        scan.blocks(&mut blocks, format, &mut nowhere)?;
        Ok(scan.enough)
    }
}
