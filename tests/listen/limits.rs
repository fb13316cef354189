//! Senders that are many, slow, huge or hostile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

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
