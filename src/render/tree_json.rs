//! Writes trees as JSON: one document, or one trace a line.
//!
//! Comes in: a tree report. Goes out: every span, depth first, never folded and never cut; span by span, so that a
//! trace of a million spans is never a string. `root` is the id of the first span that names no parent, or null.

use std::io::{self, Write};

use serde::Serialize;

use super::json::write_compact;
use crate::agent::Role;
use crate::capture::{EventDetail, Head, SpanRef};
use crate::forest::{Flags, Node, Tree};
use crate::ledger::Sums;
use crate::model::{Attribute, Outcome};
use crate::view::{Books, Facts, Fault, TreeReport, read_acts};

/// Spans whose details are fetched together.
const BATCH: usize = 1024;

/// A trace as JSON, without its spans.
#[derive(Serialize)]
struct Trace<'c> {
    trace_id: String,
    root: Option<String>,
    start_unix_nano: String,
    duration_ns: u64,
    services: Vec<&'c str>,
    counts: Totals,
    /// The conversation it is part of.
    #[serde(skip_serializing_if = "str::is_empty")]
    session: &'c str,
    /// The span of another trace that ids say it belongs beneath.
    #[serde(skip_serializing_if = "Option::is_none")]
    inferred_parent: Option<InferredParent>,
    /// What its calls to models and tools took.
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Sums>,
}

#[derive(Serialize)]
struct InferredParent {
    trace_id: String,
    span_id: String,
    by: &'static str,
}

#[derive(Serialize)]
struct Totals {
    spans: u32,
    roots: u32,
    orphans: u32,
    errors: u32,
    cancelled: u32,
    expected: u32,
    unfinished: u32,
    duplicates: u32,
    cycles: u32,
}

/// A span as JSON: the fields that scripts rely on, in their documented order, then what was asked for.
#[derive(Serialize)]
struct Span<'c> {
    span_id: String,
    parent_id: Option<String>,
    depth: u32,
    name: &'c str,
    service: &'c str,
    kind: &'static str,
    role: Option<&'static str>,
    outcome: &'static str,
    flags: Vec<&'static str>,
    start_unix_nano: String,
    duration_ns: u64,
    self_ns: u64,
    children: Vec<String>,
    /// A cancellation that somebody asked for.
    expected: bool,
    /// How many identical repeats were read.
    repeats: u32,
    over_budget: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    critical: Option<bool>,
    /// The span where this cancellation happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<String>,
    /// What it says about a call to a model or a tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<Facts<'c>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Vec<Attribute>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<EventDetail>>,
}

/// Writes one document with all traces.
pub fn tree_json(report: &TreeReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"schema\":1,\"traces\":[")?;
    each(report, out, ",", false)?;
    writeln!(out, "]}}")
}

/// Writes one trace a line.
pub fn tree_jsonl(report: &TreeReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    each(report, out, "", true)
}

fn each(report: &TreeReport<'_>, out: &mut dyn Write, between: &str, lines: bool) -> io::Result<()> {
    let mut tree = Tree::default();
    for (at, number) in report.shown().enumerate() {
        if at > 0 {
            out.write_all(between.as_bytes())?;
        }
        report.tree(number, &mut tree);
        trace(report, number, &tree, out)?;
        if lines {
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn trace(report: &TreeReport<'_>, number: usize, tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    let counts = tree.counts();
    let books = report.books(tree);
    let facts = Trace {
        trace_id: tree.id().to_string(),
        root: tree.root().and_then(|at| tree.nodes().get(at)).map(|node| node.id.to_string()),
        start_unix_nano: counts.start.to_string(),
        duration_ns: counts.duration_ns(),
        services: tree.services(report.capture()),
        counts: Totals {
            spans: counts.spans,
            roots: counts.roots,
            orphans: counts.orphans,
            errors: counts.errors,
            cancelled: counts.cancelled,
            expected: counts.expected,
            unfinished: counts.unfinished,
            duplicates: counts.duplicates,
            cycles: counts.cycles,
        },
        session: if books.is_some() { report.session(number) } else { "" },
        inferred_parent: report.adoption(number).map(|(trace, span, by)| InferredParent {
            trace_id: trace.to_string(),
            span_id: span.to_string(),
            by,
        }),
        totals: books.as_ref().map(|books| books.totals(tree)),
    };
    let mut text = Vec::new();
    write_compact(&facts, &mut text)?;
    let facts = text;
    // The spans follow inside the same object.
    out.write_all(facts.strip_suffix(b"}").unwrap_or(&facts))?;
    write!(out, ",\"spans\":[")?;
    spans(report, tree, books.as_ref(), out)?;
    write!(out, "]}}")
}

/// The spans of a trace, a batch at a time.
fn spans(report: &TreeReport<'_>, tree: &Tree, books: Option<&Books>, out: &mut dyn Write) -> io::Result<()> {
    let kept = report.kept(tree, books);
    let mut batch: Vec<(usize, SpanRef)> = Vec::new();
    let mut first = true;
    for (at, node) in tree.nodes().iter().enumerate() {
        batch.extend(node.span.filter(|_| kept(at)).map(|span| (at, span)));
        if batch.len() == BATCH {
            write_batch(report, tree, books, &mut batch, &mut first, out)?;
        }
    }
    write_batch(report, tree, books, &mut batch, &mut first, out)
}

fn write_batch(
    report: &TreeReport<'_>,
    tree: &Tree,
    books: Option<&Books>,
    batch: &mut Vec<(usize, SpanRef)>,
    first: &mut bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let settings = report.settings();
    let all = settings.attributes.is_some() || settings.events;
    let failed = |node: &Node| matches!(node.outcome, Outcome::Error | Outcome::Cancelled);
    let wanted = |at: usize| all || tree.nodes().get(at).is_some_and(failed);
    let asked: Vec<SpanRef> = batch.iter().filter(|(at, _)| wanted(*at)).map(|(_, span)| *span).collect();
    let mut details = report.details(&asked).map_err(io::Error::other)?.into_iter();
    let mut told = facts_of(report, tree, books, batch)?.into_iter();
    let mut text = Vec::new();
    for (at, _) in batch.drain(..) {
        let facts = told.next().flatten();
        let detail = if wanted(at) { details.next().flatten() } else { None };
        let Some(mut span) = span_of(report, tree, at) else { continue };
        // A span that a call is counted at may have its role from another record of it.
        span.role = span.role.or(facts.as_ref().and_then(|facts| facts.role).map(|role| role.name()));
        span.facts = facts;
        if let Some(detail) = detail {
            span.error = tree.nodes().get(at).filter(|node| failed(node)).map(|_| Fault::of(&detail));
            let has = |key: &str| settings.attributes.as_ref().is_some_and(|keys| keys.has(key));
            let chosen = || detail.attributes.iter().filter(|attribute| has(&attribute.key)).cloned().collect();
            span.attributes = settings.attributes.as_ref().map(|_| chosen());
            span.events = settings.events.then_some(detail.events);
        }
        text.clear();
        if !std::mem::take(first) {
            text.push(b',');
        }
        write_compact(&span, &mut text)?;
        out.write_all(&text)?;
    }
    Ok(())
}

/// What the spans of a batch say about calls; those of models and tools are read again for it.
fn facts_of<'c>(
    report: &TreeReport<'c>,
    tree: &Tree,
    books: Option<&Books>,
    batch: &[(usize, SpanRef)],
) -> io::Result<Vec<Option<Facts<'c>>>> {
    let capture = report.capture();
    let facts = |at: usize| books.and_then(|books| books.facts(capture, tree, at));
    let mut told: Vec<Option<Facts<'c>>> = batch.iter().map(|(at, _)| facts(*at)).collect();
    let calls = |facts: &Facts<'_>| matches!(facts.role, Some(Role::Llm | Role::Tool | Role::Mcp)) || facts.duplicate;
    let wanted: Vec<usize> =
        (0..told.len()).filter(|at| told.get(*at).is_some_and(|facts| facts.as_ref().is_some_and(calls))).collect();
    let spans: Vec<SpanRef> = wanted.iter().filter_map(|at| Some(batch.get(*at)?.1)).collect();
    read_acts(capture, &spans, &mut |number, act| {
        let facts = wanted.get(number).and_then(|at| told.get_mut(*at)?.as_mut());
        facts.into_iter().for_each(|facts| facts.learn(act));
    })
    .map_err(io::Error::other)?;
    Ok(told)
}

/// What is wrong with a span's own ids and times, as flags.
fn wrong_names(head: &Head) -> impl Iterator<Item = &'static str> {
    let marks = head.marks;
    let id = marks.bad_trace_id() || marks.bad_span_id() || marks.bad_parent_id();
    let time = head.start == 0 || (head.end != 0 && head.end < head.start);
    [(id, "invalid_id"), (time, "bad_time")].into_iter().filter(|(yes, _)| *yes).map(|(_, name)| name)
}

fn span_of<'c>(report: &TreeReport<'c>, tree: &Tree, at: usize) -> Option<Span<'c>> {
    let node = tree.nodes().get(at)?;
    let span = node.span?;
    let capture = report.capture();
    let head = capture.head(span);
    let id = |at: usize| tree.nodes().get(at).map(|node| node.id.to_string());
    let critical_path = report.settings().critical_path;
    let budgets = [(head.marks.over_parameter_budget(), "parameter"), (head.marks.over_span_budget(), "span")];
    Some(Span {
        span_id: node.id.to_string(),
        parent_id: (!head.parent.is_none()).then(|| head.parent.to_string()),
        // Placeholders are no spans: what stands under one is one level higher here.
        depth: node.depth.saturating_sub(u32::from(node.flags.has(Flags::UNDER_PLACEHOLDER))),
        name: capture.name(span),
        service: capture.service(span),
        kind: head.marks.kind().name(),
        role: head.marks.role().map(|role| role.name()),
        outcome: node.outcome.name(),
        flags: node.flags.names().chain(wrong_names(head)).collect(),
        start_unix_nano: node.start.to_string(),
        duration_ns: node.duration_ns(),
        self_ns: node.self_ns,
        children: tree.children(at).filter_map(id).collect(),
        expected: node.expected,
        repeats: node.repeats,
        over_budget: budgets.into_iter().filter(|(over, _)| *over).map(|(_, name)| name).collect(),
        critical: critical_path.then(|| node.flags.has(Flags::CRITICAL)),
        cancelled_at: tree.cancelled_at(at).and_then(id),
        facts: None,
        error: None,
        attributes: None,
        events: None,
    })
}
