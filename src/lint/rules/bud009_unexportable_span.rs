//! BUD009: single spans that no default receiver takes.
//!
//! Comes in: a span. Goes out: one fact where it alone is larger than a message may be.

use super::sizes::against;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::SpanLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Rule, Scope, Severity};
use crate::otlp::{Shape, span_len};

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "BUD009",
    name: "unexportable-span",
    severity: Severity::Error,
    confidence: Confidence::Proven,
    scope: Scope::Span,
    summary: "A single span is larger than an OTLP/gRPC message may be",
    why: "A span cannot be split: the receiver refuses the request, the exporter tries it again and again and then drops it with all that waits behind it.",
    when: "",
    bad: "a span of 5.8 MiB",
    good: "a span of 40 KiB that says where the rest is kept",
    limits: &LIMITS,
    unit: Some(Unit::Bytes),
    source: "default of gRPC servers and of the Collector's receiver: 4 MiB a message",
    url: "https://github.com/grafana/tempo/issues/2437",
    check: Check { span: Some(check), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] =
    [Limit::number("grpc_max", 1, 4 << 20, Unit::Bytes, "the largest message that receivers take")];

fn check(look: &SpanLook<'_>, sink: &mut Sink<'_>) {
    let (span, limit) = (look.span, look.limit(0).unwrap_or(u64::MAX));
    // What OTLP itself takes is never smaller than the encoded span; foreign formats may be.
    let own = matches!(span.shape, Shape::OtlpJson | Shape::OtlpProto);
    if own && span.raw.len() as u64 <= limit {
        return;
    }
    let bytes = span_len(span) as u64;
    if bytes > limit {
        sink.found(Fact { class: "span", observed: Some(bytes), limit: Some(limit), ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let (observed, limit) = against(told);
    Words::new(
        format!("this span alone is {observed}, a gRPC message may have {limit}"),
        "record less on it; or raise max_recv_msg_size_mib of every receiver on the way",
    )
}
