//! JUnit reports: a suite a service, a case a rule, so that a pass is seen to be one.
//!
//! Comes in: a view. Goes out: XML. Findings that fail the run are failures, lesser ones stand in the case's output, and what
//! could not be checked is skipped.

use std::io::{self, Write};

use super::view::LintView;
use super::words::{count, fix, place_text};
use crate::lint::{Finding, rule};
use crate::render::clean;

/// Writes the report.
pub fn junit(view: &LintView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut services: Vec<&str> = view.report.services.iter().map(String::as_str).collect();
    services.extend(view.report.findings.iter().map(|finding| finding.service.as_str()));
    services.sort_unstable();
    services.dedup();
    let suites: Vec<Suite<'_>> = services.into_iter().map(|service| Suite::of(view, service)).collect();
    let sum = |count: fn(&Suite<'_>) -> usize| suites.iter().map(count).sum::<usize>();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"tracectl lint\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
        sum(|suite| suite.cases.len()),
        sum(|suite| suite.failures()),
        sum(|suite| suite.skipped()),
    )?;
    suites.iter().try_for_each(|suite| suite.write(out))?;
    writeln!(out, "</testsuites>")
}

struct Suite<'r> {
    service: &'r str,
    cases: Vec<Case<'r>>,
}

struct Case<'r> {
    code: &'r str,
    failing: Vec<&'r Finding>,
    lesser: Vec<&'r Finding>,
    skipped: Option<String>,
}

impl<'r> Suite<'r> {
    fn of(view: &LintView<'r>, service: &'r str) -> Self {
        let findings: Vec<(usize, &Finding)> =
            view.report.findings.iter().enumerate().filter(|(_, finding)| finding.service == service).collect();
        let mut codes: Vec<&str> = view.report.rules.clone();
        codes.extend(findings.iter().map(|(_, finding)| finding.code));
        codes.sort_unstable();
        codes.dedup();
        let case = |code: &'r str| {
            let of_rule = findings.iter().filter(|(_, finding)| finding.code == code);
            let (failing, lesser): (Vec<_>, Vec<_>) =
                of_rule.partition(|(number, finding)| view.fails(*number, finding));
            let findings = |found: Vec<&(usize, &'r Finding)>| found.into_iter().map(|(_, finding)| *finding).collect();
            Case { code, failing: findings(failing), lesser: findings(lesser), skipped: skipped(view, code) }
        };
        Self { service, cases: codes.into_iter().map(case).collect() }
    }

    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| !case.failing.is_empty()).count()
    }

    fn skipped(&self) -> usize {
        self.cases.iter().filter(|case| case.is_skipped()).count()
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = if self.service.is_empty() { "(no service)" } else { self.service };
        let (tests, failures, skipped) = (self.cases.len(), self.failures(), self.skipped());
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
            escaped(name)
        )?;
        self.cases.iter().try_for_each(|case| case.write(name, out))?;
        writeln!(out, "  </testsuite>")
    }
}

impl Case<'_> {
    fn is_skipped(&self) -> bool {
        self.skipped.is_some() && self.failing.is_empty() && self.lesser.is_empty()
    }

    fn write(&self, service: &str, out: &mut dyn Write) -> io::Result<()> {
        let name = rule(self.code).map(|rule| rule.name).unwrap_or_default();
        let (code, class) = (escaped(self.code), escaped(service));
        write!(out, "    <testcase name=\"{code} {}\" classname=\"{class}\"", escaped(name))?;
        if self.failing.is_empty() && self.lesser.is_empty() && self.skipped.is_none() {
            return writeln!(out, "/>");
        }
        writeln!(out, ">")?;
        if let Some(first) = self.failing.first() {
            let more = match self.failing.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            let message = escaped(&format!("{}{more}", first.message));
            writeln!(
                out,
                "      <failure message=\"{message}\" type=\"{}\">{}</failure>",
                first.severity,
                paragraphs(&self.failing)
            )?;
        }
        if let Some(reason) = self.skipped.as_deref().filter(|_| self.is_skipped()) {
            writeln!(out, "      <skipped message=\"{}\"/>", escaped(reason))?;
        }
        if !self.lesser.is_empty() {
            writeln!(out, "      <system-out>{}</system-out>", paragraphs(&self.lesser))?;
        }
        writeln!(out, "    </testcase>")
    }
}

fn skipped(view: &LintView<'_>, code: &str) -> Option<String> {
    // A rule that had nothing to look at has not passed.
    if view.report.spans == 0 {
        return Some("no span was linted".to_owned());
    }
    let reasons: Vec<String> = view
        .report
        .not_checked
        .iter()
        .filter(|not| not.code == code)
        .map(|not| format!("not checked at {}: {}", count(not.count, "place", "places"), not.reason))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What a person needs who only sees this report: a paragraph per finding.
fn paragraphs(findings: &[&Finding]) -> String {
    let paragraphs: Vec<String> = findings.iter().map(|finding| paragraph(finding)).collect();
    paragraphs.join("\n\n")
}

fn paragraph(finding: &Finding) -> String {
    let times = if finding.count > 1 { format!(" ({} times)", finding.count) } else { String::new() };
    let mut lines =
        vec![format!("{}[{}] {}: {}{times}", finding.severity, finding.code, finding.name, finding.message)];
    let span = if finding.path.is_empty() { finding.span_name.clone() } else { finding.path.join(" > ") };
    let ids = [("trace", &finding.trace_id), ("span", &finding.span_id)];
    let ids = ids.into_iter().filter(|(_, id)| !id.is_empty()).map(|(word, id)| format!("{word} {id}"));
    let code = finding.code_location.as_ref().map(|place| match place.line {
        0 => place.path.clone(),
        line => format!("{}:{line}", place.path),
    });
    let facts = [
        ("span", span),
        ("attribute", finding.attribute.clone().unwrap_or_default()),
        ("ids", ids.collect::<Vec<_>>().join(", ")),
        ("at", place_text(finding).unwrap_or_default()),
        ("code", code.unwrap_or_default()),
        ("help", finding.help.clone()),
        ("fix", finding.fix.as_ref().map(fix).unwrap_or_default()),
    ];
    lines.extend(facts.iter().filter(|(_, fact)| !fact.is_empty()).map(|(word, fact)| format!("  {word}: {fact}")));
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    lines.join("\n")
}

/// Text for XML: what acts on a terminal shown (XML cannot even carry most of it), what means something to XML escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
