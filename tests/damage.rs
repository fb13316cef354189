//! Damaged input: whatever is cut off or flipped, nothing panics, and no span that was whole before the damage is lost.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::Chance;
use tracectl::input::{Format, sniff};
use tracectl::model::{SpanId, TraceId};
use tracectl::otlp::{JsonReader, ProtoReader, Seen, Shape};

/// A span that was read, and where it ends.
type Found = (TraceId, SpanId, u64, u64);

/// Reads bytes in pieces of the given size.
fn read(bytes: &[u8], format: Format, piece: usize) -> Vec<Found> {
    let mut found = Vec::new();
    let mut sink = |seen: Seen<'_, '_>| {
        if let Seen::Span(span, at) = seen {
            // A Jaeger span needs its whole trace; its own end says nothing about when it can be read.
            let end = if span.shape == Shape::Jaeger { u64::MAX } else { at + span.raw.len() as u64 };
            found.push((span.trace_id.trace(), span.span_id.span(), at, end));
        }
    };
    let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
    let mut at = 0;
    match format {
        Format::Proto(framing) => {
            let mut reader = ProtoReader::new(framing);
            for (number, piece) in pieces.iter().enumerate() {
                reader.feed(piece, at, number + 1 == pieces.len(), &mut sink);
                at += piece.len() as u64;
            }
        }
        _ => {
            let mut reader = JsonReader::default();
            for (number, piece) in pieces.iter().enumerate() {
                reader.feed(piece, at, number + 1 == pieces.len(), &mut sink);
                at += piece.len() as u64;
            }
        }
    }
    found
}

/// Every capture at hand, the largest ones left to the tests of speed.
fn inputs() -> Vec<(PathBuf, Vec<u8>)> {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let folders = std::iter::once(bundled).chain(common::captures());
    let mut files: Vec<PathBuf> = folders
        .flat_map(walkdir::WalkDir::new)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    let read = |path: PathBuf| std::fs::read(&path).ok().map(|bytes| (path, bytes));
    files.into_iter().filter_map(read).filter(|(_, bytes)| bytes.len() < 700_000).collect()
}

fn before(found: &[Found], damage: usize) -> BTreeSet<Found> {
    found.iter().filter(|span| span.3 <= damage as u64).copied().collect()
}

#[test]
fn pieces_of_any_size_read_alike() {
    let mut chance = Chance(1);
    for (path, bytes) in inputs() {
        let format = sniff(&bytes, true);
        let whole = read(&bytes, format, bytes.len().max(1));
        let sizes = if bytes.len() < 20_000 { vec![1, 7, 64, 1000] } else { vec![1000 + chance.below(5000), 65_536] };
        for size in sizes {
            assert_eq!(read(&bytes, format, size), whole, "{} in pieces of {size}", path.display());
        }
    }
}

#[test]
fn a_cut_costs_nothing_that_was_whole_before_it() {
    let mut chance = Chance(2);
    for (path, bytes) in inputs() {
        let format = sniff(&bytes, true);
        let whole = read(&bytes, format, bytes.len().max(1));
        let cuts = if bytes.len() < 5_000 { 300 } else { 40 };
        for _ in 0..cuts {
            let cut = chance.below(bytes.len());
            let kept: BTreeSet<Found> = read(&bytes[..cut], format, 4096).into_iter().collect();
            let lost: Vec<Found> = before(&whole, cut).difference(&kept).copied().collect();
            assert!(lost.is_empty(), "{} cut at {cut} lost {lost:?}", path.display());
        }
    }
}

#[test]
fn a_flipped_bit_costs_nothing_that_was_whole_before_it() {
    let mut chance = Chance(3);
    for (path, bytes) in inputs() {
        let format = sniff(&bytes, true);
        let whole = read(&bytes, format, bytes.len().max(1));
        let flips = if bytes.len() < 5_000 { 300 } else { 40 };
        for _ in 0..flips {
            let mut damaged = bytes.clone();
            let at = chance.below(bytes.len());
            let Some(byte) = damaged.get_mut(at) else { continue };
            *byte ^= 1 << chance.below(8);
            // A flip in the envelope before a protobuf span changes where the span is looked for; in JSON it does not.
            let kept: BTreeSet<(TraceId, SpanId)> =
                read(&damaged, format, 4096).into_iter().map(|span| (span.0, span.1)).collect();
            for span in before(&whole, at) {
                assert!(kept.contains(&(span.0, span.1)), "{} flipped at {at} lost {span:?}", path.display());
            }
        }
    }
}

#[test]
fn a_broken_line_never_costs_the_other_lines() {
    let span = |n: usize| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{n:032x}","spanId":"{n:016x}","name":"a \"quoted\" name","attributes":[{{"key":"k","value":{{"stringValue":"v{n}"}}}}]}}]}}]}}]}}"#
        )
    };
    let lines: Vec<String> = (1..=9).map(span).collect();
    let mut chance = Chance(4);
    for round in 0..20_000 {
        let mut damaged = lines.clone();
        let line = damaged[4].clone().into_bytes();
        let mut line = line;
        match round % 3 {
            0 => line.truncate(chance.below(line.len())),
            1 => {
                let at = chance.below(line.len());
                line[at] ^= 1 << chance.below(7);
            }
            _ => {
                let at = chance.below(line.len());
                let end = at + chance.below(line.len() - at);
                line.drain(at..end);
            }
        }
        line.retain(|c| *c != b'\n');
        damaged[4] = String::from_utf8_lossy(&line).into_owned();
        let text = damaged.join("\n");
        let found: BTreeSet<TraceId> = read(text.as_bytes(), Format::Json, text.len()).iter().map(|s| s.0).collect();
        for n in (1..=9u128).filter(|n| *n != 5) {
            assert!(found.contains(&TraceId(n)), "line {n} lost beside {}", damaged[4]);
        }
    }
}

#[test]
fn a_broken_span_never_costs_its_neighbours() {
    let span =
        |n: usize| format!(r#"{{"traceId":"{n:032x}","spanId":"{n:016x}","name":"n{n}","events":[{{"name":"e"}}]}}"#);
    let good: Vec<String> = (1..=7).map(span).collect();
    let broken = [
        r#"{"traceId":"x" "spanId":"y"}"#,
        r#"{"traceId":wrong}"#,
        r#"{"traceId":"1","events":[{"name":}]}"#,
        r#"{'traceId':'1'}"#,
        r#"{"traceId":"1","attributes":[{"key":"a","value":{"stringValue":"open}}]}"#,
    ];
    for wrong in broken {
        for layout in [",", ",\n  "] {
            let mut spans = good.clone();
            spans[3] = wrong.to_owned();
            let text = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(layout));
            let found: BTreeSet<TraceId> =
                read(text.as_bytes(), Format::Json, text.len()).iter().map(|s| s.0).collect();
            let kept = (1..=7u128).filter(|n| *n != 4 && found.contains(&TraceId(*n))).count();
            assert_eq!(kept, 6, "{wrong}");
        }
    }
}

#[test]
fn rubbish_is_survived() {
    let mut chance = Chance(5);
    let alphabet = br#"{}[]",:\nul1e-."resourceSpans""scopeSpans""spans""traceId"0a"#;
    for _ in 0..30_000 {
        let length = chance.below(200);
        let bytes: Vec<u8> = (0..length).map(|_| alphabet[chance.below(alphabet.len())]).collect();
        read(&bytes, Format::Json, 1 + chance.below(64));
        let bytes: Vec<u8> =
            (0..length).map(|_| [0x0a, 0x12, 0x1a, 0x02, chance.below(256) as u8][chance.below(5)]).collect();
        for framing in
            [tracectl::otlp::Framing::None, tracectl::otlp::Framing::Length32, tracectl::otlp::Framing::Varint]
        {
            read(&bytes, Format::Proto(framing), 1 + chance.below(64));
        }
    }
}
