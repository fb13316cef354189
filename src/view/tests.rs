//! Choice of traces, rows and folds.

use super::sample::Sample;
use super::*;
use crate::capture::{Capture, SpanRef};
use crate::forest::{Forest, Tree};
use crate::model::Status;

fn everything() -> Settings {
    Settings { collapse: true, ..Settings::default() }
}

/// The first trace's rows, as `depth name ×times +below`, and what was left out.
fn rows(sample: Sample, settings: Settings) -> (Vec<String>, LeftOut) {
    let capture = sample.capture();
    let forest = Forest::of(&capture);
    let view = TreeReport::of(&capture, &forest, settings, &|_| true).trace(0, &mut Tree::default()).unwrap();
    let row = |row: &Row<'_>| {
        let fold = row.fold.map(|fold| format!(" ×{}", fold.times)).unwrap_or_default();
        let below = if row.below > 0 { format!(" +{}", row.below) } else { String::new() };
        format!("{}{}{fold}{below}{}", ">".repeat(row.depth as usize), row.name, if row.last { "" } else { "," })
    };
    (view.rows.iter().map(row).collect(), view.left_out)
}

/// A root with `n` like children, each with a child, and another one after them.
fn run_of(n: u64) -> Sample {
    let mut sample = Sample::new();
    sample.span(1, 0, "root", "api", [0, 1000]);
    for at in 0..n {
        sample.span(10 + at, 1, "query", "api", [at * 10, at * 10 + 5 + at]);
        sample.span(1010 + at, 10 + at, "socket", "api", [at * 10, at * 10 + 1]);
    }
    sample.span(2, 1, "end", "api", [900, 901]);
    sample
}

#[test]
fn runs_of_like_siblings_are_folded() {
    let (folded, left) = rows(run_of(5), everything());
    assert_eq!((folded, left), (["root", ">query ×5,", ">end"].map(str::to_owned).to_vec(), LeftOut::default()));
    assert_eq!(rows(run_of(5), Settings::default()).0.len(), 12);
    assert_eq!(rows(run_of(2), everything()).0.len(), 6);
}

#[test]
fn a_fold_knows_its_total_and_its_slowest() {
    let capture = run_of(4).capture();
    let forest = Forest::of(&capture);
    let report = TreeReport::of(&capture, &forest, everything(), &|_| true);
    let view = report.trace(0, &mut Tree::default()).unwrap();
    let fold = Fold { times: 4, spans: 8, total_ns: 26_000, slowest_ns: 8_000 };
    assert_eq!(view.rows[1].fold, Some(fold));
}

#[test]
fn what_is_wrong_is_never_folded() {
    let mut sample = run_of(6);
    sample.span(3, 12, "deep", "api", [20, 21]).marks.set_status(Status::Error);
    let (rows, _) = rows(sample, everything());
    let before = ["root", ">query,", ">>socket", ">query,", ">>socket"];
    let after = [">query,", ">>deep,", ">>socket", ">query ×3,", ">end"];
    assert_eq!(rows, [before, after].concat());
}

#[test]
fn only_paths_to_errors_are_left_when_asked() {
    let mut sample = run_of(6);
    sample.span(3, 12, "deep", "api", [20, 21]).marks.set_status(Status::Error);
    let (rows, left) = rows(sample, Settings { errors: true, ..everything() });
    assert_eq!(rows, ["root", ">query", ">>deep"]);
    assert_eq!(left, LeftOut { fine: 12, ..LeftOut::default() });
}

#[test]
fn levels_below_the_asked_depth_are_counted() {
    let (shown, left) = rows(run_of(2), Settings { depth: Some(2), ..everything() });
    assert_eq!(shown, ["root", ">query +1,", ">query +1,", ">end"]);
    assert_eq!(left.deep, 2);
    assert_eq!(rows(run_of(2), Settings { depth: Some(1), ..everything() }).0, ["root +5"]);
}

#[test]
fn too_many_rows_are_cut_level_by_level_but_errors_stay() {
    let mut sample = run_of(100);
    sample.span(3, 109, "deep", "api", [995, 996]).marks.set_status(Status::Error);
    let (shown, left) = rows(sample, Settings { rows: Some(5), ..Settings::default() });
    assert_eq!(shown, ["root +195", ">query +1,", ">query +1,", ">query +1", ">>deep"]);
    assert_eq!(left.over, 203 - 5);
}

#[test]
fn a_very_deep_or_wide_trace_is_cut_to_its_rows() {
    const MANY: u64 = 100_000;
    let mut deep = Sample::new();
    let mut wide = Sample::new();
    wide.span(1, 0, "root", "api", [0, 1]);
    for at in 1..=MANY {
        deep.span(at, at - 1, "frame", "api", [at, 3 * MANY]);
        wide.span(at + 1, 1, if at % 2 == 0 { "a" } else { "b" }, "api", [at, at + 1]);
    }
    for sample in [deep, wide] {
        let (rows, left) = rows(sample, Settings { rows: Some(500), ..everything() });
        assert_eq!(rows.len(), 500);
        assert!(left.over >= MANY - 500);
    }
}

fn several() -> Capture {
    let mut sample = Sample::new();
    for (at, (end, errors)) in [(10, 0), (500, 2), (90, 3), (20, 0)].into_iter().enumerate() {
        let at = at as u64;
        sample.trace(u128::from(at + 1) << 64);
        sample.span(1, 0, "root", "api", [at, at + end]);
        for error in 0..errors {
            sample.span(2 + error, 1, "call", "api", [at, at + 1]).marks.set_status(Status::Error);
        }
    }
    sample.capture()
}

fn chosen(settings: Settings, selected: &dyn Fn(SpanRef) -> bool) -> (Vec<usize>, Omitted) {
    let capture = several();
    let forest = Forest::of(&capture);
    let report = TreeReport::of(&capture, &forest, settings, selected);
    (report.shown().collect(), report.omitted())
}

#[test]
fn traces_are_sorted_limited_and_chosen() {
    let all = |sort| chosen(Settings { sort, ..everything() }, &|_| true).0;
    assert_eq!(all(Sort::Start), [0, 1, 2, 3]);
    assert_eq!(all(Sort::Duration), [1, 2, 3, 0]);
    assert_eq!(all(Sort::Errors), [2, 1, 0, 3]);
    let (shown, omitted) = chosen(Settings { limit: Some(1), ..everything() }, &|_| true);
    assert_eq!((shown, omitted), (vec![0], Omitted { traces: 3, spans: 8 }));
    assert_eq!(chosen(Settings { errors: true, ..everything() }, &|_| true).0, [1, 2]);
    // One span is enough to show its trace.
    assert_eq!(chosen(everything(), &|span| span == SpanRef(3)).0, [1]);
}

#[test]
fn an_error_that_was_passed_on_is_told_once() {
    let mut sample = Sample::new();
    sample.span(1, 0, "root", "api", [0, 100]).marks.set_status(Status::Error);
    sample.span(2, 1, "call", "api", [0, 90]).marks.set_status(Status::Error);
    sample.span(3, 2, "inner", "api", [0, 80]).marks.set_status(Status::Error);
    let capture = sample.capture();
    let forest = Forest::of(&capture);
    let report = TreeReport::of(&capture, &forest, everything(), &|_| true);
    let mut view = report.trace(0, &mut Tree::default()).unwrap();
    let said = |message: &str| Some(Fault { message: message.to_owned(), ..Fault::default() });
    let faults = [said("outer"), said("boom"), said("boom")];
    for (row, fault) in view.rows.iter_mut().zip(faults) {
        row.fault = fault;
    }
    again::hush_echoes(&mut view.rows);
    assert_eq!(view.rows.iter().map(|row| row.fault.is_some()).collect::<Vec<_>>(), [true, false, true]);
}
