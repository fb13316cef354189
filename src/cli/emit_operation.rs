//! The operations of a scenario file: what they say, whom they call, how they end.
//!
//! Comes in: the table of an operation. Goes out: plain data, or what is wrong with it.

use toml::de::DeTable;

use super::emit_script::{Names, tables};
use super::emit_value::{attributes, duration, flag, kind, part, times, whole};
use super::lint_walk::{Walk, Wrong, text};
use crate::emit::{Child, Happening, Operation, Reference};

/// What may be said of an operation.
pub(super) const KEYS: [&str; 14] = [
    "name",
    "service",
    "kind",
    "duration",
    "weight",
    "error_rate",
    "error",
    "on_error",
    "cancel_rate",
    "cancel",
    "attributes",
    "event",
    "link",
    "child",
];

/// An operation, and where its calls stand.
pub(super) fn operation(table: &DeTable<'_>, names: &Names) -> Result<(Operation, Vec<usize>), Wrong> {
    let mut operation = Operation { kind: 1, error: failure("failed"), ..Operation::default() };
    let (mut rooted, mut calls) = (None, Vec::new());
    Walk { table }.each(&KEYS, |key, value, at| {
        match key {
            "name" => text(key, value, at)?.clone_into(&mut operation.name),
            "service" => operation.service = Names::find(&names.services, key, text(key, value, at)?, at)?,
            "kind" => operation.kind = kind(key, value, at)?,
            "duration" => operation.duration = duration(text(key, value, at)?, at)?,
            "weight" => rooted = Some(whole(key, value, at, 1_000_000)?),
            "error_rate" => operation.error_rate = part(key, value, at)?,
            "error" => operation.error = failure(text(key, value, at)?),
            "on_error" => operation.on_error = attributes(key, value, at, &names.shared)?,
            "cancel_rate" => operation.cancel_rate = part(key, value, at)?,
            "cancel" => {
                operation.cancel_expected = Walk::choice(key, value, at, &["unexpected", "expected"])? == "expected";
            }
            "attributes" => operation.attributes = attributes(key, value, at, &names.shared)?,
            "event" => {
                let all = tables(key, value, at)?.into_iter().map(|(table, at)| event(table, names, at));
                operation.events = all.collect::<Result<_, _>>()?;
            }
            "link" => {
                let all = tables(key, value, at)?.into_iter().map(|(table, at)| link(table, names, at));
                operation.links = all.collect::<Result<_, _>>()?;
            }
            _ => {
                let all = tables(key, value, at)?;
                calls.extend(all.iter().map(|(_, at)| *at));
                operation.children =
                    all.into_iter().map(|(table, at)| child(table, names, at)).collect::<Result<_, _>>()?;
            }
        }
        Ok(())
    })?;
    // Nobody said how often: what no other operation calls begins traces.
    operation.weight = rooted.unwrap_or(u64::MAX);
    Ok((operation, calls))
}

/// `PaymentError: card declined`: what it is and what it says.
fn failure(said: &str) -> (String, String) {
    match said.split_once(": ").filter(|(class, _)| !class.is_empty() && !class.contains(' ')) {
        Some((class, message)) => (class.to_owned(), message.to_owned()),
        None => ("_OTHER".to_owned(), said.to_owned()),
    }
}

fn event(table: &DeTable<'_>, names: &Names, at: usize) -> Result<Happening, Wrong> {
    let mut event = Happening { name: String::new(), at: 500_000, attributes: Vec::new() };
    Walk { table }.each(&["name", "at", "attributes"], |key, value, at| {
        match key {
            "name" => text(key, value, at)?.clone_into(&mut event.name),
            "at" => event.at = part(key, value, at)?,
            _ => event.attributes = attributes(key, value, at, &names.shared)?,
        }
        Ok(())
    })?;
    if event.name.is_empty() { Err(Wrong::new(at, "an event needs a name")) } else { Ok(event) }
}

/// What a link may name that is no operation.
const PREVIOUS: &str = "previous trace";

fn link(table: &DeTable<'_>, names: &Names, at: usize) -> Result<Reference, Wrong> {
    let (mut to, mut said) = (None, Vec::new());
    Walk { table }.each(&["to", "attributes"], |key, value, at| {
        match key {
            "to" => {
                let name = text(key, value, at)?;
                let known = (name != PREVIOUS).then(|| Names::find(&names.operations, "operation", name, at));
                to = Some(known.transpose()?);
            }
            _ => said = attributes(key, value, at, &names.shared)?,
        }
        Ok(())
    })?;
    let to = to.ok_or_else(|| Wrong::new(at, format_args!("a link needs 'to': an operation, or \"{PREVIOUS}\"")))?;
    Ok(Reference { operation: to, attributes: said })
}

fn child(table: &DeTable<'_>, names: &Names, at: usize) -> Result<Child, Wrong> {
    let mut to = None;
    let mut child =
        Child { operation: 0, times: (1, 1), chance: 1_000_000, parallel: false, detached: false, required: false };
    let keys = ["operation", "times", "chance", "parallel", "detached", "required"];
    Walk { table }.each(&keys, |key, value, at| {
        match key {
            "operation" => to = Some(Names::find(&names.operations, key, text(key, value, at)?, at)?),
            "times" => child.times = times(key, value, at)?,
            "chance" => child.chance = part(key, value, at)?,
            "parallel" => child.parallel = flag(key, value, at)?,
            "detached" => child.detached = flag(key, value, at)?,
            _ => child.required = flag(key, value, at)?,
        }
        Ok(())
    })?;
    if child.required && child.detached {
        return Err(Wrong::new(at, "nobody waits for what is detached, so that it cannot be required"));
    }
    child.operation = to.ok_or_else(|| Wrong::new(at, "a child needs an operation"))?;
    Ok(child)
}
