//! Guards the house: who may use whom, what every file begins with, and that help texts and documents hold.
//!
//! Comes in: the sources as text. Goes out: failures that say which file broke which rule.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

#[path = "house/doors.rs"]
mod doors;
#[path = "house/files.rs"]
mod files;
#[path = "house/help.rs"]
mod help;
#[path = "house/readme.rs"]
mod readme;
#[path = "house/sources.rs"]
mod sources;
