//! Looks for circles and explosions in a scenario.
//!
//! Comes in: operations that call each other. Goes out: nothing, or the operation that calls itself or makes too many spans.

use crate::emit::Script;

/// How many spans an operation makes at most: found while circles are looked for.
pub(super) struct Spans<'s> {
    script: &'s Script,
    known: Vec<Option<u64>>,
}

/// Spans of one trace at most.
const MOST: u64 = 100_000;

impl<'s> Spans<'s> {
    /// Nothing is known yet.
    pub(super) fn new(script: &'s Script) -> Self {
        Self { script, known: vec![None; script.operations.len()] }
    }

    /// Operations are settled when all that they call are. What cannot be settled calls itself.
    pub(super) fn all(mut self) -> Result<(), (usize, String)> {
        loop {
            let ready = self.known.iter().enumerate().find_map(|(at, known)| {
                let sum = if known.is_none() { self.sum(at) } else { None };
                sum.map(|sum| (at, sum))
            });
            let Some((at, sum)) = ready else { break };
            if sum > MOST {
                return Err((at, format!("the operation makes up to {sum} spans; {MOST} are allowed")));
            }
            if let Some(slot) = self.known.get_mut(at) {
                *slot = Some(sum);
            }
        }
        match self.known.iter().position(Option::is_none) {
            Some(at) => Err((at, "the operation calls itself through its children".to_owned())),
            None => Ok(()),
        }
    }

    fn sum(&self, at: usize) -> Option<u64> {
        let children = &self.script.operations.get(at)?.children;
        children.iter().try_fold(1u64, |sum, child| {
            let each = self.known.get(child.operation).copied().flatten()?;
            Some(sum.saturating_add(each.saturating_mul(child.times.1)))
        })
    }
}
