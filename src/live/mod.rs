//! The only async room: servers that take in OTLP over gRPC and HTTP, and the recorder behind them.
//!
//! Comes in: settings, then requests from the network. Goes out: a plain iterator of [`Arrival`]s (a batch, quiet, the reason to
//! stop) and a file that holds everything that was acknowledged. It prints nothing and reads no environment.

mod accept;
mod address;
mod arrival;
mod authority;
mod bind;
mod error;
mod forward;
mod gather;
mod grpc;
mod inspect;
mod limits;
mod listener;
mod meter;
mod owner;
mod pending;
mod prefixed;
mod record;
mod record_file;
mod record_form;
mod record_tail;
mod refusal;
mod reply;
mod serve;
mod settings;
mod tls;
mod upload;
mod web;
mod write_through;

pub use address::{Address, AddressError};
pub use arrival::{Arrival, Batch, Encoding, Note, Reason, Signal, Written};
pub use error::LiveError;

pub use listener::Listener;
pub use meter::Totals;
pub use pending::{Pending, Settled};
pub use record_file::RecordFile;
pub use record_form::{Compression, Layout, RecordForm, RecordFormError};
pub use settings::{Limits, Record, Settings, Stops, Tls};
