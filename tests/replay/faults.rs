//! Receivers that misbehave: nothing is lost, nothing is sent twice, without being said.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::receiver::{Act, Receiver, capture, ended, replay};
use super::server::tracectl;

const SMALL: [&str; 2] = ["--batch-spans", "10"];
const ALONE: [&str; 4] = ["--batch-spans", "10", "--concurrency", "1"];

#[test]
fn what_may_come_again_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let script = vec![
        Act::Refuse("429 Too Many Requests", ""),
        Act::Refuse("503 Service Unavailable", "retry-after: 1\r\n"),
        Act::Refuse("502 Bad Gateway", ""),
        Act::Refuse("504 Gateway Timeout", ""),
        Act::Reset,
        Act::Hang(Duration::from_secs(3)),
    ];
    let receiver = Receiver::start(script);
    let sent = replay(&capture(folder.path(), 95), &receiver.url(), &[&SMALL[..], &["--timeout", "1s"]].concat());
    assert_eq!((sent.code, sent.number("accepted"), sent.number("requests")), (Some(0), 95, 10), "{}", sent.log);
    assert_eq!((sent.number("retries"), sent.number("failed")), (6, 0));
    // Nobody knows whether the requests behind 502, 504, a reset or a hang were taken: here they were not.
    assert!((10..=40).contains(&sent.number("maybe_twice")), "{}", sent.log);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (95, 0));
    assert!(sent.log.contains("does not take spans now") && sent.log.contains("takes spans again"), "{}", sent.log);
}

#[test]
fn a_lost_answer_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(vec![Act::Take, Act::TakeAndReset]);
    let sent = replay(&capture(folder.path(), 30), &receiver.url(), &ALONE);
    assert_eq!((sent.code, sent.number("accepted"), sent.number("maybe_twice")), (Some(0), 30, 10), "{}", sent.log);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (30, 10));
}

#[test]
fn a_partial_success_is_final() {
    let folder = tempfile::tempdir().unwrap();
    let json = br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#.to_vec();
    let proto = b"\x0a\x09\x08\x02\x12\x05dates".to_vec();
    let warning = b"\x0a\x06\x12\x04slow".to_vec();
    let script = vec![
        Act::TakeWith("content-type: application/json\r\n", json),
        Act::TakeWith("content-type: application/x-protobuf\r\n", proto),
        Act::TakeWith("content-type: application/x-protobuf\r\n", warning),
    ];
    let receiver = Receiver::start(script);
    let sent = replay(&capture(folder.path(), 30), &receiver.url(), &SMALL);
    assert_eq!((sent.code, sent.number("accepted"), sent.number("rejected")), (Some(1), 25, 5), "{}", sent.log);
    assert_eq!((sent.number("retries"), receiver.taken.lock().unwrap().requests), (0, 3));
    for said in ["3 of the 10 spans of a request: too old", "2 of the 10 spans of a request: dates", "warns: slow"] {
        assert!(sent.log.contains(said), "{}", sent.log);
    }
}

#[test]
fn what_is_refused_becomes_a_capture_that_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 40);
    for name in ["dead.pb", "dead.jsonl"] {
        let dead = folder.path().join(name);
        let script = vec![Act::Take, Act::Refuse("400 Bad Request", ""), Act::Refuse("503 Service Unavailable", "")];
        let receiver = Receiver::start(script);
        let options = ["--retry-for", "0", "--dead-letter", dead.to_str().unwrap()];
        let sent = replay(&input, &receiver.url(), &[&ALONE[..], &options].concat());
        let numbers = ["accepted", "rejected", "failed", "retries", "dead_letters"].map(|name| sent.number(name));
        assert_eq!((sent.code, numbers), (Some(1), [20, 10, 10, 0, 20]), "{}", sent.log);
        let again = replay(&dead, &receiver.url(), &[]);
        assert_eq!((again.code, again.number("accepted")), (Some(0), 20), "{}", again.log);
        assert_eq!(receiver.taken.lock().unwrap().counts(), (40, 0));
    }
    let receiver = Receiver::start(Vec::new());
    let unused = folder.path().join("unused.pb");
    assert_eq!(replay(&input, &receiver.url(), &["--dead-letter", unused.to_str().unwrap()]).code, Some(0));
    assert!(!unused.exists());
    let itself = replay(&input, &receiver.url(), &["--dead-letter", input.to_str().unwrap()]);
    assert!(itself.code == Some(2) && itself.log.contains("is an input"), "{}", itself.log);
}

#[test]
fn a_receiver_that_is_not_there_is_given_up_on() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 30);
    let sent = replay(&input, "http://127.0.0.1:1", &[&SMALL[..], &["--retry-for", "1s"]].concat());
    assert_eq!((sent.code, sent.number("failed"), sent.number("maybe_there")), (Some(1), 30, 0), "{}", sent.log);
    assert!(sent.log.contains("Connection refused"), "{}", sent.log);
    let silent = Receiver::start(vec![Act::Hang(Duration::from_secs(5)); 3]);
    let sent = replay(&input, &silent.url(), &[&SMALL[..], &["--retry-for", "0", "--timeout", "300ms"]].concat());
    assert_eq!((sent.code, sent.number("failed"), sent.number("maybe_there")), (Some(1), 30, 30), "{}", sent.log);
}

#[test]
fn an_interrupted_run_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 100);
    let journal = folder.path().join("journal");
    let options = [&ALONE[..], &["--resume", journal.to_str().unwrap(), "--retry-for", "0"]].concat();
    // The third request is refused for now, the fifth gets no answer although it was taken; all others are taken.
    let script = vec![Act::Take, Act::Take, Act::Refuse("503 Service Unavailable", ""), Act::Take, Act::TakeAndReset];
    let receiver = Receiver::start(script);
    let first = replay(&input, &receiver.url(), &options);
    assert_eq!((first.code, first.number("accepted"), first.number("failed")), (Some(1), 80, 20), "{}", first.log);
    assert_eq!(first.number("maybe_there"), 10);
    let second = replay(&input, &receiver.url(), &options);
    let numbers = ["accepted", "resumed_past", "maybe_twice", "failed"].map(|name| second.number(name));
    assert_eq!((second.code, numbers), (Some(0), [20, 80, 10, 0]), "{}", second.log);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (100, 10));
    assert!(!journal.exists());
}

#[test]
fn a_journal_belongs_to_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 20);
    let journal = folder.path().join("journal");
    let resume = ["--resume", journal.to_str().unwrap()];
    let receiver = Receiver::start(vec![Act::Refuse("503 Service Unavailable", "")]);
    let first = replay(&input, &receiver.url(), &[&ALONE[..], &resume, &["--retry-for", "0"]].concat());
    assert_eq!(first.code, Some(1));
    let other = replay(&input, &receiver.url(), &[&SMALL[..], &resume, &["--new-ids"]].concat());
    assert!(other.code == Some(2) && other.log.contains("other options"), "{}", other.log);
    let repeated = replay(&input, &receiver.url(), &[&resume[..], &["--repeat", "2"]].concat());
    assert_eq!(repeated.code, Some(2));
}

#[test]
fn an_interrupt_lets_what_is_under_way_end_and_says_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 1000);
    let receiver = Receiver::start(Vec::new());
    let journal = folder.path().join("journal");
    let mut command = tracectl();
    command.arg("replay").arg(&input).args(["--to", &receiver.url(), "--log-format", "json", "--rate", "100"]);
    command.args(SMALL).arg("--resume").arg(&journal);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let (mut said, mut rest) = (String::new(), String::new());
    log.read_line(&mut said).unwrap();
    while receiver.taken.lock().unwrap().requests == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    log.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    let output = std::process::Output { status, stdout: Vec::new(), stderr: rest.into_bytes() };
    let stopped = ended(&output);
    let at = stopped.number("interrupted_at");
    assert_eq!((stopped.code, stopped.number("accepted"), stopped.number("failed")), (Some(1), at * 10, 0));
    let rest = replay(&input, &receiver.url(), &[&SMALL[..], &["--resume", journal.to_str().unwrap()]].concat());
    // The rate is about time, not about what is sent.
    assert_eq!((rest.code, rest.number("accepted")), (Some(0), 1000 - at * 10), "{}", rest.log);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (1000, 0));
}

/// Interrupts a run that has started: it ends and says where it stopped.
fn interrupt(mut child: Child) {
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let (mut started, mut rest) = (String::new(), String::new());
    log.read_line(&mut started).unwrap();
    assert!(started.contains("\"started\""), "{started}");
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");
    assert!(rest.lines().last().unwrap().contains("\"interrupted_at\":"), "{rest}");
}

#[test]
fn a_pipe_that_is_silent_does_not_stand_in_the_way_of_an_interrupt() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(Vec::new());
    let mut command = tracectl();
    command.args(["replay", "-", "--to", &receiver.url(), "--log-format", "json"]).args(SMALL);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let text = std::fs::read(capture(folder.path(), 20)).unwrap();
    pipe.write_all(&text).unwrap();
    pipe.flush().unwrap();
    interrupt(child);
    drop(pipe);
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn a_named_pipe_into_which_nobody_writes_does_not_either() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        println!("skipped: no mkfifo");
        return;
    }
    let receiver = Receiver::start(Vec::new());
    let mut command = tracectl();
    command.arg("replay").arg(&pipe).args(["--to", &receiver.url(), "--log-format", "json"]).args(SMALL);
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    interrupt(child);
}

#[test]
fn requests_stay_within_their_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.jsonl");
    let span = |number: u64, size: usize| {
        let text = "x".repeat(size);
        format!(
            r#"{{"traceId":"{:032x}","spanId":"{number:016x}","name":"n","startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[{{"key":"k","value":{{"stringValue":"{text}"}}}}]}}"#,
            1
        )
    };
    let spans: Vec<String> =
        (1..=40).map(|number| span(number, if number == 20 { 5 << 20 } else { 1 << 20 })).collect();
    let document = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","));
    std::fs::write(&path, document).unwrap();
    let receiver = Receiver::start(Vec::new());
    let sent = replay(&path, &receiver.url(), &[]);
    assert_eq!((sent.code, sent.number("accepted")), (Some(0), 40), "{}", sent.log);
    assert_eq!(sent.log.matches("is over --batch-bytes").count(), 1, "{}", sent.log);
    let taken = receiver.taken.lock().unwrap();
    assert!(
        taken.largest > 5 << 20 && taken.largest < 6 << 20 && taken.requests == 15,
        "{} {}",
        taken.largest,
        taken.requests
    );
    drop(taken);
    let sent = replay(&path, &receiver.url(), &["--batch-bytes", "1MiB", "--speed", "1x"]);
    assert_eq!((sent.number("requests"), sent.number("accepted")), (40, 40));
}
