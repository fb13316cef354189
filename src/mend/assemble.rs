//! One ResourceSpans put together again, though its resource may come after its spans.
//!
//! Comes in: its parts, each already in the encoding that is written. Goes out: a line of OTLP/JSON, or a field of an
//! OTLP/protobuf request.

use crate::otlp::{Encoding, JsonWriter, ProtoWriter, RawResource, RawScope, RawSpan};

/// The parts of a ScopeSpans.
#[derive(Debug, Default)]
struct Scope {
    scope: Vec<u8>,
    spans: Vec<u8>,
    schema: String,
}

/// The parts of a ResourceSpans.
#[derive(Debug)]
pub(super) struct Assembly {
    encoding: Encoding,
    resource: Vec<u8>,
    schema: String,
    scopes: Vec<Scope>,
}

impl Assembly {
    /// Nothing yet.
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { encoding, resource: Vec::new(), schema: String::new(), scopes: Vec::new() }
    }

    /// The resource.
    pub(super) fn resource(&mut self, resource: &RawResource<'_>) {
        self.resource.clear();
        match self.encoding {
            _ if resource.is_silent() => {}
            Encoding::Json => JsonWriter::new(&mut self.resource).resource(resource),
            Encoding::Proto => ProtoWriter::new(&mut self.resource).resource(resource),
        }
    }

    /// The schema URL of the resource.
    pub(super) fn resource_schema(&mut self, url: String) {
        self.schema = url;
    }

    /// A scope begins.
    pub(super) fn open_scope(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// The scope that is open.
    pub(super) fn scope(&mut self, scope: &RawScope<'_>) {
        let encoding = self.encoding;
        let out = &mut self.open().scope;
        out.clear();
        match encoding {
            _ if scope.is_silent() => {}
            Encoding::Json => JsonWriter::new(out).scope(scope),
            Encoding::Proto => ProtoWriter::new(out).scope(scope),
        }
    }

    /// The schema URL of the open scope.
    pub(super) fn scope_schema(&mut self, url: String) {
        self.open().schema = url;
    }

    /// A span of the open scope.
    pub(super) fn span(&mut self, span: &RawSpan<'_>) {
        let encoding = self.encoding;
        let out = &mut self.open().spans;
        match encoding {
            Encoding::Json => {
                if !out.is_empty() {
                    out.push(b',');
                }
                JsonWriter::new(out).span(span);
            }
            Encoding::Proto => ProtoWriter::new(out).span(span),
        }
    }

    fn open(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    /// Takes everything that is complete, in its encoding; nothing where there is no span.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let done = std::mem::replace(self, Self::new(self.encoding));
        if done.scopes.iter().all(|scope| scope.spans.is_empty()) {
            return Vec::new();
        }
        match done.encoding {
            Encoding::Json => done.json(),
            Encoding::Proto => done.proto(),
        }
    }

    fn json(&self) -> Vec<u8> {
        let mut out = b"{\"resourceSpans\":[{".to_vec();
        if !self.resource.is_empty() {
            out.extend_from_slice(b"\"resource\":");
            out.extend_from_slice(&self.resource);
            out.push(b',');
        }
        out.extend_from_slice(b"\"scopeSpans\":[");
        for (number, scope) in self.scopes.iter().filter(|scope| !scope.spans.is_empty()).enumerate() {
            out.extend_from_slice(if number > 0 { b",{" } else { b"{" });
            if !scope.scope.is_empty() {
                out.extend_from_slice(b"\"scope\":");
                out.extend_from_slice(&scope.scope);
                out.push(b',');
            }
            out.extend_from_slice(b"\"spans\":[");
            out.extend_from_slice(&scope.spans);
            out.push(b']');
            json_schema(&scope.schema, &mut out);
            out.push(b'}');
        }
        out.push(b']');
        json_schema(&self.schema, &mut out);
        out.extend_from_slice(b"}]}\n");
        out
    }

    fn proto(&self) -> Vec<u8> {
        let mut body = Vec::new();
        if !self.resource.is_empty() {
            field(1, &self.resource, &mut body);
        }
        for scope in self.scopes.iter().filter(|scope| !scope.spans.is_empty()) {
            let mut inner = Vec::new();
            if !scope.scope.is_empty() {
                field(1, &scope.scope, &mut inner);
            }
            inner.extend_from_slice(&scope.spans);
            text_field(3, &scope.schema, &mut inner);
            field(2, &inner, &mut body);
        }
        text_field(3, &self.schema, &mut body);
        let mut out = Vec::new();
        field(1, &body, &mut out);
        out
    }
}

fn json_schema(url: &str, out: &mut Vec<u8>) {
    if !url.is_empty() {
        out.extend_from_slice(b",\"schemaUrl\":");
        out.extend_from_slice(serde_json::Value::from(url).to_string().as_bytes());
    }
}

fn text_field(number: u8, text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        field(number, text.as_bytes(), out);
    }
}

/// A field of bytes: its tag, its length, itself.
fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
}
