//! Checks on whole plays: that they repeat, end where they should, and hold together.

use std::collections::HashSet;

use super::stage::Stage;
use super::{Convention, Extent, Fault, Plan, Play, Scenario, Wanted};
use crate::otlp::Encoding;

fn plan(traces: u64) -> Plan {
    Plan { seed: 7, extent: Extent { traces, ..Plan::default().extent }, ..Plan::default() }
}

fn bytes(plan: Plan, jobs: usize) -> Vec<u8> {
    Play::begin(plan, Encoding::Proto, jobs).flat_map(|batch| batch.bytes).collect()
}

#[test]
fn the_number_of_threads_does_not_show() {
    let one = bytes(plan(100), 1);
    assert_eq!(one, bytes(plan(100), 3));
    assert_ne!(one, bytes(Plan { seed: 8, ..plan(100) }, 1));
}

#[test]
fn a_number_of_spans_ends_with_a_whole_trace() {
    let spans = |limit| {
        let extent = Extent { traces: u64::MAX, spans: limit, duration: u64::MAX };
        let mut play = Play::begin(Plan { extent, ..plan(0) }, Encoding::Proto, 2);
        let sum: usize = play.by_ref().map(|batch| batch.spans).sum();
        assert_eq!(sum as u64, play.made().spans);
        sum as u64
    };
    for limit in [1, 100, 5_000] {
        assert!((limit..limit + 400).contains(&spans(limit)), "{limit}");
    }
}

#[test]
fn parents_are_there_and_ids_are_unique() {
    for convention in [Convention::Letta, Convention::Genai, Convention::Openinference, Convention::Openllmetry] {
        for quirks in [false, true] {
            let plan = Plan { convention, quirks, ..plan(40) };
            let stage = Stage::new(&plan);
            for number in 0..40 {
                let sheet = stage.trace(number);
                let ids: HashSet<u64> = sheet.spans.iter().map(|span| span.id).collect();
                assert_eq!(ids.len(), sheet.spans.len());
                let roots = sheet.spans.iter().filter(|span| span.parent == 0).count();
                // With quirks an endpoint that is not traced leaves two traces.
                assert!(roots == 1 || (quirks && roots == 2 && sheet.spans.len() == 3), "{roots}");
                for span in &sheet.spans {
                    assert!(span.parent == 0 || ids.contains(&span.parent), "{}", sheet.read(span.name));
                    assert!(span.end >= span.start, "{}", sheet.read(span.name));
                }
            }
        }
    }
}

#[test]
fn every_scenario_has_something_to_tell() {
    let scenarios = [
        Scenario::Chat,
        Scenario::Tools,
        Scenario::Stream,
        Scenario::Rag,
        Scenario::MultiAgent,
        Scenario::Background,
        Scenario::Cancel,
        Scenario::Errors,
    ];
    for scenario in scenarios {
        let plan = Plan { scenario, ..plan(12) };
        let stage = Stage::new(&plan);
        assert!((0..12).map(|number| stage.trace(number).spans.len()).sum::<usize>() > 100, "{scenario:?}");
    }
}

#[test]
fn every_fault_changes_something() {
    let clean = bytes(plan(8), 1);
    for fault in Fault::ALL.iter().filter(|fault| **fault != Fault::UndecodableInput) {
        let faults = vec![Wanted { fault: *fault, rate: 1_000_000 }];
        assert_ne!(bytes(Plan { faults, ..plan(8) }, 1), clean, "{fault:?}");
    }
}
