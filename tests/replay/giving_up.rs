//! Receivers that cannot be helped: they are given up on at once, nobody is asked more often than it wants, and nothing gets lost.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::receiver::{Act, Receiver, capture, ended, replay};
use super::server::tracectl;

const SMALL: [&str; 2] = ["--batch-spans", "10"];
const ALONE: [&str; 4] = ["--batch-spans", "10", "--concurrency", "1"];
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn a_wait_that_is_asked_for_is_kept_by_all() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(vec![Act::Refuse("429 Too Many Requests", "retry-after: 2\r\n")]);
    let sent = replay(&capture(folder.path(), 400), &receiver.url(), &[&SMALL[..], &["--retry-for", "500ms"]].concat());
    assert_eq!((sent.code, sent.number("accepted"), sent.number("failed")), (Some(0), 400, 0), "{}", sent.log);
    assert!(sent.log.contains("as it asked, trying again in 2 s"), "{}", sent.log);
    assert_eq!(receiver.taken.lock().unwrap().requests, 41);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (400, 0));
}

#[test]
fn a_wait_beyond_all_patience_ends_the_run_and_another_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 1000);
    let journal = folder.path().join("journal");
    let options = [&ALONE[..], &["--resume", journal.to_str().unwrap()]].concat();
    let script = vec![Act::Take, Act::Refuse("503 Service Unavailable", "retry-after: 3600\r\n")];
    let receiver = Receiver::start(script);
    let first = replay(&input, &receiver.url(), &options);
    let numbers = ["accepted", "failed", "stopped_at"].map(|name| first.number(name));
    assert_eq!((first.code, numbers), (Some(1), [10, 10, 2]), "{}", first.log);
    assert!(first.log.contains("asks to come again in 3600s") && first.sent["given_up"] == true, "{}", first.log);
    assert_eq!(receiver.taken.lock().unwrap().requests, 2);
    let second = replay(&input, &receiver.url(), &options);
    assert_eq!((second.code, second.number("accepted")), (Some(0), 990), "{}", second.log);
    assert_eq!((second.number("resumed_past"), second.number("maybe_twice")), (10, 0));
    assert_eq!(receiver.taken.lock().unwrap().counts(), (1000, 0));
    assert!(!journal.exists());
}

#[test]
fn what_a_receiver_rejects_half_way_is_sent_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 100);
    let journal = folder.path().join("journal");
    let options = [&ALONE[..], &["--resume", journal.to_str().unwrap()]].concat();
    let refuse = |status| Act::Refuse(status, "");
    let script = vec![Act::Take, refuse("400 Bad Request"), Act::Take, refuse("401 Unauthorized")];
    let receiver = Receiver::start(script);
    let first = replay(&input, &receiver.url(), &options);
    // Whoever is not known with one request is not known with the next.
    let numbers = ["accepted", "rejected", "stopped_at"].map(|name| first.number(name));
    assert_eq!((first.code, numbers), (Some(1), [20, 20, 4]), "{}", first.log);
    let second = replay(&input, &receiver.url(), &options);
    let numbers = ["accepted", "resumed_past", "maybe_twice"].map(|name| second.number(name));
    assert_eq!((second.code, numbers), (Some(0), [80, 20, 0]), "{}", second.log);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (100, 0));
    assert!(!journal.exists());
}

#[test]
fn who_is_not_there_is_not_asked_forever_and_the_dead_letters_hold_everything() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 1000);
    let forever = replay(&input, NOBODY, &[&SMALL[..], &["--repeat", "forever", "--retry-for", "200ms"]].concat());
    assert_eq!((forever.code, &forever.sent["given_up"]), (Some(1), &true.into()), "{}", forever.log);
    assert!(forever.number("spans") <= 40, "{}", forever.log);
    let dead = folder.path().join("dead.pb.zst");
    let letters = ["--retry-for", "0", "--dead-letter", dead.to_str().unwrap()];
    let sent = replay(&input, NOBODY, &[&SMALL[..], &letters].concat());
    let numbers = ["spans", "failed", "dead_letters"].map(|name| sent.number(name));
    assert_eq!((sent.code, numbers), (Some(1), [1000; 3]), "{}", sent.log);
    assert!(sent.sent["stopped_at"].is_null(), "{}", sent.log);
    let held = std::fs::read(&dead).unwrap();
    let again = replay(&input, NOBODY, &[&SMALL[..], &letters].concat());
    assert!(again.code == Some(2) && again.log.contains("holds something"), "{}", again.log);
    assert_eq!(std::fs::read(&dead).unwrap(), held);
    let receiver = Receiver::start(Vec::new());
    let sent = replay(&dead, &receiver.url(), &[]);
    assert_eq!((sent.code, sent.number("accepted")), (Some(0), 1000), "{}", sent.log);
    let one = replay(&input, NOBODY, &["--dead-letter", "x.pb", "--resume", "x.pb"]);
    assert!(one.code == Some(2) && one.log.contains("cannot be one file"), "{}", one.log);
}

#[test]
fn who_does_not_speak_otlp_is_told_apart_at_the_first_answer() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 100);
    let page = Act::TakeWith("content-type: text/html\r\n", b"<html>".to_vec());
    let speech = Act::Say(b"SSH-2.0-OpenSSH_9.6\r\n");
    for (act, options, said) in [
        (page, &[][..], "text/html, not OTLP"),
        (speech, &[], "begins with 'SSH-2.0-OpenSSH_9.6"),
        (Act::Refuse("404 Not Found", ""), &[], "is the URL right?"),
        (Act::Take, &["--protocol", "grpc"], "--protocol http/protobuf"),
    ] {
        let receiver = Receiver::start(vec![act]);
        let sent = replay(&input, &receiver.url(), &[&ALONE[..], options].concat());
        assert_eq!((sent.code, sent.number("accepted"), sent.number("retries")), (Some(1), 0, 0), "{}", sent.log);
        assert!(sent.log.contains(said) && sent.sent["given_up"] == true, "{said}: {}", sent.log);
        assert_eq!(receiver.taken.lock().unwrap().requests, 1, "{said}");
    }
}

#[test]
fn a_killed_run_doubts_only_what_it_had_begun_to_send() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 500);
    let journal = folder.path().join("journal");
    let options = [&ALONE[..], &["--resume", journal.to_str().unwrap()]].concat();
    let receiver = Receiver::start(vec![Act::Take, Act::Hang(Duration::from_secs(60))]);
    let mut command = tracectl();
    command.arg("replay").arg(&input).args(["--to", &receiver.url()]).args(&options);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    while receiver.taken.lock().unwrap().requests < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The answer to the request that is sent again is lost, too, and another is.
    receiver.then(vec![Act::Reset, Act::Take, Act::TakeAndReset]);
    let sent = replay(&input, &receiver.url(), &options);
    let numbers = ["accepted", "resumed_past", "maybe_twice"].map(|name| sent.number(name));
    assert_eq!((sent.code, numbers), (Some(0), [490, 10, 20]), "{}", sent.log);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (500, 10));
}

#[test]
fn doubts_of_all_runs_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 50);
    let journal = folder.path().join("journal");
    let options = [&ALONE[..], &["--resume", journal.to_str().unwrap()]].concat();
    let receiver = Receiver::start(vec![Act::TakeAndReset, Act::Take, Act::Refuse("401 Unauthorized", "")]);
    let first = replay(&input, &receiver.url(), &options);
    assert_eq!((first.code, first.number("maybe_twice")), (Some(1), 10), "{}", first.log);
    let second = replay(&input, &receiver.url(), &options);
    assert_eq!((second.code, second.number("maybe_twice")), (Some(0), 10), "{}", second.log);
    assert_eq!(receiver.taken.lock().unwrap().counts(), (50, 10));
}

#[test]
fn an_interrupt_begins_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 1000);
    let receiver = Receiver::start(vec![Act::TakeAfter(Duration::from_secs(2)); 4]);
    let mut command = tracectl();
    command.arg("replay").arg(&input).args(["--to", &receiver.url(), "--log-format", "json"]).args(SMALL);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    while receiver.taken.lock().unwrap().requests < 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let (mut said, mut rest) = (String::new(), String::new());
    while !said.contains("interrupted") {
        said.clear();
        assert!(log.read_line(&mut said).unwrap() > 0);
    }
    assert!(said.contains("finishing 4 requests under way; press Ctrl-C again"), "{said}");
    // It was said before they were over.
    assert_eq!(receiver.taken.lock().unwrap().counts().0, 0);
    log.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    let sent = ended(&std::process::Output { status, stdout: Vec::new(), stderr: rest.into_bytes() });
    let numbers = ["spans", "accepted", "requests", "failed", "interrupted_at"].map(|name| sent.number(name));
    assert_eq!((sent.code, numbers), (Some(1), [40, 40, 4, 0, 4]), "{}", sent.log);
    assert_eq!(receiver.taken.lock().unwrap().requests, 4);
}

#[test]
fn a_journal_notices_that_an_input_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = folder.path().join("inputs");
    std::fs::create_dir(&inputs).unwrap();
    let first = capture(&inputs, 20);
    let journal = folder.path().join("journal");
    let resume = ["--resume", journal.to_str().unwrap(), "--since", "1000000h", "--retry-for", "0"];
    for input in [inputs.clone(), inputs.join("*.jsonl")] {
        let receiver = Receiver::start(vec![Act::Refuse("503 Service Unavailable", "")]);
        let options = [&ALONE[..], &resume].concat();
        assert_eq!(replay(&input, &receiver.url(), &options).code, Some(1));
        // Times that count from now mean what they meant then.
        receiver.then(vec![Act::Refuse("503 Service Unavailable", "")]);
        assert_eq!(replay(&input, &receiver.url(), &options).number("resumed_past"), 10);
        std::fs::write(inputs.join("a.jsonl"), std::fs::read(&first).unwrap()).unwrap();
        let changed = replay(&input, &receiver.url(), &options);
        assert!(changed.code == Some(2) && changed.log.contains("an input has changed"), "{}", changed.log);
        std::fs::remove_file(inputs.join("a.jsonl")).unwrap();
        std::fs::remove_file(&journal).unwrap();
    }
    let inside = replay(&inputs, NOBODY, &["--dead-letter", inputs.join("dead.pb").to_str().unwrap()]);
    assert!(inside.code == Some(2) && inside.log.contains("is an input"), "{}", inside.log);
}

#[test]
fn a_low_rate_begins_slowly_and_users_in_urls_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 100);
    let dry = |rate: &str| {
        let mut command = tracectl();
        command.arg("replay").arg(&input).args(["--dry-run", "--log-format", "json", "--rate", rate]);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let requests = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        requests.take(2).map(|request| (request["spans"].clone(), request["due_ns"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(dry("20/s"), [(2.into(), 0.into()), (2.into(), 100_000_000.into())]);
    assert_eq!(dry("0.5"), [(1.into(), 0.into()), (1.into(), 2_000_000_000u64.into())]);
    let receiver = Receiver::start(Vec::new());
    let sent = replay(&input, &receiver.url().replace("//", "//ann:secret@"), &[]);
    assert_eq!(sent.code, Some(0), "{}", sent.log);
    assert!(!sent.log.contains("secret"));
    assert!(receiver.taken.lock().unwrap().heads[0].to_lowercase().contains("authorization: basic yw5uonnly3jlda=="));
}

#[test]
fn what_others_call_it_is_understood_as_a_slip() {
    for (arguments, meant) in [
        (&["--endpoint", NOBODY][..], "'--to'"),
        (&["--url", NOBODY], "'--to'"),
        (&["--loop"], "'--repeat'"),
        (&["--speed", "mx"], "did you mean 'max'?"),
        (&["--repeat", "forevr"], "did you mean 'forever'?"),
        (&["--protocol", "gprc"], "did you mean 'grpc'?"),
        (&["--compression", "gzp"], "did you mean 'gzip'?"),
        (&["--pace", "traces"], "did you mean 'trace'?"),
        (&["--batch-bytes", "0"], "some bytes"),
    ] {
        let mut command = tracectl();
        let output = command.args(["replay", "x.jsonl"]).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(meant), "{arguments:?}: {said}");
    }
}

#[test]
fn what_did_not_arrive_is_said_however_quiet_it_is_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let input = capture(folder.path(), 100);
    let dead = folder.path().join("dead.pb");
    let receiver = Receiver::start(vec![Act::Take, Act::Refuse("401 Unauthorized", "")]);
    let letters = [&ALONE[..], &["--dead-letter", dead.to_str().unwrap()]].concat();
    let given_up = replay(&input, &receiver.url(), &letters);
    let numbers = ["accepted", "rejected", "failed", "requests"].map(|name| given_up.number(name));
    assert_eq!((given_up.code, numbers), (Some(1), [10, 10, 80, 2]), "{}", given_up.log);
    for (more, quiet) in [(&["-q"][..], true), (&[], false)] {
        std::fs::remove_file(&dead).unwrap();
        let receiver = Receiver::start(vec![Act::Take, Act::Refuse("401 Unauthorized", "")]);
        let mut command = tracectl();
        command.args(["replay", input.to_str().unwrap(), "--to", &receiver.url()]).args(&letters).args(more);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        for words in ["rejected: HTTP 401", "10 accepted, 10 rejected, 80 not delivered", "given up before request 3"] {
            assert!(said.contains(words), "{words}, quiet: {quiet}: {said}");
        }
        assert!(!said.contains("--resume"), "the rest is in the file of dead letters: {said}");
    }
}
