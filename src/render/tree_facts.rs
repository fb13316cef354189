//! What a row says about calls to models and tools: a sign for what it does, and facts beside its name.
//!
//! Comes in: a row. Goes out: facts in the order of their weight, as many as there is room for before the waterfall: step, failure,
//! tool or model, sums, tokens, cost, time to the first token, arguments. Names of tools and models are cut to fit; of sums, whole
//! ones are left away, and that is shown.

use std::io;

use super::tree_signs::{counted, grouped, signs};
use super::{Ink, Tone, width};
use crate::agent::Role;
use crate::ledger::Sums;
use crate::model::Nanos;
use crate::view::{Extent, Facts, Row};

/// A sign for what a row does in an agent's run.
pub(super) fn role_sign(row: &Row<'_>, unicode: bool) -> Option<(Tone, &'static str)> {
    sign_of(row.facts.as_ref()?.role?, unicode)
}

/// The sign of a role, where it has one.
pub(super) fn sign_of(role: Role, unicode: bool) -> Option<(Tone, &'static str)> {
    let (tone, sign, letter) = match role {
        Role::Agent => (Tone::Title, "●", "A"),
        Role::Workflow => (Tone::Title, "○", "W"),
        Role::Step => (Tone::Quiet, "▸", "S"),
        Role::Llm => (Tone::Good, "◆", "L"),
        Role::Embedding | Role::Rerank => (Tone::Good, "◇", "E"),
        Role::Tool | Role::Mcp => (Tone::Service, "■", "T"),
        Role::Retrieval | Role::Memory => (Tone::Service, "□", "R"),
        Role::Guardrail => (Tone::Odd, "△", "G"),
        _ => return None,
    };
    Some((tone, if unicode { sign } else { letter }))
}

/// The fewest columns that names of tools and models, and arguments, are shown in.
const NAME: usize = 10;
const ARGUMENTS: usize = 10;
/// The most columns that a row asks for to show arguments.
pub(super) const GLIMPSE: usize = 40;

/// Something that a row says.
pub(super) struct Fact {
    tone: Tone,
    text: String,
    /// The fewest columns it can be shown in.
    least: usize,
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What tells one row from another: the name gives way to it.
    Identity,
    /// Of what the row rolls up: the name gives way to it.
    Sum,
    /// What a call took: the name gives way to it.
    Usage,
    /// What the tool was given; stands only beside the tool's name.
    Arguments,
    /// Anything else.
    Other,
}

impl Fact {
    fn new(part: Part, tone: Tone, text: impl Into<String>) -> Self {
        let text = text.into();
        let columns = width(&super::clean(&text));
        Self { tone, text, least: columns, part }
    }

    /// The columns it takes where there are so many: the date of a model's version is cut off whole.
    fn fitting(&self, most: usize) -> usize {
        let bare = width(&super::clean(unversioned(&self.text))) + 1;
        match self.part {
            Part::Arguments => most,
            _ if self.columns() <= most => self.columns(),
            _ if (self.least..most).contains(&bare) => bare,
            _ => most,
        }
    }

    fn columns(&self) -> usize {
        width(&super::clean(&self.text))
    }
}

/// The columns that facts would like to have, at most `glimpse` of them for what a tool was given.
pub(super) fn wanted(facts: &[Fact], glimpse: usize) -> usize {
    let most = |fact: &Fact| if fact.part == Part::Arguments { glimpse } else { usize::MAX };
    facts.iter().map(|fact| 2 + fact.columns().min(most(fact))).sum()
}

/// The fewest columns of so many that the name of a row keeps: more where it tells the tool or the model itself.
pub(super) fn kept(row: &Row<'_>, facts: &[Fact], room: usize) -> usize {
    let says_itself = row.facts.as_ref().is_some_and(|facts| {
        let has_identity = matches!(facts.role, Some(Role::Tool | Role::Mcp | Role::Llm | Role::Agent));
        has_identity && identity(row.name, facts).is_none()
    });
    if needed(facts) == 0 || says_itself { room * 3 / 5 } else { room * 2 / 5 }
}

/// The columns for which the name of a row gives way.
pub(super) fn needed(facts: &[Fact]) -> usize {
    let weighty = |fact: &&Fact| matches!(fact.part, Part::Identity | Part::Sum | Part::Usage);
    facts.iter().filter(weighty).map(|fact| 2 + fact.columns()).sum()
}

/// Draws the facts that fit between the end of the name and the waterfall.
pub(super) fn draw(facts: &[Fact], ink: &mut Ink<'_>, left: usize) -> io::Result<()> {
    let room = left.saturating_sub(ink.column());
    let more = signs(ink).cut;
    let shown: Vec<bool> = chosen(facts, room, 1 + width(more));
    let least: usize = facts.iter().zip(&shown).filter(|(_, shown)| **shown).map(|(fact, _)| 2 + fact.least).sum();
    let some = |wanted: bool| facts.iter().zip(&shown).any(|(fact, shown)| fact.part == Part::Sum && *shown == wanted);
    let least = least + if some(true) && some(false) { 1 + width(more) } else { 0 };
    // What is left goes to those that are cut, the first ones first.
    let mut spare = room.saturating_sub(least);
    let mut before = None;
    for (fact, shown) in facts.iter().zip(&shown) {
        if *shown {
            let columns = fact.fitting(fact.least + spare);
            spare = (spare + fact.least).saturating_sub(columns);
            ink.say("  ")?;
            ink.put_fit(fact.tone, &fact.text, columns)?;
        } else if fact.part == Part::Sum && before == Some((Part::Sum, true)) {
            ink.put(Tone::Quiet, format_args!(" {more}"))?;
        }
        before = Some((fact.part, *shown));
    }
    Ok(())
}

/// Which facts are shown in so many columns; sums that not all have room for leave `mark` columns for saying so.
fn chosen(facts: &[Fact], room: usize, mark: usize) -> Vec<bool> {
    let mut left = room;
    // How much of the name of the tool is cut; nothing where there is no room for it at all.
    let mut cut = Some(0);
    let mut sums: Option<bool> = None;
    let rest = |at: usize| -> usize {
        let sums = facts.iter().skip(at).take_while(|fact| fact.part == Part::Sum);
        sums.map(|fact| 2 + fact.least).sum()
    };
    let mut shown = Vec::with_capacity(facts.len());
    for (at, fact) in facts.iter().enumerate() {
        let needed = 2 + fact.least;
        let fits = match fact.part {
            Part::Arguments => cut.is_some_and(|cut| needed + cut <= left),
            Part::Sum => {
                let goes_on = sums.unwrap_or(true);
                let fits = goes_on && (rest(at) <= left || needed + mark <= left);
                // One that is left away takes the mark's room with it.
                left -= if goes_on && !fits && sums.is_some() { mark } else { 0 };
                sums = Some(fits);
                fits
            }
            Part::Identity | Part::Usage | Part::Other => needed <= left,
        };
        if fact.part == Part::Identity {
            cut = cut.filter(|_| fits).map(|cut| cut + fact.columns() - fact.least);
        }
        left -= if fits { needed } else { 0 };
        shown.push(fits);
    }
    shown
}

/// The facts of a row, the weightiest first.
pub(super) fn facts(row: &Row<'_>, ink: &Ink<'_>) -> Vec<Fact> {
    let Some(facts) = &row.facts else { return Vec::new() };
    let mut told = Vec::new();
    let mut tell = |part: Part, tone: Tone, fact: Option<String>| {
        told.extend(fact.map(|fact| Fact::new(part, tone, fact)));
    };
    tell(Part::Identity, Tone::Title, facts.step.map(|step| format!("#{step}")));
    // The span's own error has a mark.
    tell(Part::Identity, Tone::Error, row.fails_silently().then(|| "failed".to_owned()));
    tell(Part::Identity, Tone::Quiet, facts.duplicate.then(|| "same call".to_owned()));
    tell(Part::Other, Tone::Quiet, (row.extent == Extent::Request).then(|| "the whole request".to_owned()));
    let name = identity(row.name, facts);
    told.extend(name.map(|(tone, name)| {
        // As much of it as a line can hold.
        let fact = Fact::new(Part::Identity, tone, name.chars().take(200).collect::<String>());
        Fact { least: fact.least.min(NAME), ..fact }
    }));
    let mut tell = |part: Part, tone: Tone, fact: Option<String>| {
        told.extend(fact.map(|fact| Fact::new(part, tone, fact)));
    };
    let known = facts.input_tokens.is_some() || facts.output_tokens.is_some();
    tell(Part::Usage, Tone::Plain, known.then(|| call_tokens(facts)));
    let whole = facts.total_tokens.filter(|_| !known);
    tell(Part::Usage, Tone::Plain, whole.map(|total| format!("{} tokens", short(total))));
    tell(Part::Usage, Tone::Plain, facts.cost_usd.map(|cost| cost.to_string()));
    tell(Part::Other, Tone::Odd, facts.unpriced.then(|| "unpriced".to_owned()));
    for (tone, sum) in rolled_up(row, facts, signs(ink).sum) {
        tell(Part::Sum, tone, Some(sum));
    }
    tell(Part::Other, Tone::Quiet, facts.first_token_ns.map(|first| format!("ttft {}", Nanos(first))));
    if !facts.arguments.is_empty() && !facts.duplicate {
        let fact = Fact::new(Part::Arguments, Tone::Quiet, facts.arguments.as_str());
        told.push(Fact { least: fact.least.min(ARGUMENTS), ..fact });
    }
    told
}

/// The tool, model or agent, where the name of the row does not tell it.
fn identity<'f>(name: &str, facts: &Facts<'f>) -> Option<(Tone, &'f str)> {
    let (tone, word) = match facts.role? {
        _ if facts.duplicate => return None,
        Role::Tool | Role::Mcp => (Tone::Plain, facts.tool),
        Role::Agent => (Tone::Plain, facts.agent),
        Role::Llm | Role::Embedding | Role::Rerank => (Tone::Quiet, facts.model),
        _ => return None,
    };
    (!word.is_empty() && !tells(name, word)).then_some((tone, word))
}

/// Whether a name has a word in it: the whole of it, or a model without the date of its version or its provider.
fn tells(name: &str, word: &str) -> bool {
    let bare = word.rsplit('/').next().unwrap_or(word);
    [word, bare, unversioned(word), unversioned(bare)].into_iter().any(|word| has_word(name, word))
}

fn has_word(name: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    name.match_indices(word).any(|(at, _)| {
        let before = name.get(..at).and_then(|before| before.chars().next_back());
        let after = name.get(at + word.len()..).and_then(|after| after.chars().next());
        !word.is_empty() && !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// `gpt-4o-mini-2024-07-18` without its date, `gemini-1.5-pro-001` without its number.
fn unversioned(model: &str) -> &str {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut rest = model;
    while let Some((before, last)) = rest.rsplit_once(['-', '@']).filter(|(_, last)| is_number(last)) {
        if last.len() >= 3 {
            return before;
        }
        rest = before;
    }
    model
}

/// What a row rolls up, in the order of weight.
fn rolled_up(row: &Row<'_>, facts: &Facts<'_>, sum: &str) -> Vec<(Tone, String)> {
    let Some(sums) = &facts.totals else { return Vec::new() };
    let mut told = Vec::new();
    told.extend(sum_of_tokens(sums, "").map(|tokens| (Tone::Plain, tokens)));
    told.extend(cost_words(sums).map(|words| (Tone::Plain, words)));
    // Of siblings that are calls themselves the row says how many they are.
    let itself = row.fold.map(|fold| fold.times);
    let calls = [
        (sums.llm_calls, grouped(sums.llm_calls) + " llm"),
        (sums.tool_calls, counted(sums.tool_calls, "tool")),
        (sums.embedding_calls, counted(sums.embedding_calls, "embedding")),
        (sums.rerank_calls, counted(sums.rerank_calls, "rerank")),
    ];
    told.extend(
        calls
            .into_iter()
            .filter(|(count, _)| *count > 0 && Some(*count) != itself)
            .map(|(_, words)| (Tone::Quiet, words)),
    );
    if let Some((_, first)) = told.first_mut() {
        first.insert_str(0, sum);
    }
    told
}

/// `3118→93`; a question mark for what is not said. What answers with numbers or an order uses no tokens for it.
fn call_tokens(facts: &Facts<'_>) -> String {
    if let (Some(Role::Embedding | Role::Rerank), Some(input), None) =
        (facts.role, facts.input_tokens, facts.output_tokens)
    {
        return format!("{} tokens", short(input));
    }
    let number = |tokens: Option<u64>| tokens.map_or_else(|| "?".to_owned(), short);
    format!("{}→{}", number(facts.input_tokens), number(facts.output_tokens))
}

/// `3118→93`, and what they are; of calls that answer with numbers or an order alone `93 tokens`.
fn sum_of_tokens(sums: &Sums, unit: &str) -> Option<String> {
    let numbers = sums.llm_calls == 0 && sums.embedding_calls + sums.rerank_calls > 0 && sums.output_tokens == 0;
    (sums.input_tokens > 0 || sums.output_tokens > 0).then(|| match numbers {
        true => format!("{} tokens", short(sums.input_tokens)),
        false => format!("{}→{}{unit}", short(sums.input_tokens), short(sums.output_tokens)),
    })
}

/// A count in four digits or so, rounded: `950`, `3118`, `13.1k`, `2.4M`.
fn short(number: u64) -> String {
    let tenths = |unit: u64| (number / (unit / 20)).div_ceil(2);
    match (number, tenths(1_000)) {
        (0..10_000, _) => number.to_string(),
        (_, tenths @ 0..10_000) => format!("{}.{}k", tenths / 10, tenths % 10),
        _ => format!("{}.{}M", tenths(1_000_000) / 10, tenths(1_000_000) % 10),
    }
}

/// What calls cost; what has no price is said.
fn cost_words(sums: &Sums) -> Option<String> {
    match (sums.cost_usd, sums.unpriced_calls) {
        (None, 0) => None,
        (None, _) => Some("unpriced".to_owned()),
        (Some(cost), 0) => Some(cost.to_string()),
        (Some(cost), unpriced) => Some(format!("{cost} + {} unpriced", grouped(unpriced))),
    }
}

/// The sums of a trace in words.
pub(super) fn sums_words(sums: &Sums) -> Vec<String> {
    let mut words = Vec::new();
    let calls = [
        (sums.llm_calls, "llm call"),
        (sums.embedding_calls, "embedding call"),
        (sums.rerank_calls, "rerank call"),
        (sums.tool_calls, "tool call"),
    ];
    words.extend(calls.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(count, word)));
    words.extend(sum_of_tokens(sums, " tokens"));
    words.extend((sums.unsplit_tokens > 0).then(|| format!("{} tokens not split", short(sums.unsplit_tokens))));
    words.extend(cost_words(sums));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Money;

    #[test]
    fn counts_are_short() {
        let shown = [0, 9_999, 10_000, 13_149, 13_150, 999_949, 999_950, 2_449_999].map(short);
        assert_eq!(shown, ["0", "9999", "10.0k", "13.1k", "13.2k", "999.9k", "1.0M", "2.4M"]);
    }

    #[test]
    fn only_whole_words_of_a_name_tell_a_tool_or_a_model() {
        for (name, word, told) in [
            ("execute_tool search", "search", true),
            ("search.tool", "search", true),
            ("execute_tool web search", "web search", true),
            ("execute_tool", "tool", false),
            ("execute_tool", "t", false),
            ("chat gpt-4o-mini", "gpt-4o-mini-2024-07-18", true),
            ("chat gpt-4o-mini", "openai/gpt-4o-mini", true),
            ("chat gpt-4o", "gpt-4o-mini", false),
            ("chat gpt-4o-mini", "gpt-4o", false),
            ("chat gpt-4", "gpt-4-32k", false),
            ("chat gpt-4", "gpt-4-0613", true),
            ("", "gpt-4", false),
        ] {
            assert_eq!(tells(name, word), told, "{name}: {word}");
        }
    }

    #[test]
    fn sums_are_left_away_whole_and_that_is_marked() {
        let sum = |text: &str| Fact::new(Part::Sum, Tone::Plain, text);
        let facts = [sum("S 100-5"), sum("$1"), sum("6 llm"), sum("2 tools"), Fact::new(Part::Other, Tone::Plain, "x")];
        let drawn = |room: usize| {
            let mut out = Vec::new();
            draw(&facts, &mut Ink::new(&mut out, super::super::Page::plain(80)), room).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(drawn(32), "  S 100-5  $1  6 llm  2 tools  x");
        assert_eq!(drawn(29), "  S 100-5  $1  6 llm  2 tools");
        assert_eq!(drawn(28), "  S 100-5  $1  6 llm …  x");
        assert_eq!(drawn(19), "  S 100-5  $1 …  x");
        assert_eq!((drawn(11), drawn(10)), ("  S 100-5 …".to_owned(), "  x".to_owned()));
    }

    #[test]
    fn a_name_is_cut_before_it_goes_and_arguments_go_first() {
        let name = Fact { least: NAME, ..Fact::new(Part::Identity, Tone::Plain, "archival_memory_search") };
        let given = Fact { least: ARGUMENTS, ..Fact::new(Part::Arguments, Tone::Quiet, "\"query\":\"how much\"") };
        let facts = [name, given];
        let drawn = |room: usize| {
            let mut out = Vec::new();
            draw(&facts, &mut Ink::new(&mut out, super::super::Page::plain(80)), room).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(drawn(60), "  archival_memory_search  \"query\":\"how much\"");
        assert_eq!(drawn(36), "  archival_memory_search  \"query\":\"…");
        assert_eq!(drawn(35), "  archival_memory_search");
        assert_eq!(drawn(20), "  archival_memory_s…");
        assert_eq!(drawn(11), "");
    }

    #[test]
    fn what_has_no_price_is_said() {
        let sums = |cost: u64, unpriced_calls| Sums {
            cost_usd: (cost > 0).then_some(Money(cost)),
            unpriced_calls,
            ..Sums::default()
        };
        assert_eq!(cost_words(&sums(0, 0)), None);
        assert_eq!(cost_words(&sums(0, 2)).as_deref(), Some("unpriced"));
        assert_eq!(cost_words(&sums(0, 1)).as_deref(), Some("unpriced"));
        assert!(cost_words(&sums(10_000_000, 3)).is_some_and(|words| words.ends_with(" + 3 unpriced")));
    }
}
