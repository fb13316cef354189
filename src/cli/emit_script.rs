//! Reads scenario files.
//!
//! Comes in: a TOML file. Goes out: a checked [`Script`]: every name it uses is known, every number in its limits, no operation
//! calls itself, not even through others. What is wrong is told with its line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::config::line_of;
use super::emit_circle::Spans;
use super::emit_value::{attributes, duration, flag, kind, part, times};
use super::error::{Error, Problem};
use super::lint_walk::{Walk, Wrong, number, text, texts};
use super::nearest::meant_of;
use crate::emit::{Child, Fault, Operation, Script, Wanted, parts};

/// Reads a scenario file.
pub(super) fn read_script(path: &Path) -> Result<Script, Error> {
    let text = fs::read_to_string(path).map_err(|source| Problem::NoScenario { path: path.to_owned(), source })?;
    let wrong = |wrong: Wrong| {
        let place = format!("{}:{}", path.display(), line_of(&text, wrong.at));
        Problem::Scenario { place, message: wrong.what }
    };
    Ok(parse(&text).map_err(wrong)?)
}

fn parse(text: &str) -> Result<Script, Wrong> {
    let table = DeTable::parse(text)
        .map_err(|error| Wrong::new(error.span().map_or(0, |span| span.start), error.message().replace('\n', ", ")))?;
    let mut reader = Reader::default();
    let walk = Walk { table: table.get_ref() };
    // Names first, so that they can be used before they are described.
    walk.each(&["service", "operation", "faults"], |key, value, at| match key {
        "service" => tables(key, value, at)?.into_iter().try_for_each(|(table, at)| reader.service(table, at)),
        "operation" => tables(key, value, at)?.into_iter().try_for_each(|(table, at)| reader.name(table, at)),
        _ => reader.faults(value, at),
    })?;
    if reader.script.services.is_empty() {
        return Err(Wrong::new(0, "a scenario needs a [[service]] with a name"));
    }
    walk.all(|key, value, at| match key {
        "operation" => {
            let tables = tables(key, value, at)?;
            tables.into_iter().try_for_each(|(table, _)| reader.operation(table))
        }
        _ => Ok(()),
    })?;
    reader.finish()
}

#[derive(Default)]
struct Reader {
    script: Script,
    services: BTreeMap<String, usize>,
    operations: BTreeMap<String, usize>,
    /// Where operations stand in the file.
    places: Vec<usize>,
}

fn tables<'t>(key: &str, value: &'t DeValue<'t>, at: usize) -> Result<Vec<(&'t DeTable<'t>, usize)>, Wrong> {
    let wanted = || Wrong::new(at, format_args!("'{key}' is a list of tables: [[{key}]]"));
    let DeValue::Array(items) = value else { return Err(wanted()) };
    let table = |item: &'t toml::Spanned<DeValue<'t>>| match item.get_ref() {
        DeValue::Table(table) => Ok((table, item.span().start)),
        _ => Err(wanted()),
    };
    items.iter().map(table).collect()
}

impl Reader {
    fn service(&mut self, table: &DeTable<'_>, at: usize) -> Result<(), Wrong> {
        let (mut name, mut host) = (String::new(), String::new());
        Walk { table }.each(&["name", "host"], |key, value, at| {
            let slot = if key == "name" { &mut name } else { &mut host };
            text(key, value, at).map(|text| text.clone_into(slot))
        })?;
        if name.is_empty() {
            return Err(Wrong::new(at, "a service needs a name"));
        }
        if self.script.services.len() >= 200 {
            return Err(Wrong::new(at, "a scenario has at most 200 services"));
        }
        if self.services.insert(name.clone(), self.script.services.len()).is_some() {
            return Err(Wrong::new(at, format_args!("there are two services '{name}'")));
        }
        let host = if host.is_empty() { format!("{name}-host") } else { host };
        self.script.services.push((name, host));
        Ok(())
    }

    fn name(&mut self, table: &DeTable<'_>, at: usize) -> Result<(), Wrong> {
        let mut name = None;
        Walk { table }.all(|key, value, at| {
            if key == "name" {
                name = Some(text(key, value, at)?.to_owned());
            }
            Ok(())
        })?;
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| Wrong::new(at, "an operation needs a name"))?;
        if self.operations.insert(name.clone(), self.places.len()).is_some() {
            return Err(Wrong::new(at, format_args!("there are two operations '{name}'")));
        }
        self.places.push(at);
        Ok(())
    }

    fn faults(&mut self, value: &DeValue<'_>, at: usize) -> Result<(), Wrong> {
        for word in texts("faults", value, at)? {
            let (name, rate) = word.split_once('=').unwrap_or((&word, "1"));
            let fault = Fault::named(name).ok_or_else(|| {
                let known = Fault::ALL.iter().map(|fault| fault.kind().name);
                Wrong::new(at, format_args!("there is no fault '{name}'{}", meant_of(name, known)))
            })?;
            let rate = parts(rate)
                .ok_or_else(|| Wrong::new(at, format_args!("'{rate}' is no part of one (like 0.1 or 10%)")))?;
            self.script.faults.push(Wanted { fault, rate });
        }
        Ok(())
    }

    fn operation(&mut self, table: &DeTable<'_>) -> Result<(), Wrong> {
        let mut operation = Operation { kind: 1, error: "failed".to_owned(), ..Operation::default() };
        let mut rooted = None;
        let keys = ["name", "service", "kind", "duration", "weight", "error_rate", "error", "attributes", "child"];
        Walk { table }.each(&keys, |key, value, at| {
            match key {
                "name" => text(key, value, at)?.clone_into(&mut operation.name),
                "service" => operation.service = self.known(&self.services, "service", text(key, value, at)?, at)?,
                "kind" => operation.kind = kind(key, value, at)?,
                "duration" => operation.duration = duration(text(key, value, at)?, at)?,
                "weight" => rooted = Some(number(key, value, at)?.min(1_000_000)),
                "error_rate" => operation.error_rate = part(key, value, at)?,
                "error" => text(key, value, at)?.clone_into(&mut operation.error),
                "attributes" => operation.attributes = attributes(value, at)?,
                _ => {
                    let calls = tables(key, value, at)?.into_iter().map(|(table, at)| self.child(table, at));
                    operation.children = calls.collect::<Result<_, _>>()?;
                }
            }
            Ok(())
        })?;
        // Nobody said how often: what no other operation calls begins traces.
        operation.weight = rooted.unwrap_or(u64::MAX);
        self.script.operations.push(operation);
        Ok(())
    }

    fn known(&self, names: &BTreeMap<String, usize>, what: &str, name: &str, at: usize) -> Result<usize, Wrong> {
        names.get(name).copied().ok_or_else(|| {
            let meant = meant_of(name, names.keys().map(String::as_str));
            Wrong::new(at, format_args!("there is no {what} '{name}'{meant}"))
        })
    }

    fn child(&self, table: &DeTable<'_>, at: usize) -> Result<Child, Wrong> {
        let mut child =
            Child { operation: usize::MAX, times: (1, 1), chance: 1_000_000, parallel: false, detached: false };
        Walk { table }.each(&["operation", "times", "chance", "parallel", "detached"], |key, value, at| {
            match key {
                "operation" => {
                    child.operation = self.known(&self.operations, "operation", text(key, value, at)?, at)?
                }
                "times" => child.times = times(key, value, at)?,
                "chance" => child.chance = part(key, value, at)?,
                "parallel" => child.parallel = flag(key, value, at)?,
                _ => child.detached = flag(key, value, at)?,
            }
            Ok(())
        })?;
        if child.operation == usize::MAX { Err(Wrong::new(at, "a child needs an operation")) } else { Ok(child) }
    }

    fn finish(mut self) -> Result<Script, Wrong> {
        let called: Vec<usize> = self
            .script
            .operations
            .iter()
            .flat_map(|operation| &operation.children)
            .map(|child| child.operation)
            .collect();
        for (at, operation) in self.script.operations.iter_mut().enumerate().filter(|(_, o)| o.weight == u64::MAX) {
            operation.weight = u64::from(!called.contains(&at));
        }
        if !self.script.operations.iter().any(|operation| operation.weight > 0) {
            return Err(Wrong::new(0, "no trace can begin: give an operation that nobody calls, or one with a weight"));
        }
        let spans = Spans::new(&self.script).all();
        match spans {
            Ok(()) => Ok(self.script),
            Err((at, what)) => Err(Wrong::new(self.places.get(at).copied().unwrap_or(0), what)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::Lasting;

    const SHOP: &str = r#"
faults = ["secret=10%"]

[[service]]
name = "shop"

[[service]]
name = "stock"

[[operation]]
name = "POST /orders"
service = "shop"
kind = "server"
duration = "20ms"
error_rate = 0.05
error = "payment declined"

[operation.attributes]
"http.request.method" = "POST"
"order.id" = { int = [1000, 9999] }
"customer" = { uuid = "customer-" }
"city" = { pick = ["Bern", "Chur"] }
"ratio" = { double = [0.0, 1.5] }
"vip" = { chance = "20%" }

[[operation.child]]
operation = "reserve"
times = [1, 3]
parallel = true

[[operation]]
name = "reserve"
service = "stock"
duration = "2ms..9ms"
"#;

    #[test]
    fn a_scenario_is_read_whole() {
        let script = parse(SHOP).unwrap();
        assert_eq!(script.services.len(), 2);
        let [order, reserve] = script.operations.as_slice() else { panic!() };
        assert_eq!((order.weight, reserve.weight), (1, 0), "what nobody calls begins traces");
        assert_eq!((order.kind, order.error_rate, order.attributes.len()), (2, 50_000, 6));
        assert_eq!((order.children[0].operation, order.children[0].times), (1, (1, 3)));
        assert_eq!(reserve.duration, Lasting::Between(2_000_000, 9_000_000));
        assert_eq!(script.faults.len(), 1);
    }

    fn wrong(from: &str, to: &str) -> String {
        let text = SHOP.replace(from, to);
        assert_ne!(text, SHOP);
        let wrong = parse(&text).unwrap_err();
        format!("{}: {}", line_of(&text, wrong.at), wrong.what)
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(wrong("kind =", "kin ="), "13: there is no setting 'kin' here (did you mean 'kind'?)");
        assert_eq!(
            wrong("service = \"stock\"", "service = \"stok\""),
            "33: there is no service 'stok' (did you mean 'stock'?)"
        );
        assert!(wrong("\"server\"", "\"sever\"").contains("did you mean 'server'?"));
        assert!(wrong("\"20ms\"", "\"fast\"").contains("is not a duration"));
        assert!(wrong("secret=10%", "secrt").contains("did you mean 'secret'?"));
        assert!(wrong("[1000, 9999]", "[9, 1]").contains("the smaller one first"));
        assert!(wrong("0.05", "5").contains("a part of one"));
        assert!(wrong("name = \"reserve\"", "name = \"POST /orders\"").contains("two operations"));
        assert!(wrong("[1, 3]", "[1, 300000]").contains("up to 10000"));
    }

    #[test]
    fn circles_and_explosions_are_refused() {
        let circle = format!("{SHOP}\n[[operation.child]]\noperation = \"POST /orders\"\n");
        assert!(parse(&circle.replace("kind = \"server\"", "weight = 1")).unwrap_err().what.contains("calls itself"));
        let many = SHOP.replace("[1, 3]", "10000").replace(
            "name = \"reserve\"",
            "name = \"reserve\"\n[[operation.child]]\noperation = \"leaf\"\ntimes = 50\n",
        );
        let many = format!("{many}\n[[operation]]\nname = \"leaf\"\n");
        assert!(parse(&many).is_err());
    }
}
