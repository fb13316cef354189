//! Reading one leaf alone, from bytes that a scanner has seen before.
//!
//! Comes in: the bytes of a span, resource or scope and the format they are in. Goes out: the leaf in place, or nothing when
//! the bytes are not what they were.

use super::cursor::Cursor;
use super::notes::Notes;
use super::proto::Leaves;
use super::raw::{RawResource, RawScope, RawSpan, Shape};

/// Reads a span; `false` when these are not its bytes.
pub fn read_span<'a>(bytes: &'a [u8], shape: Shape, span: &mut RawSpan<'a>) -> bool {
    let mut notes = Notes::default();
    match shape {
        Shape::OtlpProto => Leaves { notes: &mut notes, at: 0 }.span(bytes, span).is_ok(),
        Shape::OtlpJson => {
            let mut cursor = Cursor::new(bytes, 0, &mut notes);
            bytes.first() == Some(&b'{') && cursor.span(span).is_ok() && cursor.at == bytes.len()
        }
        Shape::Jaeger | Shape::Zipkin | Shape::Console => false,
    }
}

/// Reads a resource.
pub fn read_resource(bytes: &[u8], shape: Shape) -> Option<RawResource<'_>> {
    let mut notes = Notes::default();
    match shape {
        Shape::OtlpProto => Leaves { notes: &mut notes, at: 0 }.resource(bytes).ok(),
        Shape::OtlpJson => Cursor::new(bytes, 0, &mut notes).resource().ok(),
        Shape::Jaeger | Shape::Zipkin | Shape::Console => None,
    }
}

/// Reads an instrumentation scope.
pub fn read_scope(bytes: &[u8], shape: Shape) -> Option<RawScope<'_>> {
    let mut notes = Notes::default();
    match shape {
        Shape::OtlpProto => Leaves { notes: &mut notes, at: 0 }.scope(bytes).ok(),
        Shape::OtlpJson => Cursor::new(bytes, 0, &mut notes).scope().ok(),
        Shape::Jaeger | Shape::Zipkin | Shape::Console => None,
    }
}
