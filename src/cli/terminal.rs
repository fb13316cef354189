//! Data on its way to a terminal.
//!
//! Comes in: bytes of JSON or of plain text, in pieces of any size. Goes out: the same, with characters that could act on a terminal
//! as `\u` escapes, which mean the same to every JSON reader. It is never used for what goes to a file or a pipe.

use std::io::{self, Write};

use crate::render::escaped;

/// A way to a terminal.
pub(super) struct Terminal<W> {
    out: W,
    /// The beginning of a character whose end has not come yet.
    rest: Vec<u8>,
}

impl<W: Write> Terminal<W> {
    /// A way through which nothing has gone yet.
    pub(super) fn new(out: W) -> Self {
        Self { out, rest: Vec::new() }
    }
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.rest.len(),
        };
        let text = String::from_utf8_lossy(self.rest.get(..whole).unwrap_or_default());
        self.out.write_all(escaped(&text).as_bytes())?;
        drop(text);
        self.rest.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_however_it_is_cut() {
        let text = "{\"a\":\"é\u{9b}31m\u{202e}\u{7f}\u{1b}[2J\"}\n\tx";
        for size in 1..8 {
            let mut out = Vec::new();
            let mut terminal = Terminal::new(&mut out);
            text.as_bytes().chunks(size).for_each(|piece| terminal.write_all(piece).unwrap());
            assert_eq!(
                String::from_utf8(out).unwrap(),
                "{\"a\":\"é\\u009b31m\\u202e\\u007f\\u001b[2J\"}\n\tx",
                "{size}"
            );
        }
    }
}
