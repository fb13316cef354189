//! The filter options that every reading command shares.
//!
//! Comes in: what was typed. Goes out: a [`Filter`]. It judges no span itself.

use globset::GlobMatcher;

use super::error::{Error, Problem};
use crate::model::{Nanos, Outcome, parse_duration};
use crate::query::{Filter, IdPrefix, name_glob, parse_moment};

/// Options that pick spans. Those of one kind are alternatives; all kinds must fit.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct FilterArgs {
    /// Only traces whose id begins with ID
    #[arg(long, help_heading = "Filters", value_name = "ID")]
    trace: Vec<IdPrefix>,
    /// Only spans of services that match GLOB
    #[arg(long, help_heading = "Filters", value_name = "GLOB", value_parser = name_glob)]
    service: Vec<GlobMatcher>,
    /// Only spans whose name matches GLOB
    #[arg(long, visible_alias = "span", help_heading = "Filters", value_name = "GLOB", value_parser = name_glob)]
    name: Vec<GlobMatcher>,
    /// Only spans with this outcome: ok, error, cancelled or unfinished
    #[arg(long, help_heading = "Filters", value_name = "OUTCOME", value_delimiter = ',', hide_possible_values = true)]
    outcome: Vec<Ending>,
    /// Only spans that took at least this long, like 250ms or 1.5s
    #[arg(long, help_heading = "Filters", value_name = "DURATION", value_parser = parse_duration)]
    min_duration: Option<Nanos>,
    /// Only spans that started at or after TIME: RFC 3339, or 15m for 15 minutes ago
    #[arg(long, help_heading = "Filters", value_name = "TIME")]
    since: Option<String>,
    /// Only spans that started before TIME
    #[arg(long, help_heading = "Filters", value_name = "TIME")]
    until: Option<String>,
}

/// `--outcome`.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Ending {
    Ok,
    Error,
    Cancelled,
    Unfinished,
}

impl From<Ending> for Outcome {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Ok => Self::Ok,
            Ending::Error => Self::Error,
            Ending::Cancelled => Self::Cancelled,
            Ending::Unfinished => Self::Unfinished,
        }
    }
}

impl FilterArgs {
    /// What was asked for; `now` is Unix nanoseconds.
    pub(super) fn filter(&self, now: u64) -> Result<Filter, Error> {
        let moment = |flag: &'static str, text: &Option<String>| match text {
            Some(text) => parse_moment(text, now).map(Some).map_err(|source| Problem::Moment { flag, source }),
            None => Ok(None),
        };
        Ok(Filter {
            traces: self.trace.clone(),
            services: self.service.clone(),
            names: self.name.clone(),
            outcomes: self.outcome.iter().copied().map(Outcome::from).collect(),
            min_duration: self.min_duration,
            since: moment("since", &self.since)?,
            until: moment("until", &self.until)?,
        })
    }
}
