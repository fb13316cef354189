//! How long to wait before the next try.
//!
//! Comes in: how often it was tried, what the receiver asked for, a seed. Goes out: a duration. It reads no clock.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that grow by half with every try, half of them up or down by chance, so that many senders do not come together.
#[derive(Debug)]
pub(super) struct Backoff(u64);

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The wait after this try, counted from 1. What the receiver asked for is never cut short.
    pub(super) fn wait(&mut self, tries: u32, asked: Option<Duration>) -> Duration {
        let chance = self.chance();
        match asked {
            Some(asked) => asked + FIRST.mul_f64(chance),
            None => {
                let grown = FIRST.as_secs_f64() * 1.5f64.powi(tries.clamp(1, 20).cast_signed() - 1);
                LONGEST.min(Duration::from_secs_f64(grown)).mul_f64(0.5 + chance)
            }
        }
    }

    /// From 0 up to 1 (SplitMix64).
    fn chance(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ word >> 31) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        let mut backoff = Backoff::new(1);
        let waits: Vec<_> = (1..40).map(|tries| backoff.wait(tries, None)).collect();
        for (tries, wait) in (1..).zip(&waits) {
            let grown = LONGEST.as_secs_f64().min(0.5 * 1.5f64.powi(tries - 1));
            assert!(wait.as_secs_f64() >= grown * 0.5 && wait.as_secs_f64() <= grown * 1.5, "{tries}: {wait:?}");
        }
        let mut same = Backoff::new(1);
        assert_eq!(same.wait(1, None), waits[0]);
        assert_ne!(Backoff::new(2).wait(1, None), waits[0]);
        let asked = backoff.wait(9, Some(Duration::from_secs(100)));
        assert!(asked >= Duration::from_secs(100) && asked < Duration::from_secs(101));
    }
}
