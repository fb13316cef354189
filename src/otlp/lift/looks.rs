//! What a document that holds no spans of a known format looks like, in words that help.
//!
//! Comes in: the judgement of the classifier. Goes out: one sentence, what it is and what would work instead.

use std::fmt;

/// What a JSON object looks like that is no span of a known format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Spans one by one, with their attributes as an object, as test fixtures and evaluation tools keep them.
    FlatSpans,
    /// Observations of a Langfuse export.
    Langfuse,
    /// Runs of a LangSmith export.
    LangSmith,
    /// A query API's list of traces.
    TraceList,
    /// Zipkin's first JSON format.
    ZipkinV1,
    /// Chrome's trace events.
    ChromeTrace,
    /// The hits of an Elasticsearch query.
    ElasticHits,
    /// Datadog's spans.
    Datadog,
    /// A conversation as the OpenAI API writes it.
    ChatMessages,
    /// Something else, with its first keys, which are untrusted text.
    Other(Vec<String>),
}

impl Looks {
    /// What it is and what would work instead, without a full stop.
    pub fn sentence(&self) -> String {
        let (what, instead) = match self {
            Self::FlatSpans => ("a flat list of spans, not OTLP", EXPORT),
            Self::Langfuse => ("an export of Langfuse observations, not OTLP", SAME_SPANS),
            Self::LangSmith => {
                ("LangSmith runs, not OTLP", "set LANGSMITH_OTEL_ENABLED=true and send the spans to a collector")
            }
            Self::TraceList => ("a query's list of traces, not OTLP", "ask the API for single traces in OTLP"),
            Self::ZipkinV1 => ("spans in Zipkin's first format", "ask the API for version 2 (/api/v2/traces)"),
            Self::ChromeTrace => ("Chrome trace events, not OTLP", EXPORT),
            Self::ElasticHits => ("hits of an Elasticsearch query, not OTLP", EXPORT),
            Self::Datadog => ("Datadog spans, not OTLP", SAME_SPANS),
            Self::ChatMessages => ("chat messages, not a trace", EXPORT),
            Self::Other(keys) if keys.is_empty() => return "an object without any keys".to_owned(),
            Self::Other(keys) => return format!("an object with the keys {}: no trace", keys.join(", ")),
        };
        format!("{what}: {instead}")
    }
}

const EXPORT: &str = "export OTLP/JSON instead, for example with the collector's file exporter";
const SAME_SPANS: &str = "send the same spans to a collector with the file exporter";

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_what_would_work() {
        assert_eq!(
            Looks::FlatSpans.to_string(),
            "a flat list of spans, not OTLP: export OTLP/JSON instead, for example with the collector's file exporter"
        );
        let other = Looks::Other(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(other.sentence(), "an object with the keys a, b: no trace");
    }
}
