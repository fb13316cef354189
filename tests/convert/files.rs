//! What is written where: no input is written over, nothing is there before everything is, other formats are sorted, merged and split.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::tools::{RICH, fine, run};

fn names(folder: &std::path::Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A capture of several services and traces.
fn several() -> String {
    let span = |trace: u32, id: u32, start: u32| {
        format!(
            r#"{{"traceId":"{trace:032x}","spanId":"{id:016x}","name":"s{id}","startTimeUnixNano":"{start}","endTimeUnixNano":"{}"}}"#,
            start + 5
        )
    };
    let group = |service: &str, spans: &[String]| {
        let resource = format!(r#"{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}}"#);
        format!(r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","))
    };
    let first = group("shop", &[span(1, 1, 1000), span(2, 2, 2000), span(1, 3, 3000)]);
    let second = group("bank", &[span(1, 4, 1500), span(2, 2, 2000)]);
    format!("{first}\n{second}\n{first}\n")
}

#[test]
fn parts_never_take_the_place_of_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("in.jsonl"), RICH.repeat(3).replace("}{", "}\n{")).unwrap();
    let split = ["convert", "in.jsonl", "-o", "z.jsonl", "--split", "size=1KiB"];
    fine(folder.path(), &split);
    let before: Vec<Vec<u8>> = names(folder.path()).iter().map(|name| fs::read(path(name)).unwrap()).collect();
    assert!(before.len() > 3);
    for inputs in [&["z-*.jsonl"][..], &["z-0001.jsonl"], &["."]] {
        let again = run(folder.path(), &[&["convert"], inputs, &["-o", "z.jsonl", "--split", "size=1KiB"]].concat());
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(again.status.code() == Some(2) && said.contains("is an input"), "{said}");
        let after: Vec<Vec<u8>> = names(folder.path()).iter().map(|name| fs::read(path(name)).unwrap()).collect();
        assert_eq!(before, after);
    }
    // A link is the file that it leads to.
    std::os::unix::fs::symlink(path("in.jsonl"), path("link-0001.jsonl")).unwrap();
    let linked = run(folder.path(), &["convert", "in.jsonl", "-o", "link.jsonl", "--split", "size=1KiB"]);
    assert_eq!(linked.status.code(), Some(2), "{}", String::from_utf8_lossy(&linked.stderr));
}

#[test]
fn what_strict_refuses_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), format!("{RICH}\n{{\"resourceSpans\":[{{")).unwrap();
    let strict = run(folder.path(), &["convert", "in.jsonl", "-o", "out.pb", "--strict"]);
    assert_eq!(strict.status.code(), Some(3), "{}", String::from_utf8_lossy(&strict.stderr));
    assert_eq!(names(folder.path()), BTreeSet::from(["in.jsonl".to_owned()]));
    fine(folder.path(), &["convert", "in.jsonl", "-o", "out.pb"]);
    let nowhere = run(folder.path(), &["convert", "in.jsonl", "-o", "none/out.pb"]);
    let said = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(nowhere.status.code() == Some(2) && !said.contains(".tracectl-"), "{said}");
    let sorted = run(folder.path(), &["convert", "--sort", "start", "in.jsonl", "-o", "out.pb"]);
    let said = String::from_utf8_lossy(&sorted.stderr).into_owned();
    assert!(sorted.status.code() == Some(2) && said.contains("--sort=start"), "{said}");
}

#[test]
fn times_do_not_fall_off_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), several()).unwrap();
    for shift in ["-900000h", "2600-01-01T00:00:00Z"] {
        let moved = run(folder.path(), &["convert", "in.jsonl", "-o", "out.pb", "--shift", shift]);
        let said = String::from_utf8_lossy(&moved.stderr).into_owned();
        assert!(moved.status.code() == Some(2), "{shift}: {said}");
    }
}

#[test]
fn other_formats_are_merged_sorted_and_split_like_otlp() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("in.jsonl"), several()).unwrap();
    let spans = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(path(name)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["SpanName"].as_str().unwrap().into())
            .collect()
    };
    let convert = |arguments: &[&str]| fine(folder.path(), &[&["convert", "in.jsonl"], arguments].concat());
    convert(&["-o", "all.ndjson", "--to-format", "ndjson"]);
    assert_eq!(spans("all.ndjson"), ["s1", "s1", "s4", "s3", "s3", "s2", "s2", "s2"]);
    let told = convert(&["-o", "sorted.ndjson", "--to-format", "ndjson", "--sort", "--merge"]);
    assert_eq!(spans("sorted.ndjson"), ["s1", "s4", "s2", "s2", "s3"]);
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(said.contains("3 spans left out, being identical") && said.contains("1 span repeating an id"), "{said}");
    convert(&["-o", "by/", "--to-format", "ndjson.gz", "--split", "service", "--merge"]);
    assert_eq!(names(&path("by")), ["bank.ndjson.gz", "shop.ndjson.gz"].map(str::to_owned).into());
    convert(&["-o", "t-{}.csv", "--split", "trace"]);
    let rows = |name: &str| fs::read_to_string(path(name)).unwrap().lines().count() - 1;
    assert_eq!(rows(&format!("t-{:032x}.csv", 1)) + rows(&format!("t-{:032x}.csv", 2)), 8);
    convert(&["-o", "j.json", "--to-format", "jaeger", "--split", "service", "--sort=trace"]);
    for service in ["bank", "shop"] {
        let read = fine(folder.path(), &["stats", &format!("j-{service}.json"), "--format", "json"]);
        let stats: Value = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(stats["totals"]["services"], 1, "{service}");
    }
    let sized = run(folder.path(), &["convert", "in.jsonl", "-o", "s.csv", "--split", "size=1MB"]);
    assert_eq!(sized.status.code(), Some(2));
}

#[test]
fn a_flat_row_holds_values_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), RICH).unwrap();
    let output = fine(folder.path(), &["convert", "in.jsonl", "-o", "-", "--to-format", "ndjson", "--name", "a \"*"]);
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&row["Timestamp"], &row["TimestampUnixNano"]), (&"1970-01-01T00:00:00.000000020Z".into(), &20.into()));
    assert_eq!((&row["Duration"], &row["StatusCode"]), (&10.into(), &"Error".into()));
    assert_eq!(row["SpanAttributes"]["map"]["x"][0], i64::MIN);
    assert_eq!((&row["SpanAttributes"]["nan"], &row["SpanAttributes"]["twice"]), (&"NaN".into(), &2.into()));
    assert_eq!(row["ResourceAttributes"], serde_json::json!({ "service.name": "shop" }));
    assert_eq!(row["Events.Timestamp"][0], "1970-01-01T00:00:00.000000025Z");
    assert_eq!((&row["Links.TraceState"][0], row.as_object().unwrap().len()), (&"c=d".into(), 23));
}

#[test]
fn an_event_without_a_time_is_put_at_the_start_of_its_span() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), RICH.replace(r#""timeUnixNano":"25","#, "")).unwrap();
    for (format, wanted) in [
        ("jaeger", r#""logs":[{"timestamp":0,"#),
        ("zipkin", r#""annotations":[{"timestamp":0,"#),
        ("csv", "00:00:00.000000020"),
        ("ndjson", r#""Events.Timestamp":["1970-01-01T00:00:00.000000020Z"]"#),
    ] {
        let output = fine(folder.path(), &["convert", "in.jsonl", "-o", "-", "--to-format", format]);
        let text = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(wanted) && said.contains("event without a time"), "{format}: {said} {text}");
    }
}
