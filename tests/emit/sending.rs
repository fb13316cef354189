//! What is made up and sent: a listener records what a file would hold, and what does not arrive is counted.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::python_receiver::{Python, python};
use super::{Ended, emit, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tracectl");
const PROTOCOLS: [&str; 3] = ["grpc", "http/protobuf", "http/json"];
const SEND: &str = r#"exec "$0" emit --to "$OTEL_EXPORTER_OTLP_ENDPOINT" --log-format json "$@""#;

/// Sends to a listener that records into a file.
fn listened(folder: &Path, protocol: &str, listen: &[&str], arguments: &[&str]) -> Ended {
    let mut command = Command::new(PROGRAM);
    command.args(["listen", "--view", "none", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "-o", "record.pb"]);
    command.args(listen).args(["--", "/bin/sh", "-c", SEND, PROGRAM]).args(arguments);
    command.env_clear().env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol).current_dir(folder).stdin(Stdio::null());
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    Ended { code: output.status.code().unwrap(), out: output.stdout, err }
}

/// Numbers of the line that says how it ended.
fn sent<const N: usize>(log: &str, names: [&str; N]) -> [u64; N] {
    let line = log.lines().find(|line| line.starts_with(r#"{"event":"sent""#));
    let sent: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("{log}"))).unwrap();
    names.map(|name| sent[name].as_u64().unwrap_or_else(|| panic!("{name}: {sent}")))
}

/// What `stats` says of a file, without what differs from encoding to encoding.
fn stats(folder: &Path, file: &str) -> (Value, Value) {
    let mut stats = run(folder, &["stats", "--format", "json", file]).json();
    let mut totals = stats["totals"].take();
    totals.as_object_mut().unwrap().remove("bytes");
    (totals, stats["operations"].take())
}

#[test]
fn a_listener_records_what_a_file_would_hold() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let plan = ["--traces", "90", "--seed", "4", "--cancel-rate", "10%", "--fault", "orphan-span=0.1"];
        emit(folder.path(), "file.pb", &plan);
        let (totals, operations) = stats(folder.path(), "file.pb");
        for more in [&["--workers", "1"][..], &["--concurrency", "8", "--compression", "gzip"]] {
            let ended = listened(folder.path(), protocol, &[], &[&plan[..], more].concat());
            assert_eq!(ended.code, 0, "{protocol}: {}", ended.err);
            let [spans, accepted, requests, lost] = sent(&ended.err, ["spans", "accepted", "requests", "failed"]);
            assert_eq!((spans, accepted, lost), (totals["spans"].as_u64().unwrap(), spans, 0), "{protocol}");
            assert!(requests > 3, "{requests}");
            assert_eq!(stats(folder.path(), "record.pb"), (totals.clone(), operations.clone()), "{protocol}");
        }
    }
}

#[test]
fn spans_that_are_sent_are_of_today_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let nanos = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    let first = |arguments: &[&str]| {
        let ended = listened(folder.path(), "http/protobuf", &[], arguments);
        assert_eq!(ended.code, 0, "{}", ended.err);
        let tree = run(folder.path(), &["tree", "--format", "json", "record.pb"]).json();
        let spans = tree["traces"].as_array().unwrap().iter().flat_map(|trace| trace["spans"].as_array().unwrap());
        spans
            .map(|span| {
                span["start_unix_nano"]
                    .as_str()
                    .map_or_else(|| span["start_unix_nano"].as_u64(), |text| text.parse().ok())
                    .unwrap()
            })
            .min()
            .unwrap()
    };
    let before = nanos();
    let start = first(&["--traces", "2"]);
    assert!((before - 600_000_000_000..before).contains(&start), "{start}");
    // Nothing ends in the future: nothing even ends now.
    let since = run(folder.path(), &["stats", "--format", "json", "record.pb", "--since", "1s"]);
    assert_eq!(since.code, 3, "{}", String::from_utf8_lossy(&since.out));
    let start = first(&["--traces", "2", "--rate", "100/s", "--scenario", "chat"]);
    assert!((before..=nanos()).contains(&start), "{start}");
    assert_eq!(first(&["--traces", "2", "--start", "2025-06-02T09:00:00Z"]), 1_748_854_800_000_000_000);
}

#[test]
fn what_is_refused_or_torn_is_counted_and_told() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let ended = listened(folder.path(), protocol, &["--max-request-size", "1KB"], &["--traces", "20"]);
        let [spans, accepted, rejected, retries] = sent(&ended.err, ["spans", "accepted", "rejected", "retries"]);
        assert_eq!((ended.code, accepted, rejected, retries), (1, 0, spans, 0), "{protocol}: {}", ended.err);

        let torn = ["--traces", "20", "--fault", "undecodable-input"];
        emit(folder.path(), "file.pb", &torn);
        let held = stats(folder.path(), "file.pb").0["spans"].as_u64().unwrap();
        let ended = listened(folder.path(), protocol, &[], &torn);
        let [spans, accepted, rejected, retries] = sent(&ended.err, ["spans", "accepted", "rejected", "retries"]);
        assert_eq!((ended.code, accepted, retries), (1, held, 0), "{protocol}: {}", ended.err);
        assert!(rejected > 0 && spans == accepted + rejected, "{protocol}: {}", ended.err);
        let (totals, _) = stats(folder.path(), "record.pb");
        assert_eq!((&totals["spans"], &totals["troubles"]), (&held.into(), &0.into()), "{protocol}");
    }
    let folder = tempfile::tempdir().unwrap();
    let nobody = ["emit", "--to", "http://127.0.0.1:1", "--retry-for", "0", "--log-format", "json"];
    let ended = run(folder.path(), &nobody);
    let [spans, failed] = sent(&ended.err, ["spans", "failed"]);
    assert!(ended.code == 1 && spans > 0 && failed == spans, "{}", ended.err);
    assert!(ended.out.is_empty() && ended.err.contains("Connection refused"), "{}", ended.err);
    let ended = run(folder.path(), &["emit", "--to", "http://127.0.0.1:1", "--retry-for", "0"]);
    assert!(ended.err.contains("not delivered: ") && ended.err.contains("0 accepted"), "{}", ended.err);
}

#[test]
fn no_request_is_larger_than_receivers_take_but_for_a_single_span() {
    for protocol in PROTOCOLS {
        let folder = tempfile::tempdir().unwrap();
        let large = ["--scenario", "tools", "--traces", "3", "--payload-size", "1MiB", "--steps", "12"];
        let ended = listened(folder.path(), protocol, &["--max-request-size", "4MiB"], &large);
        let [spans, accepted, requests] = sent(&ended.err, ["spans", "accepted", "requests"]);
        assert!(ended.code == 0 && accepted == spans && requests > 2, "{protocol}: {}", ended.err);
    }
    let folder = tempfile::tempdir().unwrap();
    let one = ["--traces", "3", "--fault", "unexportable-span"];
    let ended = listened(folder.path(), "grpc", &["--max-request-size", "4MiB"], &one);
    let [spans, accepted, rejected] = sent(&ended.err, ["spans", "accepted", "rejected"]);
    assert_eq!((ended.code, rejected, spans - accepted), (1, 3, 3), "{}", ended.err);
    assert_eq!(ended.err.matches("it is sent alone").count(), 3, "{}", ended.err);
}

#[test]
fn a_pace_is_kept_and_an_interrupt_says_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenario.toml");
    let mut listener = Command::new(PROGRAM);
    listener.args(["listen", "--view", "none", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "-o", "record.pb"]);
    listener.args(["--log-format", "json"]).env_clear().current_dir(folder.path()).stdin(Stdio::null());
    let mut listener = listener.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(listener.stderr.take().unwrap());
    let mut ready = String::new();
    log.read_line(&mut ready).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();

    let mut sender = Command::new(PROGRAM);
    sender.args(["emit", "--to", &format!("http://{}", ready["http"].as_str().unwrap()), "--log-format", "json"]);
    sender.args(["--rate", "100/s", "--duration", "1h", "--scenario-file"]).arg(scenario);
    let mut sender = sender.env_clear().stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let interrupt = |child: &std::process::Child| {
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    };
    let mut said = BufReader::new(sender.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("progress") || line.contains(r#""accepted":0"#) {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    interrupt(&sender);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(sender.wait().unwrap().code(), Some(1), "{rest}");
    let [spans, accepted, requests, stopped] = sent(&rest, ["spans", "accepted", "requests", "interrupted_at"]);
    assert_eq!((accepted, stopped), (spans, requests), "{rest}");
    let last: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    interrupt(&listener);
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(listener.wait().unwrap().code(), Some(0), "{rest}");

    let (totals, _) = stats(folder.path(), "record.pb");
    assert_eq!(totals["spans"], accepted);
    // No trace is there before its time has come: a hundred a second, and one.
    let traces = totals["traces"].as_f64().unwrap();
    assert!(traces <= last["seconds"].as_f64().unwrap() * 100.0 + 1.0, "{traces} {last}");
}

#[test]
fn a_receiver_on_pythons_definitions_takes_everything() {
    let Some(python) = python() else { return };
    for protocol in PROTOCOLS {
        let receiver = Python::start(&python, &[]);
        let url = receiver.url(if protocol == "grpc" { "grpc" } else { "http" });
        let folder = tempfile::tempdir().unwrap();
        let to = ["emit", "--to", &url, "--protocol", protocol, "--traces", "60", "--log-format", "json"];
        let ended = run(folder.path(), &to);
        let [spans, accepted, requests] = sent(&ended.err, ["spans", "accepted", "requests"]);
        assert_eq!((ended.code, accepted), (0, spans), "{protocol}: {}", ended.err);
        assert_eq!(receiver.end(), [spans, 0, requests], "{protocol}");
    }
}

#[test]
fn what_does_not_arrive_is_put_aside_and_can_be_sent_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["emit", "--to", "--dead-letter", "lost.pb", "--traces", "9", "--retry-for", "0"]);
    command.args(["--log-format", "json"]).env_clear().env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let output = command.current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let [spans, failed, letters] = sent(&err, ["spans", "failed", "dead_letters"]);
    assert_eq!((output.status.code(), failed, letters), (Some(1), spans, spans), "{err}");
    assert_eq!(stats(folder.path(), "lost.pb").0["spans"], spans);
}

#[test]
fn options_that_make_no_sense_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let to = ["--to", "http://127.0.0.1:1"];
    for (arguments, hint) in [
        (&["emit", "-o", "x.pb"][..], "cannot be used with"),
        (&["emit", "--to-format", "pb"], "cannot be used with"),
        (&["emit", "--protocol", "smtp"], "is no protocol"),
        (&["emit", "--workers", "0"], "--concurrency"),
    ] {
        let ended = run(folder.path(), &[arguments, &to].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(hint), "{arguments:?}: {}", ended.err);
    }
    for alone in [["--workers", "2"], ["--retry-for", "1s"], ["--header", "a=b"], ["--log-format", "json"]] {
        for (writing, hint) in [(&["emit"][..], "--to [<URL>]"), (&["emit", "-o", "x.pb"], "cannot be used with")] {
            let ended = run(folder.path(), &[writing, &alone].concat());
            assert!(ended.code == 2 && ended.err.contains(hint), "{alone:?}: {}", ended.err);
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
