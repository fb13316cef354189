//! The commands of README.md run.
//!
//! Comes in: its `sh` blocks. Goes out: a failure for the first line that does not end well.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::sources::root;

#[test]
fn every_command_of_the_readme_runs() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("testdata"), scratch.path().join("testdata")).unwrap();
    let mut lines = 0;
    for block in text.split("```sh\n").skip(1) {
        for line in block.split("```").next().unwrap().lines().filter(|line| !line.is_empty()) {
            run(line, scratch.path());
            lines += 1;
        }
    }
    assert!(lines >= 5, "only {lines} commands found");
}

/// Runs a line in a shell where `tracectl` and `cargo run --release --` are the program under test. What builds, installs
/// or tests the project itself is left to the tests that are running.
fn run(line: &str, folder: &Path) {
    let line = line.replace("cargo run --release --", "tracectl");
    if line.starts_with("cargo ") {
        return;
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_tracectl")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &line])
        .env("PATH", path)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&shell.stderr);
    assert!(shell.status.success(), "{line}\n{said}");
}
