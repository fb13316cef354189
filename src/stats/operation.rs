//! One row a group: counts, and durations with exact percentiles.
//!
//! Comes in: groups. Goes out: rows. The durations of one group at a time are gathered in one scratch vector.

use serde::Serialize;

use super::group::{Group, Groups};
use super::{By, Question, Sort};
use crate::capture::{Capture, SpanRef};
use crate::model::{Outcome, Status};
use crate::query::ended;

/// A row of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// The span name; for other groupings the value that the group has in common, empty where spans have none.
    pub name: String,
    /// The service, where spans are grouped by it.
    pub service: Option<String>,
    /// The span kind, where spans are grouped by it.
    pub kind: Option<&'static str>,
    /// The role in an agent's run, where spans are grouped by it and have one.
    pub role: Option<&'static str>,
    /// Spans, every span that was read.
    pub count: u64,
    /// Those with status ERROR.
    pub errors: u64,
    /// Those that were cancelled, expected or not; they may be in `errors` too.
    pub cancelled: u64,
    /// Tokens that its spans report, where any does.
    pub tokens: Option<Tokens>,
    /// Durations of those that have a start and an end.
    pub duration_ns: Durations,
}

/// Tokens of calls to models. An agent's span may repeat what its calls report: never add up rows of different roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Of the prompts.
    pub input: u64,
    /// Of the answers.
    pub output: u64,
}

/// Durations in nanoseconds. A percentile is the smallest recorded duration that at least so many percent of the spans
/// do not exceed (nearest rank); all are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Durations {
    /// The shortest.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The longest.
    pub max: u64,
    /// All together.
    pub sum: u64,
    /// The part of it in which no child span ran.
    #[serde(rename = "self")]
    pub own: u64,
}

impl Durations {
    /// Measures durations; leaves them in another order.
    fn of(durations: &mut [u64], own: u64) -> Self {
        let (Some(min), Some(max)) = (durations.iter().min().copied(), durations.iter().max().copied()) else {
            return Self { own, ..Self::default() };
        };
        let sum = durations.iter().fold(0u64, |sum, duration| sum.saturating_add(*duration));
        // From the highest rank down, each select has only the part below the last one to look at.
        let mut below = durations.len();
        let [p99, p95, p50] = [99, 95, 50].map(|percent| {
            let rank = nearest_rank(durations.len(), percent);
            match durations.get_mut(..below) {
                Some(part) if rank < part.len() => {
                    below = rank + 1;
                    *part.select_nth_unstable(rank).1
                }
                _ => 0,
            }
        });
        Self { min, p50, p95, p99, max, sum, own }
    }
}

/// The index of the nearest-rank percentile among `count` sorted values.
fn nearest_rank(count: usize, percent: usize) -> usize {
    (count * percent).div_ceil(100).saturating_sub(1)
}

/// All rows, sorted, and how many there were before `--top`.
pub(super) fn operations(
    capture: &Capture,
    groups: &Groups,
    own: &[u64],
    question: &Question,
) -> (Vec<Operation>, usize) {
    let mut rows = Vec::with_capacity(groups.groups.len());
    let (starts, spans) = by_group(groups);
    let mut durations = Vec::new();
    for (number, group) in groups.groups.iter().enumerate() {
        let from = starts.get(number).copied().unwrap_or(0) as usize;
        let to = starts.get(number + 1).copied().unwrap_or(0) as usize;
        let members = spans.get(from..to).unwrap_or_default();
        let mut row = row(capture, group, &question.by);
        durations.clear();
        for &span in members {
            let head = capture.head(span);
            row.count += 1;
            row.errors += u64::from(head.marks.status() == Status::Error);
            row.cancelled += u64::from(ended(head) == Outcome::Cancelled);
            if let Some(usage) = capture.usage(span) {
                let tokens = row.tokens.get_or_insert_default();
                tokens.input = tokens.input.saturating_add(usage.input);
                tokens.output = tokens.output.saturating_add(usage.output);
            }
            if head.start != 0 && head.end != 0 {
                durations.push(head.duration().0);
            }
        }
        row.duration_ns = Durations::of(&mut durations, own.get(number).copied().unwrap_or(0));
        rows.push(row);
    }
    let all = rows.len();
    sort(&mut rows, question.sort);
    rows.truncate(question.top.unwrap_or(all));
    (rows, all)
}

/// The spans of each group one after another, and where each group begins: a counting sort.
fn by_group(groups: &Groups) -> (Vec<u32>, Vec<SpanRef>) {
    let mut starts = vec![0u32; groups.groups.len() + 1];
    let member = |number: &u32| (*number != super::group::NONE).then_some(*number as usize);
    for number in groups.of.iter().filter_map(member) {
        if let Some(count) = starts.get_mut(number + 1) {
            *count += 1;
        }
    }
    let mut total = 0;
    for start in &mut starts {
        total += *start;
        *start = total;
    }
    let mut spans = vec![SpanRef(0); total as usize];
    let mut cursors = starts.clone();
    for (at, number) in groups.of.iter().enumerate() {
        let Some(cursor) = member(number).and_then(|number| cursors.get_mut(number)) else { continue };
        if let (Some(place), Ok(at)) = (spans.get_mut(*cursor as usize), u32::try_from(at)) {
            *place = SpanRef(at);
            *cursor += 1;
        }
    }
    (starts, spans)
}

fn row(capture: &Capture, group: &Group, by: &By) -> Operation {
    let text = |name| capture.text(name).to_owned();
    let service = group.service.map(text);
    let (kind, role) = (group.kind.map(|kind| kind.name()), group.role.map(|role| role.name()));
    let name = match by {
        By::Name | By::Scope | By::Attribute(_) => group.name.map(text),
        By::Service => service.clone(),
        By::Kind => kind.map(str::to_owned),
        By::Role => role.map(str::to_owned),
    };
    Operation { name: name.unwrap_or_default(), service, kind, role, ..Operation::default() }
}

/// Largest first; equal rows, and all rows of [`Sort::Name`], by name.
fn sort(rows: &mut [Operation], sort: Sort) {
    let key = |row: &Operation| match sort {
        Sort::Total => row.duration_ns.sum,
        Sort::OwnTime => row.duration_ns.own,
        Sort::Count => row.count,
        Sort::Errors => row.errors,
        Sort::Cancelled => row.cancelled,
        Sort::P50 => row.duration_ns.p50,
        Sort::P95 => row.duration_ns.p95,
        Sort::P99 => row.duration_ns.p99,
        Sort::Max => row.duration_ns.max,
        Sort::Name => 0,
    };
    rows.sort_by(|a, b| {
        let names = |row: &Operation| (row.kind, row.role);
        (key(b).cmp(&key(a)))
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.service.cmp(&b.service))
            .then_with(|| names(a).cmp(&names(b)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        for count in [1usize, 2, 3, 19, 20, 99, 100, 101, 1000, 4001] {
            let mut seed = 7u64;
            let mut values: Vec<u64> = (0..count)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    seed >> 50
                })
                .collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let got = Durations::of(&mut values, 5);
            let at = |percent: f64| sorted[(count as f64 * percent / 100.0).ceil() as usize - 1];
            assert_eq!((got.p50, got.p95, got.p99), (at(50.0), at(95.0), at(99.0)), "{count}");
            assert_eq!((got.min, got.max, got.own), (sorted[0], sorted[count - 1], 5));
        }
        assert_eq!(Durations::of(&mut [], 0), Durations::default());
    }

    #[test]
    fn equal_rows_stand_by_name() {
        let row = |name: &str, count| Operation { name: name.into(), count, ..Operation::default() };
        let mut rows = vec![row("b", 1), row("c", 2), row("a", 1)];
        sort(&mut rows, Sort::Count);
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<String>(), "cab");
    }
}
