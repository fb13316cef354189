//! Habits of Letta's server that more than one room knows: notes in the place of values, the spans of a step.
//!
//! Comes in: values and names. Goes out: what they are (letta 0.16.8).

use crate::model::Outcome;

/// Whether a value is the note that stands for one that was left out: `<Type (excluded)>`, `<Type (excluded, id=…)>` or
/// `<Type (excluded, ids=[…])>`.
pub fn is_exclusion_note(value: &str) -> bool {
    let Some((kind, rest)) = value.strip_prefix('<').and_then(|rest| rest.split_once(" (excluded")) else {
        return false;
    };
    let named = !kind.is_empty() && kind.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let detail = rest.strip_suffix(")>").is_some_and(|detail| {
        detail.is_empty() || detail.starts_with(", id=") || (detail.starts_with(", ids=[") && detail.ends_with(']'))
    });
    named && detail
}

/// Whether this is the name of a class of agents, which all agents of a server share.
pub fn is_agent_class(name: &str) -> bool {
    name.starts_with("LettaAgent")
}

/// How a run ended that stopped for this reason; `None` where the reason is no cancellation and no failure.
pub fn outcome_of_stop(reason: &str) -> Option<Outcome> {
    // As Python prints it, the reason is a member of `StopReasonType`.
    match reason.rsplit('.').next().unwrap_or(reason) {
        "cancelled" => Some(Outcome::Cancelled),
        "error"
        | "llm_api_error"
        | "invalid_llm_response"
        | "invalid_tool_call"
        | "no_tool_call"
        | "max_tokens_exceeded"
        | "context_window_overflow_in_system_prompt"
        | "insufficient_credits" => Some(Outcome::Error),
        _ => None,
    }
}

/// What a span's name says about a step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepMark {
    /// A step begins.
    Started,
    /// A step is written down.
    Finished,
    /// The span of a step that ended.
    Step,
}

/// What a name says about a step; `None` for nearly all names.
pub fn step_mark(name: &str) -> Option<StepMark> {
    match name.rsplit_once('.') {
        None if name == "agent_step" => Some(StepMark::Step),
        Some((_, "_step_checkpoint_start")) => Some(StepMark::Started),
        Some((_, "_step_checkpoint_finish")) => Some(StepMark::Finished),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_told_from_values() {
        for note in [
            "<list (excluded, ids=[a,b... (7 total)])>",
            "<AgentState (excluded, id=agent-1)>",
            "<NoneType (excluded)>",
        ] {
            assert!(is_exclusion_note(note), "{note}");
        }
        for value in ["", "<list>", "[1, 2]", "< (excluded)>", "<a b (excluded)>", "<list (excluded, x)>", "<x>"] {
            assert!(!is_exclusion_note(value), "{value}");
        }
    }

    #[test]
    fn reasons_to_stop_tell_outcomes() {
        assert_eq!(outcome_of_stop("StopReasonType.cancelled"), Some(Outcome::Cancelled));
        assert_eq!(outcome_of_stop("llm_api_error"), Some(Outcome::Error));
        assert_eq!((outcome_of_stop("end_turn"), outcome_of_stop("")), (None, None));
    }

    #[test]
    fn names_tell_of_steps() {
        assert_eq!(step_mark("LettaAgentV3._step_checkpoint_start"), Some(StepMark::Started));
        assert_eq!(step_mark("LettaAgentV2._step_checkpoint_finish"), Some(StepMark::Finished));
        assert_eq!(step_mark("agent_step"), Some(StepMark::Step));
        assert_eq!((step_mark("LettaAgentV3.step"), step_mark("")), (None, None));
    }
}
