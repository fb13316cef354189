//! `tracectl emit`, seen from a shell: equal bytes, nothing for lint to say, faults that lint finds, and other people's programs
//! that read what it writes.
//!
//! Comes in: options. Goes out: files and requests, judged by the program itself, by a capture of the real server, and by Python's
//! classes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets something unexpected fails")]

mod common;

#[path = "emit/faults.rs"]
mod faults;
#[path = "emit/files.rs"]
mod files;
#[path = "common/clients.rs"]
mod installed;
#[path = "emit/judged.rs"]
mod judged;
#[path = "emit/letta.rs"]
mod letta;
#[path = "common/python.rs"]
mod python_receiver;
#[path = "emit/sending.rs"]
mod sending;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const CONVENTIONS: [&str; 4] = ["letta", "genai", "openinference", "openllmetry"];

struct Ended {
    code: i32,
    out: Vec<u8>,
    err: String,
}

impl Ended {
    fn json(&self) -> Value {
        let parsed = serde_json::from_slice(&self.out);
        assert!(parsed.is_ok(), "{}", self.err);
        parsed.unwrap()
    }
}

#[must_use]
fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracectl"));
    command.args(arguments).env_clear().env("LC_ALL", "C.UTF-8").current_dir(folder).stdin(Stdio::null());
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    Ended { code: output.status.code().unwrap(), out: output.stdout, err }
}

/// Makes a file.
fn emit(folder: &Path, file: &str, arguments: &[&str]) {
    let ended = run(folder, &[&["emit", "-q", "-o", file], arguments].concat());
    assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
}

/// How often each rule fires.
fn lint(folder: &Path, file: &str, arguments: &[&str]) -> Vec<(String, u64)> {
    let fixed = ["lint", "--isolated", "--exit-zero", "--format", "json", file];
    let report = run(folder, &[&fixed[..], arguments].concat()).json();
    let by_rule = report["summary"]["by_rule"].as_object().unwrap().clone();
    by_rule.into_iter().map(|(code, count)| (code, count.as_u64().unwrap())).collect()
}
