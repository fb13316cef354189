//! The only room that knows the wire: it scans OTLP/JSON and OTLP/protobuf, lifts foreign formats into the same form,
//! and writes both encodings of OTLP.
//!
//! Comes in: bytes. Goes out: spans, resources and scopes in place ([`RawSpan`] and its kin), and the [`Trouble`]s met.
//! It opens no file and keeps nothing.

mod again;
mod ascii;
mod carry;
mod container;
mod cursor;
mod discard;
mod document;
mod encoding;
mod figures;
mod glance;
mod id;
mod json;
mod lift;
mod log;
mod message;
mod nested;
mod notes;
mod number;
mod path;
mod proto;
mod raw;
mod seen;
mod status;
mod tape;
mod text;
mod trouble;
mod value;
mod write;

pub use again::{read_resource, read_scope, read_span};
pub use document::JsonReader;
pub use encoding::Encoding;
pub use glance::glance;
pub use lift::Looks;
pub use log::LogException;
pub use message::{Framing, ProtoReader};
pub use raw::{
    IdForm, Nested, RawAttribute, RawEntityRef, RawEvent, RawId, RawLink, RawResource, RawScope, RawSpan, RawValue,
    Shape, Text, Wire,
};
pub use seen::{Seen, Tally};
pub use status::{RetryInfo, Status};
pub use trouble::{Grade, Trouble, TroubleKind};
pub use write::{
    Envelope, Form, Frame, Grouped, JsonWriter, Layout, Packing, ProtoWriter, ScopeGroup, json_request, proto_field,
    proto_request, proto_request_len, span_len,
};
