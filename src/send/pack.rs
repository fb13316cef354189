//! Compression of a request.
//!
//! Comes in: a message. Goes out: the same, packed, and what HTTP and gRPC call that.

use std::io::{self, Write};

use bytes::Bytes;

use crate::otlp::Packing;

impl Packing {
    /// What headers call it; nothing for none.
    pub(super) fn header(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The message, packed.
    pub(super) fn pack(self, message: &Bytes) -> io::Result<Bytes> {
        match self {
            Self::None => Ok(message.clone()),
            Self::Gzip => {
                let room = Vec::with_capacity(message.len() / 4);
                let mut encoder = flate2::write::GzEncoder::new(room, flate2::Compression::fast());
                encoder.write_all(message)?;
                encoder.finish().map(Bytes::from)
            }
            Self::Zstd => zstd::bulk::compress(message, 1).map(Bytes::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn what_is_packed_comes_out_again() {
        let message = Bytes::from("span ".repeat(1000));
        let mut gzip = Vec::new();
        let packed = Packing::Gzip.pack(&message).unwrap();
        flate2::read::GzDecoder::new(&*packed).read_to_end(&mut gzip).unwrap();
        let zstd = zstd::decode_all(&*Packing::Zstd.pack(&message).unwrap()).unwrap();
        assert!(gzip == message && zstd == message && packed.len() < 200);
        assert_eq!(Packing::None.pack(&message).unwrap(), message);
    }
}
