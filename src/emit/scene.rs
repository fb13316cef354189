//! Plays a scenario of somebody's own.
//!
//! Comes in: a script and a sheet. Goes out: the spans of one trace. Operations call each other no deeper than there are operations.

use super::cast::SCRIPT;
use super::chance::{Chance, WHOLE};
use super::script::{Child, Fixed, Generator, Lasting, Operation, Script};
use super::sheet::{Attr, Datum, Event, Handle, Part, Sheet, Word, number};
use super::words::findings;

/// A trace of a script while it is played.
pub(super) struct Scene<'s> {
    script: &'s Script,
    sheet: &'s mut Sheet,
    /// What the whole trace shares.
    shared: Vec<Datum>,
    /// The last span of each operation.
    last: Vec<Option<Handle>>,
    /// The trace before, and the span that it began with.
    before: Option<(u128, u64)>,
}

/// A span that has been played.
struct Played {
    span: Handle,
    /// When it ended, by the clock that is right.
    end: u64,
    failed: bool,
}

/// Nanoseconds between one thing and the next.
const BETWEEN: u64 = 20_000;

impl<'s> Scene<'s> {
    /// A trace of this script.
    pub(super) fn new(script: &'s Script, sheet: &'s mut Sheet, before: Option<(u128, u64)>) -> Self {
        sheet.scope = SCRIPT;
        Self { script, sheet, shared: Vec::new(), last: vec![None; script.operations.len()], before }
    }

    /// Plays it from this time on.
    pub(super) fn play(mut self, now: u64) {
        let script = self.script;
        for (_, generator) in &script.shared {
            let value = self.value(generator);
            self.shared.push(value);
        }
        let total = script.operations.iter().map(|operation| operation.weight).sum();
        let mut draw = self.sheet.chance.below(total);
        let root = script.operations.iter().position(|operation| {
            let chosen = draw < operation.weight;
            draw = draw.saturating_sub(operation.weight);
            chosen
        });
        if let Some(played) = root.and_then(|root| self.operate(None, root, now)) {
            self.sheet
                .with(played.span, |span| span.part = if span.part == Part::Other { Part::Root } else { span.part });
        }
    }

    /// Does an operation.
    fn operate(&mut self, parent: Option<Handle>, at: usize, now: u64) -> Option<Played> {
        let script = self.script;
        let operation = script.operations.get(at)?;
        let skew = script.services.get(operation.service).map_or(0, |service| service.skew);
        let span = self.begin(parent, operation, now.saturating_add_signed(skew));
        let own = operation.duration.draw(&mut self.sheet.chance);
        let cancelled = self.sheet.chance.happens(operation.cancel_rate);
        let mut failed = self.sheet.chance.happens(operation.error_rate) && !cancelled;
        // Half of its own work comes before the calls, half after them.
        let mut clock = now + own / 2;
        let mut broken = false;
        // What is cancelled calls nobody any more.
        for child in operation.children.iter().filter(|child| !child.detached && !cancelled) {
            let (end, fails) = self.call(span, child, clock);
            (clock, broken) = (end, broken || fails);
        }
        let end = clock + if cancelled { own / 8 } else { own - own / 2 };
        let local = end.saturating_add_signed(skew);
        failed |= broken;
        self.sheet.close(span, local, if failed { number::ERROR } else { number::UNSET });
        if cancelled {
            self.cancel(span, operation, local);
        } else if failed {
            self.fail(span, operation, local, broken);
        }
        self.happen(span, operation);
        if let Some(slot) = self.last.get_mut(at) {
            *slot = Some(span);
        }
        for child in operation.children.iter().filter(|child| child.detached && !cancelled) {
            self.call(span, child, end + BETWEEN);
        }
        Some(Played { span, end, failed })
    }

    /// Opens the span of an operation, with all that it says.
    fn begin(&mut self, parent: Option<Handle>, operation: &Operation, at: u64) -> Handle {
        self.sheet.service = u8::try_from(operation.service).unwrap_or(0);
        let name = self.sheet.say(&operation.name);
        let span = self.sheet.open(parent, name, at);
        let above = parent.and_then(|parent| self.sheet.spans.get(parent.0));
        let remote = above.is_some_and(|above| above.service != self.sheet.service);
        self.sheet.with(span, |span| (span.kind, span.remote) = (operation.kind, remote));
        let attributes = self.attributes(&operation.attributes);
        let part = attributes.iter().find_map(|attribute| self.part(attribute)).unwrap_or_default();
        self.sheet.with(span, |span| (span.attributes, span.part) = (attributes, part));
        for link in &operation.links {
            let known = match link.operation {
                Some(operation) => self.last.get(operation).copied().flatten(),
                None => None,
            };
            let same = known.map(|span| (self.sheet.trace, self.sheet.id(span)));
            let Some(to) = same.or(self.before.filter(|_| link.operation.is_none())) else { continue };
            let attributes = self.attributes(&link.attributes);
            self.sheet.link(span, to, &[]);
            self.sheet.with(span, |span| {
                span.links.iter_mut().rev().take(1).for_each(|link| link.attributes.clone_from(&attributes));
            });
        }
        span
    }

    /// What a span is in an agent's run, by what it says about it: faults look for it.
    fn part(&self, attribute: &Attr) -> Option<Part> {
        if self.sheet.read(attribute.key) != "gen_ai.operation.name" {
            return None;
        }
        let Datum::Text(word) = attribute.value else { return None };
        match self.sheet.read(word) {
            "chat" | "text_completion" | "generate_content" => Some(Part::Llm),
            "execute_tool" => Some(Part::Tool),
            "invoke_agent" => Some(Part::Agent),
            _ => None,
        }
    }

    fn attributes(&mut self, made: &[(String, Generator)]) -> Vec<Attr> {
        made.iter().map(|(key, generator)| Attr { key: self.sheet.say(key), value: self.value(generator) }).collect()
    }

    /// Calls another operation; when all of it has ended, and whether that is a failure of the caller too.
    fn call(&mut self, parent: Handle, child: &Child, now: u64) -> (u64, bool) {
        if !self.sheet.chance.happens(child.chance) {
            return (now, false);
        }
        let times = self.sheet.chance.within(child.times.0, child.times.1);
        let (mut clock, mut done, mut failed) = (now, now, false);
        for _ in 0..times {
            let Some(played) = self.operate(Some(parent), child.operation, clock + BETWEEN) else { break };
            done = done.max(played.end);
            failed |= child.required && played.failed;
            if !child.parallel {
                clock = played.end;
            }
        }
        (done, failed)
    }

    /// It fails: what it says then, and the exception, unless that came from below.
    fn fail(&mut self, span: Handle, operation: &Operation, end: u64, passed: bool) {
        let (class, message) = &operation.error;
        let (class, message) = (self.sheet.say(class), self.sheet.say(message));
        let said = self.sheet.join(&[class, ": ".into(), message]);
        self.sheet.with(span, |span| span.message = said);
        self.sheet.set(span, "error.type", class);
        let more = self.attributes(&operation.on_error);
        for attribute in more {
            let key = self.sheet.read(attribute.key).to_owned();
            let known = self
                .sheet
                .spans
                .get(span.0)
                .and_then(|found| found.attributes.iter().position(|known| self.sheet.read(known.key) == key));
            self.sheet.with(span, |span| match known.and_then(|at| span.attributes.get_mut(at)) {
                Some(known) => known.value = attribute.value,
                None => span.attributes.push(attribute),
            });
        }
        if !passed {
            self.exception(span, end, (class, message), &[]);
        }
    }

    /// It is cancelled: by somebody who says so, or by nobody knows whom.
    fn cancel(&mut self, span: Handle, operation: &Operation, end: u64) {
        if operation.cancel_expected {
            return self.sheet.event(span, end, "stop_reason", &[("stop_reason", "cancelled".into())]);
        }
        self.sheet.with(span, |span| span.status = number::ERROR);
        let name = self.sheet.say(&operation.name);
        let task = self.sheet.join(&["task:".into(), name]);
        let context =
            [("task.name", task.into()), ("function.name", name.into()), ("cancellation.timestamp", Datum::from(end))];
        self.exception(span, end, ("asyncio.CancelledError".into(), Word::default()), &context);
    }

    fn exception(&mut self, span: Handle, at: u64, (class, message): (Word, Word), more: &[(&'static str, Datum)]) {
        let name = self.sheet.spans.get(span.0).map(|span| span.name).unwrap_or_default();
        let stack = self.sheet.join(&[
            "Traceback (most recent call last):\n  in ".into(),
            name,
            "\n".into(),
            class,
            ": ".into(),
            message,
            "\n".into(),
        ]);
        let usual = [
            ("exception.type", class.into()),
            ("exception.message", message.into()),
            ("exception.stacktrace", stack.into()),
            ("exception.escaped", "False".into()),
        ];
        self.sheet.event(span, at, "exception", &[&usual[..], more].concat());
    }

    /// The events of a span that has ended.
    fn happen(&mut self, span: Handle, operation: &Operation) {
        let (start, end) = self.sheet.spans.get(span.0).map_or((0, 0), |span| (span.start, span.end));
        for event in &operation.events {
            let part = u128::from(end.saturating_sub(start)) * u128::from(event.at) / u128::from(WHOLE);
            let time = start + u64::try_from(part).unwrap_or(0);
            let (name, attributes) = (self.sheet.say(&event.name), self.attributes(&event.attributes));
            self.sheet.with(span, |span| span.events.push(Event { time, name, attributes }));
        }
        self.sheet.with(span, |span| span.events.sort_by_key(|event| event.time));
    }

    fn value(&mut self, generator: &Generator) -> Datum {
        let sheet = &mut *self.sheet;
        let word = match generator {
            Generator::Fixed(fixed) => return given(fixed, sheet),
            Generator::Chance(parts) => return Datum::Bool(sheet.chance.happens(*parts)),
            Generator::IntBetween(low, high) => return Datum::Int(between(&mut sheet.chance, *low, *high)),
            Generator::MilliBetween(low, high) => return Datum::Milli(between(&mut sheet.chance, *low, *high)),
            Generator::Shared(at) => return self.shared.get(*at).copied().unwrap_or(Datum::Bool(false)),
            Generator::Pick(choices) => {
                let at = usize::try_from(sheet.chance.below(choices.len() as u64)).unwrap_or(0);
                return choices.get(at).map_or(Datum::Text(Word::default()), |choice| given(choice, sheet));
            }
            Generator::Listed(all) => {
                let all: Vec<Datum> = all.iter().map(|one| given(one, sheet)).collect();
                return self.list(&all);
            }
            Generator::List(each, times) => {
                let times = sheet.chance.within(times.0, times.1);
                let all: Vec<Datum> = (0..times).map(|_| self.value(each)).collect();
                return self.list(&all);
            }
            Generator::Uuid(prefix) => sheet.uuid(prefix),
            Generator::Words(bytes) => {
                let mut chance = Chance::new(sheet.chance.next(), 0);
                sheet.write(|out| findings(&mut chance, *bytes, out))
            }
        };
        Datum::Text(word)
    }

    /// A list of values, as JSON.
    fn list(&mut self, all: &[Datum]) -> Datum {
        let json = |datum: &Datum| match datum {
            Datum::Text(word) => serde_json::Value::from(self.sheet.read(*word)).to_string(),
            Datum::Int(number) => number.to_string(),
            Datum::Milli(number) => {
                let (sign, number) = (if *number < 0 { "-" } else { "" }, number.unsigned_abs());
                format!("{sign}{}.{:03}", number / 1_000, number % 1_000)
            }
            Datum::Bool(yes) => yes.to_string(),
            Datum::List(word) => self.sheet.read(*word).to_owned(),
        };
        let all: Vec<String> = all.iter().map(json).collect();
        Datum::List(self.sheet.word(format_args!("[{}]", all.join(","))))
    }
}

fn given(fixed: &Fixed, sheet: &mut Sheet) -> Datum {
    match fixed {
        Fixed::Text(text) => Datum::Text(sheet.say(text)),
        Fixed::Int(number) => Datum::Int(*number),
        Fixed::Milli(number) => Datum::Milli(*number),
        Fixed::Bool(yes) => Datum::Bool(*yes),
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

fn between(chance: &mut Chance, low: i64, high: i64) -> i64 {
    low.saturating_add_unsigned(chance.below(high.abs_diff(low).saturating_add(1)))
}
