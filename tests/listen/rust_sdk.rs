//! The OpenTelemetry SDK for Rust, in this process, as it comes from its registry.
//!
//! Comes in: spans made through its API. Goes out: proof that the record holds as many as were made, and that its exporters do
//! as they are told when a request cannot be taken.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use serde_json::json as value;
use tokio::runtime::Runtime;

use super::faults::SmallDisk;
use super::server::{Server, listen, totals};

/// The protocols its exporters speak.
const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpBinary];

/// A provider that exports to this listener.
fn provider(server: &Server, protocol: Protocol, timeout: Duration) -> SdkTracerProvider {
    let exporter = match protocol {
        Protocol::Grpc => {
            let to = SpanExporter::builder().with_tonic().with_endpoint(format!("http://{}", server.grpc));
            to.with_timeout(timeout).build()
        }
        _ => {
            let to = SpanExporter::builder().with_http().with_protocol(protocol);
            to.with_endpoint(format!("http://{}/v1/traces", server.http)).with_timeout(timeout).build()
        }
    };
    let processor = BatchSpanProcessor::builder(exporter.unwrap(), Tokio).build();
    SdkTracerProvider::builder().with_span_processor(processor).build()
}

/// Makes so many traces of two spans, the second of which fails, and waits until they are sent or given up.
fn send(server: &Server, protocol: Protocol, traces: u64, timeout: Duration) {
    let runtime = Runtime::new().unwrap();
    let inside = runtime.enter();
    let provider = provider(server, protocol, timeout);
    let tracer = provider.tracer("send");
    for number in 0..traces {
        tracer.in_span("run", |context| {
            context.span().set_attribute(KeyValue::new("prompt", "say \"hi\"\nä"));
            let mut step = tracer.span_builder("step").with_kind(SpanKind::Client).start(&tracer);
            step.add_event("tick", vec![KeyValue::new("number", number as i64)]);
            step.set_status(Status::error("boom"));
        });
        // The queue of the processor is short: what does not fit it is dropped before it is sent.
        if number % 500 == 499 {
            provider.force_flush().unwrap();
        }
    }
    // Whether it was sent is told by the record.
    let _ = provider.shutdown();
    drop(inside);
}

#[test]
fn what_it_sent_is_in_the_record() {
    for protocol in PROTOCOLS {
        for record in ["run.jsonl", "run.pb.zst"] {
            let server = listen(&["--view", "none", "-o", record]);
            send(&server, protocol, 1200, Duration::from_secs(10));
            let ended = server.stop();
            assert_eq!((&ended.stopped["spans"], &ended.stopped["deferred"]), (&value!(2400), &value!(0)));
            let totals = totals(&ended.folder.path().join(record));
            assert_eq!((&totals["spans"], &totals["traces"]), (&value!(2400), &value!(1200)), "{protocol:?} {record}");
            assert_eq!((&totals["errors"], &totals["events"]), (&value!(1200), &value!(1200)));
            assert_eq!(
                (&totals["roots"], &totals["orphans"], &totals["troubles"]),
                (&value!(1200), &value!(0), &value!(0))
            );
        }
    }
}

#[test]
fn it_comes_again_when_told_to_wait_and_only_then() {
    for protocol in PROTOCOLS {
        let server = listen(&["--view", "none", "--max-request-size", "1000"]);
        send(&server, protocol, 100, Duration::from_secs(5));
        let ended = server.stop();
        assert_eq!((&ended.stopped["rejected"], &ended.stopped["deferred"]), (&value!(1), &value!(0)), "{protocol:?}");

        let server = listen(&["--view", "none", "--max-queue-size", "1000"]);
        send(&server, protocol, 100, Duration::from_millis(2500));
        let ended = server.stop();
        // It hears that it is to wait a second: left to itself it would come four times within the first.
        let times = ended.stopped["deferred"].as_u64().unwrap();
        assert!((2..=3).contains(&times), "{protocol:?}: {times}");
    }
}

#[test]
fn nothing_is_missing_after_the_disk_was_full() {
    for protocol in PROTOCOLS {
        let Some(disk) = SmallDisk::new() else { return };
        let record = disk.path().join("run.pb");
        let server = listen(&["--view", "none", "-o", &record.to_string_lossy()]);
        let ballast = disk.path().join("ballast");
        let _ = std::fs::write(&ballast, vec![1; 1 << 20]);
        let room = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            std::fs::remove_file(ballast).unwrap();
        });
        send(&server, protocol, 200, Duration::from_secs(10));
        room.join().unwrap();
        let ended = server.stop();
        assert!(ended.stopped["deferred"].as_u64().unwrap() > 0, "{}", ended.log);
        assert_eq!((&ended.stopped["spans"], &totals(&record)["spans"]), (&value!(400), &value!(400)), "{protocol:?}");
    }
}
