//! Runs of agents on a page: one line of what they took together, and a table of the runs.
//!
//! Comes in: the part of the report that is about agents. Goes out: lines. The table leaves out columns without news; Markdown and CSV
//! leave nothing out.

use std::io;

use super::stats::{left_out, markdown_table, quoted};
use super::{Cell, Column, Ink, Render, Table, Tone};
use crate::agent::is_agent_class;
use crate::model::Nanos;
use crate::stats::{Agents, RunRow, Sort};

struct Field {
    column: Column,
    cell: fn(&RunRow) -> Cell,
    news: fn(&RunRow) -> bool,
}

const fn text(title: &'static str, least: usize, rank: u32) -> Column {
    Column { title, right: false, least: Some(least), rank }
}

const fn number(title: &'static str, rank: u32) -> Column {
    Column { title, right: true, least: None, rank }
}

fn count(tone: Tone, count: u64) -> Cell {
    (if count == 0 { Tone::Quiet } else { tone }, count.to_string())
}

const FIELDS: [Field; 18] = [
    Field { column: text("AGENT", 12, 0), cell: agent, news: |_| true },
    Field {
        column: text("SESSION", 10, 80),
        cell: |row| (Tone::Quiet, short(&row.session).to_owned()),
        news: |row| !row.session.is_empty(),
    },
    Field { column: number("STEPS", 30), cell: |row| count(Tone::Plain, row.steps), news: |_| true },
    Field { column: number("LLM", 20), cell: |row| count(Tone::Plain, row.sums.llm_calls), news: |_| true },
    Field {
        column: number("EMBED", 70),
        cell: |row| count(Tone::Plain, row.sums.embedding_calls),
        news: |row| row.sums.embedding_calls > 0,
    },
    Field {
        column: number("RERANK", 71),
        cell: |row| count(Tone::Plain, row.sums.rerank_calls),
        news: |row| row.sums.rerank_calls > 0,
    },
    Field {
        column: number("TOOLS", 25),
        cell: |row| count(Tone::Plain, row.sums.tool_calls),
        news: |row| row.sums.tool_calls > 0,
    },
    Field {
        column: number("REPEAT", 45),
        cell: |row| count(Tone::Odd, row.repeated_calls),
        news: |row| row.repeated_calls > 0,
    },
    Field {
        column: number("FAILED", 42),
        cell: |row| count(Tone::Error, row.sums.failed_calls),
        news: |row| row.sums.failed_calls > 0,
    },
    Field { column: number("RETRY", 50), cell: |row| count(Tone::Odd, row.retries), news: |row| row.retries > 0 },
    Field {
        column: number("TOK IN", 10),
        cell: |row| count(Tone::Plain, row.sums.input_tokens),
        news: |row| row.sums.tokens() > 0,
    },
    Field {
        column: number("TOK OUT", 11),
        cell: |row| count(Tone::Plain, row.sums.output_tokens),
        news: |row| row.sums.tokens() > 0,
    },
    Field {
        column: number("WASTED", 40),
        cell: |row| count(Tone::Odd, row.wasted_tokens),
        news: |row| row.wasted_tokens > 0,
    },
    Field {
        column: number("COST", 5),
        cell: cost,
        news: |row| row.sums.cost_usd.is_some() || row.sums.unpriced_calls > 0,
    },
    Field { column: number("TTFT", 60), cell: first_token, news: |row| row.first_token_ns.is_some() },
    Field { column: number("TIME", 15), cell: |row| (Tone::Plain, Nanos(row.duration_ns).to_string()), news: |_| true },
    Field { column: text("OUTCOME", 9, 6), cell: outcome, news: |_| true },
    Field {
        column: text("TRACE", 8, 7),
        cell: |row| (Tone::Quiet, row.trace_id.chars().take(8).collect()),
        news: |_| true,
    },
];

/// The beginning of an id that ends in a UUID: `agent-8442fb55`.
fn short(id: &str) -> &str {
    const UUID: usize = 36;
    let uuid = id.len().checked_sub(UUID).and_then(|at| Some((at, id.get(at..)?)));
    match uuid.filter(|(_, uuid)| uuid.split('-').map(str::len).eq([8, 4, 4, 4, 12])) {
        Some((at, _)) => id.get(..at + 8).unwrap_or(id),
        None => id,
    }
}

/// The agent's name, or its id where many share the name.
fn agent(row: &RunRow) -> Cell {
    let own = if is_agent_class(&row.agent) { [&row.agent_id, &row.agent] } else { [&row.agent, &row.agent_id] };
    match own.into_iter().chain([&row.name]).find(|name| !name.is_empty()) {
        Some(name) => (Tone::Name, short(name).to_owned()),
        None => (Tone::Odd, "(none)".to_owned()),
    }
}

/// The cost, with a mark where calls without a price are missing from it.
fn cost(row: &RunRow) -> Cell {
    match (row.sums.cost_usd, row.sums.unpriced_calls) {
        (None, 0) => (Tone::Quiet, "-".to_owned()),
        (None, _) => (Tone::Quiet, "unpriced".to_owned()),
        (Some(cost), 0) => (Tone::Plain, cost.to_string()),
        (Some(cost), _) => (Tone::Plain, format!("{cost}+")),
    }
}

fn first_token(row: &RunRow) -> Cell {
    row.first_token_ns.map_or((Tone::Quiet, "-".to_owned()), |nanos| (Tone::Plain, Nanos(nanos).to_string()))
}

fn outcome(row: &RunRow) -> Cell {
    let tone = match row.outcome {
        "error" => Tone::Error,
        "cancelled" => Tone::Cancelled,
        "ok" => Tone::Good,
        _ => Tone::Odd,
    };
    match row.stop_reason.as_str() {
        "" | "end_turn" => (tone, row.outcome.to_owned()),
        reason if reason == row.outcome => (tone, reason.to_owned()),
        reason => (tone, format!("{}: {reason}", row.outcome)),
    }
}

/// The table of the runs. What they are sorted by is never left out.
pub(super) fn table(agents: &Agents, sort: Sort, ink: &mut Ink<'_>) -> io::Result<()> {
    let Some(rows) = &agents.list else { return Ok(()) };
    let sorted_by: &[&str] = match sort {
        Sort::Cost => &["COST"],
        Sort::Total => &["TIME"],
        Sort::Count => &["LLM", "TOOLS"],
        Sort::Errors | Sort::Cancelled => &["OUTCOME"],
        _ => &[],
    };
    let fields = || FIELDS.iter().filter(|field| rows.iter().any(field.news));
    let columns = fields().map(|field| match sorted_by.contains(&field.column.title) {
        true => Column { rank: 0, ..field.column },
        false => field.column,
    });
    let rows = rows.iter().map(|row| fields().map(|field| (field.cell)(row)).collect());
    let table = Table { columns: columns.collect(), rows: rows.collect() };
    table.render(ink)?;
    left_out(&table, ink)?;
    match (agents.left_out, agents.left_out_failed) {
        (Some(more @ 1..), Some(failed @ 1..)) => {
            ink.put(Tone::Quiet, format_args!("and {more} more, {failed} of them failed or cancelled"))?;
            ink.put(Tone::Quiet, " (--sort errors, --top 0 shows all)")?;
            ink.line()
        }
        (Some(more @ 1..), _) => {
            ink.put(Tone::Quiet, format_args!("and {more} more (--top 0 shows all)"))?;
            ink.line()
        }
        _ => Ok(()),
    }
}

/// The runs as a Markdown table.
pub(super) fn markdown(runs: &[RunRow], ink: &mut Ink<'_>) -> io::Result<()> {
    let columns: Vec<Column> = FIELDS.iter().map(|field| field.column).collect();
    markdown_table(&columns, runs.iter().map(|run| FIELDS.iter().map(|field| (field.cell)(run).1).collect()), ink)
}

/// The runs as CSV.
pub(super) fn csv(runs: &[RunRow], ink: &mut Ink<'_>) -> io::Result<()> {
    ink.finished_line(&CSV.map(|(name, _)| name).join(","))?;
    runs.iter().try_for_each(|run| ink.finished_line(&CSV.map(|(_, raw)| quoted(&raw(run))).join(",")))
}

type Raw = fn(&RunRow) -> String;

fn known(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// What a run is in CSV: durations in nanoseconds, money in dollars.
const CSV: [(&str, Raw); 29] = [
    ("trace_id", |run| run.trace_id.clone()),
    ("span_id", |run| run.span_id.clone()),
    ("name", |run| run.name.clone()),
    ("service", |run| run.service.clone()),
    ("agent", |run| run.agent.clone()),
    ("agent_id", |run| run.agent_id.clone()),
    ("session", |run| run.session.clone()),
    ("start_unix_nano", |run| run.start_unix_nano.clone()),
    ("duration_ns", |run| run.duration_ns.to_string()),
    ("first_token_ns", |run| known(run.first_token_ns)),
    ("steps", |run| run.steps.to_string()),
    ("llm_calls", |run| run.sums.llm_calls.to_string()),
    ("embedding_calls", |run| run.sums.embedding_calls.to_string()),
    ("rerank_calls", |run| run.sums.rerank_calls.to_string()),
    ("tool_calls", |run| run.sums.tool_calls.to_string()),
    ("failed_calls", |run| run.sums.failed_calls.to_string()),
    ("repeated_calls", |run| run.repeated_calls.to_string()),
    ("retries", |run| run.retries.to_string()),
    ("input_tokens", |run| run.sums.input_tokens.to_string()),
    ("output_tokens", |run| run.sums.output_tokens.to_string()),
    ("reasoning_tokens", |run| run.sums.reasoning_tokens.to_string()),
    ("cache_read_tokens", |run| run.sums.cache_read_tokens.to_string()),
    ("cache_write_tokens", |run| run.sums.cache_write_tokens.to_string()),
    ("unsplit_tokens", |run| run.sums.unsplit_tokens.to_string()),
    ("wasted_tokens", |run| run.wasted_tokens.to_string()),
    ("cost_usd", |run| run.sums.cost_usd.map(|cost| cost.in_dollars().to_string()).unwrap_or_default()),
    ("unpriced_calls", |run| run.sums.unpriced_calls.to_string()),
    ("outcome", |run| run.outcome.to_owned()),
    ("stop_reason", |run| run.stop_reason.clone()),
];

/// What all runs took, in a line or two.
pub(super) fn summary(agents: &Agents, ink: &mut Ink<'_>) -> io::Result<()> {
    let plural = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let sums = &agents.sums;
    let divided = sums.input_tokens.saturating_add(sums.output_tokens);
    let facts = [
        (Tone::Plain, agents.runs, plural(agents.runs, "agent run", "agent runs")),
        (Tone::Error, agents.failed_runs, format!("{} failed", agents.failed_runs)),
        (Tone::Cancelled, agents.cancelled_runs, format!("{} cancelled", agents.cancelled_runs)),
        (Tone::Plain, sums.llm_calls, plural(sums.llm_calls, "LLM call", "LLM calls")),
        (Tone::Plain, sums.tool_calls, plural(sums.tool_calls, "tool call", "tool calls")),
        (Tone::Plain, sums.embedding_calls, plural(sums.embedding_calls, "embedding call", "embedding calls")),
        (Tone::Plain, sums.rerank_calls, plural(sums.rerank_calls, "rerank call", "rerank calls")),
        (Tone::Plain, divided, format!("{} tokens in, {} out", sums.input_tokens, sums.output_tokens)),
        (Tone::Odd, sums.unsplit_tokens, format!("{} tokens not split", sums.unsplit_tokens)),
        (Tone::Plain, sums.cost_usd.map_or(0, |_| 1), sums.cost_usd.unwrap_or_default().to_string()),
        (Tone::Odd, sums.unpriced_calls, plural(sums.unpriced_calls, "call without a price", "calls without a price")),
        (Tone::Odd, agents.repeated_calls, plural(agents.repeated_calls, "repeated tool call", "repeated tool calls")),
        (Tone::Odd, agents.wasted_tokens, format!("{} tokens wasted", agents.wasted_tokens)),
    ];
    for (tone, count, fact) in facts {
        if count == 0 {
            continue;
        }
        if ink.column() > 0 && ink.column() + 2 + fact.len() > ink.page().width {
            ink.line()?;
        } else if ink.column() > 0 {
            ink.say("  ")?;
        }
        ink.put(tone, fact)?;
    }
    if ink.column() > 0 { ink.line() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_by_their_beginning() {
        assert_eq!(short("agent-8442fb55-0000-4000-8000-21cf21cf21cf"), "agent-8442fb55");
        assert_eq!(short("8442fb55-0000-4000-8000-21cf21cf21cf"), "8442fb55");
        assert_eq!(
            (short("helm_agent"), short("é-44200000000000000000000000000000000000")),
            ("helm_agent", "é-44200000000000000000000000000000000000")
        );
    }
}
