//! Arrays and maps, decoded when somebody asks for them.
//!
//! Comes in: a nested value that a scanner has checked. Goes out: owned values. Deeper levels than the scanners accept
//! read as empty.

use super::cursor::{Cursor, Halt};
use super::json::MAX_DEPTH;
use super::notes::Notes;
use super::proto;
use super::raw::{Nested, RawAttribute, RawValue, Wire};
use crate::model::{Attribute, Value};

/// The value as owned data.
pub(super) fn decode(nested: &Nested<'_>) -> Value {
    decode_at(nested, 0)
}

fn decode_at(nested: &Nested<'_>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Empty;
    }
    let value = |raw: &RawValue<'_>| match raw {
        RawValue::Nested(inner) => decode_at(inner, depth + 1),
        other => other.decode(),
    };
    let members = members(nested);
    if nested.map {
        let attribute = |member: &RawAttribute<'_>| Attribute {
            key: member.key.decode().into_owned(),
            value: value(&member.value),
        };
        Value::Map(members.iter().map(attribute).collect())
    } else {
        Value::Array(members.iter().map(|member| value(&member.value)).collect())
    }
}

/// The members of an array (their keys are empty) or map, in place.
pub(super) fn members<'a>(nested: &Nested<'a>) -> Vec<RawAttribute<'a>> {
    let mut members = Vec::new();
    // The scanners have checked these bytes; what cannot be read all the same stays out.
    let _: Result<(), Halt> = match nested.wire {
        Wire::Json => json_members(nested, &mut members),
        Wire::Plain => plain_members(nested, &mut members),
        Wire::Proto => proto::members(nested, &mut members).map_err(|_| Halt::Syntax),
    };
    members
}

fn json_members<'a>(nested: &Nested<'a>, members: &mut Vec<RawAttribute<'a>>) -> Result<(), Halt> {
    let mut notes = Notes::default();
    let mut cursor = Cursor::new(nested.raw, 0, &mut notes);
    cursor.members(|cursor, key| {
        if key != b"values" {
            return Ok(false);
        }
        members.clear();
        cursor.elements(|cursor| {
            let member = if nested.map {
                cursor.attribute(0)?
            } else {
                RawAttribute { value: cursor.any_value(0)?, ..RawAttribute::default() }
            };
            members.push(member);
            Ok(())
        })?;
        Ok(true)
    })
}

fn plain_members<'a>(nested: &Nested<'a>, members: &mut Vec<RawAttribute<'a>>) -> Result<(), Halt> {
    let mut notes = Notes::default();
    let mut cursor = Cursor::new(nested.raw, 0, &mut notes);
    if nested.map {
        return cursor.plain_members(members);
    }
    cursor.elements(|cursor| {
        members.push(RawAttribute { value: cursor.plain_value()?, ..RawAttribute::default() });
        Ok(())
    })
}
