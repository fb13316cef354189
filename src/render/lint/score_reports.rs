//! The Instrumentation Score and the room in budgets, for CI.
//!
//! Comes in: scores, or what traces measured. Goes out: Markdown for summaries, or a JUnit report whose suites carry the score as a
//! property. No text of a trace means anything to either.

use std::io::{self, Write};

use super::budgets::cell_words;
use super::junit::escaped as xml;
use super::words::{count, limit, measure, thousands};
use crate::lint::{Cell, Fits, SPECIFICATION, Score, Scored, UNSCORED};
use crate::render::tree_markdown::{code, escaped};

fn name(score: &Score) -> &str {
    if score.service.is_empty() { "(no name)" } else { &score.service }
}

fn left_out() -> String {
    UNSCORED.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ")
}

/// Writes the scores as Markdown: a row per service, and what each loses points for.
pub fn scores_markdown(scores: &[Score], out: &mut dyn Write) -> io::Result<()> {
    let [(_, version), _, (_, url)] = SPECIFICATION;
    writeln!(out, "## Instrumentation Score\n")?;
    writeln!(out, "[Specification {version}]({url}), incomplete: {} are not computed from traces.\n", left_out())?;
    writeln!(out, "| service | score | category | fails |\n|---|---:|---|---|")?;
    for score in scores {
        let failed = score.rules.iter().filter(|rule| !rule.passed);
        let failed: Vec<String> =
            failed.map(|rule| format!("{} ({})", rule.rule.id, thousands(rule.failures))).collect();
        let (service, failed) = (escaped(name(score)), failed.join(", "));
        writeln!(out, "| {service} | {:.2} | {} | {failed} |", score.score, score.category)?;
    }
    Ok(())
}

/// Writes the scores as a JUnit report: a suite per service with its score as a property, a case per rule.
pub fn scores_junit(scores: &[Score], out: &mut dyn Write) -> io::Result<()> {
    let failed = |score: &Score| score.rules.iter().filter(|rule| !rule.passed).count();
    let (tests, failures) =
        (scores.iter().map(|score| score.rules.len()).sum::<usize>(), scores.iter().map(failed).sum::<usize>());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let totals = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\"");
    writeln!(out, "<testsuites name=\"Instrumentation Score\" {totals}>")?;
    for score in scores {
        let service = xml(name(score));
        let (tests, failures) = (score.rules.len(), failed(score));
        let totals = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\"");
        writeln!(out, "  <testsuite name=\"{service}\" {totals}>")?;
        writeln!(out, "    <properties>")?;
        let properties = [
            ("instrumentation_score", format!("{:.2}", score.score)),
            ("instrumentation_score.category", score.category.to_owned()),
            ("instrumentation_score.complete", "false".to_owned()),
            ("instrumentation_score.not_computed", left_out()),
        ];
        for (name, value) in properties {
            writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", xml(&value))?;
        }
        writeln!(out, "    </properties>")?;
        score.rules.iter().try_for_each(|rule| case(rule, &service, out))?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn case(scored: &Scored, service: &str, out: &mut dyn Write) -> io::Result<()> {
    let (id, about) = (scored.rule.id, xml(scored.rule.about));
    write!(out, "    <testcase name=\"{id}\" classname=\"{service}\"")?;
    if scored.passed {
        return writeln!(out, "/>");
    }
    let failures = count(scored.failures, "failure", "failures");
    writeln!(out, ">\n      <failure message=\"{failures}\" type=\"{}\">{about}</failure>", scored.rule.impact.name())?;
    writeln!(out, "    </testcase>")
}

/// Writes the room in every budget as Markdown, a row per limit.
pub fn room_markdown(fits: &[Fits], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## Room in budgets\n")?;
    writeln!(out, "| budget | traces that fit | limit of | limit | p50 | p95 | max | over |")?;
    writeln!(out, "|---|---:|---|---:|---:|---:|---:|---:|")?;
    for fits in fits {
        for room in &fits.limits {
            let cell = Cell::named(room.limit_of);
            let unit = cell.map(Cell::unit);
            let size = |number| measure(number, unit);
            writeln!(
                out,
                "| {} | {} of {} | {} | {} | {} | {} | {} | {} |",
                code(&fits.preset),
                thousands(fits.fitting),
                thousands(fits.traces),
                escaped(cell.map_or("", cell_words)),
                limit(room.limit, unit),
                size(room.p50),
                size(room.p95),
                size(room.max),
                thousands(room.over),
            )?;
        }
    }
    Ok(())
}
