//! Arrays and maps, decoded when somebody asks for them.
//!
//! Comes in: a nested value that a scanner has checked. Goes out: its members in a row, or owned values, in one pass over the
//! bytes. Deeper levels than the scanners accept read as empty.

use super::cursor::{Cursor, Halt};
use super::notes::Notes;
use super::proto::{self, Malformed};
use super::raw::{Nested, RawAttribute, RawValue, Wire};
use super::tape::{Node, Tape, level};
use super::value::MAX_DEPTH;
use crate::model::{Attribute, Value};

/// The value as owned data.
pub(super) fn decode(nested: &Nested<'_>) -> Value {
    owned(nested.map, &nodes(nested))
}

fn owned(map: bool, nodes: &[Node<'_>]) -> Value {
    let value = |raw: &RawValue<'_>, below: &[Node<'_>]| match raw {
        RawValue::Nested(inner) => owned(inner.map, below),
        other => other.decode(),
    };
    if map {
        let attribute = |(member, below): (&RawAttribute<'_>, &[Node<'_>])| Attribute {
            key: member.key.decode().into_owned(),
            value: value(&member.value, below),
        };
        Value::Map(level(nodes).map(attribute).collect())
    } else {
        Value::Array(level(nodes).map(|(member, below)| value(&member.value, below)).collect())
    }
}

/// What is nested in a value, if anything is.
pub(super) fn nodes_of<'a>(value: &RawValue<'a>) -> Vec<Node<'a>> {
    match value {
        RawValue::Nested(nested) => nodes(nested),
        _ => Vec::new(),
    }
}

/// The members of an array or map and what is nested in them, in place.
pub(super) fn nodes<'a>(nested: &Nested<'a>) -> Vec<Node<'a>> {
    let mut tape = Tape::default();
    // The scanners have checked these bytes; what cannot be read all the same stays out.
    match nested.wire {
        Wire::Json | Wire::Plain => {
            let mut notes = Notes::default();
            let mut cursor = Cursor::new(nested.raw, 0, &mut notes);
            cursor.tape = Some(&mut tape);
            let _: Result<RawValue<'a>, Halt> = match nested.wire {
                Wire::Plain => cursor.plain_value(),
                _ => cursor.nested(nested.map, 1),
            };
        }
        Wire::Proto => {
            let _: Result<(), Malformed> = proto_nodes(nested, &mut tape);
        }
    }
    tape.finish()
}

fn proto_nodes<'a>(nested: &Nested<'a>, tape: &mut Tape<'a>) -> Result<(), Malformed> {
    for mut member in proto::members(nested)? {
        let mark = tape.open();
        if let RawValue::Nested(inner) = member.value {
            if tape.depth() < MAX_DEPTH {
                proto_nodes(&inner, tape)?;
            } else {
                member.value = RawValue::Empty;
            }
        }
        tape.close(mark, member);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::raw::Text;

    fn read(json: &str) -> Value {
        let mut notes = Notes::default();
        Cursor::new(json.as_bytes(), 0, &mut notes).any_value(0).unwrap().decode()
    }

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn of_two_values_the_last_one_has_the_members() {
        let list =
            |text: &str| format!(r#"{{"values":[{{"stringValue":"{text}"}},{{"arrayValue":{{"values":[]}}}}]}}"#);
        let pair = |first: &str, second: &str| {
            format!(r#"{{"arrayValue":{{"values":[{{{first},{second}}},{{"boolValue":true}}]}}}}"#)
        };
        let (one, two) = (format!("\"arrayValue\":{}", list("one")), format!("\"arrayValue\":{}", list("two")));
        let inner = |word: &str| Value::Array(vec![text(word), Value::Array(Vec::new())]);
        let cases = [
            (pair(&one, &two), inner("two")),
            (pair(&one, r#""stringValue":"x""#), text("x")),
            (pair(r#""stringValue":"x""#, &one), inner("one")),
            (pair(&one, r#""kvlistValue":{}"#), Value::Map(Vec::new())),
        ];
        for (json, wanted) in cases {
            assert_eq!(read(&json), Value::Array(vec![wanted, Value::Bool(true)]), "{json}");
        }
    }

    #[test]
    fn plain_json_is_read_as_far_as_it_goes() {
        let read = |raw: &str| {
            let nested = Nested { raw: raw.as_bytes(), wire: Wire::Plain, map: false };
            decode(&nested)
        };
        assert_eq!(read(r#"["a",["b",{}],"c"]"#), {
            Value::Array(vec![text("a"), Value::Array(vec![text("b"), Value::Map(Vec::new())]), text("c")])
        });
        let odd = read(r#"["a",["b",,"x"],"c"]"#);
        assert_eq!(odd, Value::Array(vec![text("a"), Value::Array(vec![text("b")]), text("c")]));
    }

    #[test]
    fn every_level_is_read_once() {
        const DEEP: usize = 500;
        let json = format!("{}{}", r#"{"kvlistValue":{"values":[{"key":"k","value":"#.repeat(DEEP), "{}");
        let json = format!("{json}{}", "}]}}".repeat(DEEP));
        let mut notes = Notes::default();
        let RawValue::Nested(nested) = Cursor::new(json.as_bytes(), 0, &mut notes).any_value(0).unwrap() else {
            panic!("no map")
        };
        let nodes = nodes(&nested);
        assert_eq!(nodes.len(), DEEP);
        assert!(nodes.iter().all(|node| node.member.key == Text::plain(b"k")));
    }
}
