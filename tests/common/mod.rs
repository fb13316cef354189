//! What several test files need: real captures, where they are there, and a small deterministic source of chance.

use std::path::{Path, PathBuf};

/// The folder of real captures: `TRACECTL_CAPTURES`, or `../shared/captures` beside the checkout. Tests that need it say
/// so and pass where it is missing.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn captures() -> Option<PathBuf> {
    let named = std::env::var_os("TRACECTL_CAPTURES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures"));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no captures at {} (set TRACECTL_CAPTURES)", folder.display());
    None
}

/// Numbers that look like chance and are the same in every run (SplitMix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ word >> 31) % limit.max(1) as u64) as usize
    }
}
