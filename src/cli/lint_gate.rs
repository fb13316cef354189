//! Whether a run of lint fails.
//!
//! Comes in: a report, what the baseline knows, and what was asked for. Goes out: a verdict in words.

use std::collections::BTreeMap;

use crate::lint::{Compared, Finding, LintReport, Severity};
use crate::render::Verdict;

/// What makes a run fail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    /// Findings of this level and worse.
    pub(super) fail_on: Option<Severity>,
    /// More warnings than this.
    pub(super) max_warnings: Option<u64>,
    /// More findings than this.
    pub(super) max_findings: Option<u64>,
    /// Likely findings about behaviour count as much as proven ones.
    pub(super) likely: bool,
}

impl Gate {
    /// Judges a report.
    pub(super) fn judge(&self, report: &LintReport, compared: Option<&Compared>) -> Verdict {
        let mut verdict = Verdict::default();
        let known = |number: usize| compared.is_some_and(|compared| compared.known.get(number) == Some(&true));
        let new: Vec<&Finding> = report
            .findings
            .iter()
            .enumerate()
            .filter(|(number, _)| !known(*number))
            .map(|(_, finding)| finding)
            .collect();
        let word = if compared.is_some() { "new " } else { "" };
        if let Some(level) = self.fail_on {
            let failing = new.iter().filter(|finding| finding.severity <= level && self.counts(finding)).count();
            if failing > 0 {
                let findings = if failing == 1 { "finding" } else { "findings" };
                verdict.failures.push(format!("{failing} {word}{findings} at or above {level} (--fail-on)"));
            }
        }
        let warnings = new.iter().filter(|finding| finding.severity == Severity::Warn).count() as u64;
        if let Some(most) = self.max_warnings.filter(|most| warnings > *most) {
            let warning = if warnings == 1 { "warning" } else { "warnings" };
            verdict.failures.push(format!("{warnings} {word}{warning}, {most} allowed (--max-warnings)"));
        }
        if let Some(most) = self.max_findings.filter(|most| new.len() as u64 > *most) {
            let finding = if new.len() == 1 { "finding" } else { "findings" };
            verdict.failures.push(format!("{} {word}{finding}, {most} allowed (--max-findings)", new.len()));
        }
        if let Some(compared) = compared {
            verdict.failures.extend(compared.less.iter().map(|less| format!("{less} (the baseline could)")));
            verdict.notes.extend(known_words(report, &compared.known));
            match compared.gone {
                0 => {}
                1 => verdict.notes.push("1 known finding is gone: --update-baseline removes it".to_owned()),
                gone => {
                    verdict.notes.push(format!("{gone} known findings are gone: --update-baseline removes them"));
                }
            }
        }
        verdict
    }

    fn counts(&self, finding: &Finding) -> bool {
        self.likely || !finding.is_suspicion()
    }
}

/// How much of what was found the baseline knows, by rule: `3 findings are known to the baseline: BUD001 2, ERR001 1`.
fn known_words(report: &LintReport, known: &[bool]) -> Option<String> {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for (finding, _) in report.findings.iter().zip(known).filter(|(_, known)| **known) {
        *rules.entry(finding.code).or_default() += 1;
    }
    let what = match rules.values().sum() {
        0 => return None,
        1 => "1 finding is".to_owned(),
        count => format!("{count} findings are"),
    };
    let rules: Vec<String> = rules.into_iter().map(|(code, count)| format!("{code} {count}")).collect();
    Some(format!("{what} known to the baseline: {}", rules.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Confidence;

    fn gate() -> Gate {
        Gate { fail_on: Some(Severity::Warn), max_warnings: None, max_findings: None, likely: false }
    }

    fn report(code: &'static str, confidence: Confidence) -> LintReport {
        let finding = Finding { code, severity: Severity::Warn, confidence, ..Finding::default() };
        LintReport { findings: vec![finding], ..LintReport::default() }
    }

    #[test]
    fn suspicions_about_behaviour_fail_nothing() {
        assert!(!gate().judge(&report("AGT001", Confidence::Likely), None).fails());
        assert!(Gate { likely: true, ..gate() }.judge(&report("AGT001", Confidence::Likely), None).fails());
        assert!(gate().judge(&report("AGT001", Confidence::Proven), None).fails());
        assert!(gate().judge(&report("ERR006", Confidence::Likely), None).fails());
        assert!(
            !Gate { fail_on: Some(Severity::Error), ..gate() }
                .judge(&report("ERR006", Confidence::Proven), None)
                .fails()
        );
        let warnings = Gate { fail_on: None, max_warnings: Some(0), ..gate() };
        assert!(warnings.judge(&report("ERR006", Confidence::Proven), None).fails());
    }

    #[test]
    fn what_is_known_fails_nothing_and_looking_away_does() {
        let report = report("ERR006", Confidence::Proven);
        let compared = Compared { known: vec![true], ..Compared::default() };
        assert!(!gate().judge(&report, Some(&compared)).fails());
        let compared = Compared { less: vec!["ERR001 is not checked any more".into()], ..compared };
        assert!(gate().judge(&report, Some(&compared)).fails());
    }
}
