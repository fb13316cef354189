//! Traces that lost their context, and the spans of other traces that ids say are their parents.
//!
//! Comes in: a capture and its forest. Goes out: for some traces a span that ran while they began and shares the id of a tool call,
//! a run or a conversation with them. Where several traces or tools could be meant, nothing is said.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::agent::Role;
use crate::capture::{Brief, Capture, SpanRef};
use crate::forest::Forest;
use crate::model::Kind;

/// Where a trace belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The number of the trace of its parent.
    pub trace: u32,
    /// Its parent.
    pub parent: SpanRef,
    /// What they share.
    pub by: &'static str,
}

/// Traces are nested this deep at most.
const DEPTH: usize = 8;
/// In larger captures nothing is looked for: whoever shows a few traces of a million does not wait for all of them.
const SPANS: usize = 200_000;
/// Where more spans than this run at once that share an id, it tells nothing, and they are not looked into.
const RUNNING: usize = 256;

/// An id and what it is of, the one that tells most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shared {
    Call(u64),
    Run(u32),
    Conversation(u32),
}

impl Shared {
    fn name(self) -> &'static str {
        match self {
            Self::Call(_) => "tool call",
            Self::Run(_) => "run",
            Self::Conversation(_) => "conversation",
        }
    }

    fn of(brief: &Brief) -> impl Iterator<Item = Self> {
        let call = brief.call_id.map(|call| Self::Call(call.get()));
        let run = Some(brief.run).filter(|run| !run.is_empty()).map(|run| Self::Run(run.0));
        let conversation = Some(brief.conversation).filter(|name| !name.is_empty());
        [call, run, conversation.map(|name| Self::Conversation(name.0))].into_iter().flatten()
    }
}

/// A span that can have something below it; ordered by its end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Host {
    /// The largest number where it never ended.
    end: u64,
    start: u64,
    span: SpanRef,
    /// The number of its trace.
    trace: u32,
}

impl Host {
    /// Whether the other one ran while this one did.
    fn is_around(&self, other: &Self) -> bool {
        self.start <= other.start && self.end >= other.end
    }
}

/// The hosts of an id, met in the order of their starts.
#[derive(Default)]
struct Hosts {
    coming: Vec<Host>,
    /// Those that have begun and not ended, the one that ends first at the top.
    running: BinaryHeap<Reverse<Host>>,
}

impl Hosts {
    /// Those that run at a time, which is never earlier than the one before; `None` where they are too many.
    fn at(&mut self, time: u64) -> Option<impl Iterator<Item = &Host> + Clone> {
        while let Some(host) = self.coming.pop_if(|host| host.start <= time) {
            self.running.push(Reverse(host));
        }
        while self.running.peek().is_some_and(|Reverse(host)| host.end < time) {
            self.running.pop();
        }
        (self.running.len() <= RUNNING).then(|| self.running.iter().map(|Reverse(host)| host))
    }
}

/// A trace that may belong below a span of another one.
struct Guest {
    number: u32,
    start: u64,
    kind: Kind,
    ids: Vec<Shared>,
}

/// Finds where traces belong.
pub(super) fn adoptions(capture: &Capture, forest: &Forest) -> BTreeMap<u32, Adoption> {
    let mut found: BTreeMap<u32, Adoption> = BTreeMap::new();
    if !capture.has_briefs() || forest.len() < 2 || capture.len() > SPANS {
        return found;
    }
    let Survey { mut hosts, mut guests, starts } = Survey::of(capture, forest);
    guests.sort_by_key(|guest| (guest.start, guest.number));
    for guest in &guests {
        let place = guest.ids.iter().find_map(|id| host(capture, hosts.get_mut(id)?, guest, *id, &found));
        let Some(adoption) = place else { continue };
        let above = |number: &u32| found.get(number).map(|found| found.trace);
        let depth = std::iter::successors(Some(adoption.trace), above).count();
        // What began first cannot be below what began later: no circles.
        let start = starts.get(adoption.trace as usize).copied().unwrap_or_default();
        if depth <= DEPTH && (start, adoption.trace) < (guest.start, guest.number) {
            found.insert(guest.number, adoption);
        }
    }
    found
}

/// What a capture has of hosts and guests.
#[derive(Default)]
struct Survey {
    hosts: BTreeMap<Shared, Hosts>,
    guests: Vec<Guest>,
    /// When each trace starts.
    starts: Vec<u64>,
}

impl Survey {
    fn of(capture: &Capture, forest: &Forest) -> Self {
        let mut survey = Self::default();
        for (number, trace) in (0u32..).zip(forest.traces()) {
            survey.trace(capture, number, trace.spans);
        }
        for hosts in survey.hosts.values_mut() {
            hosts.coming.sort_unstable_by_key(|host| Reverse((host.start, host.span)));
        }
        survey
    }

    fn trace(&mut self, capture: &Capture, number: u32, spans: &[SpanRef]) {
        let mut ids: Vec<Shared> = Vec::new();
        for (span, brief) in spans.iter().filter_map(|span| Some((*span, capture.brief(*span)?))) {
            let head = capture.head(span);
            let can_host = matches!(brief.role, Some(Role::Tool | Role::Agent | Role::Mcp)) && head.start != 0;
            for id in Shared::of(brief) {
                if can_host {
                    let end = if head.end == 0 { u64::MAX } else { head.end };
                    let host = Host { start: head.start, end, span, trace: number };
                    self.hosts.entry(id).or_default().coming.push(host);
                }
                if ids.len() < 16 && !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        let start = |span: &&SpanRef| capture.head(**span).start;
        let first = spans.iter().filter(|span| start(span) != 0).min_by_key(start).map(|span| capture.head(*span));
        self.starts.push(first.map_or(0, |first| first.start));
        // A trace of several runs or conversations belongs to none of them; ids of its own tool calls are not shared.
        let unique = |wanted: fn(&Shared) -> bool| ids.iter().filter(|id| wanted(id)).count() <= 1;
        let single = unique(|id| matches!(id, Shared::Run(_))) && unique(|id| matches!(id, Shared::Conversation(_)));
        if let Some(first) = first.filter(|_| single && !ids.is_empty()) {
            ids.sort_unstable();
            self.guests.push(Guest { number, start: first.start, kind: first.marks.kind(), ids });
        }
    }
}

/// The innermost span that shares an id and was running when the guest began, where all others that were are around it: in its
/// trace, or in those that its trace belongs to.
fn host(
    capture: &Capture,
    hosts: &mut Hosts,
    guest: &Guest,
    id: Shared,
    found: &BTreeMap<u32, Adoption>,
) -> Option<Adoption> {
    let others = hosts.at(guest.start)?.filter(|host| host.trace != guest.number);
    let inner = *others.clone().max_by_key(|host| (host.start, host.span))?;
    // The innermost one, then what its trace hangs on, and so on up.
    let mut line = vec![inner];
    while let Some(above) = line.last().and_then(|host| found.get(&host.trace)).filter(|_| line.len() <= DEPTH) {
        let head = capture.head(above.parent);
        let end = if head.end == 0 { u64::MAX } else { head.end };
        line.push(Host { start: head.start, end, span: above.parent, trace: above.trace });
    }
    let around = |host: &Host| line.iter().any(|at| at.trace == host.trace && host.is_around(at));
    // Agents of several traces that run at once may be side by side: a tool that runs in the innermost tells that they are not.
    let role = capture.head(inner.span).marks.role();
    let side_by_side = role == Some(Role::Agent) && others.clone().any(|host| host.trace != inner.trace);
    // A request of its own in the same conversation is no sub-agent, unless a tool made it.
    let own_request = role == Some(Role::Agent) && guest.kind == Kind::Server && matches!(id, Shared::Conversation(_));
    let clear = others.clone().all(around) && !side_by_side && !own_request;
    clear.then_some(Adoption { trace: inner.trace, parent: inner.span, by: id.name() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::of_messages;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use prost::Message;

    type Planned<'p> = (u8, u8, u8, &'p str, [u64; 2], &'p str);

    /// A span by trace, id, parent, operation, times, conversation.
    fn span(&(trace, id, parent, operation, [start, end], conversation): &Planned<'_>) -> Span {
        let attribute = |key: &str, text: &str| KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) }),
            ..KeyValue::default()
        };
        Span {
            trace_id: vec![trace; 16],
            span_id: vec![id; 8],
            parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
            name: operation.to_owned(),
            kind: 1,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes: vec![
                attribute("gen_ai.operation.name", operation),
                attribute("gen_ai.conversation.id", conversation),
            ],
            ..Span::default()
        }
    }

    /// Guest, host and what they share, traces by their start.
    fn found(spans: Vec<Span>) -> Vec<(u32, u32, &'static str)> {
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        let message = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let capture = of_messages(vec![("test".to_owned(), message, false)]).unwrap();
        let forest = Forest::of(&capture);
        adoptions(&capture, &forest).into_iter().map(|(guest, found)| (guest, found.trace, found.by)).collect()
    }

    fn adopted(spans: &[Planned<'_>]) -> Vec<(u32, u32, &'static str)> {
        found(spans.iter().map(span).collect())
    }

    #[test]
    fn a_trace_that_began_within_a_tool_of_its_conversation_belongs_there() {
        let host = (1, 1, 0, "invoke_agent", [100, 900], "c");
        let tool = (1, 2, 1, "execute_tool", [200, 500], "c");
        let guest = |start, conversation| (2, 3, 0, "invoke_agent", [start, start + 100], conversation);
        assert_eq!(adopted(&[host, tool, guest(250, "c")]), [(1, 0, "conversation")]);
        assert_eq!(adopted(&[host, tool, guest(250, "d")]), []);
        assert_eq!(adopted(&[host, tool, guest(950, "c")]), [], "the next request of the conversation");
    }

    #[test]
    fn agents_that_call_each_other_by_tools_are_a_chain() {
        let chain = [
            (1, 1, 0, "invoke_agent", [100, 900], "c"),
            (1, 2, 1, "execute_tool", [200, 800], "c"),
            (2, 3, 0, "invoke_agent", [250, 790], "c"),
            (2, 4, 3, "execute_tool", [300, 700], "c"),
            (3, 5, 0, "invoke_agent", [310, 600], "c"),
        ];
        assert_eq!(adopted(&chain), [(1, 0, "conversation"), (2, 1, "conversation")]);
        // A second tool of the first agent may have begun the other one as well.
        let other = (1, 6, 1, "execute_tool", [220, 850], "c");
        assert_eq!(adopted(&[&chain[..], &[other]].concat()), []);
    }

    #[test]
    fn an_id_that_very_many_share_costs_no_more_than_a_look_at_each() {
        const MANY: u64 = 100_000;
        let agents = |end: fn(u64) -> u64| {
            let agent = |n: u64| Span {
                trace_id: u128::from(n).to_be_bytes().to_vec(),
                span_id: n.to_be_bytes().to_vec(),
                ..span(&(1, 1, 0, "invoke_agent", [2 * n, end(n)], "c"))
            };
            found((1..=MANY).map(agent).collect())
        };
        assert_eq!(agents(|_| 3 * MANY), [(1, 0, "conversation")], "only the first two can mean nobody else");
        assert_eq!(agents(|n| 2 * n + 1), []);
    }

    #[test]
    fn what_could_belong_to_two_belongs_to_none() {
        let spans = [
            (1, 1, 0, "invoke_agent", [100, 900], "c"),
            (1, 2, 1, "execute_tool", [200, 500], "c"),
            (1, 3, 1, "execute_tool", [210, 600], "c"),
            (2, 4, 0, "invoke_agent", [250, 300], "c"),
        ];
        assert_eq!(adopted(&spans), []);
        let spans = [
            (1, 1, 0, "invoke_agent", [100, 900], "c"),
            (3, 2, 0, "invoke_agent", [110, 800], "c"),
            (2, 4, 0, "invoke_agent", [250, 300], "c"),
        ];
        assert!(adopted(&spans).iter().all(|(guest, ..)| *guest != 2));
    }
}
