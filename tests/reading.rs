//! Every form of input that is promised to be read: framings, compressions, wrappers and deviations, each with the spans it
//! must give and the troubles it must report.

#![expect(clippy::expect_used, reason = "a test that meets something unexpected fails")]

use std::collections::BTreeSet;
use std::io::Write;

use tracectl::capture::{Capture, Detail, SpanRef, open};
use tracectl::input::Options;
use tracectl::model::{SpanId, TraceId, Value};
use tracectl::otlp::{Trouble, TroubleKind};

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const SPAN: &str = "eee19b7ec3c1b174";

fn read(bytes: &[u8]) -> Capture {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("input");
    std::fs::write(&path, bytes).expect("a file");
    let capture = open(&[path.display().to_string()], &Options::default(), &mut |_| {}).expect("it opens");
    // Details are read from the file, which is gone after this.
    let spans: Vec<SpanRef> = capture.spans().collect();
    assert!(capture.details(&spans).expect("details").iter().all(Option::is_some), "every span can be read again");
    capture
}

fn detail(bytes: &[u8]) -> Detail {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("input");
    std::fs::write(&path, bytes).expect("a file");
    let capture = open(&[path.display().to_string()], &Options::default(), &mut |_| {}).expect("it opens");
    assert_eq!(capture.len(), 1, "{}", String::from_utf8_lossy(bytes));
    capture.details(&[SpanRef(0)]).expect("details").remove(0).expect("its bytes are there")
}

fn kinds(capture: &Capture) -> Vec<TroubleKind> {
    capture.troubles().iter().map(|trouble| trouble.kind).collect()
}

/// A request with one span; `span` is put into the span's object.
fn request(span: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"svc"}}}}]}},"scopeSpans":[{{"scope":{{"name":"lib"}},"spans":[{{{span}}}]}}]}}]}}"#
    )
}

/// The fields every span of these tests has.
fn plain() -> String {
    format!(r#""traceId":"{TRACE}","spanId":"{SPAN}","name":"n","startTimeUnixNano":"5","endTimeUnixNano":"9""#)
}

fn document() -> String {
    request(&plain())
}

fn group() -> String {
    let document = document();
    let inner = document.strip_prefix(r#"{"resourceSpans":["#).and_then(|rest| rest.strip_suffix("]}"));
    inner.expect("the request has one group").to_owned()
}

#[test]
fn documents_in_every_wrapping_are_read() {
    use TroubleKind::*;
    let (one, group) = (document(), group());
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&one).expect("JSON")).expect("JSON");
    let cases: Vec<(&str, String, usize, Vec<TroubleKind>)> = vec![
        ("one document", one.clone(), 1, vec![]),
        ("lines", format!("{one}\n{one}\n"), 2, vec![]),
        ("lines and blanks", format!("\n\n{one}\n\n{one}\n\n"), 2, vec![]),
        ("no line break at the end", format!("{one}\n{one}"), 2, vec![]),
        ("pretty, back to back", format!("{pretty}\n{pretty}\n{pretty}"), 3, vec![]),
        ("documents without anything between", format!("{one}{one}"), 2, vec![]),
        ("a top-level array", format!("[{one},{one}]"), 2, vec![]),
        ("a pretty array", format!("[\n{pretty},\n{pretty}\n]\n"), 2, vec![]),
        ("bare ResourceSpans", format!("{group}\n{group}\n"), 2, vec![]),
        ("an array of ResourceSpans", format!("[{group},{group}]"), 2, vec![]),
        ("Tempo batches", format!(r#"{{"batches":[{group}]}}"#), 1, vec![]),
        ("Tempo v2", format!(r#"{{"metrics":{{}},"trace":{one},"status":"COMPLETE"}}"#), 1, vec![]),
        ("Tempo v2, partial", format!(r#"{{"trace":{one},"status":"PARTIAL"}}"#), 1, vec![PartialAnswer]),
        ("Jaeger v3", format!(r#"{{"result":{one}}}"#), 1, vec![]),
        ("Jaeger v3, streamed", format!(r#"{{"result":{one}}}{{"result":{one}}}"#), 2, vec![]),
        (
            "before protocol 0.15",
            one.replace("scopeSpans", "instrumentationLibrarySpans").replace("\"scope\"", "\"instrumentationLibrary\""),
            1,
            vec![LegacyLibrary],
        ),
        (
            "mixed signals",
            format!("{{\"resourceLogs\":[{{\"x\":[1,{{}}]}}]}}\n{one}\n{{\"resourceMetrics\":[]}}"),
            1,
            vec![OtherSignal],
        ),
        ("other lines between", format!("INFO starting\n{one}\n[warn] a [line]\n{one}\nbye"), 2, vec![OtherText]),
        (
            "requests behind a logger's prefix",
            format!("2026-01-01 INFO exporter: {one}\n2026 stdout F {one}\n"),
            2,
            vec![OtherText],
        ),
        ("a byte order mark", format!("\u{feff}{one}"), 1, vec![ByteOrderMark]),
        ("CR LF", format!("{one}\r\n{one}\r\n"), 2, vec![CarriageReturn]),
        ("commas between", format!("{one},\n{one},\n"), 2, vec![CommaBetweenDocuments]),
        ("record separators", format!("\u{1e}{one}\n\u{1e}{one}\n"), 2, vec![]),
        ("cut off", format!("{one}\n{}", &one[..one.len() - 5]), 2, vec![Truncated]),
        ("cut off in a span", format!("{one}\n{}", &one[..one.len() - 40]), 1, vec![Truncated]),
        ("a broken line", format!("{one}\n{{this is not JSON}}\n{one}"), 2, vec![Syntax]),
        ("nothing in it", r#"{"resourceSpans":[]}"#.to_owned(), 0, vec![]),
        ("nulls", r#"{"resourceSpans":null}"#.to_owned(), 0, vec![NullField]),
        ("an array of one per line", format!("[\n{one},\n{one}\n]"), 2, vec![]),
    ];
    for (what, text, spans, troubles) in cases {
        let capture = read(text.as_bytes());
        assert_eq!((capture.len(), kinds(&capture)), (spans, troubles), "{what}: {:?}", capture.troubles());
        for span in capture.spans() {
            assert_eq!((capture.name(span), capture.service(span)), ("n", "svc"), "{what}");
            assert_eq!(capture.head(span).id, SpanId(0xeee1_9b7e_c3c1_b174), "{what}");
        }
    }
}

#[test]
fn deviations_are_tolerated_and_told() {
    use TroubleKind::*;
    let with = |more: &str| request(&format!("{},{more}", plain()));
    let id = |spelling: &str| request(&format!(r#""traceId":"{spelling}","spanId":"{SPAN}","name":"n""#));
    let value = |value: &str| with(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#));
    let cases: Vec<(String, Vec<TroubleKind>)> = vec![
        (document().replace("startTimeUnixNano", "start_time_unix_nano"), vec![SnakeCaseKey]),
        (
            document().replace("resourceSpans", "resource_spans").replace("scopeSpans", "scope_spans"),
            vec![SnakeCaseKey],
        ),
        (with(r#""kind":"SPAN_KIND_SERVER""#), vec![EnumName]),
        (with(r#""kind":"server""#), vec![EnumName]),
        (with(r#""kind":"2""#), vec![EnumName]),
        (with(r#""kind":"SPAN_KIND_TELEPATHY""#), vec![EnumName, UnknownEnum]),
        (with(r#""kind":99"#), vec![]),
        (with(r#""kind":2.0"#), vec![NumberForm]),
        (with(r#""kind":null"#), vec![NullField]),
        (with(r#""status":{"code":"STATUS_CODE_ERROR"}"#), vec![EnumName]),
        (with(r#""status":{"deprecatedCode":2}"#), vec![]),
        (with(r#""status":null,"events":null,"links":null,"attributes":null"#), vec![NullField]),
        (with(r#""flags":"257""#), vec![NumberForm]),
        (with(r#""droppedAttributesCount":1.0"#), vec![NumberForm]),
        (with(r#""unknown":{"deep":[1,{"x":null}]}"#), vec![]),
        (with(r#""name":"twice""#).replace("\"twice\"", "\"n\""), vec![DuplicateKey]),
        (with(r#""attributes":{"k":"v"}"#), vec![ForeignValue]),
        (id("W47/95gDgQPSabYzgT/GDA=="), vec![IdBase64]),
        (id("0x5b8efff798038103d269b633813fc60c"), vec![IdPrefix]),
        (id("5b8efff7-9803-8103-d269-b633813fc60c"), vec![IdDashed]),
        (id("5B8EFFF798038103D269B633813FC60C"), vec![]),
        (id("abc"), vec![IdLength]),
        (id("trace_001"), vec![IdNotHex]),
        (id("00000000000000000000000000000000"), vec![IdZero]),
        (document().replace(r#""5""#, "5"), vec![NumberForm]),
        (document().replace(r#""5""#, "5.0"), vec![NumberForm]),
        (document().replace(r#""5""#, r#"{"low":5,"high":0}"#), vec![NumberPair]),
        (document().replace(r#""5""#, r#""tomorrow""#), vec![NumberForm, BadNumber]),
        (document().replace(r#""5""#, r#""1970-01-01T00:00:00.000000005Z""#), vec![NumberForm, TimeText]),
        (value("{}"), vec![EmptyValue]),
        (value("null"), vec![NullField]),
        (value(r#"{"stringValue":null}"#), vec![NullField]),
        (value(r#"{"doubleValue":null}"#), vec![NullField]),
        (value(r#"{"intValue":5893.0}"#), vec![NumberForm]),
        (value(r#"{"intValue":7}"#), vec![NumberForm]),
        (value(r#"{"intValue":"99999999999999999999"}"#), vec![BadNumber]),
        (value(r#"{"doubleValue":"NaN"}"#), vec![]),
        (value(r#"{"doubleValue":"-Infinity"}"#), vec![]),
        (value(r#"{"doubleValue":NaN}"#), vec![BareNaN]),
        (value(r#"{"doubleValue":-Infinity}"#), vec![BareNaN]),
        (value(r#"{"string_value":"x"}"#), vec![SnakeCaseKey]),
        (value(r#"{"Value":{"StringValue":"x"}}"#), vec![ForeignValue]),
        (value(r#""bare""#), vec![ForeignValue]),
        (value(r#"{"stringValue":"a","intValue":"1"}"#), vec![TwoValues]),
        (value(r#"{"strangeValue":1}"#), vec![UnknownValue]),
        (value(r#"{"arrayValue":{}}"#), vec![]),
        (value(r#"{"kvlistValue":{}}"#), vec![]),
        (value(r#"{"arrayValue":{"values":[{},null]}}"#), vec![EmptyValue, NullField]),
        (value(r#"{"stringValue":"\ud800"}"#), vec![LoneSurrogate]),
        (value(r#"{"stringValue":"\q"}"#), vec![BadEscape]),
        (with(r#""attributes":[{"key":"k"}]"#), vec![EmptyValue]),
        (with(r#""attributes":"none""#), vec![WrongType]),
    ];
    for (text, troubles) in cases {
        let capture = read(text.as_bytes());
        assert_eq!((capture.len(), kinds(&capture)), (1, troubles), "{text}");
        assert_eq!(capture.name(SpanRef(0)), "n", "{text}");
        assert_eq!(capture.head(SpanRef(0)).id, SpanId(0xeee1_9b7e_c3c1_b174), "{text}");
    }
    let mut bytes = value(r#"{"stringValue":"bad X"}"#).into_bytes();
    let at = bytes.iter().position(|c| *c == b'X').expect("an X");
    bytes[at] = 0xff;
    assert_eq!(kinds(&read(&bytes)), [BadUtf8]);
}

#[test]
fn a_trouble_says_where_it_is() {
    let bad = request(&format!(
        r#"{},"attributes":[{{"key":"a","value":{{"intValue":1}}}},{{"key":"b","value":{{"doubleValue":NaN}}}}]"#,
        plain()
    ));
    let text = format!("{}\nnoise\n{bad}\n{bad}\n", document());
    let capture = read(text.as_bytes());
    let find = |kind| capture.troubles().iter().find(|trouble| trouble.kind == kind).cloned().expect("it is told");
    let Trouble { line, offset, json_path, trace_id, span_id, count, .. } = find(TroubleKind::BareNaN);
    assert_eq!(json_path, "resourceSpans[0].scopeSpans[0].spans[0].attributes[1].value.doubleValue");
    assert_eq!((line, count), (3, 2));
    assert_eq!(&text[offset as usize..offset as usize + 3], "NaN");
    assert_eq!(
        (trace_id.map(|id| id.to_string()), span_id.map(|id| id.to_string())),
        (Some(TRACE.into()), Some(SPAN.into()))
    );
    assert_eq!(find(TroubleKind::OtherText).line, 2);
}

#[test]
fn values_come_out_as_they_were_meant() {
    let values = r#"[{"key":"s","value":{"stringValue":"a\n\u00e9\ud83d\ude00"}},{"key":"e","value":{"stringValue":""}},{"key":"none","value":{}},
      {"key":"i","value":{"intValue":"-9223372036854775808"}},{"key":"d","value":{"doubleValue":"Infinity"}},{"key":"b","value":{"boolValue":true}},
      {"key":"bytes","value":{"bytesValue":"AP8"}},{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},{},{"stringValue":"x"}]}}},
      {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}}]"#;
    let detail = detail(
        request(&format!(r#"{},"attributes":{values},"traceState":"a=b","flags":769,"kind":3"#, plain())).as_bytes(),
    );
    let value = |key: &str| detail.attribute(key).cloned().expect("it is there");
    assert_eq!(value("s"), Value::String("a\né😀".into()));
    assert_eq!((value("e"), value("none")), (Value::String(String::new()), Value::Empty));
    assert_eq!(value("i"), Value::Int(i64::MIN));
    assert_eq!(value("d"), Value::Double(f64::INFINITY));
    assert_eq!((value("b"), value("bytes")), (Value::Bool(true), Value::Bytes(vec![0, 255])));
    assert_eq!(value("a"), Value::Array(vec![Value::Int(1), Value::Empty, Value::String("x".into())]));
    assert!(matches!(value("m"), Value::Map(members) if members[0].value == Value::Bool(false)));
    assert_eq!((detail.trace_state.as_str(), detail.flags), ("a=b", 769));
    assert_eq!(detail.resource.attributes[0].value, Value::String("svc".into()));
    assert_eq!(detail.scope.name, "lib");
}

#[test]
fn nesting_of_any_depth_is_survived() {
    for depth in [40, 64, 200, 511] {
        let value =
            format!("{}{{\"intValue\":\"1\"}}{}", r#"{"arrayValue":{"values":["#.repeat(depth), "]}}".repeat(depth));
        let text = request(&format!(r#"{},"attributes":[{{"key":"k","value":{value}}}]"#, plain()));
        assert_eq!(kinds(&read(text.as_bytes())), [], "{depth} levels are fine");
    }
    for depth in [600, 10_000, 100_000] {
        let value =
            format!("{}{{\"intValue\":\"1\"}}{}", r#"{"arrayValue":{"values":["#.repeat(depth), "]}}".repeat(depth));
        let text = request(&format!(r#"{},"attributes":[{{"key":"k","value":{value}}}]"#, plain()));
        let capture = read(text.as_bytes());
        assert_eq!((capture.len(), kinds(&capture)), (1, vec![TroubleKind::TooDeep]));
    }
    let unknown = format!(r#"{},"x":{}1{}"#, plain(), "[".repeat(300_000), "]".repeat(300_000));
    assert_eq!(read(request(&unknown).as_bytes()).len(), 1);
    assert_eq!(read("[".repeat(300_000).as_bytes()).len(), 0);
    assert_eq!(read("{\"resourceSpans\":".repeat(100_000).as_bytes()).len(), 0);
}

#[test]
fn every_way_down_ends_at_the_same_level() {
    let ways = [
        (r#"{"kvlistValue":{"values":[{"key":"a","value":"#, "}]}}"),
        (r#"{"kvlistValue":{"values":[{"value":"#, r#","key":"a"}]}}"#),
        (r#"{ "kvlistValue": { "values": [ { "key": "a", "value": "#, " } ] } }"),
        (r#"{"stringValue":"x","kvlistValue":{"values":[{"key":"a","value":"#, "}]}}"),
        (r#"{"stringValue":"x","arrayValue":{"values":["#, "]}}"),
        (r#"{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"s"},"value":"#, "}]}}"),
        (r#"{"kvlist_value":{"values":[{"key":"a","value":"#, "}]}}"),
    ];
    for (open, close) in ways {
        for (depth, fits) in [(511, true), (512, true), (513, false), (514, false), (5_000, false), (100_000, false)] {
            let value = format!("{}{{\"intValue\":\"1\"}}{}", open.repeat(depth), close.repeat(depth));
            let more = format!(r#"{},"attributes":[{{"key":"k","value":{value}}},{{"key":"z"}}]"#, plain());
            let text = request(&more);
            for text in [text.clone(), text.replacen("\"attributes\"", "\"events\":[],\"attributes\"", 1)] {
                let capture = read(text.as_bytes());
                let deep = kinds(&capture).contains(&TroubleKind::TooDeep);
                assert_eq!((capture.len(), deep), (1, !fits), "{open} {depth}");
                assert_eq!(detail(text.as_bytes()).attributes.len(), 2, "{open} {depth}");
            }
        }
    }
}

/// The protobuf message of [`document`], written by hand.
fn message() -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).expect("hex")).collect()
    };
    let time = |number: u8, nanos: u64| [&[number << 3 | 1][..], &nanos.to_le_bytes()].concat();
    let span = [field(1, &hex(TRACE)), field(2, &hex(SPAN)), field(5, b"n"), time(7, 5), time(8, 9)].concat();
    let attribute = [field(1, b"service.name"), field(2, &field(1, b"svc"))].concat();
    let scope_spans = [field(1, &field(1, b"lib")), field(2, &span)].concat();
    field(1, &[field(1, &field(1, &attribute)), field(2, &scope_spans)].concat())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

#[test]
fn messages_in_every_framing_and_compression_are_read() {
    let message = message();
    let framed = |bytes: &[u8]| [(bytes.len() as u32).to_be_bytes().to_vec(), bytes.to_vec()].concat();
    let delimited = [vec![message.len() as u8], message.clone()].concat();
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).expect("memory takes all");
    let lines = format!("{}\n", document()).into_bytes();
    let cases: Vec<(&str, Vec<u8>, usize)> = vec![
        ("one message", message.clone(), 1),
        ("merged messages", message.repeat(3), 3),
        ("length-prefixed", framed(&message).repeat(4), 4),
        ("varint-delimited", delimited.repeat(2), 2),
        ("field 1000", rewrite_as_legacy(&message), 1),
        ("gzip", gzip(&lines), 1),
        ("gzip members", [gzip(&lines), gzip(&lines)].concat(), 2),
        ("gzip of messages", gzip(&framed(&message)), 1),
        ("zstd", zstd(&lines), 1),
        ("zstd frames", [zstd(&lines), zstd(&lines)].concat(), 2),
        ("zstd of messages", zstd(&framed(&message).repeat(2)), 2),
        ("zstd messages", framed(&zstd(&message)).repeat(3), 3),
        ("zstd messages of JSON", framed(&zstd(document().as_bytes())).repeat(2), 2),
    ];
    for (what, bytes, spans) in cases {
        let capture = read(&bytes);
        assert_eq!(capture.len(), spans, "{what}: {:?}", capture.troubles());
        for span in capture.spans() {
            let head = capture.head(span);
            assert_eq!((capture.name(span), capture.service(span), head.start, head.end), ("n", "svc", 5, 9), "{what}");
            assert_eq!(
                (head.trace, head.id),
                (TraceId(0x5b8e_fff7_9803_8103_d269_b633_813f_c60c), SpanId(0xeee1_9b7e_c3c1_b174))
            );
        }
    }
}

/// The same message with its ScopeSpans in field 1000.
fn rewrite_as_legacy(message: &[u8]) -> Vec<u8> {
    let inner = &message[2..];
    let resource = 2 + inner[1] as usize;
    let (resource, scope_spans) = inner.split_at(resource);
    let body = [resource, &[0xc2, 0x3e], &scope_spans[1..]].concat();
    [&[0x0a, body.len() as u8], &body[..]].concat()
}

#[test]
fn what_is_cut_off_yields_what_it_holds() {
    let lines = document().replace("\"n\"", &format!("\"{}\"", "n".repeat(40))) + "\n";
    let many: String = (0..4000).map(|n| lines.replace(SPAN, &format!("{:016x}", n + 1))).collect();
    let whole: BTreeSet<SpanId> = (1..=4000).map(SpanId).collect();
    let packed = [gzip(many.as_bytes()), zstd::stream::encode_all(many.as_bytes(), 3).expect("memory takes all")];
    for bytes in packed {
        let capture = read(&bytes[..bytes.len() * 3 / 4]);
        let found: BTreeSet<SpanId> = capture.heads().map(|head| head.id).collect();
        assert!(found.len() > 1000 && found.is_subset(&whole), "{}", found.len());
        assert!(kinds(&capture).contains(&TroubleKind::Truncated));
    }
    let frames: Vec<u8> = [(message().len() as u32).to_be_bytes().to_vec(), message()].concat().repeat(10);
    let capture = read(&frames[..frames.len() - 3]);
    assert_eq!((capture.len(), kinds(&capture)), (9, vec![TroubleKind::Truncated]));
}

#[test]
fn inputs_without_spans_say_what_they_are() {
    let cases: [(&[u8], &str); 7] = [
        (b"", "empty"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0", "binary"),
        (br#"[{"trace_id":"a","span_id":"b","name":"n","attributes":{}}]"#, "flat list of spans"),
        (br#"{"traceEvents":[]}"#, "Chrome"),
        (br#"{"id":"1","traceId":"t","type":"GENERATION","startTime":"x","name":"n"}"#, "Langfuse"),
        (br#"{"hello":"world"}"#, "hello"),
    ];
    for (bytes, looks) in cases {
        let capture = read(bytes);
        let said = capture.sources()[0].looks_like.clone().unwrap_or_default();
        assert!(capture.is_empty() && said.contains(looks), "{said:?} should mention {looks}");
    }
    for (text, looks) in [
        (r#"{"resourceLogs":[{}]}"#, "logs only"),
        (r#"{"resourceLogs":[]}{"resourceMetrics":[]}"#, "logs and metrics only"),
        (r#"{"resourceSpans":[]}"#, "OTLP without spans"),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"#, "cut off"),
        ("hello\nworld\n", "text without"),
    ] {
        let said = read(text.as_bytes()).sources()[0].looks_like.clone().unwrap_or_default();
        assert!(said.contains(looks), "{said:?} should mention {looks}");
    }
}

#[test]
fn one_bad_file_never_costs_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("a.jsonl"), document()).expect("a file");
    std::fs::write(path("b.bin"), b"\x7fELF\0\0\0\0").expect("a file");
    std::fs::write(path("c.jsonl"), document().replace(SPAN, "00000000000000aa")).expect("a file");
    let inputs = [path("a.jsonl"), path("missing"), path("b.bin"), path("c.jsonl")];
    let capture = open(&inputs, &Options::default(), &mut |_| {}).expect("the others are read");
    assert_eq!(capture.len(), 2);
    assert_eq!(kinds(&capture), [TroubleKind::Unreadable]);
    assert_eq!(capture.sources().iter().map(|source| source.spans).collect::<Vec<_>>(), [1, 0, 0, 1]);
    assert!(open(&[path("missing")], &Options::default(), &mut |_| {}).is_err());
}

#[test]
fn threads_and_blocks_change_nothing() {
    let filler = "x".repeat(900);
    let line = |n: u64| {
        let attributes = format!(r#""attributes":[{{"key":"p","value":{{"stringValue":"{filler}"}}}}]"#);
        request(&format!(r#""traceId":"{:032x}","spanId":"{n:016x}","name":"n{}",{attributes}"#, n / 7 + 1, n % 5))
    };
    let lines: Vec<String> = (1..=9000).map(line).collect();
    let mut pretty_in_the_middle = lines.clone();
    pretty_in_the_middle[4000] = pretty_in_the_middle[4000].replace("[{", "[\n{").replace("},{", "},\n{");
    let one = format!(
        "{{\"resourceSpans\":[{}]}}",
        lines.iter().map(|l| &l[18..l.len() - 2]).collect::<Vec<_>>().join(",\n")
    );
    let folder = tempfile::tempdir().expect("a folder");
    for (number, text) in
        [lines.join("\n"), pretty_in_the_middle.join("\n"), one, format!("[{}]", lines.join(",\n"))].iter().enumerate()
    {
        let path = folder.path().join(format!("{number}")).display().to_string();
        std::fs::write(&path, text).expect("a file");
        for jobs in [1, 2, 5] {
            let options = Options { jobs, ..Options::default() };
            let capture = open(std::slice::from_ref(&path), &options, &mut |_| {}).expect("it opens");
            let ids: Vec<u64> = capture.heads().map(|head| head.id.0).collect();
            assert_eq!(ids, (1..=9000).collect::<Vec<_>>(), "input {number} on {jobs} threads");
            let names: Vec<&str> = capture.spans().take(6).map(|span| capture.name(span)).collect();
            assert_eq!(names, ["n1", "n2", "n3", "n4", "n0", "n1"]);
            assert!(capture.spans().all(|span| capture.service(span) == "svc"));
            assert_eq!(kinds(&capture), []);
        }
    }
}

#[test]
fn a_file_that_changes_under_the_reader_is_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.jsonl");
    let two = format!("{}\n{}\n", document(), document().replace(SPAN, "00000000000000aa"));
    for after in [String::new(), two.replace(TRACE, "0af7651916cd43dd8448eb211c80319c"), "x".repeat(two.len())] {
        std::fs::write(&path, &two).expect("a file");
        let capture = open(&[path.display().to_string()], &Options::default(), &mut |_| {}).expect("it opens");
        std::fs::write(&path, &after).expect("a file");
        let spans: Vec<SpanRef> = capture.spans().collect();
        let details = capture.details(&spans).expect("a change is no failure");
        assert_eq!(details, [None, None], "what is there now are not those spans");
        assert_eq!(capture.name(SpanRef(0)), "n");
    }
    std::fs::remove_file(&path).expect("it is there");
}

#[test]
fn what_came_through_a_pipe_can_be_read_again() {
    let many: String = (1..=30_000).map(|n| document().replace(SPAN, &format!("{n:016x}")) + "\n").collect();
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    let feeding = fifo.clone();
    let thread = std::thread::spawn(move || std::fs::write(feeding, many));
    let capture = open(&[fifo.display().to_string()], &Options::default(), &mut |_| {}).expect("it opens");
    thread.join().expect("the writer ends").expect("all of it");
    assert_eq!(capture.len(), 30_000);
    let wanted = [SpanRef(29_999), SpanRef(0)];
    let details = capture.details(&wanted).expect("they were kept");
    let ids: Vec<u64> = details.iter().flatten().map(|detail| detail.span_id.0).collect();
    assert_eq!(ids, [30_000, 1]);
}
