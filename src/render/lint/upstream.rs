//! What would put findings right where the dumps are made.
//!
//! Comes in: a report and the budget. Goes out: a transform processor for the Collector, or variables for an SDK. What neither can do is
//! said in a comment.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::lint::{Budget, Cell, Fix, LintReport};
use crate::render::{Ink, Render};

/// Statements for the Collector's transform processor.
pub struct Ottl<'r> {
    /// What was found.
    pub report: &'r LintReport,
    /// The limits in force.
    pub budget: &'r Budget,
}

/// Environment variables of an SDK.
pub struct Sdk<'r> {
    /// What was found.
    pub report: &'r LintReport,
    /// The limits in force.
    pub budget: &'r Budget,
}

/// A sentence on a line of its own.
pub struct Said(pub String);

impl Render for Said {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        ink.say(&self.0)?;
        ink.line()
    }
}

impl Render for Ottl<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let statements = statements(self.report, self.budget);
        if statements.is_empty() {
            return Said("# nothing that the Collector could put right".to_owned()).render(ink);
        }
        for line in ["processors:", "  transform/tracectl:", "    error_mode: ignore", "    trace_statements:"] {
            Said(line.to_owned()).render(ink)?;
        }
        for context in ["resource", "span", "spanevent"] {
            Said(format!("      - context: {context}")).render(ink)?;
            Said("        statements:".to_owned()).render(ink)?;
            for statement in &statements {
                Said(format!("          - '{}'", statement.replace('\'', "''"))).render(ink)?;
            }
        }
        Ok(())
    }
}

/// Statements that hold in every context that has attributes.
fn statements(report: &LintReport, budget: &Budget) -> Vec<String> {
    let mut statements = BTreeSet::new();
    let mut cut = false;
    for finding in &report.findings {
        match &finding.fix {
            Some(Fix::RenameAttribute { from, to }) => {
                let (from, to) = (quoted(from), quoted(to));
                let missing = format!("attributes[{from}] != nil and attributes[{to}] == nil");
                statements.insert(format!("0 set(attributes[{to}], attributes[{from}]) where {missing}"));
                // Where both say different things, both stay.
                let same = format!("attributes[{to}] == attributes[{from}]");
                statements.insert(format!("1 delete_key(attributes, {from}) where {same}"));
            }
            Some(Fix::RemoveAttribute { key }) => {
                statements.insert(format!("1 delete_key(attributes, {})", quoted(key)));
            }
            Some(Fix::RedactAttribute { key }) => {
                let key = quoted(key);
                statements.insert(format!("2 set(attributes[{key}], \"[redacted]\") where attributes[{key}] != nil"));
            }
            Some(Fix::TruncateAttribute { .. }) => cut = true,
            _ => {}
        }
        if let ("BUD006", Some(key)) = (finding.code, &finding.attribute) {
            let key = quoted(key);
            let open = format!("attributes[{key}] != nil and not IsMatch(attributes[{key}], \"excluded\")");
            statements.insert(format!("2 set(attributes[{key}], \"<str (excluded)>\") where {open}"));
        }
    }
    let limits = [Cell::AttrValueBytes, Cell::AttrValueChars];
    let limit = limits.into_iter().filter_map(|cell| Some(budget.get(cell)?.limit)).min();
    statements.extend(limit.filter(|_| cut).map(|limit| format!("3 truncate_all(attributes, {limit})")));
    // The digit only keeps the order.
    statements.iter().map(|statement| statement.chars().skip(2).collect()).collect()
}

fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Render for Sdk<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let mut variables: BTreeMap<String, String> = BTreeMap::new();
        let (mut renames, mut resource) = (false, Vec::new());
        let value = [Cell::AttrValueBytes, Cell::AttrValueChars]
            .into_iter()
            .filter_map(|cell| Some(self.budget.get(cell)?.limit))
            .min();
        for finding in &self.report.findings {
            match &finding.fix {
                Some(Fix::SetVariable { name, value }) => {
                    variables.insert(name.clone(), value.clone());
                }
                Some(Fix::SetResourceAttribute { key, example }) => resource.push(format!("{key}={example}")),
                Some(Fix::TruncateAttribute { .. }) => {
                    if let Some(limit) = value {
                        variables.insert("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT".to_owned(), limit.to_string());
                    }
                }
                Some(Fix::RenameAttribute { .. }) => renames = true,
                _ => {}
            }
        }
        if renames {
            variables.insert(
                "OTEL_SEMCONV_STABILITY_OPT_IN".to_owned(),
                "http,database,gen_ai_latest_experimental".to_owned(),
            );
        }
        resource.sort();
        resource.dedup();
        if !resource.is_empty() {
            variables.insert("OTEL_RESOURCE_ATTRIBUTES".to_owned(), resource.join(","));
        }
        if variables.is_empty() {
            return Said("# nothing that an environment variable could put right".to_owned()).render(ink);
        }
        variables.iter().try_for_each(|(name, value)| Said(format!("export {name}={}", shell(value))).render(ink))
    }
}

/// A word that a shell takes as it is.
fn shell(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.,=:/".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', "'\\''")) }
}
