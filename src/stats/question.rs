//! What is asked: by what spans are put together, and which rows come first.
//!
//! Comes in: words. Goes out: closed lists.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::ledger::Prices;

/// By what spans are put together in one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// By operation: service, kind, role and name.
    #[default]
    Name,
    /// By service.
    Service,
    /// By span kind.
    Kind,
    /// By role in an agent's run.
    Role,
    /// By instrumentation scope.
    Scope,
    /// By model: calls to models, each once.
    Model,
    /// By the provider of the model: calls to models, each once.
    Provider,
    /// By tool: calls to tools, each once.
    Tool,
    /// By agent: all calls, each once.
    Agent,
    /// By conversation: all calls, each once.
    Session,
    /// By the value of this attribute.
    Attribute(String),
}

/// Why `--by` was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is none of name, service, kind, role, scope, model, provider, tool, agent, session, attr:KEY")]
pub struct ByError {
    text: String,
}

impl FromStr for By {
    type Err = ByError;

    fn from_str(text: &str) -> Result<Self, ByError> {
        match text {
            "name" => Ok(Self::Name),
            "service" => Ok(Self::Service),
            "kind" => Ok(Self::Kind),
            "role" => Ok(Self::Role),
            "scope" => Ok(Self::Scope),
            "model" => Ok(Self::Model),
            "provider" => Ok(Self::Provider),
            "tool" => Ok(Self::Tool),
            "agent" => Ok(Self::Agent),
            "session" => Ok(Self::Session),
            _ => match text.strip_prefix("attr:") {
                Some(key) if !key.is_empty() => Ok(Self::Attribute(key.to_owned())),
                _ => Err(ByError { text: text.to_owned() }),
            },
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Service => f.write_str("service"),
            Self::Kind => f.write_str("kind"),
            Self::Role => f.write_str("role"),
            Self::Scope => f.write_str("scope"),
            Self::Model => f.write_str("model"),
            Self::Provider => f.write_str("provider"),
            Self::Tool => f.write_str("tool"),
            Self::Agent => f.write_str("agent"),
            Self::Session => f.write_str("session"),
            Self::Attribute(key) => write!(f, "attr:{key}"),
        }
    }
}

/// Which rows come first: the largest, or by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Most time in all.
    #[default]
    Total,
    /// Most own time.
    OwnTime,
    /// Most spans.
    Count,
    /// Most errors.
    Errors,
    /// Most cancellations.
    Cancelled,
    /// Largest median.
    P50,
    /// Largest 95th percentile.
    P95,
    /// Largest 99th percentile.
    P99,
    /// Largest duration.
    Max,
    /// Most money, as far as prices are known.
    Cost,
    /// By name, service, kind, role.
    Name,
}

/// The whole question.
#[derive(Clone, Debug)]
pub struct Question {
    /// By what spans are put together.
    pub by: By,
    /// Which rows come first.
    pub sort: Sort,
    /// Only so many rows.
    pub top: Option<usize>,
    /// Threads to use, at least one.
    pub jobs: usize,
    /// Whether every run of an agent is told.
    pub runs: bool,
    /// What models cost.
    pub prices: Prices,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groupings_are_read_as_they_are_written() {
        for text in [
            "name",
            "service",
            "kind",
            "role",
            "scope",
            "model",
            "provider",
            "tool",
            "agent",
            "session",
            "attr:gen_ai.request.model",
        ] {
            assert_eq!(text.parse::<By>().unwrap().to_string(), text);
        }
        for wrong in ["", "names", "attr:", "attr"] {
            assert!(wrong.parse::<By>().is_err(), "{wrong}");
        }
    }
}
