//! Spans of a capture in another order: sorted, merged, one file a trace or service.
//!
//! Comes in: a capture, which of its spans are wanted, an order. Goes out: pieces of files. Spans are put in order by an index of
//! their places; the bytes of one are read when its turn comes.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

use super::encode::Encoder;
use super::origins::Origins;
use super::plan::Plan;
use super::sink::{Give, Sink, Written};
use crate::capture::{Capture, Gather, Pages, SourceId, SpanRef};
use crate::input::InputError;
use crate::mend::Alteration;
use crate::otlp::{Form, Layout, Packing, ProtoWriter, RawSpan};

/// A group that is sorted but not merged has about so many bytes at most.
const GROUP: usize = 4 << 20;

/// In which order spans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By start.
    Start,
    /// By trace, traces by their first start.
    Trace,
}

/// What files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// One a trace.
    Trace,
    /// One a service.
    Service,
}

/// An order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order {
    /// How spans are sorted; in the order of the inputs where that is not said.
    pub sort: Option<Sort>,
    /// Identical spans are written once, and those of one resource together.
    pub merge: bool,
    /// What files are written.
    pub split: Option<Split>,
}

/// Writes spans in an order.
pub fn ordered<'g>(
    capture: &Capture,
    wants: &dyn Fn(SpanRef) -> bool,
    order: Order,
    plan: &Plan,
    stop: Option<&AtomicBool>,
    give: &'g mut Give<'g>,
) -> Result<io::Result<Written>, InputError> {
    let mut spans: Vec<SpanRef> = capture.spans().filter(|span| wants(*span)).collect();
    let origins = Origins::of(capture, plan)?;
    let mut pages = Pages::default();
    let mut merged = (0, 0);
    if order.merge {
        merged = Merge { capture, origins: &origins, pages: &mut pages, stop }.once(&mut spans)?;
    }
    sort(capture, &origins, order, &mut spans);
    let sink = Sink::new(plan.form, plan.most, give);
    let mut writer = Writer { capture, origins: &origins, encoder: Encoder::new(plan, None, SourceId(0)), sink };
    let part = |span: SpanRef| part(capture, order, span);
    let (mut missing, mut last) = (0, None);
    for span in &spans {
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Ok(Err(io::ErrorKind::Interrupted.into()));
        }
        let Some(place) = pages.span(capture, *span)? else {
            missing += 1;
            continue;
        };
        let name = part(*span);
        if let Err(error) = writer.span(*span, &place, order, (last.as_ref() != Some(&name)).then_some(&*name)) {
            return Ok(Err(error));
        }
        last = Some(name);
    }
    Ok(writer.end().map(|written| Written { missing, repeated: merged.0, conflicting: merged.1, ..written }))
}

/// Leaves each identical span once. The answer is how many went, and how many stay that repeat an id with something else.
/// Whoever sets `stop` wants no more of it.
pub fn merge(capture: &Capture, spans: &mut Vec<SpanRef>, stop: Option<&AtomicBool>) -> Result<(u64, u64), InputError> {
    let origins = Origins::of(capture, &plain())?;
    Merge { capture, origins: &origins, pages: &mut Pages::default(), stop }.once(spans)
}

/// The name of the file a span goes to.
fn part(capture: &Capture, order: Order, span: SpanRef) -> String {
    match order.split {
        None => String::new(),
        Some(Split::Trace) => format!("{:032x}", capture.head(span).trace.0),
        Some(Split::Service) => capture.service(span).to_owned(),
    }
}

/// Puts spans in order.
fn sort(capture: &Capture, origins: &Origins, order: Order, spans: &mut [SpanRef]) {
    let mut firsts: BTreeMap<u128, (u64, SpanRef)> = BTreeMap::new();
    if order.sort == Some(Sort::Trace) || order.split == Some(Split::Trace) {
        for span in spans.iter() {
            let head = capture.head(*span);
            let first = firsts.entry(head.trace.0).or_insert((head.start, *span));
            // In the order of the inputs a trace is where its first span is, else where its first start is.
            *first = if order.sort.is_some() { (first.0.min(head.start), first.1) } else { (0, first.1) };
        }
    }
    // Resources and scopes stand where their first spans do.
    let mut places: BTreeMap<(u32, Option<u32>), u32> = BTreeMap::new();
    for span in spans.iter().filter(|_| order.merge) {
        let (resource, scope) = origins.of_span(capture, *span);
        places.entry((resource, None)).or_insert(span.0);
        places.entry((resource, Some(scope))).or_insert(span.0);
    }
    let place = |resource, scope| places.get(&(resource, scope)).copied().unwrap_or_default();
    let trace = |trace: u128| firsts.get(&trace).map(|(start, span)| (*start, span.0)).unwrap_or_default();
    spans.sort_by_cached_key(|span| {
        let head = capture.head(*span);
        let part = match order.split {
            None => (Default::default(), ""),
            Some(Split::Trace) => (trace(head.trace.0), ""),
            Some(Split::Service) => (Default::default(), capture.service(*span)),
        };
        let origin = match order.merge {
            true => {
                let (resource, scope) = origins.of_span(capture, *span);
                (place(resource, None), place(resource, Some(scope)))
            }
            false => (0, 0),
        };
        let sorted = match order.sort {
            None => ((0, 0), 0),
            Some(Sort::Start) => ((0, 0), head.start),
            Some(Sort::Trace) => (trace(head.trace.0), head.start),
        };
        (part, origin, sorted, span.0)
    });
}

/// Finds spans that are there more than once.
struct Merge<'m> {
    capture: &'m Capture,
    origins: &'m Origins,
    pages: &'m mut Pages,
    stop: Option<&'m AtomicBool>,
}

impl Merge<'_> {
    /// Keeps each identical span once. The answer is how many went, and how many stay that repeat an id with something else.
    fn once(&mut self, spans: &mut Vec<SpanRef>) -> Result<(u64, u64), InputError> {
        let key = |span: &SpanRef| {
            let head = self.capture.head(*span);
            (head.trace, head.id)
        };
        let mut by_id = spans.clone();
        by_id.sort_unstable_by_key(|span| (key(span), span.0));
        let (mut gone, mut conflicting) = (HashSet::new(), 0);
        let runs: Vec<&[SpanRef]> = by_id.chunk_by(|a, b| key(a) == key(b)).filter(|run| run.len() > 1).collect();
        for run in runs {
            if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                break;
            }
            let mut known = HashSet::new();
            for span in run {
                match self.digest(*span)? {
                    Some(digest) if !known.insert(digest) => {
                        gone.insert(*span);
                    }
                    _ => {}
                }
            }
            conflicting += known.len().saturating_sub(1) as u64;
        }
        spans.retain(|span| !gone.contains(span));
        Ok((gone.len() as u64, conflicting))
    }

    /// What a span says, and who sent it.
    fn digest(&mut self, span: SpanRef) -> Result<Option<[u8; 32]>, InputError> {
        let Some(place) = self.pages.span(self.capture, span)? else { return Ok(None) };
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", self.origins.of_span(self.capture, span)));
        let mut message = Vec::new();
        ProtoWriter::new(&mut message).span_fields(&place);
        hash.update(&message);
        Ok(Some(hash.finalize().into()))
    }
}

/// Writes spans one by one, those of one origin that follow each other together.
struct Writer<'w, 'g> {
    capture: &'w Capture,
    origins: &'w Origins,
    encoder: Encoder<'w>,
    sink: Sink<'g>,
}

impl Writer<'_, '_> {
    /// Writes a span, into a file that begins with it where that has a name.
    fn span(&mut self, span: SpanRef, place: &RawSpan<'_>, order: Order, begins: Option<&str>) -> io::Result<()> {
        if let Some(name) = begins {
            self.flush()?;
            if order.split.is_some() {
                self.sink.begin(name)?;
            }
        }
        let (resource, scope) = self.origins.of_span(self.capture, span);
        let full = !order.merge && self.encoder.waiting() > GROUP;
        if full || !self.encoder.stands_in(self.origins.resource(resource)) {
            self.flush()?;
        }
        self.encoder.add(place, self.origins.resource(resource), self.origins.scope(scope));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.finish();
        let taken = self.sink.take(self.encoder.made());
        self.encoder.reset();
        taken
    }

    fn end(mut self) -> io::Result<Written> {
        self.flush()?;
        self.sink.finish()
    }
}

/// A plan that changes nothing, of protobuf: what two resources must share to be the same.
pub(super) fn plain() -> Plan {
    let form = Form { layout: Layout::Single, packing: Packing::None };
    Plan { alteration: Alteration::default(), form, most: None }
}
