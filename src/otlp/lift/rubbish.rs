//! Foreign spans cut short and damaged at every byte: no reader may panic, and what is cut short must say so.
//!
//! Comes in: one sound object of each format. Goes out: nothing.

use super::{Foreign, Origin, classify, console, jaeger, zipkin};
use crate::otlp::cursor::{Cursor, Halt};
use crate::otlp::notes::Notes;
use crate::otlp::raw::RawSpan;

const JAEGER: &str = r#"{"traceID":"ff","spans":[{"traceID":"ff","spanID":"2","operationName":"a\u00e9","flags":3,"references":[{"refType":
"CHILD_OF","traceID":"aa","spanID":"9"}],"startTime":1485467191639875,"duration":5,"tags":[{"key":"error","type":"bool","value":
true},{"key":"f","type":"float64","value":1}],"logs":[{"timestamp":7,"fields":[{"key":"event","value":"y"}]}],"processID":"p1",
"warnings":["skew"]}],"processes":{"p1":{"serviceName":"svc","tags":[]}}}"#;

const ZIPKIN: &str = r#"{"traceId":"14b60fd9ae504820","id":"a0dc23f22c4fee3f","kind":"CLIENT","name":"get","timestamp":5,"duration":2,
"localEndpoint":{"serviceName":"a","ipv4":"10.0.0.1","port":80},"annotations":[{"timestamp":6,"value":"sent"}],"tags":{"error":"x"},
"shared":true}"#;

const CONSOLE: &str = r#"{"name":"chat","context":{"trace_id":"0x65","span_id":"0x02","trace_state":"[]"},"kind":"SpanKind.CLIENT",
"parent_id":null,"start_time":"2023-11-14T22:13:20.123456Z","end_time":null,"status":{"status_code":"ERROR"},"attributes":{"n":[1]},
"events":[{"name":"e","timestamp":"x","attributes":{"k":true}}],"links":[{"context":{"trace_id":"0x1"},"attributes":{"x":1}}],
"resource":{"attributes":{"service.name":"svc"},"schema_url":""}}"#;

fn read(bytes: &[u8], format: &Foreign) -> Result<usize, Halt> {
    let mut notes = Notes::default();
    let mut cursor = Cursor::new(bytes, 0, &mut notes);
    let (mut span, mut origin) = (RawSpan::default(), Origin::default());
    let mut count = 1;
    match format {
        Foreign::JaegerTrace => {
            count = 0;
            jaeger::trace(&mut cursor, &mut span, &mut |_, _, _, _| count += 1)
        }
        Foreign::ZipkinSpan => zipkin::span(&mut cursor, &mut span, &mut origin),
        Foreign::ConsoleSpan => console::span(&mut cursor, &mut span, &mut origin),
        Foreign::Unknown(_) => Ok(()),
    }
    .map(|()| count)
}

#[test]
fn rubbish_never_makes_a_reader_panic() {
    let formats = [(JAEGER, Foreign::JaegerTrace), (ZIPKIN, Foreign::ZipkinSpan), (CONSOLE, Foreign::ConsoleSpan)];
    for (text, format) in formats {
        assert_eq!(classify(text.as_bytes()), format);
        assert_eq!(read(text.as_bytes(), &format), Ok(1));
        for cut in 0..text.len() {
            assert_eq!(read(&text.as_bytes()[..cut], &format), Err(Halt::End), "{}", &text[..cut]);
            for byte in [b'"', b'{', b']', b'\\', b'9', b'n', 0, 0xff] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[cut] = byte;
                classify(&bytes);
                let _ = read(&bytes, &format);
            }
        }
    }
}
