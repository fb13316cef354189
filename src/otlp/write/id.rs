//! Ids on their way out.
//!
//! Comes in: an id and the format it was read from. Goes out: its digits or bytes. An id that is none is written as it was
//! spelled, so that whoever reads it next sees what was there.

use super::text::digit;
use crate::otlp::id::{Width, proto_bytes};
use crate::otlp::raw::{IdForm, RawId, Shape};

/// An id ready to be written.
pub(super) enum Written {
    /// It is not given.
    Nothing,
    /// All bytes of it, of which the last `0.0` count.
    Whole(usize, [u8; 16]),
    /// In JSON the characters, in protobuf the bytes that were written for it.
    AsSpelled(Vec<u8>),
}

/// For OTLP/JSON: bytes stand for two digits each, a spelling for its characters.
pub(super) fn for_json(id: &RawId<'_>, width: Width, shape: Shape) -> Written {
    match id.form {
        IdForm::Absent => Written::Nothing,
        IdForm::Whole => Written::Whole(width.bytes(), id.bits.to_be_bytes()),
        IdForm::Zero | IdForm::Folded => Written::AsSpelled(id.spelled(shape).into_bytes()),
    }
}

/// For OTLP/protobuf. Digits that were written in JSON become the bytes they stand for, anything else its characters.
pub(super) fn for_proto(id: &RawId<'_>, width: Width, shape: Shape) -> Written {
    match id.form {
        IdForm::Absent => Written::Nothing,
        IdForm::Whole => Written::Whole(width.bytes(), id.bits.to_be_bytes()),
        IdForm::Zero | IdForm::Folded if shape == Shape::OtlpProto => Written::AsSpelled(id.spelling.to_vec()),
        IdForm::Zero | IdForm::Folded => Written::AsSpelled(proto_bytes(id.spelling)),
    }
}

/// Appends bytes as hexadecimal digits.
pub(super) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_digits() {
        let mut out = Vec::new();
        push_hex(&mut out, &[0x0a, 0xff]);
        assert_eq!(out, b"0aff");
    }
}
