//! Real captures by other software: `stats` must count in them what an independent program counted.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use common::Chance;
use serde_json::Value;

fn stats(path: &Path) -> Option<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_tracectl"))
        .args(["stats", "--format", "json", "--quiet"])
        .arg(path)
        .env_clear()
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).ok()
}

/// Formats of the index that are no trace dumps of a known kind: a clear refusal is the answer to them.
const REFUSED: [&str; 3] = ["flat-spans", "traces-list", "langfuse-export"];

#[test]
fn public_captures_hold_what_the_index_says() {
    let Some(folder) = common::captures() else { return };
    let index = std::fs::read_to_string(folder.join("public/INDEX.tsv")).unwrap();
    let mut lines = index.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let mut compared = 0;
    for line in lines {
        let row: BTreeMap<&str, &str> = names.iter().copied().zip(line.split('\t')).collect();
        let path = folder.join("public").join(row["file"]);
        let Some(report) = stats(&path) else {
            assert!(REFUSED.contains(&row["format"]) || row["spans"] == "0", "{} gives no report", row["file"]);
            continue;
        };
        if REFUSED.contains(&row["format"]) {
            assert_eq!(report["totals"]["spans"], 0);
            continue;
        }
        for (ours, theirs) in [
            ("spans", "spans"),
            ("traces", "traces"),
            ("roots", "roots"),
            ("orphans", "orphans"),
            ("errors", "errors"),
            ("duplicates", "dup_span_ids"),
        ] {
            // The first CHILD_OF of one span leads into another trace, its second one to a span of its own: Jaeger takes
            // the first reference within the trace as the parent, so nothing is orphaned here.
            let expected = match (row["file"], ours) {
                ("quickwit-oss__quickwit/jaeger_ui_trace.json", "orphans") => "0",
                _ => row[theirs],
            };
            assert_eq!(report["totals"][ours].to_string(), expected, "{ours} of {}", row["file"]);
        }
        compared += 1;
    }
    assert!(compared > 40, "only {compared} captures were compared");
}

#[test]
fn both_encodings_of_a_capture_give_one_answer() {
    let Some(folder) = common::captures() else { return };
    for name in ["letta", "genai"] {
        for entry in std::fs::read_dir(folder.join(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "pb") {
                let answer = |path: &Path| {
                    let mut report = stats(path).unwrap();
                    report["totals"]["bytes"] = Value::Null;
                    (report["totals"].take(), report["operations"].take())
                };
                assert_eq!(answer(&path), answer(&path.with_extension("jsonl")), "{}", path.display());
            }
        }
    }
}

#[test]
fn damaged_captures_are_answered_not_crashed_on() {
    let Some(folder) = common::captures() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut chance = Chance(6);
    for name in ["letta/cancel.pb", "letta/errors.jsonl", "public/agentevals-dev__agentevals/k8s.json"] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        for round in 0..12 {
            let mut damaged = bytes.clone();
            damaged.truncate(1 + chance.below(bytes.len()));
            for _ in 0..round {
                let at = chance.below(damaged.len());
                damaged[at] ^= 1 << chance.below(8);
            }
            let path = scratch.path().join("damaged");
            std::fs::write(&path, damaged).unwrap();
            for command in ["tree", "stats"] {
                let output =
                    Command::new(env!("CARGO_BIN_EXE_tracectl")).arg(command).arg(&path).env_clear().output().unwrap();
                assert!(matches!(output.status.code(), Some(0 | 3)), "{command} {name}: {output:?}");
                assert!(!output.stdout.contains(&0x1b), "an escape character reached the page");
            }
        }
    }
}
