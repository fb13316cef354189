//! Long texts on a page: JSON laid out in lines, the rest folded away with its size.
//!
//! Comes in: a text. Goes out: lines to show, and what was left out. Nothing of the text is reordered or reworded.

use serde::de::IgnoredAny;

use crate::model::ByteSize;

/// Lines and characters that are shown of a folded text.
const LINES: usize = 12;
const CHARACTERS: usize = 600;
/// JSON up to this length stays on one line.
const SHORT: usize = 60;

/// A text as lines, and what was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) lines: Vec<String>,
    pub(super) left_out: Option<String>,
}

/// Lays a text out in lines: JSON indented, everything else by its own line breaks; folded unless `full`.
pub(super) fn fold(text: &str, full: bool) -> Folded {
    let indented = indented_json(text);
    let laid_out = indented.as_deref().unwrap_or(text);
    let mut lines: Vec<String> = Vec::new();
    let (mut characters, mut used) = (0, 0);
    for line in laid_out.lines() {
        let length = line.chars().count();
        if full || (lines.len() < LINES && characters + length <= CHARACTERS) {
            lines.push(line.to_owned());
        } else {
            if lines.len() < LINES {
                let head: String = line.chars().take(CHARACTERS - characters).collect();
                used += head.len();
                lines.push(head);
            }
            let left_out = ByteSize((laid_out.len() - used.min(laid_out.len())) as u64);
            return Folded { lines, left_out: Some(format!("{left_out} more, --full shows all")) };
        }
        characters += length;
        used += line.len() + 1;
    }
    Folded { lines, left_out: None }
}

/// The text indented, if it is a JSON object or array. Its order and its numbers stay as they are written.
fn indented_json(text: &str) -> Option<String> {
    let trimmed = text.trim();
    // What fits a line stays on it.
    if trimmed.len() <= SHORT {
        return None;
    }
    let nested = trimmed.starts_with('{') && trimmed.len() > 2 || trimmed.starts_with('[') && trimmed.contains('{');
    if !nested || serde_json::from_str::<IgnoredAny>(trimmed).is_err() {
        return None;
    }
    let mut out = String::with_capacity(trimmed.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut rest = trimmed.chars().peekable();
    let indent = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(40)));
    };
    while let Some(c) = rest.next() {
        if quoted {
            quoted = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            out.push(c);
            continue;
        }
        match c {
            ' ' | '\n' | '\r' | '\t' => {}
            '{' | '[' => {
                out.push(c);
                while rest.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if !matches!(rest.peek(), Some('}' | ']')) {
                    depth += 1;
                    indent(&mut out, depth);
                } else {
                    out.extend(rest.next());
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                indent(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                indent(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                quoted = c == '"';
                out.push(c);
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_a_string_is_laid_out_as_it_is_written() {
        let text = r#"{"b":[1.00,{"a":"x:,{}\""}],"a":{},"c":[ ],"long enough":"not to stay"}"#;
        let lines = fold(text, false).lines.join("\n");
        let wanted = "{\n  \"b\": [\n    1.00,\n    {\n      \"a\": \"x:,{}\\\"\"\n    }\n  ],\n  \"a\": {},\n  \"c\": [],\n  \"long enough\": \"not to stay\"\n}";
        assert_eq!(lines, wanted);
        assert_eq!(fold("{\"a\":1}", false).lines, ["{\"a\":1}"]);
        assert_eq!(fold("{not json}", false).lines, ["{not json}"]);
    }

    #[test]
    fn long_texts_are_folded_and_say_how_much_is_missing() {
        let long = "é".repeat(2000);
        let folded = fold(&long, false);
        assert_eq!(folded.lines[0].chars().count(), CHARACTERS);
        assert_eq!(folded.left_out.as_deref(), Some("2.7 KiB more, --full shows all"));
        assert_eq!(fold(&long, true), Folded { lines: vec![long.clone()], left_out: None });
        let lines = "line\n".repeat(100);
        assert_eq!(fold(&lines, false).lines.len(), LINES);
        assert_eq!(fold("", false), Folded { lines: vec![], left_out: None });
    }
}
