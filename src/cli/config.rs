//! Settings from `tracectl.toml` and from `TRACECTL_*` variables; a variable wins over the file.
//!
//! Comes in: the file nearest upwards, and the environment. Goes out: checked settings by name. A setting nobody knows,
//! or with a value it cannot have, is an error that says where it stands.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use super::config_keys::{FOREIGN_SECTIONS, Holds, KEYS, Key};
use super::lint_config::LintConfig;
use super::lint_walk::Walk;
use super::nearest::{meant, nearest};
use super::surroundings::Surroundings;

/// The file's name.
pub(super) const FILE_NAME: &str = "tracectl.toml";
/// What it may be called instead; of a folder the first that is there counts.
const OTHER_NAMES: [&str; 2] = [".tracectl.toml", PYPROJECT];
/// Settings of a Python project, those of tracectl in `[tool.tracectl]`.
const PYPROJECT: &str = "pyproject.toml";

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub(super) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// File and line.
        place: String,
        /// What the parser said.
        message: String,
    },
    /// Something in `[lint]` is wrong.
    #[error("{place}: {message}")]
    Lint {
        /// File and line.
        place: String,
        /// What it is.
        message: String,
    },
    /// A name that no setting has.
    #[error("{place}: there is no setting '{name}'{}", meant(*nearest))]
    UnknownKey {
        /// File and line.
        place: String,
        /// The name.
        name: String,
        /// The name that is probably meant.
        nearest: Option<&'static str>,
    },
    /// A value that the setting cannot have.
    #[error("{place}: '{name}' is {wanted}, not {value}{}", meant(*nearest))]
    WrongValue {
        /// File and line, or variable.
        place: String,
        /// The setting.
        name: &'static str,
        /// What it can be.
        wanted: String,
        /// What it was given.
        value: String,
        /// The value that is probably meant.
        nearest: Option<&'static str>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Setting {
    Flag(bool),
    Number(u64),
    Text(String),
}

/// Checked settings.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    settings: BTreeMap<&'static str, Setting>,
    lint: LintConfig,
    /// The folder of the file, from which paths in it go out.
    folder: PathBuf,
}

impl Config {
    /// Reads the file that is named, or found, and the variables.
    pub(super) fn load(named: Option<&Path>, around: &Surroundings) -> Result<Self, ConfigError> {
        let named = named.map(Path::to_owned).or_else(|| around.variable("TRACECTL_CONFIG").map(PathBuf::from));
        let mut config = Self::default();
        config.folder.clone_from(&around.directory);
        if let Some(path) = named.or_else(|| find(&around.directory)) {
            let text = read_text(&path);
            let text = text.map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
            config.folder = path.parent().map(Path::to_owned).unwrap_or_default();
            config.read_file(&path.display().to_string(), &text)?;
        }
        config.read_variables(around)?;
        Ok(config)
    }

    /// Reads the variables alone.
    pub(super) fn isolated(around: &Surroundings) -> Result<Self, ConfigError> {
        let mut config = Self { folder: around.directory.clone(), ..Self::default() };
        config.read_variables(around)?;
        Ok(config)
    }

    /// What `[lint]` says.
    pub(super) fn lint(&self) -> &LintConfig {
        &self.lint
    }

    /// A path of the file, seen from the current directory.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A flag that is set.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.settings.get(name)? {
            Setting::Flag(yes) => Some(*yes),
            _ => None,
        }
    }

    /// A number that is set.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.settings.get(name)? {
            Setting::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A text that is set.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.settings.get(name)? {
            Setting::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A choice that is set.
    pub(super) fn choice<C: ValueEnum>(&self, name: &str) -> Option<C> {
        C::from_str(self.text(name)?, true).ok()
    }

    fn read_file(&mut self, path: &str, text: &str) -> Result<(), ConfigError> {
        let place = |at: usize| format!("{path}:{}", line_of(text, at));
        let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            place: place(error.span().map_or(0, |span| span.start)),
            message: match error.message().replace('\n', ", ") {
                clash if clash.contains("cannot extend value of type array") => {
                    format!("{clash} (beside budget = [...] own budgets are written [lint.budgets.NAME])")
                }
                message => message,
            },
        })?;
        let all = table.get_ref();
        let own = if is_pyproject(Path::new(path)) { section(all) } else { Some(all) };
        for (name, value) in own.into_iter().flatten() {
            let name_at = name.span().start;
            match value.get_ref() {
                DeValue::Table(table) if FOREIGN_SECTIONS.contains(&&**name.get_ref()) => {
                    let wrong = |wrong: super::lint_walk::Wrong| ConfigError::Lint {
                        place: place(wrong.at),
                        message: wrong.what,
                    };
                    self.lint = LintConfig::read(&Walk { table }).map_err(wrong)?;
                }
                DeValue::Table(section) if is_section(name.get_ref()) => {
                    for (key, value) in section {
                        let full = format!("{}.{}", name.get_ref(), key.get_ref());
                        self.set(&full, value.get_ref(), &place(key.span().start))?;
                    }
                }
                value => self.set(name.get_ref(), value, &place(name_at))?,
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &DeValue<'_>, place: &str) -> Result<(), ConfigError> {
        let known = KEYS.iter().map(|key| key.name).chain(sections());
        let unknown =
            || ConfigError::UnknownKey { place: place.into(), name: name.into(), nearest: nearest(name, known) };
        let key = Key::named(name).ok_or_else(unknown)?;
        let setting = match (key.holds, value) {
            (Holds::Flag, DeValue::Boolean(yes)) => Some(Setting::Flag(*yes)),
            (Holds::Number, DeValue::Integer(number)) => {
                u64::from_str_radix(number.as_str(), number.radix()).ok().map(Setting::Number)
            }
            (Holds::Choice(_) | Holds::Text, DeValue::String(text)) => parse(key, text),
            (Holds::Path, DeValue::String(text)) => {
                Some(Setting::Text(self.folder.join(&**text).to_string_lossy().into_owned()))
            }
            _ => None,
        };
        let shown = match value {
            DeValue::String(text) => format!("'{text}'"),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Boolean(yes) => yes.to_string(),
            other => format!("a {}", other.type_str()),
        };
        self.settings.insert(key.name, setting.ok_or_else(|| wrong(key, shown, place))?);
        Ok(())
    }

    fn read_variables(&mut self, around: &Surroundings) -> Result<(), ConfigError> {
        for key in KEYS {
            let name = key.variable();
            let Some(text) = around.variable(&name) else { continue };
            let place = format!("environment variable {name}");
            let setting = parse(key, text).ok_or_else(|| wrong(key, format!("'{text}'"), &place))?;
            self.settings.insert(key.name, setting);
        }
        let wrong = |(name, wrong): (String, super::lint_walk::Wrong)| ConfigError::Lint {
            place: format!("environment variable {name}"),
            message: wrong.what,
        };
        self.lint.read_variables(around).map_err(wrong)
    }
}

/// Reads a setting from text, if it can have that value.
fn parse(key: &Key, text: &str) -> Option<Setting> {
    match key.holds {
        Holds::Flag => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(Setting::Flag(true)),
            "0" | "false" | "no" | "off" => Some(Setting::Flag(false)),
            _ => None,
        },
        Holds::Number => text.trim().parse().ok().map(Setting::Number),
        Holds::Choice(words) => words.contains(&text).then(|| Setting::Text(text.to_owned())),
        Holds::Text | Holds::Path => Some(Setting::Text(text.to_owned())),
    }
}

fn wrong(key: &Key, value: String, place: &str) -> ConfigError {
    let (wanted, near) = match key.holds {
        Holds::Flag => ("true or false".to_owned(), None),
        Holds::Number => ("a whole number".to_owned(), None),
        Holds::Choice(words) => {
            (format!("one of {}", words.join(", ")), nearest(value.trim_matches('\''), words.iter().copied()))
        }
        Holds::Text => ("text".to_owned(), None),
        Holds::Path => ("a path".to_owned(), None),
    };
    ConfigError::WrongValue { place: place.to_owned(), name: key.name, wanted, value, nearest: near }
}

fn sections() -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter_map(|key| key.name.split_once('.').map(|(section, _)| section))
        .chain(FOREIGN_SECTIONS.iter().copied())
}

fn is_section(name: &str) -> bool {
    sections().any(|section| section == name)
}

fn is_pyproject(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == PYPROJECT)
}

/// The text of a file that people write: none of them is long, and what is none may never end.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    const MOST: u64 = 16 << 20;
    let mut text = String::new();
    let read = File::open(path)?.take(MOST + 1).read_to_string(&mut text)? as u64;
    if read > MOST { Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 16 MiB")) } else { Ok(text) }
}

/// Whether a Python project says anything about tracectl.
fn has_section(path: &Path) -> bool {
    read_text(path).is_ok_and(|text| DeTable::parse(&text).is_ok_and(|table| section(table.get_ref()).is_some()))
}

/// `[tool.tracectl]` of a Python project.
fn section<'t, 'i>(table: &'t DeTable<'i>) -> Option<&'t DeTable<'i>> {
    let within = |table: &'t DeTable<'i>, name: &str| match table.get(name)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    };
    within(within(table, "tool")?, "tracectl")
}

/// The line at which a byte stands.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// The file nearest upwards, not beyond the top of the repository.
fn find(from: &Path) -> Option<PathBuf> {
    for directory in from.ancestors() {
        let mut paths = [FILE_NAME].into_iter().chain(OTHER_NAMES).map(|name| directory.join(name));
        if let Some(path) = paths.find(|path| path.is_file() && (!is_pyproject(path) || has_section(path))) {
            return Some(path);
        }
        if directory.join(".git").exists() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        config.read_file("tracectl.toml", text).map(|()| config).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_by_section() {
        let config =
            read("color = \"never\"\nwidth = 80\n[tree]\nlimit = 0x10\ncollapse = false\n[lint]\nmax-warnings = 1\n")
                .unwrap();
        assert_eq!(config.text("color"), Some("never"));
        assert_eq!((config.number("width"), config.number("tree.limit")), (Some(80), Some(16)));
        assert_eq!(config.flag("tree.collapse"), Some(false));
        assert_eq!(config.number("jobs"), None);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let cases = [
            ("\n\ncolour = \"never\"", "tracectl.toml:3: there is no setting 'colour' (did you mean 'color'?)"),
            ("[tree]\nlimti = 1", "tracectl.toml:2: there is no setting 'tree.limti' (did you mean 'tree.limit'?)"),
            ("[trees]\nlimit = 1", "tracectl.toml:1: there is no setting 'trees' (did you mean 'tree'?)"),
            ("width = \"wide\"", "tracectl.toml:1: 'width' is a whole number, not 'wide'"),
            ("width = -1", "tracectl.toml:1: 'width' is a whole number, not -1"),
            (
                "color = \"allways\"",
                "tracectl.toml:1: 'color' is one of auto, always, never, not 'allways' (did you mean 'always'?)",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(text).unwrap_err(), wanted, "{text}");
        }
        assert!(read("a = 1\nb = [").unwrap_err().starts_with("tracectl.toml:"));
    }

    #[test]
    fn variables_win_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), "width = 80\njobs = 1\n").unwrap();
        let below = directory.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let mut around = Surroundings { directory: below, ..Surroundings::default() };
        around.variables.insert("TRACECTL_WIDTH".into(), "120".into());
        let config = Config::load(None, &around).unwrap();
        assert_eq!((config.number("width"), config.number("jobs")), (Some(120), Some(1)));
        around.variables.insert("TRACECTL_ASCII".into(), "perhaps".into());
        let error = Config::load(None, &around).unwrap_err().to_string();
        assert_eq!(error, "environment variable TRACECTL_ASCII: 'ascii' is true or false, not 'perhaps'");
    }

    #[test]
    fn the_search_ends_at_the_top_of_the_repository() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), "width = 80\n").unwrap();
        let inside = directory.path().join("repository/src");
        std::fs::create_dir_all(inside.parent().unwrap().join(".git")).unwrap();
        std::fs::create_dir_all(&inside).unwrap();
        assert_eq!(find(&inside), None);
        assert!(find(directory.path()).is_some());
    }

    #[test]
    fn a_python_project_may_hold_the_settings() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let around = Surroundings { directory: folder.path().to_owned(), ..Surroundings::default() };
        let width = || Config::load(None, &around).map(|config| config.number("width")).map_err(|e| e.to_string());
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(PYPROJECT, "[project]\nname = \"x\"\n");
        assert_eq!(width(), Ok(None));
        write(PYPROJECT, "[project]\nname = \"x\"\n[tool.tracectl]\nwidth = 70\n[tool.tracectl.tree]\nlimit = 1\n");
        assert_eq!(width(), Ok(Some(70)));
        write(PYPROJECT, "[project]\nname = \"x\"\n[tool.tracectl]\nwidht = 70\n");
        let wrong = width().unwrap_err();
        assert!(wrong.contains("pyproject.toml:4: there is no setting 'widht' (did you mean 'width'?)"), "{wrong}");
        write(".tracectl.toml", "width = 80\n");
        assert_eq!(width(), Ok(Some(80)));
        write(FILE_NAME, "width = 90\n");
        assert_eq!(width(), Ok(Some(90)));
    }
}
