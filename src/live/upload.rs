//! Takes a body in, bounded in bytes and time, and undoes its compression, bounded again.
//!
//! Comes in: a body that may never end, lie about its length or unfold to anything. Goes out: its bytes, or a refusal.

use std::io::{self, Read};
use std::time::Duration;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http_body::Body;
use http_body_util::BodyExt;

use super::limits::Claim;
use super::refusal::Refusal;

/// More than this is not set aside before it has arrived, whatever a header says.
const AHEAD: usize = 1 << 20;
/// The largest window of a Zstandard frame that is honoured: 2 to the power of this.
const WINDOW: u32 = 27;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Deflate,
    Zstd,
}

impl Packing {
    /// By the name HTTP and gRPC give it.
    pub(super) fn named(name: Option<&str>) -> Result<Self, Refusal> {
        match name.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::None),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" | "zlib" => Ok(Self::Deflate),
            "zstd" => Ok(Self::Zstd),
            _ => Err(Refusal::Compression(name.unwrap_or_default().to_owned())),
        }
    }

    /// The bytes without it: at most `limit`.
    pub(super) fn undo(self, packed: Bytes, limit: usize, claim: &mut Claim) -> Result<Bytes, Refusal> {
        let unfolded = match self {
            Self::None => return if packed.len() > limit { Err(Refusal::TooLarge { limit }) } else { Ok(packed) },
            Self::Gzip => unfold(MultiGzDecoder::new(&*packed), limit, claim),
            Self::Deflate => match packed.first() {
                // HTTP's deflate is the zlib format, but not all senders know: its first byte always ends in 8.
                Some(first) if first & 0x0f != 8 => unfold(DeflateDecoder::new(&*packed), limit, claim),
                _ => unfold(ZlibDecoder::new(&*packed), limit, claim),
            },
            Self::Zstd => zstd::stream::read::Decoder::new(&*packed)
                .and_then(|mut decoder| decoder.window_log_max(WINDOW).map(|()| decoder))
                .map_err(Unfolding::Damaged)
                .and_then(|decoder| unfold(decoder, limit, claim)),
        };
        unfolded.map(Bytes::from).map_err(|error| match error {
            Unfolding::Damaged(error) => Refusal::Malformed(format!("the compression is damaged: {error}")),
            Unfolding::TooLarge => Refusal::TooLarge { limit },
            Unfolding::NoRoom => Refusal::Overloaded,
        })
    }
}

enum Unfolding {
    Damaged(io::Error),
    TooLarge,
    NoRoom,
}

fn unfold(mut reader: impl Read, limit: usize, claim: &mut Claim) -> Result<Vec<u8>, Unfolding> {
    let mut out = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(out),
            Ok(some) if out.len() + some > limit => return Err(Unfolding::TooLarge),
            Ok(some) if !claim.grow(some) => return Err(Unfolding::NoRoom),
            Ok(some) => out.extend_from_slice(piece.get(..some).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unfolding::Damaged(error)),
        }
    }
}

/// Takes a whole body in: at most `limit` bytes, within `patience`.
pub(super) async fn collect<B>(body: B, limit: usize, patience: Duration, claim: &mut Claim) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    tokio::time::timeout(patience, gather(body, limit, claim)).await.unwrap_or(Err(Refusal::TooSlow))
}

async fn gather<B>(mut body: B, limit: usize, claim: &mut Claim) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        pass_by(&mut body, limit).await;
        return Err(Refusal::TooLarge { limit });
    }
    let mut whole = claim.buffer(usize::try_from(announced).unwrap_or(limit).min(AHEAD));
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Refusal::Malformed("the body broke off".to_owned())) };
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > limit {
            drop(whole);
            pass_by(&mut body, limit).await;
            return Err(Refusal::TooLarge { limit });
        }
        if !claim.grow(data.len()) {
            return Err(Refusal::Overloaded);
        }
        whole.extend_from_slice(&data);
        if announced == 0 && whole.len() == data.len() {
            whole.reserve(promised(&data).min(limit).min(AHEAD));
        }
    }
    Ok(whole.freeze())
}

/// Lets the rest of a body go by, if it is not endless: a sender that is still talking when the door closes may take that for
/// a broken line, and come again.
async fn pass_by<B>(body: &mut B, limit: usize)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut passed = 0;
    while passed < limit.saturating_mul(4) {
        let Some(Ok(frame)) = body.frame().await else { return };
        passed += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// What the first bytes of a call promise: gRPC says how long the message is in front of it. A wrong guess costs nothing but
/// a little room.
fn promised(start: &[u8]) -> usize {
    match start {
        [0 | 1, length @ .., _] if length.len() > 4 => {
            length.first_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length) as usize)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::limits::Room;
    use std::io::Write;

    fn undo(packing: Packing, packed: Vec<u8>, limit: usize) -> Result<Bytes, Refusal> {
        packing.undo(packed.into(), limit, &mut Room::new(1 << 20).enter())
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_packing_is_undone() {
        let members = [gzip(b"hello "), gzip(b"world")].concat();
        assert_eq!(undo(Packing::Gzip, members, 100).unwrap(), "hello world");
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"hello").unwrap();
        assert_eq!(undo(Packing::Deflate, encoder.finish().unwrap(), 100).unwrap(), "hello");
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"hello").unwrap();
        assert_eq!(undo(Packing::Deflate, encoder.finish().unwrap(), 100).unwrap(), "hello");
        let frames = [zstd::encode_all(&b"hello "[..], 1).unwrap(), zstd::encode_all(&b"world"[..], 1).unwrap()];
        assert_eq!(undo(Packing::Zstd, frames.concat(), 100).unwrap(), "hello world");
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 8 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(undo(Packing::Gzip, bomb.clone(), 1000), Err(Refusal::TooLarge { limit: 1000 }));
        assert_eq!(undo(Packing::Gzip, bomb, 16 << 20), Err(Refusal::Overloaded));
        assert!(matches!(undo(Packing::Gzip, b"nonsense".to_vec(), 10), Err(Refusal::Malformed(_))));
        assert!(Packing::named(Some("br")).is_err());
    }
}
