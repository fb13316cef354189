//! Which rules are in force and at which level: `--select` and its kin as in ruff, `-D -W -A` as in clippy.
//!
//! Comes in: flags in the order they were typed, configuration, profile. Goes out: a level for every rule in force.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, FromArgMatches};

use super::lint_codes::{NoSuchRule, Selected, select, selectable};
use crate::lint::Severity;

/// Flags that pick rules and levels.
#[derive(Clone, Debug, Default)]
pub(super) struct LevelArgs {
    select: Vec<String>,
    extend: Vec<String>,
    ignore: Vec<String>,
    /// `-D`, `-W`, `-A` in the order they were typed.
    levels: Vec<(Level, String)>,
}

/// The level of a rule, or none.
pub(super) type Level = Option<Severity>;

/// What configuration and profile say.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    /// The rules to begin with; all where nobody says.
    pub(super) select: Option<Vec<Selected>>,
    /// Rules to leave out.
    pub(super) ignore: Vec<Selected>,
    /// Levels, later ones over earlier ones.
    pub(super) levels: Vec<(Vec<&'static str>, Level)>,
}

const LEVELS: [(&str, char, Level, &str); 3] = [
    ("deny", 'D', Some(Severity::Error), "Report findings of these rules as errors; the last of -D, -W and -A wins"),
    ("warn", 'W', Some(Severity::Warn), "Report findings of these rules as warnings"),
    ("allow", 'A', None, "Turn these rules off"),
];

impl LevelArgs {
    /// Whether rules are left out that would be in force without these flags.
    pub(super) fn leaves_out(&self) -> bool {
        !self.select.is_empty() || !self.ignore.is_empty() || self.levels.iter().any(|(level, _)| level.is_none())
    }

    /// The rules in force, with the level of each that somebody chose.
    pub(super) fn settle(&self, base: &Base) -> Result<BTreeMap<&'static str, Option<Severity>>, NoSuchRule> {
        let words = |words: &[String]| words.iter().map(|word| select(word)).collect::<Result<Vec<_>, _>>();
        let mut chosen = match (self.select.is_empty(), &base.select) {
            (false, _) => words(&self.select)?,
            (true, Some(base)) => base.clone(),
            (true, None) => words(&["ALL".to_owned()])?,
        };
        chosen.extend(words(&self.extend)?);
        let mut ignored = base.ignore.clone();
        ignored.extend(words(&self.ignore)?);
        // The more exact word wins; between equals the one that leaves out does.
        let exact = |of: &[Selected], code: &str| of.iter().filter(|s| s.codes.contains(&code)).map(|s| s.exact).max();
        let mut levels: BTreeMap<&'static str, Option<Severity>> = selectable()
            .filter(|rule| exact(&chosen, rule.code) > exact(&ignored, rule.code))
            .map(|rule| (rule.code, None))
            .collect();
        for (codes, level) in &base.levels {
            for code in codes {
                match level {
                    Some(level) => {
                        levels.entry(code).and_modify(|old| *old = Some(*level));
                    }
                    None => {
                        levels.remove(code);
                    }
                }
            }
        }
        for (level, word) in &self.levels {
            for code in select(word)?.codes {
                match level {
                    Some(level) => {
                        levels.insert(code, Some(*level));
                    }
                    None => {
                        levels.remove(code);
                    }
                }
            }
        }
        Ok(levels)
    }
}

fn list(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("CODES")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help_heading("Rules")
        .help(help)
}

impl clap::Args for LevelArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        let command = command
            .arg(list("select", "Check only these rules: codes, names or groups like BUD,ERR"))
            .arg(list("extend-select", "Check these rules as well"))
            .arg(list("ignore", "Do not check these rules"));
        LEVELS.into_iter().fold(command, |command, (name, short, _, help)| {
            command.arg(list(name, help).short(short).value_name("CODES"))
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LevelArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let words = |name: &str| matches.get_many::<String>(name).into_iter().flatten().cloned().collect();
        let mut placed = Vec::new();
        for (name, _, level, _) in LEVELS {
            let places = matches.indices_of(name).into_iter().flatten();
            let words = matches.get_many::<String>(name).into_iter().flatten();
            placed.extend(places.zip(words).map(|(place, word)| (place, level, word.clone())));
        }
        placed.sort_by_key(|(place, ..)| *place);
        Ok(Self {
            select: words("select"),
            extend: words("extend-select"),
            ignore: words("ignore"),
            levels: placed.into_iter().map(|(_, level, word)| (level, word)).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(args: LevelArgs) -> BTreeMap<&'static str, Option<Severity>> {
        args.settle(&Base::default()).unwrap()
    }

    #[test]
    fn the_more_exact_word_wins() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let levels = settled(LevelArgs {
            select: words(&["BUD001", "TRE"]),
            ignore: words(&["BUD", "TRE001"]),
            ..LevelArgs::default()
        });
        assert!(levels.contains_key("BUD001") && levels.contains_key("TRE002"));
        assert!(!levels.contains_key("TRE001") && !levels.contains_key("BUD002"));
    }

    #[test]
    fn the_last_level_wins() {
        let deny = (Some(Severity::Error), "TRE".to_owned());
        let allow = (None, "TRE002".to_owned());
        let levels = settled(LevelArgs { levels: vec![deny.clone(), allow.clone()], ..LevelArgs::default() });
        assert_eq!((levels.get("TRE001"), levels.get("TRE002")), (Some(&Some(Severity::Error)), None));
        assert_eq!(levels.get("STR001"), Some(&None), "nobody chose a level");
        let levels = settled(LevelArgs { levels: vec![allow, deny], ..LevelArgs::default() });
        assert_eq!(levels.get("TRE002"), Some(&Some(Severity::Error)));
    }
}
