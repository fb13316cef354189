//! What the targets have in common: bytes read in one piece and in many, and what may differ.
//!
//! Comes in: bytes, and how they are read. Goes out: nothing; it panics where two ways of reading disagree.

use tracectl::input::Format;
use tracectl::otlp::{JsonReader, ProtoReader, RawSpan, Seen, read_span};

/// What is seen of a span: its ids, where it begins, and how long it is.
type Found = (u128, u64, u64, usize);

/// Reads bytes in pieces of the given size. A span that was read can be read again from its own bytes.
fn read(bytes: &[u8], format: Format, piece: usize) -> Vec<Found> {
    let mut found = Vec::new();
    let mut sink = |seen: Seen<'_, '_>| {
        let Seen::Span(span, at) = seen else { return };
        let mut again = RawSpan::default();
        assert!(read_span(span.raw, span.shape, &mut again), "a span cannot be read again");
        assert_eq!((again.trace_id.bits, again.span_id.bits), (span.trace_id.bits, span.span_id.bits));
        assert_eq!((again.attributes().len(), again.events.len()), (span.attributes().len(), span.events.len()));
        found.push((span.trace_id.bits, span.span_id.span().0, at, span.raw.len()));
    };
    let pieces = bytes.chunks(piece.max(1)).zip((0..).step_by(piece.max(1)));
    let last = bytes.len().div_ceil(piece.max(1));
    match format {
        Format::Proto(framing) => {
            let mut reader = ProtoReader::new(framing);
            for (number, (piece, at)) in (1..).zip(pieces) {
                reader.feed(piece, at, number == last, &mut sink);
            }
        }
        _ => {
            let mut reader = JsonReader::default();
            for (number, (piece, at)) in (1..).zip(pieces) {
                reader.feed(piece, at, number == last, &mut sink);
            }
        }
    }
    found
}

/// Reads bytes in one piece and in pieces of some size: the same spans come of it.
pub fn both_ways(bytes: &[u8], format: Format) {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let whole = read(bytes, format, bytes.len());
    assert_eq!(read(bytes, format, 1 + usize::from(*size)), whole, "pieces of {}", 1 + usize::from(*size));
}
