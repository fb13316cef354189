//! Values of options that are read by code of their own, listed for shells to complete.
//!
//! Comes in: a parser and the words it takes. Goes out: the same parser; it judges nothing itself.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command};

/// A parser, and the words that completions offer for it.
#[derive(Clone)]
pub(super) struct Listed<P> {
    parser: P,
    words: &'static [&'static str],
}

/// The parser with its words.
pub(super) fn listed<P: TypedValueParser>(parser: P, words: &'static [&'static str]) -> Listed<P> {
    Listed { parser, words }
}

impl<P: TypedValueParser> TypedValueParser for Listed<P> {
    type Value = P::Value;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<P::Value, clap::Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.words.iter().map(PossibleValue::new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_offered_and_others_may_be_taken() {
        let number = |text: &str| text.parse::<u32>();
        let parser = listed(number, &["1", "2"]);
        let command = Command::new("x").arg(Arg::new("n").long("n").value_parser(parser));
        let argument = command.get_arguments().next().unwrap();
        assert_eq!(argument.get_possible_values().len(), 2);
        let matches = command.try_get_matches_from(["x", "--n", "7"]).unwrap();
        assert_eq!(matches.get_one::<u32>("n"), Some(&7));
    }
}
