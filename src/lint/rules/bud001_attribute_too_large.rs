//! BUD001: attribute values and keys over the budget.
//!
//! Comes in: the attributes of a span, its events and links, or of a resource. Goes out: one fact a value or key.

use super::sizes::{against, body_chars, budget, raw_len, value_bytes, value_chars};
use crate::lint::budget::Cell;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::{Fix, Unit};
use crate::lint::look::{ResourceLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::otlp::RawAttribute;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD001",
    name: "attribute-too-large",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "An attribute's value or key is larger than the budget allows",
    why: "Backends cut or drop the value, or refuse the span.",
    when: "",
    bad: "parameter.blocks holds 3.1 MiB",
    good: "parameter.blocks holds at most 2 MiB",
    limits: &LIMITS,
    unit: Some(Unit::Bytes),
    source: "letta 0.16.8 MAX_PARAM_SIZE; limits of the named budgets",
    url: "https://github.com/letta-ai/letta/blob/0.16.8/letta/otel/tracing.py",
    check: Check { span: Some(check), resource: Some(check_resource), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 5] = [
    Limit { key: "attr_value", default: Preset::Budget, unit: Some(Unit::Bytes), about: "bytes of a value" },
    Limit { key: "attr_value_chars", default: Preset::Budget, unit: Some(Unit::Chars), about: "characters of a value" },
    Limit { key: "attr_key", default: Preset::Budget, unit: Some(Unit::Bytes), about: "bytes of a key" },
    Limit { key: "attr_key_chars", default: Preset::Budget, unit: Some(Unit::Chars), about: "characters of a key" },
    Limit::words("exempt", &[], "keys whose values may be as long as they are"),
];
const EXEMPT: usize = 4;

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let bounds = Bounds::of(look.forgives_cuts(), look.words(EXEMPT), |cell| look.bound(cell));
    let span = look.span;
    bounds.judge("value", span.attributes(), sink);
    for event in &span.events {
        bounds.judge("event value", span.pooled(&event.attributes), sink);
    }
    for link in &span.links {
        bounds.judge("link value", span.pooled(&link.attributes), sink);
    }
}

fn check_resource(look: &ResourceLook<'_>, sink: &mut Sink<'_>) {
    let class = if look.is_scope { "scope value" } else { "resource value" };
    Bounds::of(look.forgives_cuts(), look.words(EXEMPT), |cell| look.bound(cell)).judge(class, look.attributes, sink);
}

struct Bounds<'w> {
    exempt: &'w [String],
    bytes: Option<u64>,
    chars: Option<u64>,
    key_bytes: Option<u64>,
    key_chars: Option<u64>,
    /// What Letta appends to a value it cut does not count.
    forgives_cuts: bool,
}

impl<'w> Bounds<'w> {
    #[inline]
    fn of(forgives_cuts: bool, exempt: &'w [String], bound: impl Fn(Cell) -> Option<u64>) -> Self {
        Self {
            exempt,
            forgives_cuts,
            bytes: bound(Cell::AttrValueBytes),
            chars: bound(Cell::AttrValueChars),
            key_bytes: bound(Cell::AttrKeyBytes),
            key_chars: bound(Cell::AttrKeyChars),
        }
    }

    #[inline]
    fn judge(&self, class: &'static str, attributes: &[RawAttribute<'_>], sink: &mut Sink<'_>) {
        let value = self.bytes.unwrap_or(u64::MAX).min(self.chars.unwrap_or(u64::MAX));
        let key = self.key_bytes.unwrap_or(u64::MAX).min(self.key_chars.unwrap_or(u64::MAX));
        for attribute in attributes {
            if raw_len(&attribute.value) as u64 > value {
                self.judge_value(class, attribute, sink);
            }
            if attribute.key.raw.len() as u64 > key {
                self.judge_key(attribute, sink);
            }
        }
    }

    #[cold]
    fn judge_value(&self, class: &'static str, attribute: &RawAttribute<'_>, sink: &mut Sink<'_>) {
        if self.exempt.iter().any(|key| attribute.key.is(key)) {
            return;
        }
        let bytes = value_bytes(&attribute.value);
        let fact = |observed, limit, cell| Fact {
            class,
            attribute: attribute.key.decode(),
            observed: Some(observed),
            limit: Some(limit),
            cell: Some(cell),
            ..Fact::default()
        };
        if let Some(limit) = self.bytes.filter(|limit| bytes > *limit) {
            sink.found(fact(bytes, limit, Cell::AttrValueBytes));
        } else if let Some(limit) = self.chars.filter(|limit| bytes > *limit) {
            let count = if self.forgives_cuts { body_chars } else { value_chars };
            let chars = count(&attribute.value);
            if chars > limit {
                sink.found(fact(chars, limit, Cell::AttrValueChars));
            }
        }
    }

    #[cold]
    fn judge_key(&self, attribute: &RawAttribute<'_>, sink: &mut Sink<'_>) {
        let measures = [
            (self.key_bytes, attribute.key.byte_len() as u64, Cell::AttrKeyBytes),
            (self.key_chars, attribute.key.char_len() as u64, Cell::AttrKeyChars),
        ];
        let over =
            measures.into_iter().find_map(|(limit, size, cell)| Some((limit.filter(|l| size > *l)?, size, cell)));
        let Some((limit, size, cell)) = over else { return };
        let attribute = attribute.key.decode().chars().take(256).collect::<String>().into();
        let (observed, limit, cell) = (Some(size), Some(limit), Some(cell));
        sink.found(Fact { class: "key", attribute, observed, limit, cell, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let (what, key) = (if told.class == "key" { "the key of " } else { "" }, told.attribute);
    let unit = told.unit.unwrap_or(Unit::Bytes);
    let (size, limit) = against(told);
    let message = format!("{what}{key} is {size}, {} allows {limit}", budget(told.preset));
    let words = Words::new(message, "cut the value before it is recorded, or keep it elsewhere and record a reference");
    if told.class == "key" {
        words
    } else {
        words.fix(Fix::TruncateAttribute { key: key.to_owned(), limit: told.limit, unit })
    }
}
