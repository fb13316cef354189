//! Text in lines that fit the page.
//!
//! Comes in: a text and where its lines begin. Goes out: lines broken between words, or inside a word that is too long.

use std::io;

use crate::render::{Ink, Tone, clean, width};

/// Writes text from the current column on, going on in `column` on the next lines. The last line is not ended.
pub(in crate::render) fn wrapped(ink: &mut Ink<'_>, tone: Tone, text: &str, column: usize) -> io::Result<()> {
    let page = ink.page().width.max(column + 16);
    let mut fresh = true;
    for word in clean(text).split(' ') {
        let gap = usize::from(!fresh);
        if ink.column() + gap + width(word) > page && ink.column() > column {
            ink.line()?;
            ink.pad_to(column)?;
        } else if gap > 0 {
            ink.say(" ")?;
        }
        fresh = false;
        for c in word.chars() {
            if ink.column() >= page {
                ink.line()?;
                ink.pad_to(column)?;
            }
            // Only a word longer than a line gets here letter by letter.
            if width(word) > page - column {
                ink.put(tone, c)?;
            }
        }
        if width(word) <= page - column {
            ink.put(tone, word)?;
        }
    }
    Ok(())
}
