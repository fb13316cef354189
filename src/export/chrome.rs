//! Chrome's trace events, as Perfetto and `chrome://tracing` open them: a process each service, a track each task at a time.
//!
//! Comes in: chosen spans. Goes out: complete events that nest, instants for events, arrows for links and for calls that lead to another
//! track. Times are microseconds since the first span, with their nanoseconds; the file says when that was.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use super::attributes::{Counted, event_time, events_without_time, odd_ids, odd_times};
use super::chrome_event::{Event, EventArgs, Micros, SliceArgs, Track};
use super::exporter::{ExportError, Exporter, Pick};
use super::lanes::Lanes;
use super::links::Arrows;
use super::loss::{Exported, Loss};
use super::pen::Pen;
use super::shelf::Shelf;
use super::slices::{Slice, slices};
use super::text::{Members, no_json, repeated};
use crate::capture::{Detail, ScopeDetail, SpanRef};
use crate::forest::Tree;
use crate::model::{Outcome, timestamp};

/// Writes the chosen spans.
pub(super) fn write(
    exporter: &mut Exporter<'_>,
    pick: &Pick<'_>,
    out: &mut dyn Write,
) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let arrows = Arrows::of(exporter, pick, &mut exported)?;
    let base = base(exporter, pick);
    let mut stage = Stage { base, flows: arrows.count, arrows, cast: Cast::default(), counted: Counted::default() };
    let mut pen = Pen::new(out);
    let when = json!({ "start_unix_nano": base.to_string(), "start": timestamp(base, true) });
    pen.raw(&format!("{{\"displayTimeUnit\":\"ns\",\"otherData\":{when},\"traceEvents\":["))?;
    let mut tree = Tree::default();
    for trace in pick.traces.clone() {
        exporter.forest.tree(exporter.shelf.capture, trace, &mut tree);
        stage.trace(&tree, &mut exporter.shelf, pick, &mut pen, &mut exported)?;
    }
    pen.raw("\n]}\n")?;
    Ok(exported)
}

/// The first start of all, from which times are counted.
fn base(exporter: &Exporter<'_>, pick: &Pick<'_>) -> u64 {
    let spans = pick.traces.clone().flat_map(|trace| exporter.forest.trace(trace).spans);
    let starts = spans.filter(|span| (pick.chosen)(**span)).map(|span| exporter.shelf.capture.head(*span).start);
    exporter.shelf.moved(starts.filter(|start| *start != 0).min().unwrap_or_default())
}

/// Processes and tracks by the numbers they have in the file.
#[derive(Default)]
struct Cast {
    processes: BTreeMap<String, u32>,
    lanes: BTreeMap<u32, Lanes>,
    tracks: BTreeMap<(u32, u32), u32>,
    /// The last number: no process has that of a track.
    last: u32,
}

impl Cast {
    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    /// The process of a service; it is introduced when it is met first.
    fn process(&mut self, service: &str, pen: &mut Pen<'_>) -> io::Result<u32> {
        if let Some(process) = self.processes.get(service) {
            return Ok(*process);
        }
        let process = self.next();
        self.processes.insert(service.to_owned(), process);
        pen.item(&json!({ "ph": "M", "name": "process_name", "pid": process, "args": { "name": service } }))?;
        Ok(process)
    }

    /// The track of a slice; it is introduced when it is met first.
    fn track(&mut self, slice: &Slice, pen: &mut Pen<'_>) -> io::Result<u32> {
        let key = (slice.process, slice.lane);
        if let Some(track) = self.tracks.get(&key) {
            return Ok(*track);
        }
        let track = self.next();
        self.tracks.insert(key, track);
        let (pid, name) = (slice.process, format!("task {}", slice.lane + 1));
        pen.item(&json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": track, "args": { "name": name } }))?;
        let order = slice.lane + 1;
        let args = json!({ "sort_index": order });
        pen.item(&json!({ "ph": "M", "name": "thread_sort_index", "pid": pid, "tid": track, "args": args }))?;
        Ok(track)
    }
}

/// What is known from trace to trace.
struct Stage {
    base: u64,
    arrows: Arrows,
    /// The number of the last arrow.
    flows: u64,
    cast: Cast,
    counted: Counted,
}

impl Stage {
    fn trace(
        &mut self,
        tree: &Tree,
        shelf: &mut Shelf<'_>,
        pick: &Pick<'_>,
        pen: &mut Pen<'_>,
        exported: &mut Exported,
    ) -> Result<(), ExportError> {
        let mut failed = Ok(());
        let mut lanes = std::mem::take(&mut self.cast.lanes);
        let mut process = |span: SpanRef| {
            let service = shelf.home(span).1.service.as_deref().unwrap_or("unknown_service");
            self.cast.process(service, pen).unwrap_or_else(|error| {
                failed = Err(error);
                0
            })
        };
        let mut slices = slices(tree, pick.chosen, &mut process, &mut lanes);
        self.cast.lanes = lanes;
        failed?;
        for slice in &mut slices {
            (slice.start, slice.end) = (shelf.moved(slice.start), shelf.moved(slice.end));
        }
        let calls = self.calls(&slices, exported);
        for (at, slice) in slices.iter().enumerate() {
            let Some(detail) = shelf.span(slice.span)? else {
                exported.missing += 1;
                continue;
            };
            exported.spans += 1;
            exported.count(Loss::Repeat, slice.repeats as usize);
            exported.note(Loss::NoService, shelf.home(slice.span).1.service.is_none());
            self.counted.origin(shelf, slice.span, Some(Loss::ResourceAttributes), exported);
            losses(&detail, exported);
            let scope = shelf.scope(slice.span);
            let track = Track { pid: slice.process, tid: self.cast.track(slice, pen)? };
            self.slice(slice, &detail, scope, track, pen, exported)?;
            let head = shelf.capture.head(slice.span);
            let (from, to) = (self.arrows.from(head.trace, head.id), self.arrows.to(head.trace, head.id));
            let begun = calls.from.get(&at).into_iter().flatten().map(|id| ("call", *id));
            for (kind, id) in from.iter().map(|id| ("link", *id)).chain(begun) {
                // Before anything that may begin at the same time within it, so that it belongs to nothing else.
                pen.item(&Event::flow("s", kind, id, self.time(slice.start), track))?;
            }
            let ended = calls.to.get(&at).map(|id| ("call", *id));
            for (kind, id) in to.iter().map(|id| ("link", *id)).chain(ended) {
                pen.item(&Event::flow("f", kind, id, self.time(slice.start), track))?;
            }
            self.instants(&detail, slice, track, pen)?;
        }
        Ok(())
    }

    /// Arrows from callers to what they called on another track.
    fn calls(&mut self, slices: &[Slice], exported: &mut Exported) -> Calls {
        let mut calls = Calls::default();
        for (at, slice) in slices.iter().enumerate().filter(|(_, slice)| slice.called) {
            let Some(above) = slice.above else { continue };
            if slices.get(above).is_some_and(|above| above.start > slice.start) {
                exported.note(Loss::BackwardFlow, true);
                continue;
            }
            self.flows += 1;
            calls.from.entry(above).or_default().push(self.flows);
            calls.to.insert(at, self.flows);
        }
        calls
    }

    fn time(&self, time: u64) -> Micros {
        Micros(time.saturating_sub(self.base))
    }

    fn slice(
        &self,
        slice: &Slice,
        span: &Detail,
        scope: &ScopeDetail,
        track: Track,
        pen: &mut Pen<'_>,
        exported: &mut Exported,
    ) -> io::Result<()> {
        let (ts, dur) = (self.time(slice.start), Micros(slice.end.saturating_sub(slice.start)));
        exported.note(Loss::Nanoseconds, !ts.is_exact() || !dur.is_exact());
        let args = SliceArgs::of(slice, span, scope);
        pen.item(&Event::slice(&span.name, category(slice), (ts, dur), track, args))
    }

    /// The events of a span, each where it happened.
    fn instants(&self, span: &Detail, slice: &Slice, track: Track, pen: &mut Pen<'_>) -> io::Result<()> {
        for event in &span.events {
            // A span without a start stands where its slice does.
            let time = Some(event_time(span, event)).filter(|time| *time != 0).unwrap_or(slice.start);
            let args = EventArgs { span_id: span.span_id.to_string(), attributes: Members(&event.attributes) };
            pen.item(&Event::instant(&event.name, self.time(time), track, args))?;
        }
        Ok(())
    }
}

/// Arrows by the slices at their ends.
#[derive(Default)]
struct Calls {
    from: BTreeMap<usize, Vec<u64>>,
    to: BTreeMap<usize, u64>,
}

fn category(slice: &Slice) -> &'static str {
    match slice.outcome {
        Outcome::Ok => "span",
        Outcome::Error => "span,error",
        Outcome::Cancelled => "span,cancelled",
        Outcome::Unfinished => "span,unfinished",
    }
}

/// Counts what a trace event cannot hold of a span.
fn losses(span: &Detail, exported: &mut Exported) {
    odd_times(span, exported);
    events_without_time(span, exported);
    odd_ids(span, exported);
    exported.note(Loss::Flags, span.flags != 0);
    let counts = [span.dropped_attributes, span.dropped_events, span.dropped_links].into_iter();
    let counts = counts.chain(span.events.iter().map(|event| event.dropped));
    exported.count(Loss::Dropped, counts.filter(|count| *count > 0).count());
    exported.count(Loss::LinkDetails, span.links.iter().filter(|link| link.flags != 0 || link.dropped > 0).count());
    let lists = [&span.attributes].into_iter().chain(span.events.iter().map(|event| &event.attributes));
    for list in lists.chain(span.links.iter().map(|link| &link.attributes)) {
        exported.count(Loss::RepeatedKey, repeated(list));
        exported.count(Loss::ValueType, no_json(list));
    }
}
