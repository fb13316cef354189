//! Senders that are many, slow, huge or hostile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::common::Chance;
use super::server::{EXPORT, JSON, PROTO, call, connect, framed, json, listen, post, proto};

#[test]
fn a_thousand_connections_are_served() {
    let server = listen(&["--view", "none"]);
    let mut open: Vec<TcpStream> = Vec::new();
    let body = json(1, 1);
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    for _ in 0..1000 {
        // A system that allows fewer files at once still tests as many as it allows.
        let Ok(stream) = TcpStream::connect(server.http) else { break };
        open.push(stream);
    }
    assert!(open.len() > 200);
    for stream in &mut open {
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
    }
    let mut answer = [0; 12];
    for stream in &mut open {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    let wanted = open.len();
    drop(open);
    assert_eq!(server.stop().stopped["spans"], wanted);
}

#[test]
fn who_does_not_go_on_is_cut_off() {
    let server = listen(&["--view", "none", "--request-timeout", "300ms"]);
    let slow: [&[u8]; 4] = [
        b"",
        b"PRI * HTTP/2.0",
        b"POST /v1/traces HTTP/1.1\r\nhost",
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    ];
    for start in slow {
        let mut stream = connect(server.http);
        stream.write_all(start).unwrap();
        let began = Instant::now();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(began.elapsed() < Duration::from_secs(5), "{start:?}");
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(post(server.http, &[JSON], &json(1, 1)).status, 200);
    server.stop();
}

#[test]
fn a_full_house_asks_to_come_again() {
    let server = listen(&["--view", "none", "--max-queue-size", "1000"]);
    let answer = post(server.http, &[JSON], &json(1, 100));
    assert_eq!((answer.status, answer.header("retry-after").as_deref()), (429, Some("1")));
    let called = call(server.grpc, EXPORT, &[], &[framed(0, &proto(1, 100))]).remove(0);
    assert_eq!((called.code, called.details.is_some()), (14, true));
    assert_eq!(post(server.http, &[JSON], &json(1, 1)).status, 200);
    let ended = server.stop();
    assert_eq!((&ended.stopped["deferred"], &ended.stopped["spans"]), (&2.into(), &1.into()));
}

#[test]
fn bombs_stay_small() {
    let server = listen(&["--view", "none"]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![0; 200 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    let squeezed = zstd::encode_all(&vec![0; 200 << 20][..], 1).unwrap();
    for (packing, bomb) in [("gzip", bomb), ("zstd", squeezed)] {
        assert!(bomb.len() < 8 << 20);
        assert_eq!(post(server.http, &[PROTO, ("content-encoding", packing)], &bomb).status, 413);
    }
    if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())) {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak < 400 << 10, "{peak} kB");
    }
    server.stop();
}

/// How many damaged messages each port gets.
fn cases() -> usize {
    if std::env::var_os("TRACECTL_THOROUGH").is_some() { 50_000 } else { 1_000 }
}

/// A message with a few bytes changed, cut or doubled.
fn damage(chance: &mut Chance, whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=chance.below(3) {
        let at = chance.below(bytes.len());
        match chance.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.splice(at..at, whole.iter().take(chance.below(40)).copied()).for_each(drop),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = chance.below(256) as u8),
        }
    }
    bytes
}

#[test]
fn nothing_malformed_takes_it_down() {
    let server = listen(&["--view", "line", "-o", "{}/run.pb"]);
    let mut chance = Chance(7);
    let whole = proto(1, 3);
    let bodies: Vec<_> = (0..cases()).map(|_| framed(0, &damage(&mut chance, &whole))).collect();
    let codes = call(server.grpc, EXPORT, &[], &bodies);
    assert!(codes.iter().all(|called| matches!(called.code, 0 | 3)));
    let headers = [PROTO, JSON];
    let mut stream = connect(server.http);
    for case in 0..cases() {
        let (kind, whole) = if case % 2 == 0 { (headers[0], proto(2, 3)) } else { (headers[1], json(2, 3)) };
        let body = damage(&mut chance, &whole);
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: x\r\n{}: {}\r\ncontent-length: {}\r\n\r\n",
            kind.0,
            kind.1,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        assert!(matches!(status(&mut stream), 200 | 400), "{body:?}");
    }
    for _ in 0..200 {
        let mut stream = connect(if chance.below(2) == 0 { server.http } else { server.grpc });
        let noise: Vec<u8> = (0..chance.below(300)).map(|_| chance.below(256) as u8).collect();
        let _ = stream.write_all(&noise);
    }
    assert_eq!(post(server.http, &[JSON], &json(3, 1)).status, 200);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0));
    let record = super::server::totals(&ended.folder.path().join("run.pb"));
    assert_eq!(record["spans"], ended.stopped["spans"]);
}

/// Reads one answer of a connection that stays open.
fn status(stream: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head.split(' ').nth(1).unwrap().parse().unwrap()
}
