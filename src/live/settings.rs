//! What the servers and the recorder are asked to do.
//!
//! Plain data, made by the command line.

use std::path::PathBuf;
use std::time::Duration;

use super::address::Address;
use super::record_form::RecordForm;
use crate::send::Target;

/// Everything a listener needs to know.
#[derive(Clone)]
pub struct Settings {
    /// Where gRPC is expected. Both ports speak both protocols.
    pub grpc: Address,
    /// Where HTTP is expected.
    pub http: Address,
    /// Encryption, if any.
    pub tls: Option<Tls>,
    /// The secret every request has to carry.
    pub token: Option<String>,
    /// Origins of browsers that may send; `*` stands for all.
    pub origins: Vec<String>,
    /// The record, if one is kept.
    pub record: Option<Record>,
    /// Where every request is passed on to.
    pub forward: Option<Target>,
    /// When to stop.
    pub stops: Stops,
    /// What is too much.
    pub limits: Limits,
    /// Hand batches over to be shown.
    pub show: bool,
}

/// Files of a TLS server.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Its certificate chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Who signs the certificates that clients have to show, PEM.
    pub client_ca: Option<PathBuf>,
}

/// A record to write.
#[derive(Clone, Debug)]
pub struct Record {
    /// The file.
    pub path: PathBuf,
    /// Its form.
    pub form: RecordForm,
    /// Go on behind what the file holds.
    pub append: bool,
    /// Acknowledge only what has reached the disk itself.
    pub fsync: bool,
    /// Begin a new file when this one has so many bytes.
    pub rotate: Option<u64>,
    /// How many older files are kept.
    pub keep: u32,
}

/// When listening ends by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stops {
    /// After so long.
    pub after: Option<Duration>,
    /// After so long without a request.
    pub idle: Option<Duration>,
    /// With so many spans.
    pub spans: Option<u64>,
    /// With so many traces.
    pub traces: Option<u64>,
}

/// What is too much.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one request, compressed or not.
    pub request: usize,
    /// Bytes of all requests that are not yet acknowledged.
    pub queue: usize,
    /// Connections at a time.
    pub connections: usize,
    /// How long a sender may take for its headers, and again for its body.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request: 64 << 20, queue: 256 << 20, connections: 2048, patience: Duration::from_secs(30) }
    }
}
