//! New ids for old ones, the same for the same, without remembering any.
//!
//! Comes in: an id and a seed. Goes out: another id. Different ids stay different, none becomes the invalid zero, and a seed gives
//! the same ids on every machine.

/// A keyed permutation of all trace ids, and one of all span ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewIds {
    keys: [u64; 4],
}

impl NewIds {
    /// The ids of one pass: another pass of the same seed gives others.
    pub fn new(seed: u64, pass: u64) -> Self {
        let start = mix(seed) ^ pass.wrapping_mul(0xd134_2543_de82_ef95);
        Self {
            keys: [1, 2, 3, 4].map(|number: u64| mix(start.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)))),
        }
    }

    /// The new trace id; zero, which is none, stays zero.
    pub fn trace(&self, id: u128) -> u128 {
        match id {
            0 => 0,
            id => match self.turned_trace(id) {
                0 => self.turned_trace(0),
                new => new,
            },
        }
    }

    /// The new span id; zero, which is none, stays zero.
    pub fn span(&self, id: u64) -> u64 {
        match id {
            0 => 0,
            id => match self.turned_span(id) {
                0 => self.turned_span(0),
                new => new,
            },
        }
    }

    /// A Feistel network: a permutation whatever the round function is.
    fn turned_trace(&self, id: u128) -> u128 {
        let (mut left, mut right) = ((id >> 64) as u64, (id & u128::from(u64::MAX)) as u64);
        for key in self.keys {
            (left, right) = (right, left ^ mix(right ^ key));
        }
        u128::from(left) << 64 | u128::from(right)
    }

    fn turned_span(&self, id: u64) -> u64 {
        let [first, second, ..] = self.keys;
        mix(id ^ first) ^ second
    }
}

/// The mixing function of SplitMix64, a permutation.
fn mix(mut word: u64) -> u64 {
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn different_ids_stay_different_and_the_same_stay_the_same() {
        let ids = NewIds::new(7, 0);
        let traces: BTreeSet<u128> = (1..5000u128).map(|id| ids.trace(id << (id % 100))).collect();
        let wanted: BTreeSet<u128> = (1..5000u128).map(|id| id << (id % 100)).collect();
        assert_eq!(traces.len(), wanted.len());
        let spans: BTreeSet<u64> = (1..5000).map(|id| ids.span(id)).collect();
        assert!(spans.len() == 4999 && !spans.contains(&0) && !traces.contains(&0));
        assert_eq!((ids.trace(0), ids.span(0)), (0, 0));
        assert_eq!(NewIds::new(7, 0), ids);
        assert!(NewIds::new(7, 1).trace(5) != ids.trace(5) && NewIds::new(8, 0).span(5) != ids.span(5));
    }
}
