//! Input that is made to be slow: whatever its shape, what is read of it costs time and memory in proportion to its size.
//!
//! Comes in: shapes of any size. Goes out: how many bytes reading one takes, of one size and of twice that. Steps are not counted: each
//! shape is so large that a reader that is not linear would plainly never finish.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

use allocation_counter::measure;
use tracectl::capture::{Capture, open};
use tracectl::input::Options;
use tracectl::otlp::TroubleKind;

/// Reads it on this thread, whose allocations are counted: what was read, and how many bytes were allocated.
fn read(bytes: &[u8]) -> (Capture, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    std::fs::write(&path, bytes).unwrap();
    let mut capture = None;
    let options = Options { jobs: 1, ..Options::default() };
    let taken = measure(|| capture = open(&[&path], &options, &mut |_| {}).ok());
    (capture.unwrap(), taken.bytes_total)
}

fn has(capture: &Capture, kind: TroubleKind) -> bool {
    capture.troubles().iter().any(|trouble| trouble.kind == kind)
}

/// A span of OTLP/JSON; `more` stands behind its fields.
fn span(number: usize, more: &str) -> String {
    format!(r#"{{"traceId":"{:032x}","spanId":"{:016x}","name":"n"{more}}}"#, number + 1, number + 1)
}

fn document(spans: &[String]) -> Vec<u8> {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(",")).into_bytes()
}

/// A document with one span that has these members besides.
fn with(more: &str) -> Vec<u8> {
    document(&[span(0, more)])
}

/// A list of so many.
fn list(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(",")
}

/// A field of protobuf that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 127 {
        out.push(length as u8 | 128);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

/// A message with one span that has these fields besides.
fn message(more: &[u8]) -> Vec<u8> {
    let span = [field(1, &[1; 16]), field(2, &[2; 8]), more.to_vec()].concat();
    field(1, &field(2, &field(2, &span)))
}

/// An attribute under this number.
fn attribute(number: u8) -> Vec<u8> {
    field(number, &[field(1, b"key"), field(2, &field(1, b"value"))].concat())
}

/// A span of Jaeger with these members besides.
fn jaeger(more: &str) -> Vec<u8> {
    let span = format!(r#"{{"traceID":"1","spanID":"2","operationName":"o","startTime":1,"duration":1{more}}}"#);
    format!(r#"{{"data":[{{"traceID":"1","spans":[{span}],"processes":{{}}}}]}}"#).into_bytes()
}

/// Each shape, its size, and how it is made. All of them hold at least one span that can be read.
type Shape = (&'static str, usize, fn(usize) -> Vec<u8>);

const SHAPES: &[Shape] = &[
    ("attributes between those of events", 30_000, |n| {
        message(&[attribute(9), field(11, &attribute(3))].concat().repeat(n))
    }),
    ("attributes between those of links", 30_000, |n| {
        message(&[attribute(9), field(13, &attribute(4))].concat().repeat(n))
    }),
    ("attributes", 50_000, |n| {
        with(&format!(
            r#","attributes":[{}]"#,
            list(n, |i| format!(r#"{{"key":"k{i}","value":{{"intValue":"{i}"}}}}"#))
        ))
    }),
    ("one key again and again", 50_000, |n| {
        with(&format!(
            r#","attributes":[{}]"#,
            list(n, |_| r#"{"key":"gen_ai.system","value":{"stringValue":"x"}}"#.into())
        ))
    }),
    ("attributes given again", 50_000, |n| {
        with(&r#","attributes":[{"key":"k","value":{"stringValue":"v"}}]"#.repeat(n))
    }),
    ("events given again", 30_000, |n| {
        with(&r#","events":[{"name":"e","attributes":[{"key":"k","value":{"boolValue":true}}]}]"#.repeat(n))
    }),
    ("values in many small arrays", 20_000, |n| {
        with(&format!(
            r#","attributes":[{{"key":"k","value":{{"arrayValue":{{"values":[{}]}}}}}}]"#,
            list(n, |_| r#"{ "arrayValue": { "values": [ ] } }"#.into())
        ))
    }),
    ("a plain value that is deep", 500_000, |n| {
        with(&format!(r#","attributes":{{"a":{}1{}}}"#, "[".repeat(n), "]".repeat(n)))
    }),
    ("an unknown member that is deep", 500_000, |n| {
        with(&format!(r#","strange":{}1{}"#, "[".repeat(n), "]".repeat(n)))
    }),
    ("members nobody knows before the envelope", 50_000, |n| {
        format!(r#"{{{},{}"#, list(n, |i| format!(r#""k{i}":1"#)), &String::from_utf8(with("")).unwrap()[1..])
            .into_bytes()
    }),
    ("spans that are broken", 20_000, |n| {
        document(&[vec![span(0, "")], (1..n).map(|i| span(i, r#","x":?[[[[[["#)).collect()].concat())
    }),
    ("spans that are broken, on lines", 20_000, |n| {
        document(&[vec![span(0, "")], (1..n).map(|i| span(i, ",\n\"x\":?[[[[[[")).collect()].concat())
    }),
    ("spans that are read to the end, where one is broken", 20_000, |n| {
        let open = (1..n).map(|i| span(i, r#","x":[[[[[["#)).chain([span(n, r#","x":?"#)]).collect();
        document(&[vec![span(0, "")], open].concat())
    }),
    ("lines that are cut off", 20_000, |n| {
        ["{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"a\":\n".repeat(n).into_bytes(), with("")].concat()
    }),
    ("spans of two large processes of Jaeger", 1500, |n| {
        let process =
            format!(r#"{{"serviceName":"s","tags":[{}]}}"#, list(n, |i| format!(r#"{{"key":"k{i}","value":"v"}}"#)));
        let spans = list(n, |i| {
            format!(r#"{{"traceID":"1","spanID":"{:x}","operationName":"o","processID":"p{}"}}"#, i + 1, i % 2)
        });
        format!(r#"{{"data":[{{"traceID":"1","spans":[{spans}],"processes":{{"p0":{process},"p1":{process}}}}}]}}"#)
            .into_bytes()
    }),
    ("lines that begin like documents", 50_000, |n| ["{[{[\n".repeat(n).into_bytes(), with("")].concat()),
    ("resources", 10_000, |n| {
        format!(r#"{{"resourceSpans":[{}]}}"#, list(n, |i| format!(r#"{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"s{i}"}}}}]}},"scopeSpans":[{{"spans":[{}]}}]}}"#, span(i, "")))).into_bytes()
    }),
    ("scopes", 10_000, |n| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{}]}}]}}"#,
            list(n, |i| format!(r#"{{"scope":{{"name":"x{i}"}},"spans":[{}]}}"#, span(i, "")))
        )
        .into_bytes()
    }),
    ("long names", 2_000, |n| {
        document(
            &(0..n).map(|i| span(i, "").replace("\"n\"", &format!("\"{}{i}\"", "x".repeat(2000)))).collect::<Vec<_>>(),
        )
    }),
    ("processes of Jaeger given again", 50_000, |n| {
        jaeger(&r#","process":{"serviceName":"s","tags":[{"key":"k","value":"v"}]}"#.repeat(n))
    }),
    ("tags of Jaeger between logs", 30_000, |n| {
        jaeger(&r#","tags":[{"key":"k","value":"v"}],"logs":[{"fields":[{"key":"k","value":"v"}]}]"#.repeat(n))
    }),
    ("groups of protobuf, which nobody uses", 200_000, |n| {
        message(&[[0x83, 0x01].repeat(n), [0x84, 0x01].repeat(n)].concat())
    }),
];

#[test]
fn twice_the_size_takes_twice_the_memory() {
    for (what, size, make) in SHAPES {
        let (once, twice) = (make(*size), make(2 * size));
        let ((capture, one), (_, two)) = (read(&once), read(&twice));
        assert!(!capture.is_empty(), "{what}");
        let grown = twice.len() as f64 / once.len() as f64;
        // Vectors double, so that twice the size may take a little more than twice.
        let most = (one as f64 * grown * 1.5) as u64 + (8 << 20);
        assert!(two <= most, "{what}: {one} bytes for {}, {two} for {}", once.len(), twice.len());
    }
}

#[test]
fn a_value_is_read_once_however_it_is_spaced() {
    // As deep as the SDKs go, with spaces wherever JSON allows them, in any order and with members nobody knows.
    let forms = [
        r#"{"arrayValue":{"values":[ @ ]} }"#,
        r#"{ "arrayValue" : { "values" : [ @ ] } }"#,
        r#"{"kvlistValue":{"values":[{"key":"k","value":@ }]}}"#,
        r#"{ "kvlistValue" : { "values" : [ { "key" : "k" , "value" : @ } ] } }"#,
        r#"{"kvlistValue":{"values":[{"key":"k","value":@,"more":1}]},"more":1}"#,
        r#"{"more":1,"kvlistValue":{"values":[{"value":@,"key":"k"}]}}"#,
        r#"{"array_value":{"values":[@]}}"#,
    ];
    for form in forms {
        let value = (0..60).fold(r#"{"stringValue":"x"}"#.to_owned(), |value, _| form.replace('@', &value));
        let (capture, _) = read(&with(&format!(r#","attributes":[{{"key":"k","value":{value}}}]"#)));
        assert_eq!(capture.len(), 1, "{form}");
        assert!(!has(&capture, TroubleKind::TooDeep) && !has(&capture, TroubleKind::BrokenSpan), "{form}");
    }
}

#[test]
fn no_depth_takes_the_stack() {
    for form in [r#"{"kvlistValue":{"values":[{"key":"k","value":"#, r#"{"arrayValue":{"values":["#, r#"{"Value":"#] {
        let close = if form.contains("key") {
            "}]}}"
        } else if form.contains("values") {
            "]}}"
        } else {
            "}"
        };
        let value = format!(r#"{}{{}}{}"#, form.repeat(200_000), close.repeat(200_000));
        let (capture, _) = read(&with(&format!(r#","attributes":[{{"key":"k","value":{value}}}]"#)));
        assert!(capture.len() == 1 && has(&capture, TroubleKind::TooDeep), "{form}");
    }
    // A length before every level: in protobuf the size grows with the square of the depth only if lengths do.
    for number in [5, 6] {
        let nest = |value: Vec<u8>| field(number, &field(1, &if number == 6 { field(2, &value) } else { value }));
        let value = (0..3000).fold(field(1, b"x"), |value, _| nest(value));
        let (capture, _) = read(&message(&field(9, &[field(1, b"k"), field(2, &value)].concat())));
        assert!(capture.len() == 1 && has(&capture, TroubleKind::TooDeep), "{number}");
    }
}

#[test]
fn many_inputs_and_many_troubles_are_read_in_linear_time() {
    let folder = tempfile::tempdir().unwrap();
    // A trouble of every kind in each.
    let odd = String::from_utf8(with(r#","kind":"SERVER","kind":null,"flags":"1","droppedLinksCount":"x""#)).unwrap();
    let count = 2000;
    for number in 0..count {
        std::fs::write(folder.path().join(format!("{number}.json")), format!("\u{feff}{odd},\r\n{{\"x\":")).unwrap();
    }
    let capture = open(&[folder.path()], &Options { jobs: 1, ..Options::default() }, &mut |_| {}).unwrap();
    assert_eq!((capture.len(), capture.sources().len()), (count, count));
    assert!(capture.troubles().len() >= 7 * count && capture.troubles().iter().all(|trouble| trouble.count >= 1));
}
