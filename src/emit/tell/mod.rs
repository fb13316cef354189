//! The same story told as spans, in one convention or another.
//!
//! Comes in: a story and a virtual clock. Goes out: spans on a sheet. Without quirks every convention is told so that a linter has
//! nothing to say: current names, children inside their parents' time, failures that every span above admits.

mod flat;
mod flat_call;
mod flat_frame;
mod flat_said;
mod flat_words;
mod letta;
mod letta_call;
mod letta_legacy;
mod letta_odd;
mod letta_payload;
mod letta_rare;
mod letta_request;
mod letta_run;
mod letta_step;
mod letta_tool;
mod source;
mod sql;
mod teller;
mod work;

pub(super) use flat::Flat;
pub(super) use letta::Letta;
pub(super) use teller::Teller;
