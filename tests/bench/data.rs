//! Agent-like spans for measuring: traces of 15 to 60 spans, 8 to 20 attributes, some prompts of 2 to 20 kB, 512 spans a
//! request. The same number gives the same bytes on every machine.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

/// Spans of one request, as the SDKs' batch processor sends them.
pub(crate) const BATCH: usize = 512;

/// Makes requests one after another.
pub(crate) struct Generator {
    state: u64,
    made: u64,
    trace: [u8; 16],
    open: Vec<[u8; 8]>,
    left: usize,
    clock: u64,
}

const NAMES: [&str; 12] = [
    "LettaAgentV3.step",
    "OpenAIClient.request_async",
    "ToolExecutionManager.execute_tool_async",
    "agent_step",
    "chat gpt-4.1",
    "SELECT agents",
    "POST /v1/agents/{agent_id}/messages",
    "MessageManager.create_many_messages_async",
    "redis_cache.get",
    "embeddings text-embedding-3-small",
    "StepManager.log_step_async",
    "GET",
];
const KEYS: [&str; 16] = [
    "parameter.agent_id",
    "parameter.actor",
    "http.route",
    "server.address",
    "db.query.text",
    "gen_ai.request.model",
    "gen_ai.conversation.id",
    "code.function.name",
    "thread.name",
    "user.id",
    "organization.id",
    "parameter.step_id",
    "url.full",
    "session.id",
    "step_id",
    "parameter.label",
];
const WORDS: [&str; 14] = [
    "agent",
    "memory",
    "tool",
    "result",
    "the",
    "invoice",
    "of",
    "customer",
    "\"quoted\"",
    "naïve",
    "line\nbreak",
    "tokens",
    "search",
    "and",
];

impl Generator {
    /// A generator that begins like every other.
    pub(crate) fn new() -> Self {
        Self { state: 42, made: 0, trace: [0; 16], open: Vec::new(), left: 0, clock: 1_750_000_000_000_000_000 }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit.max(1)
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len() as u64) as usize]
    }

    fn text(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text.push_str(self.pick(&WORDS));
            text.push(' ');
        }
        text
    }

    /// The next request.
    pub(crate) fn request(&mut self, spans: usize) -> ExportTraceServiceRequest {
        let mut resource_spans = Vec::new();
        let mut left = spans;
        while left > 0 {
            let share = left.min(40 + self.below(30) as usize);
            let service = format!("agent-service-{}", self.below(10));
            let resource = Resource {
                attributes: vec![
                    text("service.name", service),
                    text("service.version", "1.4.2"),
                    text("host.name", "host-1"),
                ],
                ..Resource::default()
            };
            let scope =
                InstrumentationScope { name: "letta.otel.tracing".to_owned(), ..InstrumentationScope::default() };
            let spans = (0..share).map(|_| self.span()).collect();
            let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
            resource_spans.push(ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() });
            left -= share;
        }
        ExportTraceServiceRequest { resource_spans }
    }

    fn span(&mut self) -> Span {
        if self.left == 0 {
            self.left = 15 + self.below(46) as usize;
            self.trace = (u128::from(self.below(u64::MAX)) << 64 | u128::from(self.made + 1)).to_be_bytes();
            self.open.clear();
        }
        self.left -= 1;
        self.made += 1;
        let id = (self.below(u64::MAX - 1) + 1).to_be_bytes();
        let depth = self.open.len() as u64;
        let chosen = self.below(depth) as usize;
        let parent = self.open.get(chosen).map(|id| id.to_vec()).unwrap_or_default();
        if self.open.len() < 8 {
            self.open.push(id);
        }
        self.clock += self.below(2_000_000);
        let failed = self.below(1000) < 35;
        Span {
            trace_id: self.trace.to_vec(),
            span_id: id.to_vec(),
            parent_span_id: parent,
            flags: 0x100,
            name: self.pick(&NAMES).to_owned(),
            kind: 1 + self.below(3) as i32,
            start_time_unix_nano: self.clock,
            end_time_unix_nano: self.clock + 10_000 + self.below(500_000_000),
            attributes: self.attributes(),
            events: if failed || self.below(4) == 0 { vec![self.event(failed)] } else { Vec::new() },
            status: Some(Status { code: if failed { 2 } else { 0 }, message: String::new() }),
            ..Span::default()
        }
    }

    fn attributes(&mut self) -> Vec<KeyValue> {
        let count = 8 + self.below(13) as usize;
        let mut attributes = Vec::with_capacity(count + 2);
        for number in 0..count {
            let key = KEYS[number % KEYS.len()];
            attributes.push(match self.below(20) {
                0..12 => {
                    let length = 10 + self.below(190) as usize;
                    text(key, self.text(length))
                }
                12..17 => attribute(key, Value::IntValue(self.below(1_000_000) as i64)),
                17 | 18 => attribute(key, Value::BoolValue(self.below(2) == 1)),
                _ => attribute(key, Value::DoubleValue(self.below(10_000) as f64 / 100.0)),
            });
        }
        if self.below(1000) < 45 {
            let length = 2_000 + self.below(18_000) as usize;
            attributes.push(text("gen_ai.input.messages", self.text(length)));
            attributes.push(attribute("gen_ai.usage.input_tokens", Value::IntValue(length as i64 / 4)));
        }
        attributes
    }

    fn event(&mut self, failed: bool) -> Event {
        let attributes = if failed {
            vec![text("exception.type", "TimeoutError"), text("exception.message", self.text(60))]
        } else {
            vec![attribute("duration_ms", Value::IntValue(self.below(5_000) as i64))]
        };
        let name = if failed { "exception" } else { "llm_request_ms" };
        Event { time_unix_nano: self.clock, name: name.to_owned(), attributes, ..Event::default() }
    }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A request as the collector's file exporter writes it: behind its length in four bytes, big-endian.
pub(crate) fn framed(request: &ExportTraceServiceRequest) -> Vec<u8> {
    let message = request.encode_to_vec();
    [(message.len() as u32).to_be_bytes().to_vec(), message].concat()
}

/// A request as a line of OTLP/JSON.
pub(crate) fn line(request: &ExportTraceServiceRequest) -> Vec<u8> {
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let groups = request.resource_spans.iter().map(|group| {
        let resource = group.resource.as_ref().map(|r| json_attributes(&r.attributes)).unwrap_or_default();
        let scopes = group.scope_spans.iter().map(|scope| {
            let spans = scope.spans.iter().map(|span| {
                serde_json::json!({
                    "traceId": hex(&span.trace_id), "spanId": hex(&span.span_id), "parentSpanId": hex(&span.parent_span_id),
                    "flags": span.flags, "name": span.name, "kind": span.kind,
                    "startTimeUnixNano": span.start_time_unix_nano.to_string(),
                    "endTimeUnixNano": span.end_time_unix_nano.to_string(),
                    "attributes": json_attributes(&span.attributes),
                    "events": span.events.iter().map(|event| serde_json::json!({
                        "timeUnixNano": event.time_unix_nano.to_string(), "name": event.name,
                        "attributes": json_attributes(&event.attributes),
                    })).collect::<Vec<_>>(),
                    "status": {"code": span.status.as_ref().map_or(0, |status| status.code)},
                })
            });
            let name = scope.scope.as_ref().map(|scope| scope.name.clone());
            serde_json::json!({"scope": {"name": name}, "spans": spans.collect::<Vec<_>>()})
        });
        serde_json::json!({"resource": {"attributes": resource}, "scopeSpans": scopes.collect::<Vec<_>>()})
    });
    let mut line = serde_json::json!({"resourceSpans": groups.collect::<Vec<_>>()}).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn json_attributes(attributes: &[KeyValue]) -> Vec<serde_json::Value> {
    attributes
        .iter()
        .map(|attribute| {
            let value = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::StringValue(text)) => serde_json::json!({"stringValue": text}),
                Some(Value::IntValue(number)) => serde_json::json!({"intValue": number.to_string()}),
                Some(Value::BoolValue(yes)) => serde_json::json!({"boolValue": yes}),
                Some(Value::DoubleValue(number)) => serde_json::json!({"doubleValue": number}),
                _ => serde_json::json!({}),
            };
            serde_json::json!({"key": attribute.key, "value": value})
        })
        .collect()
}
