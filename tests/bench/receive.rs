//! Sends requests as fast as a receiver takes them: `cargo bench --bench receive -- grpc|http ADDRESS FILE.pb CONNECTIONS REPEATS`.
//! The file holds requests behind their lengths, as `generate` writes them. Prints one JSON object; `receive.py` adds what the
//! receiver itself has spent.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::net::TcpStream;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// What is sent, and how far that has come.
struct Load {
    grpc: bool,
    address: String,
    bodies: Vec<Bytes>,
    total: usize,
    next: AtomicUsize,
    failed: AtomicUsize,
}

enum Connection {
    First(http1::SendRequest<Full<Bytes>>),
    Second(http2::SendRequest<Full<Bytes>>),
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [protocol, address, file, connections, repeats] = arguments.as_slice() else {
        return writeln!(
            io::stderr(),
            "usage: cargo bench --bench receive -- grpc|http ADDRESS FILE.pb CONNECTIONS REPEATS"
        );
    };
    let number = |text: &str| text.parse::<usize>().map_err(io::Error::other);
    let messages = messages(Bytes::from(std::fs::read(file)?))?;
    let spans = messages.iter().map(spans).sum::<io::Result<usize>>()? * number(repeats)?;
    let grpc = protocol == "grpc";
    let bodies: Vec<Bytes> = if grpc { messages.into_iter().map(framed).collect() } else { messages };
    let total = bodies.len() * number(repeats)?;
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let load = Arc::new(Load { grpc, address: address.clone(), bodies, total, next, failed });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let began = Instant::now();
    let mut took = runtime.block_on(send(&load, number(connections)?))?;
    let seconds = began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
    let failed = load.failed.load(Relaxed);
    writeln!(
        io::stdout(),
        "{}",
        serde_json::json!({ "spans": spans, "seconds": seconds, "p50_ms": at(50), "p99_ms": at(99), "failed": failed })
    )
}

/// Cuts a file into its messages.
fn messages(mut file: Bytes) -> io::Result<Vec<Bytes>> {
    let mut messages = Vec::new();
    while let Some(length) = file.first_chunk::<4>() {
        let end = 4 + u32::from_be_bytes(*length) as usize;
        if end > file.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        messages.push(file.split_to(end).slice(4..));
    }
    Ok(messages)
}

fn spans(message: &Bytes) -> io::Result<usize> {
    let request = ExportTraceServiceRequest::decode(&message[..]).map_err(io::Error::other)?;
    Ok(request.resource_spans.iter().flat_map(|group| &group.scope_spans).map(|scope| scope.spans.len()).sum())
}

fn framed(message: Bytes) -> Bytes {
    let mut out = BytesMut::with_capacity(5 + message.len());
    out.put_u8(0);
    out.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    out.put_slice(&message);
    out.freeze()
}

/// Sends everything over so many connections; says how long each request took.
async fn send(load: &Arc<Load>, connections: usize) -> io::Result<Vec<Duration>> {
    let senders: Vec<_> = (0..connections).map(|_| tokio::spawn(one(Arc::clone(load)))).collect();
    let mut took = Vec::new();
    for sender in senders {
        took.extend(sender.await??);
    }
    Ok(took)
}

async fn one(load: Arc<Load>) -> io::Result<Vec<Duration>> {
    let mut connection = connect(&load).await?;
    let mut took = Vec::new();
    loop {
        let number = load.next.fetch_add(1, Relaxed);
        if number >= load.total {
            return Ok(took);
        }
        let body = load.bodies.get(number % load.bodies.len()).cloned().unwrap_or_default();
        let began = Instant::now();
        if !connection.send(&load, body).await.map_err(io::Error::other)? {
            load.failed.fetch_add(1, Relaxed);
        }
        took.push(began.elapsed());
    }
}

async fn connect(load: &Load) -> io::Result<Connection> {
    let stream = TcpStream::connect(&load.address).await?;
    stream.set_nodelay(true)?;
    let stream = TokioIo::new(stream);
    if load.grpc {
        let shaken = http2::handshake(TokioExecutor::new(), stream).await;
        let (sender, driver) = shaken.map_err(io::Error::other)?;
        tokio::spawn(driver);
        return Ok(Connection::Second(sender));
    }
    let (sender, driver) = http1::handshake(stream).await.map_err(io::Error::other)?;
    tokio::spawn(driver);
    Ok(Connection::First(sender))
}

impl Connection {
    /// Sends one request; `true` when it was taken.
    async fn send(&mut self, load: &Load, body: Bytes) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let response = match self {
            Self::First(sender) => {
                let request = Request::post("/v1/traces")
                    .header(header::HOST, &load.address)
                    .header(header::CONTENT_TYPE, "application/x-protobuf");
                sender.ready().await?;
                sender.send_request(request.body(Full::new(body))?).await?
            }
            Self::Second(sender) => {
                let request = Request::post(format!("http://{}{EXPORT}", load.address))
                    .header(header::CONTENT_TYPE, "application/grpc")
                    .header(header::TE, "trailers");
                sender.ready().await?;
                sender.send_request(request.body(Full::new(body))?).await?
            }
        };
        let taken = response.status().is_success() && !response.headers().contains_key("grpc-status");
        response.into_body().collect().await?;
        Ok(taken)
    }
}
