//! After broken or cut-off JSON: giving up as little as can be.
//!
//! Comes in: a reader that cannot go on. Goes out: a place from which it can, or the wish for more bytes.

use super::super::cursor::Cursor;
use super::super::discard::{Discard, Progress};
use super::super::seen::Seen;
use super::super::trouble::TroubleKind;
use super::frame::{Frame, Level};
use super::probe::{MAX_PROBE, continues};
use super::reader::JsonReader;

/// A leaf larger than this is left out: no span may exhaust the process.
const MAX_LEAF: usize = 256 << 20;
/// So many bytes may be read in vain for every byte of the input, and these besides. After that a value that does not end near its
/// beginning is broken, so that a dump in which nothing is sound is still read in linear time.
const STEPS: u64 = 8;
const FREE: u64 = 32 << 20;
const NEAR: usize = 16 << 10;

impl JsonReader {
    /// Goes to the end of a line, or to where a document may begin. `false` when the piece ends first.
    pub(super) fn pass_by(&mut self, cursor: &mut Cursor<'_, '_>, level: Level) -> bool {
        while let Some(step) = memchr::memchr(b'\n', cursor.bytes.get(cursor.at..).unwrap_or_default()) {
            let line = cursor.at + step + 1;
            match cursor.bytes.get(line) {
                None if level == Level::Resync => {
                    // Whether a document begins on the next line is for the next piece to say.
                    cursor.at = line - 1;
                    return false;
                }
                Some(b'{' | b'[') => {}
                _ if level == Level::Resync => {
                    cursor.at = line;
                    continue;
                }
                _ => {}
            }
            cursor.at = line;
            self.frames.pop();
            return true;
        }
        cursor.at = cursor.bytes.len();
        false
    }

    /// After broken syntax: first the broken value alone is given up, then everything up to the next span that begins
    /// like the ones before, then everything up to a line that begins like a document. `false` when more bytes are needed.
    pub(super) fn recover(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        mark: usize,
        last: bool,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> bool {
        let mut broken = cursor.at;
        let in_spans = self.frames.last().is_some_and(|frame| frame.level == Level::Spans);
        if let Some(leaf) = self.leaf {
            let kind = if in_spans { TroubleKind::BrokenSpan } else { TroubleKind::Syntax };
            let horizon = self.horizon(cursor.bytes, leaf);
            let found = Discard::default().run(horizon, leaf, true);
            let whole = horizon.len() == cursor.bytes.len();
            if matches!(found, Progress::More(_)) && whole && !last && cursor.bytes.len() - mark < MAX_PROBE {
                cursor.at = mark;
                return false;
            }
            if let Progress::More(at) | Progress::CutOff(at) = found {
                self.in_vain += at.saturating_sub(leaf) as u64;
            }
            if let Progress::Done(end) = found
                && self.frames.len() > usize::from(!in_spans)
                && continues(cursor.bytes, end)
            {
                self.note_broken(kind, cursor.bytes, leaf, broken);
                cursor.at = end;
                self.bump();
                return true;
            }
            let line_end = match found {
                Progress::CutOff(at) => {
                    broken = broken.min(at);
                    at
                }
                _ => cursor.bytes.len(),
            };
            if in_spans && let Some(next) = self.next_span(cursor.bytes, leaf + 1, line_end) {
                self.note_broken(kind, cursor.bytes, leaf, broken);
                cursor.at = next;
                self.bump();
                return true;
            }
        }
        self.give_up(cursor, mark, broken, sink);
        true
    }

    /// The bytes in which a value that begins at `leaf` is read, or its end is looked for where it is broken.
    pub(super) fn horizon<'b>(&self, bytes: &'b [u8], leaf: usize) -> &'b [u8] {
        let read = (self.base + leaf as u64).saturating_sub(self.idle_at);
        let near = bytes.get(..leaf + NEAR).filter(|_| self.in_vain > FREE + STEPS * read);
        near.unwrap_or(bytes)
    }

    /// Where behind a broken span another one begins.
    fn next_span(&self, bytes: &[u8], from: usize, to: usize) -> Option<usize> {
        if self.span_start.is_empty() {
            return None;
        }
        let rest = bytes.get(from..to)?;
        memchr::memmem::find(rest, &self.span_start).map(|at| from + at)
    }

    /// Leaves all frames and looks for the next document.
    fn give_up(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        mark: usize,
        broken: usize,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) {
        // A bracket with no value behind it began a line of text, not an array.
        let only_text = matches!(self.frames.as_slice(), [Frame { level: Level::List, count: 0, .. }]);
        let kind = if only_text { TroubleKind::OtherText } else { TroubleKind::Syntax };
        self.note_broken(kind, cursor.bytes, self.leaf.unwrap_or(mark), broken);
        cursor.at = broken.max(mark);
        // A line break right at the fault may be the one before the next document.
        if cursor.bytes.get(cursor.at) != Some(&b'\n')
            && cursor.at > mark
            && cursor.bytes.get(cursor.at - 1) == Some(&b'\n')
        {
            cursor.at -= 1;
        }
        self.close_all(cursor, sink);
        self.push(Level::Resync, "");
    }

    fn close_all(&mut self, cursor: &mut Cursor<'_, '_>, sink: &mut impl FnMut(Seen<'_, '_>)) {
        while !self.frames.is_empty() {
            self.pop(cursor, sink);
        }
    }

    /// The piece ends inside a leaf. `false` when the next piece may complete it.
    pub(super) fn run_out(
        &mut self,
        cursor: &mut Cursor<'_, '_>,
        mark: usize,
        last: bool,
        sink: &mut impl FnMut(Seen<'_, '_>),
    ) -> bool {
        let end = cursor.bytes.len();
        let cut_off = |leaf| matches!(Discard::default().run(cursor.bytes, leaf, true), Progress::CutOff(_));
        if last && self.leaf.is_some_and(cut_off) {
            self.in_vain += (end - mark) as u64;
            return self.recover(cursor, mark, last, sink);
        }
        if last {
            self.note_broken(TroubleKind::Truncated, cursor.bytes, self.leaf.unwrap_or(mark), end);
            self.close_all(cursor, sink);
            cursor.at = end;
            return false;
        }
        cursor.at = mark;
        let too_large = end - mark > MAX_LEAF;
        if too_large {
            self.note_at(TroubleKind::TooLarge, self.leaf.unwrap_or(mark));
            match self.leaf {
                Some(leaf) => {
                    cursor.at = leaf;
                    self.skip_value();
                }
                None => {
                    self.close_all(cursor, sink);
                    self.push(Level::Resync, "");
                }
            }
        }
        too_large
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids that are read of a document, and whether no more was read in vain than is allowed.
    fn read(document: &str) -> Vec<u128> {
        let mut reader = JsonReader::default();
        let mut found = Vec::new();
        reader.feed(document.as_bytes(), 0, true, &mut |seen| {
            if let Seen::Span(span, _) = seen {
                found.push(span.trace_id.bits);
            }
        });
        // Behind the bound every value may still cost twice what is near it.
        let values = (document.matches("{\"").count() * 2 * NEAR + 2 * document.len()) as u64;
        let most = FREE + STEPS * document.len() as u64 + values;
        assert!(reader.in_vain <= most, "{} steps for {} bytes", reader.in_vain, document.len());
        found
    }

    #[test]
    fn broken_spans_are_passed_by_in_linear_time() {
        let broken = [
            // Broken at once, with an end that is nowhere.
            r#"{"traceId":"05","x":?[[[[[["#,
            // Read to the end, where something is broken.
            r#"{"traceId":"05","x":[[[[[["#,
        ];
        for broken in broken {
            let spans = [r#"{"traceId":"01"}"#].into_iter().chain(std::iter::repeat_n(broken, 10_000));
            let spans: Vec<&str> = spans.chain([r#"{"traceId":"02","x":?}"#, r#"{"traceId":"03"}"#]).collect();
            let found = read(&format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(",")));
            assert_eq!(found, [1, 3], "{broken}");
        }
    }

    #[test]
    fn lines_that_are_cut_off_are_passed_by_in_linear_time() {
        let begun = r#"{"resourceSpans":[{"scopeSpans":[{"spans":["#;
        for cut in [r#"{"traceId":"#, r#"{"x":{"#, ""] {
            let lines = format!("{begun}{cut}\n").repeat(10_000);
            assert_eq!(read(&format!(r#"{lines}{begun}{{"traceId":"01"}}]}}]}}]}}"#)), [1], "{cut}");
        }
    }
}
