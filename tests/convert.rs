//! `tracectl convert` through the real binary: what comes out is decoded by other people's code.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

#[path = "convert/changed.rs"]
mod changed;
#[expect(dead_code, reason = "damage of files is not made here")]
#[path = "common/mod.rs"]
mod common;
#[path = "convert/files.rs"]
mod files;
#[path = "convert/kept.rs"]
mod kept;
#[path = "convert/tools.rs"]
mod tools;
