//! TRE002: a root that is a child nearly everywhere else.
//!
//! Comes in: all spans. Goes out: one fact a span that lost its context.

use std::collections::BTreeMap;

use crate::capture::{Head, NameId, SpanRef};
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::DumpLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::query::name_glob;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "TRE002",
    name: "disconnected-root",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Dump,
    summary: "A root span has the name of spans that are children elsewhere",
    why: "Its context was lost: the work is missing from the trace it belongs to.",
    when: "",
    bad: "MessageManager.create_many is a root in one trace, a child in 41",
    good: "it is a child in all of them",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "own; background tasks that lose their context",
    url: "https://opentelemetry.io/docs/concepts/context-propagation/",
    check: Check { dump: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 3] = [
    Limit {
        key: "child_ratio",
        default: Preset::Least(1, 800),
        unit: Some(Unit::Permille),
        about: "part of the other occurrences that are children",
    },
    Limit {
        key: "min_seen",
        default: Preset::Least(1, 5),
        unit: Some(Unit::Count),
        about: "other occurrences before anything is said",
    },
    Limit {
        key: "never_root",
        default: Preset::Words(&[]),
        unit: None,
        about: "patterns of names that are never roots",
    },
];

/// Service, scope, name and kind.
type Key = (NameId, NameId, NameId, &'static str);

fn check(look: &DumpLook<'_>, sink: &mut Sink<'_>) {
    let never: Vec<_> = look.words(2).iter().filter_map(|pattern| name_glob(pattern).ok()).collect();
    let key = |head: &Head| {
        let origin = look.capture.origin(head.origin);
        (origin.service, origin.scope, head.name, head.marks.kind().name())
    };
    // Roots and children of every name.
    let mut seen: BTreeMap<Key, (u64, u64)> = BTreeMap::new();
    let mut last = None;
    let mut run = (0, 0);
    for (_, head) in look.spans() {
        let key = key(head);
        if last.is_some_and(|last| last != key) {
            flush(&mut seen, last, &mut run);
        }
        last = Some(key);
        if head.is_root() { run.0 += 1 } else { run.1 += 1 }
    }
    flush(&mut seen, last, &mut run);
    let (ratio, least) = (look.limit(0).unwrap_or(1000), look.limit(1).unwrap_or(u64::MAX));
    let suspicious = |(roots, children): (u64, u64)| {
        let others = roots + children - 1;
        others >= least && others > 0 && children * 1000 >= others * ratio
    };
    for trace in look.forest.traces() {
        let mut own = None;
        for &span in trace.spans {
            let head = look.capture.head(span);
            if !head.is_root() || look.is_copy(span) {
                continue;
            }
            let mut counts = seen.get(&key(head)).copied().unwrap_or_default();
            if suspicious(counts) {
                // What calls itself is a root and its own children in every trace: those prove nothing.
                let own = own.get_or_insert_with(|| children(look, trace.spans, &key));
                counts.1 -= own.get(&key(head)).copied().unwrap_or(0).min(counts.1);
            }
            if suspicious(counts) || never.iter().any(|glob| glob.is_match(look.capture.name(span))) {
                let note = format!("{} of {}", counts.1, counts.0 + counts.1 - 1).into();
                sink.found_at(span, Fact { note, ..Fact::default() });
            }
        }
    }
}

/// How many spans of a trace are children, by name.
fn children(look: &DumpLook<'_>, spans: &[SpanRef], key: &dyn Fn(&Head) -> Key) -> BTreeMap<Key, u64> {
    let mut counts = BTreeMap::new();
    let once = spans.iter().filter(|span| !look.is_copy(**span));
    for head in once.map(|span| look.capture.head(*span)).filter(|head| !head.is_root()) {
        *counts.entry(key(head)).or_default() += 1;
    }
    counts
}

fn flush(seen: &mut BTreeMap<Key, (u64, u64)>, key: Option<Key>, run: &mut (u64, u64)) {
    let Some(key) = key else { return };
    let known = seen.entry(key).or_default();
    known.0 += run.0;
    known.1 += run.1;
    *run = (0, 0);
}

fn tell(told: &Told<'_>) -> Words {
    Words::new(
        format!(
            "{:?} is a root here but a child in {} other spans of that name: context lost",
            told.span_name, told.note
        ),
        "pass the context on to the task or thread that does the work",
    )
}
