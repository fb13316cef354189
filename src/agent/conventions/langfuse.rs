//! Langfuse's own keys, which overrule all others: whoever sets them means them. Counts and costs stand in JSON objects.

use super::{Convention, Field, Read, Table};
use Read::{Instant, Member, Plain};

pub(super) const TABLE: Table = Table {
    convention: Convention::Langfuse,
    marks: &["langfuse."],
    entries: &[
        ("langfuse.observation.model.name", Field::ModelResponse, Plain),
        ("langfuse.observation.usage_details", Field::UsageDetails, Plain),
        ("langfuse.observation.cost_details", Field::CostDetails, Plain),
        ("langfuse.observation.level", Field::Level, Plain),
        ("langfuse.observation.status_message", Field::ErrorText, Plain),
        ("langfuse.observation.model.parameters", Field::MaxTokens, Member("max_tokens")),
        ("langfuse.observation.completion_start_time", Field::FirstToken, Instant),
        ("langfuse.observation.input", Field::Arguments, Plain),
        ("langfuse.observation.output", Field::Result, Plain),
        ("langfuse.session.id", Field::Conversation, Plain),
        ("langfuse.trace.name", Field::AgentName, Plain),
    ],
};
