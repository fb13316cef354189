//! Which rules a word means: a code, a name, or the beginning of codes.
//!
//! Comes in: words from flags and configuration. Goes out: codes, or the word that was probably meant.

use thiserror::Error;

use super::nearest::{meant, nearest};
use crate::lint::{GROUPS, RULES, Rule};

/// What selects every rule.
const ALL: &str = "ALL";

/// No rule has such a code or name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no rule or group '{word}'{}", meant(*nearest))]
pub(super) struct NoSuchRule {
    word: String,
    nearest: Option<&'static str>,
}

/// Rules that a word selects, and how exactly it says so: the longer its code, the more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selected {
    /// Their codes.
    pub(super) codes: Vec<&'static str>,
    /// How exact the word is.
    pub(super) exact: usize,
}

/// The rules that may be selected: all but those about lint itself.
pub(super) fn selectable() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(|rule| !rule.is_meta())
}

/// What a word selects.
pub(super) fn select(word: &str) -> Result<Selected, NoSuchRule> {
    let trimmed = word.trim();
    let upper = trimmed.to_ascii_uppercase();
    if let Some(rule) = selectable().find(|rule| rule.code == upper || rule.name == trimmed.to_ascii_lowercase()) {
        return Ok(Selected { codes: vec![rule.code], exact: rule.code.len() });
    }
    if upper == ALL {
        return Ok(Selected { codes: selectable().map(|rule| rule.code).collect(), exact: 0 });
    }
    // Whole groups only: half a code is a slip.
    let codes: Vec<&str> = selectable().filter(|rule| rule.group() == upper).map(|rule| rule.code).collect();
    let group = GROUPS.iter().any(|(code, _)| *code == upper && *code != "CFG");
    if codes.is_empty() && !group {
        return Err(NoSuchRule { word: trimmed.to_owned(), nearest: near(trimmed, selectable()) });
    }
    Ok(Selected { codes, exact: upper.len() })
}

/// The rule with this code or name, those about lint itself among them.
pub(super) fn one(word: &str) -> Result<&'static Rule, NoSuchRule> {
    let (upper, lower) = (word.trim().to_ascii_uppercase(), word.trim().to_ascii_lowercase());
    let found = RULES.iter().find(|rule| rule.code == upper || rule.name == lower);
    found.ok_or_else(|| NoSuchRule { word: word.to_owned(), nearest: near(word, RULES.iter()) })
}

fn near(word: &str, rules: impl Iterator<Item = &'static Rule>) -> Option<&'static str> {
    let names: Vec<&str> = rules.flat_map(|rule| [rule.code, rule.name]).collect();
    nearest(word, names.into_iter().chain(GROUPS.iter().map(|(code, _)| *code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_select_rules() {
        assert_eq!(select("bud001").unwrap().codes, ["BUD001"]);
        assert_eq!(select("attribute-too-large").unwrap().codes, ["BUD001"]);
        assert!(select("BUD").unwrap().codes.contains(&"BUD006"));
        assert_eq!(select("ALL").unwrap().codes.len(), selectable().count());
        assert!(select("").is_err() && select("BUD0").is_err());
        assert!(select("CFG001").is_err());
        let slip = select("BUD01").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(slip.contains("did you mean 'BUD001'"), "{slip}");
        assert_eq!(one("CFG001").unwrap().code, "CFG001");
    }
}
