//! x
pub mod model;
pub mod otlp;
