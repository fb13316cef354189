//! What `listen --forward` passes on, and what it says when it cannot.

use std::time::Duration;

use super::receiver::{Act, Receiver};
use super::server::{PROTO, json, listen, post, proto};

/// Waits until something has come true.
fn until(what: impl Fn() -> bool) {
    for _ in 0..1000 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came true");
}

#[test]
fn both_encodings_are_passed_on_over_grpc() {
    let behind = listen(&["--view", "none", "--max-spans", "6"]);
    let mut command = super::server::tracectl();
    command.args(["listen", "--grpc", "127.0.0.1:0", "--http", "unix:front.sock", "--view", "none"]);
    command.args(["--forward", &format!("http://{}", behind.grpc), "--max-spans", "6", "--log-format", "json"]);
    let folder = tempfile::tempdir().unwrap();
    command.current_dir(folder.path()).env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let socket = folder.path().join("front.sock");
    until(|| std::os::unix::net::UnixStream::connect(&socket).is_ok());
    let path = folder.path().join("capture.jsonl");
    std::fs::write(&path, json(1, 3)).unwrap();
    for protocol in ["http/json", "http/protobuf"] {
        let sent = super::receiver::replay(&path, &format!("unix:{}", socket.display()), &["--protocol", protocol]);
        assert_eq!((sent.code, sent.number("accepted")), (Some(0), 3), "{}", sent.log);
    }
    let log = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(log.contains("\"forwarded\":2") && log.contains("\"not_forwarded\":0"), "{log}");
    assert_eq!(behind.wait().stopped["spans"], 6);
}

#[test]
fn a_receiver_in_trouble_never_stands_in_the_way() {
    let script =
        vec![Act::Refuse("503 Service Unavailable", ""), Act::Take, Act::Refuse("400 Bad Request", ""), Act::Take];
    let behind = Receiver::start(script);
    let front = listen(&["--view", "none", "-o", "{}/record.jsonl", "--forward", &behind.url()]);
    for round in 1..=3 {
        assert_eq!(post(front.http, &[PROTO], &proto(round, 2)).status, 200);
        until(|| behind.taken.lock().unwrap().requests as u64 > round);
    }
    let ended = front.stop();
    assert_eq!((&ended.stopped["forwarded"], &ended.stopped["not_forwarded"]), (&2.into(), &1.into()), "{}", ended.log);
    assert!(ended.log.contains("cannot forward") && ended.log.contains("forwarding again"), "{}", ended.log);
    assert_eq!(behind.taken.lock().unwrap().counts(), (4, 0));
}

#[test]
fn what_waits_when_listening_ends_is_counted() {
    let behind = Receiver::start(vec![Act::Hang(Duration::from_secs(30)); 8]);
    let front = listen(&["--view", "none", "-o", "{}/record.jsonl", "--forward", &behind.url()]);
    for round in 1..=6 {
        assert_eq!(post(front.http, &[PROTO], &proto(round, 2)).status, 200);
    }
    let ended = front.stop();
    assert_eq!((&ended.stopped["spans"], &ended.stopped["not_forwarded"]), (&12.into(), &6.into()), "{}", ended.log);
}
