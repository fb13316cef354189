//! What happens to one request: who sends it, where to, is it sound, is it written, what is the answer.
//!
//! Comes in: a request of HTTP/1.1 or HTTP/2 with a body that has not arrived yet. Goes out: an answer of OTLP over HTTP or of
//! gRPC, given only after the recorder has said that the request is in the file.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body::Body;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;

use super::arrival::{Batch, Encoding, Signal};
use super::inspect::{Inspection, inspect};
use super::limits::{Claim, Room};
use super::meter::Meter;
use super::record::{Heard, Recorder};
use super::refusal::Refusal;
use super::reply::Reply;
use super::upload::{Packing, collect};
use super::{grpc, web};
use crate::model::TraceId;

const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// `HealthCheckResponse { status: SERVING }`.
const SERVING: &[u8] = &[8, 1];

/// From this size on a request is worked through where it keeps no other connection waiting; compressed ones hold more than they
/// look.
pub(super) const LARGE: usize = 1 << 20;
const LARGE_PACKED: usize = 64 << 10;

/// Does work that takes its time, on a thread that serves nothing meanwhile if it is `long`.
pub(super) fn aside<T>(long: bool, work: impl FnOnce() -> T) -> T {
    if long { tokio::task::block_in_place(work) } else { work() }
}

/// Behind every door: what requests are handled with.
pub(super) struct Desk {
    pub(super) limit: usize,
    pub(super) patience: Duration,
    pub(super) token: Option<String>,
    pub(super) origins: Vec<String>,
    pub(super) room: Arc<Room>,
    pub(super) meter: Arc<Meter>,
    pub(super) recorder: Option<Recorder>,
    pub(super) heard: Heard,
    /// The traces seen so far, where somebody wants to stop after so many.
    pub(super) traces: Option<Mutex<HashSet<TraceId>>>,
}

impl Desk {
    /// Handles a request.
    pub(super) async fn serve<B>(self: Arc<Self>, request: Request<B>) -> Response<Reply>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (head, body) = request.into_parts();
        if head.headers.get(header::CONTENT_TYPE).is_some_and(is_grpc) {
            let taken = self.call(head.uri.path(), &head.headers, body).await;
            return match taken {
                Ok(answer) => grpc::answer(&answer),
                Err(refusal) => {
                    if let Refusal::NoSuchPath(path) = &refusal {
                        self.meter.astray(path);
                    }
                    self.count(&refusal);
                    grpc::refuse(&refusal)
                }
            };
        }
        let mut response = match (&head.method, head.uri.path()) {
            (&Method::OPTIONS, _) if !self.origins.is_empty() => web::preflight(),
            (&Method::GET | &Method::HEAD, "/health" | "/healthz" | "/") => web::health(),
            (method, path) => {
                let encoding = web::encoding(&self.origins, &head.headers);
                match self.post(method, path, &head.headers, encoding.clone(), body).await {
                    Ok(response) => response,
                    Err(refusal) => {
                        if let (Refusal::NoSuchPath(path), &Method::POST) = (&refusal, method) {
                            self.meter.astray(path);
                        }
                        self.count(&refusal);
                        web::refuse(&refusal, encoding.ok())
                    }
                }
            }
        };
        web::open_to(&self.origins, &head.headers, response.headers_mut());
        response
    }

    fn count(&self, refusal: &Refusal) {
        match (refusal, refusal.retry()) {
            (_, Some(_)) => self.meter.deferred(*refusal == Refusal::Overloaded),
            // Nobody has sent anything yet.
            (Refusal::NotPost | Refusal::NoSuchPath(_), _) => {}
            (_, None) => self.meter.refused(&refusal.message()),
        }
    }

    async fn post<B>(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        encoding: Result<Encoding, Refusal>,
        body: B,
    ) -> Result<Response<Reply>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let signal = match path.trim_end_matches('/') {
            "/v1/traces" => Signal::Traces,
            "/v1/metrics" => Signal::Metrics,
            "/v1/logs" => Signal::Logs,
            _ => return Err(Refusal::NoSuchPath(path.to_owned())),
        };
        if method != Method::POST {
            return Err(Refusal::NotPost);
        }
        self.admit(headers)?;
        let encoding = encoding?;
        let packing = Packing::named(text(headers, header::CONTENT_ENCODING.as_str()))?;
        let mut claim = self.room.enter();
        let packed = collect(body, self.limit, self.patience, &mut claim).await?;
        let found = self.take(signal, packed, packing, encoding, claim).await?;
        let body = match encoding {
            Encoding::Proto => reply(found).encode_to_vec(),
            Encoding::Json => reply_json(found),
        };
        Ok(web::answer(encoding, body))
    }

    async fn call<B>(&self, path: &str, headers: &HeaderMap, body: B) -> Result<Vec<u8>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let signal = match path {
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Signal::Traces,
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Signal::Metrics,
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Signal::Logs,
            HEALTH => return Ok(SERVING.to_vec()),
            _ => return Err(Refusal::NoSuchPath(path.to_owned())),
        };
        self.admit(headers)?;
        let packing = Packing::named(text(headers, "grpc-encoding"))?;
        let mut claim = self.room.enter();
        let limit = self.limit.saturating_add(grpc::HEADER);
        let body = collect(body, limit, self.patience, &mut claim).await.map_err(|refusal| match refusal {
            Refusal::TooLarge { .. } => Refusal::TooLarge { limit: self.limit },
            refusal => refusal,
        })?;
        let (packed, packing) = grpc::message(&body, packing)?;
        drop(body);
        let found = self.take(signal, packed, packing, Encoding::Proto, claim).await?;
        Ok(reply(found).encode_to_vec())
    }

    /// Unpacks, checks, records, counts and passes on.
    async fn take(
        &self,
        signal: Signal,
        packed: Bytes,
        packing: Packing,
        encoding: Encoding,
        mut claim: Claim,
    ) -> Result<Inspection, Refusal> {
        let large = if packing == Packing::None { LARGE } else { LARGE_PACKED };
        let (bytes, found) = aside(packed.len() >= large, || {
            let bytes = packing.undo(packed, self.limit, &mut claim)?;
            let found = match signal {
                Signal::Traces => inspect(&bytes, encoding, &mut |trace| self.remember(trace))?,
                Signal::Metrics | Signal::Logs => Inspection::default(),
            };
            Ok((bytes, found))
        })?;
        if signal != Signal::Traces {
            self.meter.other(signal);
            return Ok(found);
        }
        if found.deep > 0 && self.recorder.as_ref().is_some_and(|recorder| recorder.rewrites(encoding)) {
            self.meter.cut_deep(found.deep);
        }
        let batch = Batch { bytes, encoding, spans: found.spans };
        match &self.recorder {
            Some(recorder) if found.spans > 0 => match recorder.append(batch, found.broken, claim).await {
                true => Ok(found),
                false => Err(Refusal::NotWritten),
            },
            _ => {
                (self.heard)(batch, found.broken);
                Ok(found)
            }
        }
    }

    /// Takes a request of our own.
    pub(super) async fn own(&self, bytes: Bytes, encoding: Encoding) -> bool {
        let claim = self.room.enter();
        self.take(Signal::Traces, bytes, Packing::None, encoding, claim).await.is_ok()
    }

    fn remember(&self, trace: TraceId) {
        if let Some(traces) = &self.traces {
            traces.lock().unwrap_or_else(PoisonError::into_inner).insert(trace);
        }
    }

    /// Lets in who carries the secret, in whichever header.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(secret) = &self.token else { return Ok(()) };
        let carried = ["authorization", "x-api-key", "api-key", "x-auth-token"];
        let fits = carried.iter().filter_map(|name| text(headers, name)).any(|value| {
            let value = value.strip_prefix("Bearer ").or(value.strip_prefix("bearer ")).unwrap_or(value);
            same(value.trim().as_bytes(), secret.as_bytes())
        });
        if fits { Ok(()) } else { Err(Refusal::Stranger) }
    }
}

fn is_grpc(value: &http::HeaderValue) -> bool {
    let value = value.as_bytes();
    value.starts_with(b"application/grpc") && !value.starts_with(b"application/grpc-web")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn partial(found: Inspection) -> Option<(i64, &'static str)> {
    (found.broken > 0).then(|| (i64::try_from(found.broken).unwrap_or(i64::MAX), "some spans cannot be parsed"))
}

fn reply(found: Inspection) -> ExportTraceServiceResponse {
    let partial_success = partial(found)
        .map(|(rejected_spans, why)| ExportTracePartialSuccess { rejected_spans, error_message: why.to_owned() });
    ExportTraceServiceResponse { partial_success }
}

/// As OTLP/JSON wants it: 64-bit numbers are strings.
fn reply_json(found: Inspection) -> Vec<u8> {
    let reply = match partial(found) {
        None => return b"{}".to_vec(),
        Some((rejected, why)) => {
            serde_json::json!({ "partialSuccess": { "rejectedSpans": rejected.to_string(), "errorMessage": why } })
        }
    };
    reply.to_string().into_bytes()
}
