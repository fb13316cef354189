//! A span, resource or scope with the plan carried out.
//!
//! Comes in: one in place. Goes out: the same in place, changed where the plan says so; it lives as long as the call.

use std::borrow::Cow;

use super::patch::{any, patched, patches};
use super::plan::{Done, Plan};
use crate::otlp::{RawAttribute, RawResource, RawScope, RawSpan, Text};

/// Gives the resource as the plan wants it.
pub(super) fn mended_resource(
    resource: &RawResource<'_>,
    plan: &Plan,
    done: &mut Done,
    give: &mut dyn FnMut(&RawResource<'_>),
) {
    let patches = patches(&resource.attributes, plan, done);
    let mut fixed = resource.clone();
    fixed.attributes = patched(&resource.attributes, &patches);
    give(&fixed);
}

/// Gives the scope as the plan wants it.
pub(super) fn mended_scope(scope: &RawScope<'_>, plan: &Plan, done: &mut Done, give: &mut dyn FnMut(&RawScope<'_>)) {
    let patches = patches(&scope.attributes, plan, done);
    let (name, version) = (veiled(&scope.name, plan, done), veiled(&scope.version, plan, done));
    let mut fixed = scope.clone();
    fixed.attributes = patched(&scope.attributes, &patches);
    put(&mut fixed.name, &name);
    put(&mut fixed.version, &version);
    give(&fixed);
}

/// Gives the span as the plan wants it.
pub(super) fn mended_span(span: &RawSpan<'_>, plan: &Plan, done: &mut Done, give: &mut dyn FnMut(&RawSpan<'_>)) {
    let texts = [&span.name, &span.message].map(|text| veiled(text, plan, done));
    let state = emptied(&span.trace_state, plan, done);
    let states: Vec<Option<String>> = span.links.iter().map(|link| emptied(&link.trace_state, plan, done)).collect();
    let names: Vec<Option<String>> = span.events.iter().map(|event| veiled(&event.name, plan, done)).collect();
    let ranges = span.events.iter().map(|event| &event.attributes);
    let ranges = ranges.chain(span.links.iter().map(|link| &link.attributes));
    let ranges: Vec<_> = std::iter::once(&span.own).chain(ranges).collect();
    let lists: Vec<_> = ranges.iter().map(|range| patches(span.pooled(range), plan, done)).collect();
    let mut said = texts.iter().chain(&names).chain(&states).chain([&state]);
    let untouched = said.all(Option::is_none) && !lists.iter().any(|list| any(list));
    if untouched {
        return give(span);
    }
    let mut pool: Vec<RawAttribute<'_>> = Vec::with_capacity(span.pool.len() + 1);
    let mut placed = Vec::with_capacity(ranges.len());
    for (range, list) in ranges.iter().zip(&lists) {
        let from = pool.len();
        pool.extend(patched(span.pooled(range), list));
        placed.push(from..pool.len());
    }
    let mut fixed = span.clone();
    fixed.pool = pool;
    let mut placed = placed.into_iter();
    fixed.own = placed.next().unwrap_or_default();
    for (event, name) in fixed.events.iter_mut().zip(&names) {
        event.attributes = placed.next().unwrap_or_default();
        put(&mut event.name, name);
    }
    for (link, state) in fixed.links.iter_mut().zip(&states) {
        link.attributes = placed.next().unwrap_or_default();
        put(&mut link.trace_state, state);
    }
    put(&mut fixed.trace_state, &state);
    let [name, message] = &texts;
    put(&mut fixed.name, name);
    put(&mut fixed.message, message);
    give(&fixed);
}

/// The text with its secrets hidden, if it has any and they are to be hidden.
fn veiled(text: &Text<'_>, plan: &Plan, done: &mut Done) -> Option<String> {
    let redactor = plan.redact.as_ref().filter(|_| !text.is_empty())?;
    match redactor.text(&text.decode()) {
        Cow::Borrowed(_) => None,
        Cow::Owned(hidden) => {
            done.hidden += 1;
            Some(hidden)
        }
    }
}

/// Nothing, in the place of a trace state with a secret in it: a hidden one would not be a trace state any more.
fn emptied(state: &Text<'_>, plan: &Plan, done: &mut Done) -> Option<String> {
    veiled(state, plan, done).map(|_| String::new())
}

fn put<'t>(text: &mut Text<'t>, new: &'t Option<String>) {
    if let Some(new) = new {
        *text = Text::known(new);
    }
}
