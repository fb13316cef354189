//! The hot paths of reading, each on 20,000 agent-like spans: scanning both encodings, filling a capture, building trees.

#![expect(clippy::unwrap_used, reason = "a benchmark without its data measures nothing")]

mod data;

use std::sync::LazyLock;

use data::{BATCH, Generator, framed, line};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use tempfile::NamedTempFile;
use tracectl::capture::{Capture, open};
use tracectl::forest::{Forest, Tree};
use tracectl::input::Options;
use tracectl::otlp::{Framing, JsonReader, ProtoReader, Seen};

const SPANS: usize = 20_000;

static JSON: LazyLock<Vec<u8>> = LazyLock::new(|| requests(line));
static PROTO: LazyLock<Vec<u8>> = LazyLock::new(|| requests(framed));

type Request = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

fn requests(write: impl Fn(&Request) -> Vec<u8>) -> Vec<u8> {
    let mut generator = Generator::new();
    let mut left = SPANS;
    let mut bytes = Vec::new();
    while left > 0 {
        bytes.extend(write(&generator.request(left.min(BATCH))));
        left -= left.min(BATCH);
    }
    bytes
}

fn main() {
    divan::main();
}

#[divan::bench]
fn scan_json(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::of_slice(&**JSON)).counter(ItemsCount::new(SPANS)).bench(|| {
        let mut spans = 0u64;
        JsonReader::default().feed(&JSON, 0, true, &mut |seen| spans += u64::from(matches!(seen, Seen::Span(..))));
        spans
    });
}

#[divan::bench]
fn scan_protobuf(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::of_slice(&**PROTO)).counter(ItemsCount::new(SPANS)).bench(|| {
        let mut spans = 0u64;
        let mut reader = ProtoReader::new(Framing::Length32);
        reader.feed(&PROTO, 0, true, &mut |seen| spans += u64::from(matches!(seen, Seen::Span(..))));
        spans
    });
}

fn capture(bytes: &[u8], jobs: usize) -> (NamedTempFile, Capture) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let capture = opened(&file, jobs);
    (file, capture)
}

fn opened(file: &NamedTempFile, jobs: usize) -> Capture {
    let options = Options { jobs, details: false, ..Options::default() };
    open(&[file.path().display().to_string()], &options, &mut |_| {}).unwrap()
}

#[divan::bench(args = [1, 2])]
fn open_json(bencher: Bencher<'_, '_>, jobs: usize) {
    let (file, _) = capture(&JSON, 1);
    bencher.counter(BytesCount::of_slice(&**JSON)).bench(|| opened(&file, jobs).len());
}

#[divan::bench(args = [1, 2])]
fn open_protobuf(bencher: Bencher<'_, '_>, jobs: usize) {
    let (file, _) = capture(&PROTO, 1);
    bencher.counter(BytesCount::of_slice(&**PROTO)).bench(|| opened(&file, jobs).len());
}

#[divan::bench]
fn build_trees(bencher: Bencher<'_, '_>) {
    let (_file, capture) = capture(&PROTO, 1);
    bencher.counter(ItemsCount::new(SPANS)).bench(|| {
        let forest = Forest::of(&capture);
        let mut tree = Tree::default();
        (0..forest.len())
            .map(|number| {
                forest.tree(&capture, number, &mut tree);
                tree.nodes().len()
            })
            .sum::<usize>()
    });
}
