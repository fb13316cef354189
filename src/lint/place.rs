//! Where a finding stands: in its tree, and in the program that wrote the span.
//!
//! Comes in: spans. Goes out: names from the root down, a file and a line.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::CodePlace;
use crate::capture::{Capture, SpanRef};
use crate::forest::{Forest, Tree};
use crate::model::TraceId;
use crate::otlp::{RawSpan, RawValue};

/// How many names a path holds at most; what is between is left out.
const LONGEST: usize = 24;
/// How many frames of a stack are kept.
const FRAMES: usize = 16;

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

/// Where in the program a span was made.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    /// Where the span itself says so.
    own: Option<CodePlace>,
    /// The frames of the program's own code in the last stack the span recorded, innermost first.
    frames: Vec<CodePlace>,
}

impl Made {
    /// Looks at a span; a stack tells where something failed, so it is looked at only where `fails` says that this is what is asked.
    pub(super) fn of(span: &RawSpan<'_>, fails: bool) -> Self {
        let own = own_place(span);
        let frames = if fails && own.is_none() { frames(span) } else { Vec::new() };
        Self { own, frames }
    }

    /// The place to point at, and all frames.
    pub(super) fn apart(self) -> (Option<CodePlace>, Vec<CodePlace>) {
        (self.own.or_else(|| self.frames.first().cloned()), self.frames)
    }
}

fn own_place(span: &RawSpan<'_>) -> Option<CodePlace> {
    let any = |keys: [&str; 2]| keys.iter().find_map(|key| span.attribute(key));
    let path = any(["code.file.path", "code.filepath"])?.text()?.decode().into_owned();
    let line = match any(["code.line.number", "code.lineno"]) {
        Some(RawValue::Int(line)) => u64::try_from(*line).unwrap_or(0),
        _ => 0,
    };
    Some(CodePlace { path, line, in_repository: false })
}

fn frames(span: &RawSpan<'_>) -> Vec<CodePlace> {
    let stack = span.events.iter().rev().find_map(|event| {
        let attributes = span.pooled(&event.attributes);
        attributes.iter().rev().find(|attribute| attribute.key.is("exception.stacktrace"))?.value.text()
    });
    let Some(stack) = stack.map(|stack| stack.decode()) else { return Vec::new() };
    // Only Python writes the innermost frame last.
    let mut frames: Vec<CodePlace> = stack.lines().rev().filter_map(python_frame).take(FRAMES).collect();
    if frames.is_empty() {
        frames = stack.lines().filter_map(path_frame).take(FRAMES).collect();
    }
    frames
}

/// Parts of paths that are of a library or of the language.
const FOREIGN: &[&str] = &[
    "site-packages",
    "dist-packages",
    "/lib/python",
    "<frozen",
    "node_modules",
    "node:",
    "/go/pkg/mod/",
    "/usr/local/go/",
    "/rustc/",
    "/.cargo/",
];

fn frame(path: &str, digits: &str) -> Option<CodePlace> {
    let foreign = FOREIGN.iter().any(|part| path.contains(part));
    let line = digits.parse().ok().filter(|line| *line > 0)?;
    (!foreign && !path.is_empty()).then(|| CodePlace { path: path.to_owned(), line, in_repository: false })
}

/// `  File "/srv/app/tools.py", line 41, in run`.
fn python_frame(line: &str) -> Option<CodePlace> {
    let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    frame(file, rest.split(|c: char| !c.is_ascii_digit()).next()?)
}

/// A path with the extension of a program and a line behind it: `at run (/srv/app/tools.js:41:7)`, `/srv/app/tools.go:41 +0x1d`,
/// `in /srv/app/Tools.cs:line 41`.
fn path_frame(line: &str) -> Option<CodePlace> {
    const LANGUAGES: &[&[u8]] =
        &[b".js", b".mjs", b".cjs", b".ts", b".tsx", b".jsx", b".go", b".cs", b".rb", b".rs", b".php"];
    let mut begin = 0;
    let mut foreign = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b' ' | b'(' | b'\t' => (begin, foreign) = (at + 1, false),
            b':' if !foreign => {
                let path = line.get(begin..at)?;
                // Nearly every colon is told from one by the few letters before it.
                let program = LANGUAGES.iter().any(|extension| path.as_bytes().ends_with(extension));
                let behind = line.get(at + 1..)?;
                let digits = behind.strip_prefix("line ").unwrap_or(behind);
                let digits = digits.split(|c: char| !c.is_ascii_digit()).next()?;
                if program && !digits.is_empty() {
                    let place = frame(path.trim_start_matches("file://"), digits);
                    if place.is_some() {
                        return place;
                    }
                    // What is a library's here is one up to the end of the word.
                    foreign = true;
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_several_languages_are_read() {
        let place = |line| path_frame(line).map(|place| (place.path, place.line));
        assert_eq!(place("    at run (/srv/app/tools.js:41:7)"), Some(("/srv/app/tools.js".into(), 41)));
        assert_eq!(place("    at file:///srv/app/tools.mjs:3:1"), Some(("/srv/app/tools.mjs".into(), 3)));
        assert_eq!(place("\t/srv/app/tools.go:41 +0x1d"), Some(("/srv/app/tools.go".into(), 41)));
        assert_eq!(place("   at App.Run() in /srv/app/Tools.cs:line 41"), Some(("/srv/app/Tools.cs".into(), 41)));
        assert_eq!(place("    at node:internal/modules/run_main.js:144:12"), None);
        assert_eq!(place("    at run (/srv/node_modules/x/index.js:1:1)"), None);
        assert_eq!((place("Error: boom"), place("see http://a.b:80")), (None, None));
        assert_eq!(place("at a.js:1 b (/srv/b.js:2)"), Some(("a.js".into(), 1)));
        let python = |line| python_frame(line).map(|place| (place.path, place.line));
        assert_eq!(python("  File \"/srv/app/tools.py\", line 41, in run"), Some(("/srv/app/tools.py".into(), 41)));
        assert_eq!(python("  File \"/usr/lib/python3.12/asyncio/tasks.py\", line 520, in wait_for"), None);
    }

    #[test]
    fn a_line_of_nothing_but_colons_is_looked_at_once() {
        assert_eq!(path_frame(&":".repeat(4_000_000)), None);
        assert_eq!(path_frame(&"node_modules/a.js:1:".repeat(200_000)), None);
        let mut line = "x:".repeat(1_000_000);
        line.push_str(" /srv/app/tools.js:41");
        assert_eq!(path_frame(&line).map(|place| place.line), Some(41));
    }
}
