//! The Instrumentation Score of every service.
//!
//! Comes in: scores. Goes out: for each service its score and a table with a row a rule, then what the score leaves out; or one JSON
//! document.

use std::io::{self, Write};

use super::words::thousands;
use super::wrap::wrapped;
use crate::lint::{SPECIFICATION, Score, Scored, UNSCORED};
use crate::render::{Column, Ink, Render, Table, Tone, write_json};

/// Scores of services.
pub struct Scores<'r>(pub &'r [Score]);

impl Render for Scores<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let [(_, version), (_, commit), (_, url)] = SPECIFICATION;
        let title = format!(
            "Instrumentation Score (specification {version}, {commit}, {url}), incomplete: only rules that traces tell something about"
        );
        wrapped(ink, Tone::Quiet, &title, 0)?;
        ink.line()?;
        for score in self.0 {
            ink.line()?;
            heading(ink, score)?;
            let text = |title| Column { title, right: false, least: None, rank: 0 };
            let columns = vec![
                text("RULE"),
                Column { rank: 3, ..text("IMPACT") },
                text("RESULT"),
                Column { rank: 1, least: Some(20), ..text("ASKS FOR") },
            ];
            Table { columns, rows: score.rules.iter().map(row).collect() }.render(ink)?;
        }
        let left_out: Vec<&str> = UNSCORED.iter().map(|(id, _)| *id).collect();
        ink.line()?;
        wrapped(ink, Tone::Quiet, &format!("not computed: {}", left_out.join(", ")), 2)?;
        ink.line()
    }
}

fn heading(ink: &mut Ink<'_>, score: &Score) -> io::Result<()> {
    let tone = if score.score >= 75.0 { Tone::Good } else { Tone::Error };
    let service = if score.service.is_empty() { "(no name)" } else { &score.service };
    ink.put(Tone::Service, service)?;
    ink.put(tone, format_args!(" {:.2} {}", score.score, score.category))?;
    ink.line()
}

fn row(scored: &Scored) -> Vec<(Tone, String)> {
    let result = match scored.passed {
        true => (Tone::Good, "passes".to_owned()),
        false => (Tone::Error, format!("fails {}", thousands(scored.failures))),
    };
    vec![
        (Tone::Plain, scored.rule.id.to_owned()),
        (Tone::Quiet, scored.rule.impact.name().to_owned()),
        result,
        (Tone::Quiet, scored.rule.about.to_owned()),
    ]
}

/// Writes one document.
pub fn scores_json(scores: &[Score], out: &mut dyn Write) -> io::Result<()> {
    let left_out: Vec<_> =
        UNSCORED.iter().map(|(id, reason)| serde_json::json!({ "id": id, "reason": reason })).collect();
    let specification: serde_json::Map<_, _> =
        SPECIFICATION.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    let document = serde_json::json!({
        "schema": 1,
        "specification": specification,
        "complete": false,
        "scores": scores,
        "not_computed": left_out,
    });
    write_json(&document, out)
}
