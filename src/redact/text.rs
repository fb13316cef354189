//! Hides secrets inside text.
//!
//! Comes in: text. Goes out: the same text where there is nothing to hide, else a copy in which each secret is replaced
//! by its first four characters and its length.

use std::borrow::Cow;
use std::ops::Range;

use super::assigned::{self, Hides, Names};
use super::key::is_secret_key;
use super::token;

/// What is shown in place of a secret: its first four characters where it is long enough for that to give nothing away.
pub fn hidden(secret: &str) -> String {
    let characters = secret.chars().count();
    if characters < 16 {
        return format!("[redacted, {characters} characters]");
    }
    let shown: String = secret.chars().take(4).collect();
    format!("{shown}...[redacted, {characters} characters]")
}

/// A text with every provider token, password in a URL and quoted secret member in it hidden.
pub fn text(text: &str) -> Cow<'_, str> {
    let secrets = secrets(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for Range { start, end } in secrets {
        out.push_str(text.get(done..start).unwrap_or_default());
        out.push_str(&hidden(text.get(start..end).unwrap_or_default()));
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// The text of an attribute: hidden as a whole where its key says that it is a secret, else as in [`text`].
pub fn attribute_text<'t>(key: &str, value: &'t str) -> Cow<'t, str> {
    if is_secret_key(key) && !is_blank(value) {
        return Cow::Owned(hidden(value));
    }
    text(value)
}

/// Whether nothing is left to hide: empty, `null`, stars, or hidden before, here or by its producer (`[redacted by the proxy]`).
pub fn is_blank(value: &str) -> bool {
    const NOTHING: [&str; 5] = ["none", "null", "redacted", "true", "false"];
    // No note is longer, and a value may reach to the end of a text in which many begin.
    if value.len() > 256 {
        return value.bytes().all(|byte| byte == b'*');
    }
    let value = value.trim();
    let bare = value.trim_matches(['<', '>', '[', ']']);
    is_mark(value)
        || bare.bytes().all(|byte| byte == b'*')
        || NOTHING.iter().any(|nothing| bare.eq_ignore_ascii_case(nothing))
        || is_producers_note(value)
}

/// Words in brackets that say that something was taken away, and nothing else.
fn is_producers_note(value: &str) -> bool {
    const SAID: [&str; 6] = ["redact", "mask", "filter", "hidden", "remov", "scrub"];
    let inner = value.trim_matches(['<', '>', '[', ']', '(', ')', '{', '}', '*', '#', '_', '-']);
    let words =
        inner.len() < value.len() && inner.bytes().all(|byte| byte.is_ascii_alphabetic() || b" _-".contains(&byte));
    words && SAID.iter().any(|said| inner.to_ascii_lowercase().contains(said))
}

/// Whether a text is what this room puts in the place of others: `[redacted, 5 characters]`, perhaps behind four characters, or
/// `<redacted:0123456789ab>`, or, where sizes are kept, `*0123`.
pub fn is_mark(text: &str) -> bool {
    let text = text.trim();
    let short = text.strip_prefix('*').is_some_and(|short| short.len() < 22 && short.bytes().all(is_digit));
    short || mark_at(text) == Some(text.len())
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// How long the mark is that a text begins with.
fn mark_at(text: &str) -> Option<usize> {
    if let Some(inner) = text.strip_prefix("<redacted:") {
        let digits = inner.bytes().take_while(|byte| is_digit(*byte)).count();
        let dots = inner.get(digits..)?.bytes().take_while(|byte| *byte == b'.').count();
        let ends = digits >= 8 && inner.get(digits + dots..)?.starts_with('>');
        return ends.then_some("<redacted:".len() + digits + dots + 1);
    }
    let shown = text
        .char_indices()
        .take(5)
        .map(|(at, _)| at)
        .find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with("...[redacted, ")));
    let from = shown.map_or(0, |at| at + 3);
    let inner = text.get(from..)?.strip_prefix("[redacted, ")?;
    let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
    let ends = digits > 0 && inner.get(digits..)?.starts_with(" characters]");
    ends.then_some(from + "[redacted, ".len() + digits + " characters]".len())
}

/// Where secrets are, from left to right, none overlapping.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    secrets_under(text, &|name| if is_secret_key(name) { Hides::Secret } else { Hides::Nothing })
}

/// The same where somebody says how much names hide.
pub(super) fn secrets_under(text: &str, names: &Names<'_>) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut line, mut query) = (End::default(), End::default());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let range = match byte {
            b'"' => member_value(text, at),
            b'\'' => member_value(text, at).or_else(|| assigned::statement(text, at)),
            b':' => {
                let found = url_password(text, at).or_else(|| header_value(text, at, &mut line));
                found.or_else(|| assigned::colon(text, at, names))
            }
            b'?' | b'&' => query_value(text, at, &mut query),
            b'=' => assigned::equals(text, at, names),
            b'<' => assigned::element(text, at, names),
            b'-' if bytes.get(at + 1) == Some(&b'-') && bytes.get(at + 2) != Some(&b'-') => {
                assigned::option(text, at, names).or_else(|| assigned::login(text, at))
            }
            b'-' if matches!(bytes.get(at + 1), Some(b'u' | b'U')) => assigned::login(text, at),
            b'B' | b'b' => assigned::credential(text, at),
            _ if token::may_begin(byte) => {
                bytes.get(at..).and_then(|rest| token::token_at(rest, before)).map(|length| at..at + length)
            }
            _ => None,
        };
        // What was hidden before stays as it is.
        let mark = range.as_ref().and_then(|range| Some(range.start + mark_at(text.get(range.start..)?)?));
        at = mark.or(range.as_ref().map(|range| range.end)).unwrap_or(at + 1);
        found.extend(range.filter(|_| mark.is_none()));
    }
    found
}

/// Where values of one kind end: looked for once, however many values end there.
#[derive(Default)]
struct End(Option<usize>);

impl End {
    /// The first place from `from` on with a character that ends a value; `from` never goes back.
    fn after(&mut self, text: &str, from: usize, ends: impl Fn(char) -> bool) -> usize {
        let end = self.0.filter(|end| *end >= from);
        let end = end.or_else(|| Some(from + text.get(from..)?.find(ends)?)).unwrap_or(text.len());
        self.0 = Some(end);
        end
    }
}

/// The value of `"password": "…"` or `'api_key': '…'` (JSON or a Python repr), where `at` is the quote before the name.
fn member_value(text: &str, at: usize) -> Option<Range<usize>> {
    let quote = char::from(*text.as_bytes().get(at)?);
    let name_from = at + 1;
    // Names are short: look no further, or a text of quotes would cost its length squared.
    let name_to = text.as_bytes().get(name_from..)?.iter().take(48).position(|&b| char::from(b) == quote)? + name_from;
    let name = text.get(name_from..name_to)?;
    let after = text.get(name_to + 1..)?.trim_start().strip_prefix(':')?.trim_start();
    let open = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    if !is_secret_key(name) {
        return None;
    }
    let from = text.len() - after.len() + 1;
    let value = text.get(from..)?;
    let length = closing(value, open).unwrap_or(value.len());
    (!is_blank(value.get(..length)?)).then_some(from..from + length)
}

/// Where an unescaped `quote` stands.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// The password of `scheme://user:password@host`, where `at` is the colon after the scheme.
pub(super) fn url_password(text: &str, at: usize) -> Option<Range<usize>> {
    let authority_from = at + 3;
    let authority = text.get(at..)?.strip_prefix("://")?;
    let length =
        authority.bytes().take(256).take_while(|&b| !b.is_ascii_whitespace() && !b"/?#\"'<>".contains(&b)).count();
    let (user_info, _) = authority.get(..length)?.rsplit_once('@')?;
    let (user, password) = user_info.split_once(':')?;
    let from = authority_from + user.len() + 1;
    (!is_blank(password)).then_some(from..from + password.len())
}

/// The value of `authorization: Bearer …` as a header line writes it, where `at` is the colon: up to the end of the line or
/// the next quote, comma or bracket.
fn header_value(text: &str, at: usize, end: &mut End) -> Option<Range<usize>> {
    const HEADERS: [&str; 4] = ["authorization", "cookie", "x-api-key", "api-key"];
    let before = text.as_bytes().get(..at)?;
    let named = |name: &&str| {
        let tail = before.len().checked_sub(name.len()).and_then(|from| before.get(from..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(name.as_bytes()))
    };
    HEADERS.iter().find(|name| named(name))?;
    let rest = text.get(at + 1..)?;
    let blank = rest.len() - rest.trim_start_matches(' ').len();
    let from = at + 1 + blank;
    let to = end.after(text, from, |c| matches!(c, '\n' | '\r' | '"' | '\'' | ',' | '}' | ')'));
    (to > from && !is_blank(text.get(from..to)?)).then_some(from..to)
}

/// The value of a query parameter that holds a secret, where `at` is the `?` or `&` before its name.
fn query_value(text: &str, at: usize, end: &mut End) -> Option<Range<usize>> {
    const ALSO: [&str; 5] = ["sig", "signature", "x-amz-signature", "awsaccesskeyid", "key"];
    let rest = text.as_bytes().get(at + 1..)?;
    let name_length =
        rest.iter().take(48).position(|c| !(c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.')))?;
    let name = text.get(at + 1..at + 1 + name_length)?;
    if rest.get(name_length) != Some(&b'=') {
        return None;
    }
    if !is_secret_key(name) && !ALSO.iter().any(|also| also.eq_ignore_ascii_case(name)) {
        return None;
    }
    let from = at + 2 + name_length;
    let to = end.after(text, from, |c| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '\'' | '<' | '>'));
    (!is_blank(text.get(from..to)?)).then_some(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_stays_as_it_is() {
        for open in [
            "GET /?api_key=abcdef0123456789SECRET&x",
            "{\"password\": \"hunter2hunter2hunter2\"}",
            "authorization: Bearer abcdefghijklmnopqrst",
        ] {
            let once = text(open).into_owned();
            assert_ne!(once, open);
            assert_eq!(text(&once), once);
        }
    }

    #[test]
    fn only_what_was_hidden_counts_as_hidden() {
        for mark in
            ["[redacted, 7 characters]", "sk-a...[redacted, 70 characters]", "<redacted:0123456789ab..>", "*0a1"]
        {
            assert!(is_mark(mark) && is_blank(mark), "{mark}");
        }
        for text in [
            "this redacted text",
            "<redacted:it is hunter2>",
            "[redacted, but hunter2]",
            "abcde...[redacted, 1 characters]",
            "*hunter2",
        ] {
            assert!(!is_mark(text) && !is_blank(text), "{text}");
        }
        assert_eq!(
            attribute_text("password", "redacted hunter2").into_owned(),
            "redacted hunter2".replace("redacted hunter2", "reda...[redacted, 16 characters]")
        );
    }

    #[test]
    fn tokens_inside_text_are_hidden() {
        let token = format!("sk-proj-{}", "Ab1_".repeat(10));
        let shown = text(&format!("calling with key {token}, please")).into_owned();
        assert_eq!(shown, "calling with key sk-p...[redacted, 48 characters], please");
        assert!(matches!(text("nothing here: task-force, sk-learn, https://host/path"), Cow::Borrowed(_)));
    }

    #[test]
    fn members_and_urls_are_hidden_by_name() {
        let json = r#"{"user":"ann","password":"hunter2 \" x","n":1}"#;
        assert_eq!(text(json), r#"{"user":"ann","password":"[redacted, 12 characters]","n":1}"#);
        let python = "{'name': 'x', 'api_key': 'abcdefghijklmnop'}";
        assert_eq!(text(python), "{'name': 'x', 'api_key': 'abcd...[redacted, 16 characters]'}");
        let url = "postgres://letta:s3cr3t@db:5432/letta";
        assert_eq!(text(url), "postgres://letta:[redacted, 6 characters]@db:5432/letta");
    }

    #[test]
    fn headers_and_queries_are_hidden_by_name() {
        assert_eq!(
            text("Authorization: Bearer topsecret8\nx: y"),
            "Authorization: Bear...[redacted, 17 characters]\nx: y"
        );
        let url = "https://h/p?api_key=topsecret6&page=2&token=topsecret7#top";
        let shown = "https://h/p?api_key=[redacted, 10 characters]&page=2&token=[redacted, 10 characters]#top";
        assert_eq!(text(url), shown);
        assert_eq!(text("what? token & key: none"), "what? token & key: none");
    }

    #[test]
    fn an_attribute_is_hidden_by_its_key() {
        assert_eq!(attribute_text("http.request.header.authorization", "Bearer abc"), "[redacted, 10 characters]");
        assert_eq!(attribute_text("parameter.password", "None"), "None");
        assert_eq!(attribute_text("parameter.password", "****"), "****");
        assert_eq!(attribute_text("parameter.name", "Bearer abc"), "Bearer abc");
    }

    #[test]
    fn no_text_is_too_odd() {
        for odd in ["", "'", "\"\"\"\"", "://", "a://:@", "日本\"password\":\"語", "sk-", "'password':'", "://é:é@"]
        {
            let _ = text(odd);
        }
        let quotes = "\"".repeat(1 << 20);
        assert_eq!(text(&quotes), quotes);
    }

    #[test]
    fn what_is_hidden_already_is_passed_in_one_go() {
        for part in [
            "cookie:[redacted, 8 characters] ",
            "cookie:<redacted:0123456789ab>éé ",
            "?key=[redacted, 8 characters]",
            "'password':\"[redacted, 8 characters] ",
            "eyJ.",
            "-----BEGIN ",
        ] {
            let long = part.repeat(100_000);
            assert_eq!(text(&long), long);
        }
        let token = format!("sk-proj-{}", "Ab1_".repeat(10));
        let mark = "[redacted, 8 characters]";
        let shown = text(&format!("cookie:{mark} {token}, more")).into_owned();
        let wanted = format!("cookie:{mark} sk-p...[redacted, 48 characters], more");
        assert_eq!(shown, wanted, "what follows is still looked at");
    }
}
