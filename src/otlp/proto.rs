//! The leaves of an OTLP/protobuf message: span, resource, scope, attribute, value.
//!
//! Comes in: the bytes of one leaf. Goes out: the leaf in place. Unknown fields are stepped over, text that is not UTF-8 is
//! kept and noted; only broken framing costs the leaf.
//!
//! Field numbers: opentelemetry-proto v1.11 `trace.proto`, `common.proto`, `resource.proto`.

use super::ascii::is_ascii;
use super::id::{self, Width};
use super::notes::Notes;
use super::raw::{
    Nested, RawAttribute, RawEntityRef, RawEvent, RawId, RawLink, RawResource, RawScope, RawSpan, RawValue, Shape,
    Text, Wire,
};
use super::trouble::TroubleKind;
use super::value::MAX_DEPTH;

/// The bytes are not a protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The value of a field on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    Group,
}

/// A walk over the fields of one message.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Walk<'a> {
    #[inline(always)]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    #[inline(always)]
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Malformed)?;
            self.at += 1;
            if shift < 63 || byte <= 1 {
                value |= u64::from(byte & 0x7f) << shift;
            } else {
                return Err(Malformed);
            }
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    #[inline(always)]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(length).ok_or(Malformed)?;
        let bytes = self.bytes.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(bytes)
    }

    /// The next field: its number and value. Nothing at the end of the message.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<(u32, Field<'a>)>, Malformed> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number != 0).ok_or(Malformed)?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Field::Bytes(self.take(length)?)
            }
            1 => Field::Fixed64(self.take(8)?.try_into().map(u64::from_le_bytes).map_err(|_| Malformed)?),
            5 => Field::Fixed32(self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| Malformed)?),
            3 => self.skip_group()?,
            _ => return Err(Malformed),
        };
        Ok(Some((number, field)))
    }

    /// Steps over a group, a form of nesting that OTLP never used.
    #[cold]
    fn skip_group(&mut self) -> Result<Field<'a>, Malformed> {
        let mut depth = 1usize;
        while depth > 0 {
            match self.varint()? & 7 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                    self.take(length)?;
                }
                3 => depth += 1,
                4 => depth -= 1,
                5 => drop(self.take(4)?),
                _ => return Err(Malformed),
            }
        }
        Ok(Field::Group)
    }
}

/// The rest of a message, if it is one length-delimited field (its tag taken already) and nothing else.
#[inline(always)]
pub(super) fn delimited(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = match bytes {
        [length @ 0..0x80, rest @ ..] => (usize::from(*length), rest),
        [low, high @ 0..0x80, rest @ ..] => (usize::from(*low & 0x7f) | usize::from(*high) << 7, rest),
        [low, middle, high @ 0..0x80, rest @ ..] => {
            (usize::from(*low & 0x7f) | usize::from(*middle & 0x7f) << 7 | usize::from(*high) << 14, rest)
        }
        _ => return None,
    };
    (rest.len() == length).then_some(rest)
}

/// Reads leaves; notes go to `notes` with offsets relative to `base`, the buffer the leaves are slices of.
pub(super) struct Leaves<'n> {
    pub(super) notes: &'n mut Notes,
    /// Where the leaf that is read begins, for the notes.
    pub(super) at: usize,
    /// Fields of the leaf, or of what is in it, that no version known here has.
    pub(super) unknown: u32,
    /// Nested values are taken as they are, unchecked.
    shallow: bool,
}

impl<'n> Leaves<'n> {
    pub(super) fn new(notes: &'n mut Notes, at: usize) -> Self {
        Self { notes, at, unknown: 0, shallow: false }
    }
}

impl Leaves<'_> {
    #[cold]
    fn note(&mut self, kind: TroubleKind) {
        self.notes.add(kind, self.at);
    }

    #[inline(always)]
    fn text<'a>(&mut self, bytes: &'a [u8]) -> Text<'a> {
        let sound = is_ascii(bytes) || simdutf8::basic::from_utf8(bytes).is_ok();
        if !sound {
            self.note(TroubleKind::BadUtf8);
        }
        Text { raw: bytes, escaped: false, sound }
    }

    #[inline(always)]
    pub(super) fn id<'a>(&mut self, bytes: &'a [u8], width: Width) -> RawId<'a> {
        let (id, trouble) = id::of_bytes(bytes, width);
        if let Some(trouble) = trouble {
            self.note(trouble);
        }
        id
    }

    /// A `Span` into `span`, which is cleared first.
    #[inline]
    pub(super) fn span<'a>(&mut self, bytes: &'a [u8], span: &mut RawSpan<'a>) -> Result<(), Malformed> {
        span.clear();
        span.shape = Shape::OtlpProto;
        span.raw = bytes;
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (1, Field::Bytes(id)) => span.trace_id = self.id(id, Width::Trace),
                (2, Field::Bytes(id)) => span.span_id = self.id(id, Width::Span),
                (3, Field::Bytes(text)) => span.trace_state = self.text(text),
                (4, Field::Bytes(id)) => span.parent_id = self.id(id, Width::Span),
                (5, Field::Bytes(text)) => span.name = self.text(text),
                (6, Field::Varint(kind)) => span.kind = kind as i32,
                (7, Field::Fixed64(time)) => span.start = time,
                (8, Field::Fixed64(time)) => span.end = time,
                (9, Field::Bytes(bytes)) => span.push(self.attribute(bytes, 0)?),
                (10, Field::Varint(count)) => span.dropped_attributes = count as u32,
                (11, Field::Bytes(bytes)) => {
                    let event = self.event(bytes, &mut span.pool)?;
                    span.events.push(event);
                }
                (12, Field::Varint(count)) => span.dropped_events = count as u32,
                (13, Field::Bytes(bytes)) => {
                    let link = self.link(bytes, &mut span.pool)?;
                    span.links.push(link);
                }
                (14, Field::Varint(count)) => span.dropped_links = count as u32,
                (15, Field::Bytes(bytes)) => self.status(bytes, span)?,
                (16, Field::Fixed32(flags)) => span.flags = flags,
                (1..=16, _) => self.note(TroubleKind::WrongType),
                _ => self.unknown += 1,
            }
        }
        span.settle();
        span.unknown = std::mem::take(&mut self.unknown);
        Ok(())
    }

    fn status<'a>(&mut self, bytes: &'a [u8], span: &mut RawSpan<'a>) -> Result<(), Malformed> {
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (2, Field::Bytes(text)) => span.message = self.text(text),
                (3, Field::Varint(code)) => span.status = code as i32,
                // `deprecated_code` of protocol versions before 1.0: anything but 0 was an error.
                (1, Field::Varint(1..)) if span.status == 0 => span.status = 2,
                (4.., _) => self.unknown += 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn event<'a>(&mut self, bytes: &'a [u8], pool: &mut Vec<RawAttribute<'a>>) -> Result<RawEvent<'a>, Malformed> {
        let from = pool.len();
        let mut event = RawEvent::default();
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (1, Field::Fixed64(time)) => event.time = time,
                (2, Field::Bytes(text)) => event.name = self.text(text),
                (3, Field::Bytes(bytes)) => {
                    let attribute = self.attribute(bytes, 0)?;
                    pool.push(attribute);
                }
                (4, Field::Varint(count)) => event.dropped = count as u32,
                (1..=4, _) => self.note(TroubleKind::WrongType),
                _ => self.unknown += 1,
            }
        }
        event.attributes = from..pool.len();
        Ok(event)
    }

    fn link<'a>(&mut self, bytes: &'a [u8], pool: &mut Vec<RawAttribute<'a>>) -> Result<RawLink<'a>, Malformed> {
        let from = pool.len();
        let mut link = RawLink::default();
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (1, Field::Bytes(id)) => link.trace_id = self.id(id, Width::Trace),
                (2, Field::Bytes(id)) => link.span_id = self.id(id, Width::Span),
                (3, Field::Bytes(text)) => link.trace_state = self.text(text),
                (4, Field::Bytes(bytes)) => {
                    let attribute = self.attribute(bytes, 0)?;
                    pool.push(attribute);
                }
                (5, Field::Varint(count)) => link.dropped = count as u32,
                (6, Field::Fixed32(flags)) => link.flags = flags,
                (1..=6, _) => self.note(TroubleKind::WrongType),
                _ => self.unknown += 1,
            }
        }
        link.attributes = from..pool.len();
        Ok(link)
    }

    /// A `KeyValue`. Its two fields in order, as every exporter writes them, are taken at a glance.
    #[inline(always)]
    pub(super) fn attribute<'a>(&mut self, bytes: &'a [u8], depth: usize) -> Result<RawAttribute<'a>, Malformed> {
        if let [0x0a, length @ 0..0x80, rest @ ..] = bytes
            && let Some((key, [0x12, rest @ ..])) = rest.split_at_checked(usize::from(*length))
            && let Some(value) = delimited(rest)
        {
            return Ok(RawAttribute { key: self.text(key), value: self.any_value(value, depth)? });
        }
        self.attribute_slowly(bytes, depth)
    }

    fn attribute_slowly<'a>(&mut self, bytes: &'a [u8], depth: usize) -> Result<RawAttribute<'a>, Malformed> {
        let mut attribute = RawAttribute::default();
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (1, Field::Bytes(text)) => attribute.key = self.text(text),
                (2, Field::Bytes(bytes)) => attribute.value = self.any_value(bytes, depth)?,
                (1 | 2, _) => self.note(TroubleKind::WrongType),
                _ => self.unknown += 1,
            }
        }
        Ok(attribute)
    }

    /// An `AnyValue`. One member alone, as nearly all of them have, is taken at a glance.
    #[inline(always)]
    fn any_value<'a>(&mut self, bytes: &'a [u8], depth: usize) -> Result<RawValue<'a>, Malformed> {
        match bytes {
            [0x0a, rest @ ..] => {
                if let Some(text) = delimited(rest) {
                    return Ok(RawValue::Text(self.text(text)));
                }
            }
            [0x18, byte @ 0..0x80] => return Ok(RawValue::Int(i64::from(*byte))),
            [0x18, low @ 0x80..=0xff, high @ 0..0x80] => {
                return Ok(RawValue::Int(i64::from(*low & 0x7f) | i64::from(*high) << 7));
            }
            [0x10, byte @ 0..2] => return Ok(RawValue::Bool(*byte == 1)),
            _ => {}
        }
        self.any_members(bytes, depth)
    }

    /// The members of an `AnyValue`, however many; the last one counts.
    fn any_members<'a>(&mut self, bytes: &'a [u8], depth: usize) -> Result<RawValue<'a>, Malformed> {
        let mut value = RawValue::Empty;
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            value = match (number, field) {
                (1, Field::Bytes(text)) => RawValue::Text(self.text(text)),
                (2, Field::Varint(yes)) => RawValue::Bool(yes != 0),
                (3, Field::Varint(number)) => RawValue::Int(number.cast_signed()),
                (4, Field::Fixed64(bits)) => RawValue::Double(f64::from_bits(bits)),
                (5, Field::Bytes(bytes)) => self.nested(bytes, false, depth + 1)?,
                (6, Field::Bytes(bytes)) => self.nested(bytes, true, depth + 1)?,
                (7, Field::Bytes(bytes)) => RawValue::Bytes(bytes),
                (8, _) => {
                    self.note(TroubleKind::UnknownValue);
                    value
                }
                (1..=7, _) => {
                    self.note(TroubleKind::WrongType);
                    value
                }
                _ => value,
            };
        }
        Ok(value)
    }

    fn nested<'a>(&mut self, bytes: &'a [u8], map: bool, depth: usize) -> Result<RawValue<'a>, Malformed> {
        if depth > MAX_DEPTH {
            self.note(TroubleKind::TooDeep);
            return Ok(RawValue::Empty);
        }
        let mut walk = Walk::new(if self.shallow { &[] } else { bytes });
        while let Some((number, field)) = walk.next()? {
            if let (1, Field::Bytes(member)) = (number, field) {
                if map {
                    self.attribute(member, depth)?;
                } else {
                    self.any_value(member, depth)?;
                }
            }
        }
        Ok(RawValue::Nested(Nested { raw: bytes, wire: Wire::Proto, map }))
    }

    /// A `Resource`.
    pub(super) fn resource<'a>(&mut self, bytes: &'a [u8]) -> Result<RawResource<'a>, Malformed> {
        let mut resource = RawResource { raw: bytes, ..RawResource::default() };
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (1, Field::Bytes(bytes)) => resource.attributes.push(self.attribute(bytes, 0)?),
                (2, Field::Varint(count)) => resource.dropped = count as u32,
                (3, Field::Bytes(bytes)) => resource.entity_refs.push(self.entity_ref(bytes)?),
                (4.., _) => self.unknown += 1,
                _ => {}
            }
        }
        resource.unknown = std::mem::take(&mut self.unknown);
        Ok(resource)
    }

    fn entity_ref<'a>(&mut self, bytes: &'a [u8]) -> Result<RawEntityRef<'a>, Malformed> {
        let mut entity = RawEntityRef::default();
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (1, Field::Bytes(text)) => entity.schema_url = self.text(text),
                (2, Field::Bytes(text)) => entity.kind = self.text(text),
                (3, Field::Bytes(text)) => entity.id_keys.push(self.text(text)),
                (4, Field::Bytes(text)) => entity.description_keys.push(self.text(text)),
                (5.., _) => self.unknown += 1,
                _ => {}
            }
        }
        Ok(entity)
    }

    /// An `InstrumentationScope` (or the older `InstrumentationLibrary`, which has the first two fields of it).
    pub(super) fn scope<'a>(&mut self, bytes: &'a [u8]) -> Result<RawScope<'a>, Malformed> {
        let mut scope = RawScope { raw: bytes, ..RawScope::default() };
        let mut walk = Walk::new(bytes);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (1, Field::Bytes(text)) => scope.name = self.text(text),
                (2, Field::Bytes(text)) => scope.version = self.text(text),
                (3, Field::Bytes(bytes)) => scope.attributes.push(self.attribute(bytes, 0)?),
                (4, Field::Varint(count)) => scope.dropped = count as u32,
                (5.., _) => self.unknown += 1,
                _ => {}
            }
        }
        scope.unknown = std::mem::take(&mut self.unknown);
        Ok(scope)
    }
}

/// The members of a checked array or map. What is nested in them is not looked at.
pub(super) fn members<'a>(nested: &Nested<'a>) -> Result<Vec<RawAttribute<'a>>, Malformed> {
    let mut notes = Notes::default();
    let mut leaves = Leaves { shallow: true, ..Leaves::new(&mut notes, 0) };
    let mut into = Vec::new();
    let mut walk = Walk::new(nested.raw);
    while let Some((number, field)) = walk.next()? {
        if let (1, Field::Bytes(member)) = (number, field) {
            into.push(if nested.map {
                leaves.attribute(member, 0)?
            } else {
                RawAttribute { value: leaves.any_value(member, 0)?, ..RawAttribute::default() }
            });
        }
    }
    Ok(into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn attribute(number: u8, key: &str) -> Vec<u8> {
        field(number, &[field(1, key.as_bytes()), field(2, &[0x18, 7])].concat())
    }

    #[test]
    fn attributes_of_events_and_links_in_between_cost_one_move() {
        const EACH: usize = 2000;
        let one = |n: usize| {
            let event = field(11, &attribute(3, "e"));
            let link = field(13, &attribute(4, "l"));
            [event, attribute(9, &n.to_string()), link].concat()
        };
        let bytes: Vec<u8> = (0..EACH).flat_map(one).collect();
        let mut notes = Notes::default();
        let mut span = RawSpan::default();
        Leaves::new(&mut notes, 0).span(&bytes, &mut span).unwrap();
        let keys: Vec<String> = span.attributes().iter().map(|a| a.key.decode().into_owned()).collect();
        assert!(keys.iter().enumerate().all(|(n, key)| *key == n.to_string()) && keys.len() == EACH);
        assert!(span.events.iter().all(|event| span.pooled(&event.attributes)[0].key.is("e")));
        assert!(span.links.iter().all(|link| span.pooled(&link.attributes)[0].key.is("l")));
        assert!(span.pool.len() <= 4 * EACH, "{}", span.pool.len());
    }
}
