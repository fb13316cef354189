//! `tracectl budgets`: what backends accept.
//!
//! Comes in: a format. Goes out: every preset of `lint --budget`.

use super::Exit;
use super::console::Console;
use super::error::Error;
use super::table_or_json::TableOrJson;
use crate::render::{Budgets, budgets_json};

/// List the budgets of lint: what backends accept, with the source of each limit
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tracectl budgets
  tracectl budgets --format json | jq '.budgets[] | select(.name == \"tempo\")'")]
pub(super) struct Args {
    #[command(flatten)]
    answer: TableOrJson,
}

/// Runs the command.
pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Error> {
    args.answer.tell(&Budgets, budgets_json, console)
}
