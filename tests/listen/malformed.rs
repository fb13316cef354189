//! Bytes that are no request, or nearly one, on both ports.
//!
//! Comes in: valid requests, cut, flipped, spliced and doubled: their messages, their packing, their headers, their frames. Goes
//! out: proof that each is answered or its connection closed, and that the listener goes on, small and right. 20,000 cases by
//! default, 100,000 with `TRACECTL_THOROUGH=1`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::common::Chance;
use super::server::{EXPORT, Server, call_together, connect, framed, json, listen, post, proto, totals};

/// Cases in all.
fn cases() -> usize {
    if std::env::var_os("TRACECTL_THOROUGH").is_some() { 100_000 } else { 20_000 }
}

/// Requests that are sent before their answers are read.
const TOGETHER: usize = 50;
/// What the listener may need at most while all this goes on.
const MEMORY: u64 = 200 << 10;

/// A message with a few pieces cut, changed, doubled or taken from another.
fn damage(chance: &mut Chance, whole: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=chance.below(3) {
        let at = chance.below(bytes.len());
        let to = (at + chance.below(40)).min(bytes.len());
        match chance.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let from = chance.below(other.len());
                bytes.splice(at..to, other.iter().skip(from).take(to - at).copied()).for_each(drop);
            }
            3 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again).for_each(drop);
            }
            4 => bytes.iter_mut().skip(at).take(chance.below(10)).for_each(|byte| *byte = 0xff),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = chance.below(256) as u8),
        }
    }
    bytes
}

fn packed(how: &str, bytes: &[u8]) -> Vec<u8> {
    match how {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "zstd" => zstd::encode_all(bytes, 1).unwrap(),
        _ => bytes.to_vec(),
    }
}

/// A request of HTTP/1.1 with a head that fits its body.
fn posted(media: &str, how: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: {media}\r\ncontent-encoding: {how}\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

const MEDIA: [&str; 2] = ["application/x-protobuf", "application/json"];
const PACKINGS: [&str; 4] = ["identity", "gzip", "deflate", "zstd"];

/// Damaged bodies behind whole heads: each has an answer, and the connection stays.
fn bodies(to: SocketAddr, seed: u64, cases: usize) {
    let mut chance = Chance(seed);
    let whole = [proto(1, 3), json(1, 3)];
    let mut stream = BufReader::new(connect(to));
    for _ in 0..cases / TOGETHER {
        let mut requests = Vec::new();
        for _ in 0..TOGETHER {
            let (media, how) = (chance.below(2), PACKINGS[chance.below(PACKINGS.len())]);
            // Half of them are damaged within their packing, half outside.
            let body = match chance.below(2) {
                0 => packed(how, &damage(&mut chance, &whole[media], &whole[1 - media])),
                _ => damage(&mut chance, &packed(how, &whole[media]), &whole[media]),
            };
            requests.extend(posted(MEDIA[media], how, &body));
        }
        stream.get_mut().write_all(&requests).unwrap();
        for _ in 0..TOGETHER {
            let status = status(&mut stream);
            assert!(matches!(status, 200 | 400), "{status}");
        }
    }
}

/// Reads one answer of a connection that stays open.
fn status(stream: &mut BufReader<TcpStream>) -> u16 {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.parse().unwrap();
        } else if line.is_empty() {
            stream.read_exact(&mut vec![0; length]).unwrap();
            return status;
        }
    }
}

/// Damaged messages and damaged frames of gRPC in calls that are whole.
fn messages(to: SocketAddr, seed: u64, cases: usize) {
    let mut chance = Chance(seed);
    let (whole, other) = (framed(0, &proto(2, 3)), json(2, 3));
    for _ in 0..cases / TOGETHER {
        let bodies = (0..TOGETHER).map(|_| match chance.below(3) {
            0 => damage(&mut chance, &whole, &other),
            _ => framed(0, &damage(&mut chance, &whole[5..], &other)),
        });
        for called in call_together(to, EXPORT, bodies.collect()) {
            assert!(matches!(called.code, 0 | 3), "{called:?}");
        }
    }
}

/// Whole connections, damaged anywhere, on a connection each. Says how many of them got any answer.
fn connections(to: SocketAddr, seed: u64, cases: usize, whole: &[u8], other: &[u8]) -> usize {
    let mut chance = Chance(seed);
    let mut answered = 0;
    for case in 0..cases {
        let mut stream = connect(to);
        let bytes = if case == 0 { whole.to_vec() } else { damage(&mut chance, whole, other) };
        // The listener may close before everything is written.
        let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it hangs: {bytes:?}"),
            _ => answered += usize::from(!answer.is_empty()),
        }
    }
    answered
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A connection of HTTP/2 with one call on it: preface, settings, headers, data.
fn called() -> Vec<u8> {
    let field = |name: &str, value: &str| {
        [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
    };
    let fields = [
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":path", EXPORT),
        field(":authority", "x"),
        field("content-type", "application/grpc"),
        field("te", "trailers"),
    ];
    let message = framed(0, &proto(3, 3));
    let frames = [frame(4, 0, 0, &[]), frame(1, 4, 1, &fields.concat()), frame(0, 1, 1, &message)];
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frames.concat()].concat()
}

fn memory(server: &Server) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn nothing_malformed_takes_it_down() {
    let mut server = listen(&["--view", "line", "--settle", "100ms", "-o", "{}/run.pb"]);
    let drain = server.drain();
    let ports = [server.grpc, server.http];
    let part = cases() / 8;
    let first = posted(MEDIA[1], "identity", &json(4, 3));
    let second = called();
    std::thread::scope(|scope| {
        for (port, seed) in ports.into_iter().zip([7, 8]) {
            let (first, second) = (&first, &second);
            scope.spawn(move || {
                bodies(port, seed, part);
                assert!(connections(port, seed + 10, part, first, second) > part / 2);
            });
            scope.spawn(move || {
                messages(port, seed + 20, part);
                assert!(connections(port, seed + 30, part, second, first) > part / 2);
            });
        }
    });
    for port in ports {
        assert_eq!(post(port, &[("content-type", MEDIA[1])], &json(5, 1)).status, 200);
    }
    let peak = memory(&server);
    assert!(peak.is_none_or(|peak| peak < MEMORY), "{peak:?} kB");
    let ended = server.stop();
    drain.join().unwrap();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stopped["rejected"].as_u64().unwrap() > cases() as u64 / 20, "{}", ended.stopped);
    // What was damaged and is sound all the same is in the record, and nothing else.
    assert_eq!(totals(&ended.folder.path().join("run.pb"))["spans"], ended.stopped["spans"]);
}
