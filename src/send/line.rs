//! One connection to the receiver, opened when it is needed and opened again when it is gone.
//!
//! Comes in: a packed request. Goes out: the [`Answer`] to one try. It says before anything of the request is sent, and knows
//! afterwards whether anything was, so that nobody has to guess whether it may have arrived.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Version, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};

use super::answer::Answer;
use super::clock::Clock;
use super::heard::{Heard, Memory};
use super::inflate::ANSWER;
use super::target::{Protocol, Target};
use super::url::Place;
use super::{grpc, tls, web};
use crate::otlp::Encoding;

/// How long an alert is waited for.
const ALERT: Duration = Duration::from_millis(5);
/// How much a connection takes in before the socket has; large, for requests are.
const BUFFER: usize = 1 << 20;

/// A request as it goes out.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    pub(super) bytes: Bytes,
    pub(super) encoding: Encoding,
}

/// A body of at most two pieces.
pub(super) struct Pieces([Option<Bytes>; 2]);

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = self.0.iter_mut().find_map(Option::take);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().flatten().map(|piece| piece.len() as u64).sum())
    }
}

enum Open {
    One(http1::SendRequest<Pieces>),
    Two(http2::SendRequest<Pieces>),
}

/// The connection of one worker.
pub(super) struct Line {
    target: Arc<Target>,
    clock: Clock,
    open: Option<Open>,
    /// What is remembered of the connection.
    memory: Memory,
    /// An answer has come, on this connection or one before it.
    answered: bool,
    /// Something of the request that is under way may have been sent.
    pub(super) begun: bool,
}

impl Line {
    pub(super) fn new(target: Arc<Target>, clock: Clock) -> Self {
        Self { target, clock, open: None, memory: Memory::default(), answered: false, begun: false }
    }

    /// Forgets the connection: nobody knows what state it is in.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Sends a request once. `begin` is called before anything of it is sent.
    pub(super) async fn post(&mut self, packed: &Packed, mut begin: impl FnMut()) -> Answer {
        self.begun = false;
        // A connection that was idle may have been closed meanwhile: that is no failed try.
        for fresh in [false, true] {
            let reused = match self.connected(fresh).await {
                Ok(reused) => reused,
                Err(answer) => return answer,
            };
            let Some(request) = self.request(packed) else {
                return Answer::refused("the request cannot be written down".to_owned());
            };
            self.begun = true;
            begin();
            let (status, sent) = match self.offer(request).await {
                Ok(response) => return self.hear(response).await,
                Err(failure) => failure,
            };
            if self.target.tls.is_some() {
                // What was said in an alert comes to those who watch the connection.
                tokio::time::sleep(ALERT).await;
            }
            let status = self.memory.ended().map_or(status, str::to_owned);
            self.close();
            self.begun = sent;
            if let Some(why) = self.foreign().or_else(|| tls::alert(&status)) {
                return Answer::Never(why);
            }
            if sent {
                return Answer::lost(self.doubted(status));
            }
            if !reused {
                return Answer::unsent(self.doubted(status));
            }
        }
        Answer::unsent("the connection was closed".to_owned())
    }

    /// Makes sure that there is a connection; says whether it was there before.
    async fn connected(&mut self, fresh: bool) -> Result<bool, Answer> {
        if fresh {
            self.close();
        }
        let usable = match &mut self.open {
            Some(Open::One(sender)) => sender.ready().await.is_ok(),
            Some(Open::Two(sender)) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            self.open = Some(self.connect().await?);
        }
        Ok(usable)
    }

    /// What is wrong with whoever is at the other side, if anything is.
    fn foreign(&self) -> Option<String> {
        self.memory.foreign(self.target.protocol, self.target.tls.is_some())
    }

    /// The words, with what may be behind it where nothing has ever come back.
    fn doubted(&self, words: String) -> String {
        let doubt = match &self.target.tls {
            _ if self.answered || !self.memory.is_silent() => return words,
            None => "does the port want https://?",
            Some(_) if self.target.shows_certificate => "is it the right port?",
            Some(_) => "does it want a client certificate? see --client-certificate",
        };
        format!("{words} (nothing came back: {doubt})")
    }

    async fn connect(&mut self) -> Result<Open, Answer> {
        let target = Arc::clone(&self.target);
        let failed = |error: io::Error| Answer::unsent(format!("cannot connect: {error}"));
        match &target.place {
            Place::Unix(path) => self.shake(UnixStream::connect(path).await.map_err(failed)?).await,
            Place::Tcp { host, port } => {
                let addresses: Vec<_> =
                    lookup_host((host.as_str(), *port)).await.map_err(|error| unknown(host, &error))?.collect();
                let stream = TcpStream::connect(&*addresses).await.map_err(failed)?;
                stream.set_nodelay(true).map_err(failed)?;
                let Some((connector, name)) = &target.tls else { return self.shake(stream).await };
                let stream = connector.connect(name.clone(), stream).await.map_err(|error| tls::failed(&error))?;
                self.shake(stream).await
            }
        }
    }

    async fn shake<S>(&mut self, stream: S) -> Result<Open, Answer>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |error: hyper::Error| Answer::unsent(format!("cannot connect: {}", words(&error)));
        let memory = Memory::default();
        self.memory = memory.clone();
        let stream = TokioIo::new(Heard::new(stream, memory.clone()));
        if self.target.protocol == Protocol::Grpc {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.max_send_buf_size(BUFFER);
            let (sender, connection) = builder.handshake(stream).await.map_err(failed)?;
            tokio::spawn(watched(connection, memory));
            return Ok(Open::Two(sender));
        }
        let (sender, connection) = http1::Builder::new().handshake(stream).await.map_err(failed)?;
        tokio::spawn(watched(connection, memory));
        Ok(Open::One(sender))
    }

    fn request(&self, packed: &Packed) -> Option<Request<Pieces>> {
        let target = &self.target;
        let packing = target.packing.header().map(HeaderValue::from_static);
        let is_grpc = target.protocol == Protocol::Grpc;
        let header = is_grpc.then(|| grpc::header(packed.bytes.len(), packing.is_some()));
        let mut request = Request::new(Pieces([header, Some(packed.bytes.clone())]));
        *request.method_mut() = Method::POST;
        let media = match packed.encoding {
            _ if is_grpc => "application/grpc",
            Encoding::Proto => "application/x-protobuf",
            Encoding::Json => "application/json",
        };
        let headers = request.headers_mut();
        let agent = concat!("OTel-OTLP-Exporter-tracectl/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        headers.extend(target.headers.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        if is_grpc {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
            headers.extend(target.grpc_timeout.clone().map(|limit| (HeaderName::from_static("grpc-timeout"), limit)));
            headers.extend(packing.map(|packing| (HeaderName::from_static("grpc-encoding"), packing)));
            *request.version_mut() = Version::HTTP_2;
            *request.uri_mut() = target.uri.clone();
        } else {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            headers.insert(header::HOST, target.uri.authority()?.as_str().parse().ok()?);
            headers.extend(packing.map(|packing| (header::CONTENT_ENCODING, packing)));
            *request.uri_mut() = target.uri.path_and_query()?.as_str().parse().ok()?;
        }
        Some(request)
    }

    /// Offers the request to the connection. A failure says whether anything of it may have been sent.
    async fn offer(&mut self, request: Request<Pieces>) -> Result<Response<Incoming>, (String, bool)> {
        let sent = match &mut self.open {
            Some(Open::One(sender)) => sender.try_send_request(request).await,
            Some(Open::Two(sender)) => sender.try_send_request(request).await,
            None => return Err(("there is no connection".to_owned(), false)),
        };
        sent.map_err(|mut failed| {
            let unsent = failed.take_message().is_some() || is_unprocessed(failed.error());
            (words(failed.error()), !unsent)
        })
    }

    /// Reads the whole response.
    async fn hear(&mut self, response: Response<Incoming>) -> Answer {
        self.answered = true;
        let (head, body) = response.into_parts();
        let is_grpc = self.target.protocol == Protocol::Grpc;
        match Limited::new(body, ANSWER).collect().await {
            Ok(body) => {
                let trailers = body.trailers().cloned();
                let body = body.to_bytes();
                if is_grpc {
                    grpc::judge(head.status, &head.headers, &body, trailers.as_ref())
                } else {
                    web::judge(head.status, &head.headers, Some(&body), self.clock.now())
                }
            }
            // The status of HTTP stands in front of the body: the request was taken, or was not.
            Err(_) if !is_grpc => {
                self.close();
                web::judge(head.status, &head.headers, None, self.clock.now())
            }
            Err(error) => {
                self.close();
                Answer::lost(format!("the answer broke off: {error}"))
            }
        }
    }
}

/// Drives a connection, and remembers why it ended.
async fn watched(connection: impl Future<Output = Result<(), hyper::Error>>, memory: Memory) {
    if let Err(error) = connection.await {
        memory.end(words(&error));
    }
}

/// A name that cannot be resolved. One that is not known will not be, unless it was before.
fn unknown(host: &str, error: &io::Error) -> Answer {
    let why = format!("cannot find the host '{host}': {error}");
    // The number of the resolver's error does not come through.
    if why.contains("emporary failure") || why.contains("ry again") {
        return Answer::unsent(why);
    }
    Answer::never(format!("{why} (is the name right?)"))
}

/// The error of HTTP/2 behind another.
fn http2(error: &hyper::Error) -> Option<&h2::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

/// Whether the other side says that it has not looked at the request.
fn is_unprocessed(error: &hyper::Error) -> bool {
    http2(error).filter(|error| error.is_remote()).is_some_and(|error| match error.reason() {
        // It goes to the requests behind the last one that was looked at.
        Some(h2::Reason::NO_ERROR) => error.is_go_away(),
        reason => reason == Some(h2::Reason::REFUSED_STREAM),
    })
}

/// An error and what is behind it.
fn words(error: &hyper::Error) -> String {
    if http2(error).is_some_and(|error| error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)) {
        return "the receiver closed the connection".to_owned();
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let inner = error.to_string();
        if !text.contains(&inner) {
            text = format!("{text}: {inner}");
        }
        cause = error.source();
    }
    text
}
