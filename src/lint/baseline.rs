//! What was found before: known findings do not fail a run, new ones do, and looking away does.
//!
//! Comes in: a report, and the text of a baseline. Goes out: which findings are known, what is gone, and what can no longer be
//! checked. The text is sorted, so that its changes are readable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::finding::Finding;
use super::report::LintReport;
use super::rules::RULES;
use super::verdict::unused_entries;
use crate::redact;

/// A baseline: what was found, and what every rule was able to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The version of this form: 1.
    pub schema: u32,
    /// What was found, by rule and fingerprint.
    pub findings: Vec<Known>,
    /// The rules that were in force.
    pub rules: Vec<String>,
    /// At how many places a rule could not look, by code.
    pub not_checked: BTreeMap<String, u64>,
}

/// A known finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Known {
    /// The rule's code.
    pub code: String,
    /// The same from run to run.
    pub fingerprint: String,
    /// How often it occurred.
    pub count: u64,
    /// The service, for whoever reads the file.
    pub service: String,
    /// The span's name, for whoever reads the file.
    pub span_name: String,
    /// The attribute, for whoever reads the file.
    pub attribute: Option<String>,
}

/// Why a baseline cannot be used.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// It is not a baseline.
    #[error("it is not a baseline of lint")]
    Form(#[from] serde_json::Error),
    /// A later version wrote it.
    #[error("its schema is {0}, this version knows 1")]
    Schema(u32),
}

/// A report beside a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// For every finding of the report whether it is known and no more frequent than it was.
    pub known: Vec<bool>,
    /// Known findings that were not found any more, of rules that were in force.
    pub gone: u64,
    /// What is checked less than it was, in words.
    pub less: Vec<String>,
}

impl Baseline {
    /// What this report finds.
    pub fn of(report: &LintReport) -> Self {
        let mut known: BTreeMap<(String, String), Known> = BTreeMap::new();
        for finding in &report.findings {
            let key = (finding.code.to_owned(), finding.fingerprint.clone());
            let entry = known.entry(key).or_insert_with(|| Known { count: 0, ..Known::of(finding) });
            entry.count += finding.count;
        }
        Self {
            schema: 1,
            findings: known.into_values().collect(),
            rules: report.rules.iter().map(|code| (*code).to_owned()).collect(),
            not_checked: unchecked(report),
        }
    }

    /// The same with what this look says nothing about as it was before: what is known of rules that were not in force, and, where
    /// `all` was not looked at, whatever was not found, and found less often.
    pub fn with_rest_of(mut self, before: Self, all: bool) -> Self {
        let looked = |code: &str| all && (code.starts_with("CFG") || self.rules.iter().any(|rule| rule == code));
        let mut known: BTreeMap<(String, String), Known> = BTreeMap::new();
        let mut not_checked = BTreeMap::new();
        for old in before.findings.into_iter().filter(|old| !looked(&old.code)) {
            known.insert((old.code.clone(), old.fingerprint.clone()), old);
        }
        not_checked.extend(before.not_checked.into_iter().filter(|(code, _)| !looked(code)));
        for new in self.findings {
            let entry = known.entry((new.code.clone(), new.fingerprint.clone())).or_insert_with(|| new.clone());
            *entry = Known { count: new.count.max(entry.count), ..new };
        }
        for (code, count) in self.not_checked {
            let entry = not_checked.entry(code).or_insert(count);
            *entry = count.max(*entry);
        }
        let place = |code: &String| RULES.iter().position(|rule| rule.code == code);
        self.rules.extend(before.rules);
        self.rules.sort_by(|a, b| (place(a), a).cmp(&(place(b), b)));
        self.rules.dedup();
        Self { findings: known.into_values().collect(), not_checked, ..self }
    }

    /// Reads a baseline.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text)?;
        if baseline.schema == 1 { Ok(baseline) } else { Err(BaselineError::Schema(baseline.schema)) }
    }

    /// Tells what is new, what is gone, and what is checked less.
    pub fn compare(&self, report: &LintReport) -> Compared {
        let before: BTreeMap<&str, u64> =
            self.findings.iter().map(|known| (known.fingerprint.as_str(), known.count)).collect();
        let mut now: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in &report.findings {
            *now.entry(&finding.fingerprint).or_default() += finding.count;
        }
        let is_known = |finding: &Finding| {
            let (before, now) = (before.get(&*finding.fingerprint), now.get(&*finding.fingerprint));
            before.is_some_and(|before| now.is_some_and(|now| now <= before))
        };
        let looked_for = self.findings.iter().filter(|known| report.rules.contains(&&*known.code));
        let gone = looked_for.filter(|known| !now.contains_key(&*known.fingerprint)).count();
        Compared { known: report.findings.iter().map(is_known).collect(), gone: gone as u64, less: self.less(report) }
    }

    /// Says in the report that entries of the baseline are of no use any more.
    pub fn tell_gone(compared: &mut Compared, report: &mut LintReport) {
        if compared.gone > 0 {
            let at = report.add(unused_entries(compared.gone));
            compared.known.insert(at, false);
        }
    }

    fn less(&self, report: &LintReport) -> Vec<String> {
        let missing = self.rules.iter().filter(|code| !report.rules.contains(&code.as_str()));
        let mut less: Vec<String> = missing.map(|code| format!("{code} is not checked any more")).collect();
        for (code, now) in unchecked(report) {
            let before = self.not_checked.get(&code).copied().unwrap_or(0);
            if now > before && self.rules.contains(&code) {
                less.push(format!("{code} could not look at {now} places, {before} before"));
            }
        }
        less
    }
}

impl Known {
    fn of(finding: &Finding) -> Self {
        let veiled = |text: &str| redact::text(text).into_owned();
        Self {
            code: finding.code.to_owned(),
            fingerprint: finding.fingerprint.clone(),
            count: finding.count,
            service: veiled(&finding.service),
            span_name: veiled(&finding.span_name),
            attribute: finding.attribute.as_deref().map(veiled),
        }
    }
}

fn unchecked(report: &LintReport) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for not in &report.not_checked {
        *counts.entry(not.code.to_owned()).or_default() += not.count;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::NotChecked;

    fn found(fingerprint: &str, count: u64) -> Finding {
        Finding { code: "BUD001", fingerprint: fingerprint.into(), count, ..Finding::default() }
    }

    fn report(findings: Vec<Finding>, unchecked: u64) -> LintReport {
        let not_checked = vec![NotChecked { code: "BUD001", reason: "", count: unchecked }];
        LintReport { findings, not_checked, rules: vec!["BUD001"], ..LintReport::default() }
    }

    #[test]
    fn known_stays_known_until_it_is_worse() {
        let before = Baseline::of(&report(vec![found("a", 3), found("b", 1)], 2));
        let text = serde_json::to_string(&before).unwrap();
        let before = Baseline::read(&text).unwrap();
        let same = before.compare(&report(vec![found("a", 2)], 2));
        assert_eq!(same, Compared { known: vec![true], gone: 1, less: vec![] });
        let worse = before.compare(&report(vec![found("a", 4), found("c", 1), found("b", 1)], 2));
        assert_eq!(worse.known, [false, false, true]);
    }

    #[test]
    fn looking_at_less_is_told() {
        let before = Baseline::of(&report(Vec::new(), 2));
        assert_eq!(before.compare(&report(Vec::new(), 3)).less.len(), 1);
        assert_eq!(before.compare(&LintReport::default()).less, ["BUD001 is not checked any more"]);
    }

    #[test]
    fn a_look_at_a_part_leaves_the_rest_as_it_was() {
        let of = |code: &'static str, fingerprint: &str, count| Finding { code, ..found(fingerprint, count) };
        let mut whole = report(vec![of("BUD001", "a", 3), of("BUD001", "b", 1), of("STR001", "c", 2)], 2);
        whole.rules = vec!["STR001", "BUD001"];
        let before = Baseline::of(&whole);
        let told = |baseline: &Baseline| {
            let all = baseline.findings.iter().map(|known| (known.fingerprint.clone(), known.count));
            (all.collect::<Vec<_>>(), baseline.rules.clone())
        };
        let now = Baseline::of(&report(vec![of("BUD001", "a", 1)], 0));
        let rules = vec!["STR001".to_owned(), "BUD001".to_owned()];
        let by_rules = now.clone().with_rest_of(before.clone(), true);
        assert_eq!(told(&by_rules), (vec![("a".to_owned(), 1), ("c".to_owned(), 2)], rules.clone()));
        let by_spans = now.with_rest_of(before, false);
        let all = vec![("a".to_owned(), 3), ("b".to_owned(), 1), ("c".to_owned(), 2)];
        assert_eq!(told(&by_spans), (all, rules));
        assert_eq!((by_rules.not_checked.get("BUD001"), by_spans.not_checked.get("BUD001")), (Some(&0), Some(&2)));
    }

    #[test]
    fn what_is_no_baseline_is_refused() {
        assert!(Baseline::read("{}").is_err());
        let later = Baseline { schema: 2, ..Baseline::default() };
        assert!(Baseline::read(&serde_json::to_string(&later).unwrap()).is_err());
    }
}
