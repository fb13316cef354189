//! Anything at all: what it is taken for, how its compression is undone, where it is cut into blocks.

#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use tracectl::input::{Block, Blocks, Format, Stream, sniff};

/// No compressed input may unfold to more here: that is another test.
const MOST: u64 = 8 << 20;

fuzz_target!(|bytes: &[u8]| {
    let unfolded = |bytes: &[u8]| {
        let mut out = Vec::new();
        let stream = Stream::new(Box::new(Cursor::new(bytes.to_vec())));
        stream.and_then(|stream| stream.take(MOST).read_to_end(&mut out)).map(|_| out).unwrap_or_default()
    };
    let content = unfolded(bytes);
    let format = sniff(&content, true);
    if !matches!(format, Format::Json | Format::Proto(_)) {
        return;
    }
    let Ok(stream) = Stream::new(Box::new(Cursor::new(content.clone()))) else { return };
    let decoded = if stream.compression().is_some() { unfolded(&content) } else { content };
    let (mut blocks, mut block, mut whole) = (Blocks::new(stream, format, Vec::new()), Block::default(), Vec::new());
    while whole.len() as u64 <= MOST && blocks.next(&mut block).unwrap_or(false) {
        assert_eq!(block.at, whole.len() as u64);
        whole.extend_from_slice(block.bytes());
    }
    assert!(whole.starts_with(&decoded) || decoded.starts_with(&whole));
});
