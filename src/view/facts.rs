//! What one span says about a call, and what it took.
//!
//! Comes in: records, and for what they have no room for the span itself. Goes out: plain data, secrets hidden.

use serde::Serialize;

use crate::agent::{Act, Role, act, python_json};
use crate::capture::{Capture, SpanRef};
use crate::input::InputError;
use crate::ledger::{Money, Sums};
use crate::redact;

/// What a span says about a call, and what it took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts<'c> {
    /// What it does.
    #[serde(skip)]
    pub role: Option<Role>,
    /// The convention it is recorded in.
    pub convention: &'static str,
    /// Who answers.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub provider: &'c str,
    /// The model.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub model: &'c str,
    /// The agent.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub agent: &'c str,
    /// The tool.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub tool: &'c str,
    /// The id of the tool call; only where the span was read again.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub call_id: String,
    /// What the tool was given; only where the span was read again.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub arguments: String,
    /// The conversation or session.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub conversation: &'c str,
    /// The run.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub run: &'c str,
    /// Tokens of the prompt, those that the cache held among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Tokens of the prompt that the provider's cache held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Tokens of the prompt that were written into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Tokens of the answer that were spent on reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// All tokens together, where the span says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// How long it took to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ns: Option<u64>,
    /// The answer came in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// Why the model stopped, one entry per choice; of the first choice alone where the span was not read again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finish_reasons: Vec<String>,
    /// The type of what went wrong.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub error_type: &'c str,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Money>,
    /// It took tokens, and nobody knows their price.
    pub unpriced: bool,
    /// It records a call once more that another span stands for.
    pub duplicate: bool,
    /// The id of that span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// Whether the tool failed by its own word, or that of a copy of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_failed: Option<bool>,
    /// Whether anything that is no tool failed by its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<bool>,
    /// Which step of its run it is, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What it and everything beneath it took. In rows: what the row rolls up, where it is the place to say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Sums>,
}

/// Characters of arguments that are kept for a row.
const ARGUMENTS: usize = 300;

impl Facts<'_> {
    /// Takes over what only the span itself tells, whole.
    pub fn learn(&mut self, act: &Act<'_>) {
        let safe = |text: &str| redact::text(text).into_owned();
        if let Some(tool) = &act.tool {
            self.call_id = safe(&tool.call_id);
            let is_json = |given: &str| serde_json::from_str::<serde::de::IgnoredAny>(given).is_ok();
            let spelled = |given: &str| if is_json(given) { safe(given) } else { safe(&as_json(given)) };
            self.arguments = tool.arguments.as_deref().map(spelled).unwrap_or_default();
        }
        if !act.finish_reasons.is_empty() {
            self.finish_reasons = act.finish_reasons.iter().map(|reason| safe(reason)).collect();
        }
    }

    /// Takes over what a tool was given, as much of it as a line can hold, without outer braces.
    pub(super) fn glimpse(&mut self, act: &Act<'_>) {
        let Some(given) = act.tool.as_ref().and_then(|tool| tool.arguments.as_deref()) else { return };
        let given = as_json(given);
        let inner = given.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(&given).trim();
        let shown: String = redact::text(inner).chars().take(ARGUMENTS).collect();
        self.arguments = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

/// Arguments as JSON where Python printed them.
fn as_json(given: &str) -> String {
    python_json(given).unwrap_or_else(|| given.to_owned())
}

/// Reads spans again for what their records have no room for.
pub fn read_acts(
    capture: &Capture,
    wanted: &[SpanRef],
    each: &mut dyn FnMut(usize, &Act<'_>),
) -> Result<(), InputError> {
    if wanted.is_empty() {
        return Ok(());
    }
    capture.again(wanted, &mut |number, raw| {
        let role = wanted.get(number).and_then(|span| capture.head(*span).marks.role());
        if let Some(act) = act(raw, role) {
            each(number, &act);
        }
    })
}
