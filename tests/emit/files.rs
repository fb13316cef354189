//! What is written: equal bytes, equal spans in every form, and files that others read.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{CONVENTIONS, emit, lint, run};
use serde_json::Value;

use crate::common::Chance;
use crate::installed::client;

#[test]
fn one_seed_makes_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let make = |file: &str, seed: &str, more: &[&str]| {
        emit(folder.path(), file, &[&["--seed", seed, "--traces", "80"], more].concat());
        fs::read(folder.path().join(file)).unwrap()
    };
    let mut chance = Chance(1);
    for convention in CONVENTIONS {
        let seed = chance.below(1 << 40).to_string();
        let with = |file: &str, jobs: &str| make(file, &seed, &["--convention", convention, "--jobs", jobs]);
        let first = with("a.pb", "1");
        assert!(first == with("b.pb", "3"), "{convention} {seed}");
        assert!(first == with("c.pb", "2"), "{convention} {seed}");
    }
    let seven = make("a.jsonl", "7", &[]);
    assert!(seven != make("b.jsonl", "8", &[]));
    assert!(seven == make("c.jsonl", "7", &["--jobs", "2"]));
}

#[test]
fn the_captures_in_testdata_are_what_their_commands_make() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let readme = fs::read_to_string(testdata.join("README.md")).unwrap();
    let commands = readme.lines().filter_map(|line| line.trim().strip_prefix("tracectl emit "));
    let commands: Vec<Vec<&str>> = commands.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(commands.len(), CONVENTIONS.len());
    let folder = tempfile::tempdir().unwrap();
    for command in commands {
        let (file, arguments) = (command.last().unwrap(), &command[..command.len() - 2]);
        emit(folder.path(), "a.jsonl", arguments);
        let made = fs::read(folder.path().join("a.jsonl")).unwrap();
        assert!(made.len() < 80_000, "{file}");
        assert!(made == fs::read(testdata.parent().unwrap().join(file)).unwrap(), "{file}");
    }
}

#[test]
fn every_form_holds_the_same_spans() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let forms =
        ["a.jsonl", "a.json", "a.pb", "a.jsonl.gz", "a.json.zst", "a.pb.gz", "a.pb.zst", "otlp-proto", "otlp-json.gz"];
    for file in forms {
        let more = if file.starts_with("otlp") { &["--to-format", file][..] } else { &[] };
        emit(folder.path(), file, &[&["--seed", "3", "--traces", "40"], more].concat());
        let totals = run(folder.path(), &["stats", "--format", "json", file]).json()["totals"].clone();
        assert_eq!(totals["troubles"], 0, "{file}");
        assert_eq!(totals["orphans"], 0, "{file}");
        seen.push((
            totals["spans"].clone(),
            totals["traces"].clone(),
            totals["events"].clone(),
            totals["errors"].clone(),
        ));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    assert_eq!(seen[0].1, 40);
}

#[test]
fn amounts_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let totals = |arguments: &[&str]| {
        emit(folder.path(), "a.pb", arguments);
        run(folder.path(), &["stats", "--format", "json", "a.pb"]).json()["totals"].clone()
    };
    let spans = totals(&["--spans", "3000"])["spans"].as_u64().unwrap();
    assert!((3_000..3_400).contains(&spans), "{spans}");
    assert_eq!(totals(&["--duration", "30s", "--rate", "3/s"])["traces"], 90);
    assert_eq!(totals(&["--duration", "100h", "--rate", "5/h", "--scenario", "chat"])["traces"], 500);
    assert_eq!(totals(&["--duration", "3h", "--rate", "1/h"])["traces"], 3);
    for services in ["1", "2", "4", "7", "13"] {
        let given = ["--traces", "60", "--services", services, "--scenario", "tools", "--steps", "5"];
        assert_eq!(totals(&given)["services"].to_string(), services);
    }
}

#[test]
fn a_clean_emit_lints_clean() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--error-rate", "30%", "--depth", "3", "--steps", "6", "--fanout", "4", "--services", "7"];
    for convention in CONVENTIONS {
        for given in [
            &["--traces", "300", "--seed", "5"][..],
            &[&["--traces", "40", "--payload-size", "2KiB"], &more[..]].concat(),
        ] {
            emit(folder.path(), "a.pb", &[&["--convention", convention], given].concat());
            assert_eq!(lint(folder.path(), "a.pb", &[]), [], "{convention}");
        }
    }
    let ended = run(folder.path(), &["lint", "--isolated", "a.pb"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn the_tour_is_short_and_has_something_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let given = ["--width", "160", "a.jsonl"];
    let tree = |arguments: &[&str]| {
        emit(folder.path(), "a.jsonl", arguments);
        String::from_utf8(run(folder.path(), &[&["tree"], &given[..]].concat()).out).unwrap()
    };
    let tour = tree(&[]);
    assert!(tour.lines().count() <= 120, "{}", tour.lines().count());
    for wanted in
        ["RateLimitError", "background until", "missing parent", "cancelled as asked", "LettaAgentV3", "invoke_agent"]
    {
        assert!(tour.contains(wanted), "{wanted}");
    }
    // Whoever names a convention gets all of it in that one.
    assert!(!tree(&["--convention", "genai"]).contains("Letta"));
}

#[test]
fn cancellations_that_are_asked_for_may_be_unexpected() {
    let folder = tempfile::tempdir().unwrap();
    emit(folder.path(), "a.pb", &["--cancel-rate", "1", "--traces", "30"]);
    let rules = lint(folder.path(), "a.pb", &[]);
    assert!(rules.iter().any(|(code, _)| code == "ERR001"), "{rules:?}");
}

#[test]
fn scenarios_of_ones_own_are_played_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenario.toml");
    let scenario = scenario.to_str().unwrap();
    emit(folder.path(), "a.jsonl", &["--scenario-file", scenario, "--traces", "50"]);
    let stats = run(folder.path(), &["stats", "--format", "json", "a.jsonl"]).json();
    assert_eq!((&stats["totals"]["traces"], &stats["totals"]["services"]), (&50.into(), &2.into()));
    let names: Vec<_> =
        stats["operations"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(["POST /orders", "reserve", "send receipt", "chat gpt-4o-mini"].iter().all(|name| names.contains(name)));
    // What the shop's model answers is not in it.
    let found = lint(folder.path(), "a.jsonl", &[]);
    assert!(found.iter().all(|(code, _)| code == "CFG003"), "{found:?}");
    fs::write(folder.path().join("bad.toml"), "[[service]]\nname = \"a\"\n[[operation]]\nnam = \"x\"\n").unwrap();
    let ended = run(folder.path(), &["emit", "--scenario-file", "bad.toml"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("bad.toml:4:1") && ended.err.contains("did you mean 'name'"), "{}", ended.err);
    let example = run(folder.path(), &["emit", "--example-scenario"]);
    assert_eq!(example.out, fs::read(scenario).unwrap());
}

#[test]
fn a_scenario_of_ones_own_says_all_that_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenario.toml");
    emit(folder.path(), "a.jsonl", &["--scenario-file", scenario.to_str().unwrap(), "--traces", "400"]);
    let text = fs::read_to_string(folder.path().join("a.jsonl")).unwrap();
    let groups = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let groups: Vec<Value> = groups.flat_map(|line| line["resourceSpans"].as_array().unwrap().clone()).collect();
    let resources: String = groups.iter().map(|group| group["resource"].to_string()).collect();
    assert!(resources.contains(r#"{"key":"process.pid","value":{"intValue":"4711"}}"#), "{resources}");
    let spans: Vec<Value> =
        groups.iter().flat_map(|group| group["scopeSpans"][0]["spans"].as_array().unwrap().clone()).collect();
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).cloned().collect::<Vec<Value>>();
    let says = |span: &Value, key: &str| {
        let attributes = span["attributes"].as_array().unwrap();
        attributes.iter().find(|attribute| attribute["key"] == key).map(|attribute| attribute["value"].clone())
    };
    let orders = named("POST /orders");
    assert!(orders.iter().all(|order| says(order, "session.id").is_some()));
    let parcels = orders.iter().map(|order| says(order, "order.parcels").unwrap()["intValue"].to_string());
    assert_eq!(parcels.collect::<std::collections::BTreeSet<_>>().len(), 3);
    assert_eq!(says(&orders[0], "shop.cards").unwrap()["arrayValue"]["values"][1]["stringValue"], "twint");
    assert!(orders.iter().any(|order| order["links"][0]["traceId"].is_string()));
    assert!(orders.iter().all(|order| order["events"][0]["name"] == "cart.checked"));
    let failed: Vec<&Value> = orders.iter().filter(|order| order["status"]["code"] == 2).collect();
    assert!(failed.iter().all(|order| says(order, "http.response.status_code").unwrap()["intValue"] == "502"));
    assert!(failed.iter().any(|order| order["events"].to_string().contains("PaymentError")));
    assert!(failed.iter().all(|order| says(order, "error.type").is_some()));
    let receipts = named("send receipt");
    assert!(receipts.iter().any(|receipt| receipt["events"].to_string().contains("stop_reason")));
    let linked = |receipt: &Value| receipt["links"][0]["traceId"] == receipt["traceId"];
    assert!(receipts.iter().all(linked));
}

#[test]
fn options_of_built_in_scenarios_are_not_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenario.toml");
    for option in [
        &["--quirks"][..],
        &["--error-rate", "1"],
        &["--cancel-rate", "1"],
        &["--depth", "1"],
        &["--steps", "2"],
        &["--fanout", "2"],
        &["--services", "4"],
        &["--clock-skew", "1ms"],
        &["--payload-size", "320"],
        &["--fault", "call-cycle"],
    ] {
        let ended = run(folder.path(), &[&["emit", "--scenario-file", scenario.to_str().unwrap()], option].concat());
        assert_eq!(ended.code, 2, "{option:?}");
    }
}

#[test]
fn what_is_misspelt_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, hint) in [
        (&["emit", "--fault", "secrt"][..], "did you mean 'secret'"),
        (&["emit", "--scenario", "tool"], "tools"),
        (&["emit", "--to-format", "jsnl"], "did you mean 'jsonl'"),
        (&["emit", "-o", "a.csv"], "tracectl convert"),
        (&["emit", "--payload-size", "1GB"], "lower --steps"),
        (&["emit", "--payload-size", "4"], "at least 8 bytes"),
        (&["emit", "--error-rate", "0.00000001"], "a part is written"),
        (&["emit", "--rate", "0/s"], "more than 0"),
        (&["emit", "--start", "yesterday"], "is not a time"),
        (&["emit", "--spans", "5", "--traces", "5"], "cannot be used with"),
        (&["emit", "--depth", "8", "--fanout", "64"], "lower --steps"),
        (&["emit", "--steps", "500", "--payload-size", "1MiB"], "lower --steps"),
    ] {
        let ended = run(folder.path(), arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.err.contains(hint), "{arguments:?}: {}", ended.err);
    }
}

const COUNT: &str = r"
import struct, sys
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
data, at, spans, events, attributes = open(sys.argv[1], 'rb').read(), 0, 0, 0, 0
while at < len(data):
    (size,) = struct.unpack('>I', data[at:at + 4])
    request = ExportTraceServiceRequest.FromString(data[at + 4:at + 4 + size])
    at += 4 + size
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                assert len(span.trace_id) == 16 and len(span.span_id) == 8 and span.name
                spans += 1
                events += len(span.events)
                attributes += len(span.attributes)
print(spans, events, attributes > 0)
";

#[test]
fn pythons_classes_read_it() {
    let Some(python) = client("venv/bin/python") else { return };
    let folder = tempfile::tempdir().unwrap();
    for convention in CONVENTIONS {
        emit(folder.path(), "a.pb", &["--convention", convention, "--traces", "60"]);
        let totals = run(folder.path(), &["stats", "--format", "json", "a.pb"]).json()["totals"].clone();
        let output = Command::new(&python).args(["-c", COUNT]).arg(folder.path().join("a.pb")).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.trim(), format!("{} {} True", totals["spans"], totals["events"]), "{convention}");
    }
}

#[test]
fn what_was_made_is_said_and_what_did_nothing_too() {
    let folder = tempfile::tempdir().unwrap();
    let one = run(folder.path(), &["emit", "--traces", "1", "-o", "a.pb"]);
    assert!(one.err.contains(" spans in 1 trace: a.pb"), "{}", one.err);
    fs::write(folder.path().join("a.toml"), "[[service]]\nname = \"a\"\n[[operation]]\nname = \"x\"\n").unwrap();
    let given = ["emit", "--scenario-file", "a.toml", "-o", "a.pb", "--fault", "missing-model", "--fault", "secret"];
    let ended = run(folder.path(), &given);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("the fault 'missing-model' found nothing to spoil"), "{}", ended.err);
    assert!(!ended.err.contains("'secret'"), "{}", ended.err);
}
