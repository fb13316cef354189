//! The help of every command is a snapshot, so that no option changes unseen.
//!
//! Comes in: `--help` of the real program. Goes out: a comparison with `tests/snapshots/help`; `TRACECTL_UPDATE=1 cargo test`
//! writes them anew.

use std::fs;
use std::process::Command;

use super::sources::root;

fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracectl"));
    let output = command.args(arguments).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that the help of the program lists.
fn commands() -> Vec<String> {
    let help = help(&[]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
    let named = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn help_is_as_it_was() {
    let folder = root().join("tests/snapshots/help");
    let update = std::env::var_os("TRACECTL_UPDATE").is_some();
    let mut pages = vec![("tracectl".to_owned(), help(&[]))];
    pages.extend(commands().into_iter().map(|name| (name.clone(), help(&[&name]))));
    for (name, text) in &pages {
        let path = folder.join(format!("{name}.txt"));
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, text).unwrap();
        }
        let known = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(*text, known, "the help of {name} has changed: TRACECTL_UPDATE=1 cargo test --test house");
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(pages.iter().any(|(page, _)| *page == name), "{} is of no command", path.display());
    }
}

#[test]
fn every_command_gives_examples() {
    for name in commands() {
        assert!(help(&[&name]).contains("Examples:\n  tracectl "), "{name}");
    }
}
