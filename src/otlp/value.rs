//! Attributes and their values in OTLP/JSON, and ordinary JSON in their place.
//!
//! Comes in: a cursor at an attribute, a value or an enum. Goes out: the same in place; arrays and maps are checked member by member and
//! kept as bytes.

use std::ops::Range;

use super::cursor::{Cursor, Halt};
use super::number;
use super::raw::{Nested, RawAttribute, RawValue, Text, Wire};
use super::tape::Tape;
use super::trouble::TroubleKind;

/// How deep values may nest. The SDKs stop at 64 (specification, `AttributeValueDepthLimit`).
pub(super) const MAX_DEPTH: usize = 512;

/// The members of a `KeyValue`.
const KEY: u32 = 1;
const VALUE: u32 = 1 << 1;

impl<'a> Cursor<'a, '_> {
    /// Attributes into a pool; returns where they are.
    #[inline(always)]
    pub(super) fn attributes(&mut self, pool: &mut Vec<RawAttribute<'a>>) -> Result<Range<usize>, Halt> {
        let from = pool.len();
        if self.peek()? == b'{' {
            self.attribute_object(pool)?;
        } else {
            self.elements(|cursor| {
                let attribute = cursor.attribute(0)?;
                pool.push(attribute);
                Ok(())
            })?;
        }
        Ok(from..pool.len())
    }

    /// Attributes as an ordinary JSON object, which OTLP does not allow.
    #[cold]
    pub(super) fn attribute_object(&mut self, pool: &mut Vec<RawAttribute<'a>>) -> Result<(), Halt> {
        self.note(TroubleKind::ForeignValue);
        self.plain_members(pool)
    }

    /// The members of an ordinary JSON object as attributes.
    pub(super) fn plain_members(&mut self, pool: &mut Vec<RawAttribute<'a>>) -> Result<(), Halt> {
        if self.null()? || !self.enter(b'{', b'}')? {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            let value = self.plain_value()?;
            pool.push(RawAttribute { key, value });
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// An ordinary JSON value.
    pub(super) fn plain_value(&mut self) -> Result<RawValue<'a>, Halt> {
        Ok(match self.peek()? {
            b'"' => RawValue::Text(self.string()?),
            b't' => self.word(b"true").map(|()| RawValue::Bool(true))?,
            b'f' => self.word(b"false").map(|()| RawValue::Bool(false))?,
            b'n' if self.bytes.get(self.at + 1) != Some(&b'a') => self.word(b"null").map(|()| RawValue::Empty)?,
            open @ (b'[' | b'{') => {
                let from = self.at;
                if !self.plain_list(open)? {
                    return Ok(RawValue::Empty);
                }
                let raw = self.bytes.get(from..self.at).unwrap_or_default();
                RawValue::Nested(Nested { raw, wire: Wire::Plain, map: open == b'{' })
            }
            _ => {
                let text = self.number()?;
                let integral = !text.iter().any(|c| matches!(c, b'.' | b'e' | b'E' | b'N' | b'I' | b'n' | b'i'));
                match number::integer(text).filter(|_| integral).and_then(|value| i64::try_from(value).ok()) {
                    Some(value) => RawValue::Int(value),
                    None => RawValue::Double(number::double(text).unwrap_or(0.0)),
                }
            }
        })
    }

    /// An ordinary array or object: checked, and its members taken down where they are wanted. `false` where it is nested too
    /// deeply for that.
    fn plain_list(&mut self, open: u8) -> Result<bool, Halt> {
        let from = self.at;
        let Some(tape) = self.tape.as_deref_mut() else { return self.skip().map(|()| true) };
        if tape.depth() >= MAX_DEPTH {
            return self.skip().map(|()| false);
        }
        tape.begin();
        let mark = tape.mark();
        if self.plain_elements(open).is_err() {
            if let Some(tape) = self.tape.as_deref_mut() {
                tape.abandon(mark);
            }
            self.at = from;
            self.skip()?;
        }
        Ok(true)
    }

    fn plain_elements(&mut self, open: u8) -> Result<(), Halt> {
        let close = if open == b'{' { b'}' } else { b']' };
        let mut more = self.enter(open, close)?;
        while more {
            self.taken_down(|cursor| {
                let key = if open == b'{' { cursor.key()? } else { Text::default() };
                Ok(RawAttribute { key, value: cursor.plain_value()? })
            })?;
            more = self.more(close)?;
        }
        Ok(())
    }

    /// Reads a member, and takes it down where that is wanted. Inlined: every level of nesting has its frame.
    #[inline(always)]
    fn taken_down(&mut self, read: impl FnOnce(&mut Self) -> Result<RawAttribute<'a>, Halt>) -> Result<(), Halt> {
        let mark = self.tape.as_deref_mut().map(Tape::open);
        let member = read(self)?;
        if let (Some(tape), Some(mark)) = (self.tape.as_deref_mut(), mark) {
            tape.close(mark, member);
        }
        Ok(())
    }

    /// A `KeyValue`. What is written without spaces and in order, as every exporter does, is taken at a glance; whatever comes
    /// instead, reading goes on from there, so that no value is read twice.
    #[inline(always)]
    pub(super) fn attribute(&mut self, depth: usize) -> Result<RawAttribute<'a>, Halt> {
        self.peek()?;
        if !self.take(b"{\"key\":\"") {
            return self.attribute_members(RawAttribute::default(), 0, depth);
        }
        let key = self.string_body()?;
        let value = if self.take(b",\"value\":{\"stringValue\":\"") {
            let text = RawValue::Text(self.string_body()?);
            if self.take(b"}}") {
                return Ok(RawAttribute { key, value: text });
            }
            self.more_of_value(Some(text), depth)?
        } else if self.take(b",\"value\":") {
            self.any_value(depth)?
        } else {
            return self.attribute_members(RawAttribute { key, value: RawValue::Empty }, KEY, depth);
        };
        let attribute = RawAttribute { key, value };
        if self.take(b"}") { Ok(attribute) } else { self.attribute_members(attribute, KEY | VALUE, depth) }
    }

    /// The members of a `KeyValue` in any form and order, behind those that were `seen`.
    fn attribute_members(
        &mut self,
        mut attribute: RawAttribute<'a>,
        mut seen: u32,
        depth: usize,
    ) -> Result<RawAttribute<'a>, Halt> {
        let begun = seen != 0;
        let mut member = |cursor: &mut Self, key: &'a [u8]| {
            match key {
                b"key" => {
                    cursor.once(&mut seen, KEY);
                    attribute.key = cursor.text_field()?;
                }
                b"value" => {
                    cursor.once(&mut seen, VALUE);
                    attribute.value = cursor.any_value(depth)?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        };
        if begun {
            self.more_members(&mut member)?
        } else {
            self.members(&mut member)?
        }
        if seen & VALUE == 0 {
            self.note(TroubleKind::EmptyValue);
        }
        Ok(attribute)
    }

    /// An `AnyValue`, or whatever stands in its place. One member alone is taken at a glance.
    pub(super) fn any_value(&mut self, depth: usize) -> Result<RawValue<'a>, Halt> {
        if depth > MAX_DEPTH {
            return self.too_deep();
        }
        match self.peek()? {
            b'{' => {}
            b'n' if self.bytes.get(self.at + 1) != Some(&b'a') => {
                self.null()?;
                return Ok(RawValue::Empty);
            }
            _ => {
                self.note(TroubleKind::ForeignValue);
                return self.plain_value();
            }
        }
        let value = if self.take(b"{\"stringValue\":") {
            self.value_member(b"stringValue", depth)?
        } else if self.take(b"{\"intValue\":") {
            self.value_member(b"intValue", depth)?
        } else if !self.enter(b'{', b'}')? {
            self.note(TroubleKind::EmptyValue);
            return Ok(RawValue::Empty);
        } else {
            let key = self.key()?;
            let mut value = self.value_member(key.raw, depth)?;
            if value.is_none() {
                self.unknown_member(key, &mut |cursor, key| cursor.another_value(&mut value, key, depth))?;
            }
            value
        };
        match value {
            Some(value) if self.take(b"}") => Ok(value),
            value => self.more_of_value(value, depth),
        }
    }

    /// The members of an `AnyValue` behind the first one, however many and in whatever form; the last one counts.
    #[cold]
    fn more_of_value(&mut self, mut value: Option<RawValue<'a>>, depth: usize) -> Result<RawValue<'a>, Halt> {
        self.more_members(&mut |cursor, key| cursor.another_value(&mut value, key, depth))?;
        Ok(value.unwrap_or_else(|| {
            self.note(TroubleKind::UnknownValue);
            RawValue::Empty
        }))
    }

    fn another_value(&mut self, value: &mut Option<RawValue<'a>>, key: &'a [u8], depth: usize) -> Result<bool, Halt> {
        let Some(another) = self.value_member(key, depth)? else { return Ok(false) };
        if value.replace(another).is_some() {
            self.note(TroubleKind::TwoValues);
        }
        Ok(true)
    }

    /// One member of an `AnyValue`; nothing when the key is none.
    #[inline(always)]
    fn value_member(&mut self, key: &'a [u8], depth: usize) -> Result<Option<RawValue<'a>>, Halt> {
        Ok(Some(match key {
            b"stringValue" => match self.peek()? {
                b'"' => RawValue::Text(self.string()?),
                _ => self.ill_typed()?,
            },
            b"intValue" => match self.peek()? {
                b'n' | b't' | b'f' => self.ill_typed()?,
                _ => RawValue::Int(self.signed_field()?),
            },
            b"boolValue" => match self.peek()? {
                b't' => self.word(b"true").map(|()| RawValue::Bool(true))?,
                b'f' => self.word(b"false").map(|()| RawValue::Bool(false))?,
                _ => self.ill_typed()?,
            },
            b"doubleValue" => match self.peek()? {
                b'n' if self.bytes.get(self.at + 1) != Some(&b'a') => self.ill_typed()?,
                b't' | b'f' | b'{' | b'[' => self.ill_typed()?,
                _ => RawValue::Double(self.double()?),
            },
            b"bytesValue" => match self.peek()? {
                b'"' => RawValue::Base64(self.string()?),
                _ => self.ill_typed()?,
            },
            b"arrayValue" => self.nested(false, depth + 1)?,
            b"kvlistValue" => self.nested(true, depth + 1)?,
            b"Value" | b"StringValue" | b"IntValue" | b"BoolValue" | b"DoubleValue" => self.go_value(key, depth + 1)?,
            _ => return Ok(None),
        }))
    }

    /// A value whose member has another JSON type than its name says: null is empty, the rest is taken as it stands.
    #[cold]
    fn ill_typed(&mut self) -> Result<RawValue<'a>, Halt> {
        if self.null()? {
            return Ok(RawValue::Empty);
        }
        self.note(TroubleKind::ForeignValue);
        self.plain_value()
    }

    /// What Go's `encoding/json` makes of the generated structs: `{"Value":{"StringValue":"x"}}`.
    #[cold]
    fn go_value(&mut self, key: &'a [u8], depth: usize) -> Result<RawValue<'a>, Halt> {
        self.note(TroubleKind::ForeignValue);
        if key == b"Value" { self.any_value(depth) } else { self.plain_value() }
    }

    /// Steps over a value that is nested too deeply.
    #[cold]
    fn too_deep(&mut self) -> Result<RawValue<'a>, Halt> {
        self.note(TroubleKind::TooDeep);
        self.skip()?;
        Ok(RawValue::Empty)
    }

    /// An array or map: checked member by member, kept as bytes.
    pub(super) fn nested(&mut self, map: bool, depth: usize) -> Result<RawValue<'a>, Halt> {
        // Here and not only where a value begins: every way down leads through here.
        if depth > MAX_DEPTH {
            return self.too_deep();
        }
        match self.peek()? {
            b'{' => {}
            b'[' => return self.ill_typed(),
            _ => {
                if !self.null()? {
                    self.wrong()?;
                }
                return Ok(RawValue::Empty);
            }
        }
        let from = self.at;
        if let Some(tape) = self.tape.as_deref_mut() {
            tape.begin();
        }
        self.members(|cursor, key| {
            if key != b"values" {
                return Ok(false);
            }
            if let Some(tape) = cursor.tape.as_deref_mut() {
                tape.begin();
            }
            cursor.elements(|cursor| {
                cursor.taken_down(|cursor| match map {
                    true => cursor.attribute(depth),
                    false => Ok(RawAttribute { key: Text::default(), value: cursor.any_value(depth)? }),
                })
            })?;
            Ok(true)
        })?;
        let raw = self.bytes.get(from..self.at).unwrap_or_default();
        Ok(RawValue::Nested(Nested { raw, wire: Wire::Json, map }))
    }

    /// An enum: a number, or its name with or without the protocol's prefix.
    #[inline(always)]
    pub(super) fn enumeration(&mut self, names: &[(&str, i32)]) -> Result<i32, Halt> {
        if self.peek()? != b'"' {
            return self.number_of_enum();
        }
        self.enumeration_by_name(names)
    }

    #[cold]
    fn enumeration_by_name(&mut self, names: &[(&str, i32)]) -> Result<i32, Halt> {
        self.note(TroubleKind::EnumName);
        let text = self.string()?.decode().to_ascii_uppercase();
        if let Ok(number) = text.parse() {
            return Ok(number);
        }
        let bare = ["SPAN_KIND_", "STATUS_CODE_", "SPANKIND.", "STATUSCODE."].iter().find_map(|p| text.strip_prefix(p));
        let found = names.iter().find(|(name, _)| *name == bare.unwrap_or(&text));
        if found.is_none() && !text.is_empty() {
            self.note(TroubleKind::UnknownEnum);
        }
        Ok(found.map_or(0, |(_, number)| *number))
    }
}
