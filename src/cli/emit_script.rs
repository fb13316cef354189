//! Reads scenario files.
//!
//! Comes in: a TOML file. Goes out: a checked [`Script`]: every name it uses is known, every number in its limits, no operation
//! calls itself, not even through others. What is wrong is reported with its line and column.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::config::{line_of, read_text};
use super::emit_circle::{Tangle, heaviest};
use super::emit_operation::{KEYS, operation};
use super::emit_value::{Shared, attributes, constants, skew};
use super::error::{Error, Problem};
use super::lint_walk::{Walk, Wrong, text, texts};
use super::nearest::meant_of;
use crate::emit::{Fault, Script, Service, Wanted, parts};

/// A scenario that shows everything there is.
pub(super) const EXAMPLE: &str = include_str!("../../testdata/scenario.toml");

/// Reads a scenario file.
pub(super) fn read_script(path: &Path) -> Result<Script, Error> {
    let text = read_text(path).map_err(|source| Problem::NoScenario { path: path.to_owned(), source })?;
    let wrong = |wrong: Wrong| {
        let place = format!("{}:{}", path.display(), place(&text, wrong.at));
        Problem::Scenario { place, message: wrong.what }
    };
    Ok(parse(&text).map_err(wrong)?)
}

/// The line and column of a byte, both counted from 1.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    format!("{}:{}", line_of(text, at), column + 1)
}

fn parse(text: &str) -> Result<Script, Wrong> {
    let table = DeTable::parse(text)
        .map_err(|error| Wrong::new(error.span().map_or(0, |span| span.start), error.message().replace('\n', ", ")))?;
    let mut reader = Reader::default();
    let walk = Walk { table: table.get_ref() };
    // Names first, so that they can be used before they are described.
    walk.each(&["service", "operation", "shared", "faults"], |key, value, at| match key {
        "service" => tables(key, value, at)?.into_iter().try_for_each(|(table, at)| reader.service(table, at)),
        "operation" => tables(key, value, at)?.into_iter().try_for_each(|(table, at)| reader.name(table, at)),
        "shared" => reader.shared(key, value, at),
        _ => reader.faults(value, at),
    })?;
    if reader.script.services.is_empty() {
        return Err(Wrong::new(0, "a scenario needs a [[service]] with a name"));
    }
    walk.all(|key, value, at| match key {
        "operation" => tables(key, value, at)?.into_iter().try_for_each(|(table, _)| {
            let (operation, calls) = operation(table, &reader.names)?;
            reader.script.operations.push(operation);
            reader.calls.push(calls);
            Ok(())
        }),
        _ => Ok(()),
    })?;
    reader.finish()
}

/// What other parts of the file may use, with its place.
#[derive(Default)]
pub(super) struct Names {
    /// Services.
    pub(super) services: BTreeMap<String, usize>,
    /// Operations.
    pub(super) operations: BTreeMap<String, usize>,
    /// Shared values.
    pub(super) shared: Shared,
}

impl Names {
    /// The place of a name.
    pub(super) fn find(names: &BTreeMap<String, usize>, what: &str, name: &str, at: usize) -> Result<usize, Wrong> {
        names.get(name).copied().ok_or_else(|| {
            let meant = meant_of(name, names.keys().map(String::as_str));
            Wrong::new(at, format_args!("there is no {what} '{name}'{meant}"))
        })
    }
}

#[derive(Default)]
struct Reader {
    script: Script,
    names: Names,
    /// Where operations stand in the file.
    places: Vec<usize>,
    /// Where each of their calls does.
    calls: Vec<Vec<usize>>,
}

/// The tables of a list of tables, with where each stands.
pub(super) fn tables<'t>(key: &str, value: &'t DeValue<'t>, at: usize) -> Result<Vec<(&'t DeTable<'t>, usize)>, Wrong> {
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
        let mut service = Service::default();
        Walk { table }.each(&["name", "host", "clock_skew", "resource"], |key, value, at| {
            match key {
                "name" => text(key, value, at)?.clone_into(&mut service.name),
                "host" => text(key, value, at)?.clone_into(&mut service.host),
                "clock_skew" => service.skew = skew(text(key, value, at)?, at)?,
                _ => service.attributes = constants(key, value, at)?,
            }
            Ok(())
        })?;
        if service.name.is_empty() {
            return Err(Wrong::new(at, "a service needs a name"));
        }
        if self.script.services.len() >= 200 {
            return Err(Wrong::new(at, "a scenario has at most 200 services"));
        }
        if self.names.services.insert(service.name.clone(), self.script.services.len()).is_some() {
            return Err(Wrong::new(at, format_args!("there are two services '{}'", service.name)));
        }
        if service.host.is_empty() {
            service.host = format!("{}-host", service.name);
        }
        self.script.services.push(service);
        Ok(())
    }

    fn name(&mut self, table: &DeTable<'_>, at: usize) -> Result<(), Wrong> {
        let mut name = None;
        Walk { table }.each(&KEYS, |key, value, at| {
            if key == "name" {
                name = Some(text(key, value, at)?.to_owned());
            }
            Ok(())
        })?;
        let name = name.filter(|name| !name.is_empty()).ok_or_else(|| Wrong::new(at, "an operation needs a name"))?;
        if self.places.len() >= 1_000 {
            return Err(Wrong::new(at, "a scenario has at most 1000 operations"));
        }
        if self.names.operations.insert(name.clone(), self.places.len()).is_some() {
            return Err(Wrong::new(at, format_args!("there are two operations '{name}'")));
        }
        self.places.push(at);
        Ok(())
    }

    fn shared(&mut self, key: &str, value: &DeValue<'_>, at: usize) -> Result<(), Wrong> {
        self.script.shared = attributes(key, value, at, &Shared::new())?;
        self.names.shared = self.script.shared.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        Ok(())
    }

    fn faults(&mut self, value: &DeValue<'_>, at: usize) -> Result<(), Wrong> {
        for word in texts("faults", value, at)? {
            let (name, rate) = word.split_once('=').unwrap_or((&word, "1"));
            let fault = Fault::named(name).ok_or_else(|| {
                let known = Fault::ALL.iter().map(|fault| fault.kind().name);
                Wrong::new(at, format_args!("there is no fault '{name}'{}", meant_of(name, known)))
            })?;
            if fault.is_of_run() {
                return Err(Wrong::new(at, of_run(fault)));
            }
            let rate = parts(rate)
                .ok_or_else(|| Wrong::new(at, format_args!("'{rate}' is no part of one (like 0.1 or 10%)")))?;
            self.script.faults.push(Wanted { fault, rate });
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Script, Wrong> {
        let operations = &mut self.script.operations;
        let called: Vec<usize> =
            operations.iter().flat_map(|operation| &operation.children).map(|child| child.operation).collect();
        for (at, operation) in operations.iter_mut().enumerate().filter(|(_, o)| o.weight == u64::MAX) {
            operation.weight = u64::from(!called.contains(&at));
        }
        match heaviest(&self.script) {
            Ok(heaviest) => self.script.heaviest = heaviest,
            Err(tangle) => {
                let place = match &tangle {
                    Tangle::Circle(at, child, _) => self.calls.get(*at).and_then(|calls| calls.get(*child)),
                    Tangle::Explosion(at, _) => self.places.get(*at),
                };
                return Err(Wrong::new(place.copied().unwrap_or(0), tangle.words(&self.script)));
            }
        }
        if !self.script.operations.iter().any(|operation| operation.weight > 0) {
            return Err(Wrong::new(0, "no trace can begin: give an operation that nobody calls, or one with a weight"));
        }
        Ok(self.script)
    }
}

/// Why a fault cannot be applied to a scenario.
fn of_run(fault: Fault) -> String {
    let name = fault.kind().name;
    format!("the fault '{name}' changes what a built-in agent does; a scenario file says itself what happens")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::{Fixed, Lasting};

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
        assert_eq!(order.error, ("_OTHER".to_owned(), "payment declined".to_owned()));
        assert_eq!((order.children[0].operation, order.children[0].times), (1, (1, 3)));
        assert_eq!(reserve.duration, Lasting::Between(2_000_000, 9_000_000));
        assert_eq!((script.faults.len(), script.heaviest), (1, 4));
    }

    #[test]
    fn the_example_has_everything() {
        let script = parse(EXAMPLE).unwrap();
        for key in KEYS.iter().chain(&["clock_skew", "resource", "shared", "faults", "required", "detached", "list"]) {
            assert!(EXAMPLE.contains(key), "{key}");
        }
        let said: Vec<&str> = EXAMPLE.lines().filter(|line| line.starts_with('"')).collect();
        assert!(said.iter().any(|line| line.contains("= true")) && said.iter().any(|line| line.contains("= 3")));
        assert!(script.services.iter().any(|service| {
            service.skew != 0 && service.attributes.iter().any(|(_, value)| matches!(value, Fixed::Int(_)))
        }));
    }

    fn wrong(from: &str, to: &str) -> String {
        let text = SHOP.replacen(from, to, 1);
        assert_ne!(text, SHOP);
        let wrong = parse(&text).unwrap_err();
        format!("{}: {}", place(&text, wrong.at), wrong.what)
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(wrong("kind =", "kin ="), "13:1: there is no setting 'kin' here (did you mean 'kind'?)");
        assert_eq!(
            wrong("name = \"POST", "nme = \"POST"),
            "11:1: there is no setting 'nme' here (did you mean 'name'?)"
        );
        assert_eq!(
            wrong("service = \"stock\"", "service = \"stok\""),
            "33:1: there is no service 'stok' (did you mean 'stock'?)"
        );
        assert!(wrong("\"server\"", "\"sever\"").contains("did you mean 'server'?"));
        assert!(wrong("\"20ms\"", "\"fast\"").contains("is not a duration"));
        assert!(wrong("secret=10%", "secrt").contains("did you mean 'secret'?"));
        assert!(wrong("secret=10%", "call-cycle").contains("what a built-in agent does"));
        assert!(wrong("[1000, 9999]", "[9, 1]").contains("the smaller one first"));
        assert!(wrong("0.05", "5").contains("a part of one"));
        assert!(wrong("0.05", "0.00000001").contains("a millionth"));
        assert!(wrong("error_rate", "weight = 1.5\nerror_rate").contains("'weight' has to be a whole number"));
        assert!(wrong("name = \"reserve\"", "name = \"POST /orders\"").contains("two operations"));
        assert!(wrong("[1, 3]", "[1, 300000]").contains("up to 10000"));
        assert!(wrong("\"payment declined\"", "7").contains("a text"));
    }

    #[test]
    fn circles_and_explosions_are_refused() {
        let circle = format!("{SHOP}\n[[operation.child]]\noperation = \"POST /orders\"\n");
        let circle = circle.replace("kind = \"server\"", "weight = 1");
        let wrong = parse(&circle).unwrap_err();
        assert_eq!(wrong.what, "'POST /orders' calls itself: POST /orders -> reserve -> POST /orders");
        assert!(
            circle[wrong.at..].starts_with("[[operation.child]]\noperation = \"POST"),
            "{}",
            place(&circle, wrong.at)
        );
        let many = SHOP.replace("[1, 3]", "10000").replace(
            "name = \"reserve\"",
            "name = \"reserve\"\n[[operation.child]]\noperation = \"leaf\"\ntimes = 50\n",
        );
        let many = format!("{many}\n[[operation]]\nname = \"leaf\"\n");
        assert!(parse(&many).is_err());
    }
}
