//! Stepping over JSON that is unknown, too large or broken, by counting quotes and brackets only.
//!
//! Comes in: bytes, piece by piece. Goes out: where the value ends. It never looks at what the value says.

/// The state between two pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Discard {
    depth: u64,
    in_string: bool,
}

/// How far a piece led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The value ends before this position.
    Done(usize),
    /// More bytes are needed from this position on.
    More(usize),
    /// At this position a line break is followed by what begins a new document: the value was cut off.
    CutOff(usize),
}

impl Discard {
    /// Goes on from `at`. With `suspicious`, a new document at the start of a line ends the search wherever it stands;
    /// otherwise only inside a string, where no sound JSON has one.
    pub(super) fn run(&mut self, bytes: &[u8], mut at: usize, suspicious: bool) -> Progress {
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let step = if self.in_string {
                memchr::memchr3(b'"', b'\\', b'\n', rest)
            } else {
                rest.iter().position(|c| matches!(c, b'"' | b'{' | b'}' | b'[' | b']' | b',' | b'\n'))
            };
            let Some(step) = step else { return Progress::More(bytes.len()) };
            at += step;
            match bytes.get(at) {
                Some(b'\n') => match bytes.get(at + 1..at + 3) {
                    None if bytes.len() < at + 3 => return Progress::More(at),
                    Some([b'{', b'"' | b'}']) if self.in_string || suspicious => return Progress::CutOff(at),
                    _ => at += 1,
                },
                Some(b'\\') => {
                    if at + 1 >= bytes.len() {
                        return Progress::More(at);
                    }
                    // A line break after a backslash is still one that may end the line.
                    at += if bytes.get(at + 1) == Some(&b'\n') { 1 } else { 2 };
                }
                Some(b'"') => {
                    self.in_string = !self.in_string;
                    at += 1;
                    if !self.in_string && self.depth == 0 {
                        return Progress::Done(at);
                    }
                }
                Some(b'{' | b'[') => {
                    self.depth += 1;
                    at += 1;
                }
                Some(b'}' | b']') => {
                    if self.depth == 0 {
                        return Progress::Done(at);
                    }
                    self.depth -= 1;
                    at += 1;
                    if self.depth == 0 {
                        return Progress::Done(at);
                    }
                }
                _ => {
                    if self.depth == 0 {
                        return Progress::Done(at);
                    }
                    at += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_brackets_do() {
        for (text, end) in
            [("{\"a\":[1,\"}\\\"\"]} ,", 15), ("\"x\\\"y\",", 6), ("12,", 2), ("true}", 4), ("[[],[]]]", 7)]
        {
            assert_eq!(Discard::default().run(text.as_bytes(), 0, false), Progress::Done(end), "{text}");
        }
    }

    #[test]
    fn pieces_of_any_size_lead_to_the_same_end() {
        let text = br#"{"a":"\\\"","b":[{"c":"\u0041"},[]]},"#;
        for cut in 1..text.len() - 2 {
            let mut discard = Discard::default();
            let Progress::More(at) = discard.run(&text[..cut], 0, false) else { panic!("{cut}") };
            assert_eq!(discard.run(text, at, false), Progress::Done(text.len() - 1), "{cut}");
        }
    }

    #[test]
    fn a_new_document_on_a_new_line_ends_a_broken_one() {
        let text = b"{\"a\":\"cut off\n{\"resourceSpans\":[]}";
        assert_eq!(Discard::default().run(text, 0, false), Progress::CutOff(13));
        let text = b"{\"a\":[\n{\"b\":1}]}";
        assert_eq!(Discard::default().run(text, 0, false), Progress::Done(text.len()));
        assert_eq!(Discard::default().run(text, 0, true), Progress::CutOff(6));
    }
}
