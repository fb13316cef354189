//! tracectl reads OpenTelemetry trace dumps and shows them, counts them and judges them.
//!
//! Data runs one way through the rooms of this house. Bytes come in through [`input`], which finds files, sniffs formats
//! and undoes compression. [`otlp`] is the only room that knows the wire; it lifts every format into the same spans.
//! [`capture`] keeps one small record a span and reads the rest again when somebody asks. [`agent`] says what a span *is*
//! in an agent's run. [`forest`] groups spans into traces and builds their trees. [`ledger`] counts what runs of agents took, every call once. The rooms after it ask questions and
//! give plain reports as answers: [`query`] picks spans, [`view`] lays trees out, [`stats`] counts, [`show`] lays one span open.
//! [`emit`] makes traces up: it plays an agent server on a virtual clock.
//! [`mend`] writes a dump anew with what can be put right put right, and [`convert`] in another form, order or number of files.
//! [`live`] takes spans in from the network, records them, and hands them on as they come. [`replay`] cuts dumps into requests
//! and says when each is due, and [`send`] delivers requests to a receiver.
//! [`export`] writes traces in the formats of other tools, and counts what they have no place for.
//! [`redact`] hides what looks like a secret. [`render`] puts reports on a page, and [`cli`] is the only room that sees
//! the outside world: arguments, environment, terminal, exit codes. The nouns they all speak are in [`model`].
//!
//! Who may use whom is written down in `tests/house` and checked there.

#![cfg_attr(not(test), deny(clippy::string_slice, clippy::cast_possible_wrap))]

pub mod agent;
pub mod capture;
pub mod cli;
pub mod convert;
pub mod emit;
pub mod export;
pub mod forest;
pub mod input;
pub mod ledger;
pub mod lint;
pub mod live;
pub mod mend;
pub mod model;
pub mod otlp;
pub mod query;
pub mod redact;
pub mod render;
pub mod replay;
pub mod send;
pub mod show;
pub mod stats;
pub mod view;
