//! Where a span stands in its input, and what was odd there.
//!
//! Comes in: heads and troubles. Goes out: places as plain data.

use serde::Serialize;

use crate::capture::{Capture, Head};
use crate::otlp::Trouble;

/// Where the bytes of a span are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The input.
    pub path: String,
    /// Line, from 1; 0 in binary inputs.
    pub line: u64,
    /// Byte offset in the decoded input.
    pub offset: u64,
    /// How many bytes it takes there.
    pub bytes: u64,
    /// The format it is written in.
    pub format: &'static str,
}

/// Something odd about a span or its surroundings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    /// What it is.
    pub message: &'static str,
    /// What exactly; may be empty.
    pub detail: String,
    /// Line of its first occurrence, from 1; 0 in binary inputs.
    pub line: u64,
    /// Byte offset of its first occurrence.
    pub offset: u64,
    /// Where in its document; may be empty.
    pub json_path: String,
}

impl Place {
    pub(super) fn of(capture: &Capture, head: &Head, line: u64) -> Self {
        Self {
            path: capture.source(head.source).path.clone(),
            line,
            offset: head.at,
            bytes: u64::from(head.size),
            format: head.marks.shape().name(),
        }
    }
}

/// The troubles that name the span, or first occurred inside its bytes.
pub(super) fn near(capture: &Capture, head: &Head) -> Vec<Near> {
    let named = |trouble: &Trouble| trouble.trace_id == Some(head.trace) && trouble.span_id == Some(head.id);
    let inside = |trouble: &Trouble| {
        let range = head.at..head.at.saturating_add(u64::from(head.size));
        trouble.source == head.source.0 && range.contains(&trouble.offset)
    };
    let troubles = capture.troubles().iter().filter(|trouble| named(trouble) || inside(trouble));
    troubles
        .map(|trouble| Near {
            message: trouble.kind.message(),
            detail: trouble.detail.clone(),
            line: trouble.line,
            offset: trouble.offset,
            json_path: trouble.json_path.clone(),
        })
        .collect()
}
