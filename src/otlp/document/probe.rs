//! What an object is, and where a document begins, by a look at their first bytes.
//!
//! Comes in: a cursor before an object. Goes out: whether to go into it. It reads ahead and changes nothing.

use super::super::container::camel;
use super::super::cursor::{Cursor, Halt};
use super::super::lift::is_leaf_key;
use super::super::notes::Notes;

/// How much of an object is looked at to find out what it is, or where a broken value ends.
pub(super) const MAX_PROBE: usize = 16 << 20;

/// Whether what stands here, where a member of a document is expected, begins a document of its own on a new line: the line
/// before was cut off.
pub(super) fn begins_document(bytes: &[u8], at: usize) -> bool {
    const STARTS: [&[u8]; 6] = [
        b"{\"resourceSpans\"",
        b"{\"resource_spans\"",
        b"{\"resourceLogs\"",
        b"{\"resourceMetrics\"",
        b"{\"batches\"",
        b"{\"result\"",
    ];
    let rest = bytes.get(at..).unwrap_or_default();
    at > 0 && bytes.get(at - 1) == Some(&b'\n') && STARTS.iter().any(|start| rest.starts_with(start))
}

/// Whether after a value that ends at `end` an array or object goes on or closes.
pub(super) fn continues(bytes: &[u8], end: usize) -> bool {
    let next = bytes.get(end..).unwrap_or_default().iter().find(|c| !c.is_ascii_whitespace());
    matches!(next, Some(b',' | b']' | b'}'))
}

/// What an object is, as its keys tell.
pub(super) enum Nature {
    /// It holds, or may hold, an OTLP envelope.
    Envelope,
    /// It is something of its own.
    Bare,
}

pub(super) fn probe(cursor: &Cursor<'_, '_>) -> Result<Nature, Halt> {
    const ENVELOPE: &[&[u8]] = &[
        b"resourceSpans",
        b"batches",
        b"trace",
        b"result",
        b"data",
        b"resourceLogs",
        b"resourceMetrics",
        b"resourceProfiles",
        b"scopeSpans",
        b"instrumentationLibrarySpans",
        b"resource",
        b"scopeLogs",
        b"scopeMetrics",
        b"scopeProfiles",
    ];
    let mut notes = Notes::default();
    let mut look = Cursor::new(cursor.bytes, cursor.at, &mut notes);
    let mut search = || {
        if !look.enter(b'{', b'}')? {
            return Ok(Nature::Envelope);
        }
        loop {
            let key = look.key()?.raw;
            if ENVELOPE.contains(&camel(key).unwrap_or(key)) {
                return Ok(Nature::Envelope);
            }
            if is_leaf_key(key) {
                return Ok(Nature::Bare);
            }
            look.skip()?;
            if !look.more(b'}')? {
                return Ok(Nature::Bare);
            }
        }
    };
    match search() {
        Err(Halt::End) if cursor.bytes.len() - cursor.at > MAX_PROBE => Ok(Nature::Envelope),
        other => other,
    }
}
