//! Values that stand under names in a text: JSON, what Python prints, several of them, pieces of them, in each other.
//!
//! Comes in: any text. Goes out: what is to stand in the place of which part of it; every other character stays. No form is asked for:
//! a name in quotes before a colon or an equals sign names what follows, wherever it stands, and what is in quotes is looked into.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use super::assigned::{Hides, is_value};
use super::key::counts_tokens;
use super::redactor::{Redactor, TOGETHER};

/// Texts in texts that are looked into.
const DEEPEST: usize = 24;
/// How often something may have been escaped in a text that was cut off.
const LAYERS: usize = 6;

/// What is to stand in the place of a part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// Something in brackets, or the text itself.
#[derive(Debug, Default)]
struct Level {
    /// How much everything in it is hidden.
    hides: Hides,
    /// The name of the value that comes next, and how much it hides.
    next: Option<(String, Hides)>,
    /// How many names were known before it.
    names: usize,
}

/// A text in quotes.
struct Quoted {
    /// What stands between them.
    inner: Range<usize>,
    after: usize,
    quote: u8,
    /// Backslashes before the quotes: it stands in other texts.
    slashes: usize,
    closed: bool,
}

/// Walks over a text.
struct Walk<'w> {
    text: &'w str,
    redactor: &'w Redactor,
    depth: usize,
    /// The names that what is looked at stands under, the outermost first.
    names: Vec<String>,
    levels: Vec<Level>,
    edits: Vec<Edit>,
    /// Parts that are in no quotes.
    gaps: Vec<Range<usize>>,
    gap: usize,
    /// From here on no double quote ends.
    endless: usize,
    /// Where two backslashes stand last.
    last_escape: OnceCell<usize>,
}

/// What is to be put where, and the parts of the text that are in no quotes.
pub(super) fn walk(text: &str, redactor: &Redactor, names: &[String], depth: usize) -> (Vec<Edit>, Vec<Range<usize>>) {
    let names = names.to_vec();
    let root = Level { names: names.len(), ..Level::default() };
    let (edits, gaps) = (Vec::new(), Vec::new());
    let levels = vec![root];
    let last_escape = OnceCell::new();
    let mut walk = Walk { text, redactor, depth, names, levels, edits, gaps, gap: 0, endless: usize::MAX, last_escape };
    walk.all();
    (walk.edits, walk.gaps)
}

impl Walk<'_> {
    fn all(&mut self) {
        let mut at = 0;
        while let Some(&byte) = self.text.as_bytes().get(at) {
            at = match byte {
                b'"' | b'\'' | b'\\' => self.quote(at),
                b'{' | b'[' | b'(' => self.open(at),
                b'}' | b']' | b')' => self.close(at),
                b',' | b';' | b'\n' => {
                    // A value may stand on the line behind its name.
                    if byte != b'\n' || self.levels.len() == 1 {
                        self.level().next = None;
                    }
                    at + 1
                }
                b':' | b'=' | b' ' | b'\t' | b'\r' => at + 1,
                _ => self.bare(at),
            };
        }
        self.gaps.push(self.gap..self.text.len());
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// How much what stands here is hidden, and under which name.
    fn here(&mut self) -> (Hides, Option<String>) {
        let level = self.level();
        match level.next.take() {
            Some((name, hides)) => (hides.max(level.hides), Some(name)),
            None => (level.hides, None),
        }
    }

    fn open(&mut self, at: usize) -> usize {
        let (hides, name) = self.here();
        let names = self.names.len();
        self.names.extend(name);
        self.levels.push(Level { hides, next: None, names });
        at + 1
    }

    fn close(&mut self, at: usize) -> usize {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.names.truncate(level.names);
        }
        self.level().next = None;
        at + 1
    }

    /// What begins with a quote, or with backslashes that may stand before one.
    fn quote(&mut self, at: usize) -> usize {
        let slashes = self.text.as_bytes().iter().skip(at).take_while(|byte| **byte == b'\\').count();
        let Some(quoted) = self.quoted(at, slashes) else { return at + slashes.max(1) };
        let name = self.decoded(&quoted);
        if quoted.closed && self.names_something(quoted.after) {
            let hides = self.redactor.hides(&self.names, &name);
            if slashes == 0 {
                self.put_inside(&quoted, &name);
            }
            self.level().next = Some((name, hides));
            self.skip(at, quoted.after);
            return quoted.after;
        }
        let (hides, named) = self.here();
        let blank = match hides {
            Hides::Nothing => true,
            Hides::Secret => super::text::is_blank(&name),
            Hides::Everything => name.is_empty() || super::text::is_mark(&name),
        };
        match (blank, quoted.closed) {
            (false, _) => {
                let hidden = self.redactor.hidden(&name);
                self.put(&quoted, &hidden);
            }
            // A quote that ends nothing, or stands in a text that was cut off, is passed by.
            (true, closed) if slashes > 0 || !closed && !self.begins(&quoted) => {
                self.level().next = named.map(|name| (name, hides));
                return at + slashes + 1;
            }
            (true, _) if hides == Hides::Nothing => {
                let names = self.names.len();
                self.names.extend(named);
                self.put_inside(&quoted, &name);
                self.names.truncate(names);
            }
            (true, _) => {}
        }
        self.skip(at, quoted.after);
        quoted.after
    }

    /// What is in quotes here, if anything is: `"…"`, `'…'`, or either escaped.
    fn quoted(&mut self, at: usize, slashes: usize) -> Option<Quoted> {
        let bytes = self.text.as_bytes();
        let open = at + slashes;
        let quote = bytes.get(open).copied().filter(|byte| matches!(byte, b'"' | b'\''))?;
        if slashes == 0 && self.is_apostrophe(at) {
            return None;
        }
        let from = open + 1;
        let plain = slashes == 0 && quote == b'"';
        let close = if plain && from >= self.endless { None } else { self.closing(from, quote, slashes) };
        if plain && close.is_none() {
            self.endless = self.endless.min(from);
        }
        let end = close.unwrap_or(self.text.len());
        let inner = from..end.saturating_sub(if close.is_some() { slashes } else { 0 }).max(from);
        Some(Quoted { inner, after: (end + 1).min(self.text.len()), quote, slashes, closed: close.is_some() })
    }

    /// Whether a letter or digit stands before this place that is no mark of Python's, as in `b'…'`.
    fn is_apostrophe(&self, at: usize) -> bool {
        let mut before = self.text.as_bytes().get(..at).unwrap_or_default().iter().rev();
        let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte >= 0x80;
        match before.next() {
            Some(b'b' | b'u' | b'r' | b'f' | b'B' | b'U' | b'R' | b'F') => {
                before.next().as_ref().is_some_and(is_letter)
            }
            byte => byte.as_ref().is_some_and(is_letter),
        }
    }

    /// Where the quote is that ends what begins at a place.
    fn closing(&self, from: usize, quote: u8, slashes: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr3(quote, b'\\', b'\n', rest)) {
            let place = at + next;
            match bytes.get(place) {
                Some(b'\\') => {
                    let run = bytes.iter().skip(place).take_while(|byte| **byte == b'\\').count();
                    let ends = slashes > 0 && run == slashes && bytes.get(place + run) == Some(&quote);
                    if ends {
                        return Some(place + run);
                    }
                    // An odd one escapes what follows it.
                    at = place + run + usize::from(slashes == 0 && run % 2 == 1);
                }
                // What is in single quotes, or escaped, stands on one line.
                Some(b'\n') if quote == b'\'' || slashes > 0 => return None,
                Some(b'\n') => at = place + 1,
                _ if slashes == 0 => return Some(place),
                // The text around it ends here.
                _ => return None,
            }
        }
        None
    }

    /// Whether what ends here is the name of what follows.
    fn names_something(&self, after: usize) -> bool {
        let rest = self.text.get(after..).unwrap_or_default().trim_start_matches([' ', '\t', '\r', '\n']);
        rest.starts_with(':')
    }

    /// Whether what has no end begins a text that was cut off: a single quote may be an apostrophe.
    fn begins(&self, quoted: &Quoted) -> bool {
        let before = self.text.get(..quoted.inner.start.saturating_sub(1)).unwrap_or_default().trim_end_matches(' ');
        let stands = before.is_empty() || before.ends_with([':', ',', '[', '{', '(', '=']);
        let last = || *self.last_escape.get_or_init(|| self.text.rfind("\\\\").unwrap_or_default());
        quoted.quote == b'"' || stands && last() >= quoted.inner.start
    }

    fn decoded(&self, quoted: &Quoted) -> String {
        let mut text = Cow::Borrowed(self.text.get(quoted.inner.clone()).unwrap_or_default());
        // How often the texts around it were escaped, and how, nobody knows.
        let most = if quoted.slashes == 0 { 1 } else { LAYERS };
        for _ in 0..most {
            if !text.contains('\\') {
                break;
            }
            text = Cow::Owned(unescaped(&text));
        }
        text.into_owned()
    }

    /// Looks into what is in quotes.
    fn put_inside(&mut self, quoted: &Quoted, text: &str) {
        if self.depth >= DEEPEST {
            return;
        }
        let near = self.names.get(self.names.len().saturating_sub(TOGETHER)..).unwrap_or_default();
        if let Cow::Owned(changed) = self.redactor.inside(text, near, self.depth + 1) {
            self.put(quoted, &changed);
        }
    }

    fn put(&mut self, quoted: &Quoted, new: &str) {
        // What stands for something hidden needs no escapes.
        let text = if quoted.slashes == 0 { escaped(new, quoted.quote) } else { new.to_owned() };
        self.edits.push(Edit { range: quoted.inner.clone(), text });
    }

    /// What is in no quotes: a name before an equals sign, a number, a word.
    fn bare(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || ",;:={}[]()\"'\\".contains(c);
        let length = rest.find(ends).unwrap_or(rest.len()).max(rest.chars().next().map_or(1, char::len_utf8));
        let word = rest.get(..length).unwrap_or_default();
        let after = at + length;
        let tail = self.text.get(after..).unwrap_or_default();
        if let Some(value) = tail.trim_start_matches(' ').strip_prefix('=') {
            let value = value.trim_start_matches(' ');
            if value.starts_with(['"', '\'', '{', '[', '(', '\\']) {
                let hides = self.redactor.hides(&self.names, word);
                self.level().next = Some((word.to_owned(), hides));
                return self.text.len() - value.len();
            }
        }
        // What is called, and the mark before a text of Python's, leave the name to what follows them.
        let named = self.level().next.is_some();
        if !named && self.levels.len() == 1 || tail.starts_with(['(', '\'', '"']) {
            return after;
        }
        let is_number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && word.parse::<f64>().is_ok();
        let (hides, name) = self.here();
        let counted = name.iter().chain(self.names.iter().rev().take(TOGETHER)).any(|name| counts_tokens(name));
        let nothing = matches!(word, "null" | "None" | "nil" | "undefined");
        let hidden = match hides {
            Hides::Everything => !nothing,
            Hides::Secret if is_number => !counted,
            Hides::Secret => name.is_some_and(|name| is_value(self.text, &(at..after), &name, hides)),
            Hides::Nothing => is_number && self.redactor.fits_value(word),
        };
        if hidden {
            let text = match is_number && self.redactor.keeps_numbers() {
                true => self.redactor.hidden_number(word),
                false => format!("\"{}\"", self.redactor.hidden(word)),
            };
            self.edits.push(Edit { range: at..after, text });
            self.skip(at, after);
        }
        after
    }

    /// What is between these places is no gap.
    fn skip(&mut self, from: usize, to: usize) {
        if self.gap < from {
            self.gaps.push(self.gap..from);
        }
        self.gap = to;
    }
}

/// The text with its escapes undone, those of JSON and of Python; what is none stays.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut tail_chars = tail.chars();
        rest = match tail_chars.next() {
            Some('n') => push(&mut out, '\n', tail_chars.as_str()),
            Some('t') => push(&mut out, '\t', tail_chars.as_str()),
            Some('r') => push(&mut out, '\r', tail_chars.as_str()),
            Some('b') => push(&mut out, '\u{8}', tail_chars.as_str()),
            Some('f') => push(&mut out, '\u{c}', tail_chars.as_str()),
            Some(c @ ('"' | '\'' | '\\' | '/')) => push(&mut out, c, tail_chars.as_str()),
            Some('u') => digits(tail_chars.as_str(), 4, &mut out),
            Some('x') => digits(tail_chars.as_str(), 2, &mut out),
            Some('U') => digits(tail_chars.as_str(), 8, &mut out),
            _ => push(&mut out, '\\', tail),
        };
    }
    out.push_str(rest);
    out
}

fn push<'t>(out: &mut String, c: char, rest: &'t str) -> &'t str {
    out.push(c);
    rest
}

/// The character of so many hexadecimal digits, or of a pair of surrogates; a mark where there is none.
fn digits<'t>(text: &'t str, length: usize, out: &mut String) -> &'t str {
    let code = |text: &str| text.get(..length).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = code(text) else { return push(out, '\u{fffd}', text) };
    let rest = text.get(length..).unwrap_or_default();
    if let (0xd800..0xdc00, Some(second)) = (first, rest.strip_prefix("\\u").and_then(code)) {
        let joined = 0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff);
        out.push(char::from_u32(joined).unwrap_or('\u{fffd}'));
        return rest.get(2 + length..).unwrap_or_default();
    }
    push(out, char::from_u32(first).unwrap_or('\u{fffd}'), rest)
}

/// The text as it stands between these quotes.
fn escaped(text: &str, quote: u8) -> String {
    if quote == b'"' {
        let json = serde_json::to_string(text).unwrap_or_default();
        return json.get(1..json.len().saturating_sub(1)).unwrap_or_default().to_owned();
    }
    text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_done() {
        for text in ["", "a \"b\" \\ \n\t\r\u{8}\u{c}/", "é𝄞\u{1}", "\\u0041", "'x'"] {
            let json = serde_json::to_string(text).unwrap();
            assert_eq!(unescaped(&json[1..json.len() - 1]), text);
            assert_eq!(unescaped(&escaped(text, b'\'')), text);
            assert_eq!(unescaped(&escaped(text, b'"')), text);
        }
        assert_eq!(unescaped("\\x41\\u00e9\\ud834\\udd1e\\q\\"), "Aé𝄞\\q\\");
    }
}
