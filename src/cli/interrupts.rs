//! Ctrl-C, for commands that have something to put in order before they stop.
//!
//! Comes in: SIGINT and SIGTERM. Goes out: a flag that is true from the first one on. The process ends by the signal itself at the
//! second one, or where nothing comes of the first: in a pipe that nobody fills or empties no flag is looked at.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::{emulate_default_handler, pipe};

const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];
/// How long putting in order may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A flag that an interruption raises, for as long as the process lives. The next one ends it.
pub(super) fn flag() -> io::Result<Arc<AtomicBool>> {
    // In this order: the first one finds the flag down.
    let raised = last()?;
    SIGNALS.iter().try_for_each(|signal| flag::register(*signal, Arc::clone(&raised)).map(drop))?;
    SIGNALS.iter().try_for_each(|signal| end_after(*signal, PATIENCE))?;
    Ok(raised)
}

/// Ends the process by a signal that has not made it end otherwise for so long.
fn end_after(signal: i32, patience: Duration) -> io::Result<()> {
    let (mut heard, hears) = UnixStream::pair()?;
    pipe::register(signal, hears)?;
    let wait = move || {
        if heard.read_exact(&mut [0]).is_ok() {
            std::thread::sleep(patience);
            let _ = emulate_default_handler(signal);
        }
    };
    std::thread::Builder::new().name("interrupts".into()).spawn(wait).map(drop)
}

/// A flag that makes every interruption end the process, for who hears them in another way as long as it is down.
pub(super) fn last() -> io::Result<Arc<AtomicBool>> {
    let last = Arc::new(AtomicBool::new(false));
    SIGNALS.iter().try_for_each(|signal| flag::register_conditional_default(*signal, Arc::clone(&last)).map(drop))?;
    Ok(last)
}
