//! What lint says about itself: how much it looked at, and what it could not do.
//!
//! Comes in: what was gathered. Goes out: the counts of the report and the findings of the meta rules.

use sha2::{Digest, Sha256};

use super::finding::Finding;
use super::gather::Gathering;
use super::note::Subject;
use super::report::LintReport;
use super::rule::{Rule, Severity};
use super::rules::{NOT_CHECKED, NOTHING_LINTED, RULES, UNUSED_IGNORE};
use super::settings::Aim;
use super::words::services;
use crate::capture::Capture;
use crate::forest::Forest;
use crate::query::ended;

/// The report without its findings.
pub(super) fn counted(capture: &Capture, forest: &Forest, gathering: &Gathering<'_>) -> LintReport {
    let filter = &gathering.plan.settings.filter;
    let mut report =
        LintReport { rules: gathering.plan.rules().map(|(_, rule)| rule.code).collect(), ..LintReport::default() };
    if filter.is_open() {
        report.spans = capture.len() as u64;
        report.traces = forest.len() as u64;
        report.services = services(capture.services());
        return report;
    }
    let mut names = std::collections::BTreeSet::new();
    for trace in forest.traces() {
        let before = report.spans;
        for &span in trace.spans {
            if filter.admits(capture, span, ended(capture.head(span))) {
                report.spans += 1;
                names.insert(capture.origin(capture.head(span).origin).service);
            }
        }
        report.traces += u64::from(report.spans > before);
    }
    report.services = services(names.into_iter().map(|name| capture.text(name)));
    report
}

/// The findings of the meta rules.
pub(super) fn about_lint(capture: &Capture, gathering: &Gathering<'_>, spans: u64) -> Vec<Finding> {
    let settings = gathering.plan.settings;
    let mut findings = Vec::new();
    if spans == 0 {
        let message = "no span was linted".to_owned();
        findings.push(meta(&NOTHING_LINTED, message, "", "check the inputs and the filters", 1));
    }
    for (number, entry) in settings.ignores.iter().enumerate() {
        if gathering.kept.used.contains_key(&number) {
            continue;
        }
        let rules = if entry.rules.is_empty() { "every rule".to_owned() } else { entry.rules.join(", ") };
        let expired = entry.expires.is_some_and(|expires| settings.now >= expires);
        let message = match expired {
            true => format!("the entry that sets {rules} aside has expired: {}", entry.reason),
            false => format!("the entry that sets {rules} aside matched nothing: {}", entry.reason),
        };
        findings.push(meta(&UNUSED_IGNORE, message, &entry.reason, "remove the entry, or renew it", 1));
    }
    for entry in settings.overrides.iter().filter(|entry| !fits_any(&entry.aim, capture, gathering)) {
        let aim = told(&entry.aim);
        let message = format!("an override fits no span: {aim}");
        findings.push(meta(&UNUSED_IGNORE, message, &aim, "remove the override, or correct what it is for", 1));
    }
    for ((rule, reason), count) in &gathering.kept.not_checked {
        let code = RULES.get(usize::from(*rule)).map_or("", |rule| rule.code);
        let message =
            format!("{code} could not look at {count} {}: {reason}", if *count == 1 { "span" } else { "spans" });
        let help = "record what the rule needs, or leave the rule out";
        findings.push(meta(&NOT_CHECKED, message, &format!("{code} {reason}"), help, 1));
    }
    findings
}

/// Whether there is a span, a resource or an input that an entry is about.
fn fits_any(aim: &Aim, capture: &Capture, gathering: &Gathering<'_>) -> bool {
    let places = 0..gathering.kept.places.len() as u32;
    let subjects = capture.spans().map(Subject::Span).chain(places.map(Subject::Envelope));
    let mut subjects = subjects.chain((0..capture.sources().len() as u16).map(|source| Subject::Input(source, 0, 0)));
    subjects.any(|subject| gathering.kept.fits(aim, capture, subject))
}

/// What an entry is about, as it was written.
fn told(aim: &Aim) -> String {
    let Aim { service, span, trace, path } = aim;
    let parts = [("service", service), ("span", span), ("path", path)];
    let globs = parts.iter().filter_map(|(key, glob)| Some(format!("{key} {:?}", glob.as_ref()?.glob().glob())));
    let trace = trace.as_ref().map(|trace| format!("trace {trace}"));
    globs.chain(trace).collect::<Vec<_>>().join(", ")
}

/// Entries of a baseline that matched nothing.
pub(super) fn unused_entries(count: u64) -> Finding {
    let entries = if count == 1 { "entry" } else { "entries" };
    let message = format!("{count} {entries} of the baseline matched nothing");
    let finding = meta(&UNUSED_IGNORE, message, "baseline", "--update-baseline forgets what was put right", count);
    // What was put right fails nobody.
    Finding { severity: Severity::Info, ..finding }
}

/// A finding of lint about itself; `what` tells it from others from run to run.
fn meta(rule: &Rule, message: String, what: &str, help: &str, count: u64) -> Finding {
    let digest = Sha256::digest(format!("{}\0{what}", rule.code));
    Finding {
        code: rule.code,
        name: rule.name,
        severity: rule.severity,
        confidence: rule.confidence,
        message,
        help: help.to_owned(),
        count,
        fingerprint: digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        ..Finding::default()
    }
}
