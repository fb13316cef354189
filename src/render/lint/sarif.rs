//! SARIF 2.1.0, for code scanning.
//!
//! Comes in: a view. Goes out: one document with one run. GitHub takes so many results of a run and shows fewer: the worst
//! 5,000 are written, and how many are left out is said.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::sarif_rules::rules;
use super::view::LintView;
use super::words::{fix, report_place};
use crate::lint::{Finding, RULES, Severity};
use crate::render::clean;
use crate::render::json::write_json;

/// Results that GitHub shows.
const MOST: usize = 5_000;
/// What readers of SARIF call the root of the checked-out sources.
const ROOT: &str = "%SRCROOT%";

/// Writes the document.
pub fn sarif(view: &LintView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = &view.report.findings;
    let mut times = BTreeMap::new();
    let results = findings.iter().enumerate().take(MOST).map(|(number, finding)| {
        let times: &mut u64 = times.entry(&finding.fingerprint).or_default();
        *times += 1;
        result(view, number, finding, *times)
    });
    let results: Vec<Value> = results.collect();
    let mut notices: Vec<Value> = view
        .report
        .not_checked
        .iter()
        .map(|not| notice("note", &format!("{} not checked at {} places: {}", not.code, not.count, not.reason)))
        .collect();
    if let Some(more) = findings.len().checked_sub(MOST + 1) {
        notices.push(notice("warning", &format!("{} more findings are left out", more + 1)));
    }
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tracectl",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules(),
            } },
            "automationDetails": { "id": "tracectl/lint/" },
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": { ROOT: { "description": { "text": "The root of the repository that lint ran in." } } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notices,
            }],
            "results": results,
        }],
    });
    write_json(&document, out)
}

/// The word for a level.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
        Severity::Info => "note",
    }
}

fn notice(level: &str, text: &str) -> Value {
    json!({ "level": level, "message": { "text": text } })
}

/// `time` tells findings of one fingerprint apart: alerts of one are one alert to GitHub.
fn result(view: &LintView<'_>, number: usize, finding: &Finding, time: u64) -> Value {
    let mut result = Map::new();
    let mut put = |key: &str, value: Value| result.insert(key.to_owned(), value);
    put("ruleId", json!(finding.code));
    if let Some(index) = RULES.iter().position(|rule| rule.code == finding.code) {
        put("ruleIndex", json!(index));
    }
    put("level", json!(level(finding.severity)));
    put("message", json!({ "text": message(finding) }));
    put("locations", json!([location(finding)]));
    put(
        "partialFingerprints",
        json!({
            "tracectl/v1": finding.fingerprint,
            "primaryLocationLineHash": format!("{}:{time}", finding.fingerprint),
        }),
    );
    put("occurrenceCount", json!(finding.count.max(1)));
    if let Some(state) = view.baseline(number) {
        put("baselineState", json!(if state == "known" { "unchanged" } else { "new" }));
        if state == "known" {
            put("suppressions", json!([{ "kind": "external", "justification": "known to the baseline" }]));
        }
    }
    put(
        "properties",
        json!({
            "confidence": finding.confidence,
            "traceId": finding.trace_id,
            "spanId": finding.span_id,
            "attribute": finding.attribute,
            "observed": finding.observed,
            "limit": finding.limit,
            "preset": finding.preset,
        }),
    );
    Value::Object(result)
}

fn message(finding: &Finding) -> String {
    let mut text = clean(&finding.message).into_owned();
    if finding.count > 1 {
        text.push_str(&format!(" ({} times)", finding.count));
    }
    if !finding.help.is_empty() {
        text.push_str(&format!(". {}", clean(&finding.help)));
    }
    if let Some(change) = &finding.fix {
        text.push_str(&format!(" Fix: {}.", clean(&fix(change))));
    }
    text
}

fn location(finding: &Finding) -> Value {
    let mut location = Map::new();
    if let Some((path, line)) = report_place(finding) {
        location.insert(
            "physicalLocation".to_owned(),
            json!({ "artifactLocation": artifact(path), "region": { "startLine": line.max(1) } }),
        );
    }
    let mut logical = Vec::new();
    let mut qualified = String::new();
    for (kind, name) in
        [("module", &finding.service), ("namespace", &finding.trace_id), ("function", &finding.span_name)]
    {
        if name.is_empty() {
            continue;
        }
        if !qualified.is_empty() {
            qualified.push('/');
        }
        qualified.push_str(&clean(name));
        logical.push(json!({ "name": clean(name), "fullyQualifiedName": qualified, "kind": kind }));
    }
    if !logical.is_empty() {
        location.insert("logicalLocations".to_owned(), Value::Array(logical));
    }
    Value::Object(location)
}

/// A file: relative to the root of the sources, which whoever reads the report knows, or by its own URI.
fn artifact(path: &str) -> Value {
    match path.starts_with('/') {
        true => json!({ "uri": uri(path) }),
        false => json!({ "uri": uri(path), "uriBaseId": ROOT }),
    }
}

/// A path as a relative reference, or as a `file` URI where it is absolute.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("a b/ü.jsonl"), "a%20b/%C3%BC.jsonl");
        assert_eq!(uri("/tmp/x:1"), "file:///tmp/x%3A1");
        assert_eq!(artifact("stdin"), json!({ "uri": "stdin", "uriBaseId": "%SRCROOT%" }));
        assert_eq!(artifact("/tmp/x"), json!({ "uri": "file:///tmp/x" }));
    }
}
