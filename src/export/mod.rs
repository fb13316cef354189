//! Spans in the formats of other tools: Jaeger, Zipkin, Chrome and Perfetto, flame graphs, tables.
//!
//! Comes in: a capture, its traces, a choice of spans, and what changes on the way. Goes out: one trace after another in the format, and
//! a count of everything the format has no place for. Spans are read when they are written; nothing of a span is kept.

mod attributes;
mod chrome;
mod chrome_event;
mod csv;
mod exporter;
mod folded;
mod format;
mod jaeger;
mod lanes;
mod links;
mod loss;
mod ndjson;
mod pen;
mod rows;
mod shelf;
mod slices;
mod tags;
mod text;
mod zipkin;

pub use exporter::{ExportError, Exporter, Pick};
pub use format::Format;
pub use loss::{Exported, Loss};
