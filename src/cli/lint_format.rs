//! The forms of lint's answer, and where each goes.
//!
//! Comes in: `--format` and `-o [FORMAT=]FILE`, as often as it was given. Goes out: what is written where.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::console::Console;
use super::error::Error;
use super::nearest::{meant, nearest};
use super::output::{OutputArgs, format_of, report_format};
use crate::render::{
    Concise, GitHub, Human, LintMarkdown, LintView, Statistics, gitlab, junit, lint_json, lint_jsonl, sarif,
};

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Human,
    Concise,
    Json,
    Jsonl,
    Sarif,
    Junit,
    Github,
    Gitlab,
    Markdown,
}

/// A file, and the form it is written in where that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) form: Option<Format>,
    pub(super) path: PathBuf,
}

impl Format {
    /// Its name.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// The names of all forms.
pub(super) fn names() -> Vec<String> {
    Format::value_variants().iter().map(|form| form.name()).collect()
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = Ok(Self { form: None, path: text.into() });
        let Some((word, path)) = text.split_once('=') else { return plain };
        if let Ok(form) = Format::from_str(word, true) {
            return Ok(Self { form: Some(form), path: path.into() });
        }
        // Only what is written as a path is one.
        if word.contains(['/', '\\']) {
            return plain;
        }
        let names = names();
        let meant = meant(nearest(word, names.iter().map(String::as_str)));
        let all = names.join(", ");
        Err(format!("there is no format '{word}'{meant}; there are {all}; for a file of that name write ./{text}"))
    }
}

/// Where the answer goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets {
    /// The form on stdout, if anything goes there.
    pub(super) stdout: Option<Format>,
    files: Vec<(Format, PathBuf)>,
    /// The file that takes the place of stdout.
    plain: Option<PathBuf>,
}

impl Targets {
    /// Decides: a file without a form takes the place of stdout, one with a form comes besides.
    pub(super) fn of(format: Option<Format>, targets: &[Target], on_github: bool) -> Self {
        let usual = if on_github { Format::Github } else { Format::Human };
        let mut decided = Self { stdout: Some(format.unwrap_or(usual)), files: Vec::new(), plain: None };
        for target in targets {
            let form = target.form.or(format).or_else(|| format_of(&target.path)).unwrap_or(Format::Human);
            match (target.path == Path::new("-"), target.form) {
                (true, _) => decided.stdout = Some(form),
                (false, form_said) => {
                    decided.files.push((form, target.path.clone()));
                    if form_said.is_none() {
                        decided.stdout = None;
                        decided.plain = Some(target.path.clone());
                    }
                }
            }
        }
        decided
    }

    /// The files that are written.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(_, path)| path.as_path())
    }

    /// The file that takes the place of stdout.
    pub(super) fn plain(&self) -> Option<&Path> {
        self.plain.as_deref()
    }

    /// The form that the name of that file asks for.
    pub(super) fn plain_form(&self) -> Option<Format> {
        self.plain().and_then(format_of)
    }

    /// Reports the format that the name of that file has chosen; `format` was asked for in so many words.
    pub(super) fn report_format(&self, format: Option<Format>, console: &mut Console) {
        if let (None, Some(path), Some(form)) = (format, self.plain(), self.plain_form()) {
            report_format(path, &form, console);
        }
    }

    /// Writes everything but what goes to stdout.
    pub(super) fn write_files(&self, view: &LintView<'_>, console: &mut Console) -> Result<(), Error> {
        for (form, path) in &self.files {
            write(*form, view, &OutputArgs { output: Some(path.clone()) }, false, console)?;
        }
        Ok(())
    }
}

impl Targets {
    /// Writes the files that were named with a form.
    pub(super) fn write_reports(&self, view: &LintView<'_>, console: &mut Console) -> Result<(), Error> {
        for (form, path) in self.files.iter().filter(|(_, path)| self.plain.as_ref() != Some(path)) {
            write(*form, view, &OutputArgs { output: Some(path.clone()) }, false, console)?;
        }
        Ok(())
    }
}

/// Writes the answer in one form.
pub(super) fn write(
    form: Format,
    view: &LintView<'_>,
    output: &OutputArgs,
    statistics: bool,
    console: &mut Console,
) -> Result<(), Error> {
    type Draw = fn(&LintView<'_>, &mut dyn Write) -> std::io::Result<()>;
    let draw: Draw = match form {
        Format::Human if statistics => return console.show(&Statistics(*view), output),
        Format::Human => return console.show(&Human(*view), output),
        Format::Concise => return console.show(&Concise(*view), output),
        Format::Json => lint_json,
        Format::Jsonl => lint_jsonl,
        Format::Sarif => sarif,
        Format::Junit => junit,
        Format::Gitlab => gitlab,
        Format::Github => |view, out| GitHub(*view).write(out),
        Format::Markdown => |view, out| LintMarkdown(*view).write(out),
    };
    console.write(output, |out| draw(view, out))
}
