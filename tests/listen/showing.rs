//! What people and scripts see while spans arrive and when it is over.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json as value};

use super::server::{JSON, json, listen, post, totals, tracectl};

#[test]
fn a_trace_is_shown_when_it_has_settled_as_tree_shows_it() {
    let server = listen(&["-o", "{}/run.jsonl", "--view", "tree", "--settle", "500ms", "--max-traces", "2"]);
    assert_eq!(post(server.http, &[JSON], &json(1, 3)).status, 200);
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(post(server.http, &[JSON], &json(2, 1)).status, 200);
    let ended = server.wait();
    assert_eq!((ended.code, &ended.stopped["reason"]), (Some(0), &value!("max-traces")));
    let tree = tracectl().arg("tree").arg(ended.folder.path().join("run.jsonl")).output().unwrap();
    assert_eq!(ended.out, String::from_utf8(tree.stdout).unwrap());
}

#[test]
fn a_pipe_gets_a_line_a_trace_and_late_spans_are_marked() {
    let server = listen(&["--settle", "200ms", "--format", "jsonl", "--max-spans", "4"]);
    assert_eq!(post(server.http, &[JSON], &json(1, 1)).status, 200);
    std::thread::sleep(std::time::Duration::from_millis(600));
    let late = String::from_utf8(json(1, 3)).unwrap().replace(
        "0000000000000001\",\"parentSpanId\":\"\"",
        "0000000000000009\",\"parentSpanId\":\"0000000000000001\"",
    );
    assert_eq!(post(server.http, &[JSON], late.as_bytes()).status, 200);
    let ended = server.wait();
    let traces: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(traces.len(), 2, "{}", ended.out);
    let late = |trace: &Value| {
        let spans = trace["spans"].as_array().unwrap();
        spans.iter().filter(|span| span["flags"].as_array().unwrap().contains(&value!("late"))).count()
    };
    assert_eq!((late(&traces[0]), late(&traces[1])), (0, 3));

    let server = listen(&["--max-spans", "1"]);
    post(server.http, &[JSON], &json(7, 1));
    let out = server.wait().out;
    assert!(out.lines().count() == 1 && out.contains("work") && out.contains("shop"), "{out}");
}

#[test]
fn it_stops_when_it_is_asked_to() {
    for (stop, reason) in [(["--for", "300ms"], "time"), (["--idle", "300ms"], "idle")] {
        let ended = listen(&stop).wait();
        assert_eq!((ended.code, &ended.stopped["reason"]), (Some(3), &value!(reason)), "{}", ended.log);
    }
    let server = listen(&[]);
    rustix::process::kill_process(server.pid(), rustix::process::Signal::INT).unwrap();
    let ended = server.wait();
    assert_eq!((ended.code, &ended.stopped["reason"]), (Some(0), &value!("interrupted")));
}

fn run(options: &[&str], command: &[&str]) -> (Option<i32>, String, String) {
    let output = tracectl().arg("listen").args(options).arg("--").args(command).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_command_is_told_where_to_send_and_its_code_is_kept() {
    let (code, out, _) = run(&["--view", "none"], &["sh", "-c", "echo said; env | grep ^OTEL_ | sort; exit 7"]);
    assert_eq!(code, Some(7));
    assert!(
        out.starts_with("said\nOTEL_BSP_SCHEDULE_DELAY=200\nOTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:"),
        "{out}"
    );
    assert!(out.contains("OTEL_TRACES_EXPORTER=otlp\n"));
    let (code, _, said) = run(&[], &["true"]);
    assert_eq!(code, Some(3));
    assert!(said.contains("no spans arrived") && said.contains("hint: "), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("run.jsonl");
    let (code, _, said) = run(&["-o", &record.to_string_lossy()], &["/no/such/program"]);
    assert_eq!((code, record.exists()), (Some(2), false), "{said}");
    let (code, ..) = run(&["--view", "none"], &["sh", "-c", "kill -TERM $$"]);
    assert_eq!(code, Some(128 + 15));
}

#[test]
fn the_run_of_a_command_is_a_span() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("run.jsonl");
    let script = r#"echo "$TRACEPARENT"; exit 3"#;
    let (code, out, _) = run(&["--root", "-o", &record.to_string_lossy()], &["sh", "-c", script]);
    assert_eq!(code, Some(3));
    let trace = out.split('-').nth(1).unwrap();
    assert!(out.contains(&trace[..8]) && out.contains("exit code 3"), "{out}");
    let totals = totals(&record);
    assert_eq!((&totals["spans"], &totals["errors"]), (&value!(1), &value!(1)));
}

#[test]
fn what_a_command_starts_is_waited_for() {
    let (code, out, _) = run(&["--view", "none"], &["sh", "-c", "(sleep 0.7; echo late) & true"]);
    assert_eq!((code, out.as_str()), (Some(3), "late\n"));
}

#[test]
fn signals_reach_the_command_and_its_code_is_kept() {
    let mut listen = tracectl();
    let script = "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    listen.args(["listen", "--view", "none", "--", "sh", "-c", script]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = listen.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    out.read_line(&mut line).unwrap();
    assert_eq!((line.as_str(), child.wait().unwrap().code()), ("ready\ncaught\n", Some(9)));
}

/// A listener whose command sends three traces, one after the other, and then ends with 7.
fn sending(options: &[&str]) -> std::process::Command {
    let script = r#"for n in 1 2 3; do
        "$0" emit -q --traces 1 --seed $n --to "$OTEL_EXPORTER_OTLP_ENDPOINT" || exit 9
        sleep 0.3
    done; exit 7"#;
    let mut listen = tracectl();
    listen.arg("listen").args(options).args(["--", "sh", "-c", script, env!("CARGO_BIN_EXE_tracectl")]);
    listen.stdout(Stdio::piped()).stderr(Stdio::piped());
    listen
}

#[test]
fn who_stops_reading_ends_the_view_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("run.jsonl");
    let record = record.to_string_lossy();
    let mut child = sending(&["--view", "line", "--settle", "0s", "-o", &record]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(7), "{said}");
    assert!(line.contains(" spans") && !said.contains("pipe"), "{line}{said}");
    assert_eq!(totals(record.as_ref().as_ref())["traces"], 3);
    // Where nothing else is done with what comes, there is nothing left to do.
    let mut server = listen(&["--view", "line", "--settle", "0s"]);
    drop(server.child.stdout.take());
    assert_eq!(post(server.http, &[JSON], &json(1, 1)).status, 200);
    let ended = server.wait();
    assert_eq!((ended.code, &ended.stopped["reason"]), (Some(0), &value!("unread")), "{}", ended.log);
}

#[test]
fn a_command_does_not_outlive_the_listener() {
    let begun = std::time::Instant::now();
    let script = r#""$0" emit -q --traces 1 --to "$OTEL_EXPORTER_OTLP_ENDPOINT"; echo $$; exec sleep 1000"#;
    let command = ["sh", "-c", script, env!("CARGO_BIN_EXE_tracectl")];
    let (code, out, said) = run(&["--view", "none", "--max-traces", "1"], &command);
    assert_eq!(code, Some(0), "{said}");
    let pid = rustix::process::Pid::from_raw(out.trim().parse().unwrap()).unwrap();
    assert!(rustix::process::test_kill_process(pid).is_err() && begun.elapsed().as_secs() < 900);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let server = listen(&["--view", "none"]);
    // A request that never comes to its end keeps it from closing for a while.
    let mut open = super::server::connect(server.http);
    std::io::Write::write_all(
        &mut open,
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n",
    )
    .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let signal = || rustix::process::kill_process(server.pid(), rustix::process::Signal::INT).unwrap();
    signal();
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal();
    let mut child = server.child;
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2), "{status}");
}

#[test]
fn what_cannot_be_shown_is_recorded_and_told() {
    let mut server = listen(&["-o", "run.pb", "--view", "tree", "--settle", "0s"]);
    let mut stopped = 0;
    // Nobody reads what it prints: sooner or later it waits for that, and its clients do not.
    for trace in 1..=400 {
        let body = json(trace, 400);
        assert_eq!(post(server.http, &[JSON], &body).status, 200);
        stopped += 400;
    }
    let drain = server.drain();
    let ended = server.stop();
    drain.join().unwrap();
    assert_eq!(ended.stopped["spans"], stopped);
    assert!(ended.stopped["not_shown"].as_u64().unwrap() > 0, "{}", ended.stopped);
    assert_eq!(ended.log.matches("\"sampling\"").count(), 1);
    assert_eq!(totals(&ended.folder.path().join("run.pb"))["spans"], stopped);
}
