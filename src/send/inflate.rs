//! Answers that are packed although nobody asked for that.
//!
//! Comes in: gzip. Goes out: what is in it, up to a bound.

use std::io::Read;

/// A larger answer is not read.
pub(super) const ANSWER: usize = 4 << 20;

/// The bytes, inflated; nothing where they cannot be, or are too many.
pub(super) fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(bytes).take(ANSWER as u64 + 1).read_to_end(&mut out);
    (read.is_ok() && out.len() <= ANSWER).then_some(out)
}

#[cfg(test)]
pub(super) fn deflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_inflated_up_to_a_bound() {
        assert_eq!(inflated(&deflated(b"{}")).as_deref(), Some(&b"{}"[..]));
        assert_eq!(inflated(b"{}"), None);
        assert_eq!(inflated(&deflated(&vec![0; ANSWER + 1])), None);
    }
}
