//! Checks on whole plays: that they repeat, end where they should, and hold together.

use std::collections::HashSet;

use super::sheet::number;
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
    for convention in Convention::ALL {
        for quirks in [false, true] {
            let plan = Plan { convention, quirks, ..plan(40) };
            let stage = Stage::new(&plan);
            for number in 0..40 {
                let sheet = stage.trace(number);
                let ids: HashSet<u64> = sheet.spans.iter().map(|span| span.id).collect();
                assert_eq!(ids.len(), sheet.spans.len());
                let roots = sheet.spans.iter().filter(|span| span.parent == 0).count();
                // With quirks an endpoint that is not traced leaves two traces, and a job may have one of its own.
                assert!(roots == 1 || (quirks && roots == 2 && convention == Convention::Letta), "{roots}");
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
    for scenario in Scenario::ALL {
        let plan = Plan { scenario, ..plan(12) };
        let stage = Stage::new(&plan);
        assert!((0..12).map(|number| stage.trace(number).spans.len()).sum::<usize>() > 100, "{scenario:?}");
    }
}

/// How many of so many traces hold a span with status ERROR.
fn failed(plan: &Plan, traces: u64) -> usize {
    let stage = Stage::new(plan);
    let fails = |number: &u64| stage.trace(*number).spans.iter().any(|span| span.status == number::ERROR);
    (0..traces).filter(fails).count()
}

#[test]
fn the_rate_of_errors_is_the_part_of_traces_with_one() {
    for convention in Convention::ALL {
        for scenario in Scenario::ALL {
            for quirks in [false, true] {
                let plan = |errors| Plan { convention, scenario, quirks, errors: Some(errors), ..plan(0) };
                let what = format!("{convention:?} {scenario:?} {quirks}");
                assert_eq!(failed(&plan(1_000_000), 40), 40, "{what}");
                // To Letta itself cancellations are errors all the same.
                if !quirks || !matches!(scenario, Scenario::Cancel | Scenario::Mix) {
                    let some = failed(&plan(300_000), 150);
                    assert!((27..=63).contains(&some), "{what}: {some}");
                    assert_eq!(failed(&plan(0), 40), 0, "{what}");
                }
            }
        }
    }
}

#[test]
fn cancellations_reach_every_scenario() {
    for convention in Convention::ALL {
        for scenario in Scenario::ALL {
            let plan = Plan { convention, scenario, cancels: Some(1_000_000), ..plan(0) };
            let some = failed(&plan, 60);
            assert!((18..=42).contains(&some), "{convention:?} {scenario:?}: {some} of 60 by nobody");
        }
    }
}

#[test]
fn every_service_takes_part() {
    for services in [1, 2, 3, 5, 7, 12] {
        for convention in Convention::ALL {
            let plan = Plan { convention, services, scenario: Scenario::Tools, steps: Some(6), ..plan(0) };
            let stage = Stage::new(&plan);
            let seen: HashSet<u8> =
                (0..60).flat_map(|number| stage.trace(number).spans).map(|span| span.service).collect();
            assert_eq!(seen.len() as u64, u64::from(services), "{convention:?}");
        }
    }
}

#[test]
fn helpers_are_never_of_the_name_of_the_agent_above() {
    let plan = Plan { convention: Convention::Genai, scenario: Scenario::MultiAgent, depth: 4, ..plan(0) };
    let stage = Stage::new(&plan);
    let mut handed = 0;
    for number in 0..20 {
        let sheet = stage.trace(number);
        let agents: Vec<_> =
            sheet.spans.iter().filter(|span| sheet.read(span.name).starts_with("invoke_agent ")).collect();
        for agent in &agents {
            let tool = sheet.spans.iter().find(|span| span.id == agent.parent);
            let Some(above) = tool.and_then(|tool| agents.iter().find(|above| above.id == tool.parent)) else {
                continue;
            };
            assert_ne!(sheet.read(above.name), sheet.read(agent.name));
            handed += 1;
        }
    }
    assert!(handed > 50, "{handed}");
}

#[test]
fn failed_tools_are_tried_again_with_the_same_arguments_and_longer_pauses() {
    let plan = Plan {
        convention: Convention::Genai,
        scenario: Scenario::Tools,
        steps: Some(6),
        errors: Some(1_000_000),
        ..plan(0)
    };
    let stage = Stage::new(&plan);
    let mut retried = 0;
    for number in 0..80 {
        let sheet = stage.trace(number);
        let text = |span: &super::sheet::Span, key: &str| {
            let found = span.attributes.iter().find(|attribute| sheet.read(attribute.key) == key)?;
            match found.value {
                super::sheet::Datum::Text(word) => Some(sheet.read(word).to_owned()),
                _ => None,
            }
        };
        let tools: Vec<_> =
            sheet.spans.iter().filter(|span| sheet.read(span.name).starts_with("execute_tool ")).collect();
        let Some(first) = tools.iter().position(|tool| tool.status == number::ERROR) else { continue };
        let given = text(tools[first], "gen_ai.tool.call.arguments");
        let tries: Vec<_> =
            tools[first..].iter().filter(|tool| text(tool, "gen_ai.tool.call.arguments") == given).collect();
        retried += usize::from(tries.len() > 1);
        let gaps: Vec<u64> = tries.windows(2).map(|pair| pair[1].start - pair[0].end).collect();
        assert!(gaps.iter().all(|gap| *gap > 900_000_000), "{gaps:?}");
    }
    assert!(retried > 5, "{retried}");
}

#[test]
fn prompts_hold_what_was_said_and_do_not_grow_for_ever() {
    for convention in Convention::ALL {
        let plan = Plan { convention, scenario: Scenario::Tools, steps: Some(40), payload: 50_000, ..plan(0) };
        let sheet = Stage::new(&plan).trace(0);
        let longest = sheet
            .spans
            .iter()
            .flat_map(|span| &span.attributes)
            .filter_map(|attribute| match attribute.value {
                super::sheet::Datum::Text(word) => Some(sheet.read(word).len()),
                _ => None,
            })
            .max();
        assert!(longest.unwrap() < 250_000, "{convention:?}: {longest:?}");
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
