//! Secrets that plain text assigns to a name: `password=…`, `password: …`, `--password …`, `<password>…</password>`; and what follows
//! `Bearer` or `Basic`.
//!
//! Comes in: text, a place in it, and how much a name hides. Goes out: where the value is. What only describes a secret (its type, a
//! placeholder, a variable) is none.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::counts_tokens;
use super::text::is_blank;

/// Names are short: looking further would cost a text of letters its length squared.
const NAME: usize = 64;
/// A longer word is a value, whatever it looks like.
const WORD: usize = 4096;

/// How much a name hides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hides {
    /// Nothing.
    #[default]
    Nothing,
    /// What is under it, if it is not blank: it sounds like a secret.
    Secret,
    /// What is under it, whatever it is: somebody said so.
    Everything,
}

/// How much a name hides.
pub(super) type Names<'n> = dyn Fn(&str) -> Hides + 'n;

/// Words that stand where a value would, and are none.
const WORDS: [&str; 28] = [
    "and",
    "any",
    "are",
    "array",
    "boolean",
    "bytes",
    "flag",
    "for",
    "if",
    "int",
    "integer",
    "is",
    "must",
    "number",
    "object",
    "option",
    "optional",
    "or",
    "required",
    "secretstr",
    "str",
    "string",
    "text",
    "to",
    "undefined",
    "when",
    "with",
    "your",
];
/// What expressions begin with that only lead to a value.
const VARIABLES: [&str; 11] =
    ["os.", "self.", "cls.", "this.", "settings.", "config.", "args.", "env.", "process.env", "request.", "secrets."];

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// The name that ends before a place, and where it begins.
fn name_before(text: &str, at: usize) -> Option<(&str, usize)> {
    let before = text.as_bytes().get(..at)?;
    let length = before.iter().rev().take(NAME).take_while(|byte| is_name(**byte)).count();
    let name = text.get(at - length..at)?.trim_start_matches('-');
    (!name.is_empty() && length < NAME).then_some((name, at - name.len()))
}

/// The value of `name=value`, where `at` is the sign.
pub(super) fn equals(text: &str, at: usize, names: &Names<'_>) -> Option<Range<usize>> {
    let (name, _) = name_before(text, at)?;
    let hides = if text.get(at + 1..)?.starts_with('=') { Hides::Nothing } else { names(name) };
    if hides == Hides::Nothing {
        return None;
    }
    quoted(text, at + 1).or_else(|| word(text, at + 1, name, hides).filter(|range| is_value(text, range, name, hides)))
}

/// The value of `name: value` on a line, where `at` is the colon.
pub(super) fn colon(text: &str, at: usize, names: &Names<'_>) -> Option<Range<usize>> {
    let (name, from) = name_before(text, at)?;
    let before = from.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied();
    let begins = before.is_none_or(|before| before.is_ascii_whitespace() || b"-,;({[".contains(&before));
    let hides = if begins { names(name) } else { Hides::Nothing };
    if hides == Hides::Nothing {
        return None;
    }
    let rest = text.get(at + 1..)?;
    let start = text.len() - rest.trim_start_matches([' ', '\t']).len();
    if let Some(range) = quoted(text, start) {
        return Some(range);
    }
    if hides == Hides::Everything {
        let line = text.get(start..)?.split(['\n', '\r']).next()?.trim_end();
        return (!line.is_empty() && !is_blank(line)).then_some(start..start + line.len());
    }
    let range = word(text, start, name, hides)?;
    let after = text.get(range.end..)?;
    let next = after.trim_start_matches([' ', '\t']);
    // In the middle of a sentence a name is only talked about.
    let alone =
        next.is_empty() || next.starts_with(['\n', '\r', '#']) || after.starts_with([',', ';']) || assigns(next);
    (alone && is_value(text, &range, name, hides)).then_some(range)
}

/// Whether another assignment follows.
fn assigns(after: &str) -> bool {
    let after = after.as_bytes();
    let length = after.iter().take(NAME).take_while(|byte| is_name(**byte)).count();
    length > 0 && matches!(after.get(length), Some(b':' | b'='))
}

/// The value of `--name value`, where `at` is the first dash.
pub(super) fn option(text: &str, at: usize, names: &Names<'_>) -> Option<Range<usize>> {
    let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied();
    let rest = text.get(at..)?.strip_prefix("--")?;
    let length = rest.bytes().take(NAME).take_while(|byte| is_name(*byte)).count();
    let (name, after) = rest.split_at_checked(length)?;
    let hides = if before.is_some_and(is_name) { Hides::Nothing } else { names(name) };
    let value = after.trim_start_matches(' ');
    if hides == Hides::Nothing || value.len() == after.len() || value.starts_with('-') {
        return None;
    }
    let from = text.len() - value.len();
    quoted(text, from).or_else(|| word(text, from, name, hides).filter(|range| is_value(text, range, name, hides)))
}

/// The password in `curl -u user:password` and its like, where `at` is the first dash.
pub(super) fn login(text: &str, at: usize) -> Option<Range<usize>> {
    // How far before its option the program stands at most.
    const COMMAND: usize = 256;
    if at.checked_sub(1).and_then(|at| text.as_bytes().get(at)).is_some_and(|before| !before.is_ascii_whitespace()) {
        return None;
    }
    let rest = text.get(at..)?;
    let value = ["--user=", "--user ", "--proxy-user ", "-u", "-U"].iter().find_map(|flag| rest.strip_prefix(*flag))?;
    let ahead = text.as_bytes().get(at.saturating_sub(COMMAND)..at)?;
    let value = value.trim_start_matches([' ', '"', '\'']);
    let length = value.find(|c: char| c.is_whitespace() || "\"'".contains(c)).unwrap_or(value.len()).min(WORD);
    let (user, password) = value.get(..length)?.split_once(':')?;
    if password.is_empty() || password.starts_with(['$', '{', '<']) || is_blank(password) || !is_curl(ahead) {
        return None;
    }
    let from = text.len() - value.len() + user.len() + 1;
    Some(from..from + password.len())
}

/// Whether a command line names curl last of all.
fn is_curl(ahead: &[u8]) -> bool {
    let line = ahead.iter().rposition(|byte| matches!(byte, b'\n' | b';' | b'|')).map_or(0, |at| at + 1);
    memchr::memmem::find(ahead.get(line..).unwrap_or_default(), b"curl").is_some()
}

/// The password in `… PASSWORD '…'` or `… IDENTIFIED BY '…'` of SQL, where `at` is the quote.
pub(super) fn statement(text: &str, at: usize) -> Option<Range<usize>> {
    const WORDS: [&[u8]; 2] = [b"password", b"identified by"];
    let ahead = text.as_bytes().get(at.saturating_sub(NAME)..at)?;
    let words = ahead.trim_ascii_end();
    let named = |word: &&[u8]| {
        let (before, last) = words.split_at_checked(words.len().checked_sub(word.len())?)?;
        let whole = !before.last().is_some_and(|byte| is_name(*byte));
        (whole && last.eq_ignore_ascii_case(word)).then_some(())
    };
    if words.len() == ahead.len() || !WORDS.iter().any(|word| named(word).is_some()) {
        return None;
    }
    quoted(text, at)
}

/// The text of `<name>text</name>`, where `at` is the first bracket.
pub(super) fn element(text: &str, at: usize, names: &Names<'_>) -> Option<Range<usize>> {
    let rest = text.get(at + 1..)?;
    let length = rest.bytes().take(NAME).take_while(|byte| is_name(*byte)).count();
    let (name, after) = rest.split_at_checked(length)?;
    let inner = after.strip_prefix('>')?;
    let hides = names(name);
    if hides == Hides::Nothing {
        return None;
    }
    let end = memchr::memchr(b'<', inner.as_bytes())?;
    let from = text.len() - inner.len();
    let range = from..from + end;
    let closes = inner.get(end..)?.strip_prefix("</")?.starts_with(name);
    (closes && is_value(text, &range, name, hides)).then_some(range)
}

/// What follows `Bearer ` or `Basic `, where it looks like a credential.
pub(super) fn credential(text: &str, at: usize) -> Option<Range<usize>> {
    const ALPHABET: &[u8] = b"-._~+/=";
    let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at)).copied();
    if before.is_some_and(is_name) {
        return None;
    }
    let scheme = |name: &str| text.get(at..at + name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let (bearer, from) = match () {
        () if scheme("bearer ") => (true, at + 7),
        () if scheme("basic ") => (false, at + 6),
        () => return None,
    };
    let value = text.get(from..)?;
    let length = value.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || ALPHABET.contains(byte)).count();
    let value = value.get(..length)?;
    let looks = match bearer {
        true => length >= 16 && (length >= 32 || value.bytes().any(|byte| byte.is_ascii_digit())),
        false => STANDARD.decode(value).is_ok_and(|pair| pair.contains(&b':') && pair.is_ascii()),
    };
    looks.then_some(from..from + length)
}

/// What stands in quotes at a place, which may be escaped; nothing where it is blank or does not end.
fn quoted(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let open = ["\"", "'", "\\\"", "\\'"].into_iter().find(|open| rest.starts_with(*open))?;
    let start = from + open.len();
    let length = text.get(start..)?.find(open)?;
    let value = text.get(start..start + length)?;
    (!value.contains('\n') && !is_blank(value)).then_some(start..start + length)
}

/// A word at a place. What is called, or leads to a value, is none.
fn word(text: &str, from: usize, name: &str, hides: Hides) -> Option<Range<usize>> {
    let ends = |c: char| c.is_whitespace() || "\"'`,;&<>()[]{}|\\".contains(c);
    let rest = text.get(from..)?;
    let near = rest.char_indices().take(WORD).find(|(_, c)| ends(*c)).map(|(at, _)| at);
    let length = match near {
        Some(length) => length,
        None if rest.len() <= WORD => rest.len(),
        // Nobody talks like that.
        None => return Some(from..from + rest.find(ends).unwrap_or(rest.len())),
    };
    let value = rest.get(..length)?;
    let called = rest.get(length..)?.starts_with(['(', '[']);
    let counted = counts_tokens(name) && value.bytes().all(|byte| byte.is_ascii_digit());
    (length > 0 && (hides == Hides::Everything || !called && !counted)).then_some(from..from + length)
}

/// Whether this is a value, not something that stands for one.
pub(super) fn is_value(text: &str, range: &Range<usize>, name: &str, hides: Hides) -> bool {
    let Some(value) = text.get(range.clone()) else { return false };
    let value = value.trim();
    if hides == Hides::Everything {
        return !value.is_empty() && !is_blank(value);
    }
    let lower = value.to_ascii_lowercase();
    let stands_for = value.starts_with(['$', '%', '{', '<']) || VARIABLES.iter().any(|word| lower.starts_with(word));
    // The shell's name for the directory it is in.
    let stands_for = stands_for || name.to_ascii_lowercase().ends_with("pwd") && value.starts_with(['/', '~', '.']);
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let plain = lower.trim_end_matches(['.', ':', '!', '?']);
    !(stands_for || is_blank(value) || WORDS.contains(&plain) || letters(name).ends_with(&letters(value)))
}

#[cfg(test)]
mod tests {
    use super::super::text::{secrets, text};

    fn hidden(line: &str) -> Vec<&str> {
        secrets(line).into_iter().map(|range| &line[range]).collect()
    }

    #[test]
    fn what_is_assigned_to_the_name_of_a_secret_is_one() {
        for (line, secret) in [
            ("password=hunter2", "hunter2"),
            ("OPENAI_API_KEY=abcdefghijklmno and more", "abcdefghijklmno"),
            ("run --token=abc --verbose", "abc"),
            ("run --password hunter2 --verbose", "hunter2"),
            ("host: db\npassword: hunter2\nuser: ann", "hunter2"),
            ("A=b DB_PASSWORD: hunter2", "hunter2"),
            ("- password: 'hunter 2'", "hunter 2"),
            ("Client(api_key=\"abc def\", timeout=3)", "abc def"),
            ("<user>ann</user><password>hunter2</password>", "hunter2"),
            ("sent Bearer abcdefgh12345678 to it", "abcdefgh12345678"),
            ("with basic YW5uOmh1bnRlcjI=", "YW5uOmh1bnRlcjI="),
            ("aws_secret_access_key=wJalr/K7MDENG/bPx", "wJalr/K7MDENG/bPx"),
            ("password=1234", "1234"),
            ("pwd=hunter2; x", "hunter2"),
            ("auth=hunter2", "hunter2"),
            ("curl -u ann:hunter2 https://host", "hunter2"),
            ("curl -sS --user 'ann:hunter2' https://host", "hunter2"),
            ("curl -uann:hunter2 https://host", "hunter2"),
            ("CREATE USER ann WITH PASSWORD 'hunter2';", "hunter2"),
            ("alter user ann identified by 'hunter2'", "hunter2"),
        ] {
            assert_eq!(hidden(line), [secret], "{line}");
            assert_eq!(text(&text(line)), text(line), "{line}");
        }
    }

    #[test]
    fn what_only_talks_about_secrets_is_none() {
        for line in [
            "def login(password: str, api_key: Optional[str] = None, token: string = '')",
            "client = OpenAI(api_key=os.environ[\"OPENAI_API_KEY\"], password=password)",
            "password=${DB_PASSWORD} --token TOKEN --api-key <key> --password is required",
            "a token: the smallest unit of text. password: must be long",
            "max_tokens=512 token=7 tokens: 12 if password == other",
            "Bearer tokens are sent. Basic authentication is not. <password></password>",
            "secret=get_secret() password=self.password token=*** api_key=None",
            "author: ann, key=value, a=b, x: y",
            "PWD=/root/work OLDPWD=~ docker run -u 1000:1000 image; run -u me:you",
            "curl -u $USER:$PASSWORD https://host; it's the password's 'x'",
        ] {
            assert_eq!(hidden(line), Vec::<&str>::new(), "{line}");
        }
    }
}
