//! A receiver of OTLP over HTTP that does what a script says, and remembers what it took.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use super::server::tracectl;

/// What is done with one request. When the script is over, everything is taken.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Take it and say so.
    Take,
    /// Take it, and answer with these headers and this body.
    TakeWith(&'static str, Vec<u8>),
    /// Refuse it with this status and these headers.
    Refuse(&'static str, &'static str),
    /// Close the connection without having taken it.
    Reset,
    /// Take it and close the connection: the answer is lost.
    TakeAndReset,
    /// Say nothing for so long, without having taken it.
    Hang(Duration),
    /// Take it and say so, after so long.
    TakeAfter(Duration),
    /// Answer with something that is not HTTP.
    Say(&'static [u8]),
}

/// What the receiver remembers.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// How often each span was taken, by trace and span id.
    pub(crate) spans: BTreeMap<(Vec<u8>, Vec<u8>), u32>,
    /// Requests that arrived, taken or not.
    pub(crate) requests: u32,
    /// The largest of them.
    pub(crate) largest: usize,
    pub(crate) heads: Vec<String>,
}

impl Taken {
    /// How many spans there are, and how many of them more than once.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.spans.len(), self.spans.values().filter(|times| **times > 1).count())
    }
}

/// The receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    pub(crate) taken: Arc<Mutex<Taken>>,
    script: Arc<Mutex<std::vec::IntoIter<Act>>>,
}

impl Receiver {
    /// Starts one that goes on as long as the test.
    pub(crate) fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(Mutex::new(Taken::default()));
        let script = Arc::new(Mutex::new(script.into_iter()));
        let (shared, acts) = (Arc::clone(&taken), Arc::clone(&script));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, taken) = (Arc::clone(&acts), Arc::clone(&shared));
                std::thread::spawn(move || while let Some(true) = serve(&stream, &script, &taken) {});
            }
        });
        Self { address, taken, script }
    }

    /// What comes next, in the place of what was to come.
    pub(crate) fn then(&self, script: Vec<Act>) {
        *self.script.lock().unwrap() = script.into_iter();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves one request; nothing or `false` when the connection is over.
fn serve(stream: &TcpStream, script: &Mutex<std::vec::IntoIter<Act>>, taken: &Mutex<Taken>) -> Option<bool> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let act = script.lock().unwrap().next().unwrap_or(Act::Take);
    let takes = matches!(act, Act::Take | Act::TakeWith(..) | Act::TakeAndReset);
    remember(taken, head, &body, takes);
    if let Act::TakeAfter(time) = act {
        std::thread::sleep(time);
        count(taken, &body);
    }
    let answer = |status: &str, headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
        let mut stream = stream;
        stream.write_all(&[head.as_bytes(), body].concat()).is_ok()
    };
    Some(match act {
        Act::Take | Act::TakeAfter(_) => answer("200 OK", "content-type: application/x-protobuf\r\n", b""),
        Act::TakeWith(headers, body) => answer("200 OK", headers, &body),
        Act::Refuse(status, headers) => answer(status, headers, b""),
        Act::Reset | Act::TakeAndReset => {
            stream.shutdown(std::net::Shutdown::Both).unwrap();
            false
        }
        Act::Say(words) => {
            let mut stream = stream;
            stream.write_all(words).unwrap();
            false
        }
        Act::Hang(time) => {
            std::thread::sleep(time);
            false
        }
    })
}

fn remember(taken: &Mutex<Taken>, head: String, body: &[u8], takes: bool) {
    if takes {
        count(taken, body);
    }
    let mut taken = taken.lock().unwrap();
    taken.requests += 1;
    taken.largest = taken.largest.max(body.len());
    taken.heads.push(head);
}

fn count(taken: &Mutex<Taken>, body: &[u8]) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut taken = taken.lock().unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|group| group.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        *taken.spans.entry((span.trace_id, span.span_id)).or_default() += 1;
    }
}

/// How a replay ended.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) code: Option<i32>,
    pub(crate) log: String,
    pub(crate) sent: Value,
}

impl Replayed {
    /// A number of the last line.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.sent[name].as_u64().unwrap_or_else(|| panic!("{name}: {}", self.log))
    }
}

/// Replays a file.
pub(crate) fn replay(input: &Path, to: &str, arguments: &[&str]) -> Replayed {
    let mut command = tracectl();
    command.arg("replay").arg(input).args(["--to", to, "--log-format", "json"]).args(arguments);
    ended(&command.output().unwrap())
}

pub(crate) fn ended(output: &std::process::Output) -> Replayed {
    let log = String::from_utf8(output.stderr.clone()).unwrap();
    let sent = log.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    Replayed { code: output.status.code(), log, sent }
}

/// A capture of so many spans, 10 a line, one trace each.
pub(crate) fn capture(folder: &Path, spans: u64) -> std::path::PathBuf {
    let path = folder.join("capture.jsonl");
    let lines: Vec<Vec<u8>> =
        (1..=spans.div_ceil(10)).map(|trace| super::server::json(trace, 10.min(spans - (trace - 1) * 10))).collect();
    std::fs::write(&path, lines.join(&b"\n"[..])).unwrap();
    path
}
