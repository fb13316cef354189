//! What models cost, from a table that stands in the program and may be put right by a file of the same form.
//!
//! Comes in: TOML, and a model's name. Goes out: the price of so many tokens, or nothing where the model is not in the table.

use hashbrown::HashMap;
use serde::Deserialize;
use thiserror::Error;

use super::model::{bare, plain, undated};
use super::money::Money;
use crate::agent::Tokens;

const TABLE: &str = include_str!("prices.toml");

/// Names longer than this are no models.
const LONGEST: usize = 120;

/// Why a table of prices cannot be used.
#[derive(Debug, Error)]
#[error("line {line}: {message}")]
pub struct PriceError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
}

/// Other rates for long prompts.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    above: u64,
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
}

/// The price of some models.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Names of models, `*` for any letters.
    models: Vec<String>,
    /// A date behind a name makes it another model.
    #[serde(default)]
    exact: bool,
    /// Dollars for a million tokens of the prompt.
    input: f64,
    /// Dollars for a million tokens of the answer.
    #[serde(default)]
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    /// What a batch costs, as a part of the price.
    batch: Option<f64>,
    long: Option<Long>,
    /// How many tokens the model can take.
    pub context: Option<u64>,
    /// When it was looked up.
    pub date: String,
    /// Where.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    price: Vec<toml::Spanned<Price>>,
}

/// Tables of prices.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    /// Earlier ones win.
    tables: Vec<Table>,
}

/// One table, ready to be searched.
#[derive(Clone, Debug, Default)]
struct Table {
    prices: Vec<Price>,
    /// The entry of each name without a `*`.
    names: HashMap<String, usize>,
    /// The others with their entries, those with the most letters first.
    globs: Vec<(String, usize)>,
}

impl Prices {
    /// The table of the program.
    pub fn built_in() -> Self {
        Self { tables: read(TABLE).map(Table::of).into_iter().collect() }
    }

    /// The table of the program, with that of a file before it.
    pub fn with(text: &str) -> Result<Self, PriceError> {
        let mut tables = vec![Table::of(read(text)?)];
        tables.append(&mut Self::built_in().tables);
        Ok(Self { tables })
    }

    /// The price of a model, of the first table that has one.
    pub fn of(&self, model: &str) -> Option<&Price> {
        if model.is_empty() || model.len() > LONGEST {
            return None;
        }
        let name = plain(model);
        self.tables.iter().find_map(|table| table.of_model(&name, bare(&name)))
    }
}

impl Table {
    fn of(prices: Vec<Price>) -> Self {
        let mut table = Self::default();
        for (at, price) in prices.iter().enumerate() {
            for name in &price.models {
                let name = plain(name);
                if name.contains('*') {
                    table.globs.push((name, at));
                } else {
                    table.names.entry(name).or_insert(at);
                }
            }
        }
        table.globs.sort_by_key(|(glob, _)| std::cmp::Reverse(letters(glob)));
        table.prices = prices;
        table
    }

    /// The entry of exactly this name, or else that which has the most letters in common with it: a glob, or the name without the date
    /// behind it. Names may stand in the table with or without what is before them.
    fn of_model(&self, name: &str, bare: &str) -> Option<&Price> {
        let named = |name: &str| self.names.get(name).copied();
        if let Some(at) = named(name).or_else(|| named(bare)) {
            return self.prices.get(at);
        }
        let dated = [name, bare].into_iter().filter_map(undated).find_map(|undated| {
            let at = named(undated)?;
            self.prices.get(at).filter(|price| !price.exact).map(|price| (undated.len(), price))
        });
        let glob = self.globs.iter().find(|(glob, _)| fits(glob, name) || fits(glob, bare));
        match (dated, glob) {
            (Some((length, price)), Some((glob, _))) if length >= letters(glob) => Some(price),
            (_, Some((_, at))) => self.prices.get(*at),
            (dated, None) => dated.map(|(_, price)| price),
        }
    }
}

/// How many letters a glob fixes.
fn letters(glob: &str) -> usize {
    glob.bytes().filter(|byte| *byte != b'*').count()
}

impl Price {
    /// What a call took. Cached tokens are among those of the prompt; those of the answer include what was spent on reasoning.
    pub fn cost(&self, tokens: &Tokens, batch: bool) -> Money {
        let prompt = tokens.input.unwrap_or(0);
        let rates = match self.long {
            Some(Long { above, input, output, cache_read, cache_write }) if prompt > above => {
                Rates { input, output, cache_read, cache_write }
            }
            _ => Rates {
                input: self.input,
                output: self.output,
                cache_read: self.cache_read,
                cache_write: self.cache_write,
            },
        };
        let read = tokens.cache_read.unwrap_or(0).min(prompt);
        let written = tokens.cache_write.unwrap_or(0).min(prompt - read);
        let parts = [
            (prompt - read - written, rates.input),
            (read, rates.cache_read.unwrap_or(rates.input)),
            (written, rates.cache_write.unwrap_or(rates.input)),
            (tokens.output.unwrap_or(0), rates.output),
        ];
        let dollars: f64 = parts.iter().map(|(count, rate)| *count as f64 * rate / 1e6).sum();
        Money::dollars(dollars * if batch { self.batch.unwrap_or(1.0) } else { 1.0 })
    }
}

fn read(text: &str) -> Result<Vec<Price>, PriceError> {
    let line = |at: usize| 1 + text.get(..at).unwrap_or(text).matches('\n').count();
    let file: File = toml::from_str(text).map_err(|error| PriceError {
        line: line(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let check = |price: toml::Spanned<Price>| {
        let at = price.span().start;
        let price = price.into_inner();
        match fault(&price) {
            Some(message) => Err(PriceError { line: line(at), message }),
            None => Ok(price),
        }
    };
    file.price.into_iter().map(check).collect()
}

/// What is wrong with an entry.
fn fault(price: &Price) -> Option<String> {
    let long = price.long.map(|long| [Some(long.input), Some(long.output), long.cache_read, long.cache_write]);
    let rates = [Some(price.input), Some(price.output), price.cache_read, price.cache_write, price.batch];
    let wrong = |rate: &f64| !(rate.is_finite() && (0.0..=1e6).contains(rate));
    let mut all = rates.into_iter().chain(long.into_iter().flatten()).flatten();
    if price.models.is_empty() || price.models.iter().any(|glob| glob.trim_matches('*').is_empty()) {
        return Some("an entry names no models: give models = [\"gpt-4o*\"]".to_owned());
    }
    all.find(wrong).map(|rate| format!("{rate} is no price for a million tokens: give dollars, 0 or more"))
}

/// Whether a name is as the glob says: `*` stands for any letters, or none.
fn fits(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(input: u64, output: u64) -> Tokens {
        Tokens { input: Some(input), output: Some(output), ..Tokens::default() }
    }

    #[test]
    fn the_table_of_the_program_is_sound() {
        let prices = read(TABLE).unwrap();
        assert!(prices.len() > 40);
        for price in &prices {
            assert!(price.source.starts_with("https://") && price.date.len() == 10, "{:?}", price.models);
            assert!(price.cache_read.is_none_or(|read| read <= price.input), "{:?}", price.models);
        }
    }

    #[test]
    fn models_are_found_under_every_name() {
        let prices = Prices::built_in();
        let input = |model: &str| prices.of(model).map(|price| price.input);
        assert_eq!(input("gpt-4o-2024-08-06"), Some(2.5));
        assert_eq!(input("openai/gpt-4o"), Some(2.5));
        assert_eq!(input("gpt-4o-mini-2024-07-18"), Some(0.15));
        assert_eq!(input("us.anthropic.claude-haiku-4-5-20251001-v1:0"), Some(1.0));
        assert_eq!(input("claude-haiku-4-5"), Some(1.0));
        assert_eq!(input("text-embedding-3-small"), Some(0.02));
        assert_eq!((input("llama-3.1-70b"), input(""), input(&"x".repeat(9000))), (None, None, None));
        for (dotted, dashed) in [
            ("anthropic/claude-opus-4.6", "claude-opus-4-6"),
            ("claude-opus-4.5", "claude-opus-4-5-20251101"),
            ("claude-3.5-sonnet", "claude-3-5-sonnet-20241022"),
            ("anthropic/claude-haiku-4.5", "claude-haiku-4-5"),
            ("claude-sonnet-4@20250514", "claude-sonnet-4-20250514"),
        ] {
            assert!(prices.of(dotted).is_some() && prices.of(dotted) == prices.of(dashed), "{dotted}");
        }
    }

    #[test]
    fn an_unknown_version_has_no_price() {
        let prices = Prices::built_in();
        for model in [
            "claude-opus-4-9",
            "claude-sonnet-4.7",
            "claude-opus-7",
            "gpt-4o:free",
            "gpt-4o-audio-preview",
            "gpt-4-32k",
            "gpt-5.4-nano",
            "gpt-3.5-turbo-9999",
            "mistral-medium-2712",
            "gemini-2.5-flash-preview-tts",
            "gemini-2.5-flash-image",
            "grok-4-turbo",
        ] {
            assert_eq!(prices.of(model), None, "{model}");
        }
        let long = |model: &str| prices.of(model).unwrap().long.is_some();
        assert!(long("claude-sonnet-4-5") && !long("claude-sonnet-4.6") && !long("claude-opus-4.6"));
    }

    #[test]
    fn parts_of_a_prompt_have_their_own_price() {
        let table = "[[price]]\nmodels = ['m*']\ninput = 10.0\noutput = 20.0\ncache_read = 1.0\ncache_write = 12.5\nbatch = 0.5\ndate = 'd'\nsource = 's'\n\
                     long = { above = 1000000, input = 100.0, output = 20.0 }";
        let prices = Prices::with(table).unwrap();
        let price = prices.of("M1").unwrap();
        assert_eq!(price.cost(&used(1_000_000, 100_000), false), Money::dollars(12.0));
        assert_eq!(price.cost(&used(1_000_000, 100_000), true), Money::dollars(6.0));
        let cached = Tokens { cache_read: Some(400_000), cache_write: Some(200_000), ..used(1_000_000, 0) };
        assert_eq!(price.cost(&cached, false), Money::dollars(4.0 + 0.4 + 2.5));
        assert_eq!(price.cost(&used(2_000_000, 0), false), Money::dollars(200.0));
    }

    #[test]
    fn a_file_wins_and_its_mistakes_are_placed() {
        let own = "[[price]]\nmodels = ['gpt-4o*']\ninput = 1.0\ndate = 'd'\nsource = 's'\n";
        assert_eq!(Prices::with(own).unwrap().of("gpt-4o").unwrap().input, 1.0);
        // However much more of the name the table of the program has.
        assert_eq!(Prices::with(own).unwrap().of("gpt-4o-mini-2024-07-18").unwrap().input, 1.0);
        let two = own.to_owned() + &own.replace("gpt-4o*", "gpt-4o-mini").replace("1.0", "2.0");
        let two = Prices::with(&(two + &own.replace("gpt-4o*", "*************4o-m*").replace("1.0", "3.0"))).unwrap();
        assert_eq!(
            ["gpt-4o", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"].map(|name| two.of(name).unwrap().input),
            [1.0, 2.0, 2.0]
        );
        let error = |text: &str| Prices::with(text).unwrap_err().to_string();
        assert!(error("\n[[price]]\nmodels = ['x']\ninput = -1.0\ndate = ''\nsource = ''").starts_with("line 2: -1"));
        assert!(error("[[price]]\nmodels = ['*']\ninput = 1.0\ndate = ''\nsource = ''").contains("names no models"));
        assert!(error("[[price]]\nmodel = ['x']").starts_with("line 2: unknown field"));
        assert!(error("x =").starts_with("line 1"));
    }

    #[test]
    fn globs() {
        for (glob, name, yes) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(glob, name), yes, "{glob} {name}");
        }
    }
}
