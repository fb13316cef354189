//! Which format an object is in, told by its keys.
//!
//! Comes in: one complete JSON object. Goes out: the format whose reader can take it, or what else it looks like. No value is
//! decoded; of nested objects only the keys are seen.

use super::looks::Looks;
use crate::otlp::cursor::{Cursor, Halt};
use crate::otlp::notes::Notes;

/// A foreign format, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::otlp) enum Foreign {
    /// A Jaeger trace with its spans and processes: [`super::jaeger::trace`].
    JaegerTrace,
    /// A Zipkin v2 span: [`super::zipkin::span`].
    ZipkinSpan,
    /// A span as the Python SDK prints it: [`super::console::span`].
    ConsoleSpan,
    /// Nothing with spans that can be read.
    Unknown(Looks),
}

/// Whether a key marks an object that is no OTLP envelope: a foreign span or trace, or what else [`classify`] knows.
pub(in crate::otlp) fn is_leaf_key(key: &[u8]) -> bool {
    matches!(
        key,
        b"traceID"
            | b"traceId"
            | b"trace_id"
            | b"id"
            | b"spanID"
            | b"spanId"
            | b"span_id"
            | b"parentId"
            | b"parent_id"
            | b"parentSpanId"
            | b"parentSpanID"
            | b"parent_span_id"
            | b"name"
            | b"context"
            | b"operationName"
            | b"spans"
            | b"processes"
            | b"timestamp"
            | b"localEndpoint"
            | b"remoteEndpoint"
            | b"annotations"
            | b"binaryAnnotations"
            | b"kind"
            | b"duration"
            | b"startTime"
            | b"start_time"
            | b"observations"
            | b"run_type"
            | b"dotted_order"
            | b"traces"
            | b"traceEvents"
            | b"hits"
            | b"_source"
            | b"spanName"
            | b"role"
            | b"messages"
    )
}

/// The keys of an object that matter, and the first few of all.
#[derive(Default)]
struct Keys<'a> {
    first: Vec<String>,
    known: Vec<&'a [u8]>,
    /// The context of a span: the keys inside.
    context: Vec<&'a [u8]>,
    /// The keys of the first element of `spans`.
    span: Vec<&'a [u8]>,
    /// The attributes are an object.
    attributes: bool,
    /// The `type` is one of Langfuse's.
    observation: bool,
    /// `id` is text.
    text_id: bool,
}

/// How many keys are looked at: more than any format has.
const ENOUGH: usize = 100;

/// How many keys are shown of an object nobody knows.
const SHOWN: usize = 5;

/// What an object is. It must be complete; of a broken one, what stands before the break decides.
pub(in crate::otlp) fn classify(object: &[u8]) -> Foreign {
    let mut notes = Notes::default();
    let mut keys = Keys::default();
    // Where reading stops, the keys so far are the answer.
    let _: Result<(), Halt> = read(&mut Cursor::new(object, 0, &mut notes), &mut keys);
    keys.format().unwrap_or_else(|| Foreign::Unknown(keys.looks()))
}

fn read<'a>(cursor: &mut Cursor<'a, '_>, keys: &mut Keys<'a>) -> Result<(), Halt> {
    cursor.members(|cursor, key| {
        if keys.first.len() < SHOWN {
            keys.first.push(String::from_utf8_lossy(key).into_owned());
        }
        if keys.known.len() < ENOUGH {
            keys.known.push(key);
        }
        let first = cursor.peek()?;
        match key {
            b"context" if first == b'{' => inner(cursor, &mut keys.context)?,
            b"spans" if first == b'[' => {
                let mut found = Vec::new();
                cursor.elements(|cursor| {
                    if found.is_empty() && cursor.peek()? == b'{' { inner(cursor, &mut found) } else { cursor.skip() }
                })?;
                keys.span = found;
            }
            b"type" if first == b'"' => {
                keys.observation = matches!(cursor.string()?.raw, b"GENERATION" | b"SPAN" | b"EVENT");
            }
            _ => {
                keys.attributes |= key == b"attributes" && first == b'{';
                keys.text_id |= key == b"id" && first == b'"';
                cursor.skip()?;
            }
        }
        Ok(true)
    })
}

fn inner<'a>(cursor: &mut Cursor<'a, '_>, keys: &mut Vec<&'a [u8]>) -> Result<(), Halt> {
    cursor.members(|cursor, key| {
        if keys.len() < ENOUGH {
            keys.push(key);
        }
        cursor.skip().map(|()| true)
    })
}

fn any(keys: &[&[u8]], wanted: &[&str]) -> bool {
    wanted.iter().any(|wanted| keys.contains(&wanted.as_bytes()))
}

impl Keys<'_> {
    fn has(&self, wanted: &[&str]) -> bool {
        any(&self.known, wanted)
    }

    fn format(&self) -> Option<Foreign> {
        let jaeger = any(&self.span, &["spanID", "operationName"]);
        if self.has(&["spans"]) && (jaeger || (self.span.is_empty() && self.has(&["processes", "traceID"]))) {
            return Some(Foreign::JaegerTrace);
        }
        if self.has(&["name"]) && any(&self.context, &["trace_id"]) && any(&self.context, &["span_id"]) {
            return Some(Foreign::ConsoleSpan);
        }
        let zipkin = self.has(&["traceId"]) && self.text_id && !self.has(&["spanId", "span_id", "binaryAnnotations"]);
        let more = ["name", "localEndpoint", "timestamp", "kind", "annotations", "tags", "parentId", "remoteEndpoint"];
        if zipkin && !self.is_langfuse() && self.has(&more) {
            return Some(Foreign::ZipkinSpan);
        }
        None
    }

    fn is_langfuse(&self) -> bool {
        self.has(&["observations", "latestTraceId", "projectId", "traceName"])
            || (self.has(&["traceId", "trace_id"]) && self.observation && self.has(&["startTime", "start_time"]))
    }

    fn is_flat_span(&self, trace: bool) -> bool {
        let ids = trace && self.has(&["spanId", "span_id", "spanID"]);
        (ids && self.has(&["name", "operationName"])) || (self.attributes && self.has(&["spanName", "span_name"]))
    }

    fn is_chat(&self) -> bool {
        self.has(&["messages", "choices"]) || (self.has(&["role"]) && self.has(&["content", "parts", "tool_calls"]))
    }

    fn looks(&self) -> Looks {
        let trace = self.has(&["traceId", "trace_id", "traceID"]);
        let datadog =
            self.has(&["trace_id"]) && self.has(&["resource"]) && self.has(&["service"]) && self.has(&["start"]);
        if self.has(&["run_type", "dotted_order"]) {
            Looks::LangSmith
        } else if self.is_langfuse() {
            Looks::Langfuse
        } else if self.has(&["traceEvents"]) || (self.has(&["ph"]) && self.has(&["pid", "ts"])) {
            Looks::ChromeTrace
        } else if self.has(&["hits", "_source"]) {
            Looks::ElasticHits
        } else if datadog {
            Looks::Datadog
        } else if self.has(&["binaryAnnotations"]) {
            Looks::ZipkinV1
        } else if self.is_flat_span(trace) {
            Looks::FlatSpans
        } else if self.has(&["traces"]) || (trace && self.has(&["rootSpanName", "rootTraceName", "spans"])) {
            Looks::TraceList
        } else if self.is_chat() {
            Looks::ChatMessages
        } else {
            Looks::Other(self.first.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_keys() {
        use Foreign::*;
        let cases = [
            (r#"{"traceID":"1","spans":[{"traceID":"1","spanID":"2"}],"processes":{}}"#, JaegerTrace),
            (r#"{"traceID":"1","spans":[],"processes":{}}"#, JaegerTrace),
            (r#"{"traceId":"1","id":"2","localEndpoint":{}}"#, ZipkinSpan),
            (r#"{"name":"x","context":{"trace_id":"0x1","span_id":"0x2"}}"#, ConsoleSpan),
            (r#"{"trace_id":"1","span_id":"2","name":"x","attributes":{"a":1}}"#, Unknown(Looks::FlatSpans)),
            (r#"{"spanName":"x","attributes":{"a":1}}"#, Unknown(Looks::FlatSpans)),
            (r#"{"id":"1","traceId":"2","type":"GENERATION","startTime":"x","name":"y"}"#, Unknown(Looks::Langfuse)),
            (r#"{"id":"1","run_type":"llm","dotted_order":"x"}"#, Unknown(Looks::LangSmith)),
            (r#"{"traces":[{"traceId":"1","rootSpanName":"x"}]}"#, Unknown(Looks::TraceList)),
            (r#"{"traceEvents":[]}"#, Unknown(Looks::ChromeTrace)),
            (r#"{"took":1,"hits":{"hits":[]}}"#, Unknown(Looks::ElasticHits)),
            (
                r#"{"trace_id":1,"span_id":2,"service":"a","resource":"b","start":3,"name":"n"}"#,
                Unknown(Looks::Datadog),
            ),
            (r#"{"role":"user","content":"hi"}"#, Unknown(Looks::ChatMessages)),
            (r#"{"traceId":"1","id":"2","binaryAnnotations":[],"name":"x"}"#, Unknown(Looks::ZipkinV1)),
        ];
        for (json, wanted) in cases {
            assert_eq!(classify(json.as_bytes()), wanted, "{json}");
        }
        let Unknown(Looks::Other(keys)) = classify(br#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#) else {
            panic!("other")
        };
        assert_eq!(keys, ["a", "b", "c", "d", "e"]);
        assert_eq!(classify(b"{}"), Unknown(Looks::Other(vec![])));
        assert_eq!(classify(br#"{"a":1,"b":"#), Unknown(Looks::Other(vec!["a".into(), "b".into()])));
    }
}
