//! What is to be changed is, and nothing else.

use std::fs;

use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::tools::{RICH, fine, framed};

fn converted(input: &str, arguments: &[&str]) -> Vec<Span> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), input).unwrap();
    fine(folder.path(), &[&["convert", "in.jsonl", "-o", "out.pb"][..], arguments].concat());
    let message = framed(&fs::read(folder.path().join("out.pb")).unwrap());
    message.resource_spans.into_iter().flat_map(|group| group.scope_spans).flat_map(|scope| scope.spans).collect()
}

#[test]
fn times_and_ids_move_together() {
    let spans = converted(RICH, &["--shift", "+1us", "--new-ids", "--seed", "7"]);
    assert_eq!((spans[0].start_time_unix_nano, spans[0].end_time_unix_nano), (1020, 1030));
    assert_eq!((spans[0].events[0].time_unix_nano, spans[1].end_time_unix_nano), (1025, 0));
    assert!(spans[0].trace_id[0] != 1 || spans[0].span_id[0] != 1);
    assert_eq!((&spans[0].trace_id, &spans[0].span_id), (&spans[1].trace_id, &spans[1].span_id));
    // As bytes: NaN is equal to nothing.
    let bytes = |spans: &[Span]| spans.iter().map(Message::encode_to_vec).collect::<Vec<_>>();
    assert_eq!(bytes(&spans), bytes(&converted(RICH, &["--shift", "+1us", "--new-ids", "--seed", "7"])));
    let start = converted(RICH, &["--shift", "1970-01-01T00:00:01Z"]);
    assert_eq!(start[3].start_time_unix_nano, 1_000_000_000);
}

#[test]
fn old_ids_are_renewed_wherever_the_capture_says_them() {
    let said = r#"{"key":"said","value":{"stringValue":"{\"context\":{\"trace\":\"2102030405060708090a0b0c0d0e0f10\"},\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\"}"}},"#;
    let input = RICH.replacen(r#""attributes":[{"key":"nan""#, &format!(r#""attributes":[{said}{{"key":"nan""#), 1);
    let parent =
        r#"{"key":"parent","value":{"stringValue":"00-0102030405060708090a0b0c0d0e0f10-3102030405060708-01"}},"#;
    let input =
        input.replacen(r#""attributes":[{"key":"service"#, &format!(r#""attributes":[{parent}{{"key":"service"#), 1);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), &input).unwrap();
    fine(folder.path(), &["convert", "in.jsonl", "-o", "out.jsonl", "--new-ids", "--seed", "7"]);
    let text = fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    for old in ["0102030405060708", "3102030405060708", "2102030405060708090a0b0c0d0e0f10"] {
        assert!(input.contains(old) && !text.contains(old), "{old} in {text}");
    }
    assert!(text.contains("d41d8cd98f00b204e9800998ecf8427e"));
}

#[test]
fn spans_are_picked_sorted_and_merged() {
    let names = |spans: &[Span]| spans.iter().map(|span| span.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&converted(RICH, &["--name", "a*"])), ["a \"b\"\n", "again"]);
    assert_eq!(names(&converted(RICH, &["--sort"])), ["bare", "early", "again", "a \"b\"\n"]);
    assert_eq!(names(&converted(RICH, &["--sort=trace"])), ["bare", "again", "a \"b\"\n", "early"]);
    let twice = format!("{RICH}\n{RICH}\n");
    assert_eq!(converted(&twice, &[]).len(), 8);
    assert_eq!(names(&converted(&twice, &["--merge"])), ["a \"b\"\n", "again", "early", "bare"]);
    let mixed = converted(&twice, &["--merge", "--sort", "--set", "service.name=x"]);
    assert_eq!(mixed.len(), 4);
}

#[test]
fn one_resource_stands_once_after_merging() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), RICH).unwrap();
    fine(folder.path(), &["convert", "a.jsonl", "-o", "b.pb"]);
    let told = fine(folder.path(), &["convert", "a.jsonl", "b.pb", "-o", "c.pb", "--merge"]);
    let message = framed(&fs::read(folder.path().join("c.pb")).unwrap());
    let shape: Vec<usize> = message.resource_spans.iter().map(|group| group.scope_spans.len()).collect();
    assert_eq!(shape, [2, 1]);
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(said.contains("4 spans left out, being identical") && said.contains("1 span repeating an id"), "{said}");
}

#[test]
fn parts_hold_everything_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), format!("{RICH}\n").repeat(20)).unwrap();
    for (by, files) in [("trace", 2), ("service", 2), ("size=2KiB", 0)] {
        let out = format!("{}/", by.replace('=', "-"));
        fine(folder.path(), &["convert", "in.jsonl", "-o", &out, "--to-format", "pb", "--split", by]);
        let names: Vec<_> =
            fs::read_dir(folder.path().join(&out)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(names.len() == files || files == 0 && names.len() > 3, "{by}: {names:?}");
        let mut spans = 0;
        for path in names {
            let bytes = fs::read(&path).unwrap();
            assert!(files > 0 || bytes.len() <= 2048, "{path:?}");
            let message = framed(&bytes);
            let all = message.resource_spans.iter().flat_map(|group| &group.scope_spans).flat_map(|scope| &scope.spans);
            spans += all.count();
        }
        assert_eq!(spans, 80, "{by}");
    }
    fine(folder.path(), &["convert", "in.jsonl", "-o", "few-{}.jsonl", "--split", "size=1KiB"]);
    fine(folder.path(), &["convert", "few-0001.jsonl", "-o", "again.pb"]);
    assert!(fs::metadata(folder.path().join("few-0002.jsonl")).is_ok());
}

const SECRET: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"api_key","value":{"stringValue":"hunter2"}}]},"scopeSpans":[{"scope":{"name":"mail ann@example.org"},"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"to ann@example.org","status":{"code":2,"message":"ann@example.org refused"},"attributes":[{"key":"user.id","value":{"intValue":"4711"}},{"key":"messages","value":{"stringValue":"[{\"role\": \"user\", \"password\": \"hunter2\", \"content\": \"I am ann@example.org\", \"args\": \"{\\\"to\\\":\\\"ann@example.org\\\"}\"}]"}},{"key":"m","value":{"kvlistValue":{"values":[{"key":"token","value":{"stringValue":"hunter2"}}]}}}],"events":[{"name":"e","attributes":[{"key":"x","value":{"stringValue":"ann@example.org"}}]}],"links":[{"traceId":"0102030405060708090a0b0c0d0e0f11","spanId":"0102030405060709","attributes":[{"key":"y","value":{"stringValue":"ann@example.org"}}]}]}]}]}]}"#;

#[test]
fn nothing_secret_is_left_and_the_structure_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), SECRET).unwrap();
    let rules = ["--redact", "--redact-key", "user.*", "--redact-value", r"[\w.]+@[\w.]+", "--redact-seed", "s"];
    let convert = |out: &str, more: &[&str]| {
        fine(folder.path(), &[&["convert", "in.jsonl", "-o", out][..], &rules[..], more].concat());
        fs::read(folder.path().join(out)).unwrap()
    };
    for out in ["out.jsonl", "out.pb", "out.json"] {
        let text = String::from_utf8_lossy(&convert(out, &[])).into_owned();
        for secret in ["hunter2", "example.org", "4711"] {
            assert!(!text.contains(secret), "{out}: {text}");
        }
    }
    let first = convert("out.jsonl", &[]);
    assert_eq!(first, convert("again.jsonl", &[]));
    let other = fine(folder.path(), &["convert", "in.jsonl", "--redact", "--redact-seed", "t"]);
    assert!(!String::from_utf8_lossy(&other.stdout).contains("hunter2") && other.stdout != first);
    let request: serde_json::Value = serde_json::from_slice(&first).unwrap();
    let span = &request["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let mark = span["events"][0]["attributes"][0]["value"]["stringValue"].as_str().unwrap();
    assert!(mark.starts_with("<redacted:") && span["name"] == format!("to {mark}"));
    let messages = span["attributes"][1]["value"]["stringValue"].as_str().unwrap();
    let messages: serde_json::Value = serde_json::from_str(messages).unwrap();
    assert_eq!((&messages[0]["role"], &messages[0]["content"]), (&"user".into(), &format!("I am {mark}").into()));
    let inner: serde_json::Value = serde_json::from_str(messages[0]["args"].as_str().unwrap()).unwrap();
    assert_eq!(inner["to"], mark);
    let sized = convert("sized.jsonl", &["--redact-keep-size"]);
    assert!(!String::from_utf8_lossy(&sized).contains("example.org"));
}
