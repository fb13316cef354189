//! Takes the addresses before anything else happens.
//!
//! Comes in: an address. Goes out: a socket that listens, and where it does; a taken port says who has it and which is free.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::address::Address;
use super::error::LiveError;
use super::owner::owner;

/// How many ports after the taken one are tried.
const TRIES: u16 = 100;

/// A socket that listens.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Binds, and says where: port 0 becomes the port that was found.
pub(super) async fn bind(address: &Address) -> Result<(Socket, Address), LiveError> {
    let failed = |source: io::Error| match (source.kind(), address) {
        (io::ErrorKind::AddrInUse, Address::Tcp(tcp)) => {
            LiveError::Taken { address: address.clone(), owner: owner(tcp.port()), free: free_after(*tcp) }
        }
        (io::ErrorKind::AddrInUse, _) => LiveError::Taken { address: address.clone(), owner: None, free: None },
        _ => LiveError::Bind { address: address.clone(), source },
    };
    match address {
        Address::Tcp(tcp) => {
            let listener = TcpListener::bind(tcp).await.map_err(failed)?;
            let bound = listener.local_addr().map_err(failed)?;
            Ok((Socket::Tcp(listener), Address::Tcp(bound)))
        }
        Address::Unix(path) => {
            let kind = std::fs::symlink_metadata(path).map(|meta| meta.file_type());
            if kind.as_ref().is_ok_and(|kind| !kind.is_socket()) {
                let source = io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is there");
                return Err(LiveError::Bind { address: address.clone(), source });
            }
            // A socket that nobody listens on any more is left over from a process that died.
            if kind.is_ok() && UnixStream::connect(path).await.is_err_and(|error| is_refusal(&error)) {
                std::fs::remove_file(path).map_err(failed)?;
            }
            let listener = UnixListener::bind(path).map_err(failed)?;
            Ok((Socket::Unix(listener), address.clone()))
        }
    }
}

/// The file of a Unix socket of our own, which goes with the listener.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Its device and number, by which it is known from one that somebody else has put there since.
    identity: (u64, u64),
}

impl SocketFile {
    /// The file behind an address that was bound, if it has one.
    pub(super) fn of(address: &Address) -> Option<Self> {
        let Address::Unix(path) = address else { return None };
        Some(Self { path: path.clone(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path) == Some(self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

/// The next port that can be had.
fn free_after(taken: SocketAddr) -> Option<u16> {
    let ports = taken.port().saturating_add(1)..taken.port().saturating_add(TRIES);
    ports.into_iter().find(|&port| StdListener::bind(SocketAddr::new(taken.ip(), port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_socket_that_is_left_over_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otlp.sock");
        let address = Address::Unix(path.clone());
        std::fs::write(&path, "a file").unwrap();
        assert!(matches!(bind(&address).await, Err(LiveError::Bind { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"a file");
        std::fs::remove_file(&path).unwrap();
        let (socket, bound) = bind(&address).await.unwrap();
        assert!(matches!(bind(&address).await, Err(LiveError::Taken { .. })));
        drop(socket);
        let (_socket, _) = bind(&address).await.unwrap();
        let file = SocketFile::of(&bound).unwrap();
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_of_somebody_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otlp.sock");
        std::fs::write(&path, "ours").unwrap();
        let file = SocketFile::of(&Address::Unix(path.clone())).unwrap();
        std::fs::rename(&path, folder.path().join("away")).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        drop(file);
        assert!(path.exists());
    }
}
