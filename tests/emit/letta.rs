//! A request that was made up beside one of the real server.
//!
//! Compared, name by name: kinds, statuses, attribute keys, event names and their keys, and the names of parents. What repeats
//! (steps, tools) counts once; values, times and counts are not compared. `start_X_execution` stands for every tool, and the
//! classes of providers for one another. The capture comes from the agent loop alone; what the complete server adds around it is
//! listed here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::emit;
use crate::common::captures;

/// What the complete server has and the application of the capture has not.
const ONLY_IN_THE_COMPLETE_SERVER: [&str; 17] = [
    "AgentManager.update_message_ids_async",
    "Client.build_request_data",
    "Client.convert_response_to_chat_completion",
    "LettaAgentV3._check_run_cancellation",
    "LettaAgentV3._decide_continuation",
    "LettaAgentV3._get_valid_tools",
    "LettaAgentV3._refresh_messages",
    "LettaCoreToolExecutor.execute",
    "MessageManager.get_messages_by_ids_async",
    "RunManager.update_run_by_id_async",
    "StepManager.update_step_stop_reason",
    "UserManager.get_actor_or_default_async",
    "dependency.get_letta_server",
    "list._prepare_in_context_messages_no_persist_async",
    "list.backfill_missing_tool_call_ids",
    "AgentManager.query_agent_passages_async",
    "Client.request_embeddings",
];

/// What a name's spans have in common.
#[derive(Debug, Default, PartialEq, Eq)]
struct Habit {
    kinds: BTreeSet<i32>,
    statuses: BTreeSet<i32>,
    keys: BTreeSet<String>,
    events: BTreeSet<(String, Vec<String>)>,
    parents: BTreeSet<String>,
}

fn spans(path: &Path) -> Vec<Span> {
    let bytes = fs::read(path).unwrap();
    let (mut rest, mut out) = (bytes.as_slice(), Vec::new());
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (message, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
        let request = ExportTraceServiceRequest::decode(message).unwrap();
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        out.extend(
            scopes
                .filter(|scope| scope.scope.as_ref().unwrap().name == "letta.otel.tracing")
                .flat_map(|scope| scope.spans),
        );
        rest = tail;
    }
    out
}

/// A name with what differs from run to run left out.
fn common(name: &str) -> String {
    match name.split_once("Client.") {
        Some((provider, method)) if ["OpenAI", "Anthropic", "GoogleAI"].contains(&provider) => {
            format!("Client.{method}")
        }
        _ => name.to_owned(),
    }
}

fn event(name: &str) -> String {
    match name.split_once('_') {
        Some((verb @ ("start" | "finish"), rest)) if rest.ends_with("_execution") => format!("{verb}_X_execution"),
        _ => name.to_owned(),
    }
}

/// Keyed by name and kind: the request and its renamed middleware span share a name.
fn habits(spans: &[Span]) -> BTreeMap<(String, i32), Habit> {
    let names: BTreeMap<&[u8], &str> = spans.iter().map(|span| (span.span_id.as_slice(), span.name.as_str())).collect();
    let mut habits: BTreeMap<(String, i32), Habit> = BTreeMap::new();
    for span in spans {
        let habit = habits.entry((common(&span.name), span.kind)).or_default();
        habit.kinds.insert(span.kind);
        habit.statuses.insert(span.status.as_ref().map_or(0, |status| status.code));
        habit.keys.extend(span.attributes.iter().map(|attribute| attribute.key.clone()));
        habit.parents.insert(names.get(span.parent_span_id.as_slice()).map(|name| common(name)).unwrap_or_default());
        for found in &span.events {
            let name = event(&found.name);
            // A tool's arguments are its own.
            let keys = found.attributes.iter().map(|attribute| attribute.key.clone());
            let keys = if name == "start_X_execution" { Vec::new() } else { keys.collect() };
            habit.events.insert((name, keys));
        }
    }
    habits
}

#[test]
fn a_made_up_request_has_the_habits_of_a_real_one() {
    let Some(captures) = captures() else { return };
    let real = spans(&captures.join("letta/success.pb"));
    // The request that runs the agent is the largest of them.
    let mut traces: BTreeMap<Vec<u8>, Vec<Span>> = BTreeMap::new();
    real.into_iter().for_each(|span| traces.entry(span.trace_id.clone()).or_default().push(span));
    let real = habits(&traces.into_values().max_by_key(Vec::len).unwrap());
    let folder = tempfile::tempdir().unwrap();
    emit(folder.path(), "a.pb", &["--quirks", "--scenario", "tools", "--traces", "40", "--seed", "1"]);
    let made = habits(&spans(&folder.path().join("a.pb")));

    for (key, habit) in &real {
        let ours = made.get(key).unwrap_or_else(|| panic!("{key:?} is never made up"));
        assert_eq!((&ours.kinds, &ours.statuses), (&habit.kinds, &habit.statuses), "{key:?}");
        assert_eq!(ours.keys, habit.keys, "{key:?}");
        assert_eq!(ours.events, habit.events, "{key:?}");
        assert!(habit.parents.is_subset(&ours.parents), "{key:?}: {:?} {:?}", habit.parents, ours.parents);
    }
    let invented = made.keys().filter(|key| !real.contains_key(*key)).map(|(name, _)| name.as_str());
    let invented: Vec<_> = invented
        .filter(|name| !ONLY_IN_THE_COMPLETE_SERVER.contains(name))
        .filter(|name| !name.starts_with("redis_cache") && *name != "PassageManager.search_passages_async")
        .collect();
    assert_eq!(invented, [""; 0]);
}

#[test]
fn a_made_up_stream_ends_its_root_first() {
    let folder = tempfile::tempdir().unwrap();
    for quirks in [&["--quirks"][..], &[]] {
        emit(folder.path(), "a.pb", &[&["--scenario", "stream", "--traces", "1"], quirks].concat());
        let spans = spans(&folder.path().join("a.pb"));
        let root = spans.iter().find(|span| span.parent_span_id.is_empty()).unwrap();
        let later = spans.iter().filter(|span| span.end_time_unix_nano > root.end_time_unix_nano).count();
        assert!(later > 20 && root.name.ends_with("/stream"), "{later}");
    }
}
