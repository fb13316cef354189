//! Draws a trace as one line: id, name, duration, then what is known of it.
//!
//! Comes in: a trace view. Goes out: one line, never cut.

use std::io;

use super::tree_heading::heading_facts;
use super::tree_signs::signs;
use super::{Ink, Render, Tone};
use crate::model::Nanos;
use crate::view::TraceView;

/// A trace as one line.
pub struct TraceLine<'v, 'c>(pub &'v TraceView<'c>);

impl Render for TraceLine<'_, '_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let heading = &self.0.heading;
        ink.put(Tone::Quiet, if heading.id.is_none() { "no trace id".to_owned() } else { heading.id.short() })?;
        ink.say("  ")?;
        ink.put(Tone::Title, heading.name)?;
        ink.say("  ")?;
        ink.put(Tone::Plain, Nanos(heading.counts.duration_ns()))?;
        let dot = signs(ink).dot;
        for (tone, fact) in heading_facts(heading) {
            ink.put(Tone::Quiet, dot)?;
            ink.put(tone, fact)?;
        }
        ink.line()
    }
}
