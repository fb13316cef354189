//! A pipe that can be left while it is silent.
//!
//! Comes in: how to open what is piped in, and a flag. Goes out: the same bytes; the end, as soon as the flag is up. A thread reads ahead a
//! little, and is left alone when nobody wants more.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How much is read at once, and how often ahead.
const PIECE: usize = 256 << 10;
const AHEAD: usize = 4;
/// How long one waits without looking at the flag.
const NAP: Duration = Duration::from_millis(50);

/// A reader of a pipe.
pub(crate) struct Piped {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    stop: Arc<AtomicBool>,
}

impl Piped {
    /// Reads what `open` opens until it ends or `stop` is true. To open a named pipe takes as long as nobody writes into it.
    pub(crate) fn new<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let (give, pieces) = sync_channel(AHEAD);
        std::thread::Builder::new().name("piped".into()).spawn(move || {
            let mut source = match open() {
                Ok(source) => source,
                Err(error) => {
                    // Who is gone does not want to know.
                    let _ = give.send(Err(error));
                    return;
                }
            };
            loop {
                let mut piece = vec![0; PIECE];
                let read = source.read(&mut piece).map(|read| {
                    piece.truncate(read);
                    piece
                });
                let over = read.as_ref().is_ok_and(Vec::is_empty);
                let again = read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted);
                let failed = read.is_err() && !again;
                if over || (!again && give.send(read).is_err()) || failed {
                    return;
                }
            }
        })?;
        Ok(Self { pieces, piece: Vec::new(), at: 0, stop })
    }
}

impl Read for Piped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.piece.len() {
            match self.pieces.recv_timeout(NAP) {
                Ok(piece) => (self.piece, self.at) = (piece?, 0),
                Err(RecvTimeoutError::Timeout) if self.stop.load(Relaxed) => return Ok(0),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let count = self.piece.get(self.at..).unwrap_or_default().read(into)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_through() {
        let text: Vec<u8> = (0..1_000_000u32).map(|number| number as u8).collect();
        let (input, mut out) = (text.clone(), Vec::new());
        let mut piped = Piped::new(move || Ok(io::Cursor::new(input)), Arc::default()).unwrap();
        piped.read_to_end(&mut out).unwrap();
        assert!(out == text);
    }

    #[test]
    fn a_silent_pipe_can_be_left() {
        let stop = Arc::new(AtomicBool::new(true));
        let never = || -> io::Result<io::Empty> {
            loop {
                std::thread::park();
            }
        };
        let mut piped = Piped::new(never, stop).unwrap();
        assert_eq!(piped.read(&mut [0; 8]).unwrap(), 0);
    }
}
