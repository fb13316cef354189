//! Spans that wait for what comes after them: in memory, and beyond a bound in a temporary file.
//!
//! Comes in: encoded spans, one behind the other. Goes out: the same, in order, once. Where no temporary file can be written they
//! stay in memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

/// Bytes that are kept in memory.
const BOUND: usize = 64 << 20;

/// Spans that wait.
#[derive(Debug)]
pub(super) struct Spill {
    memory: Vec<u8>,
    file: Option<File>,
    /// The size of each span, of which so many are in the file.
    sizes: Vec<u32>,
    filed: usize,
    bound: usize,
}

impl Default for Spill {
    fn default() -> Self {
        Self { memory: Vec::new(), file: None, sizes: Vec::new(), filed: 0, bound: BOUND }
    }
}

impl Spill {
    /// How many spans there are.
    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Takes in a span that `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.memory.len();
        write(&mut self.memory);
        self.sizes.push(u32::try_from(self.memory.len() - before).unwrap_or(u32::MAX));
        if self.memory.len() > self.bound && self.move_out().is_ok() {
            self.memory.clear();
            self.filed = self.sizes.len();
        }
    }

    fn move_out(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        let from = file.stream_position()?;
        let written = file.write_all(&self.memory);
        if written.is_err() {
            // Half of it is in the file, all of it still in memory.
            file.set_len(from)?;
            file.seek(SeekFrom::Start(from))?;
        }
        written
    }

    /// Gives every span, with its number, and is empty afterwards. The answer is the number of spans that cannot be read back.
    pub(super) fn pour(&mut self, each: &mut dyn FnMut(usize, &[u8])) -> u64 {
        let mut missing = 0;
        let (filed, memory) = self.sizes.split_at(self.filed);
        if let Some(mut file) = self.file.take() {
            let sound = file.seek(SeekFrom::Start(0)).is_ok();
            let mut reader = BufReader::with_capacity(1 << 20, file);
            let mut span = Vec::new();
            for (number, size) in filed.iter().enumerate() {
                span.resize(*size as usize, 0);
                match reader.read_exact(&mut span) {
                    Ok(()) if sound => each(number, &span),
                    _ => missing += 1,
                }
            }
        }
        let mut rest = &*self.memory;
        for (number, size) in memory.iter().enumerate() {
            let (span, after) = rest.split_at_checked(*size as usize).unwrap_or((rest, &[]));
            each(self.filed + number, span);
            rest = after;
        }
        self.clear();
        missing
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.memory.clear();
        self.sizes.clear();
        (self.file, self.filed) = (None, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order_wherever_it_was() {
        for bound in [0, 10, 100, 100_000] {
            let mut spill = Spill { bound, ..Spill::default() };
            for round in 1..3usize {
                let spans: Vec<Vec<u8>> = (0..500).map(|number| vec![number as u8; number % 7 * round]).collect();
                for span in &spans {
                    spill.push(|out| out.extend_from_slice(span));
                    assert!(spill.memory.len() <= bound.max(14));
                }
                let mut out = Vec::new();
                let missing = spill.pour(&mut |number, span| {
                    assert_eq!(number, out.len());
                    out.push(span.to_vec());
                });
                assert!(missing == 0 && out == spans && spill.len() == 0);
            }
        }
    }
}
