//! A quick look at a request of OTLP/protobuf: is it sound, and how many spans does it hold?
//!
//! Comes in: a whole message. Goes out: a count, or nothing as soon as anything is out of the ordinary; the reader then takes its
//! time and says what it is. Nothing is kept of what is passed, and text is not looked at.

use super::proto::{Field, Malformed, Walk, delimited};
use super::value::MAX_DEPTH;
use crate::model::TraceId;

/// How many spans an ordinary request holds; `seen` hears the trace of each span that differs from the one before.
pub fn glance(request: &[u8], seen: &mut dyn FnMut(TraceId)) -> Option<u64> {
    let mut eye = Eye { spans: 0, last: None, seen };
    eye.request(request).ok().map(|()| eye.spans)
}

struct Eye<'s> {
    spans: u64,
    last: Option<[u8; 16]>,
    seen: &'s mut dyn FnMut(TraceId),
}

impl Eye<'_> {
    fn request(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut walk = Walk::new(bytes);
        while let Some(field) = walk.next()? {
            let (1, Field::Bytes(group)) = field else { return Err(Malformed) };
            self.group(group)?;
        }
        Ok(())
    }

    fn group(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut walk = Walk::new(bytes);
        while let Some(field) = walk.next()? {
            match field {
                (1, Field::Bytes(resource)) => attributes_in(resource, 1)?,
                (2, Field::Bytes(scope)) => self.scope_group(scope)?,
                (3, Field::Bytes(_)) => {}
                _ => return Err(Malformed),
            }
        }
        Ok(())
    }

    fn scope_group(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut walk = Walk::new(bytes);
        while let Some(field) = walk.next()? {
            match field {
                (1, Field::Bytes(scope)) => attributes_in(scope, 3)?,
                (2, Field::Bytes(span)) => self.span(span)?,
                (3, Field::Bytes(_)) => {}
                _ => return Err(Malformed),
            }
        }
        Ok(())
    }

    fn span(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut walk = Walk::new(bytes);
        let mut ids = (None, false);
        while let Some((number, field)) = walk.next()? {
            match (number, field) {
                (9, Field::Bytes(bytes)) => attribute(bytes, 0)?,
                (11, Field::Bytes(bytes)) => attributes_in(bytes, 3)?,
                (13, Field::Bytes(bytes)) => attributes_in(bytes, 4)?,
                (15, Field::Bytes(bytes)) => fields(bytes)?,
                (1, Field::Bytes(id)) => ids.0 = Some(<[u8; 16]>::try_from(id).map_err(|_| Malformed)?),
                (2, Field::Bytes(id)) => ids.1 = id.len() == 8,
                (_, Field::Group) => return Err(Malformed),
                _ => {}
            }
        }
        // Without both ids this may be another signal, whose messages look much alike.
        let (Some(trace), true) = ids else { return Err(Malformed) };
        self.spans += 1;
        if self.last != Some(trace) {
            self.last = Some(trace);
            (self.seen)(TraceId(u128::from_be_bytes(trace)));
        }
        Ok(())
    }
}

/// A message whose field of this number is attributes.
fn attributes_in(bytes: &[u8], number: u32) -> Result<(), Malformed> {
    let mut walk = Walk::new(bytes);
    while let Some((found, field)) = walk.next()? {
        match field {
            Field::Bytes(bytes) if found == number => attribute(bytes, 0)?,
            Field::Group => return Err(Malformed),
            _ => {}
        }
    }
    Ok(())
}

/// Fields of any kind.
fn fields(bytes: &[u8]) -> Result<(), Malformed> {
    let mut walk = Walk::new(bytes);
    while walk.next()?.is_some() {}
    Ok(())
}

/// A `KeyValue`. Its two fields in order, as every exporter writes them, are taken at once.
#[inline]
fn attribute(bytes: &[u8], depth: usize) -> Result<(), Malformed> {
    if let [0x0a, length @ 0..0x80, rest @ ..] = bytes
        && let Some((_, [0x12, rest @ ..])) = rest.split_at_checked(usize::from(*length))
        && let Some(value) = delimited(rest)
    {
        return any_value(value, depth);
    }
    let mut walk = Walk::new(bytes);
    while let Some(field) = walk.next()? {
        if let (2, Field::Bytes(value)) = field {
            any_value(value, depth)?;
        }
    }
    Ok(())
}

/// An `AnyValue`: text alone, as nearly all of them are, or anything else.
#[inline]
fn any_value(bytes: &[u8], depth: usize) -> Result<(), Malformed> {
    match bytes {
        [0x0a, rest @ ..] if delimited(rest).is_some() => Ok(()),
        _ => members(bytes, depth),
    }
}

fn members(bytes: &[u8], depth: usize) -> Result<(), Malformed> {
    if depth >= MAX_DEPTH {
        return Err(Malformed);
    }
    let mut walk = Walk::new(bytes);
    while let Some(field) = walk.next()? {
        let (number @ (5 | 6), Field::Bytes(list)) = field else { continue };
        let mut walk = Walk::new(list);
        while let Some(field) = walk.next()? {
            match field {
                (1, Field::Bytes(member)) if number == 6 => attribute(member, depth + 1)?,
                (1, Field::Bytes(member)) => any_value(member, depth + 1)?,
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::{Framing, Grade, ProtoReader, Seen, TroubleKind};
    use proptest::prelude::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = match bytes.len() {
            length @ 0..0x80 => vec![length as u8],
            length => vec![(length & 0x7f) as u8 | 0x80, u8::try_from(length >> 7).unwrap()],
        };
        [&[number << 3 | 2], &length[..], bytes].concat()
    }

    /// A request of two spans with attributes, a list, an event, a link and a status.
    fn request() -> Vec<u8> {
        let text = field(1, b"text");
        let list = field(5, &[field(1, &text), field(1, &[0x18, 5])].concat());
        let map = field(6, &field(1, &[field(1, b"k"), field(2, &list)].concat()));
        let attribute = |value: &[u8]| [field(1, b"key"), field(2, value)].concat();
        let span = |trace: u8| {
            let event = field(3, &attribute(&text));
            let link = [field(1, &[9; 16]), field(2, &[9; 8]), field(4, &attribute(&map))].concat();
            let ids = [field(1, &[trace; 16]), field(2, &[trace; 8])].concat();
            let values = [field(9, &attribute(&list)), field(9, &attribute(&map))].concat();
            field(2, &[ids, values, field(11, &event), field(13, &link), field(15, &[0x18, 2])].concat())
        };
        let scope = field(2, &[field(1, &field(1, b"scope")), span(1)].concat());
        let resource = field(1, &field(1, &attribute(&text)));
        let other = field(2, &span(2));
        field(1, &[resource, scope, other].concat())
    }

    /// What the reader makes of it: its spans, if all of them are sound.
    fn read(request: &[u8]) -> Option<(u64, Vec<TraceId>)> {
        let (mut spans, mut traces) = (0, Vec::new());
        let mut reader = ProtoReader::new(Framing::None);
        reader.feed(request, 0, true, &mut |seen: Seen<'_, '_>| {
            if let Seen::Span(span, _) = seen {
                spans += 1;
                traces.push(span.trace_id.trace());
            }
        });
        traces.dedup();
        let tally = reader.take_tally();
        let bad = |kind: TroubleKind| kind.grade() == Grade::Loss || kind == TroubleKind::OtherSignal;
        (!tally.troubles().any(|trouble| bad(trouble.kind))).then_some((spans, traces))
    }

    fn looked(request: &[u8]) -> Option<(u64, Vec<TraceId>)> {
        let mut traces = Vec::new();
        glance(request, &mut |trace| traces.push(trace)).map(|spans| (spans, traces))
    }

    #[test]
    fn an_ordinary_request_is_counted() {
        let request = request();
        let found = looked(&request);
        assert_eq!(found.as_ref().map(|(spans, traces)| (*spans, traces.len())), Some((2, 2)));
        assert_eq!(found, read(&request));
        assert_eq!(looked(b""), Some((0, Vec::new())));
        assert_eq!(looked(&request[..request.len() - 1]), None);
    }

    proptest! {
        #[test]
        fn what_it_lets_pass_the_reader_lets_pass_too(
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
            cut in proptest::option::of(any::<proptest::sample::Index>()),
        ) {
            let mut bytes = request();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Some(found) = looked(&bytes) {
                prop_assert_eq!(Some(found), read(&bytes));
            }
        }
    }
}
