//! What the marks and bars of trees mean.
//!
//! Comes in: a page. Goes out: a line per mark, in the signs and colours of that page.

use std::io;

use super::tree_bar::{CRITICAL, FOLDED, PLAIN, UNFINISHED};
use super::tree_facts::sign_of;
use super::tree_signs::signs;
use super::{Ink, Render, Tone, width};
use crate::agent::Role;

/// The legend of trees.
pub struct Legend;

/// Where meanings stand.
const MEANING: usize = 8;

impl Render for Legend {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let (signs, unicode) = (signs(ink), ink.page().unicode);
        let bar = |stroke: &super::tree_bar::Stroke| stroke.sample(unicode);
        let groups = [
            (
                "how a span ended",
                vec![
                    (Tone::Error, signs.error.to_owned(), "error"),
                    (Tone::Cancelled, signs.cancelled.to_owned(), "cancelled"),
                    (Tone::Odd, signs.unfinished.to_owned(), "unfinished"),
                ],
            ),
            (
                "what is wrong with a span",
                vec![
                    (Tone::Odd, signs.orphan.to_owned(), "orphan: its parent is missing"),
                    (Tone::Odd, signs.cycle.to_owned(), "cycle: it is its own ancestor"),
                    (Tone::Odd, signs.duplicate.to_owned(), "duplicate: another span has the same id"),
                    (Tone::Odd, signs.budget.to_owned(), "attributes over 2 MiB, or over 4 MiB together"),
                ],
            ),
            (
                "what a span is",
                [
                    (Role::Agent, "agent"),
                    (Role::Workflow, "workflow"),
                    (Role::Step, "step of an agent"),
                    (Role::Llm, "call to a model"),
                    (Role::Embedding, "embedding or rerank"),
                    (Role::Tool, "tool call"),
                    (Role::Retrieval, "retrieval or memory"),
                    (Role::Guardrail, "guardrail"),
                ]
                .into_iter()
                .filter_map(|(role, meaning)| {
                    sign_of(role, unicode).map(|(tone, sign)| (tone, sign.to_owned(), meaning))
                })
                .collect(),
            ),
            (
                "bars",
                vec![
                    (Tone::Plain, bar(&PLAIN), "from start to end, on the scale of the trace"),
                    (Tone::Plain, bar(&CRITICAL), "on the critical path (--critical-path)"),
                    (Tone::Plain, bar(&FOLDED), "several similar siblings, collapsed into one row"),
                    (Tone::Odd, bar(&UNFINISHED), "unfinished"),
                ],
            ),
            (
                "rows",
                vec![
                    (Tone::Title, format!("{}3", signs.times), "three similar siblings in one row"),
                    (Tone::Quiet, format!("{}1 s", signs.sum), "their durations together"),
                    (
                        Tone::Quiet,
                        signs.dashed_corner.trim_end().to_owned(),
                        "attached by ids, as its context was lost",
                    ),
                ],
            ),
        ];
        for (number, (title, lines)) in groups.into_iter().enumerate() {
            if number > 0 {
                ink.line()?;
            }
            ink.put(Tone::Title, title)?;
            ink.line()?;
            for (tone, sign, meaning) in lines {
                ink.say("  ")?;
                ink.put(tone, &sign)?;
                ink.pad_to(2 + MEANING.max(width(&sign) + 1))?;
                ink.say(meaning)?;
                ink.line()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Page;

    #[test]
    fn the_legend_has_the_signs_of_its_page() {
        let drawn = |page: Page| {
            let mut out = Vec::new();
            Legend.render(&mut Ink::new(&mut out, page)).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = drawn(Page::plain(80));
        for line in [
            "  ✗       error\n",
            "  ◆       call to a model\n",
            "  ━━━     from start to end",
            "  ×3      three similar",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let ascii = drawn(Page { unicode: false, ..Page::plain(80) });
        assert!(ascii.is_ascii() && ascii.contains("  x       error\n"), "{ascii}");
        assert!(text.lines().chain(ascii.lines()).all(|line| line.chars().count() <= 80));
    }
}
