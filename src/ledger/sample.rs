//! Small traces for tests, read as captures are.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::{Account, Prices};
use crate::capture::{Capture, of_messages};
use crate::forest::{Forest, Tree};

/// A span from `start` to `end` milliseconds.
pub(super) fn span(id: u8, parent: u8, name: &str, (start, end): (u64, u64), pairs: &[(&str, &str)]) -> Span {
    let value = |text: &str| match text.parse() {
        Ok(number) => Value::IntValue(number),
        Err(_) => Value::StringValue(text.to_owned()),
    };
    let attribute = |(key, text): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: Some(value(text)) }),
        ..KeyValue::default()
    };
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: name.to_owned(),
        kind: 1,
        start_time_unix_nano: (1_000_000 + start) * 1_000_000,
        end_time_unix_nano: (1_000_000 + end) * 1_000_000,
        attributes: pairs.iter().map(attribute).collect(),
        ..Span::default()
    }
}

pub(super) fn failed(span: Span) -> Span {
    Span { status: Some(Status { code: 2, ..Status::default() }), ..span }
}

fn read(spans: Vec<Span>) -> (Capture, Tree) {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    let capture = of_messages(vec![("test".to_owned(), request.encode_to_vec(), false)]).unwrap();
    let mut tree = Tree::default();
    Forest::of(&capture).tree(&capture, 0, &mut tree);
    (capture, tree)
}

pub(super) fn account(spans: Vec<Span>) -> (Capture, Tree, Account) {
    let (capture, tree) = read(spans);
    let account = Account::of(&capture, &tree, &Prices::built_in());
    (capture, tree, account)
}

pub(super) const CHAT: (&str, &str) = ("gen_ai.operation.name", "chat");
pub(super) const TOOL: (&str, &str) = ("gen_ai.operation.name", "execute_tool");
pub(super) const AGENT: (&str, &str) = ("gen_ai.operation.name", "invoke_agent");
pub(super) const MODEL: (&str, &str) = ("gen_ai.request.model", "gpt-4o");

pub(super) fn used<'t>(input: &'t str, output: &'t str) -> [(&'t str, &'t str); 4] {
    [CHAT, MODEL, ("gen_ai.usage.input_tokens", input), ("gen_ai.usage.output_tokens", output)]
}
pub(super) const NAME: &str = "gen_ai.request.model";
pub(super) const INPUT: &str = "gen_ai.usage.input_tokens";
pub(super) const OUTPUT: &str = "gen_ai.usage.output_tokens";
pub(super) const CACHED: &str = "gen_ai.usage.cache_read.input_tokens";
