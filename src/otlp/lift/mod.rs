//! Foreign formats, lifted into the form that OTLP spans have: the OpenTelemetry specification's mapping to non-OTLP
//! formats (`common/mapping-to-non-otlp.md` and the exporters' documents), read backwards.
//!
//! Comes in: one complete JSON object. Goes out: spans, resources and scopes in place, or what else the object looks like.
//! Nothing that was written is dropped: what OTLP has no field for stays an attribute.

mod classify;
pub(super) mod console;
pub(super) mod jaeger;
mod leaf;
mod looks;
mod origin;
#[cfg(test)]
mod rubbish;
mod tags;
pub(super) mod zipkin;

pub(super) use classify::{Foreign, classify, is_leaf_key};
pub use looks::Looks;
pub(super) use origin::Origin;
