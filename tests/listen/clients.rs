//! The SDKs that people use, as they come from their registries.
//!
//! Comes in: clients that `.ci/run` installs into `target/clients`, or `TRACECTL_CLIENTS`. Goes out: proof that what they sent is
//! in the record; where they are not installed the tests say so and pass.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::json as value;

use super::server::{totals, tracectl};

/// The folder the clients are installed in, with this in it.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn client(part: &str) -> Option<PathBuf> {
    let named = std::env::var_os("TRACECTL_CLIENTS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients"));
    let found = folder.join(part);
    if found.exists() {
        return Some(found);
    }
    println!("skipped: no {} (.ci/run installs it; or set TRACECTL_CLIENTS)", found.display());
    None
}

fn send(options: &[&str], variables: &[(&str, &str)], command: &[&str]) -> (Output, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("run.jsonl");
    let mut listen = tracectl();
    listen.arg("listen").arg("-o").arg(&record).args(options).arg("--").args(command);
    listen.current_dir(env!("CARGO_MANIFEST_DIR")).envs(variables.iter().copied());
    let output = listen.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (output, totals(&record))
}

#[test]
fn the_python_sdk() {
    let Some(python) = client("venv/bin/python") else { return };
    for protocol in ["grpc", "http"] {
        let (output, totals) =
            send(&[], &[], &[&python.to_string_lossy(), "testdata/clients/send.py", protocol, "1000"]);
        assert_eq!((&totals["spans"], &totals["traces"]), (&value!(2000), &value!(1000)), "{protocol}");
        assert_eq!((&totals["errors"], &totals["troubles"]), (&value!(1000), &value!(0)));
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(out.contains("python-client") && out.contains("boom") && out.contains("980 more traces"), "{out}");
    }
}

#[test]
fn the_javascript_sdk() {
    let Some(modules) = client("node_modules") else { return };
    for protocol in ["http", "proto", "grpc"] {
        let variables = [("NODE_PATH", &*modules.to_string_lossy())];
        let (_, totals) = send(&["--view", "none"], &variables, &["node", "testdata/clients/send.js", protocol, "300"]);
        assert_eq!((&totals["spans"], &totals["traces"]), (&value!(600), &value!(300)), "{protocol}");
        assert_eq!((&totals["errors"], &totals["events"]), (&value!(300), &value!(300)));
    }
}

#[test]
fn a_client_that_is_told_to_wait_comes_again_and_one_that_sends_too_much_does_not() {
    let Some(python) = client("venv/bin/python") else { return };
    for (limit, what) in [("--max-request-size", "rejected"), ("--max-queue-size", "deferred")] {
        let mut listen = tracectl();
        listen.args(["listen", "--log-format", "json", limit, "1000", "--view", "none", "--"]);
        listen.args([&*python.to_string_lossy(), "testdata/clients/send.py", "http", "100"]);
        // The SDK gives up in the end.
        listen.env("OTEL_EXPORTER_OTLP_TIMEOUT", "4");
        let output = listen.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let last = said.lines().find(|line| line.contains("\"stopped\"")).unwrap();
        let stopped: serde_json::Value = serde_json::from_str(last).unwrap();
        let times = stopped[what].as_u64().unwrap();
        assert!(if what == "rejected" { times == 1 } else { times > 1 }, "{said}");
        assert_eq!(output.status.code(), Some(3));
    }
}
