//! What the program can see of the world around it, taken once.
//!
//! Comes in: the process's environment, terminals and clock. Goes out: plain data, so that tests can make up any world.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;

use jiff::Timestamp;

/// A look around.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Environment variables; those that are not text are left out.
    pub variables: BTreeMap<String, String>,
    /// Standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// Columns of the terminal, where there is one.
    pub columns: Option<usize>,
    /// The current directory.
    pub directory: PathBuf,
    /// The present time, Unix nanoseconds.
    pub now: u64,
}

impl Surroundings {
    /// The world of this process.
    pub fn real() -> Self {
        let stdout_is_terminal = std::io::stdout().is_terminal();
        Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal,
            stderr_is_terminal: std::io::stderr().is_terminal(),
            columns: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            now: u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(0),
        }
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the locale is able to show characters outside ASCII: no locale at all counts as able.
    pub fn speaks_unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| self.variable(name));
        locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8")
                || locale.contains("utf8")
                || !locale.contains('.') && !matches!(&*locale, "c" | "posix")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Surroundings {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Surroundings { variables, ..Surroundings::default() }
    }

    #[test]
    fn the_first_locale_variable_counts() {
        assert!(with(&[]).speaks_unicode());
        assert!(with(&[("LANG", "en_US.UTF-8")]).speaks_unicode());
        assert!(with(&[("LANG", "C.utf8")]).speaks_unicode());
        assert!(!with(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]).speaks_unicode());
        assert!(!with(&[("LANG", "de_DE.ISO-8859-1")]).speaks_unicode());
    }
}
