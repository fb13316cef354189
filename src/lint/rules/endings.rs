//! How a span ended: as somebody asked for, or by a cancellation that nobody asked for.
//!
//! Comes in: a node of a tree and the exception of its span. Goes out: which of the two, if any. What settings say of a type stands
//! over what is known of it.

use crate::agent::termination;
use crate::capture::SpanRef;
use crate::forest::Node;
use crate::lint::look::TraceLook;
use crate::lint::plan::GONE;
use crate::model::{Outcome, Termination};

/// How a span ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Somebody asked for it.
    Expected,
    /// It was cancelled, and nobody asked for it.
    Cancelled,
    /// By a type that settings call unexpected.
    Unexpected,
    /// Neither: by itself, or by an error.
    Other,
}

/// How the span of a node ended.
pub(super) fn ending(look: &TraceLook<'_>, node: &Node, span: SpanRef) -> Ending {
    if !matches!(node.outcome, Outcome::Cancelled | Outcome::Error) {
        return Ending::Other;
    }
    let kind = look.known().exception(span);
    let (expected, unexpected) = look.ends();
    let is = |names: &[String]| !kind.is_empty() && names.iter().any(|name| same_type(name, kind));
    match node.outcome {
        _ if is(expected) => Ending::Expected,
        _ if is(unexpected) => Ending::Unexpected,
        Outcome::Cancelled if node.expected => Ending::Expected,
        Outcome::Cancelled => Ending::Cancelled,
        _ if kind.ends_with(GONE) => Ending::Expected,
        // Recorded as a log, where no look at the span alone tells.
        _ => match termination(kind) {
            Termination::Requested => Ending::Expected,
            Termination::Cancelled => Ending::Cancelled,
            Termination::None => Ending::Other,
        },
    }
}

/// Whether a name, qualified or not, is that of an exception's type.
fn same_type(name: &str, kind: &str) -> bool {
    let kind = kind.strip_suffix(GONE).unwrap_or(kind);
    name == kind || (!name.contains('.') && short(kind) == name)
}

/// The name of a type without its modules.
pub(super) fn short(kind: &str) -> &str {
    kind.rsplit(['.', ':', '/', '$']).next().unwrap_or(kind)
}
