//! `tracectl lint`: judges traces by rules.
//!
//! Comes in: options. Goes out: findings in every form that was asked for, then whether that is a failure.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::inputs::Inputs;
pub(super) use super::lint_args::Args;
use super::lint_args::JudgingArgs;
use super::lint_format::{Format, Target, Targets, write};
use super::lint_gate::Gate;
use super::lint_repository::Repository;
use super::lint_settings::Misuse;
use super::output::OutputArgs;
use super::{lint_baseline, lint_fix, lint_settings};
use crate::capture::Capture;
use crate::lint::{Baseline, Compared, Confidence, LintReport, Linted};
use crate::render::{GroupBy, LintMarkdown, LintView, Verdict, veil};

/// Findings that people are shown before the rest is only counted.
const LIMIT: usize = 50;

/// A judgement that was asked for, by `lint` or by `listen --lint`.
pub(super) struct Judgement<'a> {
    args: &'a JudgingArgs,
    inputs: Inputs,
    /// The inputs are still there when the report is read.
    kept: bool,
    lint: crate::lint::Settings,
    gate: Gate,
    baseline: Option<PathBuf>,
    targets: Targets,
    /// The form that was asked for, in so many words or by the name of a file.
    format: Option<Format>,
}

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let inputs = args.inputs.settings(config);
    let asked = args.answer.format;
    let judgement = Judgement::new(&args.judging, asked, &args.answer.output, inputs, config, console)?;
    judgement.targets.report_format(asked, console);
    judgement.pass(console)
}

impl<'a> Judgement<'a> {
    /// Checks everything that was asked for.
    pub(super) fn new(
        args: &'a JudgingArgs,
        format: Option<Format>,
        output: &[Target],
        inputs: Inputs,
        config: &Config,
        console: &Console,
    ) -> Result<Self, Error> {
        let on_github = console.around().variable("GITHUB_ACTIONS") == Some("true");
        let targets = Targets::of(format, output, on_github);
        let format = format.or(targets.plain_form());
        check_form(args, format)?;
        Ok(Self {
            args,
            lint: lint_settings::settings(args, config, console.around().now, inputs.jobs())?,
            gate: lint_settings::gate(args, config),
            baseline: lint_settings::baseline(args, config)?,
            targets,
            format,
            inputs,
            kept: true,
        })
    }

    /// Judges these files instead of those that were named; those that are not kept are no place to point to.
    pub(super) fn of(self, paths: Vec<OsString>, kept: bool) -> Self {
        Self { inputs: self.inputs.of(paths), kept, ..self }
    }

    /// Reads, judges, answers.
    pub(super) fn pass(&self, console: &mut Console) -> Result<Exit, Error> {
        let gate = &self.args.gate;
        if self.lint.levels.is_empty() {
            return Err(Problem::Lint(Misuse::NoRules).into());
        }
        let Linted { capture, mut report } = self.inputs.lint(&self.lint, console)?;
        self.spare(&capture)?;
        Repository::around(&console.around().directory).locate(&mut report.findings);
        veil(&mut report);
        let mut compared = match &self.baseline {
            Some(path) => Some(self.compare(path, &report, console)?),
            None => None,
        };
        // A look at a part proves nothing about the rest.
        if let Some(compared) = compared.as_mut().filter(|_| self.lint.filter.is_open()) {
            Baseline::tell_gone(compared, &mut report);
        }
        let mut verdict = self.gate.judge(&report, compared.as_ref());
        if !self.kept && !report.findings.is_empty() {
            report.findings.iter_mut().for_each(|finding| finding.source = None);
            verdict
                .notes
                .push("the record was temporary: with -o FILE it is kept, and findings point into it".to_owned());
        }
        if gate.new_only {
            keep_new(&mut report, compared.as_mut());
        }
        let known = compared.map(|compared| compared.known).unwrap_or_default();
        self.answer(&self.view(&report, &known, &verdict), &capture, console)?;
        if let Some(path) = &self.args.fix.fix_output {
            lint_fix::write(path, &capture, &report, &self.lint, console)?;
        }
        self.inputs.judge(&capture, console)?;
        match verdict.fails() && !gate.exit_zero {
            _ if report.spans == 0 => Err(Problem::NothingFits { spans: capture.len() }.into()),
            true => Ok(Exit::Found),
            false => Ok(Exit::Fine),
        }
    }

    /// Holds the report against the baseline, and writes the baseline anew where that was asked for.
    fn compare(&self, path: &Path, report: &LintReport, console: &mut Console) -> Result<Compared, Error> {
        let update = self.args.gate.update_baseline;
        let known = lint_baseline::read(path, update)?;
        // What nothing was found in says nothing about what is known.
        if !update || report.spans == 0 {
            return Ok(known.unwrap_or_else(|| Baseline::of(report)).compare(report));
        }
        let all = self.lint.filter.is_open() && self.lint.min_confidence == Confidence::Likely;
        let baseline = match known {
            // What a flag leaves out is only not looked at this time.
            Some(known) if !all || self.args.rules.levels.leaves_out() => Baseline::of(report).with_rest_of(known, all),
            _ => Baseline::of(report),
        };
        lint_baseline::write(path, &baseline, console)?;
        // Whoever writes it anew takes it as it is.
        Ok(Compared { gone: 0, less: Vec::new(), ..baseline.compare(report) })
    }

    fn view<'r>(&self, report: &'r LintReport, known: &'r [bool], verdict: &'r Verdict) -> LintView<'r> {
        let shown = &self.args.report;
        LintView {
            report,
            known,
            verdict,
            fail_on: self.gate.fail_on,
            fail_likely: self.gate.likely,
            show_info: shown.show_info,
            group_by: shown.group_by.map_or(GroupBy::None, GroupBy::from),
            limit: Some(shown.limit.unwrap_or(LIMIT)).filter(|limit| *limit > 0),
        }
    }

    /// Refuses to write over an input.
    fn spare(&self, capture: &Capture) -> Result<(), Error> {
        let files = self.targets.files().chain(self.args.fix.fix_output.as_deref());
        files.map(|path| OutputArgs { output: Some(path.to_owned()) }).try_for_each(|output| output.spare(capture))
    }

    fn answer(&self, view: &LintView<'_>, capture: &Capture, console: &mut Console) -> Result<(), Error> {
        if self.args.report.budget_report || self.args.report.score || self.args.fix.emit.is_some() {
            return self.instead(view, capture, console);
        }
        self.targets.write_files(view, console)?;
        if let Some(form) = self.targets.stdout {
            write(form, view, &OutputArgs::default(), self.args.report.statistics, console)?;
        }
        let summary = console.around().variable("GITHUB_STEP_SUMMARY").map(PathBuf::from);
        if let (Some(path), Some("true")) = (summary, console.around().variable("GITHUB_ACTIONS")) {
            let failed = |source| Problem::Output { path: path.clone(), source };
            let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
            LintMarkdown(*view).write(&mut file).map_err(failed)?;
        }
        Ok(())
    }

    /// What was asked for instead of the findings, to stdout or to the file of `-o`; files with a form get findings all the same.
    fn instead(&self, view: &LintView<'_>, capture: &Capture, console: &mut Console) -> Result<(), Error> {
        let output = OutputArgs { output: self.targets.plain().map(Path::to_owned) };
        self.targets.write_reports(view, console)?;
        match self.args.fix.emit {
            Some(what) => lint_fix::emit(what, view.report, &self.lint, &output, console),
            None if self.args.report.score => {
                lint_fix::score(self.format, capture, &self.lint.filter, &output, console)
            }
            None => lint_fix::budget_report(self.format, capture, &self.lint.filter, &output, console),
        }
    }
}

/// Refuses to write a score or headroom in a form that only findings have.
fn check_form(args: &JudgingArgs, format: Option<Format>) -> Result<(), Error> {
    let (flag, other) = match (args.report.score, args.report.budget_report) {
        (true, _) => ("score", Some(Format::Junit)),
        (_, true) => ("budget-report", None),
        _ => return Ok(()),
    };
    match format {
        None | Some(Format::Human | Format::Json | Format::Markdown) => Ok(()),
        form if form == other => Ok(()),
        Some(form) => {
            let problem = Problem::Lint(Misuse::Form { flag, form: form.name() });
            let forms = if other.is_some() { "human, json, junit and markdown" } else { "human, json and markdown" };
            Err(Error::from(problem).hint(format!("its formats are {forms}")))
        }
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
