//! Takes the addresses before anything else happens.
//!
//! Comes in: an address. Goes out: a socket that listens, and where it does; a taken port says who has it and which is free.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};

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
            // A socket that nobody listens on any more is left over from a process that died.
            let is_dead = path.exists() && UnixStream::connect(path).await.is_err_and(|error| is_refusal(&error));
            if is_dead {
                std::fs::remove_file(path).map_err(failed)?;
            }
            let listener = UnixListener::bind(path).map_err(failed)?;
            Ok((Socket::Unix(listener), address.clone()))
        }
    }
}

fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

/// The next port that can be had.
fn free_after(taken: SocketAddr) -> Option<u16> {
    let ports = taken.port().saturating_add(1)..taken.port().saturating_add(TRIES);
    ports.into_iter().find(|&port| StdListener::bind(SocketAddr::new(taken.ip(), port)).is_ok())
}
