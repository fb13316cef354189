//! What makes two calls to a database, a server or an embedding model the same call with other values.
//!
//! Comes in: a span in place whose role is known, or a statement. Goes out: a fingerprint, or the statement with its literals
//! left out. Nothing here looks at more than one span.

use super::role::Role;
use crate::otlp::{RawSpan, Text};

const STATEMENTS: [&str; 2] = ["db.query.text", "db.statement"];
const METHODS: [&str; 2] = ["http.request.method", "http.method"];
const ROUTES: [&str; 2] = ["http.route", "url.template"];
const URLS: [&str; 4] = ["url.full", "http.url", "url.path", "http.target"];
const MODELS: [&str; 3] = ["gen_ai.request.model", "embedding.model_name", "ai.model.id"];

/// The statement of a call to a database.
pub fn statement<'a>(span: &RawSpan<'a>) -> Option<Text<'a>> {
    first(span, &STATEMENTS)
}

/// A fingerprint of the statement, or of the method and the route, or of the model; `None` where nothing says it.
pub fn shape(span: &RawSpan<'_>, role: Role) -> Option<u32> {
    let mut print = Print(role.number().into());
    match role {
        Role::Db => normalise(&statement(span)?.decode(), &mut |byte| print.add(byte)),
        Role::Http => {
            let keys = [METHODS[0], METHODS[1], ROUTES[0], ROUTES[1], URLS[0], URLS[1], URLS[2], URLS[3]];
            let texts = texts(span, &keys);
            let first =
                |from: usize, to: usize| texts.get(from..to)?.iter().flatten().next().filter(|text| !text.is_empty());
            first(0, 2)?.raw.iter().for_each(|byte| print.add(*byte));
            match first(2, 4) {
                Some(route) => route.raw.iter().for_each(|byte| print.add(*byte)),
                None => route(&first(4, 8)?.decode(), &mut |part| part.bytes().for_each(|byte| print.add(byte))),
            }
        }
        Role::Embedding => first(span, &MODELS)?.raw.iter().for_each(|byte| print.add(*byte)),
        _ => return None,
    }
    Some((print.0 ^ print.0 >> 32) as u32)
}

/// The texts under some keys, found in one pass; where a key repeats, the last one counts.
fn texts<'a, const N: usize>(span: &RawSpan<'a>, keys: &[&str; N]) -> [Option<Text<'a>>; N] {
    let lengths = keys.iter().fold(0u64, |lengths, key| lengths | 1 << (key.len() & 63));
    let mut texts = [None; N];
    for attribute in span.attributes() {
        let key = &attribute.key;
        if !key.escaped && lengths >> (key.raw.len() & 63) & 1 == 0 {
            continue;
        }
        if let Some(slot) = keys.iter().position(|known| key.is(known)).and_then(|at| texts.get_mut(at)) {
            *slot = attribute.value.text();
        }
    }
    texts
}

fn first<'a>(span: &RawSpan<'a>, keys: &[&str]) -> Option<Text<'a>> {
    keys.iter().find_map(|key| span.attribute(key)?.text()).filter(|text| !text.is_empty())
}

/// FNV-1a.
struct Print(u64);

impl Print {
    #[inline]
    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
}

/// A URL or path without its query, ids in it replaced by `?`.
pub fn route_of(url: &str) -> String {
    let mut route_of = String::with_capacity(url.len());
    route(url, &mut |part| route_of.push_str(part));
    route_of
}

/// Hands on the parts of a route and what stands between them.
fn route(url: &str, out: &mut dyn FnMut(&str)) {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    for (at, part) in path.split('/').enumerate() {
        if at > 0 {
            out("/");
        }
        out(if is_id(part) { "?" } else { part });
    }
}

/// Whether a part of a path names one thing of many: digits, or letters with several digits among them.
fn is_id(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    digits > 0 && (digits == part.len() || digits >= 4 || (part.len() >= 16 && !part.contains('.')))
}

/// A statement with `?` for every literal and parameter, without comments.
pub fn normal_statement(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    normalise(text, &mut |byte| out.push(byte));
    String::from_utf8_lossy(&out).into_owned()
}

/// Hands on the bytes of a statement: literals as `?`, lists of them as one, blanks as one, comments not at all.
fn normalise(text: &str, out: &mut dyn FnMut(u8)) {
    let bytes = text.as_bytes();
    let mut writer = Writer { out, blank: false, list: List::No };
    let (mut at, mut before) = (0, b' ');
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let (token, length) = token(rest, before);
        match token {
            Token::Blank => writer.blank = true,
            Token::Literal => writer.literal(),
            Token::Byte => writer.byte(byte),
        }
        before = bytes.get(at + length - 1).copied().unwrap_or(b' ');
        at += length;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Blank,
    Literal,
    Byte,
}

/// What stands at the beginning, and how many bytes it takes: at least one.
fn token(rest: &[u8], before: u8) -> (Token, usize) {
    let end = |stop: &[u8], from: usize| {
        let tail = rest.get(from..).unwrap_or_default();
        memchr::memmem::find(tail, stop).map_or(rest.len(), |at| from + at + stop.len())
    };
    let run = |from: usize, fits: fn(u8) -> bool| {
        from + rest.get(from..).unwrap_or_default().iter().take_while(|byte| fits(**byte)).count()
    };
    let word: fn(u8) -> bool = |byte| byte.is_ascii_alphanumeric() || byte == b'_';
    let number: fn(u8) -> bool = |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    match rest {
        [b'/', b'*', ..] => (Token::Blank, end(b"*/", 2)),
        [b'-', b'-', ..] => (Token::Blank, end(b"\n", 2)),
        [b' ' | b'\t' | b'\r' | b'\n', ..] => (Token::Blank, 1),
        [b'\'', ..] => (Token::Literal, quoted(rest)),
        [b'$', b'0'..=b'9', ..] => (Token::Literal, run(1, |byte| byte.is_ascii_digit())),
        [b'%', b's', ..] => (Token::Literal, 2),
        [b'%', b'(', ..] => (Token::Literal, end(b")s", 2)),
        [b'?', ..] => (Token::Literal, 1),
        [b':', first, ..] if before != b':' && (first.is_ascii_alphabetic() || *first == b'_') => {
            (Token::Literal, run(1, word))
        }
        [b'0'..=b'9', ..] if !word(before) => (Token::Literal, run(1, number)),
        _ => (Token::Byte, 1),
    }
}

/// How long a quoted literal is; a doubled quote is part of it.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr(b'\'', rest.get(at..).unwrap_or_default()) {
        at += found + 1;
        if rest.get(at) != Some(&b'\'') {
            return at;
        }
        at += 1;
    }
    rest.len()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    No,
    /// A literal was the last that was written.
    Literal,
    /// A comma after it is held back.
    Comma,
}

struct Writer<'o> {
    out: &'o mut dyn FnMut(u8),
    /// A blank is held back.
    blank: bool,
    list: List,
}

impl Writer<'_> {
    fn literal(&mut self) {
        if self.list == List::No {
            self.flush();
            (self.out)(b'?');
        }
        (self.list, self.blank) = (List::Literal, false);
    }

    fn byte(&mut self, byte: u8) {
        if byte == b',' && self.list == List::Literal {
            (self.list, self.blank) = (List::Comma, false);
            return;
        }
        if self.list == List::Comma {
            (self.out)(b',');
        }
        self.list = List::No;
        self.flush();
        (self.out)(byte);
    }

    fn flush(&mut self) {
        if std::mem::take(&mut self.blank) {
            (self.out)(b' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_differ_in_values_are_one() {
        for same in [
            "SELECT a FROM t WHERE id = 1 AND n IN ('x', 'it''s') /* traceparent='00-1' */",
            "SELECT a  FROM t\n WHERE id = $1 AND n IN ($2,$3,$4)",
            "SELECT a FROM t WHERE id = %(id_1)s AND n IN (?) -- why\n",
            "SELECT a FROM t WHERE id = :id AND n IN (%s)",
        ] {
            assert_eq!(normal_statement(same).trim(), "SELECT a FROM t WHERE id = ? AND n IN (?)", "{same}");
        }
        assert_eq!(normal_statement("SELECT t1.a, b::int, 2.5, c FROM t1"), "SELECT t1.a, b::int, ?, c FROM t1");
        assert_eq!(normal_statement("x = 'open"), "x = ?");
        assert_eq!(normal_statement("é /*"), "é");
    }

    #[test]
    fn ids_in_paths_are_left_out() {
        assert_eq!(route_of("https://h/v1/agents/agent-1e2f3a4b-77/tools/17?x=1"), "https://h/v1/agents/?/tools/?");
        assert_eq!(route_of("/v2/x"), "/v2/x");
    }
}
