//! The options that change spans on their way, the same wherever spans are sent or written anew.
//!
//! Comes in: what was typed. Goes out: an [`Alteration`]; what depends on the capture is given by the command.

use std::str::FromStr;
use std::sync::Arc;

use globset::GlobMatcher;
use regex::Regex;

use super::error::{Error, Problem};
use super::sending::attribute;
use crate::mend::{Alteration, KnownIds, NewIds};
use crate::model::parse_duration;
use crate::query::name_glob;
use crate::redact::{Pseudonyms, Redactor};
use crate::replay::Reach;

/// Forty years, in nanoseconds.
const FAR: u64 = 40 * 365 * 86_400 * 1_000_000_000;

/// Bytes that pseudonyms are made from where nobody names a seed.
const KEY: usize = 32;

/// Options of commands that change spans.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Changes")]
pub(super) struct ChangeArgs {
    /// Shift all times: now (the last span ends now), +2h, -30m, or the time of the first start (RFC 3339)
    #[arg(long, value_name = "SHIFT", allow_hyphen_values = true)]
    pub(super) shift: Option<Shift>,
    /// Give traces, spans and links new ids, also where attributes repeat them
    #[arg(long)]
    pub(super) new_ids: bool,
    /// Seed of new ids [default: from the clock]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Set an attribute of every resource, like service.name=shop (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    pub(super) set: Vec<(String, String)>,
    /// Replace what looks like a secret, by form or key, with the same pseudonym for the same value
    #[arg(long)]
    redact: bool,
    /// Replace the values of keys that match GLOB as well (implies --redact; may be given several times)
    #[arg(long, value_name = "GLOB", value_parser = name_glob)]
    redact_key: Vec<GlobMatcher>,
    /// Replace what matches REGEX in any value, name or message as well (implies --redact; may be given several times)
    #[arg(long, value_name = "REGEX", value_parser = Regex::new)]
    redact_value: Vec<Regex>,
    /// Keep the size in bytes of replaced values
    #[arg(long)]
    redact_keep_size: bool,
    /// Secret from which pseudonyms are derived [default: random]
    #[arg(long, value_name = "TEXT")]
    redact_seed: Option<String>,
}

impl ChangeArgs {
    /// Whether the times of all spans have to be known before the first is written.
    pub(super) fn needs_times(&self) -> bool {
        match self.shift {
            None => false,
            Some(Shift::Now | Shift::Start(_)) => true,
            // Less moves no time out of what there is, unless it stands at the edge already.
            Some(Shift::By(nanos)) => nanos.unsigned_abs() > FAR,
        }
    }

    /// Nanoseconds to move all times by, so that the last span ends at `end`.
    pub(super) fn nanos(&self, reach: Reach, end: u64) -> Result<i64, Error> {
        let nanos = |to: u64, from: u64| i64::try_from(i128::from(to) - i128::from(from)).ok();
        let shift = match self.shift {
            None => return Ok(0),
            Some(Shift::By(nanos)) => Some(nanos),
            Some(Shift::Start(time)) => nanos(time, reach.start),
            Some(Shift::Now) => nanos(end, reach.last),
        };
        // No time may fall off either end of what 64 bits hold: they would all become one.
        let fits = |shift: i64, time: u64| time == 0 || time.checked_add_signed(shift).is_some_and(|time| time > 0);
        let fits = |shift: &i64| fits(*shift, reach.start) && fits(*shift, reach.last);
        shift
            .filter(fits)
            .ok_or_else(|| Problem::Conflict("--shift moves times out of 1970 to 2554, which is all there is").into())
    }

    /// What changes, once it is known how far times move, what the seeds are, and which ids there are if that is known.
    pub(super) fn alteration(
        &self,
        shift: i64,
        seed: u64,
        pseudonyms: &str,
        known: Option<Arc<KnownIds>>,
    ) -> Alteration {
        let ids = self.new_ids.then(|| NewIds::new(self.seed.unwrap_or(seed), 0));
        Alteration { shift, ids, known, resource: self.set.clone(), redact: self.redactor(pseudonyms) }
    }

    /// What pseudonyms are made from where nobody names it: nobody can guess it, and nobody can tell it from new ids.
    pub(super) fn pseudonyms(&self) -> Result<String, Error> {
        if !self.redacts() || self.redact_seed.is_some() {
            return Ok(String::new());
        }
        let mut key = [0; KEY];
        getrandom::fill(&mut key)
            .map_err(|_| Problem::Conflict("this machine gives no random numbers: see --redact-seed"))?;
        Ok(key.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl ChangeArgs {
    /// Whether anything is hidden; any option about it asks for it.
    fn redacts(&self) -> bool {
        let options = self.redact || self.redact_keep_size || self.redact_seed.is_some();
        options || !self.redact_key.is_empty() || !self.redact_value.is_empty()
    }

    /// What is hidden.
    fn redactor(&self, pseudonyms: &str) -> Option<Redactor> {
        let pseudonyms = || Pseudonyms {
            seed: self.redact_seed.clone().unwrap_or_else(|| pseudonyms.to_owned()),
            keep_size: self.redact_keep_size,
        };
        self.redacts().then(|| Redactor {
            keys: self.redact_key.clone(),
            values: self.redact_value.clone(),
            pseudonyms: Some(pseudonyms()),
        })
    }
}

/// `--shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// The last span ends now.
    Now,
    /// By so many nanoseconds.
    By(i64),
    /// The first span starts then, Unix nanoseconds.
    Start(u64),
}

impl FromStr for Shift {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write it like now, +2h, -30m or 2026-03-01T12:00:00Z".to_owned();
        let nanos = |text: &str| parse_duration(text).ok().and_then(|nanos| i64::try_from(nanos.0).ok());
        match (text, text.strip_prefix('+'), text.strip_prefix('-')) {
            ("now", ..) => Ok(Self::Now),
            (_, Some(later), _) => nanos(later).map(Self::By).ok_or_else(wrong),
            (_, _, Some(earlier)) => nanos(earlier).map(|nanos| Self::By(-nanos)).ok_or_else(wrong),
            _ => {
                let time: jiff::Timestamp = text.trim().parse().map_err(|_| wrong())?;
                u64::try_from(time.as_nanosecond()).map(Self::Start).map_err(|_| wrong())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_are_read_as_written() {
        assert_eq!("now".parse(), Ok(Shift::Now));
        assert_eq!("-90m".parse(), Ok(Shift::By(-5_400_000_000_000)));
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Shift::Start(1_000_000_000)));
        assert!(["", "2h", "+", "+x", "tomorrow"].iter().all(|wrong| wrong.parse::<Shift>().is_err()));
    }
}
