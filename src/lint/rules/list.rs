//! The one list of all rules, and how they are called.
//!
//! Comes in: a code, a name or the beginning of a code. Goes out: rules.

use super::meta;
use super::{
    agt001_repeated_tool_call, agt002_retry_without_backoff, bud001_attribute_too_large, bud002_span_too_large,
    bud003_trace_too_large, bud004_too_many_items, bud005_dropped_data, bud006_excluded_parameter,
    err001_unexpected_cancellation, err004_error_without_details, err005_status_contradiction, err006_swallowed_error,
    gen001_missing_token_usage, gen002_inconsistent_usage, sec001_secret, sem001_deprecated_attribute,
    sem002_wrong_type, sem003_missing_service_name, str001_invalid_id, str002_bad_timestamps, str003_duplicate_span_id,
    str009_undecodable_input, tre001_orphan_span, tre002_disconnected_root, tre007_child_outside_parent,
};
use crate::lint::rule::Rule;

/// All rules, by group and number; those of lint itself come last.
pub static RULES: &[Rule] = &[
    str001_invalid_id::RULE,
    str002_bad_timestamps::RULE,
    str003_duplicate_span_id::RULE,
    str009_undecodable_input::RULE,
    tre001_orphan_span::RULE,
    tre002_disconnected_root::RULE,
    tre007_child_outside_parent::RULE,
    bud001_attribute_too_large::RULE,
    bud002_span_too_large::RULE,
    bud003_trace_too_large::RULE,
    bud004_too_many_items::RULE,
    bud005_dropped_data::RULE,
    bud006_excluded_parameter::RULE,
    err001_unexpected_cancellation::RULE,
    err004_error_without_details::RULE,
    err005_status_contradiction::RULE,
    err006_swallowed_error::RULE,
    sem001_deprecated_attribute::RULE,
    sem002_wrong_type::RULE,
    sem003_missing_service_name::RULE,
    gen001_missing_token_usage::RULE,
    gen002_inconsistent_usage::RULE,
    agt001_repeated_tool_call::RULE,
    agt002_retry_without_backoff::RULE,
    sec001_secret::RULE,
    meta::NOTHING_LINTED,
    meta::UNUSED_IGNORE,
    meta::NOT_CHECKED,
];

/// The rule with this code or name.
pub fn rule(word: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == word || rule.code.eq_ignore_ascii_case(word))
}

/// The rules that a word selects: a code, a name, or the beginning of codes (`BUD`, `ALL`); those of lint itself never.
pub fn codes(word: &str) -> Vec<&'static Rule> {
    let upper = word.to_ascii_uppercase();
    let selectable = RULES.iter().filter(|rule| !rule.is_meta());
    selectable
        .filter(|rule| upper == "ALL" || rule.name == word || (upper.len() >= 3 && rule.code.starts_with(&upper)))
        .collect()
}
