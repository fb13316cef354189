//! Checks on the list of rules and on the fixtures of every rule.
