//! Writes spans, resources and scopes in place as OTLP: one door for both encodings.
//!
//! Comes in: what the readers cut out of any input. Goes out: canonical OTLP/JSON or OTLP/protobuf, appended to a buffer.
//! Everything OTLP can carry survives; nothing is validated, sorted or repaired on the way.

mod form;
mod frame;
mod group;
mod id;
mod json;
mod proto;
#[cfg(test)]
mod roundtrip;
mod text;

pub use form::{Form, Layout, Packing};
pub use frame::{Envelope, Frame, proto_field};
pub use group::{Grouped, ScopeGroup, json_request, proto_request, proto_request_len, span_len};
pub use json::JsonWriter;
pub use proto::ProtoWriter;
