//! A capture that was replayed into a listener is the same capture.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::common;
use super::receiver::replay;
use super::server::{listen, tracectl};

/// All captures that hold spans.
fn captures() -> Vec<PathBuf> {
    let Some(folder) = common::captures() else { return Vec::new() };
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found.retain(|path| !path.extension().is_some_and(|end| end == "md" || end == "tsv"));
    found
}

/// What `stats` and `tree` say of a capture, without what is about its files.
fn answers(path: &Path) -> Option<(Value, Value, Value)> {
    let run = |arguments: &[&str]| {
        let output = tracectl().args(arguments).args(["--format", "json", "--quiet"]).arg(path).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).ok()
    };
    let mut stats = run(&["stats"])?;
    let tree = run(&["tree"])?;
    let mut totals = stats["totals"].take();
    if totals["spans"] == 0 {
        return None;
    }
    totals.as_object_mut().unwrap().retain(|name, _| name != "bytes" && name != "troubles");
    let operations = stats["operations"].take();
    // An id that is none is told by its spelling, which is another one in each encoding: what it ties together stays.
    let traces = if totals["invalid_ids"] == 0 { tree["traces"].clone() } else { nameless(&tree) };
    Some((totals, operations, traces))
}

/// All spans of all trees without their ids, in an order that does not depend on those.
fn nameless(tree: &Value) -> Value {
    let spans = tree["traces"].as_array().unwrap().iter().flat_map(|trace| trace["spans"].as_array().unwrap());
    let facts = ["name", "depth", "kind", "outcome", "start_unix_nano", "duration_ns", "self_ns", "repeats"];
    let mut spans: Vec<String> = spans.map(|span| format!("{:?}", facts.map(|fact| &span[fact]))).collect();
    spans.sort();
    spans.into()
}

fn there_and_back(protocol: &str, options: &[&str]) {
    let mut compared = 0;
    for path in captures() {
        let Some((totals, operations, traces)) = answers(&path) else { continue };
        let server = listen(&["--view", "none", "-o", "{}/record.pb"]);
        let to = format!("http://{}", if protocol == "grpc" { server.grpc } else { server.http });
        let sent = replay(&path, &to, &[&["--protocol", protocol], options].concat());
        assert_eq!((&sent.sent["accepted"], &sent.sent["spans"]), (&totals["spans"], &totals["spans"]), "{}", sent.log);
        assert_eq!((sent.number("rejected"), sent.number("failed"), sent.number("retries")), (0, 0, 0));
        let ended = server.stop();
        let (again, rows, trees) = answers(&ended.folder.path().join("record.pb")).unwrap();
        assert_eq!(again, totals, "{protocol} {}", path.display());
        assert!(rows == operations, "{protocol} {}: operations", path.display());
        assert!(trees == traces, "{protocol} {}: trees", path.display());
        compared += 1;
    }
    assert!(compared == 0 || compared > 60, "only {compared} captures were compared");
}

#[test]
fn over_grpc() {
    there_and_back("grpc", &[]);
}

#[test]
fn over_http_as_protobuf() {
    there_and_back("http/protobuf", &[]);
}

#[test]
fn over_http_as_json() {
    there_and_back("http/json", &[]);
}

#[test]
fn in_the_order_they_were_over() {
    there_and_back("http/protobuf", &["--speed", "100000000x"]);
}

#[test]
fn what_passes_a_filter_or_keeps_its_pace_is_the_same_too() {
    let Some(folder) = common::captures() else { return };
    let path = folder.join("letta/letta-small.jsonl");
    let (totals, operations, traces) = answers(&path).unwrap();
    for options in
        [&["--speed", "1000x"][..], &["--min-duration", "0"], &["--batch-spans", "7", "--compression", "zstd"]]
    {
        let server = listen(&["--view", "none", "-o", "{}/record.jsonl"]);
        let sent = replay(&path, &format!("http://{}", server.http), options);
        assert_eq!(sent.code, Some(0), "{}", sent.log);
        let again = answers(&server.stop().folder.path().join("record.jsonl")).unwrap();
        assert!(again == (totals.clone(), operations.clone(), traces.clone()), "{options:?}");
    }
    let server = listen(&["--view", "none", "-o", "{}/record.jsonl"]);
    let sent = replay(&path, &format!("http://{}", server.http), &["--outcome", "error"]);
    let errors = tracectl().args(["stats", "--format", "json", "--outcome", "error"]).arg(&path).output().unwrap();
    let errors: Value = serde_json::from_slice(&errors.stdout).unwrap();
    assert_eq!(sent.sent["accepted"], errors["totals"]["spans"]);
    server.stop();
}
