//! How a receiver begins and how a connection to it ends: what it speaks, where that is not what was expected, and what it said last.
//!
//! Comes in: a connection. Goes out: the same connection, which remembers that, and words about it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::target::Protocol;

/// Bytes that are remembered.
const SOME: usize = 24;

/// How the other side began, and why the connection ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<(OnceLock<Vec<u8>>, OnceLock<String>)>);

impl Memory {
    /// The connection has ended.
    pub(super) fn end(&self, why: String) {
        self.0.1.get_or_init(|| why);
    }

    /// Why the connection has ended, if it has.
    pub(super) fn ended(&self) -> Option<&str> {
        self.0.1.get().map(String::as_str)
    }

    /// Whether nothing has come from the other side.
    pub(super) fn is_silent(&self) -> bool {
        self.0.0.get().is_none()
    }

    /// What is wrong with how it began, if anything is.
    pub(super) fn foreign(&self, protocol: Protocol, encrypted: bool) -> Option<String> {
        let bytes = self.0.0.get()?;
        let http1 = bytes.starts_with(b"HTTP/");
        // Settings, the first frame of every server.
        let http2 = bytes.get(3..5).is_some_and(|kind| kind[0] == 4) && bytes.first() == Some(&0);
        let grpc = protocol == Protocol::Grpc;
        Some(match () {
            () if grpc && http2 || !grpc && http1 => return None,
            () if http1 => "the port speaks HTTP/1, not gRPC: is it the one for --protocol http/protobuf?".to_owned(),
            () if http2 => "the port speaks HTTP/2, as gRPC does: is it the one for --protocol grpc?".to_owned(),
            () if bytes.starts_with(&[0x15, 3]) && !encrypted => {
                "the port speaks TLS: should the URL begin with https://?".to_owned()
            }
            () => {
                let begins: String = String::from_utf8_lossy(bytes).chars().take_while(|c| !c.is_control()).collect();
                format!("the port does not speak HTTP: its answer begins with '{begins}'")
            }
        })
    }
}

/// A connection that remembers how the other side began.
pub(super) struct Heard<S> {
    inner: S,
    memory: Memory,
}

impl<S> Heard<S> {
    pub(super) fn new(inner: S, memory: Memory) -> Self {
        Self { inner, memory }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        let new = buf.filled().get(before..).unwrap_or_default();
        if !new.is_empty() {
            self.memory.0.0.get_or_init(|| new.get(..SOME.min(new.len())).unwrap_or_default().to_vec());
        }
        read
    }
}

impl<S: AsyncRead + Unpin> Heard<S> {
    /// Who hangs up may have said why: that is still there to be read where writing fails already, and says more than the failure.
    fn last_words<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let Poll::Ready(Err(failure)) = written else { return written };
        // Without room nothing is taken away from whoever reads.
        let read = Pin::new(&mut self.inner).poll_read(cx, &mut ReadBuf::new(&mut []));
        Poll::Ready(Err(match read {
            Poll::Ready(Err(said)) if said.kind() == io::ErrorKind::InvalidData => said,
            _ => failure,
        }))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.last_words(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.last_words(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.last_words(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection whose other side has hung up, and said something or nothing before that.
    struct Closed(Option<&'static str>);

    impl AsyncRead for Closed {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(self.0.map_or(Ok(()), |said| Err(io::Error::new(io::ErrorKind::InvalidData, said))))
        }
    }

    impl AsyncWrite for Closed {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_was_said_before_hanging_up_is_told_instead_of_the_failure() {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for (said, told) in [(Some("received fatal alert: CertificateRequired"), "alert"), (None, "broken pipe")] {
            let mut line = Heard::new(Closed(said), Memory::default());
            let written = Pin::new(&mut line).poll_write(&mut cx, b"PRI");
            let flushed = Pin::new(&mut line).poll_flush(&mut cx);
            assert!(matches!(written, Poll::Ready(Err(error)) if error.to_string().contains(told)));
            assert!(matches!(flushed, Poll::Ready(Err(error)) if error.to_string().contains(told)));
        }
    }

    #[test]
    fn what_a_port_speaks_is_known_by_how_it_begins() {
        let foreign = |bytes: &[u8], protocol| {
            let memory = Memory::default();
            memory.0.0.set(bytes.to_vec()).unwrap();
            memory.foreign(protocol, false).unwrap_or_default()
        };
        let settings = [0, 0, 18, 4, 0, 0, 0, 0, 0];
        assert_eq!(foreign(&settings, Protocol::Grpc), "");
        assert_eq!(foreign(b"HTTP/1.1 200 OK\r\n", Protocol::HttpJson), "");
        assert!(foreign(&settings, Protocol::HttpProto).contains("--protocol grpc"));
        assert!(foreign(b"HTTP/1.1 400 Bad Request\r\n", Protocol::Grpc).contains("--protocol http/protobuf"));
        assert!(foreign(&[0x15, 3, 3, 0, 2], Protocol::HttpProto).contains("https://"));
        assert!(foreign(b"SSH-2.0-OpenSSH\r\n", Protocol::Grpc).ends_with("begins with 'SSH-2.0-OpenSSH'"));
        assert_eq!(Memory::default().foreign(Protocol::Grpc, false), None);
    }
}
