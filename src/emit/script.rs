//! A scenario of somebody's own: services, operations, what they say and whom they call.
//!
//! Comes in: plain data that was read and checked elsewhere; operations call others by number and never in a circle. Goes out:
//! spans on a sheet.

use super::cast::SCRIPT;
use super::chance::Chance;
use super::plan::Wanted;
use super::sheet::{Attr, Datum, Handle, Part, Sheet, number};
use super::words::findings;

/// A scenario of somebody's own.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Services: names and hosts.
    pub services: Vec<(String, String)>,
    /// What they do.
    pub operations: Vec<Operation>,
    /// Faults that belong to it.
    pub faults: Vec<Wanted>,
}

/// Something that a service does.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// The span's name.
    pub name: String,
    /// The service, by number.
    pub service: usize,
    /// OTLP's number of the span's kind.
    pub kind: i32,
    /// How long it takes besides what it calls.
    pub duration: Lasting,
    /// How often a trace begins with it, against the others; 0 for never.
    pub weight: u64,
    /// How many of a million fail.
    pub error_rate: u32,
    /// What a failure says.
    pub error: String,
    /// What the span says.
    pub attributes: Vec<(String, Generator)>,
    /// Whom it calls, in this order.
    pub children: Vec<Child>,
}

/// How long something takes, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Around a median, with a tail.
    Median(u64),
    /// Anything between two.
    Between(u64, u64),
}

impl Default for Lasting {
    fn default() -> Self {
        Self::Median(10_000_000)
    }
}

/// A call of another operation.
#[derive(Clone, Debug)]
pub struct Child {
    /// Which, by number.
    pub operation: usize,
    /// How often: from, to.
    pub times: (u64, u64),
    /// In how many of a million.
    pub chance: u32,
    /// All at once.
    pub parallel: bool,
    /// Nobody waits for it: it begins when its parent has ended.
    pub detached: bool,
}

/// How a value is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Generator {
    /// Always this text.
    Text(String),
    /// Always this number.
    Int(i64),
    /// Always this number, in thousandths.
    Milli(i64),
    /// Always this.
    Bool(bool),
    /// A number from, to.
    IntBetween(i64, i64),
    /// A number from, to, in thousandths.
    MilliBetween(i64, i64),
    /// One of these.
    Pick(Vec<String>),
    /// A UUID behind this prefix.
    Uuid(String),
    /// Sentences, about so many bytes.
    Words(u64),
    /// True in so many of a million.
    Chance(u32),
}

impl Script {
    /// Names and hosts of the services.
    pub(super) fn services(&self) -> impl Iterator<Item = (&str, &str)> {
        self.services.iter().map(|(name, host)| (name.as_str(), host.as_str()))
    }

    /// Plays one trace of it.
    pub(super) fn play(&self, sheet: &mut Sheet, now: u64) {
        sheet.scope = SCRIPT;
        let total = self.operations.iter().map(|operation| operation.weight).sum();
        let mut draw = sheet.chance.below(total);
        let root = self.operations.iter().position(|operation| {
            let chosen = draw < operation.weight;
            draw = draw.saturating_sub(operation.weight);
            chosen
        });
        if let Some(root) = root {
            let (span, _) = self.operate(sheet, None, root, now);
            sheet.with(span, |span| span.part = Part::Root);
        }
    }

    /// Does an operation; when it ends.
    fn operate(&self, sheet: &mut Sheet, parent: Option<Handle>, at: usize, now: u64) -> (Handle, u64) {
        let Some(operation) = self.operations.get(at) else { return (Handle(0), now) };
        sheet.service = u8::try_from(operation.service).unwrap_or(0);
        let name = sheet.say(&operation.name);
        let span = sheet.open(parent, name, now);
        let remote =
            parent.and_then(|parent| sheet.spans.get(parent.0)).is_some_and(|above| above.service != sheet.service);
        sheet.with(span, |span| (span.kind, span.remote) = (operation.kind, remote));
        for (key, generator) in &operation.attributes {
            let attribute = Attr { key: sheet.say(key), value: generator.make(sheet) };
            sheet.with(span, |span| span.attributes.push(attribute));
        }
        let own = operation.duration.draw(&mut sheet.chance);
        // Half of its own work comes before the calls, half after them.
        let mut clock = now + own / 2;
        for child in operation.children.iter().filter(|child| !child.detached) {
            clock = self.call(sheet, span, child, clock);
        }
        let end = clock + own - own / 2;
        let failed = sheet.chance.happens(operation.error_rate);
        sheet.close(span, end, if failed { number::ERROR } else { number::UNSET });
        if failed {
            let message = sheet.say(&operation.error);
            sheet.with(span, |span| span.message = message);
        }
        for child in operation.children.iter().filter(|child| child.detached) {
            self.call(sheet, span, child, end + 20_000);
        }
        (span, end)
    }

    fn call(&self, sheet: &mut Sheet, parent: Handle, child: &Child, now: u64) -> u64 {
        if !sheet.chance.happens(child.chance) {
            return now;
        }
        let times = sheet.chance.within(child.times.0, child.times.1);
        let (mut clock, mut done) = (now, now);
        for _ in 0..times {
            let (_, end) = self.operate(sheet, Some(parent), child.operation, clock + 20_000);
            done = done.max(end);
            if !child.parallel {
                clock = end;
            }
        }
        done
    }
}

impl Lasting {
    fn draw(self, chance: &mut Chance) -> u64 {
        match self {
            Self::Median(median) => chance.lasting(median),
            Self::Between(low, high) => chance.within(low, high),
        }
    }
}

impl Generator {
    fn make(&self, sheet: &mut Sheet) -> Datum {
        let word = match self {
            Self::Int(number) => return Datum::Int(*number),
            Self::Milli(number) => return Datum::Milli(*number),
            Self::Bool(yes) => return Datum::Bool(*yes),
            Self::Chance(parts) => return Datum::Bool(sheet.chance.happens(*parts)),
            Self::IntBetween(low, high) => return Datum::Int(between(&mut sheet.chance, *low, *high)),
            Self::MilliBetween(low, high) => return Datum::Milli(between(&mut sheet.chance, *low, *high)),
            Self::Text(text) => sheet.say(text),
            Self::Uuid(prefix) => sheet.uuid(prefix),
            Self::Pick(texts) => {
                let text = sheet.chance.pick(texts).map_or("", String::as_str);
                sheet.say(text)
            }
            Self::Words(bytes) => {
                let mut chance = Chance::new(sheet.chance.next(), 0);
                sheet.write(|out| findings(&mut chance, *bytes, out))
            }
        };
        Datum::Text(word)
    }
}

fn between(chance: &mut Chance, low: i64, high: i64) -> i64 {
    low.saturating_add_unsigned(chance.below(high.abs_diff(low).saturating_add(1)))
}
