//! What was odd about the inputs, one line a kind and input, for stderr.
//!
//! Comes in: troubles and the inputs they are from. Goes out: `tracectl: run.jsonl:812: …`, the gravest kinds first to be
//! kept when there are many.

use std::io;

use super::{Ink, Render, Tone};
use crate::capture::Source;
use crate::otlp::{Grade, Trouble};

/// The troubles of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Troubles<'c> {
    /// By input and place.
    pub troubles: &'c [Trouble],
    /// The inputs.
    pub sources: &'c [Source],
    /// Whether notes are shown, and no line is kept back.
    pub all: bool,
}

/// Lines before the rest is only counted.
const LINES: usize = 10;

impl Render for Troubles<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let mut shown: Vec<&Trouble> =
            self.troubles.iter().filter(|trouble| self.all || trouble.kind.grade() > Grade::Note).collect();
        let kept_back = if self.all { 0 } else { shown.len().saturating_sub(LINES) };
        if kept_back > 0 {
            // Stable: within a grade the order of places stays.
            shown.sort_by_key(|trouble| std::cmp::Reverse(trouble.kind.grade()));
            shown.truncate(LINES);
        }
        for trouble in shown {
            self.line(ink, trouble)?;
        }
        if kept_back > 0 {
            ink.put(Tone::Quiet, format_args!("tracectl: and {kept_back} more kinds (-v shows all)"))?;
            ink.line()?;
        }
        Ok(())
    }
}

impl Troubles<'_> {
    fn line(&self, ink: &mut Ink<'_>, trouble: &Trouble) -> io::Result<()> {
        let tone = if trouble.kind.grade() == Grade::Loss { Tone::Error } else { Tone::Odd };
        ink.put(Tone::Quiet, "tracectl: ")?;
        ink.say(place(trouble, self.sources))?;
        ink.put(tone, format_args!(": {}", trouble.kind.message()))?;
        if !trouble.detail.is_empty() {
            ink.say(": ")?;
            ink.put_fit(Tone::Plain, &trouble.detail, 200)?;
        }
        let mut facts = Vec::new();
        if trouble.count > 1 {
            facts.push(format!("{} times", trouble.count));
        }
        if !trouble.json_path.is_empty() {
            facts.push(format!("at {}", trouble.json_path));
        }
        facts.extend(trouble.trace_id.map(|id| format!("trace {}", id.short())));
        facts.extend(trouble.span_id.map(|id| format!("span {id}")));
        if !facts.is_empty() {
            ink.put(Tone::Quiet, format_args!(" [{}]", facts.join(", ")))?;
        }
        ink.line()
    }
}

/// `file:line`, or `file@offset` in binary inputs.
fn place(trouble: &Trouble, sources: &[Source]) -> String {
    let path = sources.get(usize::from(trouble.source)).map_or("?", |source| source.path.as_str());
    match trouble.line {
        0 if trouble.offset == 0 => path.to_owned(),
        0 => format!("{path}@{}", trouble.offset),
        line => format!("{path}:{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Page;
    use super::*;
    use crate::otlp::TroubleKind;

    fn trouble(kind: TroubleKind, line: u64) -> Trouble {
        let (json_path, detail) = (String::new(), String::new());
        Trouble { kind, source: 0, offset: 7, line, json_path, trace_id: None, span_id: None, detail, count: 1 }
    }

    fn shown(troubles: &[Trouble], all: bool) -> String {
        let sources = [Source { path: "run.jsonl".into(), ..Source::default() }];
        let mut out = Vec::new();
        let report = Troubles { troubles, sources: &sources, all };
        report.render(&mut Ink::new(&mut out, Page::plain(80))).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_trouble_is_one_line_with_its_place() {
        let mut cut = trouble(TroubleKind::Truncated, 812);
        let plain = "tracectl: run.jsonl:812: ends in the middle of a document (everything before it was kept)";
        assert_eq!(shown(&[cut.clone()], false), format!("{plain}\n"));
        cut.count = 3;
        cut.json_path = "resourceSpans[0]".into();
        assert_eq!(shown(&[cut], false), format!("{plain} [3 times, at resourceSpans[0]]\n"));
        assert!(shown(&[trouble(TroubleKind::IdZero, 0)], false).starts_with("tracectl: run.jsonl@7: "));
    }

    #[test]
    fn notes_and_long_lists_are_kept_for_those_who_ask() {
        let mut many: Vec<_> = TroubleKind::ALL.iter().map(|&kind| trouble(kind, 1)).collect();
        assert_eq!(shown(&many, true).lines().count(), many.len());
        let brief = shown(&many, false);
        assert_eq!(brief.lines().count(), LINES + 1);
        assert!(brief.contains("more kinds (-v shows all)") && brief.contains("cannot be read"));
        many.retain(|trouble| trouble.kind.grade() == Grade::Note);
        assert_eq!(shown(&many, false), "");
    }
}
