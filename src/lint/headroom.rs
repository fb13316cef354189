//! How much room every budget leaves, over all traces of a capture.
//!
//! Comes in: a capture whose inputs can be read again. Goes out: for every budget which traces fit, and what was measured against
//! each limit. Spans are measured in passing and only their sizes are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::budget::{Cell, PRESETS};
use super::resources::resource_sizes;
use crate::agent::TRUNCATION_NOTE;
use crate::capture::{Capture, SourceId, SpanRef};
use crate::input::InputError;
use crate::model::{SpanId, TraceId};
use crate::otlp::{Nested, RawAttribute, RawSpan, RawValue, Seen, Text, span_len};
use crate::query::Filter;

/// A preset and how the traces stand to it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Fits {
    /// The preset.
    pub preset: String,
    /// Traces within all its limits.
    pub fitting: u64,
    /// All traces.
    pub traces: u64,
    /// Its limits.
    pub limits: Vec<Headroom>,
}

/// A limit, and what was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Headroom {
    /// The kind of limit.
    pub limit_of: &'static str,
    /// The limit.
    pub limit: u64,
    /// The median over spans, or over traces where the limit is one of traces.
    pub p50: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The most.
    pub max: u64,
    /// The first traces over it.
    pub offenders: Vec<String>,
    /// How many traces are over it.
    pub over: u64,
}

/// Traces over a limit that are named.
const NAMED: usize = 3;
const CELLS: usize = Cell::ALL.len();

/// What was measured, by kind of limit.
type Measured = [u64; CELLS];

/// Measures the spans that the filter lets pass, and their traces, against every preset. The size of a trace is that of its spans
/// and of each of their resources once, as in `BUD003`.
pub fn headroom(capture: &Capture, filter: &Filter) -> Result<Vec<Fits>, InputError> {
    let admitted = (!filter.is_open()).then(|| admitted(capture, filter));
    let mut spans: Vec<Vec<u32>> = vec![Vec::new(); CELLS];
    let mut traces: BTreeMap<TraceId, Measured> = BTreeMap::new();
    for (source, number) in capture.sources().iter().zip(0..) {
        let take = &mut |seen: Seen<'_, '_>| {
            let Seen::Span(span, _) = seen else { return };
            let id = (span.trace_id.trace(), span.span_id.span());
            if admitted.as_ref().is_some_and(|admitted| !admitted.contains(&id)) {
                return;
            }
            let measured = measure(span);
            for (all, value) in spans.iter_mut().zip(measured) {
                all.push(u32::try_from(value).unwrap_or(u32::MAX));
            }
            add(traces.entry(span.trace_id.trace()).or_insert([0; CELLS]), &measured);
        };
        if source.spans > 0 {
            capture.reread(SourceId(number), take).map_err(|error| InputError::read(&source.path, error))?;
        }
    }
    add_resources(capture, &mut traces)?;
    spans.iter_mut().for_each(|all| all.sort_unstable());
    Ok(PRESETS.iter().map(|preset| fits(preset.name, preset.cells, &spans, &traces)).collect())
}

/// Adds the sizes of resources to traces.
fn add_resources(capture: &Capture, traces: &mut BTreeMap<TraceId, Measured>) -> Result<(), InputError> {
    let sizes = resource_sizes(capture)?;
    let mut of_trace: BTreeMap<TraceId, BTreeSet<u32>> = BTreeMap::new();
    for span in (0..capture.len()).map(|number| SpanRef(number as u32)) {
        let head = capture.head(span);
        let resource = capture.envelope_numbers(span).0;
        if traces.contains_key(&head.trace)
            && of_trace.entry(head.trace).or_default().insert(resource)
            && let Some(slot) =
                traces.get_mut(&head.trace).and_then(|measured| measured.get_mut(Cell::TraceBytes as usize))
        {
            *slot += sizes.get(&resource).copied().unwrap_or(0);
        }
    }
    Ok(())
}

/// The ids of the spans that the filter lets pass.
fn admitted(capture: &Capture, filter: &Filter) -> BTreeSet<(TraceId, SpanId)> {
    let spans = (0..capture.len()).map(|number| SpanRef(number as u32));
    let admits = |span: &SpanRef| filter.admits(capture, *span, capture.head(*span).outcome());
    spans.filter(admits).map(|span| (capture.head(span).trace, capture.head(span).id)).collect()
}

fn fits(name: &str, cells: &[(Cell, u64)], spans: &[Vec<u32>], traces: &BTreeMap<TraceId, Measured>) -> Fits {
    let over = |measured: &Measured, cell: Cell, limit: u64| get(measured, cell) > limit;
    let fitting = traces.values().filter(|m| cells.iter().all(|(cell, limit)| !over(m, *cell, *limit))).count();
    let limits = cells.iter().map(|(cell, limit)| {
        let offenders: Vec<String> =
            traces.iter().filter(|(_, m)| over(m, *cell, *limit)).map(|(id, _)| id.to_string()).collect();
        let sorted = match cell {
            Cell::TraceBytes | Cell::TraceSpans => {
                let mut all: Vec<u64> = traces.values().map(|m| get(m, *cell)).collect();
                all.sort_unstable();
                all
            }
            _ => Vec::new(),
        };
        let of_spans = spans.get(*cell as usize).map(Vec::as_slice).unwrap_or_default();
        let at = |percent: usize| match sorted.is_empty() {
            true => rank(of_spans, percent).map_or(0, u64::from),
            false => rank(&sorted, percent).unwrap_or(0),
        };
        Headroom {
            limit_of: cell.name(),
            limit: *limit,
            p50: at(50),
            p95: at(95),
            max: at(100),
            over: offenders.len() as u64,
            offenders: offenders.into_iter().take(NAMED).collect(),
        }
    });
    Fits { preset: name.to_owned(), fitting: fitting as u64, traces: traces.len() as u64, limits: limits.collect() }
}

/// The nearest rank.
fn rank<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

fn get(measured: &Measured, cell: Cell) -> u64 {
    measured.get(cell as usize).copied().unwrap_or(0)
}

/// A span added to its trace: the most of everything, and the sums where the limit is one of traces.
fn add(trace: &mut Measured, span: &Measured) {
    for (cell, (sum, value)) in Cell::ALL.into_iter().zip(trace.iter_mut().zip(span)) {
        match cell {
            Cell::TraceBytes | Cell::TraceSpans => *sum += value,
            _ => *sum = (*sum).max(*value),
        }
    }
}

fn measure(span: &RawSpan<'_>) -> Measured {
    let mut measured = [0; CELLS];
    let mut most = |cell: Cell, value: usize| {
        if let Some(slot) = measured.get_mut(cell as usize) {
            *slot = (*slot).max(value as u64);
        }
    };
    let mut parameters = 0;
    for attribute in &span.pool {
        most(Cell::AttrKeyBytes, attribute.key.byte_len());
        most(Cell::AttrKeyChars, attribute.key.char_len());
        let (bytes, characters) = size(attribute);
        most(Cell::AttrValueBytes, bytes);
        most(Cell::AttrValueChars, characters);
        if let RawValue::Nested(Nested { map: false, .. }) = attribute.value
            && let crate::model::Value::Array(items) = attribute.value.decode()
        {
            most(Cell::ArrayLen, items.len());
        }
        if attribute.key.raw.starts_with(b"parameter.") {
            parameters += characters;
        }
    }
    most(Cell::ParamsTotal, parameters);
    most(Cell::Attrs, span.attributes().len());
    most(Cell::Events, span.events.len());
    most(Cell::Links, span.links.len());
    span.events.iter().for_each(|event| most(Cell::EventAttrs, event.attributes.len()));
    span.links.iter().for_each(|link| most(Cell::LinkAttrs, link.attributes.len()));
    most(Cell::NameBytes, span.name.byte_len());
    most(Cell::NameChars, span.name.char_len());
    let bytes = span_len(span);
    most(Cell::SpanBytes, bytes);
    most(Cell::TraceBytes, bytes);
    most(Cell::TraceSpans, 1);
    measured
}

/// Bytes and characters of a value; the note that a value was cut is not part of it.
fn size(attribute: &RawAttribute<'_>) -> (usize, usize) {
    match &attribute.value {
        RawValue::Text(text) => (text.byte_len(), characters(text)),
        RawValue::Bytes(bytes) => (bytes.len(), bytes.len()),
        RawValue::Nested(nested) => (nested.raw.len(), nested.raw.len()),
        _ => (8, 8),
    }
}

fn characters(text: &Text<'_>) -> usize {
    let text = text.decode();
    let body = text.rsplit_once(TRUNCATION_NOTE).map_or(&*text, |(body, _)| body);
    body.chars().count()
}
