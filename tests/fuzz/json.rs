//! JSON of any kind, in pieces of any size.

#![no_main]

mod read;

use libfuzzer_sys::fuzz_target;
use tracectl::input::Format;

fuzz_target!(|bytes: &[u8]| read::both_ways(bytes, Format::Json));
