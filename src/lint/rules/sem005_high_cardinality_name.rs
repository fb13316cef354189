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

const LIMITS: [Limit; 4] = [
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
    Limit::number("min_traces", 1, 5, Unit::Count, "traces that these spans are of before that is judged"),
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
    for (key, (seen, different, first)) in counts.settled() {
        let scope = key.0;
        if seen >= least && different * 1000 > seen * ratio && has_traces(look, key) {
            let note = format!("{different} different names in {seen} spans").into();
            let (observed, about) = (Some(different), look.capture.text(scope).into());
            let confidence = Some(Confidence::Likely);
            sink.found_at(first, Fact { class: "ratio", note, observed, about, confidence, ..Fact::default() });
        }
    }
}

/// Whether the spans of a scope and kind are of so many traces that names ought to repeat: in a single trace every operation may well
/// occur once.
fn has_traces(look: &DumpLook<'_>, key: Key) -> bool {
    let least = look.limit(3).and_then(|least| usize::try_from(least).ok()).unwrap_or(usize::MAX);
    let mut traces = HashSet::new();
    look.capture.heads().any(|head| {
        if (look.capture.origin(head.origin).scope, head.marks.kind() as u8) == key {
            traces.insert(head.trace);
        }
        traces.len() >= least
    })
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::input::Options;
    use crate::lint::{Settings, lint};

    /// How often the rule speaks of spans with one scope and kind, their names and the traces they are dealt to.
    fn findings(names: &[String], traces: usize) -> u64 {
        let mut spans = String::new();
        for (at, name) in names.iter().enumerate() {
            let trace = 1 + at % traces;
            let comma = if at > 0 { "," } else { "" };
            write!(
                spans,
                r#"{comma}{{"traceId":"{trace:032x}","spanId":"{:016x}","name":"{name}","kind":1,"startTimeUnixNano":"1754000000000000000","endTimeUnixNano":"1754000000010000000"}}"#,
                at + 1
            )
            .unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let dump = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"scope":{{"name":"s"}},"spans":[{spans}]}}]}}]}}"#);
        std::fs::write(file.path(), dump).unwrap();
        let inputs = [file.path().to_string_lossy().into_owned()];
        let linted = lint(&inputs, &Options::default(), &Settings::default(), &mut |_| ()).unwrap();
        linted.report.by_rule.get("SEM005").copied().unwrap_or(0)
    }

    #[test]
    fn names_have_to_repeat_over_several_traces() {
        let name = |at: usize| ["load", "save", "find", "send"].map(|verb| format!("{verb} {}", "x".repeat(at)));
        let different: Vec<String> = (0..15).flat_map(name).collect();
        assert_eq!(findings(&different, 5), 1);
        assert_eq!(findings(&different, 4), 0, "a few traces may do everything once");
        assert_eq!(findings(&different[..40], 5), 0, "40 spans say little");
        let repeated: Vec<String> = (0..60).map(|at| different[at % 30].clone()).collect();
        assert_eq!(findings(&repeated, 5), 0, "half of the names repeat");
    }
}
