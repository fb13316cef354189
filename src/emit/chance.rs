//! Numbers that look like chance, and durations that look measured: the same on every machine.
//!
//! Comes in: a seed and the number of a stream. Goes out: integers, picks and log-normal durations. No floating point is in it,
//! so that no processor rounds differently.

/// A stream of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(super) struct Chance {
    state: u64,
}

/// Quantiles of a log-normal distribution with median 1 and sigma 0.5, in 1024ths, at (i + 1/2) / 64.
const LOG_NORMAL: [u64; 64] = [
    306, 379, 424, 460, 490, 517, 542, 565, 587, 608, 628, 648, 667, 685, 704, 722, 740, 758, 775, 793, 811, 829, 846,
    864, 882, 900, 919, 937, 956, 975, 994, 1014, 1034, 1055, 1075, 1097, 1119, 1141, 1165, 1189, 1213, 1239, 1266,
    1293, 1322, 1352, 1384, 1417, 1453, 1490, 1530, 1573, 1619, 1670, 1725, 1787, 1856, 1935, 2028, 2139, 2280, 2471,
    2766, 3430,
];

/// A million parts.
pub(super) const WHOLE: u32 = 1_000_000;

impl Chance {
    /// The stream of this number.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        Self { state: mixed(seed ^ mixed(stream.wrapping_add(0x632b_e59b_d9b4_e019))) }
    }

    /// Any number.
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.state)
    }

    /// Any number but zero: an id.
    pub(super) fn id(&mut self) -> u64 {
        self.next().max(1)
    }

    /// A number below `limit`; 0 where there is none.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from `low` up to `high`.
    pub(super) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Whether something happens that happens so many times in a million.
    pub(super) fn happens(&mut self, parts: u32) -> bool {
        self.below(u64::from(WHOLE)) < u64::from(parts)
    }

    /// One of these; the list is never empty where this is asked.
    pub(super) fn pick<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        let at = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        list.get(at)
    }

    /// One of these words; nothing where there are none.
    pub(super) fn word(&mut self, list: &[&'static str]) -> &'static str {
        self.pick(list).copied().unwrap_or_default()
    }

    /// A duration around this median: log-normal, and one in a hundred from a long tail.
    pub(super) fn lasting(&mut self, median: u64) -> u64 {
        let draw = self.next();
        let (at, part) = ((draw >> 58) as usize, (draw >> 48) & 1023);
        let low = LOG_NORMAL.get(at).copied().unwrap_or(1024);
        let high = LOG_NORMAL.get(at + 1).copied().unwrap_or(low);
        let factor = low + (high - low) * part / 1024;
        let tail = if draw & 127 == 0 { 2 + ((draw >> 8) & 3) } else { 1 };
        (median.saturating_mul(factor) / 1024).saturating_mul(tail).max(1)
    }
}

/// The finaliser of SplitMix64: every bit of the number moves every bit of the result.
pub(super) fn mixed(number: u64) -> u64 {
    let mut word = number;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let first = |stream| Chance::new(7, stream).next();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        assert_ne!(Chance::new(7, 1).next(), Chance::new(8, 1).next());
    }

    #[test]
    fn numbers_stay_within_their_limits() {
        let mut chance = Chance::new(1, 1);
        assert_eq!(chance.below(0), 0);
        assert!((0..1000).all(|_| (3..=5).contains(&chance.within(3, 5))));
        assert_eq!(chance.pick::<u8>(&[]), None);
        assert!(!chance.happens(0) && chance.happens(WHOLE));
    }

    #[test]
    fn durations_lie_around_their_median() {
        let mut chance = Chance::new(1, 2);
        let mut drawn: Vec<u64> = (0..4001).map(|_| chance.lasting(1_000_000)).collect();
        drawn.sort_unstable();
        assert!((900_000..1_100_000).contains(&drawn[2000]), "{}", drawn[2000]);
        assert!(drawn[0] > 200_000 && drawn[4000] > 3_000_000);
    }
}
