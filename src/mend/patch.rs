//! What changes in one list of attributes.
//!
//! Comes in: attributes in place and the plan. Goes out: patches by position, which whoever writes puts over the originals.

use std::borrow::Cow;

use super::excluded;
use super::plan::{Cut, Done, Plan};
use super::value::{Owned, veiled};
use crate::agent::{TRUNCATION_NOTE, is_exclusion_note};
use crate::otlp::{RawAttribute, RawValue, Text};

/// A change of one attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Patch {
    key: Option<String>,
    value: Option<Owned>,
    gone: bool,
}

/// The key under which Letta says that parameters were cut.
const CUT_KEY: &str = "parameters.truncated";

/// The changes of a list of attributes, one an attribute.
pub(super) fn patches(attributes: &[RawAttribute<'_>], plan: &Plan, done: &mut Done) -> Vec<Patch> {
    let mut left = plan.parameters;
    let mut patches = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let key = attribute.key.decode();
        let mut patch = Patch::default();
        rename(&key, attribute, attributes, plan, &mut patch, done);
        if let Some(redactor) = &plan.redact
            && patch.key.is_none()
            && let Cow::Owned(hidden) = redactor.text(&key)
        {
            patch.key = Some(hidden);
            done.hidden += 1;
        }
        patch.value = value(&key, &attribute.value, plan, &mut left, done);
        patches.push(patch);
    }
    patches
}

/// Renames where the new name is free; goes where it says the same already. Where it says something else both stay, for
/// nobody but their author knows which is right.
fn rename(
    key: &str,
    attribute: &RawAttribute<'_>,
    all: &[RawAttribute<'_>],
    plan: &Plan,
    patch: &mut Patch,
    done: &mut Done,
) {
    let Some(new) = plan.renames.get(key) else { return };
    match all.iter().find(|other| other.key.is(new)) {
        None => patch.key = Some(new.clone()),
        Some(other) if other.value == attribute.value || other.value.decode() == attribute.value.decode() => {
            patch.gone = true;
        }
        Some(_) => return,
    }
    done.renamed += 1;
}

fn value(key: &str, value: &RawValue<'_>, plan: &Plan, left: &mut Option<u64>, done: &mut Done) -> Option<Owned> {
    let was = match value.text() {
        Some(text) => text.decode(),
        // A parameter that is to be left out may be of any type.
        None if plan.excluded.contains(key) => Cow::Owned(value.decode().to_string()),
        None => return nested(key, value, plan, done),
    };
    let mut now: Cow<'_, str> = Cow::Borrowed(&was);
    let parameter = key.starts_with("parameter.");
    if plan.excluded.contains(key) && !is_exclusion_note(&was) {
        now = Cow::Owned(excluded::mark(&was));
        done.excluded += 1;
    } else if let Some(redactor) = &plan.redact
        && let Cow::Owned(hidden) = redactor.attribute_text(key, &was)
    {
        now = Cow::Owned(hidden);
        done.hidden += 1;
    }
    let mut cuts = Vec::new();
    if !plan.exempt.iter().any(|exempt| exempt == key) {
        cuts.extend_from_slice(&plan.cuts);
    }
    if let (Some(left), true) = (&left, parameter) {
        cuts.push(Cut::AllCharacters(*left));
    }
    if let Some(short) = cuts.iter().fold(None, |short: Option<String>, cut| {
        let text = short.as_deref().unwrap_or(&now);
        // A note tells how long the value was when it was recorded.
        shortened(text, was.chars().count() as u64, *cut).or(short)
    }) {
        now = Cow::Owned(short);
        done.cut += 1;
    }
    if let (Some(left), true) = (left, parameter) {
        *left = left.saturating_sub(now.chars().count() as u64);
    }
    (now != was).then(|| Owned::Text(now.into_owned()))
}

fn nested(key: &str, value: &RawValue<'_>, plan: &Plan, done: &mut Done) -> Option<Owned> {
    let redactor = plan.redact.as_ref()?;
    let veiled = veiled(key, &value.decode(), redactor);
    done.hidden += u64::from(veiled.is_some());
    veiled
}

/// The text cut to its limit, with a note of how long it was, if it is too long. A text that was cut before keeps its note.
fn shortened(text: &str, original: u64, cut: Cut) -> Option<String> {
    let (body, original) = match noted(text) {
        Some((body, original)) => (body, original),
        None => (text, original),
    };
    let note = format!("{TRUNCATION_NOTE}{original} chars)");
    let end = match cut {
        Cut::Characters(limit) => after(body, limit),
        Cut::AllCharacters(limit) if after(text, limit).is_none() => None,
        Cut::AllCharacters(limit) => Some(after(body, limit.saturating_sub(note.len() as u64)).unwrap_or(body.len())),
        Cut::Bytes(limit) if text.len() as u64 <= limit => None,
        Cut::Bytes(limit) => Some(boundary(body, limit.saturating_sub(note.len() as u64))),
    }?;
    let limit = match cut {
        Cut::Characters(_) => u64::MAX,
        Cut::AllCharacters(limit) | Cut::Bytes(limit) => limit,
    };
    // A limit too small for the note leaves the beginning alone.
    if (note.len() as u64) > limit {
        return Some(body.get(..boundary(body, limit))?.to_owned());
    }
    Some(format!("{}{note}", body.get(..end)?))
}

/// The text before the note and the size it tells, if there is one.
fn noted(text: &str) -> Option<(&str, u64)> {
    let (body, size) = text.rsplit_once(TRUNCATION_NOTE)?;
    Some((body, size.strip_suffix(" chars)")?.parse().ok()?))
}

/// Where the character after the first `limit` begins, if there is one.
fn after(text: &str, limit: u64) -> Option<usize> {
    text.char_indices().nth(usize::try_from(limit).ok()?).map(|(at, _)| at)
}

/// The last boundary of characters within the first `limit` bytes.
fn boundary(text: &str, limit: u64) -> usize {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(text.len());
    (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The attributes with their patches put over them.
pub(super) fn patched<'p, 'a: 'p>(attributes: &[RawAttribute<'a>], patches: &'p [Patch]) -> Vec<RawAttribute<'p>> {
    let mut out: Vec<RawAttribute<'p>> = Vec::with_capacity(attributes.len());
    let mut cut = false;
    for (attribute, patch) in attributes.iter().zip(patches).filter(|(_, patch)| !patch.gone) {
        let mut changed: RawAttribute<'p> = *attribute;
        if let Some(key) = &patch.key {
            changed.key = Text::known(key);
        }
        if let Some(value) = &patch.value {
            let is_cut = |text: &String| noted(text).is_some() && attribute.key.decode().starts_with("parameter.");
            cut |= matches!(value, Owned::Text(text) if is_cut(text));
            value.put(&mut changed.value);
        }
        out.push(changed);
    }
    if cut && !out.iter().any(|attribute| attribute.key.is(CUT_KEY)) {
        out.push(RawAttribute { key: Text::known(CUT_KEY), value: RawValue::Bool(true) });
    }
    out
}

/// Whether any attribute changes.
pub(super) fn any(patches: &[Patch]) -> bool {
    patches.iter().any(|patch| *patch != Patch::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters_and_say_so() {
        let text = "é".repeat(100);
        let cut = shortened(&text, 100, Cut::Characters(10)).unwrap();
        assert_eq!(cut, format!("{}... (truncated, original size: 100 chars)", "é".repeat(10)));
        assert_eq!(shortened(&cut, 100, Cut::Characters(10)), None);
        let again = shortened(&cut, 100, Cut::Bytes(50)).unwrap();
        assert!(again.len() <= 50 && again.ends_with("original size: 100 chars)"), "{again}");
        assert_eq!(shortened(&text, 100, Cut::Bytes(9)).unwrap(), "éééé");
        assert_eq!(shortened(&text, 100, Cut::AllCharacters(100)), None);
        assert_eq!(shortened(&text, 100, Cut::AllCharacters(60)).unwrap().chars().count(), 60);
    }
}
