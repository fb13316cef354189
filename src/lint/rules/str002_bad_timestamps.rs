//! STR002: times that are missing, backwards, of another unit, or in the future.
//!
//! Comes in: a span's start and end. Goes out: one fact a fault.

use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Preset, Rule, Scope, Severity};
use crate::model::{Nanos, timestamp};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "STR002",
    name: "bad-timestamps",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "Start or end is missing, backwards, in the wrong unit or in the future",
    why: "Durations and the order of spans cannot be trusted, and backends drop spans from other times.",
    when: "",
    bad: "start 1754000000 (seconds)",
    good: "start 1754000000000000000 (nanoseconds)",
    limits: &LIMITS,
    unit: Some(Unit::Nanos),
    source: "opentelemetry-proto trace.proto, Span fields 7 and 8; datadog-agent Year2000NanosecTS",
    url: "https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit {
    key: "max_future",
    default: Preset::Number(86_400_000_000_000),
    unit: Some(Unit::Nanos),
    about: "how far in the future a span may end",
}];

/// 2000-01-01: what starts before was written in another unit.
const YEAR_2000: u64 = 946_684_800_000_000_000;

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let (start, end) = (look.span.start, look.span.end);
    let mut found = |class, observed| sink.found(Fact { class, observed: Some(observed), ..Fact::default() });
    if start == 0 {
        found("no start", 0);
    } else if start < YEAR_2000 {
        found("unit", start);
    }
    if end == 0 {
        found("no end", 0);
    } else if end < start {
        found("backwards", start - end);
    }
    let latest = look.limit(0).map_or(u64::MAX, |future| look.now().saturating_add(future));
    if look.now() != 0 && end > latest {
        // The time itself, for how far off it is differs from run to run.
        let note = timestamp(end, true).into();
        sink.found(Fact { class: "future", note, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let observed = told.observed;
    match told.class {
        "no start" => Words::new("the span has no start", ""),
        "no end" => Words::new("the span has no end: it never finished", "end every span, also when it fails"),
        "backwards" => {
            Words::new(format!("end is {} before start", Nanos(observed)), "take both times from one monotonic clock")
        }
        "unit" => {
            let unit = match observed {
                0..100_000_000_000 => "seconds",
                100_000_000_000..100_000_000_000_000 => "milliseconds",
                _ => "microseconds",
            };
            Words::new(format!("start {observed} looks like {unit}, not nanoseconds"), "write Unix nanoseconds")
        }
        _ => Words::new(format!("the span ends in the future, at {}", told.note), "set the clock of its host"),
    }
}
