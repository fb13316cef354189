//! The rules as SARIF describes them.
//!
//! Comes in: the list of rules. Goes out: their reporting descriptors, in the order of the list.

use serde_json::{Value, json};

use super::sarif::level;
use crate::lint::{GROUPS, RULES, Rule};

/// All rules.
pub(super) fn rules() -> Vec<Value> {
    RULES.iter().map(descriptor).collect()
}

fn descriptor(rule: &Rule) -> Value {
    let group = GROUPS.iter().find(|(code, _)| *code == rule.group()).map_or("lint", |(_, about)| about);
    let mut descriptor = json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why },
        "help": { "text": help(rule), "markdown": markdown(rule) },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": [group], "precision": if rule.confidence.name() == "proven" { "very-high" } else { "medium" } },
    });
    if let (Value::Object(fields), false) = (&mut descriptor, rule.url.is_empty()) {
        fields.insert("helpUri".to_owned(), json!(rule.url));
    }
    descriptor
}

fn help(rule: &Rule) -> String {
    format!("{}\n\nBad: {}\nGood: {}\n\nMore: tracectl explain {}", rule.why, rule.bad, rule.good, rule.code)
}

fn markdown(rule: &Rule) -> String {
    let fenced = |text: &str| format!("```text\n{text}\n```");
    let (bad, good) = (fenced(rule.bad), fenced(rule.good));
    format!("{}\n\n**Bad**\n\n{bad}\n\n**Good**\n\n{good}\n\nMore: `tracectl explain {}`", rule.why, rule.code)
}
