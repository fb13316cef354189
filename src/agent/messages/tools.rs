//! The tools a model was offered.
//!
//! Comes in: JSON in the shapes of OpenTelemetry, OpenAI, Anthropic, Google, Bedrock and OpenInference. Goes out: names and schemas.

use std::sync::Arc;

use hashbrown::HashMap;
use serde_json::Value as Json;

use super::conversation::Definition;
use super::defect::Flaw;
use super::json::{Texts, as_text, member, of_any_text, text};

/// More definitions than this are not read.
const MOST: usize = 10_000;

/// Tools that a model was offered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    /// The tools.
    pub tools: Vec<Definition>,
    /// What is wrong with how they were recorded.
    pub flaw: Option<Flaw>,
}

/// Offers that were read before, by fingerprints of their bytes: calls of one agent mostly offer the same tools.
#[derive(Debug, Default)]
pub struct Offers {
    pub(super) known: HashMap<u64, Arc<Offer>>,
}

/// Reads a list of definitions.
pub(super) fn definitions(json: &Json) -> Vec<Definition> {
    let mut found = Vec::new();
    collect(json, &mut found, 0);
    found
}

fn collect(json: &Json, found: &mut Vec<Definition>, depth: usize) {
    if found.len() >= MOST || depth > 4 {
        return;
    }
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect(item, found, depth + 1)),
        Json::String(written) => {
            let read = of_any_text(written, Texts::Whole).json;
            if !read.is_string() {
                collect(&read, found, depth + 1);
            }
        }
        Json::Object(_) => {
            match member(json, &["functionDeclarations", "function_declarations", "tool", "json_schema", "toolSpec"]) {
                Some(inner) => collect(inner, found, depth + 1),
                None => found.extend(definition(json)),
            }
        }
        _ => {}
    }
}

fn definition(json: &Json) -> Option<Definition> {
    let function = member(json, &["function"]).filter(|function| function.is_object()).unwrap_or(json);
    let name = text(function, &["name"]).or_else(|| text(json, &["name", "type"]))?;
    let given =
        ["parameters", "input_schema", "inputSchema", "parameters_json_schema", "parametersJsonSchema", "args_schema"];
    let schema = member(function, &given).map(|schema| match schema {
        Json::String(written) => of_any_text(written, Texts::Whole).json,
        other => member(other, &["json", "jsonSchema"]).unwrap_or(other).clone(),
    });
    let description = member(function, &["description"]).and_then(as_text).unwrap_or_default();
    Some(Definition { name: name.to_owned(), description, schema: schema.filter(Json::is_object) })
}
