//! Groups the spans of a capture by trace id.
//!
//! Comes in: heads. Goes out: the traces by (earliest start, trace id), each a slice of spans in the order of the input.
//! No map of ids is kept: the table holds group numbers, and ids are read back out of the heads.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Tree;
use crate::capture::{Capture, SpanRef};
use crate::model::TraceId;

/// The traces of a capture. Spans without a trace id are one group with `TraceId(0)`.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    ids: Vec<TraceId>,
    /// Where each trace begins in `spans`; the next one's beginning is its end.
    starts: Vec<u32>,
    spans: Vec<SpanRef>,
}

/// The spans of one trace.
#[derive(Clone, Copy, Debug)]
pub struct TraceGroup<'f> {
    /// Its id; zero for the group of spans that have none.
    pub id: TraceId,
    /// Its spans in the order of the input, repeats included.
    pub spans: &'f [SpanRef],
}

/// What is known of a trace while spans are still being sorted into groups.
struct Group {
    first: SpanRef,
    spans: u32,
    start: u64,
}

impl Forest {
    /// Groups all spans of a capture.
    pub fn of(capture: &Capture) -> Self {
        let (groups, group_of) = gather(capture);
        let mut order: Vec<(u64, u32)> = groups.iter().zip(0..).map(|(group, at)| (group.start, at)).collect();
        let id = |at: u32| groups.get(at as usize).map(|group| capture.head(group.first).trace);
        // Ids are read out of the heads only where starts are equal.
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| id(a.1).cmp(&id(b.1))));

        let mut starts = Vec::with_capacity(groups.len());
        let mut ids = Vec::with_capacity(groups.len());
        // Where the next span of each group goes.
        let mut cursors = vec![0u32; groups.len()];
        let mut total = 0;
        for &(_, at) in &order {
            let Some((group, cursor)) = groups.get(at as usize).zip(cursors.get_mut(at as usize)) else { continue };
            starts.push(total);
            ids.push(capture.head(group.first).trace);
            *cursor = total;
            total += group.spans;
        }
        drop((groups, order));

        let mut spans = vec![SpanRef(0); group_of.len()];
        for (span, group) in capture.spans().zip(group_of) {
            let Some(cursor) = cursors.get_mut(group as usize) else { continue };
            if let Some(slot) = spans.get_mut(*cursor as usize) {
                *slot = span;
            }
            *cursor += 1;
        }
        Self { ids, starts, spans }
    }

    /// How many traces there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The trace with this number; an empty one where there is none.
    pub fn trace(&self, number: usize) -> TraceGroup<'_> {
        let id = self.ids.get(number).copied().unwrap_or_default();
        let start = self.starts.get(number).map_or(self.spans.len(), |at| *at as usize);
        let end = self.starts.get(number + 1).map_or(self.spans.len(), |at| *at as usize);
        TraceGroup { id, spans: self.spans.get(start..end).unwrap_or_default() }
    }

    /// All traces, by (earliest start, id).
    pub fn traces(&self) -> impl ExactSizeIterator<Item = TraceGroup<'_>> {
        (0..self.len()).map(|number| self.trace(number))
    }

    /// The numbers of the traces in `jobs` runs of about as many spans each, for threads to share.
    pub fn shares(&self, jobs: usize) -> Vec<Range<usize>> {
        let share = self.spans.len().div_ceil(jobs.max(1)).max(1);
        let (mut ranges, mut from, mut held) = (Vec::new(), 0, 0);
        for (number, trace) in self.traces().enumerate() {
            held += trace.spans.len();
            if held >= share {
                ranges.push(from..number + 1);
                (from, held) = (number + 1, 0);
            }
        }
        ranges.push(from..self.len());
        ranges
    }

    /// The numbers of the traces whose id begins with these hexadecimal digits, in either case; none when it is no
    /// such prefix.
    pub fn find(&self, prefix: &str) -> Vec<usize> {
        let digits = prefix.len();
        let Some(wanted) = Some(prefix).filter(|_| (1..=32).contains(&digits)).and_then(hex) else { return Vec::new() };
        let whole = |id: &TraceId| id.0 >> (128 - 4 * digits) == wanted;
        let short = |id: &TraceId| id.is_short() && digits <= 16 && id.0 >> (64 - 4 * digits) == wanted;
        self.ids.iter().enumerate().filter(|(_, id)| whole(id) || short(id)).map(|(number, _)| number).collect()
    }

    /// Fills `tree` with the tree of one trace. What it held before is gone, its space is used again.
    pub fn tree(&self, capture: &Capture, number: usize, tree: &mut Tree) {
        let group = self.trace(number);
        tree.fill(capture, group.id, group.spans);
    }
}

fn hex(text: &str) -> Option<u128> {
    // `from_str_radix` takes a sign.
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// Span references are 32 bits wide, so no number of traces or spans is larger.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A whole hash from the half of one that is kept, so that the table grows without reading ids again.
fn spread(half: u32) -> u64 {
    u64::from(half) << 32 | u64::from(half)
}

/// Every trace in the order of its first span, and the group each span belongs to.
fn gather(capture: &Capture) -> (Vec<Group>, Vec<u32>) {
    let hasher = DefaultHashBuilder::default();
    let mut table: HashTable<(u32, u32)> = HashTable::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of = Vec::with_capacity(capture.len());
    // Spans of one trace mostly stand together.
    let mut last: Option<(TraceId, u32)> = None;
    for span in capture.spans() {
        let head = capture.head(span);
        let at = match last {
            Some((trace, at)) if trace == head.trace => at,
            _ => {
                let half = (hasher.hash_one(head.trace) >> 32) as u32;
                let is_it = |&(other, at): &(u32, u32)| {
                    let known = |group: &Group| capture.head(group.first).trace == head.trace;
                    other == half && groups.get(at as usize).is_some_and(known)
                };
                let next = count(groups.len());
                let entry = table.entry(spread(half), is_it, |&(half, _)| spread(half));
                let at = entry.or_insert((half, next)).get().1;
                if at == next {
                    groups.push(Group { first: span, spans: 0, start: u64::MAX });
                }
                at
            }
        };
        last = Some((head.trace, at));
        group_of.push(at);
        let Some(group) = groups.get_mut(at as usize) else { continue };
        group.spans += 1;
        // A missing start is no start.
        if head.start != 0 {
            group.start = group.start.min(head.start);
        }
    }
    (groups, group_of)
}
