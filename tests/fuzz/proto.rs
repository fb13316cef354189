//! Protobuf in any framing, in pieces of any size.

#![no_main]

mod read;

use libfuzzer_sys::fuzz_target;
use tracectl::input::Format;
use tracectl::otlp::Framing;

fuzz_target!(|bytes: &[u8]| {
    for framing in [Framing::None, Framing::Length32, Framing::Varint] {
        read::both_ways(bytes, Format::Proto(framing));
    }
});
