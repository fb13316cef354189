//! What is done about findings: a dump put right, or instructions for whoever writes the dumps.
//!
//! Comes in: findings. Goes out: a file, or text on stdout. Only what was found is touched.

use std::io::{self, Write};
use std::path::Path;

use super::console::Console;
use super::emit_form::Form;
use super::error::{Error, Problem};
use super::lint_args::Emit;
use super::lint_format::Format;
use super::output::{OutputArgs, is_private, write_file_as};
use crate::capture::Capture;
use crate::lint::{Cell, DEFAULT_PRESET, Fix, LintReport, RULES, Rule, Settings, headroom, scores};
use crate::mend::{Cut, Done, Plan, mend};
use crate::query::Filter;
use crate::redact::Redactor;
use crate::render::{
    Ottl, Room, Said, Scores, Sdk, room_markdown, scores_json, scores_junit, scores_markdown, write_json,
};

/// Writes the dump with what can be put right put right.
pub(super) fn write(
    path: &Path,
    capture: &Capture,
    report: &LintReport,
    settings: &Settings,
    console: &mut Console,
) -> Result<(), Error> {
    let plan = plan(report, settings);
    let form = Form::of(path).unwrap_or(Form::LINES).streamed();
    let encoding = form.encoding();
    let mut done = Ok(Done::default());
    let draw = |out: &mut dyn Write| {
        form.packed(out, &mut |out| {
            done = mend(capture, &plan, encoding, out);
            // A dump that is not whole must not take the place of a file.
            if done.is_ok() { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
        })
    };
    let output = OutputArgs { output: Some(path.to_owned()) };
    let written = match output.file() {
        Some(path) => write_file_as(path, capture.files().any(is_private), draw)
            .map_err(|source| Problem::Output { path: path.to_owned(), source }.into()),
        None => console.write(&output, draw),
    };
    let done = done.map_err(Problem::Mend)?;
    written?;
    told(path, &done, console);
    Ok(())
}

/// Says what was done.
fn told(path: &Path, done: &Done, console: &mut Console) {
    let counts = [
        (done.renamed, "attribute", "renamed"),
        (done.cut, "value", "cut"),
        (done.excluded, "parameter", "excluded"),
        (done.hidden, "secret", "hidden"),
    ];
    let did: Vec<String> = (counts.into_iter().filter(|(count, ..)| *count > 0))
        .map(|(count, noun, did)| format!("{count} {noun}{} {did}", if count == 1 { "" } else { "s" }))
        .collect();
    let did = if did.is_empty() { "nothing to put right".to_owned() } else { did.join(", ") };
    console.talk(&Said(format!(
        "tracectl: wrote {} {} to {}: {did}",
        done.spans,
        if done.spans == 1 { "span" } else { "spans" },
        path.display()
    )));
}

/// What of the findings a machine can put right without guessing.
fn plan(report: &LintReport, settings: &Settings) -> Plan {
    let mut plan = Plan::default();
    for finding in &report.findings {
        match &finding.fix {
            Some(Fix::RenameAttribute { from, to }) => {
                plan.renames.insert(from.clone(), to.clone());
            }
            Some(Fix::RemoveAttribute { key }) => {
                plan.excluded.insert(key.clone());
            }
            _ => {}
        }
        if finding.code.starts_with("SEC") && plan.redact.is_none() {
            plan.redact = Some(Redactor::default());
        }
    }
    // What is too large is cut to the limits of the rule that says so.
    for rule in RULES.iter().filter(|rule| report.findings.iter().any(|finding| finding.code == rule.code)) {
        plan.cuts.extend(limit(settings, rule, Cell::AttrValueBytes).map(|(limit, _)| Cut::Bytes(limit)));
        plan.cuts.extend(limit(settings, rule, Cell::AttrValueChars).map(|(limit, preset)| match preset {
            DEFAULT_PRESET => Cut::Characters(limit),
            _ => Cut::AllCharacters(limit),
        }));
        let exempt = rule.limit("exempt").map(|limit| settings.words(rule, limit));
        plan.exempt.extend(exempt.into_iter().flatten());
        plan.parameters = plan.parameters.or(limit(settings, rule, Cell::ParamsTotal).map(|(limit, _)| limit));
    }
    plan
}

/// A limit of a rule and the preset it is of, where the rule has such a limit: what somebody set stands over what the budget says.
fn limit<'s>(settings: &'s Settings, rule: &Rule, cell: Cell) -> Option<(u64, &'s str)> {
    let own = settings.number(rule, rule.limit(cell.name())?);
    let bound = settings.budget.get(cell);
    own.map(|limit| (limit, "")).or(bound.map(|bound| (bound.limit, bound.preset.as_str())))
}

/// Prints how much room every budget leaves.
pub(super) fn budget_report(
    format: Option<Format>,
    capture: &Capture,
    filter: &Filter,
    output: &OutputArgs,
    console: &mut Console,
) -> Result<(), Error> {
    let fits = headroom(capture, filter)?;
    match format {
        Some(Format::Json) => {
            console.write(output, |out| write_json(&serde_json::json!({ "schema": 1, "budgets": fits }), out))
        }
        Some(Format::Markdown) => console.write(output, |out| room_markdown(&fits, out)),
        _ => console.show(&Room(&fits), output),
    }
}

/// Prints the Instrumentation Score of every service.
pub(super) fn score(
    format: Option<Format>,
    capture: &Capture,
    filter: &Filter,
    output: &OutputArgs,
    console: &mut Console,
) -> Result<(), Error> {
    let scores = scores(capture, filter)?;
    match format {
        Some(Format::Json) => console.write(output, |out| scores_json(&scores, out)),
        Some(Format::Junit) => console.write(output, |out| scores_junit(&scores, out)),
        Some(Format::Markdown) => console.write(output, |out| scores_markdown(&scores, out)),
        _ => console.show(&Scores(&scores), output),
    }
}

/// Prints what would put findings right upstream.
pub(super) fn emit(
    what: Emit,
    report: &LintReport,
    settings: &Settings,
    output: &OutputArgs,
    console: &mut Console,
) -> Result<(), Error> {
    match what {
        Emit::Ottl => console.show(&Ottl { report, budget: &settings.budget }, output),
        Emit::Sdk => console.show(&Sdk { report, budget: &settings.budget }, output),
    }
}
