//! Making traces up: whole plays of about 20,000 spans, encoded, on one thread.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use tracectl::emit::{Convention, Extent, Plan, Play};
use tracectl::otlp::Encoding;

const SPANS: u64 = 20_000;

fn main() {
    divan::main();
}

fn play(convention: Convention, encoding: Encoding) -> Play {
    let extent = Extent { traces: u64::MAX, spans: SPANS, duration: u64::MAX };
    Play::begin(Plan { convention, extent, ..Plan::default() }, encoding, 1)
}

fn measure(bencher: Bencher<'_, '_>, convention: Convention, encoding: Encoding) {
    let bytes: usize = play(convention, encoding).map(|batch| batch.bytes.len()).sum();
    let counted = bencher.counter(ItemsCount::new(SPANS)).counter(BytesCount::new(bytes));
    counted.bench(|| play(convention, encoding).map(|batch| batch.spans).sum::<usize>());
}

#[divan::bench]
fn letta_protobuf(bencher: Bencher<'_, '_>) {
    measure(bencher, Convention::Letta, Encoding::Proto);
}

#[divan::bench]
fn letta_json(bencher: Bencher<'_, '_>) {
    measure(bencher, Convention::Letta, Encoding::Json);
}

#[divan::bench]
fn genai_protobuf(bencher: Bencher<'_, '_>) {
    measure(bencher, Convention::Genai, Encoding::Proto);
}
