//! Checks a request without building anything from it.
//!
//! Comes in: a message. Goes out: how many spans it holds and how many of them are broken, or why it is no request at all.

use super::arrival::Encoding;
use super::refusal::Refusal;
use crate::model::TraceId;
use crate::otlp::{Framing, Grade, JsonReader, ProtoReader, Seen, Tally, TroubleKind, glance};

/// What is in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inspection {
    /// Spans that can be read.
    pub(super) spans: u64,
    /// Spans that cannot.
    pub(super) broken: u64,
    /// Values in them that are nested more deeply than is read.
    pub(super) deep: u64,
}

/// Checks every byte of a request; `seen` hears the trace of each span.
pub(super) fn inspect(
    request: &[u8],
    encoding: Encoding,
    seen: &mut dyn FnMut(TraceId),
) -> Result<Inspection, Refusal> {
    let (mut spans, mut last) = (0, None);
    let tally = match encoding {
        Encoding::Proto => {
            // Nearly every request is in order: only one that is not is read in detail.
            if let Some(spans) = glance(request, &mut *seen) {
                return Ok(Inspection { spans, ..Inspection::default() });
            }
            let mut reader = ProtoReader::new(Framing::None);
            reader.feed(request, 0, true, &mut |thing| note(&thing, &mut spans, &mut last, seen));
            reader.take_tally()
        }
        Encoding::Json => {
            if request.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
                return Err(Refusal::Malformed("the body is no JSON object".to_owned()));
            }
            let mut reader = JsonReader::default();
            reader.feed(request, 0, true, &mut |thing| note(&thing, &mut spans, &mut last, seen));
            reader.take_tally()
        }
    };
    judge(&tally, spans)
}

/// Counts a span, and tells of its trace if that is another than before.
fn note(thing: &Seen<'_, '_>, spans: &mut u64, last: &mut Option<TraceId>, seen: &mut dyn FnMut(TraceId)) {
    let Seen::Span(span, _) = thing else { return };
    *spans += 1;
    let trace = Some(span.trace_id.trace());
    if trace != *last {
        trace.into_iter().for_each(seen);
        *last = trace;
    }
}

fn judge(tally: &Tally, spans: u64) -> Result<Inspection, Refusal> {
    let (mut broken, mut deep, mut wrong) = (0, 0, None);
    for trouble in tally.troubles() {
        match trouble.kind {
            TroubleKind::BrokenSpan => broken = trouble.count,
            TroubleKind::TooDeep => deep = trouble.count,
            TroubleKind::WrongType => wrong = Some(trouble),
            kind if kind.grade() == Grade::Loss || kind == TroubleKind::OtherText => {
                return Err(Refusal::Malformed(format!("byte {}: {}", trouble.offset, kind.message())));
            }
            _ => {}
        }
    }
    if spans == 0 && tally.other_signals != [0; 3] {
        return Err(Refusal::Malformed("this is a request of another signal, not of traces".to_owned()));
    }
    // Among spans a field that is wrong costs only itself; without any it is what should have held them.
    if let (0, 0, Some(trouble)) = (spans, broken, wrong) {
        return Err(Refusal::Malformed(format!("byte {}: {}", trouble.offset, trouble.kind.message())));
    }
    Ok(Inspection { spans, broken, deep })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(request: &[u8], encoding: Encoding) -> Option<(u64, u64)> {
        inspect(request, encoding, &mut |_| {}).ok().map(|found| (found.spans, found.broken))
    }

    #[test]
    fn only_what_is_sound_passes() {
        let span =
            br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10"}]}]}]}"#;
        assert_eq!(check(span, Encoding::Json), Some((1, 0)));
        assert_eq!(check(b"{}", Encoding::Json), Some((0, 0)));
        for wrong in
            [&b""[..], b"[]", b"hello", b"{\"resourceSpans\":[", br#"{"resourceLogs":[{}]}"#, br#"{"resourceSpans":5}"#]
        {
            assert_eq!(check(wrong, Encoding::Json), None, "{}", String::from_utf8_lossy(wrong));
        }
        let proto = crate::live::gather::proto_of(span, Encoding::Json);
        assert_eq!(check(&proto, Encoding::Proto), Some((1, 0)));
        assert_eq!(check(b"", Encoding::Proto), Some((0, 0)));
        assert_eq!(check(&proto[..proto.len() - 1], Encoding::Proto), None);
        assert_eq!(check(b"\xff\xff\xff", Encoding::Proto), None);
    }

    #[test]
    fn a_broken_span_costs_only_itself() {
        let mut proto = vec![0x0a, 9, 0x12, 7, 0x12, 2, 0x0a, 9, 0x12, 1, 0x08];
        assert_eq!(check(&proto, Encoding::Proto), Some((0, 2)));
        proto.truncate(8);
        assert_eq!(check(&proto, Encoding::Proto), None);
    }
}
