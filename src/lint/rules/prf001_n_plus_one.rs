//! PRF001: one query, request or embedding for each item instead of one for all.
//!
//! Comes in: a tree. Goes out: one fact a parent and call that it makes again and again, one after the other.

use std::collections::BTreeMap;

use crate::agent::{Role, normal_statement, route_of};
use crate::capture::{Detail, SpanRef};
use crate::forest::Node;
use crate::lint::facts::{Fact, Told, Words};
use crate::lint::finding::Unit;
use crate::lint::look::TraceLook;
use crate::lint::note::Sink;
use crate::lint::rule::{Check, Confidence, Limit, Needs, Rule, Scope, Severity};
use crate::model::Nanos;

/// The rule.
pub(super) const RULE: Rule = Rule {
    code: "PRF001",
    name: "n-plus-one",
    severity: Severity::Warn,
    confidence: Confidence::Likely,
    scope: Scope::Trace,
    summary: "One span makes the same query or request again and again, one after the other",
    why: "Every round trip costs its latency; one query for all items costs it once.",
    when: "",
    bad: "SELECT name FROM tools WHERE id = ? 37 times below list_agents",
    good: "SELECT name FROM tools WHERE id IN (?) once",
    limits: &LIMITS,
    unit: Some(Unit::Count),
    source: "own",
    url: "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html",
    check: Check { trace: Some(check), needs: Needs::SHAPES.with(Needs::DETAIL), ..Check::NONE },
    tell,
};

const LIMITS: [Limit; 1] = [Limit::number("n", 2, 10, Unit::Count, "equal calls before anything is said")];

/// How much of a statement is told.
const TOLD: usize = 80;

fn check(look: &TraceLook<'_>, sink: &mut Sink<'_>) {
    let least = look.limit(0).unwrap_or(u64::MAX);
    if u64::from(look.brief.calls) < least {
        return;
    }
    let is_call =
        |span: &SpanRef| matches!(look.head(*span).marks.role(), Some(Role::Db | Role::Http | Role::Embedding));
    let mut calls: Vec<(usize, u32, &Node, SpanRef)> = Vec::new();
    let mut unshaped: BTreeMap<usize, u64> = BTreeMap::new();
    for (at, node, span) in look.nodes().filter(|(.., span)| is_call(span)) {
        match (look.tree.parent(at), look.known().shape(span)) {
            (Some(parent), Some(shape)) => calls.push((parent, shape, node, span)),
            (Some(parent), None) => *unshaped.entry(parent).or_default() += 1,
            _ => {}
        }
    }
    // Fewer than that under one parent could not be too many.
    let unknown: u64 = unshaped.into_values().filter(|count| *count >= least).sum();
    if unknown > 0 {
        sink.not_checked("the statement, the route or the model of the calls was not recorded", unknown);
    }
    // What two instrumentations record of one call has one shape, but not one name.
    let like = |call: &(usize, u32, &Node, SpanRef)| (call.0, call.1, look.head(call.3).name);
    // By their ends: whoever takes the one that ends first next gets the longest run of calls that do not overlap.
    calls.sort_by_key(|call| (like(call), call.2.last_ns(), call.2.start, call.2.id));
    for same in calls.chunk_by(|a, b| like(a) == like(b)).filter(|same| same.len() as u64 >= least) {
        let mut free = 0;
        let in_turn: Vec<_> = same
            .iter()
            .filter(|(_, _, node, _)| {
                let begins_after = node.start >= free;
                free = if begins_after { node.last_ns() } else { free };
                begins_after
            })
            .collect();
        let Some((parent, _, _, first)) = in_turn.first().filter(|_| in_turn.len() as u64 >= least) else {
            continue;
        };
        let lasted: u64 = in_turn.iter().map(|(.., node, _)| node.duration_ns()).sum();
        let above = look.span_of(*parent).map(|span| (span, "parent"));
        let name = above.map_or("a missing span", |(span, _)| look.capture.name(span));
        let note = format!("{} {name}", Nanos(lasted).to_string().replace(' ', "\u{a0}")).into();
        let related = above.into_iter().chain(in_turn.iter().skip(1).take(10).map(|call| (call.3, "again"))).collect();
        let observed = Some(in_turn.len() as u64);
        sink.found_at(*first, Fact { class: "calls", observed, note, related, ..Fact::default() });
    }
}

fn tell(told: &Told<'_>) -> Words {
    let (lasted, parent) = told.note.split_once(' ').unwrap_or((told.note, ""));
    let what = told.detail.and_then(what).unwrap_or_else(|| told.span_name.to_owned());
    let lasted = lasted.replace('\u{a0}', " ");
    Words::new(
        format!("{what} {}x under {parent}: {lasted}", told.observed),
        "ask for all items at once: a join, an IN list, a batch",
    )
}

/// The statement but for its values, or the method and the route.
fn what(detail: &Detail) -> Option<String> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| detail.text(key)).map(str::to_owned);
    let statement = text(&["db.query.text", "db.statement"]).map(|text| normal_statement(&text));
    let whole = statement.or_else(|| {
        let method = text(&["http.request.method", "http.method"])?;
        let route = text(&["http.route", "url.template"]);
        let route =
            route.or_else(|| text(&["url.full", "http.url", "url.path", "http.target"]).map(|url| route_of(&url)))?;
        Some(format!("{method} {route}"))
    })?;
    let told: String = whole.chars().take(TOLD).collect();
    Some(if told.len() < whole.len() { format!("{told}...") } else { told })
}
