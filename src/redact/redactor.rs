//! What is hidden, and what stands in its place.
//!
//! Comes in: text, perhaps with the key it stands under. Goes out: the same with secrets hidden, or a note of their beginning, or a
//! pseudonym: the same for the same value, and of no use to anybody without the seed.

use std::borrow::Cow;
use std::ops::Range;

use globset::GlobMatcher;
use regex::Regex;
use sha2::{Digest, Sha256};

use super::assigned::Hides;
use super::key::is_secret_key;
use super::nested::{Edit, walk};
use super::search::hints;
use super::text::{hidden, is_blank, is_mark, secrets, secrets_under};

/// Hexadecimal digits of a pseudonym: among a million values two have the same with a chance of one in five hundred.
const DIGITS: usize = 12;
/// Names around a value that are looked at together: `user.*` names what stands under `name` in `user`.
pub(super) const TOGETHER: usize = 4;

/// What is hidden besides what looks like a secret, and how.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Keys whose values are hidden whatever they are.
    pub keys: Vec<GlobMatcher>,
    /// What is hidden wherever it stands in a value.
    pub values: Vec<Regex>,
    /// Pseudonyms, where they are wanted.
    pub pseudonyms: Option<Pseudonyms>,
}

/// How pseudonyms are made.
#[derive(Clone, Debug, Default)]
pub struct Pseudonyms {
    /// Who knows it can tell which value a pseudonym may stand for.
    pub seed: String,
    /// A pseudonym has as many bytes as what it stands for, and numbers stay numbers.
    pub keep_size: bool,
}

impl Redactor {
    /// How much a name hides, where it stands under these others, the outermost first.
    pub fn hides(&self, names: &[String], name: &str) -> Hides {
        if self.names_key(name) || self.names_path(names, name) {
            return Hides::Everything;
        }
        if is_secret_key(name) { Hides::Secret } else { Hides::Nothing }
    }

    fn names_path(&self, names: &[String], name: &str) -> bool {
        if self.keys.is_empty() {
            return false;
        }
        let mut path = name.to_owned();
        names.iter().rev().take(TOGETHER).any(|above| {
            path = format!("{above}.{path}");
            self.names_key(&path)
        })
    }

    /// Whether everything under this key is hidden.
    pub fn hides_key(&self, key: &str) -> bool {
        self.names_key(key) || is_secret_key(key)
    }

    /// Whether somebody said that everything under this key is hidden.
    pub fn names_key(&self, key: &str) -> bool {
        self.keys.iter().any(|glob| glob.is_match(key))
    }

    /// Whether something in this is hidden by what it is.
    pub fn fits_value(&self, text: &str) -> bool {
        self.values.iter().any(|pattern| pattern.is_match(text))
    }

    /// Whether hidden numbers stay numbers.
    pub fn keeps_numbers(&self) -> bool {
        self.pseudonyms.as_ref().is_some_and(|pseudonyms| pseudonyms.keep_size)
    }

    fn digest(&self, secret: &str) -> [u8; 32] {
        let seed = self.pseudonyms.as_ref().map_or("", |pseudonyms| &pseudonyms.seed);
        let mut hash = Sha256::new();
        hash.update((seed.len() as u64).to_be_bytes());
        hash.update(seed);
        hash.update(secret);
        hash.finalize().into()
    }

    /// What stands in the place of something hidden.
    pub fn hidden(&self, secret: &str) -> String {
        let Some(Pseudonyms { keep_size, .. }) = &self.pseudonyms else { return hidden(secret) };
        let digest: String = self.digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
        let mark = format!("<redacted:{}>", digest.get(..DIGITS).unwrap_or_default());
        match secret.len().checked_sub(mark.len()) {
            _ if !keep_size => mark,
            Some(more) => format!("{}{}>", mark.trim_end_matches('>'), ".".repeat(more)),
            None => format!("*{}", digest.get(..secret.len().saturating_sub(1)).unwrap_or_default()),
        }
    }

    /// A number in the place of a hidden one: with other digits, and as many.
    pub fn hidden_number(&self, number: &str) -> String {
        let digest = self.digest(number);
        let mut dice = digest.iter().cycle();
        let mut first = true;
        let mut put = |c: char| {
            let die = u32::from(dice.next().copied().unwrap_or_default());
            // No zero in front, and nothing that 64 bits cannot hold.
            let digit = if std::mem::take(&mut first) { 1 + die % 8 } else { die % 10 };
            if c.is_ascii_digit() { char::from_digit(digit, 10).unwrap_or(c) } else { c }
        };
        let (mantissa, exponent) = number.find(['e', 'E']).map_or((number, ""), |at| number.split_at(at));
        let (sign, digits) = mantissa.split_at(mantissa.len() - mantissa.trim_start_matches('-').len());
        let mut new: String = digits.chars().map(&mut put).collect();
        if new == digits
            && let Some(last) = new.pop()
        {
            new.push(if last == '1' { '2' } else { '1' });
        }
        format!("{sign}{new}{exponent}")
    }

    /// A text with everything in it hidden that is to be, also in JSON and the like that it holds.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.inside(text, &[], 0)
    }

    /// The same of a text that stands under names, in so many others.
    pub(super) fn inside<'t>(&self, text: &'t str, names: &[String], depth: usize) -> Cow<'t, str> {
        let mut found = self.fitting(text);
        match &self.pseudonyms {
            None => found.extend(secrets(text)),
            Some(_) if self.keys.is_empty() && !hints(text) && found.is_empty() => return Cow::Borrowed(text),
            Some(_) => {}
        }
        let mut edits = Vec::new();
        if self.pseudonyms.is_some() {
            let (put, gaps) = walk(text, self, names, depth);
            edits = put;
            for gap in gaps {
                let inner = text.get(gap.clone()).unwrap_or_default();
                let secrets = secrets_under(inner, &|name| self.hides(names, name));
                found.extend(secrets.into_iter().map(|range| gap.start + range.start..gap.start + range.end));
            }
        }
        if found.is_empty() && edits.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(self.put(text, edits, found))
        }
    }

    /// The text of an attribute: hidden as a whole where its key says so.
    pub fn attribute_text<'t>(&self, key: &str, value: &'t str) -> Cow<'t, str> {
        self.value_text(&[], key, value)
    }

    /// The same of a text under names.
    pub fn value_text<'t>(&self, names: &[String], key: &str, value: &'t str) -> Cow<'t, str> {
        match self.hides(names, key) {
            Hides::Everything if value.is_empty() || is_mark(value) => Cow::Borrowed(value),
            Hides::Secret if is_blank(value) => Cow::Borrowed(value),
            Hides::Nothing if self.keys.is_empty() => self.inside(value, &[], 0),
            Hides::Nothing => self.inside(value, &[names, &[key.to_owned()]].concat(), 0),
            _ => Cow::Owned(self.hidden(value)),
        }
    }

    /// Where there is something that fits a pattern.
    fn fitting(&self, text: &str) -> Vec<Range<usize>> {
        let matches = self.values.iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.range());
        matches.filter(|range| !range.is_empty()).collect()
    }

    /// The text with these parts replaced and those hidden. Where they overlap, the whole is hidden, unless one replaces the other.
    fn put(&self, text: &str, edits: Vec<Edit>, found: Vec<Range<usize>>) -> String {
        let edits = edits.into_iter().map(|edit| (edit.range, Some(edit.text)));
        let mut parts: Vec<(Range<usize>, Option<String>)> =
            edits.chain(found.into_iter().map(|range| (range, None))).collect();
        parts.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        parts.dedup_by(|(next, new), (kept, text)| {
            let overlap = next.start < kept.end;
            if overlap && (next.end > kept.end || next == kept && text.is_none()) {
                // Of two that are the same, the one that says what is put there counts.
                let same = next == kept;
                kept.end = kept.end.max(next.end);
                *text = new.take().filter(|_| same);
            }
            overlap
        });
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (Range { start, end }, new) in parts {
            out.push_str(text.get(done..start).unwrap_or_default());
            match new {
                Some(new) => out.push_str(&new),
                None => out.push_str(&self.hidden(text.get(start..end).unwrap_or_default())),
            }
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn redactor(keep_size: bool) -> Redactor {
        Redactor {
            keys: vec![globset::Glob::new("user.*").unwrap().compile_matcher()],
            values: vec![Regex::new(r"[\w.]+@[\w.]+").unwrap()],
            pseudonyms: Some(Pseudonyms { seed: "s".into(), keep_size }),
        }
    }

    #[test]
    fn the_same_value_has_the_same_pseudonym_with_the_same_seed_only() {
        let one = redactor(false);
        let hidden = one.text("from ann@example.org to bob@example.org, cc ann@example.org").into_owned();
        let marks: Vec<&str> = hidden.split_whitespace().filter(|word| word.starts_with('<')).collect();
        assert_eq!((marks.len(), marks[0]), (3, marks[2]));
        assert_ne!(marks[0], marks[1].trim_end_matches(','));
        assert!(!hidden.contains("example"));
        let mut other = redactor(false);
        other.pseudonyms = Some(Pseudonyms { seed: "t".into(), keep_size: false });
        assert_ne!(other.hidden("ann"), one.hidden("ann"));
        assert_eq!(one.text(&hidden), hidden);
    }

    #[test]
    fn sizes_are_kept_where_that_is_wanted_and_marks_are_seen() {
        let keeping = redactor(true);
        for secret in ["x", "hunter2", "hunter2hunter2hunter2", "é".repeat(40).as_str()] {
            let hidden = keeping.hidden(secret);
            assert!(hidden.len() == secret.len() && is_mark(&hidden), "{hidden}");
            assert_eq!(keeping.attribute_text("user.x", &hidden), hidden);
        }
        for number in ["0", "42", "-9223372036854775808", "1.5e300", "4111111111111111"] {
            let hidden = keeping.hidden_number(number);
            assert!(
                hidden.len() == number.len() && hidden != number && hidden.parse::<f64>().is_ok(),
                "{number} {hidden}"
            );
            assert!(number.contains('.') || hidden.parse::<i64>().is_ok(), "{number} {hidden}");
        }
        assert_eq!(redactor(false).hidden("x").len(), "<redacted:0123456789ab>".len());
    }

    #[test]
    fn json_in_text_keeps_its_structure() {
        let text = r#"{"user.name": "Ann", "n": [1, "ann@x.org", {"password": 7}], "inner": "{\"token\": \"t0\\n\"}", "a":true}"#;
        let hidden = redactor(false).text(text).into_owned();
        let read: Value = serde_json::from_str(&hidden).unwrap();
        let is_mark = |value: &Value| value.as_str().unwrap().starts_with("<redacted:");
        assert!(is_mark(&read["user.name"]) && is_mark(&read["n"][1]) && is_mark(&read["n"][2]["password"]));
        let inner: Value = serde_json::from_str(read["inner"].as_str().unwrap()).unwrap();
        assert!(is_mark(&inner["token"]) && hidden.contains("\"n\": [1, ") && hidden.ends_with("\"a\":true}"));
        assert_eq!(redactor(false).text(r#"{"plain": [1, 2]}"#), r#"{"plain": [1, 2]}"#);
        assert_eq!(redactor(false).text(&hidden), hidden);
    }

    #[test]
    fn values_are_found_in_every_form_that_people_write() {
        let one = redactor(false);
        for (text, left) in [
            ("  {\"user.name\":\"Ann\"}", 0),
            ("\u{feff}{\"user.name\":\"Ann\"}", 0),
            ("Result: {\"user.name\":\"Ann\",\"password\":\"p4ss\"} done", 0),
            ("```json\n{\"user.name\":\"Ann\"}\n```", 0),
            ("{\"user.name\":\"Ann\"}\n{\"user.name\":\"Ann\"}", 0),
            ("{\"x\":\"aaa\",\"user.name\":\"Ann", 0),
            ("{'user.name': 'Ann', 'api_key': 'abc', 'n': None}", 0),
            ("User(id=1, user.name='Ann', password=\"p4ss\")", 0),
            ("\"{\\\"user.name\\\":\\\"Ann\\\"}\"", 0),
            ("{\\\"user.name\\\":\\\"Ann\\\",\\\"x\\\":\\\"a", 0),
            ("{\"us\\u0065r.name\":\"Ann\"}", 0),
            ("{\"user\":{\"name\":\"Ann\",\"tags\":[\"Ann\",1]}}", 0),
            ("{'user': {'name': b'Ann'}}", 0),
            ("user.name: Ann Lee\npassword: p4ss", 0),
            ("user.name=Ann --user.name Ann <user.name>Ann</user.name>", 0),
            ("it's said that \"Ann\" isn't {'user.name': 'Ann'}", 1),
            ("Ann, whose users' names are Ann", 2),
        ] {
            let hidden = one.text(text);
            assert_eq!(hidden.matches("Ann").count(), left, "{text}: {hidden}");
            assert!(!hidden.contains("p4ss") && !hidden.contains("abc"), "{hidden}");
        }
        let flags = one.text(r#"{"user.ok": true, "user.nul": null, "user.none": "None", "user.n": 42, "user.e": ""}"#);
        let read: Value = serde_json::from_str(&flags).unwrap();
        assert!(read["user.nul"].is_null() && read["user.e"] == "", "{flags}");
        assert!(["user.ok", "user.none", "user.n"].iter().all(|key| read[key].as_str().unwrap().starts_with('<')));
    }

    #[test]
    fn what_is_no_secret_stays() {
        let one = redactor(false);
        for text in [
            r#"{"usage":{"input_tokens":512,"token":7,"tokens":{"input":5}},"max_tokens":1}"#,
            "He said \"the password: it's long\" and 'token' isn't: 5",
            "def f(password: str = None, n=1): return {'token': token, 'k': get('password')}",
            "{'a': [1, 2, (3,)], 'b': datetime(2024, 1, 2)}",
            "unbalanced \" ' \\\" ] } ) ( [ { ,",
        ] {
            assert_eq!(one.text(text), text);
        }
    }

    #[test]
    fn no_text_takes_longer_than_it_is_long() {
        let one = redactor(false);
        for piece in
            ["\"", "'", "\\\"", "{\"a\":", "'a': '", "\"password\": \"", "password=", "password: ", "<password>", "\\"]
        {
            let _ = one.text(&piece.repeat(1 << 17));
        }
    }

    /// A document with values that are to be hidden, and the same values by themselves.
    fn document() -> impl Strategy<Value = (Value, Vec<String>)> {
        let secret = || "[a-z]{3}".prop_map(|tail| format!("Zq9{tail}"));
        let plain = prop_oneof!["[ a-z\"'\\\\:{}=,é\n]{0,8}".prop_map(Value::from), any::<i32>().prop_map(Value::from)];
        let leaf = prop_oneof![
            3 => plain.prop_map(|value| (value, Vec::new())),
            1 => secret().prop_map(|text| (json!({ "user.name": text }), vec![text])),
            1 => secret().prop_map(|text| (json!({ "user": { "mail": [text, 1] } }), vec![text])),
            1 => secret().prop_map(|text| (json!({ "db_password": text }), vec![text])),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            let joined =
                |items: &[(Value, Vec<String>)]| items.iter().flat_map(|(_, secrets)| secrets.clone()).collect();
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(move |items| (items.iter().map(|(value, _)| value.clone()).collect(), joined(&items))),
                prop::collection::vec(("[a-z_ ]{1,5}", inner.clone()), 0..4).prop_map(|items| {
                    let secrets = items.iter().flat_map(|(_, (_, secrets))| secrets.clone()).collect();
                    (items.into_iter().map(|(key, (value, _))| (key, value)).collect(), secrets)
                }),
                (inner.clone(), 0..5).prop_map(|((value, secrets), how)| (encoded(&value, how).into(), secrets)),
            ]
        })
    }

    fn encoded(value: &Value, how: i32) -> String {
        let json = value.to_string();
        match how {
            0 => json,
            1 => format!("Result: {json} and that's it"),
            2 => format!("```json\n{value:#}\n```"),
            3 => python(value),
            _ => Value::from(json).to_string(),
        }
    }

    fn python(value: &Value) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"));
        match value {
            Value::Null => "None".to_owned(),
            Value::Bool(yes) => if *yes { "True" } else { "False" }.to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => quoted(text),
            Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| format!("{}: {}", quoted(key), python(value));
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
        }
    }

    proptest! {
        #[test]
        fn no_named_value_survives_in_any_nesting((value, secrets) in document(), how in 0..5, cut in 0.5..1.0f64) {
            let one = redactor(false);
            let text = encoded(&value, how);
            let hidden = one.text(&text);
            for secret in &secrets {
                prop_assert!(!hidden.contains(secret.as_str()), "{secret} in {hidden} of {text}");
            }
            if how == 0 {
                let again: Result<Value, _> = serde_json::from_str(&hidden);
                prop_assert!(again.is_ok(), "{hidden} of {text}");
            }
            prop_assert_eq!(one.text(&hidden).into_owned(), hidden.into_owned());
            // Cut off anywhere, what is still there of a value may be its beginning only.
            let at = (0..=(text.len() as f64 * cut) as usize).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let hidden = one.text(&text[..at]).into_owned();
            for secret in &secrets {
                prop_assert!(!hidden.contains(secret.as_str()), "{secret} in {hidden} of {}", &text[..at]);
            }
        }
    }
}
