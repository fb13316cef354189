//! Requests written down: groups of encoded resources, scopes and spans put into one message.
//!
//! Comes in: parts that are encoded already. Goes out: one `ExportTraceServiceRequest`, protobuf or JSON. No part is looked into.

/// Tags and lengths around a message, at most.
pub(super) const AROUND: usize = 8;
/// What JSON writes around a group, at most.
const NAMES: usize = 64;

/// A resource or scope, encoded, and its schema URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The message or object; empty when it says nothing.
    pub(super) message: Vec<u8>,
    pub(super) schema: Vec<u8>,
}

impl Envelope {
    /// The most it may take in a request.
    pub(super) fn size(&self) -> usize {
        // A schema URL may grow sixfold by escapes.
        self.message.len() + self.schema.len() * 6 + 2 * AROUND + NAMES
    }
}

/// Spans of one scope.
#[derive(Debug, Default)]
pub(super) struct ScopeGroup {
    pub(super) scope: Envelope,
    /// Spans as fields of a message, or as items of a list.
    pub(super) spans: Vec<u8>,
}

/// Scopes of one resource.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) resource: Envelope,
    pub(super) scopes: Vec<ScopeGroup>,
}

/// Appends a `ResourceSpans` as a field of a request. All lengths are known before, so nothing is moved.
pub(super) fn proto(group: &Group, out: &mut Vec<u8>) {
    let inner = |scope: &ScopeGroup| envelope_len(&scope.scope) + scope.spans.len();
    let scopes: usize = group.scopes.iter().map(|scope| field_len(inner(scope))).sum();
    begin(1, envelope_len(&group.resource) + scopes, out);
    message(&group.resource, out);
    for scope in &group.scopes {
        begin(2, inner(scope), out);
        message(&scope.scope, out);
        out.extend_from_slice(&scope.spans);
        schema(&scope.scope, out);
    }
    schema(&group.resource, out);
}

fn envelope_len(envelope: &Envelope) -> usize {
    let part = |bytes: &[u8]| if bytes.is_empty() { 0 } else { field_len(bytes.len()) };
    part(&envelope.message) + part(&envelope.schema)
}

fn message(envelope: &Envelope, out: &mut Vec<u8>) {
    if !envelope.message.is_empty() {
        field(1, &envelope.message, out);
    }
}

fn schema(envelope: &Envelope, out: &mut Vec<u8>) {
    if !envelope.schema.is_empty() {
        field(3, &envelope.schema, out);
    }
}

fn field_len(length: usize) -> usize {
    1 + length.checked_ilog2().unwrap_or(0) as usize / 7 + 1 + length
}

fn begin(number: u8, mut length: usize, out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// Appends a length-delimited field.
pub(super) fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    begin(number, bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Appends a whole request of JSON.
pub(super) fn json(groups: &[Group], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"resourceSpans\":[");
    for (number, group) in groups.iter().enumerate() {
        out.extend_from_slice(if number > 0 { b",{" } else { b"{" });
        member(b"\"resource\":", &group.resource.message, out);
        out.extend_from_slice(b"\"scopeSpans\":[");
        for (number, inner) in group.scopes.iter().enumerate() {
            out.extend_from_slice(if number > 0 { b",{" } else { b"{" });
            member(b"\"scope\":", &inner.scope.message, out);
            out.extend_from_slice(b"\"spans\":[");
            out.extend_from_slice(&inner.spans);
            out.push(b']');
            schema_url(&inner.scope.schema, out);
            out.push(b'}');
        }
        out.push(b']');
        schema_url(&group.resource.schema, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

fn member(name: &[u8], object: &[u8], out: &mut Vec<u8>) {
    if !object.is_empty() {
        out.extend_from_slice(name);
        out.extend_from_slice(object);
        out.push(b',');
    }
}

fn schema_url(url: &[u8], out: &mut Vec<u8>) {
    if !url.is_empty() {
        out.extend_from_slice(b",\"schemaUrl\":");
        let quoted = serde_json::to_vec(&String::from_utf8_lossy(url)).unwrap_or_else(|_| b"\"\"".to_vec());
        out.extend_from_slice(&quoted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_as_they_are_written() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 1 << 21, (1 << 21) - 1] {
            let mut out = Vec::new();
            begin(1, length, &mut out);
            assert_eq!(out.len() + length, field_len(length), "{length}");
        }
    }
}
