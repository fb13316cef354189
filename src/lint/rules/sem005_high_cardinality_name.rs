//! SEM005: names that are different for every span.
//!
//! Comes in: the different names of a dump. Goes out: facts about spans whose name holds an id, a number, an address or a value, and
//! about scopes in which hardly two spans have one name.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use crate::agent::{Role, statement};
use crate::capture::{NameId, SpanRef};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::{DumpLook, SpanLook};
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "SEM005",
    name: "high-cardinality-name",
    severity: Severity::Warn,
    confidence: Confidence::Proven,
    scope: Scope::Dump,
    summary: "A span name holds an id, a number, an address or a value",
    why: "Nothing can be counted by a name that occurs once, and indexes of names grow without end.",
    when: "",
    bad: "GET /v1/agents/agent-7f2c1d9e-0305-41d3-9a0c-0305e82c3301/messages",
    good: "GET /v1/agents/{agent_id}/messages",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "Instrumentation Score SPA-003; OpenTelemetry specification, span names",
    url: "https://opentelemetry.io/docs/specs/otel/trace/api/#span",
    check: Check { span: Some(check_span), dump: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 3] = [
    Limit::patterns(
        "patterns",
        &[
            "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
            r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}",
            r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s]",
            r#"(^|\W)('[^']+'|"[^"]+")"#,
            "[0-9a-fA-F]{16,}",
            "[0-9]{4,}",
        ],
        "what a name must not hold",
    ),
    Limit::number("ratio", 1, 500, Unit::Permille, "different names to spans of one scope and kind"),
    Limit::number("min_seen", 2, 50, Unit::Count, "spans of one scope and kind before that is judged"),
];

/// What the usual patterns are, in their order.
const SHAPES: [&str; 6] =
    ["a UUID", "an e-mail address", "a URL with a host", "a quoted value", "a hexadecimal id", "a number"];
/// The place of the pattern that finds numbers.
const NUMBER: usize = 5;
const CUSTOM: &str = "a pattern of yours";
const STATEMENT: &str = "the whole statement";

/// A database call that is named after its statement.
fn check_span(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    if look.glance.role != Some(Role::Db) || look.span.name.raw.len() < 8 {
        return;
    }
    let own = statement(look.span).filter(|statement| statement.raw.len() == look.span.name.raw.len());
    if own.is_some_and(|statement| statement == look.span.name) {
        sink.found(Fact { class: STATEMENT, ..Fact::default() });
    }
}

fn check(look: &DumpLook<'_>, sink: &mut Sink<'_>) {
    let shape = |name: &str| look.patterns(0).iter().position(|pattern| pattern.fits(name.as_bytes()));
    let shapes: Vec<Option<usize>> = look.capture.texts().map(shape).collect();
    let mut counts = Counts::default();
    for (span, head) in look.spans() {
        counts.add((look.capture.origin(head.origin).scope, head.marks.kind() as u8), head.name, span);
        let Some(shape) = shapes.get(head.name.0 as usize).copied().flatten() else { continue };
        // Versions of models are dates; there are few of them.
        if look.is_usual(0) && shape == NUMBER && matches!(head.marks.role(), Some(Role::Llm | Role::Embedding)) {
            continue;
        }
        let class = if look.is_usual(0) { SHAPES.get(shape).copied().unwrap_or(CUSTOM) } else { CUSTOM };
        sink.found_at(span, Fact { class, ..Fact::default() });
    }
    let (ratio, least) = (look.limit(1).unwrap_or(1000), look.limit(2).unwrap_or(u64::MAX));
    for ((scope, _), (seen, different, first)) in counts.settled() {
        if seen >= least && different * 1000 > seen * ratio {
            let note = format!("{different} different names in {seen} spans").into();
            let (observed, about) = (Some(different), look.capture.text(scope).into());
            let confidence = Some(Confidence::Likely);
            sink.found_at(first, Fact { class: "ratio", note, observed, about, confidence, ..Fact::default() });
        }
    }
}

/// A scope and a kind.
type Key = (NameId, u8);

/// How many spans there are of every scope and kind, how many different names they have, and the first of them.
#[derive(Debug, Default)]
struct Counts {
    seen: BTreeMap<Key, (u64, u64, SpanRef)>,
    names: HashSet<(Key, NameId)>,
    /// The run of spans of one scope and kind that is being counted.
    run: Option<(Key, (u64, u64, SpanRef))>,
    last: Option<NameId>,
}

impl Counts {
    fn add(&mut self, key: Key, name: NameId, span: SpanRef) {
        let is_same = self.run.is_some_and(|(last, _)| last == key);
        if !is_same {
            self.flush();
        }
        let new = !(is_same && self.last == Some(name)) && self.names.insert((key, name));
        let (_, (seen, different, _)) = self.run.get_or_insert((key, (0, 0, span)));
        *seen += 1;
        *different += u64::from(new);
        self.last = Some(name);
    }

    fn flush(&mut self) {
        let Some((key, (seen, different, span))) = self.run.take() else { return };
        let known = self.seen.entry(key).or_insert((0, 0, span));
        known.0 += seen;
        known.1 += different;
    }

    fn settled(mut self) -> BTreeMap<Key, (u64, u64, SpanRef)> {
        self.flush();
        self.seen
    }
}

fn tell(told: &Told<'_>) -> Words {
    let help = "name the operation, and put what differs into attributes";
    match told.class {
        "ratio" => Words::new(told.note.to_owned(), help),
        class => Words::new(format!("the name {:?} holds {class}", told.span_name), help),
    }
}
