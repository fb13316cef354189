//! x
pub mod agent;
pub mod capture;
pub mod input;
pub mod model;
pub mod otlp;
pub mod render;
