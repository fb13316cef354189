//! Requests that were made up beside those of the real server.
//!
//! Compared, name by name: kinds, statuses, attribute keys, event names and their keys, and the names of parents. What repeats
//! (steps, tools) counts once; values, times and counts are not compared. `start_X_execution` stands for every tool, the classes of
//! providers for one another, and adapters that stream for those that do not. The captures come from the agent loop alone, in a small
//! application; what the complete server adds around it is listed here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::{CONVENTIONS, emit};
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

/// Spans of Letta's own tracing.
fn spans(path: &Path) -> Vec<Span> {
    scopes(path).into_iter().filter(|(scope, _)| scope == "letta.otel.tracing").map(|(_, span)| span).collect()
}

fn all_spans(path: &Path) -> Vec<Span> {
    scopes(path).into_iter().map(|(_, span)| span).collect()
}

/// All spans, with the names of their scopes.
fn scopes(path: &Path) -> Vec<(String, Span)> {
    let bytes = fs::read(path).unwrap();
    let (mut rest, mut out) = (bytes.as_slice(), Vec::new());
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (message, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
        let request = ExportTraceServiceRequest::decode(message).unwrap();
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        for group in scopes {
            let name = group.scope.unwrap().name;
            out.extend(group.spans.into_iter().map(|span| (name.clone(), span)));
        }
        rest = tail;
    }
    out
}

/// A name with what differs from run to run left out.
fn common(name: &str) -> String {
    let name = name.replace("SimpleLLMStreamAdapter", "SimpleLLMRequestAdapter");
    match name.split_once("Client.") {
        Some((provider, method)) if ["OpenAI", "Anthropic", "GoogleAI"].contains(&provider) => {
            format!("Client.{}", method.replace("stream_async", "request_async"))
        }
        _ => name,
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
    // Some requests have a body that one of the spans cannot take; the real one has not.
    let taken =
        |span: &Span| span.name != "trace.request_body" || span.status.as_ref().map_or(0, |status| status.code) == 0;
    let made: Vec<Span> = spans(&folder.path().join("a.pb")).into_iter().filter(taken).collect();
    let made = habits(&made);

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
        // Requests for endpoints that are not traced leave that of the middleware.
        .filter(|name| {
            !name.starts_with("redis_cache")
                && *name != "middleware.logging"
                && *name != "PassageManager.search_passages_async"
        })
        .collect();
    assert_eq!(invented, [""; 0]);
}

/// The spans of a capture, or nothing where there are none, and what is made up beside them.
fn pair(capture: &str, scenario: &str) -> Option<(Vec<Span>, Vec<Span>)> {
    let real = spans(&captures()?.join("letta").join(capture));
    let folder = tempfile::tempdir().unwrap();
    emit(folder.path(), "a.pb", &["--quirks", "--scenario", scenario, "--traces", "48", "--seed", "1"]);
    Some((real, spans(&folder.path().join("a.pb"))))
}

/// Classes of the small application that the captures come from.
const APPLICATION: [&str; 5] = ["Failing.", "Failing2.", "Runner.", "Sync.", "coroutine."];

/// Everything that a real span of this name has, a made-up one has too, and methods of Letta's have nothing else.
fn assert_habits(real: &[Span], made: &[Span]) {
    let made = habits(made);
    for ((name, kind), habit) in habits(real) {
        if APPLICATION.iter().any(|class| name.starts_with(class)) || name.starts_with("GET ") {
            continue;
        }
        // Routes of the application are not those of the server.
        let request = name.starts_with("POST ");
        let alike = |(own, of): &&(String, i32)| *own == name || (request && own.starts_with("POST ") && *of == kind);
        let found: Vec<&Habit> =
            made.iter().filter(|(key, _)| alike(key) && key.1 == kind).map(|(_, habit)| habit).collect();
        assert!(!found.is_empty(), "{name} is never made up");
        let all =
            |part: fn(&Habit) -> Vec<String>| found.iter().flat_map(|habit| part(habit)).collect::<BTreeSet<String>>();
        let keys = |habit: &Habit| habit.keys.iter().filter(|key| !is_of_body(key)).cloned().collect();
        let (ours, theirs): (BTreeSet<String>, BTreeSet<String>) = (all(keys), keys(&habit).into_iter().collect());
        assert!(theirs.is_subset(&ours), "{name}: {:?}", theirs.difference(&ours).collect::<Vec<_>>());
        assert!(request || ours == theirs, "{name}: {:?}", ours.difference(&theirs).collect::<Vec<_>>());
        let events = |habit: &Habit| habit.events.iter().map(|event| format!("{event:?}")).collect();
        let (ours, theirs) = (all(events), events(&habit));
        assert!(theirs.iter().all(|event| ours.contains(event)), "{name}: {theirs:?} {ours:?}");
        assert!(habit.statuses.iter().all(|status| found.iter().any(|ours| ours.statuses.contains(status))), "{name}");
        // Who asks for pings gets a reader between the request and the run, any job may hang under a task, and routes of the
        // application call what the server's do not.
        let parents = |habit: &Habit| habit.parents.iter().map(|parent| home(parent)).collect();
        let (ours, theirs) = (all(parents), parents(&habit));
        let known = |parent: &String| ours.contains(parent) || parent == "home";
        assert!(theirs.iter().all(known), "{name}: {theirs:?} {ours:?}");
    }
}

/// What clients send, and what another task of the application leaves.
fn is_of_body(key: &str) -> bool {
    key.starts_with("http.") || key == "total_background_task_count" || ["client", "source"].contains(&key)
}

fn home(parent: &str) -> String {
    let home = parent.is_empty()
        || ["POST ", "GET "].iter().any(|verb| parent.starts_with(verb))
        || parent == "coroutine.safe_create_task";
    if home { "home".to_owned() } else { parent.to_owned() }
}

#[test]
fn streams_failures_jobs_and_cancellations_have_the_habits_of_real_ones() {
    for (capture, scenario) in
        [("stream.pb", "stream"), ("background.pb", "background"), ("cancel.pb", "cancel"), ("errors.pb", "errors")]
    {
        let Some((real, made)) = pair(capture, scenario) else { return };
        assert_habits(&real, &made);
    }
}

fn attribute<'s>(span: &'s Span, key: &str) -> Option<&'s str> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let value = &span.attributes.iter().find(|attribute| attribute.key == key)?.value;
    match value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

#[test]
fn a_made_up_failure_is_told_where_the_real_one_is() {
    let Some((real, made)) = pair("errors.pb", "errors") else { return };
    // A bug leaves a raw path, two exceptions and no status of an answer; a provider's failure an exception of the error handler.
    for spans in [&real, &made] {
        let crashed = |span: &&Span| span.kind == 2 && span.events.len() == 2;
        let crashed: Vec<&Span> = spans.iter().filter(crashed).collect();
        assert!(!crashed.is_empty());
        for span in crashed {
            assert!(span.name.contains("/agent-") && span.status.as_ref().unwrap().message.starts_with("KeyError: "));
            assert!(span.attributes.iter().all(|attribute| attribute.key != "http.status_code"));
        }
        let handled = |span: &Span| {
            let exception = span.events.iter().find(|event| event.name == "exception")?;
            let says = |key: &str| exception.attributes.iter().any(|attribute| format!("{attribute:?}").contains(key));
            Some(span.kind == 1 && says("HTTPException") && says("502: LLM provider unavailable"))
        };
        assert!(spans.iter().any(|span| handled(span) == Some(true)));
    }
    let limited = made.iter().find(|span| {
        span.name == "LettaAgentV3.step" && span.status.as_ref().unwrap().message.contains("RATE_LIMIT_EXCEEDED")
    });
    assert!(limited.unwrap().status.as_ref().unwrap().message.starts_with("LLMRateLimitError: RATE_LIMIT_EXCEEDED: "));
    let logged: BTreeSet<&str> = made.iter().flat_map(|span| &span.events).map(|event| event.name.as_str()).collect();
    assert!(logged.contains("llm_retry_attempt") && logged.contains("llm_max_retries_exceeded"));
    // A route that there is not keeps its path, and the middleware its name.
    let unrouted = made.iter().find(|span| span.kind == 2 && span.name.starts_with("POST /v1/agent/agent-")).unwrap();
    assert!(made.iter().any(|span| span.parent_span_id == unrouted.span_id && span.name == "middleware.logging"));
}

#[test]
fn every_function_that_is_cancelled_names_its_own_module() {
    let folder = tempfile::tempdir().unwrap();
    emit(folder.path(), "a.pb", &["--quirks", "--scenario", "tools", "--cancel-rate", "1", "--traces", "30"]);
    let spans = spans(&folder.path().join("a.pb"));
    let modules: BTreeSet<(String, String)> = spans
        .iter()
        .flat_map(|span| span.events.iter().map(move |event| (span, event)))
        .filter(|(_, event)| event.attributes.iter().any(|attribute| attribute.key == "function.module"))
        .map(|(span, event)| {
            let event = Span { attributes: event.attributes.clone(), ..Span::default() };
            let class = span.name.split('.').next().unwrap().to_owned();
            (class, attribute(&event, "function.module").unwrap().to_owned())
        })
        .collect();
    let module = |class: &str| {
        modules.iter().filter(|(own, _)| own == class).map(|(_, module)| module.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(module("LettaAgentV3"), ["letta.agents.letta_agent_v3"]);
    assert_eq!(module("AsyncToolSandboxLocal"), ["letta.services.tool_sandbox.local_sandbox"]);
    assert_eq!(module("ToolExecutionManager"), ["letta.services.tool_executor.tool_execution_manager"]);
}

#[test]
fn a_made_up_stream_ends_its_root_first() {
    let folder = tempfile::tempdir().unwrap();
    for convention in CONVENTIONS {
        // Every second request of the scenario cancel streams.
        for (scenario, traces, more) in
            [("stream", 1, &["--quirks"][..]), ("stream", 3, &[]), ("cancel", 6, &[]), ("cancel", 6, &["--quirks"])]
        {
            let traces = traces.to_string();
            let given = ["--convention", convention, "--scenario", scenario, "--traces", &traces];
            emit(folder.path(), "a.pb", &[&given[..], more].concat());
            let mut by_trace: BTreeMap<Vec<u8>, Vec<Span>> = BTreeMap::new();
            let all = all_spans(&folder.path().join("a.pb"));
            all.into_iter().for_each(|span| by_trace.entry(span.trace_id.clone()).or_default().push(span));
            let early = by_trace.values().filter(|spans| {
                let root = spans.iter().find(|span| span.parent_span_id.is_empty()).unwrap();
                let later = |span: &&Span| span.end_time_unix_nano > root.end_time_unix_nano;
                spans.iter().filter(later).count() * 2 > spans.len()
            });
            let wanted = if scenario == "stream" { by_trace.len() } else { by_trace.len() / 2 };
            assert_eq!(early.count(), wanted, "{convention} {scenario} {more:?}");
        }
    }
}
