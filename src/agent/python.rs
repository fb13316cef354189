//! Values as Python prints them, written as JSON.
//!
//! Comes in: the `repr()` of strings, numbers, constants, lists, tuples, sets and dicts of them. Goes out: the same as JSON text,
//! or nothing: an object's `<…>` or `Name(…)` has no JSON, and guessing one would make calls equal that are not.

use std::fmt::Write;

/// How deep values may be nested.
const MAX_DEPTH: usize = 100;

/// Reads a Python value; `None` where the text is anything else.
pub fn json(text: &str) -> Option<String> {
    let mut reader = Reader { rest: text.trim(), out: String::with_capacity(text.len()) };
    reader.value(0)?;
    reader.rest.is_empty().then_some(reader.out)
}

/// The value of a text that is JSON, or one as Python prints it.
pub fn value(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&json(text)?).ok())
}

struct Reader<'t> {
    rest: &'t str,
    out: String,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, what: &str) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => self.rest = rest,
            None => return false,
        }
        true
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take("set()") {
            self.out.push_str("[]");
            return Some(());
        }
        match self.rest.as_bytes() {
            [b'\'' | b'"', ..] => self.string(),
            [b'b', b'\'' | b'"', ..] => {
                self.rest = self.rest.get(1..)?;
                self.string()
            }
            [b'[', ..] => self.list("[", "]", depth),
            [b'(', ..] => self.list("(", ")", depth),
            [b'{', ..] => self.braces(depth),
            [b'-' | b'0'..=b'9', ..] => self.number(),
            _ => self.constant(),
        }
    }

    fn constant(&mut self) -> Option<()> {
        let constants = [("None", "null"), ("True", "true"), ("False", "false")];
        let (name, json) = constants.into_iter().find(|(name, _)| self.rest.starts_with(name))?;
        self.rest = self.rest.get(name.len()..)?;
        self.out.push_str(json);
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end)?;
        serde_json::from_str::<serde_json::Number>(number).ok()?;
        self.out.push_str(number);
        self.rest = rest;
        Some(())
    }

    fn list(&mut self, open: &str, close: &str, depth: usize) -> Option<()> {
        self.take(open);
        self.out.push('[');
        self.items(close, depth)?;
        self.out.push(']');
        Some(())
    }

    /// Values up to the bracket that ends them. A tuple of one has a comma behind it.
    fn items(&mut self, close: &str, depth: usize) -> Option<()> {
        self.space();
        while !self.take(close) {
            self.value(depth + 1)?;
            self.space();
            if self.take(",") {
                self.space();
                if !self.rest.starts_with(close) {
                    self.out.push(',');
                }
            } else if !self.rest.starts_with(close) {
                return None;
            }
        }
        Some(())
    }

    /// A dict, or a set: only what follows the first item tells.
    fn braces(&mut self, depth: usize) -> Option<()> {
        self.take("{");
        self.space();
        let begin = self.out.len();
        self.out.push('{');
        let from = self.out.len();
        if self.take("}") {
            self.out.push('}');
            return Some(());
        }
        self.value(depth + 1)?;
        self.space();
        if !self.rest.starts_with(':') {
            self.out.replace_range(begin..=begin, "[");
            return self.set(depth);
        }
        self.quote(from)?;
        while self.take(":") {
            self.out.push(':');
            self.space();
            self.value(depth + 1)?;
            self.space();
            if self.take("}") {
                self.out.push('}');
                return Some(());
            }
            self.take(",").then_some(())?;
            self.out.push(',');
            self.space();
            let from = self.out.len();
            self.value(depth + 1)?;
            self.quote(from)?;
            self.space();
        }
        None
    }

    /// The rest of a set whose first item has been read.
    fn set(&mut self, depth: usize) -> Option<()> {
        if self.take(",") {
            self.space();
            self.out.push(',');
        } else if !self.rest.starts_with('}') {
            return None;
        }
        self.items("}", depth)?;
        self.out.push(']');
        Some(())
    }

    /// Makes a key of what was written from here on: text as it is, a number or a constant as the text of one.
    fn quote(&mut self, from: usize) -> Option<()> {
        match self.out.as_bytes().get(from)? {
            b'"' => Some(()),
            b'[' | b'{' => None,
            _ => {
                self.out.insert(from, '"');
                self.out.push('"');
                Some(())
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        let quote = self.rest.chars().next()?;
        self.rest = self.rest.get(1..)?;
        self.out.push('"');
        loop {
            let stop = self.rest.find([quote, '\\', '"'].as_slice())?;
            let (text, rest) = self.rest.split_at_checked(stop)?;
            self.plain(text);
            let mut chars = rest.chars();
            let c = chars.next()?;
            self.rest = chars.as_str();
            if c == quote {
                self.out.push('"');
                return Some(());
            }
            match c {
                '\\' => self.escape()?,
                c => self.character(c),
            }
        }
    }

    fn plain(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < 0x20) {
            text.chars().for_each(|c| self.character(c));
        } else {
            self.out.push_str(text);
        }
    }

    fn escape(&mut self) -> Option<()> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        let digits = match c {
            'n' => return self.put('\n'),
            't' => return self.put('\t'),
            'r' => return self.put('\r'),
            '\\' | '\'' | '"' | '/' => return self.put(c),
            'b' => return self.put('\u{8}'),
            'f' => return self.put('\u{c}'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let code = self.rest.get(..digits).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let code = u32::from_str_radix(code, 16).ok()?;
        self.rest = self.rest.get(digits..)?;
        // Python prints half of a surrogate pair as it stands; no text can hold it.
        self.put(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn put(&mut self, c: char) -> Option<()> {
        self.character(c);
        Some(())
    }

    fn character(&mut self, c: char) {
        match c {
            '"' => self.out.push_str("\\\""),
            '\\' => self.out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                // Writing to a string cannot fail.
                let _: std::fmt::Result = write!(self.out, "\\u{:04x}", u32::from(c));
            }
            c => self.out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_read() {
        let cases = [
            ("{'q': 'x', 'n': None}", Some(r#"{"q":"x","n":null}"#)),
            ("{'it': \"don't\", 'q': 'say \"hi\"'}", Some(r#"{"it":"don't","q":"say \"hi\""}"#)),
            (r"['a\n\x41\u00e9\U0001f600', b'x', -1, 2.5e-07]", Some("[\"a\\u000aAé😀\",\"x\",-1,2.5e-07]")),
            ("(1, 2)", Some("[1,2]")),
            ("(1,)", Some("[1]")),
            ("()", Some("[]")),
            ("{}", Some("{}")),
            ("{1: True, None: False}", Some(r#"{"1":true,"null":false}"#)),
            ("{'a': {'b': [(1,), {}]}}", Some(r#"{"a":{"b":[[1],{}]}}"#)),
            ("{'a', 'b'}", Some(r#"["a","b"]"#)),
            ("{1}", Some("[1]")),
            ("{1 2}", None),
            ("{'a': <Tool>}", None),
            ("Tool(id='x')", None),
            ("{'a': 1", None),
            ("{'a' 1}", None),
            ("{(1, 2): 3}", None),
            ("[1 2]", None),
            ("1 2", None),
            ("nan", None),
            ("'x", None),
            ("", None),
        ];
        for (python, expected) in cases {
            assert_eq!(json(python).as_deref(), expected, "{python}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(&deep(MAX_DEPTH)).is_some());
        assert_eq!(json(&deep(MAX_DEPTH + 1)), None);
        assert_eq!(json(&"[".repeat(1 << 20)), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_json(text in "[\\[\\]{}()'\"\\\\,: a-bxuné0-9TrueNone.-]{0,40}") {
            if let Some(json) = json(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{} -> {}", text, json);
                prop_assert!(json.len() <= text.len() * 6 + 8);
            }
        }
    }
}
