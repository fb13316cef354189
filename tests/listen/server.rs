//! A listener under test, and the smallest clients that can talk to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The path of the trace service.
pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// The media type of protobuf.
pub(crate) const PROTO: (&str, &str) = ("content-type", "application/x-protobuf");
/// The media type of JSON.
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// A listener that runs.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) folder: TempDir,
    log: BufReader<std::process::ChildStderr>,
}

/// How a listener ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) log: String,
    pub(crate) stopped: Value,
    pub(crate) folder: TempDir,
}

/// The program itself.
pub(crate) fn tracectl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracectl"));
    let path = std::env::var("PATH").unwrap_or_default();
    command.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", path).stdin(Stdio::null());
    command
}

/// Starts a listener on free ports; `{}` in an argument stands for its folder.
pub(crate) fn listen(arguments: &[&str]) -> Server {
    listen_in(tempfile::tempdir().unwrap(), arguments)
}

pub(crate) fn listen_in(folder: TempDir, arguments: &[&str]) -> Server {
    let mut command = tracectl();
    command.args(["listen", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log-format", "json"]);
    command.args(arguments.iter().map(|argument| argument.replace("{}", &folder.path().to_string_lossy())));
    command.env("TOKEN", "open sesame").current_dir(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
    let address = |name: &str| ready[name].as_str().unwrap().parse().unwrap();
    Server { child, grpc: address("grpc"), http: address("http"), folder, log }
}

impl Server {
    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Takes away what it prints, so that it never waits for a reader.
    pub(crate) fn drain(&mut self) -> std::thread::JoinHandle<()> {
        let mut out = self.child.stdout.take().unwrap();
        std::thread::spawn(move || drop(std::io::copy(&mut out, &mut std::io::sink())))
    }

    /// Tells it to stop and waits.
    pub(crate) fn stop(self) -> Ended {
        kill_process(self.pid(), Signal::TERM).unwrap();
        self.wait()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self) -> Ended {
        let (mut out, mut log) = (String::new(), String::new());
        let stdout = self.child.stdout.take();
        let reader = std::thread::spawn(move || {
            stdout.map(|mut stdout| stdout.read_to_string(&mut out).unwrap());
            out
        });
        self.log.read_to_string(&mut log).unwrap();
        let out = reader.join().unwrap();
        let code = self.child.wait().unwrap().code();
        let last = log.lines().rfind(|line| line.contains("\"stopped\""));
        let stopped = last.map(|line| serde_json::from_str(line).unwrap()).unwrap_or_default();
        Ended { code, out, log, stopped, folder: self.folder }
    }

    /// Kills it at once.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.folder
    }
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// One request over HTTP/1.1 on a connection of its own.
pub(crate) fn send(to: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = connect(to);
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "transfer-encoding") {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    // Who is refused early may find the door closed while still talking.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("no answer"));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: answer[end + 4..].to_vec() }
}

pub(crate) fn post(to: SocketAddr, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    send(to, "POST", "/v1/traces", headers, body)
}

pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// How a call of gRPC ended.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) code: u8,
    pub(crate) details: Option<String>,
    pub(crate) message: Bytes,
}

/// Calls one after another on one connection.
pub(crate) fn call(to: SocketAddr, path: &str, headers: &[(&str, &str)], bodies: &[Vec<u8>]) -> Vec<Called> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(to).await.unwrap();
        let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = shaken.await.unwrap();
        tokio::spawn(connection);
        let mut answers = Vec::new();
        for body in bodies {
            let mut request = http::Request::post(format!("http://{to}{path}")).header("te", "trailers");
            for (name, value) in [("content-type", "application/grpc")].iter().chain(headers) {
                request = request.header(*name, *value);
            }
            sender.ready().await.unwrap();
            let request = request.body(Full::new(Bytes::from(body.clone()))).unwrap();
            answers.push(called(sender.send_request(request).await.unwrap()).await);
        }
        answers
    })
}

/// Calls at the same time on one connection.
pub(crate) fn call_together(to: SocketAddr, path: &str, bodies: Vec<Vec<u8>>) -> Vec<Called> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(to).await.unwrap();
        let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = shaken.await.unwrap();
        tokio::spawn(connection);
        let mut answers = Vec::new();
        for body in bodies {
            let request = http::Request::post(format!("http://{to}{path}")).header("te", "trailers");
            let request = request.header("content-type", "application/grpc").body(Full::new(Bytes::from(body)));
            sender.ready().await.unwrap();
            let answer = sender.send_request(request.unwrap());
            answers.push(tokio::spawn(async { called(answer.await.unwrap()).await }));
        }
        let mut all = Vec::new();
        for answer in answers {
            all.push(answer.await.unwrap());
        }
        all
    })
}

async fn called(response: http::Response<hyper::body::Incoming>) -> Called {
    assert_eq!(response.status(), 200);
    let text = |headers: &http::HeaderMap, name: &str| headers.get(name).map(|v| v.to_str().unwrap().to_owned());
    let early = text(response.headers(), "grpc-status");
    let details = text(response.headers(), "grpc-status-details-bin");
    let body = response.into_body().collect().await.unwrap();
    let late = body.trailers().and_then(|trailers| text(trailers, "grpc-status"));
    let message = body.to_bytes();
    Called { code: early.or(late).unwrap().parse().unwrap(), details, message: message.slice(message.len().min(5)..) }
}

/// A message as gRPC sends it.
pub(crate) fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// A request of JSON with so many spans, of a trace of its own.
pub(crate) fn json(trace: u64, spans: u64) -> Vec<u8> {
    let span = |number: u64| {
        let parent = if number == 1 { String::new() } else { format!("{:016x}", 1) };
        format!(
            r#"{{"traceId":"{trace:032x}","spanId":"{number:016x}","parentSpanId":"{parent}","name":"work","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000001000"}}"#
        )
    };
    let spans: Vec<_> = (1..=spans).map(span).collect();
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},"scopeSpans":[{{"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    )
    .into_bytes()
}

/// The same as protobuf.
pub(crate) fn proto(trace: u64, spans: u64) -> Vec<u8> {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    let span = |number: u64| Span {
        trace_id: u128::from(trace).to_be_bytes().to_vec(),
        span_id: number.to_be_bytes().to_vec(),
        parent_span_id: if number == 1 { Vec::new() } else { 1u64.to_be_bytes().to_vec() },
        name: "work".into(),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_000_001_000,
        ..Span::default()
    };
    let scope = ScopeSpans { spans: (1..=spans).map(span).collect(), ..ScopeSpans::default() };
    let group = ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() };
    prost::Message::encode_to_vec(&ExportTraceServiceRequest { resource_spans: vec![group] })
}

/// Totals of a record, by the program itself.
pub(crate) fn totals(record: &Path) -> Value {
    let output = tracectl().args(["stats", "--format", "json"]).arg(record).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    report["totals"].clone()
}
