//! Where a finding is: the way from the root of the trace to the span, and beneath it what is at fault.
//!
//! Comes in: a finding. Goes out: a few lines with a gutter, as a compiler shows a piece of a program.

use std::io;

use super::words::{limit, measure, tone};
use crate::lint::Finding;
use crate::render::{Ink, Tone, clean, width};

/// Names above the span that are shown; of more the ones in the middle are left out.
const NAMES: usize = 6;
/// Characters of an attribute's key that are underlined.
const KEY: usize = 48;

/// Draws the way to the span.
pub(super) fn snippet(ink: &mut Ink<'_>, finding: &Finding) -> io::Result<()> {
    if finding.path.is_empty() && finding.attribute.is_none() {
        return Ok(());
    }
    margin(ink)?;
    let names = shortened(&finding.path);
    let corner = if ink.page().unicode { "└ " } else { "`-" };
    for (depth, name) in names.iter().enumerate() {
        gutter(ink)?;
        let indent = depth.saturating_sub(1) * 2;
        ink.pad_to(ink.column() + indent)?;
        if depth > 0 {
            ink.put(Tone::Quiet, corner)?;
        }
        let room = ink.page().width.saturating_sub(ink.column());
        let last = depth + 1 == names.len();
        ink.put_fit(if last { Tone::Name } else { Tone::Plain }, name, room)?;
        ink.line()?;
    }
    if let Some(attribute) = &finding.attribute {
        fault(ink, finding, attribute, names.len() * 2)?;
    }
    Ok(())
}

/// The attribute, what was measured of it, and a line under it.
fn fault(ink: &mut Ink<'_>, finding: &Finding, attribute: &str, indent: usize) -> io::Result<()> {
    gutter(ink)?;
    let from = ink.column() + indent;
    ink.pad_to(from)?;
    let room = ink.page().width.saturating_sub(from).clamp(12, KEY);
    ink.put_fit(Tone::Plain, attribute, room)?;
    let to = ink.column();
    if let Some(measured) = measured(finding)
        && to + 2 + width(&clean(&measured)) <= ink.page().width
    {
        ink.put(Tone::Quiet, "  ")?;
        ink.put(Tone::Quiet, measured)?;
    }
    ink.line()?;
    gutter(ink)?;
    ink.pad_to(from)?;
    ink.put(tone(finding.severity), "^".repeat(to.saturating_sub(from).max(1)))?;
    ink.line()
}

/// `3.1 MiB of 2.0 MiB`.
fn measured(finding: &Finding) -> Option<String> {
    let observed = measure(finding.observed?, finding.unit);
    Some(match finding.limit {
        Some(allowed) => format!("{observed}, limit {}", limit(allowed, finding.unit)),
        None => observed,
    })
}

/// The first name and the last ones.
fn shortened(path: &[String]) -> Vec<String> {
    if path.len() <= NAMES {
        return path.to_vec();
    }
    let left_out = path.len() - (NAMES - 1);
    let mut names: Vec<String> = path.iter().take(1).cloned().collect();
    names.push(format!("({left_out} more)"));
    names.extend(path.iter().skip(1 + left_out).cloned());
    names
}

/// An empty line with the line at the left.
pub(super) fn margin(ink: &mut Ink<'_>) -> io::Result<()> {
    ink.put(Tone::Quiet, if ink.page().unicode { "   │" } else { "   |" })?;
    ink.line()
}

/// The line at the left.
fn gutter(ink: &mut Ink<'_>) -> io::Result<()> {
    let bar = if ink.page().unicode { "   │ " } else { "   | " };
    ink.put(Tone::Quiet, bar)
}
