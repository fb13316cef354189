//! What is said, in lines of a width.
//!
//! Comes in: a text as it was recorded. Goes out: lines that fit, cleaned of what acts on a terminal, and how much was left out.

use std::borrow::Cow;

use serde_json::Value as Json;
use unicode_width::UnicodeWidthChar;

use super::ink::clean;

/// A text in lines, and how many bytes of it are not in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) lines: Vec<String>,
    pub(super) left_out: usize,
}

/// Wraps a text between words, its own line breaks kept: the first line to `first` columns, others to `room`.
pub(super) fn shown(text: &str, first: usize, room: usize, most: usize) -> Shown {
    let text = text.trim_end();
    let mut lines: Vec<String> = Vec::new();
    let mut done = 0;
    for written in text.split_inclusive('\n') {
        let mut rest = written.trim_end_matches(['\n', '\r']);
        loop {
            if lines.len() == most {
                return Shown { lines, left_out: text.len() - done };
            }
            let room = if lines.is_empty() { first } else { room };
            let (head, tail) = split(rest, room.max(8));
            lines.push(clean(&head.trim_end().replace('\t', "    ")).into_owned());
            done += rest.len() - tail.len();
            if tail.is_empty() {
                break;
            }
            rest = tail;
        }
        done += written.len() - written.trim_end_matches(['\n', '\r']).len();
    }
    // Empty lines at the beginning say nothing.
    Shown { lines, left_out: 0 }
}

/// The part of a line that fits, up to the last blank in it, and the rest.
fn split(line: &str, room: usize) -> (&str, &str) {
    let (mut used, mut blank) = (0, None);
    for (at, c) in line.char_indices() {
        used += match c {
            '\t' => 4,
            c => c.width().unwrap_or(1).max(if super::ink::acts(c) { 8 } else { 0 }),
        };
        if used > room {
            let (head, tail) =
                line.split_at_checked(blank.filter(|blank| *blank > 0).unwrap_or(at.max(1))).unwrap_or((line, ""));
            return (head.trim_end_matches(' '), tail.trim_start_matches(' '));
        }
        if c == ' ' {
            blank = Some(at);
        }
    }
    (line, "")
}

/// Arguments on one line without their outer braces: `"city": "Bern", "day": 3`.
pub(super) fn compact(arguments: &str) -> &str {
    let trimmed = arguments.trim();
    let inner = trimmed.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.map_or(trimmed, str::trim)
}

/// The text of a tool's result that came in the form of the Model Context Protocol, or in parts; any other result as it is.
pub(super) fn result_text(result: &str) -> Cow<'_, str> {
    const MEMBERS: [&str; 5] = ["content", "isError", "structuredContent", "_meta", "meta"];
    let parsed = Some(result).filter(|text| text.trim_start().starts_with(['{', '[']) && text.contains("\"type\""));
    let json = parsed.and_then(|text| serde_json::from_str::<Json>(text).ok());
    let parts = match &json {
        Some(Json::Array(parts)) => Some(parts),
        Some(Json::Object(members)) if members.keys().all(|name| MEMBERS.contains(&name.as_str())) => {
            members.get("content").and_then(Json::as_array)
        }
        _ => None,
    };
    let part = |part: &Json| match part.get("type").and_then(Json::as_str)? {
        "text" => part.get("text").and_then(Json::as_str).map(str::to_owned),
        kind @ ("image" | "audio" | "resource" | "resource_link") => Some(format!("[{kind}]")),
        _ => None,
    };
    let texts = parts.and_then(|parts| parts.iter().map(part).collect::<Option<Vec<String>>>());
    texts.filter(|texts| !texts.is_empty()).map_or(Cow::Borrowed(result), |texts| Cow::Owned(texts.join("\n")))
}

/// JSON with the letters that its writer escaped only because they are not ASCII.
pub(super) fn spelled(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let unit = |at: usize| {
        let hex = json.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(hex, 16).ok()
    };
    let mut out = String::with_capacity(json.len());
    let (mut at, mut escaped) = (0, false);
    while let Some(c) = json.get(at..).and_then(|rest| rest.chars().next()) {
        let units = [unit(at), unit(at + 6)].into_iter().map_while(|unit| unit);
        let letter = char::decode_utf16(units).next().filter(|_| c == '\\' && !escaped);
        match letter.and_then(Result::ok).filter(|letter| *letter >= '\u{a0}') {
            Some(letter) => {
                out.push(letter);
                at += 6 * letter.len_utf16();
            }
            None => {
                escaped = c == '\\' && !escaped;
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_the_rest_is_counted() {
        let text = "one two three four\n\nfive";
        let all = shown(text, 9, 9, usize::MAX);
        assert_eq!(all.lines, ["one two", "three", "four", "", "five"]);
        let some = shown(text, 9, 9, 2);
        assert_eq!((some.lines.len(), some.left_out), (2, "four\n\nfive".len()));
        assert_eq!(shown("日本語テキスト", 8, 8, 9).lines, ["日本語テ", "キスト"]);
        assert_eq!(shown("a\u{1b}[2Jb", 80, 80, 9).lines, ["a␛[2Jb"]);
        assert_eq!(shown("", 80, 80, 9).lines, [""; 0]);
    }

    #[test]
    fn letters_are_spelled() {
        assert_eq!(
            spelled(r#"{"a": "Z\u00fcrich \ud83d\ude00 \u001b \\u00fc \ud83d"}"#),
            r#"{"a": "Zürich 😀 \u001b \\u00fc \ud83d"}"#
        );
    }

    #[test]
    fn results_in_parts_are_their_text() {
        let protocol = r#"{"content":[{"type":"text","text":"a\nb"},{"type":"image","data":"x"}],"isError":false}"#;
        assert_eq!(result_text(protocol), "a\nb\n[image]");
        assert_eq!(result_text(r#"[{"type":"text","text":"a"}]"#), "a");
        for other in ["a", "{", "[]", r#"{"type":"text","text":"a"}"#, r#"{"content":[{"type":"row"}]}"#] {
            assert_eq!(result_text(other), other);
        }
    }

    #[test]
    fn arguments_lose_their_braces() {
        assert_eq!(compact("{\"a\": 1}"), "\"a\": 1");
        assert_eq!((compact("{}"), compact("[1]"), compact(" x ")), ("", "[1]", "x"));
    }
}
