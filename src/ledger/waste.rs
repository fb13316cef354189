//! What the calls of a run took for nothing.
//!
//! Comes in: the calls of a run. Goes out: how many calls were repeated, and how many tokens were wasted: on calls that failed, on
//! asking a model the same again, and on answers after which nothing new was done. What each agent does is looked at by itself.

use hashbrown::HashSet;

use super::account::briefs_of;
use super::call::{Call, Kind};
use crate::agent::Role;
use crate::capture::Capture;
use crate::forest::Tree;

/// Repeated calls to tools, and wasted tokens, of the calls below a node.
pub(super) fn waste(capture: &Capture, tree: &Tree, calls: &[Call], node: usize) -> (u64, u64) {
    if calls.is_empty() {
        return (0, 0);
    }
    let owners = owners(capture, tree, calls, node);
    let mut calls: Vec<(usize, &Call)> = owners.into_iter().zip(calls).collect();
    calls.sort_by_key(|(owner, call)| (*owner, call.start, call.node));
    let own = calls.chunk_by(|a, b| a.0 == b.0).map(of_one);
    own.fold((0, 0), |(repeated, wasted), own| (repeated + own.0, wasted.saturating_add(own.1)))
}

/// The agent or tool that each call is directly below.
fn owners(capture: &Capture, tree: &Tree, calls: &[Call], node: usize) -> Vec<usize> {
    let mut owners = Vec::with_capacity(calls.len());
    let mut open = vec![node];
    for (at, _, brief) in briefs_of(capture, tree, node..tree.after(node)) {
        while open.len() > 1 && open.pop_if(|open| tree.after(*open) <= at).is_some() {}
        while calls.get(owners.len()).is_some_and(|call| call.node <= at) {
            owners.push(open.last().copied().unwrap_or(node));
        }
        if at > node && matches!(brief.role, Some(Role::Agent | Role::Tool)) {
            open.push(at);
        }
    }
    owners.resize(calls.len(), node);
    owners
}

/// The same for calls of one agent, in the order they were made.
fn of_one(calls: &[(usize, &Call)]) -> (u64, u64) {
    let (mut tools_seen, mut asked_before) = (HashSet::new(), HashSet::new());
    let (mut repeated, mut wasted) = (0, 0u64);
    // Tokens of the call to a model before, and whether the tools after it were called for the first time.
    let (mut asked, mut tools, mut news) = (0u64, 0, false);
    for (_, call) in calls {
        match call.kind {
            Kind::Model => {
                wasted = wasted.saturating_add(if tools > 0 && !news { asked } else { 0 });
                (asked, tools, news) = (call.spent(), 0, false);
                let mut again =
                    || call.arguments.is_some_and(|given| !asked_before.insert((call.name, given, call.tokens.input)));
                if call.failed || again() {
                    wasted = wasted.saturating_add(asked);
                    asked = 0;
                }
            }
            Kind::Tool => {
                tools += 1;
                let again = call.arguments.is_some_and(|arguments| !tools_seen.insert((call.name, arguments)));
                repeated += u64::from(again);
                news |= !again;
            }
            Kind::Embedding | Kind::Rerank => {}
        }
    }
    (repeated, wasted.saturating_add(if tools > 0 && !news { asked } else { 0 }))
}
