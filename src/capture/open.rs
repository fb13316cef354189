//! From inputs to a capture: blocks are scanned on all cores and taken over in the order of the input.
//!
//! Comes in: names of inputs. Goes out: the filled tables. It reads no detail of any span.

use std::ffi::OsStr;
use std::hash::RandomState;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tempfile::SpooledTempFile;

use super::batch::{Batch, Builder, Note};
use super::head::{SourceId, SpanRef};
use super::scan::{Commit, Gather, Handed, SPOOL, Scan};
use super::table::{Capture, Source};
use crate::input::{Format, InputError, Named, Options, Store, Stream, expand};
use crate::otlp::{Framing, Seen, TroubleKind};

/// Somebody who looks at every span while its bytes are hot. Blocks are noted on several threads and handed over one after
/// the other, in the order of the input, so that what is made of the notes never depends on threads.
pub struct Watch<'w, N> {
    /// Notes what it wants of a span, by the number that the span has among those of its notes; what the span says about an
    /// agent's run was read already.
    pub note: Note<'w, N>,
    /// Takes over the notes of spans that are in the capture now; the first one is given.
    pub take: &'w mut (dyn FnMut(&Capture, SpanRef, &mut N) + Send),
}

/// Reads all inputs into one capture. `progress` hears how many bytes, as stored, have been read of all of them.
///
/// An input that cannot be opened is a trouble when there are others, and an error when there are none.
pub fn open(
    inputs: &[impl AsRef<OsStr>],
    options: &Options,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Capture, InputError> {
    open_watched(inputs, options, progress, &mut Watch::<()> { note: &|_, _, _, _, _| (), take: &mut |_, _, _| () })
}

/// Like [`open`], with somebody who looks at every span.
pub fn open_watched<N: Default + Send>(
    inputs: &[impl AsRef<OsStr>],
    options: &Options,
    progress: &mut (dyn FnMut(u64) + Send),
    watch: &mut Watch<'_, N>,
) -> Result<Capture, InputError> {
    let (hasher, note) = (RandomState::new(), watch.note);
    let wanted = options.capture_key.as_deref();
    let gather = |source| Builder::new(source, wanted, &hasher, note);
    let mut commit = take_over(&mut *watch.take);
    let mut capture = Capture::default();
    scan_all(&expand(inputs)?, options, (&gather, &mut commit), &mut capture, progress)?;
    capture.resolve_lines();
    Ok(capture)
}

/// Scans inputs one after the other. One that cannot be opened is a trouble when there are others, and an error when there are none.
pub(super) fn scan_all<G: Gather>(
    named: &[Named],
    options: &Options,
    (gather, commit): (&(dyn Fn(SourceId) -> G + Sync), &mut Commit<'_, G::Made>),
    capture: &mut Capture,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), InputError> {
    if named.len() > SourceId::MOST {
        return Err(InputError::TooMany { found: named.len() });
    }
    let mut before = 0;
    for (name, number) in named.iter().zip(0..) {
        let source = SourceId(number);
        before += capture.sources.last().map_or(0, |source| source.bytes);
        capture.sources.push(Source { path: name.path(), format: "unknown".to_owned(), ..Source::default() });
        let progress = &mut |bytes| progress(before + bytes);
        let mut scan = Scan { source, options, gather, commit: &mut *commit, progress, enough: false };
        let scanned = scan.input(name, capture);
        let enough = scan.enough;
        if let Err(error) = scanned {
            capture.stores.resize_with(usize::from(source.0) + 1, || Store::Gone);
            if named.len() == 1 {
                return Err(InputError::read(&name.path(), error));
            }
            capture.trouble(source, TroubleKind::Unreadable, 1, &error.to_string());
        }
        if enough || options.is_stopped() {
            break;
        }
    }
    Ok(())
}

/// Takes heads and names over into the capture, and lets somebody take the notes.
fn take_over<'t, N: Default + Send>(
    take: &'t mut (dyn FnMut(&Capture, SpanRef, &mut N) + Send),
) -> impl FnMut(&mut Capture, &mut (Batch, N)) -> Handed + Send + 't {
    move |capture, (batch, notes)| {
        let first = SpanRef(capture.length as u32);
        capture.commit(batch);
        take(capture, first, notes);
        Handed { spans: batch.heads.len() as u64, shapes: batch.shapes, enough: false }
    }
}

impl<N: Default + Send> Gather for Builder<'_, N> {
    type Made = (Batch, N);

    #[inline]
    fn take(&mut self, seen: Seen<'_, '_>) {
        self.heed(seen);
    }

    fn is_settled(&self) -> bool {
        self.settled()
    }

    fn made(&mut self) -> &mut (Batch, N) {
        &mut self.made
    }

    fn hand_over(&mut self) -> (Batch, N) {
        self.split()
    }

    fn reset(&mut self) {
        self.begin();
    }
}

/// Reads messages of OTLP/protobuf that are in memory: each is a source of its own, by name; the second of a pair says
/// whether its spans came late.
pub fn of_messages(messages: Vec<(String, Vec<u8>, bool)>) -> Result<Capture, InputError> {
    let options = Options { jobs: 1, ..Options::default() };
    let mut capture = Capture::default();
    let hasher = RandomState::new();
    let gather = |source| Builder::<()>::new(source, None, &hasher, &|_, _, _, _, _| ());
    let mut nobody = |_: &Capture, _: SpanRef, (): &mut ()| ();
    let mut commit = take_over(&mut nobody);
    for (path, message, late) in messages {
        let found = capture.sources.len();
        let source = SourceId(u16::try_from(found).map_err(|_| InputError::TooMany { found })?);
        capture.sources.push(Source { path: path.clone(), late, ..Source::default() });
        let progress = &mut |_| {};
        let mut scan =
            Scan { source, options: &options, gather: &gather, commit: &mut commit, progress, enough: false };
        let mut spool = SpooledTempFile::new(SPOOL);
        let store = spool.write_all(&message).map(|()| Store::Spool(Arc::new(Mutex::new(spool))));
        let stream = Stream::new(Box::new(io::Cursor::new(message)));
        let format = Format::Proto(Framing::None);
        store
            .and_then(|store| scan.stream(stream?, store, (Some(format), None), &mut capture))
            .map_err(|error| InputError::read(&path, error))?;
    }
    Ok(capture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_inputs_than_can_be_told_apart_are_refused_before_any_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<_> = (0..=SourceId::MOST).map(|number| folder.path().join(number.to_string())).collect();
        let error = open(&names, &Options::default(), &mut |_| {}).err().unwrap();
        assert!(error.to_string().starts_with("65536 input files are too many"), "{error}");
    }
}
