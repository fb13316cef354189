//! Doors: takes connections in, as many as may be open at a time, and serves what comes through them.
//!
//! Comes in: a socket that listens. Goes out: nothing; it ends, connection by connection, when it is told to close.

use std::convert::Infallible;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::authority::{Respelt, spelling};
use super::bind::Socket;
use super::prefixed::Prefixed;
use super::serve::Desk;

/// After a connection could not be taken (no file handles left), this much later the next try.
const BREATH: Duration = Duration::from_millis(50);
/// How often a silent HTTP/2 peer is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// What a peer may send before it is read.
const WINDOW: u32 = 4 << 20;

/// What all connections of a door share.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) desk: Arc<Desk>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) places: Arc<Semaphore>,
    pub(super) closing: watch::Receiver<bool>,
}

impl Door {
    /// Takes connections in until it is told to close.
    pub(super) async fn keep(mut self, socket: Socket) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            let mut closing = self.closing.clone();
            let arrived = tokio::select! {
                arrived = self.arrival(&socket, place) => arrived,
                _ = closing.wait_for(|closing| *closing) => return,
            };
            if arrived.is_err() {
                tokio::time::sleep(BREATH).await;
            }
        }
    }

    async fn arrival(&mut self, socket: &Socket, place: OwnedSemaphorePermit) -> std::io::Result<()> {
        match socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Without this, every answer waits 40 ms for the acknowledgement of the one before.
                stream.set_nodelay(true)?;
                self.welcome(stream, place, None);
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let path = listener.local_addr()?.as_pathname().map(|path| path.as_os_str().as_bytes().to_owned());
                self.welcome(stream, place, path.and_then(|path| spelling(&path)));
            }
        }
        Ok(())
    }

    fn welcome<S>(&self, stream: S, place: OwnedSemaphorePermit, spelling: Option<Arc<[u8]>>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let door = self.clone();
        tokio::spawn(async move {
            let meter = Arc::clone(&door.desk.meter);
            meter.connections.fetch_add(1, Relaxed);
            match door.tls.clone() {
                None => door.connection(stream, spelling).await,
                Some(tls) => {
                    // A peer that fails the handshake learns so from TLS itself.
                    if let Ok(Ok(stream)) = tokio::time::timeout(door.desk.patience, tls.accept(stream)).await {
                        door.connection(stream, spelling).await;
                    }
                }
            }
            meter.connections.fetch_sub(1, Relaxed);
            drop(place);
        });
    }

    /// Serves one connection to its end. How it ends is the peer's affair.
    async fn connection<S>(self, stream: S, spelling: Option<Arc<[u8]>>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let patience = self.desk.patience;
        let mut closing = self.closing.clone();
        let looked = tokio::select! {
            looked = tokio::time::timeout(patience, Prefixed::look(stream)) => looked,
            _ = closing.wait_for(|closing| *closing) => return,
        };
        let Ok(Ok((stream, is_second))) = looked else { return };
        let service = service_fn(|request| {
            let desk = Arc::clone(&self.desk);
            async move { Ok::<_, Infallible>(desk.serve(request).await) }
        });
        if is_second {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .initial_stream_window_size(WINDOW)
                .initial_connection_window_size(2 * WINDOW)
                .max_concurrent_streams(256)
                .max_frame_size(256 << 10)
                .keep_alive_interval(PING)
                .keep_alive_timeout(PING);
            let mut connection =
                std::pin::pin!(builder.serve_connection(TokioIo::new(Respelt::new(stream, spelling)), service));
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        } else {
            let mut builder = http1::Builder::new();
            // Who has said everything and closes its side still wants the answer.
            builder.timer(TokioTimer::new()).header_read_timeout(patience).half_close(true);
            let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                _ = connection.as_mut() => return,
                _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        }
    }
}
