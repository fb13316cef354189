//! Reads the spans of rows again that have more to say than their records hold.
//!
//! Comes in: rows. Goes out: the same with faults, arguments of tools, attributes and events, secrets hidden. An error that was
//! only passed on is told once.

use super::books::Books;
use super::facts::read_acts;
use super::fault::Fault;
use super::row::Row;
use super::settings::Settings;
use super::veil::veil;
use crate::capture::{Capture, Detail, SpanRef};
use crate::forest::Flags;
use crate::input::InputError;
use crate::model::Outcome;
use crate::redact;

/// Reads what the status and the events of spans tell, all in one go.
pub(super) fn read_details(capture: &Capture, rows: &mut [Row<'_>], settings: &Settings) -> Result<(), InputError> {
    let all = settings.attributes.is_some() || settings.events;
    let speaks = |row: &Row<'_>| match row.outcome {
        Outcome::Error => true,
        Outcome::Cancelled => row.flags.has(Flags::CANCELLED_HERE),
        _ => false,
    };
    let wanted = |row: &Row<'_>| row.span.filter(|_| all || speaks(row));
    let spans: Vec<SpanRef> = rows.iter().filter_map(wanted).collect();
    if spans.is_empty() {
        return Ok(());
    }
    let mut details = capture.details(&spans)?;
    details.iter_mut().flatten().for_each(veil);
    let rows = rows.iter_mut().filter(|row| row.span.is_some() && (all || speaks(row)));
    for (row, detail) in rows.zip(details) {
        let Some(detail) = detail else { continue };
        row.fault = speaks(row).then(|| Fault::of(&detail));
        row.enrich(detail, settings);
    }
    Ok(())
}

impl Row<'_> {
    fn enrich(&mut self, detail: Detail, settings: &Settings) {
        if let Some(keys) = &settings.attributes {
            self.attributes = detail.attributes.into_iter().filter(|attribute| keys.has(&attribute.key)).collect();
        }
        if settings.events {
            self.events = detail.events;
        }
    }
}

/// Reads what tools were given, and what those say that failed by their own word, for the rows of single calls. `nodes` are those
/// of the rows.
pub(super) fn read_tools(
    capture: &Capture,
    rows: &mut [Row<'_>],
    nodes: &[usize],
    books: &Books,
) -> Result<(), InputError> {
    let given = |row: &Row<'_>, node: usize| books.given(capture, node, row.span.filter(|_| row.fold.is_none())?);
    let wanted: Vec<(usize, SpanRef)> =
        rows.iter().zip(nodes).enumerate().filter_map(|(at, (row, node))| Some((at, given(row, *node)?))).collect();
    let spans: Vec<SpanRef> = wanted.iter().map(|(_, span)| *span).collect();
    read_acts(capture, &spans, &mut |number, act| {
        let Some(row) = wanted.get(number).and_then(|(at, _)| rows.get_mut(*at)) else { return };
        let silent = row.fails_silently();
        let Some(facts) = &mut row.facts else { return };
        facts.glimpse(act);
        let own = Some(&act.error).filter(|_| act.failed == Some(true));
        let error = act.tool.as_ref().map_or(own, |tool| Some(&tool.error).filter(|_| tool.failed == Some(true)));
        if let Some(error) = error.filter(|error| silent && !error.is_empty()) {
            row.fault = Some(Fault { message: redact::text(error).into_owned(), ..Fault::default() });
        }
    })
}

/// An error that only passes on what a child said is told once, at the child. Which rows only passed something on.
pub(super) fn hush_echoes(rows: &mut [Row<'_>]) -> Vec<bool> {
    let passes = |row: &Row<'_>| row.outcome == Outcome::Cancelled && !row.flags.has(Flags::CANCELLED_HERE);
    let mut echoes: Vec<bool> = rows.iter().map(passes).collect();
    let mut path: Vec<usize> = Vec::new();
    for at in 0..rows.len() {
        let Some(depth) = rows.get(at).map(|row| row.depth as usize) else { break };
        path.truncate(depth);
        path.push(at);
        let Some(above) = depth.checked_sub(1).and_then(|up| path.get(up)).copied() else { continue };
        let (before, here) = rows.split_at_mut(at);
        let (Some(parent), Some(row)) = (before.get_mut(above), here.first()) else { continue };
        if let (Some(passed), Some(said)) = (&parent.fault, &row.fault) {
            let same = passed.kind == said.kind && passed.message == said.message;
            // An error without a reason is explained by the one beneath it.
            if parent.outcome == row.outcome && (same || passed.is_silent()) {
                parent.fault = None;
                echoes.get_mut(above).into_iter().for_each(|echo| *echo = true);
            }
        }
    }
    echoes
}
