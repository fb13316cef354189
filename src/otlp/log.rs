//! The one thing of logs that tells about spans: exceptions that were recorded as log records instead of span events, as the
//! semantic conventions of exceptions in logs have it.
//!
//! Comes in: a log record. Goes out: the exception's type, and of which span it is. Everything else of the record is stepped over.
//!
//! Field numbers: opentelemetry-proto v1.11 `logs.proto`.

use super::cursor::{Cursor, Halt};
use super::id::Width;
use super::notes::Notes;
use super::proto::{Field, Leaves, Malformed, Walk};
use super::raw::{RawAttribute, RawId, Text};
use crate::model::{SpanId, TraceId};

/// An exception that a log record tells of a span.
#[derive(Clone, Debug)]
pub struct LogException<'a> {
    /// The trace of the span.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// `exception.type`, or `exception.message` where there is no type.
    pub kind: Text<'a>,
    /// All that the record tells of it.
    pub attributes: Vec<RawAttribute<'a>>,
}

fn exception<'a>(trace: &RawId<'_>, span: &RawId<'_>, attributes: Vec<RawAttribute<'a>>) -> Option<LogException<'a>> {
    let told = |key: &str| attributes.iter().find(|a| a.key.is(key)).and_then(|a| a.value.text());
    let kind = told("exception.type").filter(|kind| !kind.is_empty()).or_else(|| told("exception.message"))?;
    let (trace, span) = (trace.trace(), span.span());
    (!trace.is_none() && !span.is_none()).then_some(LogException { trace, span, kind, attributes })
}

impl<'a> Cursor<'a, '_> {
    /// A `LogRecord` in JSON. What is odd in logs is nobody's business here.
    pub(super) fn log_record(&mut self) -> Result<Option<LogException<'a>>, Halt> {
        let (mut trace, mut span) = (RawId::default(), RawId::default());
        let mut attributes = Vec::new();
        self.members(|cursor, key| {
            match key {
                b"traceId" => trace = cursor.id(Width::Trace)?,
                b"spanId" => span = cursor.id(Width::Span)?,
                b"attributes" => {
                    cursor.attributes(&mut attributes)?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        self.notes.clear();
        Ok(exception(&trace, &span, attributes))
    }
}

/// A `LogRecord` in protobuf.
pub(super) fn log_record(record: &[u8]) -> Result<Option<LogException<'_>>, Malformed> {
    let mut notes = Notes::default();
    let mut leaves = Leaves::new(&mut notes, 0);
    let (mut trace, mut span) = (RawId::default(), RawId::default());
    let mut attributes = Vec::new();
    let mut walk = Walk::new(record);
    while let Some((number, field)) = walk.next()? {
        match (number, field) {
            (6, Field::Bytes(bytes)) => attributes.push(leaves.attribute(bytes, 0)?),
            (9, Field::Bytes(bytes)) => trace = leaves.id(bytes, Width::Trace),
            (10, Field::Bytes(bytes)) => span = leaves.id(bytes, Width::Span),
            _ => {}
        }
    }
    Ok(exception(&trace, &span, attributes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, bytes.len() as u8];
        out.extend_from_slice(bytes);
        out
    }

    fn attribute(key: &str, text: &str) -> Vec<u8> {
        field(6, &[field(1, key.as_bytes()), field(2, &field(1, text.as_bytes()))].concat())
    }

    #[test]
    fn the_exception_of_a_span_is_found_in_both_encodings() {
        let record = [
            vec![9, 0, 0, 0, 0, 0, 0, 0, 0],
            attribute("exception.message", "slow down"),
            attribute("exception.type", "RateLimitError"),
            field(9, &[7; 16]),
            field(10, &[8; 8]),
        ]
        .concat();
        let found = log_record(&record).unwrap().unwrap();
        assert_eq!(
            (found.trace, found.span),
            (TraceId(u128::from_be_bytes([7; 16])), SpanId(u64::from_be_bytes([8; 8])))
        );
        assert_eq!(found.kind.decode(), "RateLimitError");

        let json = format!(
            r#"{{"spanId":"{}","traceId":"{}","attributes":[{{"key":"exception.message","value":{{"stringValue":"no"}}}}]}}"#,
            "08".repeat(8),
            "07".repeat(16)
        );
        let mut notes = Notes::default();
        let found = Cursor::new(json.as_bytes(), 0, &mut notes).log_record().ok().flatten().unwrap();
        assert_eq!((found.trace.0, found.kind.decode()), (u128::from_be_bytes([7; 16]), "no".into()));
    }

    #[test]
    fn records_of_no_span_or_without_exception_tell_nothing() {
        let nobody = [attribute("exception.type", "E"), field(9, &[7; 16])].concat();
        let silent = [attribute("level", "info"), field(9, &[7; 16]), field(10, &[8; 8])].concat();
        assert!(log_record(&nobody).unwrap().is_none() && log_record(&silent).unwrap().is_none());
        assert!(log_record(&[0x32, 0xff]).is_err());
    }
}
