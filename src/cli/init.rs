//! `tracectl init`: a configuration to begin with.
//!
//! Comes in: where to write it. Goes out: `tracectl.toml`, in which everything is said and nothing is set.

use std::path::PathBuf;

use super::Exit;
use super::config::FILE_NAME;
use super::console::Console;
use super::error::{Error, Problem};
use super::output::OutputArgs;
use crate::render::Said;

/// Write a commented tracectl.toml to start from
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tracectl init
  tracectl init --force")]
pub(super) struct Args {
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Write to FILE ("-" for stdout) [default: tracectl.toml]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
}

/// The file as it is written; a test reads it.
pub(super) const TEMPLATE: &str = include_str!("init.toml");

/// Runs the command.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Error> {
    let path = args.output.clone().unwrap_or_else(|| console.around().directory.join(FILE_NAME));
    let output = OutputArgs { output: Some(path) };
    if let Some(path) = output.file().filter(|path| path.exists() && !args.force) {
        return Err(Error::from(Problem::Exists { path: path.to_owned() }).hint("--force replaces it"));
    }
    console.write(&output, |out| out.write_all(TEMPLATE.as_bytes()))?;
    if let Some(path) = output.file() {
        console.talk(&Said(format!("tracectl: wrote {}", path.display())));
    }
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::config::Config;
    use crate::cli::config_keys::KEYS;

    fn read(text: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), &Default::default()).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn every_setting_is_in_the_file() {
        for key in KEYS {
            let (section, name) = key.name.split_once('.').unwrap_or(("", key.name));
            let begin = if section.is_empty() { 0 } else { TEMPLATE.find(&format!("\n[{section}]\n")).unwrap() + 1 };
            let text = TEMPLATE.get(begin..).unwrap();
            let text = text.get(..text.get(1..).and_then(|rest| rest.find("\n[")).unwrap_or(text.len())).unwrap();
            assert!(text.contains(&format!("\n#: {name} = ")), "{}", key.name);
        }
    }

    #[test]
    fn the_file_is_read_as_it_is_and_with_everything_set() {
        assert_eq!(read(TEMPLATE), Ok(()));
        let uncommented: Vec<&str> = TEMPLATE.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line)).collect();
        assert_eq!(read(&uncommented.join("\n")), Ok(()));
    }
}
