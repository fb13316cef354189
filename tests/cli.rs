//! The real program, seen from a shell: exit codes, pipes, files, misuse.
//!
//! Comes in: command lines. Goes out: what they print and how they end.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/agent-run.jsonl");

/// A run of the program to be looked at.
struct Run {
    command: Command,
}

struct Ended {
    code: i32,
    out: String,
    err: String,
}

#[must_use]
fn tracectl(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracectl"));
    command.args(arguments).env_clear().env("LC_ALL", "C.UTF-8").current_dir(std::env::temp_dir()).stdin(Stdio::null());
    Run { command }
}

impl Run {
    fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    fn end(mut self) -> Ended {
        ended(self.command.output().unwrap())
    }

    fn reading(mut self, input: &[u8]) -> Ended {
        let piped = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        ended(child.wait_with_output().unwrap())
    }
}

fn ended(output: Output) -> Ended {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_good_run_is_silent_on_stderr() {
    for command in ["tree", "stats"] {
        let run = tracectl(&[command, CAPTURE]).end();
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{command}");
        assert!(run.out.contains("agent_step"), "{}", run.out);
    }
}

#[test]
fn totals_of_the_bundled_capture_are_known() {
    let run = tracectl(&["stats", CAPTURE, "--format", "json"]).end();
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let totals = |name: &str| report["totals"][name].as_u64().unwrap();
    assert_eq!(report["schema"], 1);
    let known = [
        "spans",
        "traces",
        "roots",
        "orphans",
        "errors",
        "cancelled",
        "unfinished",
        "duplicates",
        "events",
        "services",
    ];
    assert_eq!(known.map(totals), [34, 3, 2, 1, 5, 3, 1, 0, 5, 2]);
    assert_eq!(totals("bytes"), fs::metadata(CAPTURE).unwrap().len());
    let counts: u64 = report["operations"].as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(counts, 34);
    let run = tracectl(&["stats", CAPTURE, "--format", "json", "--jobs", "1"]).end();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&run.out).unwrap(), report);
}

#[test]
fn a_pipe_is_read_without_being_named() {
    let capture = fs::read(CAPTURE).unwrap();
    for arguments in [&["stats", "--by", "service"][..], &["stats", "--by", "service", "-"]] {
        let run = tracectl(arguments).reading(&capture);
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(run.out.contains("agent-worker"), "{}", run.out);
    }
    let run = tracectl(&["show", "dca83e71", "--name", "agent_step"]).reading(&capture);
    assert!(run.code == 0 && run.out.contains("CancelledError"), "{}{}", run.out, run.err);
}

#[test]
fn what_cannot_be_read_ends_with_three() {
    let run = tracectl(&["tree", "/there/is/no/such/file"]).end();
    assert_eq!((run.code, run.out.as_str()), (3, ""));
    assert!(run.err.starts_with("tracectl: cannot read /there/is/no/such/file\n  because: "), "{}", run.err);

    let run = tracectl(&["tree"]).reading(b"these are no spans\n");
    assert_eq!(run.code, 3);
    assert!(run.err.contains("tracectl: no spans in -"), "{}", run.err);

    let run = tracectl(&["stats", CAPTURE, "--service", "nobody"]).end();
    assert_eq!(run.code, 3);
    assert!(run.err.contains("none of the 34 spans that were read fits the filters"), "{}", run.err);
}

#[test]
fn one_unreadable_input_of_several_is_said_after_the_answer() {
    let run = tracectl(&["stats", CAPTURE, "/there/is/no/such/file"]).end();
    assert_eq!(run.code, 3);
    assert!(run.out.contains("34 spans") && run.err.contains("1 of 2 inputs could not be read"), "{}", run.err);
}

#[test]
fn odd_input_is_told_and_strict_makes_it_a_failure() {
    let mut capture = fs::read(CAPTURE).unwrap();
    capture.truncate(capture.len() - 40);
    let run = tracectl(&["stats"]).reading(&capture);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.starts_with("tracectl: -"), "{}", run.err);
    let run = tracectl(&["stats", "-q"]).reading(&capture);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let run = tracectl(&["stats", "--strict"]).reading(&capture);
    assert_eq!(run.code, 3);
    assert!(run.err.contains("--strict: 1 thing is odd in the input"), "{}", run.err);
    assert!(run.out.contains("OPERATION"));
}

#[test]
fn misspelt_words_get_a_suggestion() {
    let cases = [
        (&["stast"][..], "'stats'"),
        (&["stats", "--formt", "json"], "'--format'"),
        (&["stats", "--format", "jsn"], "'json'"),
        (&["stats", "--by", "servce"], "did you mean 'service'?"),
        (&["tree", "--outcome", "canceled"], "'cancelled'"),
        (&["man", "stat"], "'stats'"),
    ];
    for (arguments, wanted) in cases {
        let run = tracectl(arguments).end();
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(run.err.contains(wanted), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn ids_are_found_by_their_first_digits() {
    let run = tracectl(&["show", "dca83e71", CAPTURE, "--format", "json"]).end();
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["spans"].as_array().unwrap().len(), 5);
    let id = report["spans"][1]["span_id"].as_str().unwrap();
    let run = tracectl(&["show", id, CAPTURE]).end();
    assert!(run.code == 0 && run.out.starts_with("LettaAgentV3.stream  cancelled, 893 ms\n"), "{}", run.out);

    let run = tracectl(&["show", "1", CAPTURE]).end();
    assert_eq!(run.code, 2);
    assert!(run.err.contains("different ids") && run.err.contains("give more digits"), "{}", run.err);

    let run = tracectl(&["show", "dca8ffff", CAPTURE]).end();
    assert_eq!(run.code, 3);
    assert!(run.err.contains("did you mean dca83e71"), "{}", run.err);
}

#[test]
fn secrets_are_hidden_in_text_and_in_json() {
    let show = ["show", "1f58b914", CAPTURE, "--full", "--format"];
    let tree = ["tree", CAPTURE, "--attributes", "--events", "--format"];
    for (command, format) in
        [(show, "text"), (show, "json"), (tree, "text"), (tree, "json"), (tree, "jsonl"), (tree, "markdown")]
    {
        let run = tracectl(&[&command[..], &[format]].concat()).end();
        assert!(run.out.contains("Bear...[redacted, 34 characters]"), "{}", run.out);
        assert!(!run.out.contains("not-a-real-token"));
    }
}

#[test]
fn a_reader_that_goes_away_is_a_normal_end() {
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path().join("many.jsonl");
    // More than a pipe holds, so that the program is still writing when the reader leaves.
    fs::write(&many, fs::read(CAPTURE).unwrap().repeat(40)).unwrap();
    let mut command =
        tracectl(&["tree", many.to_str().unwrap(), "--limit", "0", "--rows", "0", "--format", "jsonl"]).command;
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let run = ended(child.wait_with_output().unwrap());
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(!run.err.contains("pipe"), "{}", run.err);
}

#[test]
fn an_answer_goes_to_its_file_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stats.json");
    let run = tracectl(&["stats", CAPTURE, "--format", "json", "-o", path.to_str().unwrap()]).end();
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    let whole = fs::read_to_string(&path).unwrap();
    assert!(whole.ends_with("}\n"));
    let run = tracectl(&["stats", CAPTURE, "--format", "json", "-o", "-"]).end();
    assert_eq!(run.out, whole);
    let run = tracectl(&["stats", CAPTURE, "-o", "/there/is/no/such/folder/stats.txt"]).end();
    assert_eq!(run.code, 2);
    assert!(run.err.starts_with("tracectl: cannot write /there/"), "{}", run.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn colour_is_for_those_who_ask() {
    let plain = tracectl(&["tree", CAPTURE]).end().out;
    assert!(!plain.contains('\x1b'));
    assert!(tracectl(&["tree", CAPTURE]).variable("CLICOLOR_FORCE", "1").end().out.contains('\x1b'));
    let forced = tracectl(&["stats", CAPTURE, "--color", "always"]).variable("NO_COLOR", "1").end().out;
    assert!(forced.contains('\x1b'));
    assert_eq!(tracectl(&["tree", CAPTURE]).variable("CLICOLOR_FORCE", "1").variable("NO_COLOR", "1").end().out, plain);
}

#[test]
fn lines_fit_forty_columns() {
    for command in ["tree", "stats"] {
        let run = tracectl(&[command, CAPTURE, "--width", "40"]).end();
        let widest = run.out.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 40, "{command}: {widest}");
    }
}

#[test]
fn ascii_pages_are_ascii() {
    for arguments in
        [&["tree", CAPTURE, "--ascii"][..], &["stats", CAPTURE, "--ascii"], &["show", "dca83e71", CAPTURE, "--ascii"]]
    {
        let run = tracectl(arguments).end();
        let odd = run.out.chars().find(|c| !c.is_ascii() && *c != 'µ');
        assert_eq!(odd, None, "{arguments:?}");
    }
}

#[test]
fn settings_are_found_upwards_and_errors_have_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    fs::write(folder.path().join("tracectl.toml"), "[stats]\ntop = 1\n").unwrap();
    let run = tracectl(&["stats", CAPTURE]).within(&below).end();
    assert!(run.out.contains("and 21 more (--top 0 shows all)"), "{}", run.out);
    let run = tracectl(&["stats", CAPTURE]).within(&below).variable("TRACECTL_STATS_TOP", "2").end();
    assert!(run.out.contains("and 20 more"), "{}", run.out);
    let run = tracectl(&["stats", CAPTURE, "--top", "3"]).within(&below).variable("TRACECTL_STATS_TOP", "2").end();
    assert!(run.out.contains("and 19 more"), "{}", run.out);
    fs::write(folder.path().join("tracectl.toml"), "[stats]\ntpo = 1\n").unwrap();
    let run = tracectl(&["stats", CAPTURE]).within(&below).end();
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("tracectl.toml:2: there is no setting 'stats.tpo' (did you mean 'stats.top'?)"),
        "{}",
        run.err
    );
}

#[test]
fn what_only_lists_or_describes_needs_no_configuration_that_works() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tracectl.toml"), "[stats\n").unwrap();
    for command in [&["completions", "bash"][..], &["man"], &["rules"], &["explain", "ERR001"], &["budgets"]] {
        let run = tracectl(command).within(folder.path()).end();
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{command:?}");
        let named = [command, &["--config", "tracectl.toml"]].concat();
        assert_eq!(tracectl(&named).within(folder.path()).end().code, 2, "{command:?}");
    }
    assert_eq!(tracectl(&["tree", CAPTURE]).within(folder.path()).end().code, 2);
}

#[test]
fn a_path_need_not_be_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"run\xff.jsonl"));
    fs::copy(CAPTURE, &path).unwrap();
    let run = |arguments: &[&OsStr]| {
        let mut run = tracectl(&[]);
        run.command.args(arguments);
        run.end()
    };
    let stats = run(&["stats".as_ref(), path.as_ref()]);
    assert!(stats.code == 0 && stats.out.contains("34 spans"), "{}", stats.err);
    let shown = run(&["show".as_ref(), "dca83e71".as_ref(), path.as_ref()]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    // Its own name is known when an answer is about to replace it.
    assert_eq!(run(&["stats".as_ref(), path.as_ref(), "-o".as_ref(), path.as_ref()]).code, 2);
}

#[test]
fn an_interrupted_conversion_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["csv", "jaeger", "pb"] {
        let out = folder.path().join(format!("out.{format}"));
        let mut command = tracectl(&["convert", "-", "--sort=start", "-o", out.to_str().unwrap()]).command;
        if format != "pb" {
            command = tracectl(&["convert", "-", "--to-format", format, "-o", out.to_str().unwrap()]).command;
        }
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A pipe that stays open: it waits for more.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&fs::read(CAPTURE).unwrap()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
        let run = ended(child.wait_with_output().unwrap());
        assert!(run.code == 2 && run.err.contains("interrupted"), "{format}: {}", run.err);
        drop(stdin);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_second_interruption_ends_what_waits_for_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path().join("many.jsonl");
    fs::write(&many, fs::read(CAPTURE).unwrap().repeat(200)).unwrap();
    let mut command = tracectl(&["convert", many.to_str().unwrap(), "--to-format", "csv"]).command;
    // Nobody reads: it waits in the middle of its answer.
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(500));
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }
    assert_eq!(child.wait().unwrap().signal(), Some(2));
}

#[test]
fn completions_and_manual_pages_are_written() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(tracectl(&["completions", shell]).end().out.contains("tracectl"), "{shell}");
    }
    assert!(tracectl(&["man"]).end().out.contains(".TH tracectl"));
    assert!(tracectl(&["man", "stats"]).end().out.contains("Percentiles"));
}

#[test]
fn an_answer_never_replaces_its_input() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("run.jsonl");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/agent-run.jsonl"), &capture).unwrap();
    let before = fs::read(&capture).unwrap();
    for command in ["tree", "stats"] {
        let output = Command::new(env!("CARGO_BIN_EXE_tracectl"))
            .arg(command)
            .arg(&capture)
            .arg("-o")
            .arg(folder.path().join("./run.jsonl"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(fs::read(&capture).unwrap(), before);
    }
}

#[test]
fn the_name_of_a_file_chooses_the_format_unless_one_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let written = |arguments: &[&str], name: &str| {
        let run = tracectl(&[arguments, &[CAPTURE, "-o", name]].concat()).within(folder.path()).end();
        assert_eq!(run.code, 0, "{}", run.err);
        (fs::read_to_string(folder.path().join(name)).unwrap(), run.err)
    };
    let (json, said) = written(&["stats"], "a.json");
    assert!(json.starts_with("{\n") && said.contains("writing a.json as json (--format overrides)"), "{said}");
    assert!(written(&["stats"], "a.csv").0.starts_with("name,service,"));
    assert!(written(&["tree"], "a.md").0.starts_with("## `"));
    assert!(written(&["tree"], "a.jsonl").0.starts_with("{\""));
    assert!(written(&["tree"], "a.csv").0.contains("━"));
    let (text, said) = written(&["tree", "--format", "text"], "b.json");
    assert!(text.contains("━") && said.is_empty(), "{said}");
}

#[test]
fn rows_of_trees_carry_ids_that_show_takes() {
    let tree = tracectl(&["tree", CAPTURE, "--ids", "--width", "100", "--limit", "1"]).end().out;
    let ids: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let ids: Vec<&&str> = ids.iter().filter(|id| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit())).collect();
    assert!(ids.len() > 3, "{tree}");
    assert!(tree.lines().all(|line| line.chars().count() <= 100), "{tree}");
    let shown = tracectl(&["show", ids[0], CAPTURE]).end();
    assert!(shown.code == 0 && shown.out.contains(ids[0]), "{}", shown.err);
    assert!(!tracectl(&["tree", CAPTURE, "--limit", "1"]).end().out.contains(ids[0]));
}

#[test]
fn the_only_trace_needs_no_id() {
    let several = tracectl(&["show", CAPTURE]).end();
    assert!(several.code == 2 && several.err.contains("which of them?"), "{}", several.err);
    let id = several.err.split("trace ").nth(1).unwrap().get(..32).unwrap().to_owned();
    let named = tracectl(&["show", &id, CAPTURE]).end();
    let filtered = tracectl(&["show", CAPTURE, "--trace", &id]).end();
    assert_eq!((filtered.code, filtered.out), (0, named.out));
    let piped = tracectl(&["show", "--trace", &id]).reading(&fs::read(CAPTURE).unwrap());
    assert_eq!(piped.code, 0, "{}", piped.err);
    let neither = tracectl(&["show", "zz"]).end();
    assert!(neither.code == 2 && neither.err.contains("'zz' is not an id"), "{}", neither.err);
}

#[test]
fn a_narrow_table_keeps_what_it_is_sorted_by() {
    for (sort, title) in [("p50", "P50"), ("self", "SELF"), ("total", "TOTAL"), ("errors", "ERR"), ("max", "MAX")] {
        let out = tracectl(&["stats", CAPTURE, "--sort", sort, "--width", "50"]).end().out;
        let heading = out.lines().find(|line| line.starts_with("OPERATION")).unwrap();
        assert!(heading.contains(title), "{sort}: {heading}");
        assert!(out.contains("\nno room for ") && out.contains("--width"), "{out}");
    }
    for (sort, title) in [("cost", "COST"), ("total", "TIME"), ("count", "TOOLS")] {
        let out = tracectl(&["stats", CAPTURE, "--agents", "--sort", sort, "--width", "60"]).end().out;
        let heading = out.lines().find(|line| line.starts_with("AGENT")).unwrap();
        assert!(heading.contains(title) && out.contains("\nno room for "), "{sort}: {heading}");
    }
    assert!(!tracectl(&["stats", CAPTURE, "--width", "300"]).end().out.contains("no room for"));
}

#[test]
fn an_answer_that_cannot_be_printed_is_no_success() {
    for arguments in [&["--help"][..], &["--version"], &["tree", "--help"], &["tree", CAPTURE], &["stats", CAPTURE]] {
        let mut run = tracectl(arguments);
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = ended(run.command.stdout(full).output().unwrap());
        assert!(ended.code == 2 && ended.err.contains("cannot print the answer"), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn the_last_word_is_for_machines_where_all_others_are() {
    let nothing = ["listen", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--for", "10ms", "--log-format", "json"];
    let nowhere = ["replay", "nowhere.jsonl", "--to", "http://127.0.0.1:1", "--log-format", "json"];
    for (arguments, last) in [(&nothing[..], "stopped"), (&nowhere, "error")] {
        let run = tracectl(arguments).end();
        assert_eq!(run.code, 3, "{}", run.err);
        let events: Vec<serde_json::Value> =
            run.err.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
        assert_eq!(events.last().unwrap()["event"], last);
        let error = events.iter().find(|event| event["event"] == "error").unwrap();
        assert!(error["message"].is_string() && error["because"].is_array() && error["hints"].is_array());
    }
}

#[test]
fn values_are_completed_and_marks_explained() {
    let script = tracectl(&["completions", "bash"]).end().out;
    for values in
        ["text json jsonl markdown", "grpc http/protobuf http/json", "gzip zstd none", "name service kind role"]
    {
        assert!(script.contains(&format!("compgen -W \"{values}")), "{values}");
    }
    let legend = tracectl(&["tree", "--legend", "--ascii"]).end();
    assert!(legend.code == 0 && legend.out.contains("orphan: its parent is missing"), "{}", legend.out);
    let forgotten = tracectl(&["listen", "pytest", "-q"]).end();
    assert!(forgotten.code == 2 && forgotten.err.contains("tracectl listen -- pytest"), "{}", forgotten.err);
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    for set in ["=x", "foo"] {
        let refused = tracectl(&["convert", CAPTURE, "--set", set, "-o", out.to_str().unwrap()]).end();
        assert!(refused.code == 2 && refused.err.contains("NAME=VALUE"), "{set}: {}", refused.err);
    }
    // A journal that never ends is none, and neither is a table of prices.
    let refused = tracectl(&["replay", CAPTURE, "--to", "http://127.0.0.1:1", "--resume", "/dev/zero"]).end();
    assert!(refused.code == 2 && refused.err.contains("no journal"), "{}", refused.err);
    let refused = tracectl(&["stats", CAPTURE, "--prices", "/dev/zero"]).end();
    assert!(refused.code == 2 && refused.err.contains("16 MiB"), "{}", refused.err);
    assert_eq!(tracectl(&["emit", "--spans", "0"]).end().out.len(), 0);
}
