//! Where prices of models come from: the program's own table, and a file that puts it right.
//!
//! Comes in: `--prices`, or the setting for it. Goes out: the table. A file that cannot be used is an error with its place.

use std::path::PathBuf;

use super::config::{Config, read_text};
use super::error::{Error, Problem};
use crate::ledger::Prices;

/// The option for prices.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct PriceArgs {
    /// TOML file with prices of models, which override the built-in ones
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

impl PriceArgs {
    /// The tables of prices.
    pub(super) fn prices(&self, config: &Config) -> Result<Prices, Error> {
        Ok(self.given(config)?.unwrap_or_else(Prices::built_in))
    }

    /// The tables of prices, where somebody gave one besides that of the program.
    pub(super) fn given(&self, config: &Config) -> Result<Option<Prices>, Error> {
        let given = self.prices.clone();
        let Some(path) = given.or_else(|| config.text("prices.file").map(PathBuf::from)) else {
            return Ok(None);
        };
        let text = read_text(&path).map_err(|source| Problem::NoPrices { path: path.clone(), source })?;
        let hint = "an entry is [[price]] with models, input, output, date and source, in dollars for a million tokens";
        Prices::with(&text).map(Some).map_err(|source| Error::from(Problem::Prices { path, source }).hint(hint))
    }
}
