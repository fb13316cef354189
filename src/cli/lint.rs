//! `tracectl lint`: judges traces by rules.
//!
//! Comes in: options. Goes out: findings in every form that was asked for, then whether that is a failure.

use std::fs::OpenOptions;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::inputs::Inputs;
pub(super) use super::lint_args::Args;
use super::lint_format::{Targets, write};
use super::lint_gate::Gate;
use super::lint_repository::Repository;
use super::output::OutputArgs;
use super::{lint_baseline, lint_fix, lint_settings};
use crate::lint::{Baseline, Compared, LintReport, Linted};
use crate::render::{GroupBy, LintMarkdown, LintView, Verdict, veil};

/// Findings that people are shown before the rest is only counted.
const LIMIT: usize = 50;

struct Settings {
    inputs: Inputs,
    lint: crate::lint::Settings,
    gate: Gate,
    baseline: Option<std::path::PathBuf>,
    targets: Targets,
}

fn settings(args: &Args, config: &Config, console: &Console) -> Result<Settings, Error> {
    let inputs = args.inputs.settings(config);
    let on_github = console.around().variable("GITHUB_ACTIONS") == Some("true");
    Ok(Settings {
        lint: lint_settings::settings(args, config, console.around().now, inputs.jobs())?,
        gate: lint_settings::gate(args, config),
        baseline: lint_settings::baseline(args, config)?,
        targets: Targets::of(args.answer.format, &args.answer.output, on_github),
        inputs,
    })
}

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let settings = settings(args, config, console)?;
    let Linted { capture, mut report } = settings.inputs.lint(&settings.lint, console)?;
    Repository::around(&console.around().directory).locate(&mut report.findings);
    veil(&mut report);
    let baseline = Baseline::of(&report);
    let mut compared = match &settings.baseline {
        Some(path) => Some(lint_baseline::compare(path, &report, args.gate.update_baseline)?),
        None => None,
    };
    if let (Some(path), true) = (&settings.baseline, args.gate.update_baseline) {
        lint_baseline::update(path, &baseline, console)?;
        compared = Some(baseline.compare(&report));
    }
    // A look at a part proves nothing about the rest.
    if let Some(compared) = compared.as_mut().filter(|_| settings.lint.filter.is_open()) {
        Baseline::tell_gone(compared, &mut report);
    }
    let verdict = settings.gate.judge(&report, compared.as_ref());
    if args.gate.new_only {
        keep_new(&mut report, compared.as_mut());
    }
    let known = compared.map(|compared| compared.known).unwrap_or_default();
    answer(args, &settings, &view(args, &settings.gate, &report, &known, &verdict), &capture, console)?;
    if let Some(path) = &args.fix.fix_output {
        lint_fix::write(path, &capture, &report, &settings.lint, console)?;
    }
    settings.inputs.judge(&capture, console)?;
    match verdict.fails() && !args.gate.exit_zero {
        _ if report.spans == 0 => Err(Problem::NothingFits { spans: capture.len() }.into()),
        true => Ok(Exit::Found),
        false => Ok(Exit::Fine),
    }
}

fn view<'r>(args: &Args, gate: &Gate, report: &'r LintReport, known: &'r [bool], verdict: &'r Verdict) -> LintView<'r> {
    LintView {
        report,
        known,
        verdict,
        fail_on: gate.fail_on,
        show_info: args.answer.show_info,
        group_by: args.answer.group_by.map_or(GroupBy::None, GroupBy::from),
        limit: Some(args.answer.limit.unwrap_or(LIMIT)).filter(|limit| *limit > 0),
    }
}

fn answer(
    args: &Args,
    settings: &Settings,
    view: &LintView<'_>,
    capture: &crate::capture::Capture,
    console: &mut Console,
) -> Result<(), Error> {
    settings.targets.write_files(view, console)?;
    let summary = console.around().variable("GITHUB_STEP_SUMMARY").map(std::path::PathBuf::from);
    if let (Some(path), Some("true")) = (summary, console.around().variable("GITHUB_ACTIONS")) {
        let failed = |source| Problem::Output { path: path.clone(), source };
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        LintMarkdown(*view).write(&mut file).map_err(failed)?;
    }
    if args.answer.budget_report {
        return lint_fix::budget_report(args.answer.format, capture, &settings.lint.filter, console);
    }
    if let Some(what) = args.fix.emit {
        return lint_fix::emit(what, view.report, &settings.lint, console);
    }
    match settings.targets.stdout {
        Some(form) => write(form, view, &OutputArgs::default(), args.answer.statistics, console),
        None => Ok(()),
    }
}

/// Leaves out what the baseline knows.
fn keep_new(report: &mut LintReport, compared: Option<&mut Compared>) {
    let Some(compared) = compared else { return };
    let mut known = compared.known.iter();
    report.findings.retain(|_| known.next() != Some(&true));
    compared.known.retain(|known| !known);
    report.by_rule.clear();
    for finding in &report.findings {
        *report.by_rule.entry(finding.code).or_default() += 1;
    }
}
