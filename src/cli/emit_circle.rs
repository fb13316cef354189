//! Looks for circles and explosions in a scenario.
//!
//! Comes in: operations that call each other. Goes out: how many spans a trace has at most, or the call that closes a circle, or the
//! operation that makes too many.

use crate::emit::{Fixed, Generator, Script};

/// Spans of one trace at most, where they say little: a kilobyte of text counts as one more.
const MOST: u64 = 100_000;

/// What is wrong with how operations call each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tangle {
    /// The call with this place among the children of this operation leads back to an operation that leads to it: by these.
    Circle(usize, usize, Vec<usize>),
    /// The operation makes so many.
    Explosion(usize, u64),
}

impl Tangle {
    /// What to say about it.
    pub(super) fn words(&self, script: &Script) -> String {
        match self {
            Self::Circle(_, _, path) => {
                let names = path.iter().filter_map(|at| script.operations.get(*at)).map(|operation| &*operation.name);
                let names: Vec<&str> = names.collect();
                format!("'{}' calls itself: {}", names.first().copied().unwrap_or_default(), names.join(" -> "))
            }
            Self::Explosion(_, sum) => {
                format!("the operation makes up to {sum} spans and kilobytes of text; {MOST} are allowed")
            }
        }
    }
}

/// How many spans a trace has at most. Operations are settled when all that they call are; no call is followed twice.
pub(super) fn heaviest(script: &Script) -> Result<u64, Tangle> {
    let mut known: Vec<Option<u64>> = vec![None; script.operations.len()];
    for root in 0..script.operations.len() {
        // Operations that are being settled, and how many of their calls are.
        let mut path = vec![(root, 0)];
        while let Some((at, next)) = path.last().copied() {
            let Some(operation) = script.operations.get(at).filter(|_| known.get(at) == Some(&None)) else {
                path.pop();
                continue;
            };
            match operation.children.get(next) {
                Some(child) => {
                    if let Some(from) = path.iter().position(|(above, _)| *above == child.operation) {
                        let circle = path.iter().skip(from).map(|(at, _)| *at).chain([child.operation]);
                        return Err(Tangle::Circle(at, next, circle.collect()));
                    }
                    path.iter_mut().rev().take(1).for_each(|(_, next)| *next += 1);
                    path.push((child.operation, 0));
                }
                None => {
                    let each = |child: &crate::emit::Child| known.get(child.operation).copied().flatten().unwrap_or(0);
                    let called = operation.children.iter().map(|child| each(child).saturating_mul(child.times.1));
                    let sum = called.fold(own(script, at), u64::saturating_add);
                    if sum > MOST {
                        return Err(Tangle::Explosion(at, sum));
                    }
                    known.iter_mut().skip(at).take(1).for_each(|slot| *slot = Some(sum));
                    path.pop();
                }
            }
        }
    }
    Ok(known.into_iter().flatten().max().unwrap_or(0))
}

/// What an operation costs without those it calls.
fn own(script: &Script, at: usize) -> u64 {
    let Some(operation) = script.operations.get(at) else { return 0 };
    let said = operation.attributes.iter().chain(&operation.on_error);
    let happening = operation.events.iter().flat_map(|event| &event.attributes);
    let linked = operation.links.iter().flat_map(|link| &link.attributes);
    let all = said.chain(happening).chain(linked);
    let text = all.map(|(_, generator)| bytes(script, generator)).fold(0, u64::saturating_add);
    1 + text / 1_000
}

/// Bytes of a value at most.
fn bytes(script: &Script, generator: &Generator) -> u64 {
    let fixed = |fixed: &Fixed| if let Fixed::Text(text) = fixed { text.len() as u64 } else { 8 };
    match generator {
        Generator::Fixed(value) => fixed(value),
        Generator::Words(bytes) => *bytes,
        Generator::Pick(all) => all.iter().map(fixed).max().unwrap_or(0),
        Generator::Listed(all) => all.iter().map(fixed).sum(),
        Generator::List(each, times) => bytes(script, each).saturating_mul(times.1),
        Generator::Uuid(prefix) => prefix.len() as u64 + 36,
        Generator::Shared(at) => match script.shared.get(*at) {
            Some((_, generator)) if !matches!(generator, Generator::Shared(_)) => bytes(script, generator),
            _ => 8,
        },
        Generator::IntBetween(..) | Generator::MilliBetween(..) | Generator::Chance(_) => 8,
    }
}
