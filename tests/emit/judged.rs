//! What is made up and linted without a process in between: many plans, so that what is rare is met.
//!
//! Comes in: plans. Goes out: how often each rule fires.

use std::collections::BTreeMap;
use std::io::Write;

use tracectl::emit::{Convention, Extent, Fault, Made, Plan, Play, Scenario, Wanted};
use tracectl::input::Options;
use tracectl::lint::{Cell, LimitValue, Settings, lint};
use tracectl::otlp::Encoding;

use crate::common::Chance;

fn plan(convention: Convention, scenario: Scenario, traces: u64, seed: u64) -> Plan {
    let extent = Extent { traces, ..Plan::default().extent };
    Plan { convention, scenario, extent, seed, ..Plan::default() }
}

/// How often each rule fires, and what was made.
fn judged(plan: Plan, encoding: Encoding, settings: &Settings) -> (BTreeMap<&'static str, u64>, Made) {
    let mut play = Play::begin(plan, encoding, 1);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut put = |bytes: &[u8]| match encoding {
        Encoding::Proto => {
            file.write_all(&u32::try_from(bytes.len()).unwrap().to_be_bytes()).unwrap();
            file.write_all(bytes).unwrap();
        }
        Encoding::Json => {
            file.write_all(bytes).unwrap();
            file.write_all(b"\n").unwrap();
        }
    };
    for batch in play.by_ref() {
        put(&batch.bytes);
        batch.torn().into_iter().for_each(&mut put);
    }
    let inputs = [file.path().to_string_lossy().into_owned()];
    let options = Options { jobs: 1, ..Options::default() };
    (lint(&inputs, &options, settings, &mut |_| ()).unwrap().report.by_rule, play.made())
}

fn fired(plan: &Plan, settings: &Settings) -> Vec<&'static str> {
    judged(plan.clone(), Encoding::Proto, settings).0.into_keys().collect()
}

#[test]
fn a_few_traces_of_anything_lint_clean() {
    let settings = Settings::default();
    for (at, convention) in (0..).zip(Convention::ALL) {
        for (number, scenario) in (0..).zip(Scenario::ALL) {
            for traces in 1..=4 {
                let seed = 100 * at + 10 * number + traces;
                let plan = plan(convention, scenario, traces, seed);
                assert_eq!(fired(&plan, &settings), [""; 0], "{convention:?} {scenario:?} {traces} {seed}");
            }
        }
    }
}

/// A plan of options that anybody might give.
fn any_plan(chance: &mut Chance) -> Plan {
    let one = |chance: &mut Chance, list: &[u64]| list[chance.below(list.len())];
    let small = |number: u64| u32::try_from(number).unwrap();
    let (convention, scenario) = (Convention::ALL[chance.below(4)], Scenario::ALL[chance.below(9)]);
    let (traces, seed) = (one(chance, &[1, 2, 5]), chance.below(1 << 30) as u64);
    let payload = one(chance, &[8, 320, 2_000, 50_000, 1 << 20]);
    Plan {
        steps: [None, Some(small(one(chance, &[1, 3, 8, 12, 30])))][chance.below(2)],
        depth: small(one(chance, &[0, 1, 2])),
        fanout: small(one(chance, &[1, 2, 5])),
        services: small(one(chance, &[1, 3, 9])),
        skew: one(chance, &[0, 11_000_000, 90_000_000]),
        errors: [None, Some(small(one(chance, &[0, 300_000, 1_000_000])))][chance.below(2)],
        payload,
        ..plan(convention, scenario, traces, seed)
    }
}

#[test]
fn whatever_options_say_it_lints_clean() {
    let mut chance = Chance(20);
    for _ in 0..60 {
        let plan = any_plan(&mut chance);
        assert_eq!(fired(&plan, &Settings::default()), [""; 0], "{plan:?}");
    }
}

/// What lint has to be asked so that it sees all faults.
fn settings(faults: &[Fault]) -> Settings {
    let mut settings = Settings::default();
    for fault in faults {
        match fault {
            Fault::SpanTooLarge => settings.budget.narrow(Cell::SpanBytes, 1_000_000, "asked"),
            Fault::TraceTooLarge => settings.budget.narrow(Cell::TraceBytes, 5_000_000, "asked"),
            Fault::TooManyItems => settings.budget.narrow(Cell::Attrs, 128, "asked"),
            Fault::RunOverBudget => {
                settings.limits.insert(("AGT006", "tokens"), LimitValue::Number(500_000));
            }
            _ => {}
        }
    }
    settings
}

fn spoilt(faults: &[Fault], plan: Plan) -> Plan {
    let faults = faults.iter().map(|fault| Wanted { fault: *fault, rate: 1_000_000 });
    Plan { faults: faults.collect(), ..plan }
}

/// Plays a plan with faults; what is wrong with what lint says.
fn complaint(faults: &[Fault], plan: Plan, encoding: Encoding) -> Option<String> {
    let (convention, scenario, seed) = (plan.convention, plan.scenario, plan.seed);
    let (fired, made) = judged(spoilt(faults, plan), encoding, &settings(faults));
    let mut wanted: Vec<_> =
        faults.iter().filter(|fault| made.spoilt.has(**fault)).map(|fault| fault.kind().code).collect();
    wanted.sort_unstable();
    // What is missing may leave other rules without what they look at, and they say so.
    let fired: Vec<_> = fired.into_keys().filter(|code| *code != "CFG003").collect();
    (fired != wanted).then(|| format!("{faults:?} {convention:?} {scenario:?} {seed} {encoding:?}: {fired:?}"))
}

#[test]
fn a_fault_fires_its_rule_alone_wherever_it_finds_something() {
    let mut chance = Chance(3);
    let mut wrong = Vec::new();
    for fault in Fault::ALL {
        for convention in Convention::ALL {
            for (at, scenario) in Scenario::ALL.into_iter().enumerate() {
                // Each scenario with a third of the faults, in turn.
                if !(at + *fault as usize).is_multiple_of(3) {
                    continue;
                }
                let encoding = [Encoding::Proto, Encoding::Json][chance.below(2)];
                let plan = plan(convention, scenario, 2, chance.below(1 << 30) as u64);
                wrong.extend(complaint(&[*fault], plan, encoding));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn faults_do_not_hide_each_other() {
    let mut chance = Chance(8);
    let known = [
        [Fault::PromptGrowth, Fault::InconsistentUsage],
        [Fault::CallCycle, Fault::ToolCallWithoutSpan],
        [Fault::UnknownTool, Fault::MissingModel],
        [Fault::InvalidToolArgs, Fault::MissingTokenUsage],
    ];
    let of_run: Vec<Fault> = Fault::ALL.iter().copied().filter(|fault| fault.is_of_run()).collect();
    let of_calls = [
        Fault::MissingTokenUsage,
        Fault::InconsistentUsage,
        Fault::MissingModel,
        Fault::DoubleInstrumentedCall,
        Fault::ToolCallWithoutSpan,
        Fault::AbnormalFinish,
        Fault::Secret,
        Fault::OrphanSpan,
    ];
    let any = |chance: &mut Chance| [of_run[chance.below(of_run.len())], of_calls[chance.below(of_calls.len())]];
    let pairs: Vec<[Fault; 2]> = known.into_iter().chain((0..20).map(|_| any(&mut chance))).collect();
    let mut wrong = Vec::new();
    for pair in pairs {
        for convention in Convention::ALL {
            let plan = plan(convention, Scenario::Tools, 1, chance.below(1 << 30) as u64);
            wrong.extend(complaint(&pair, plan, Encoding::Proto));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
