//! Lists that were flattened into attributes: `prefix.0.message.content` becomes JSON again.
//!
//! Comes in: attributes in any order and a prefix. Goes out: an array, in the order of the numbers. Gaps close up.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::brief;
use super::json::{Texts, of_value};
use crate::otlp::{RawAttribute, RawValue, Text};

/// How many parts of a key are looked at; what is deeper stays one name.
const MAX_DEPTH: usize = 16;

#[derive(Default)]
struct Node {
    value: Option<Json>,
    children: BTreeMap<Step, Node>,
}

/// A part of a key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Number(u64),
    Name(String),
}

/// The list under a prefix that ends in a dot; `None` where there is none.
pub(super) fn list(attributes: &[RawAttribute<'_>], prefix: &str, texts: Texts) -> Option<Json> {
    let mut root = Node::default();
    for attribute in attributes.iter().filter(|attribute| attribute.key.raw.starts_with(prefix.as_bytes())) {
        let key = attribute.key.decode();
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let node =
            rest.splitn(MAX_DEPTH, '.').fold(&mut root, |node, part| node.children.entry(step(part)).or_default());
        node.value = Some(match &attribute.value {
            RawValue::Text(text) if texts == Texts::Brief && is_plain(text) => Json::String(brief::WORD.to_owned()),
            RawValue::Text(text) => Json::String(text.decode().into_owned()),
            other => of_value(other, texts).json,
        });
    }
    (!root.children.is_empty()).then(|| root.json()).filter(Json::is_array)
}

/// Whether a text is a long one that is no value itself, as far as its bytes tell.
fn is_plain(text: &Text<'_>) -> bool {
    text.raw.len() > brief::LONG && text.raw.first().is_some_and(u8::is_ascii_alphanumeric)
}

fn step(part: &str) -> Step {
    part.parse().map_or_else(|_| Step::Name(part.to_owned()), Step::Number)
}

impl Node {
    fn json(self) -> Json {
        if self.children.is_empty() {
            return self.value.unwrap_or_default();
        }
        if self.children.keys().all(|step| matches!(step, Step::Number(_))) {
            return self.children.into_values().map(Self::json).collect();
        }
        let members = self.children.into_iter().map(|(step, node)| match step {
            Step::Number(number) => (number.to_string(), node.json()),
            Step::Name(name) => (name, node.json()),
        });
        Json::Object(members.collect::<Map<_, _>>())
    }
}
