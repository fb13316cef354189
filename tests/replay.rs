//! `tracectl replay` as receivers meet it: round trips of real captures, faults, dead letters, journals, Ctrl-C.
//!
//! Comes in: captures, and receivers that misbehave. Goes out: proof that nothing is lost, and nothing sent twice, without being
//! said. What needs captures or a client that is not there says so and passes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets something unexpected fails")]

#[path = "replay/changes.rs"]
mod changes;
#[expect(dead_code, reason = "damage of files is not made here")]
#[path = "common/mod.rs"]
mod common;
#[path = "replay/faults.rs"]
mod faults;
#[path = "replay/forward.rs"]
mod forward;
#[path = "replay/giving_up.rs"]
mod giving_up;
#[path = "common/clients.rs"]
mod installed;
#[path = "replay/python.rs"]
mod python;
#[path = "common/python.rs"]
mod python_receiver;
#[path = "replay/receiver.rs"]
mod receiver;
#[path = "replay/round.rs"]
mod round;
#[path = "replay/secure.rs"]
mod secure;
#[expect(dead_code, reason = "the clients of the listener's own tests are not needed here")]
#[path = "listen/server.rs"]
mod server;
