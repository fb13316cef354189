//! Ctrl-C, for commands that have something to put in order before they stop.
//!
//! Comes in: SIGINT and SIGTERM. Goes out: a flag that is true from the first one on; the one after that ends the process at once,
//! wherever it is.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// A flag that an interruption raises, for as long as the process lives. The next one ends it.
pub(super) fn flag() -> io::Result<Arc<AtomicBool>> {
    // In this order: the first one finds the flag down.
    let raised = last()?;
    SIGNALS.iter().try_for_each(|signal| flag::register(*signal, Arc::clone(&raised)).map(drop))?;
    Ok(raised)
}

/// A flag that makes every interruption end the process, for who hears them in another way as long as it is down.
pub(super) fn last() -> io::Result<Arc<AtomicBool>> {
    let last = Arc::new(AtomicBool::new(false));
    SIGNALS.iter().try_for_each(|signal| flag::register_conditional_default(*signal, Arc::clone(&last)).map(drop))?;
    Ok(last)
}
