//! The tour: what `emit` plays where nobody says anything, a few short traces that differ as much as they can.
//!
//! Comes in: nothing. Goes out: for each trace its scenario, its convention and its length, and what is lost on the way.

use super::fault::Fault;
use super::plan::{Convention, Scenario};

/// A trace of the tour.
pub(super) struct Stop {
    /// What happens.
    pub(super) scenario: Scenario,
    /// How it is told, unless all are told in one convention.
    pub(super) convention: Convention,
    /// Steps of its run.
    pub(super) steps: u32,
    /// The number that its story goes by: some things take turns.
    pub(super) number: u64,
    /// What is wrong with it.
    pub(super) fault: Option<Fault>,
}

/// A stream whose root ends first, a run that fails at its provider, an agent that asks another while a span loses its parent, and a run
/// that is called off inside a tool.
pub(super) const STOPS: [Stop; 4] = [
    Stop { scenario: Scenario::Stream, convention: Convention::Letta, steps: 1, number: 0, fault: None },
    Stop { scenario: Scenario::Errors, convention: Convention::Genai, steps: 2, number: 0, fault: None },
    Stop {
        scenario: Scenario::MultiAgent,
        convention: Convention::Openinference,
        steps: 2,
        number: 2,
        fault: Some(Fault::OrphanSpan),
    },
    Stop { scenario: Scenario::Cancel, convention: Convention::Openllmetry, steps: 2, number: 2, fault: None },
];
