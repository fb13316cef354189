//! One row a group: counts, and durations with exact percentiles.
//!
//! Comes in: groups. Goes out: rows. The durations of one group at a time are gathered in one scratch vector.

use serde::Serialize;

use super::calls::Calls;
use super::group::{Group, Groups};
use super::{By, Question, Sort};
use crate::capture::Capture;
use crate::ledger::Call;
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
    /// Those of them that have a start and an end: what the durations are of.
    #[serde(skip)]
    pub finished: u64,
    /// Those with status ERROR.
    pub errors: u64,
    /// Those that were cancelled, expected or not; they may be in `errors` too.
    pub cancelled: u64,
    /// Tokens of the calls that are counted at its spans, where any says so.
    pub tokens: Option<Tokens>,
    /// Durations of those that have a start and an end.
    pub duration_ns: Durations,
    /// What only calls have, where the row is one of calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Calls>,
}

/// Tokens of calls to models, each call once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    /// Of the prompts.
    pub input: u64,
    /// Of the answers.
    pub output: u64,
}

impl Tokens {
    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self { input: self.input.saturating_add(other.input), output: self.output.saturating_add(other.output) }
    }

    /// Those of a call, if it says how many it took.
    pub(super) fn of(call: &Call) -> Option<Self> {
        let (input, output) = (call.tokens.input.unwrap_or(0), call.tokens.output.unwrap_or(0));
        call.is_metered().then_some(Self { input, output })
    }
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
    pub(super) fn of(durations: &mut [u64], own: u64) -> Self {
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

/// All rows, measured but for their own time, in the order of the groups.
pub(super) fn rows(capture: &Capture, groups: &Groups, question: &Question) -> Vec<Operation> {
    let mut rows: Vec<Operation> = groups.groups.iter().map(|group| row(capture, group, &question.by)).collect();
    let mut shelves = measure(capture, groups, &mut rows);
    for (number, row) in rows.iter_mut().enumerate() {
        let durations = shelves.of(number);
        row.finished = durations.len() as u64;
        row.duration_ns = Durations::of(durations, 0);
    }
    rows
}

/// Rows that are measured already, sorted, and how many there were before `--top`.
pub(super) fn finish_calls(mut rows: Vec<Operation>, question: &Question) -> (Vec<Operation>, usize) {
    let all = rows.len();
    sort(&mut rows, question.sort);
    rows.truncate(question.top.unwrap_or(all));
    (rows, all)
}

/// The rows with their own times, sorted, and how many there were before `--top`.
pub(super) fn finish(mut rows: Vec<Operation>, own: &[u64], question: &Question) -> (Vec<Operation>, usize) {
    for (row, own) in rows.iter_mut().zip(own) {
        row.duration_ns.own = *own;
    }
    finish_calls(rows, question)
}

/// The durations of each group one after another.
struct Shelves {
    /// Where each group begins; the next one's beginning is the end of its room.
    starts: Vec<usize>,
    /// Where each group ends so far.
    ends: Vec<usize>,
    durations: Vec<u64>,
}

impl Shelves {
    /// Room for the spans of every group.
    fn new(groups: &Groups) -> Self {
        let mut starts = vec![0; groups.groups.len() + 1];
        for number in groups.of.iter().filter(|number| **number != super::group::NONE) {
            if let Some(count) = starts.get_mut(*number as usize + 1) {
                *count += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        Self { ends: starts.clone(), starts, durations: vec![0; total] }
    }

    fn put(&mut self, group: usize, duration: u64) {
        if let Some(end) = self.ends.get_mut(group)
            && let Some(place) = self.durations.get_mut(*end)
        {
            *place = duration;
            *end += 1;
        }
    }

    fn of(&mut self, group: usize) -> &mut [u64] {
        let range = self.starts.get(group).copied().unwrap_or(0)..self.ends.get(group).copied().unwrap_or(0);
        self.durations.get_mut(range).unwrap_or_default()
    }
}

/// Counts every span into its row and shelves its duration, in one pass in the order of the input.
fn measure(capture: &Capture, groups: &Groups, rows: &mut [Operation]) -> Shelves {
    let mut shelves = Shelves::new(groups);
    for (span, head) in capture.spans().zip(capture.heads()) {
        let Some(group) = groups.get(span) else { continue };
        let Some(row) = rows.get_mut(group) else { continue };
        row.count += 1;
        row.errors += u64::from(head.marks.status() == Status::Error);
        row.cancelled += u64::from(ended(head) == Outcome::Cancelled);
        if head.start != 0 && head.end != 0 {
            shelves.put(group, head.duration().0);
        }
    }
    shelves
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
        By::Model | By::Provider | By::Tool | By::Agent | By::Session => None,
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
        Sort::Cost => row.calls.and_then(|calls| calls.cost_usd).map_or(0, |cost| cost.0),
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
