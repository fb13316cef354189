//! Checks on the list of rules, and every rule on its two fixtures.
//!
//! Forgetting a fixture, a file or a line of the list fails here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{RULES, codes, rule};
use crate::input::Options;
use crate::lint::{Budget, Cell, LimitValue, LintReport, Settings, lint};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Limits so small that fixtures can be small.
fn tiny(code: &str) -> Settings {
    let mut budget = Budget::default();
    for (cell, limit) in [
        (Cell::AttrValueBytes, 1_000),
        (Cell::AttrValueChars, 1_000),
        (Cell::SpanBytes, 3_000),
        (Cell::TraceSpans, 5),
        (Cell::Attrs, 12),
    ] {
        budget.narrow(cell, limit, "tiny");
    }
    // A span that is too large for a message is too large for a budget as well, where their limits are close.
    let limits =
        [(("BUD009", "grpc_max"), 2_000), (("PRF001", "n"), 3), (("AGT003", "r"), 2), (("AGT006", "tokens"), 150_000)];
    let limits = limits.into_iter().filter(|((rule, _), _)| *rule == code);
    let limits = limits.map(|(name, limit)| (name, LimitValue::Number(limit))).collect();
    Settings { budget, limits, now: 1_760_000_000_000_000_000, ..Settings::default() }
}

fn report(path: &Path, settings: &Settings, jobs: usize) -> LintReport {
    let inputs = [path.to_string_lossy().into_owned()];
    let options = Options { jobs, ..Options::default() };
    lint(&inputs, &options, settings, &mut |_| ()).unwrap().report
}

#[test]
fn every_rule_fires_on_its_bad_fixture_and_on_no_good_one() {
    let folder = root().join("testdata/lint");
    for rule in RULES.iter().filter(|rule| !rule.is_meta()) {
        let code = rule.code.to_ascii_lowercase();
        let fires = |name: &str| {
            let path = folder.join(&code).join(name);
            assert!(path.is_file(), "{} is missing", path.display());
            let fired = report(&path, &tiny(rule.code), 1).by_rule;
            fired.into_keys().filter(|code| !code.starts_with("CFG")).collect::<Vec<_>>()
        };
        assert_eq!(fires("bad.jsonl"), [rule.code]);
        assert_eq!(fires("good.jsonl"), [""; 0], "{code}");
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().to_uppercase();
        assert!(RULES.iter().any(|rule| rule.code == name), "testdata/lint/{name} is of no rule");
    }
}

#[test]
fn rules_are_named_well_and_once() {
    let mut seen = BTreeSet::new();
    for rule in RULES {
        assert!(seen.insert(rule.code) && seen.insert(rule.name), "{}", rule.code);
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(rule.name.chars().all(kebab) && rule.code.len() == 6, "{}", rule.name);
        for words in [rule.summary, rule.why, rule.bad, rule.good, rule.source] {
            assert!(!words.is_empty() && !words.contains('\n'), "{}", rule.code);
        }
        assert!(!rule.summary.ends_with('.') && rule.why.ends_with('.'), "{}", rule.code);
        if !rule.is_meta() {
            let file = format!("{}_{}.rs", rule.code.to_lowercase(), rule.name.replace('-', "_"));
            assert!(root().join("src/lint/rules").join(&file).is_file(), "{file}");
        }
    }
}

#[test]
fn every_rule_file_is_in_the_list() {
    for entry in std::fs::read_dir(root().join("src/lint/rules")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let Some((code, _)) = name.split_once('_') else { continue };
        assert!(rule(code).is_some(), "{name}");
    }
}

#[test]
fn words_select_rules() {
    assert_eq!(codes("BUD").len(), 10);
    assert_eq!(codes("attribute-too-large").len(), 1);
    assert_eq!(codes("str001").first().map(|rule| rule.code), Some("STR001"));
    assert_eq!(codes("all").len(), 59);
    assert!(codes("CFG").is_empty() && codes("").is_empty() && codes("B").is_empty());
}

#[test]
fn the_number_of_threads_and_the_encoding_of_a_report_do_not_show() {
    let path = root().join("testdata/agent-run.jsonl");
    let one = report(&path, &Settings::default(), 1);
    let four = report(&path, &Settings { jobs: 4, ..Settings::default() }, 4);
    assert_eq!(one, four);
    assert!(one.spans > 0);
}
