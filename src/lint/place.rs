//! Where a finding stands: in its tree, and in the program that wrote the span.
//!
//! Comes in: spans. Goes out: names from the root down, a file and a line.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::CodePlace;
use crate::capture::{Capture, Detail, SpanRef};
use crate::forest::{Forest, Tree};
use crate::model::{TraceId, Value};

/// How many names a path holds at most; what is between is left out.
const LONGEST: usize = 24;

/// The names from the root of the tree down to each span.
pub(super) fn paths<'s>(
    capture: &Capture,
    forest: &Forest,
    spans: impl Iterator<Item = &'s SpanRef>,
) -> BTreeMap<SpanRef, Vec<String>> {
    let mut wanted: BTreeMap<TraceId, BTreeSet<SpanRef>> = BTreeMap::new();
    for span in spans {
        wanted.entry(capture.head(*span).trace).or_default().insert(*span);
    }
    let mut paths = BTreeMap::new();
    let mut tree = Tree::default();
    for (number, trace) in forest.traces().enumerate() {
        let Some(spans) = wanted.get(&trace.id) else { continue };
        forest.tree(capture, number, &mut tree);
        for (at, node) in tree.nodes().iter().enumerate() {
            if let Some(span) = node.span.filter(|span| spans.contains(span)) {
                paths.insert(span, path(capture, &tree, at));
            }
        }
    }
    paths
}

fn path(capture: &Capture, tree: &Tree, at: usize) -> Vec<String> {
    let up = std::iter::successors(Some(at), |&at| tree.parent(at));
    let name = |at: usize| match tree.nodes().get(at).map(|node| node.span) {
        Some(Some(span)) => capture.name(span).to_owned(),
        _ => "(missing)".to_owned(),
    };
    let up: Vec<usize> = up.collect();
    let skipped = up.len().saturating_sub(LONGEST);
    let mut names: Vec<String> = up.iter().take(LONGEST / 2).map(|at| name(*at)).collect();
    if skipped > 0 {
        names.push(format!("({skipped} more)"));
    }
    names.extend(up.iter().skip(names.len().min(LONGEST / 2) + skipped).map(|at| name(*at)));
    names.reverse();
    names
}

/// The line of the program: the span's own `code.*` attributes, else the innermost frame of the program's own code.
pub(super) fn code_place(detail: &Detail) -> Option<CodePlace> {
    let any = |keys: [&str; 2]| keys.iter().find_map(|key| detail.attribute(key));
    if let Some(Value::String(path)) = any(["code.file.path", "code.filepath"]) {
        let line = match any(["code.line.number", "code.lineno"]) {
            Some(Value::Int(line)) => u64::try_from(*line).unwrap_or(0),
            _ => 0,
        };
        return Some(CodePlace { path: path.clone(), line });
    }
    let trace = detail.events.iter().rev().find_map(|event| event.text("exception.stacktrace"))?;
    trace.lines().rev().find_map(python_frame)
}

/// `  File "/srv/app/tools.py", line 41, in run`, unless it is a library's or the language's own.
fn python_frame(line: &str) -> Option<CodePlace> {
    let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    let foreign = ["site-packages", "dist-packages", "/lib/python", "<frozen"];
    if foreign.iter().any(|part| file.contains(part)) {
        return None;
    }
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(CodePlace { path: file.to_owned(), line: digits.parse().ok()? })
}
