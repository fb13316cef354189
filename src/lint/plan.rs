//! Settings made ready for the hot path: which checks run, and their numbers by place instead of by name.
//!
//! Comes in: settings. Goes out: what is noted of a span.

use std::sync::OnceLock;

use super::budget::{Budget, Cell, DEFAULT_PRESET};
use super::hints::Hints;
use super::look::SpanLook;
use super::note::{Notes, Sink, Subject};
use super::pattern::Pattern;
use super::rule::{Limit, LimitValue, Needs, Preset, Rule, Severity, SpanCheck};
use super::rules::RULES;
use super::settings::Settings;
use super::talk::{self, Talk};
use crate::agent::{self, Act, Glance, Role};
use crate::capture::SpanRef;
use crate::ledger::Prices;
use crate::otlp::{RawSpan, Shape, span_len};

/// The attribute by which a span asks to be left alone.
const INLINE: &str = "tracectl.lint.ignore";

/// What is put behind the type of an exception that stands for a caller who went away: its status.
pub(super) const GONE: &str = " 499";

/// The limits of one rule, in the order of its list.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    numbers: Vec<Option<u64>>,
    flags: Vec<bool>,
    words: Vec<Vec<String>>,
    patterns: Vec<Vec<Pattern>>,
    usual: Vec<bool>,
}

impl Numbers {
    #[inline]
    pub(super) fn number(&self, at: usize) -> Option<u64> {
        self.numbers.get(at).copied().flatten()
    }

    pub(super) fn flag(&self, at: usize) -> bool {
        self.flags.get(at).copied().unwrap_or(false)
    }

    pub(super) fn words(&self, at: usize) -> &[String] {
        self.words.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn patterns(&self, at: usize) -> &[Pattern] {
        self.patterns.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn is_usual(&self, at: usize) -> bool {
        self.usual.get(at).copied().unwrap_or(true)
    }
}

/// What is to be done.
pub(super) struct Plan<'s> {
    pub(super) settings: &'s Settings,
    pub(super) budget: Budget,
    bounds: [Option<u64>; Cell::ALL.len()],
    numbers: Vec<Numbers>,
    pub(super) forgives_cuts: bool,
    spans: Vec<(u8, SpanCheck)>,
    needs: Needs,
    prices: OnceLock<Prices>,
    /// The level that somebody chose for each rule.
    levels: Vec<Option<Severity>>,
}

impl<'s> Plan<'s> {
    pub(super) fn of(settings: &'s Settings) -> Self {
        let budget = budget(settings);
        let numbers = RULES.iter().map(|rule| numbers(settings, rule)).collect();
        let on = || (0u8..).zip(RULES).filter(|(_, rule)| settings.has(rule));
        let spans = on().filter_map(|(number, rule)| Some((number, rule.check.span?))).collect();
        let needs = on().map(|(_, rule)| rule.check.needs).fold(Needs::NOTHING, Needs::with);
        // No budget, no sizes.
        let needs = if budget.get(Cell::TraceBytes).is_some() { needs } else { needs.without(Needs::SIZES) };
        Self {
            bounds: Cell::ALL.map(|cell| budget.get(cell).map(|bound| bound.limit)),
            needs,
            prices: OnceLock::new(),
            levels: RULES.iter().map(|rule| settings.levels.get(rule.code).copied().flatten()).collect(),
            forgives_cuts: budget.get(Cell::AttrValueChars).is_some_and(|bound| bound.preset == DEFAULT_PRESET),
            settings,
            budget,
            numbers,
            spans,
        }
    }

    #[inline]
    pub(super) fn bound(&self, cell: Cell) -> Option<u64> {
        self.bounds.get(cell as usize).copied().flatten()
    }

    pub(super) fn numbers(&self, rule: u8) -> &Numbers {
        static NONE: Numbers = Numbers {
            numbers: Vec::new(),
            flags: Vec::new(),
            words: Vec::new(),
            patterns: Vec::new(),
            usual: Vec::new(),
        };
        self.numbers.get(usize::from(rule)).unwrap_or(&NONE)
    }

    /// What models cost and take.
    pub(super) fn prices(&self) -> &Prices {
        self.settings.prices.as_ref().unwrap_or_else(|| self.prices.get_or_init(Prices::built_in))
    }

    /// Whether a rule asks how large traces are.
    pub(super) fn wants_sizes(&self) -> bool {
        self.needs.has(Needs::SIZES)
    }

    /// The level that somebody chose for a rule.
    pub(super) fn chosen(&self, rule: u8) -> Option<Severity> {
        self.levels.get(usize::from(rule)).copied().flatten()
    }

    /// The rules in force, by number.
    pub(super) fn rules(&self) -> impl Iterator<Item = (u8, &'static Rule)> {
        (0u8..).zip(RULES).filter(|(_, rule)| self.settings.has(rule))
    }

    /// Notes what there is to note of a span.
    pub(super) fn span(
        &self,
        notes: &mut Notes,
        span: &RawSpan<'_>,
        glance: &Glance,
        act: Option<&Act<'_>>,
        number: u32,
    ) {
        let (mut known, mut doubled) = (std::mem::take(&mut notes.known), std::mem::take(&mut notes.doubled));
        let hints = Hints::of(span, &mut known, &mut doubled);
        let wanted = act.filter(|_| self.needs.has(Needs::TALK));
        let talk = wanted.and_then(|act| talk::read(span, act, hints, &mut notes.read));
        let talk = talk.as_ref();
        let numbers = self.numbers(u8::MAX);
        let mut look =
            SpanLook { span, glance, hints, known: &known, doubled: &doubled, act, talk, plan: self, numbers };
        let mut sink = Sink { notes, rule: 0, subject: Subject::Span(SpanRef(number)) };
        for (rule, check) in &self.spans {
            (look.numbers, sink.rule) = (self.numbers(*rule), *rule);
            check(&look, &mut sink);
        }
        (notes.known, notes.doubled) = (known, doubled);
        let talk = wanted.and_then(|act| Talk::of(span, act, talk, &mut notes.words, &mut notes.offers));
        notes.talks.extend(talk.map(|talk| (number, talk)));
        if glance.exception {
            note_exception(notes, span, number);
            if self.needs.has(Needs::RAISED) {
                note_raised(notes, span, number);
            }
        }
        if self.needs.has(Needs::SHAPES)
            && let Some(role @ (Role::Db | Role::Http | Role::Embedding)) = glance.role
            && let Some(shape) = agent::shape(span, role)
        {
            notes.shapes.push((number, shape));
        }
        if span.status == 2 && !glance.exception && is_silent(span) {
            notes.silent.push(number);
        }
        if self.needs.has(Needs::TARGETS)
            && (span.status == 2 || glance.role.is_some_and(is_named_alike))
            && let Some(target) = agent::target(span)
        {
            notes.targets.push((number, target));
        }
        if self.settings.inline
            && let Some(codes) = span.attribute(INLINE).and_then(|value| value.text())
        {
            notes.inline.push((number, codes.decode().into_owned()));
        }
        if self.needs.has(Needs::SIZES) {
            let size = if span.shape == Shape::OtlpProto { span.raw.len() } else { span_len(span) };
            notes.sizes.push(u32::try_from(size).unwrap_or(u32::MAX));
        }
    }
}

/// Whether spans of this role have one name for whatever they reach, so that only the target tells them apart.
pub(super) fn is_named_alike(role: Role) -> bool {
    matches!(role, Role::Http | Role::Rpc | Role::Messaging)
}

/// Whether a span says nothing about why it failed.
fn is_silent(span: &RawSpan<'_>) -> bool {
    let says = |key: &str| span.attribute(key).and_then(|value| value.text()).is_some_and(|text| !text.is_empty());
    span.message.is_empty() && !["error.type", "exception.type", "exception.message"].into_iter().any(says)
}

/// Remembers the type of an exception, or what it says where it has none.
fn note_exception(notes: &mut Notes, span: &RawSpan<'_>, number: u32) {
    let event = span.events.iter().rev().find(|event| event.name.is("exception"));
    let Some(event) = event else { return };
    let told =
        |key: &str| span.pooled(&event.attributes).iter().rev().find(|a| a.key.is(key)).and_then(|a| a.value.text());
    let kind = told("exception.type").filter(|text| !text.is_empty());
    let message = told("exception.message");
    let text = kind.or(message).map(|text| text.decode().chars().take(200).collect::<String>()).unwrap_or_default();
    // google.genai says in words that its caller went away.
    let gone =
        kind.is_some() && text.ends_with("ClientError") && message.is_some_and(|said| said.raw.starts_with(b"499 "));
    notes.exceptions.push((number, if gone { text + GONE } else { text }));
}

/// Remembers the exceptions themselves, as fingerprints.
fn note_raised(notes: &mut Notes, span: &RawSpan<'_>, number: u32) {
    let events = span.events.iter().filter(|event| event.name.is("exception"));
    notes.raised.extend(events.filter_map(|event| Some((number, agent::raised(span.pooled(&event.attributes))?))));
}

/// The budget, with the limits that somebody set for a rule.
fn budget(settings: &Settings) -> Budget {
    let mut budget = settings.budget.clone();
    for ((code, key), value) in &settings.limits {
        let rule = RULES.iter().find(|rule| rule.code == *code);
        let is_budget = rule.and_then(|rule| rule.limit(key)).is_some_and(|limit| limit.default == Preset::Budget);
        if let (true, Some(cell), LimitValue::Number(number)) = (is_budget, Cell::named(key), value) {
            budget.set(cell, *number, "");
        }
    }
    budget
}

fn numbers(settings: &Settings, rule: &Rule) -> Numbers {
    Numbers {
        numbers: rule.limits.iter().map(|limit| settings.number(rule, limit)).collect(),
        flags: rule.limits.iter().map(|limit| settings.flag(rule, limit)).collect(),
        words: rule.limits.iter().map(|limit| settings.words(rule, limit)).collect(),
        patterns: rule.limits.iter().map(|limit| patterns(settings, rule, limit)).collect(),
        usual: rule.limits.iter().map(|limit| !settings.limits.contains_key(&(rule.code, limit.key))).collect(),
    }
}

/// The regular expressions of a limit; those in settings were read once already.
fn patterns(settings: &Settings, rule: &Rule, limit: &Limit) -> Vec<Pattern> {
    match limit.default {
        Preset::Patterns(_) => settings.words(rule, limit).iter().filter_map(|word| Pattern::new(word).ok()).collect(),
        _ => Vec::new(),
    }
}
