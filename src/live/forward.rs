//! Passes every request on to another receiver, never in the way of recording.
//!
//! Comes in: requests that were recorded. Goes out: the same bytes over HTTP, tried again a few times; what does not fit the
//! queue or is not taken in the end is counted and let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::arrival::{Encoding, Note};
use super::error::LiveError;
use super::limits::{Claim, Room};
use super::meter::Meter;

/// Bytes that wait to be passed on.
const QUEUE: usize = 64 << 20;
/// Requests that wait to be passed on.
const REQUESTS: usize = 1024;
/// How often one request is tried.
const TRIES: u32 = 5;
/// How long one try may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way to the other receiver.
#[derive(Clone)]
pub(super) struct Forwarder {
    queue: Sender<(Bytes, Encoding, Claim)>,
    room: Arc<Room>,
    meter: Arc<Meter>,
}

/// Where requests are passed on to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    authority: String,
    address: String,
    path: String,
}

impl Forwarder {
    /// Starts passing on; `url` is the base URL of an OTLP/HTTP receiver.
    pub(super) fn start(url: &str, meter: Arc<Meter>) -> Result<Self, LiveError> {
        let target = Target::of(url).ok_or_else(|| LiveError::Forward { url: url.to_owned() })?;
        let (queue, requests) = channel(REQUESTS);
        tokio::spawn(work(target, requests, Arc::clone(&meter)));
        Ok(Self { queue, room: Room::new(QUEUE), meter })
    }

    /// Passes a request on some time.
    pub(super) fn pass(&self, bytes: Bytes, encoding: Encoding) {
        let mut claim = self.room.enter();
        if !claim.grow(bytes.len()) || self.queue.try_send((bytes, encoding, claim)).is_err() {
            self.meter.unforwarded.fetch_add(1, Relaxed);
        }
    }
}

impl Target {
    fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        if uri.scheme_str() != Some("http") {
            return None;
        }
        let authority = uri.authority()?.as_str().to_owned();
        let address = format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(80));
        let base = uri.path().trim_end_matches('/');
        let path = if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") };
        Some(Self { authority, address, path })
    }
}

async fn work(target: Target, mut requests: Receiver<(Bytes, Encoding, Claim)>, meter: Arc<Meter>) {
    let mut connection = None;
    let failing = AtomicBool::new(false);
    while let Some((bytes, encoding, claim)) = requests.recv().await {
        let passed = persist(&target, &mut connection, &bytes, encoding).await;
        drop(claim);
        let counter = if passed.is_ok() { &meter.forwarded } else { &meter.unforwarded };
        counter.fetch_add(1, Relaxed);
        match passed {
            Ok(()) if failing.swap(false, Relaxed) => meter.note(Note::ForwardingAgain),
            Err(why) if !failing.swap(true, Relaxed) => meter.note(Note::CannotForward(why)),
            _ => {}
        }
    }
}

type Connection = Option<SendRequest<Full<Bytes>>>;

/// Tries until it is taken, refused for good, or has been tried often enough.
async fn persist(
    target: &Target,
    connection: &mut Connection,
    bytes: &Bytes,
    encoding: Encoding,
) -> Result<(), String> {
    let mut wait = Duration::from_millis(200);
    let mut why = String::new();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        match tokio::time::timeout(PATIENCE, send(target, connection, bytes, encoding)).await {
            Ok(Ok(status)) if status.is_success() => return Ok(()),
            Ok(Ok(status)) => {
                why = format!("{} answers {status}", target.authority);
                if !matches!(status.as_u16(), 429 | 502 | 503 | 504) {
                    return Err(why);
                }
            }
            Ok(Err(error)) => {
                why = format!("{}: {error}", target.authority);
                *connection = None;
            }
            Err(_) => {
                why = format!("{} does not answer", target.authority);
                *connection = None;
            }
        }
    }
    Err(why)
}

async fn send(
    target: &Target,
    connection: &mut Connection,
    bytes: &Bytes,
    encoding: Encoding,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    if connection.as_ref().is_none_or(SendRequest::is_closed) {
        let stream = TcpStream::connect(&target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        *connection = Some(sender);
    }
    let Some(sender) = connection else { return Ok(StatusCode::SERVICE_UNAVAILABLE) };
    let media = match encoding {
        Encoding::Proto => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    let request = Request::post(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::CONTENT_TYPE, media)
        .header(header::USER_AGENT, concat!("OTel-OTLP-Exporter-tracectl/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(bytes.clone()))?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    // The connection serves the next request only after this answer was read.
    response.into_body().collect().await?;
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_gets_the_path_of_traces() {
        let target = |url| Target::of(url).map(|target| (target.address, target.path));
        assert_eq!(target("http://localhost:4318"), Some(("localhost:4318".into(), "/v1/traces".into())));
        assert_eq!(target("http://a/otlp/"), Some(("a:80".into(), "/otlp/v1/traces".into())));
        assert_eq!(target("http://a:1/v1/traces"), Some(("a:1".into(), "/v1/traces".into())));
        assert_eq!((target("https://a"), target("a:4318")), (None, None));
    }
}
