//! `listen --lint`, and records that are there already.

use std::process::Output;

use serde_json::{Value, json as value};

use super::server::{JSON, json, listen, listen_in, post, totals, tracectl};

/// Runs `listen` in a folder with a command that sends nothing; `--root` makes a span of its run.
fn run(folder: &std::path::Path, options: &[&str], command: &str) -> Output {
    let mut listen = tracectl();
    listen.arg("listen").args(options).args(["--", "sh", "-c", command]).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_report_is_that_of_lint_on_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--lint", "--format", "json", "-o", "run.jsonl", "-o", "junit=lint.xml", "--max-spans", "2"];
    let server = listen_in(folder, &[&options[..], &["--fail-on", "info"]].concat());
    // A parent that nobody sends.
    let orphan = String::from_utf8(json(1, 2))
        .unwrap()
        .replace("\"parentSpanId\":\"\"", "\"parentSpanId\":\"00000000000000ff\"");
    assert_eq!(post(server.http, &[JSON], orphan.as_bytes()).status, 200);
    let ended = server.wait();
    let mut lint = tracectl();
    lint.args(["lint", "run.jsonl", "--format", "json", "--fail-on", "info"]).current_dir(ended.folder.path());
    let lint = lint.output().unwrap();
    assert_eq!((ended.code, lint.status.code()), (Some(1), Some(1)), "{}", ended.log);
    let report = |text: &[u8]| -> Value { serde_json::from_slice(text).unwrap() };
    assert_eq!(report(ended.out.as_bytes()), report(&lint.stdout));
    assert!(std::fs::read_to_string(ended.folder.path().join("lint.xml")).unwrap().contains("<testsuite"));
}

#[test]
fn the_command_decides_then_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let code = |options: &[&str], command| {
        let output = run(folder.path(), &[&["--lint", "--root"], options].concat(), command);
        assert!(!output.stdout.is_empty() || !output.stderr.is_empty());
        output.status.code()
    };
    assert_eq!(code(&[], "exit 0"), Some(0));
    assert_eq!(code(&["--max-findings", "0", "-D", "ALL"], "exit 7"), Some(7));
    let empty = run(folder.path(), &["--lint"], "exit 0");
    assert_eq!(empty.status.code(), Some(3), "{}", said(&empty));
    let shown = run(folder.path(), &["--lint", "--root", "--view", "tree"], "exit 0");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("sh ") && shown.contains("passed"), "{shown}");
    // What only lint understands is not passed over in silence.
    for options in [&["--fail-on", "warn"][..], &["--format", "sarif"], &["-o", "sarif=x"], &["-o", "a", "-o", "b"]] {
        let output = run(folder.path(), options, "exit 0");
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(said(&output).contains("lint"), "{}", said(&output));
    }
}

#[test]
fn a_record_that_rotates_is_judged_whole() {
    let options =
        ["-o", "run.jsonl", "--rotate", "5KB", "--keep", "9", "--lint", "--format", "json", "--max-spans", "60"];
    let server = listen(&options);
    for trace in 1..=3 {
        assert_eq!(post(server.http, &[JSON], &json(trace, 20)).status, 200);
    }
    let ended = server.wait();
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert!(ended.folder.path().join("run.1.jsonl").exists());
    assert_eq!((&report["summary"]["spans"], &report["summary"]["traces"]), (&value!(60), &value!(3)));
}

#[test]
fn a_record_is_replaced_or_gone_on_with_and_a_failed_start_leaves_it() {
    for name in ["run.jsonl", "run.pb", "run.jsonl.gz", "run.pb.zst"] {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join(name);
        let spans = || totals(&record)["spans"].as_u64().unwrap();
        let run = |options: &[&str], command| run(folder.path(), &[&["--root", "-o", name], options].concat(), command);
        assert!(!said(&run(&[], "exit 0")).contains(name));
        assert!(said(&run(&["--append"], "exit 0")).contains(&format!("appending to {name}")));
        assert_eq!(spans(), 2, "{name}");
        let torn = [&std::fs::read(&record).unwrap()[..], &[b'{', 0, 0]].concat();
        std::fs::write(&record, torn).unwrap();
        assert!(said(&run(&["--append"], "exit 0")).contains("3 bytes cut"), "{name}");
        assert_eq!((spans(), &totals(&record)["troubles"]), (3, &value!(0)), "{name}");
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        assert_eq!(run(&["--http", &address], "exit 0").status.code(), Some(2));
        let nobody =
            tracectl().args(["listen", "-o", name, "--", "/no/such/program"]).current_dir(folder.path()).output();
        assert_eq!(nobody.unwrap().status.code(), Some(2));
        assert_eq!(spans(), 3, "{name}");
        assert!(said(&run(&[], "exit 0")).contains(&format!("{name} replaced")));
        assert_eq!(spans(), 1, "{name}");
        std::fs::write(&record, "this is no record\n").unwrap();
        let refused = run(&["--append"], "exit 0");
        assert_eq!((refused.status.code(), std::fs::read(&record).unwrap().len()), (Some(2), 18), "{}", said(&refused));
    }
}

#[test]
fn two_do_not_write_one_record() {
    let first = listen(&["-o", "run.jsonl", "--view", "none"]);
    let second = run(first.folder.path(), &["-o", "run.jsonl"], "exit 0");
    assert_eq!(second.status.code(), Some(2));
    assert!(said(&second).contains("somebody else is writing"), "{}", said(&second));
    first.stop();
}

#[test]
fn settings_come_from_flags_then_variables_then_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let toml = "[listen]\nmax-request-size = \"1000\"\nview = \"none\"\ncors-origin = \"http://a, http://b\"\n";
    std::fs::write(folder.path().join("tracectl.toml"), toml).unwrap();
    let server = listen_in(folder, &[]);
    assert_eq!(post(server.http, &[JSON], &json(1, 100)).status, 413);
    let answer = post(server.http, &[JSON, ("origin", "http://b")], &json(1, 1));
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some("http://b"));
    let ended = server.stop();
    let server = listen_in(ended.folder, &["--max-request-size", "1MB"]);
    assert_eq!(post(server.http, &[JSON], &json(1, 100)).status, 200);
    let folder = server.stop().folder;
    let set = |name, value| {
        tracectl().args(["listen", "--for", "1ms"]).env(name, value).current_dir(folder.path()).output().unwrap()
    };
    let output = set("TRACECTL_LISTEN_SETTLE", "soon");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("listen.settle"), "{}", said(&output));
    let output = set("TRACECTL_LISTEN_VIEW", "tee");
    assert!(said(&output).contains("did you mean 'tree'"), "{}", said(&output));
    let output = set("TRACECTL_LISTEN_TLS_CERT", "cert.pem");
    assert!(said(&output).contains("--tls-key"), "{}", said(&output));
}
