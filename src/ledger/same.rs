//! Whether nested spans stand for one call.
//!
//! Comes in: calls of one tree. Goes out: yes or no. Frameworks and the libraries under them record the same call each.

use super::call::{Call, Kind};
use super::model;
use crate::capture::{Capture, NameId};

/// Whether the inner of two nested calls is the outer one again: nine tenths of the longer one overlap, and no two names differ.
pub(super) fn same(capture: &Capture, outer: &Call, inner: &Call) -> bool {
    let end = |call: &Call| call.start.saturating_add(call.duration_ns);
    let overlap = end(outer).min(end(inner)).saturating_sub(outer.start.max(inner.start));
    let longer = outer.duration_ns.max(inner.duration_ns);
    outer.kind == inner.kind && overlap >= longer / 10 * 9 && agree(capture, outer, inner)
}

/// Whether a call is nothing but those to the same model inside it: what a library tried several times for a framework, what was done
/// in parts, or what went on in a call that never ended.
pub(super) fn holds(capture: &Capture, outer: &Call, inner: &[&Call]) -> bool {
    let spent = |call: &Call| (call.tokens.input.unwrap_or(0), call.tokens.output.unwrap_or(0));
    let open = || capture.head(outer.span).end == 0;
    match (outer.kind, inner.split_last()) {
        (Kind::Tool, _) | (_, None) => false,
        (Kind::Model, Some((_, earlier))) if !outer.is_metered() => {
            open() || (!earlier.is_empty() && earlier.iter().all(|call| call.failed))
        }
        (Kind::Embedding | Kind::Rerank, _) if !outer.is_metered() => true,
        (_, Some((_, earlier))) => {
            let sum = inner.iter().map(|call| spent(call)).fold((0, 0u64), |(a, b): (u64, u64), (input, output)| {
                (a.saturating_add(input), b.saturating_add(output))
            });
            let repeated =
                spent(outer) == sum || inner.iter().any(|call| call.is_metered() && spent(call) == spent(outer));
            repeated && (open() || !earlier.is_empty())
        }
    }
}

/// Whether the names of two calls may be of one thing. A model may be known by the name that was asked for, or by that which answered.
pub(super) fn agree(capture: &Capture, a: &Call, b: &Call) -> bool {
    if a.kind == Kind::Tool {
        return a.name.is_empty() || b.name.is_empty() || a.name == b.name;
    }
    let names = |call: &Call| [call.name, call.answered].into_iter().filter(|name| !name.is_empty());
    let text = |name: NameId| capture.text(name);
    let unnamed = names(a).next().is_none() || names(b).next().is_none();
    unnamed || names(a).any(|a| names(b).any(|b| a == b || model::agree(text(a), text(b))))
}
