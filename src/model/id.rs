//! Trace and span ids as plain integers that sort and hash quickly.
//!
//! An id that is not 16 (or 8) bytes long is folded into the same width by the reader, which keeps its spelling;
//! the types here only carry bits and never judge them.

use std::fmt;

/// A trace id: 16 bytes, big-endian (OTLP `Span.trace_id`). Zero means "no trace id".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(pub u128);

/// A span id: 8 bytes, big-endian (OTLP `Span.span_id`). Zero means "no span id".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(pub u64);

impl TraceId {
    /// Whether no trace id was given (missing, empty or all zero).
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The first eight hexadecimal digits: enough to tell traces of one capture apart in a heading. Those of a 64-bit id
    /// (Zipkin and Jaeger write them without the leading zeros) are the first of its sixteen.
    pub fn short(self) -> String {
        let digits = if self.is_short() { self.0 >> 32 } else { self.0 >> 96 };
        format!("{:08x}", digits as u32)
    }

    /// Whether it is a 64-bit id: the higher half is zero.
    pub fn is_short(self) -> bool {
        self.0 >> 64 == 0
    }
}

impl SpanId {
    /// Whether no span id was given (missing, empty or all zero).
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The first eight hexadecimal digits.
    pub fn short(self) -> String {
        format!("{:08x}", (self.0 >> 32) as u32)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_as_lower_case_hex() {
        let trace = TraceId(0x6513_270e_269e_0d37_f2a7_4de4_52e6_b438);
        assert_eq!(trace.to_string(), "6513270e269e0d37f2a74de452e6b438");
        assert_eq!(trace.short(), "6513270e");
        assert_eq!(TraceId(0x1e22_3ff1_f80f_1c69).short(), "1e223ff1");
        assert_eq!(SpanId(0xd2).to_string(), "00000000000000d2");
    }
}
