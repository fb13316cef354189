//! Finds the spans of a run that say something, and makes one conversation of them.
//!
//! Comes in: a capture and a span or a trace. Goes out: a [`Chat`]. Of calls inside calls, as frameworks and clients record the
//! same one, the outermost that says something speaks.

use super::pair::{Pairs, ToolSpan};
use super::report::{Bit, Brought, Chat, ChatCall, Said, safe};
use super::thread::Threads;
use crate::agent::{Convention, Conversation, Piece, Role, act, has_act, how_to_capture, messages};
use crate::agent::{Speaker, python_json};
use crate::capture::{Capture, SpanRef};
use crate::forest::{Forest, Tree};
use crate::input::InputError;
use crate::ledger::{Account, Prices};
use crate::model::{Nanos, Outcome};
use crate::otlp::{RawSpan, Text};
use crate::query::{Filter, ended};

/// At most this many spans are read, and this many bytes of them.
const SPANS: usize = 20_000;
const BYTES: u64 = 128 << 20;

/// A span that takes part.
#[derive(Default)]
struct Voice {
    node: usize,
    role: Option<Role>,
    piece: Option<Piece>,
    convention: Convention,
    agent: String,
    call: ChatCall,
    said: Option<Conversation>,
    tool: Option<ToolSpan>,
    gone: bool,
}

/// The conversation of a call, or of all that is below an agent or any other span.
pub fn chat_of_span(capture: &Capture, forest: &Forest, span: SpanRef) -> Result<Chat, InputError> {
    let head = capture.head(span);
    let number = forest.traces().position(|trace| trace.id == head.trace).unwrap_or(forest.len());
    let mut tree = Tree::default();
    forest.tree(capture, number, &mut tree);
    let at = tree.nodes().iter().position(|node| node.span == Some(span)).unwrap_or_default();
    let end = tree.after(at);
    chat(capture, &tree, &(at..end).collect::<Vec<_>>())
}

/// The conversation of a trace, as far as its spans pass the filter.
pub fn chat_of_trace(capture: &Capture, forest: &Forest, number: usize, filter: &Filter) -> Result<Chat, InputError> {
    let mut tree = Tree::default();
    forest.tree(capture, number, &mut tree);
    let passes = |span: SpanRef| filter.admits(capture, span, ended(capture.head(span)));
    let nodes = tree.nodes().iter().enumerate().filter(|(_, node)| node.span.is_some_and(passes));
    let nodes: Vec<usize> = nodes.map(|(at, _)| at).collect();
    chat(capture, &tree, &nodes)
}

fn chat(capture: &Capture, tree: &Tree, nodes: &[usize]) -> Result<Chat, InputError> {
    let (mut voices, spans_left_out) = listen(capture, tree, nodes)?;
    join_payloads(tree, &mut voices);
    first_tokens(capture, tree, &mut voices);
    keep_outermost(tree, &mut voices);
    let mut tools: Vec<ToolSpan> = voices.iter_mut().filter_map(|voice| voice.tool.take()).collect();
    tools.sort_by_key(|tool| tool.start);
    let speakers = speakers(tree, &mut voices);
    let convention = speakers.iter().map(|voice| voice.convention).find(|known| *known != Convention::Other);
    let calls = assemble(speakers, &mut tools);
    let without_content = calls.iter().filter(|call| !call.captured).count();
    let hint = (without_content > 0).then(|| how_to_capture(convention.unwrap_or_default()));
    let trace_id = tree.id().to_string();
    Ok(Chat { schema: 1, trace_id, calls, without_content, how_to_capture: hint, spans_left_out })
}

/// Reads the spans that may take part, in the order of the tree.
fn listen(capture: &Capture, tree: &Tree, nodes: &[usize]) -> Result<(Vec<Voice>, usize), InputError> {
    let node_span = |at: &usize| Some((*at, tree.nodes().get(*at)?.span?));
    let takes_part = |(_, span): &(usize, SpanRef)| {
        let name = RawSpan { name: Text::plain(capture.name(*span).as_bytes()), ..RawSpan::default() };
        let role = capture.head(*span).marks.role();
        !matches!(role, Some(Role::Http | Role::Db | Role::Messaging | Role::Rpc)) && has_act(&name, role)
    };
    let wanted: Vec<(usize, SpanRef)> = nodes.iter().filter_map(node_span).filter(takes_part).collect();
    let mut bytes = 0;
    let fits = wanted.iter().take(SPANS).take_while(|(_, span)| {
        bytes += u64::from(capture.head(*span).size);
        bytes <= BYTES
    });
    let kept = fits.count();
    let (wanted, left_out) = wanted.split_at_checked(kept).unwrap_or((&wanted, &[]));
    let spans: Vec<SpanRef> = wanted.iter().map(|(_, span)| *span).collect();
    let mut voices: Vec<Voice> = wanted.iter().map(|(node, _)| Voice { node: *node, ..Voice::default() }).collect();
    capture.again(&spans, &mut |number, raw| {
        if let (Some(voice), Some(span)) = (voices.get_mut(number), spans.get(number)) {
            voice.read(capture, *span, raw);
        }
    })?;
    Ok((voices, left_out.len()))
}

impl Voice {
    fn read(&mut self, capture: &Capture, span: SpanRef, raw: &RawSpan<'_>) {
        let head = capture.head(span);
        self.role = head.marks.role();
        let Some(act) = act(raw, self.role) else { return };
        (self.piece, self.convention) = (act.piece, act.convention);
        self.agent = safe(&act.agent.name);
        let text = |text: &str| Some(safe(text)).filter(|text| !text.is_empty());
        if let Some(tool) = &act.tool {
            let failed = tool.failed.or((ended(head) == Outcome::Error).then_some(true));
            let result = tool.result.as_deref().map(safe).or_else(|| text(&tool.error));
            let brought = Brought {
                id: text(&tool.call_id),
                name: text(&tool.name),
                result,
                failed,
                span_id: Some(head.id.to_string()),
                duration_ns: Some(head.duration().0),
            };
            let arguments = tool.arguments.as_deref().unwrap_or_default();
            let arguments = safe(&python_json(arguments).unwrap_or_else(|| arguments.to_owned()));
            self.tool = Some(ToolSpan { start: head.start, arguments, brought, used: false });
        }
        self.said = messages(raw, self.role).filter(|said| !said.is_silent() || !said.defects.is_empty());
        self.call = ChatCall {
            span_id: head.id.to_string(),
            name: safe(capture.name(span)),
            service: capture.service(span).to_owned(),
            role: self.role.map(Role::name),
            convention: act.convention.name(),
            provider: safe(&act.provider),
            model: safe(act.model()),
            outcome: ended(head).name(),
            start_unix_nano: head.start.to_string(),
            duration_ns: head.duration().0,
            input_tokens: act.tokens.input,
            output_tokens: act.tokens.output,
            first_token_ns: act.first_token,
            finish_reasons: act.finish_reasons.iter().map(|reason| safe(reason)).collect(),
            ..ChatCall::default()
        };
    }

    fn start(&self) -> u64 {
        self.call.start_unix_nano.parse().unwrap_or(0)
    }

    /// Takes over what another record of the same call says and this one does not.
    fn learn(&mut self, other: &ChatCall) {
        let fill = |mine: &mut String, theirs: &String| {
            if mine.is_empty() {
                mine.clone_from(theirs);
            }
        };
        fill(&mut self.call.model, &other.model);
        fill(&mut self.call.provider, &other.provider);
        self.call.input_tokens = self.call.input_tokens.or(other.input_tokens);
        self.call.output_tokens = self.call.output_tokens.or(other.output_tokens);
        self.call.first_token_ns = self.call.first_token_ns.or(other.first_token_ns);
        if self.call.finish_reasons.is_empty() {
            self.call.finish_reasons.clone_from(&other.finish_reasons);
        }
    }
}

/// Letta records request and answer on a span that follows the call: they are one.
fn join_payloads(tree: &Tree, voices: &mut [Voice]) {
    for at in 0..voices.len() {
        let Some(payload) = voices.get(at).filter(|voice| voice.piece == Some(Piece::Payloads)) else { continue };
        let (parent, start) = (tree.parent(payload.node), payload.start());
        let before = |voice: &&Voice| voice.role == Some(Role::Llm) && voice.start() <= start;
        let siblings = |voice: &&Voice| tree.parent(voice.node) == parent;
        let call =
            voices.iter().filter(siblings).filter(before).max_by_key(|voice| voice.start()).map(|voice| voice.node);
        let Some(target) = voices.iter().position(|voice| Some(voice.node) == call) else { continue };
        let Some(payload) = voices.get_mut(at) else { continue };
        payload.gone = true;
        let (said, told) = (payload.said.take(), payload.call.clone());
        if let Some(call) = voices.get_mut(target) {
            call.said = said.or(call.said.take());
            call.learn(&told);
        }
    }
}

/// Not every convention records the time to the first token on the span of the call.
fn first_tokens(capture: &Capture, tree: &Tree, voices: &mut [Voice]) {
    let account = Account::of(capture, tree, &Prices::default());
    for voice in voices.iter_mut().filter(|voice| voice.role == Some(Role::Llm)) {
        let told = account.call(voice.node).and_then(|(call, counted)| call.first_token.filter(|_| counted));
        voice.call.first_token_ns = voice.call.first_token_ns.or(told);
    }
}

/// Of calls and tools inside their like, the outermost stays; of calls the outermost that says something.
fn keep_outermost(tree: &Tree, voices: &mut [Voice]) {
    // The voices stand in the order of the tree: what is inside a span follows it directly.
    for at in 0..voices.len() {
        let Some(outer) = voices.get(at).filter(|voice| !voice.gone) else { continue };
        let (is_call, is_tool) = (outer.role == Some(Role::Llm), outer.tool.is_some());
        let (end, speaks) = (tree.after(outer.node), outer.said.is_some());
        let inside = |voice: &Voice| voice.node < end;
        let rest = voices.get(at + 1..).unwrap_or_default();
        let inner: Vec<usize> = (at + 1..).zip(rest).take_while(|(_, voice)| inside(voice)).map(|(at, _)| at).collect();
        let inner_speaks = inner
            .iter()
            .any(|at| voices.get(*at).is_some_and(|voice| voice.role == Some(Role::Llm) && voice.said.is_some()));
        if is_call && !speaks && inner_speaks {
            voices.get_mut(at).into_iter().for_each(|voice| voice.gone = true);
            continue;
        }
        for inner in inner {
            let Some(voice) = voices.get_mut(inner) else { continue };
            if is_tool && voice.tool.is_some() && voice.role != Some(Role::Mcp) {
                voice.tool = None;
            }
            if is_call && voice.role == Some(Role::Llm) {
                voice.gone = true;
                let told = voice.call.clone();
                voices.get_mut(at).into_iter().for_each(|outer| outer.learn(&told));
            }
        }
    }
}

/// Who speaks, by start: the calls to models; where none of them says anything, the outermost agents and workflows that do.
fn speakers(tree: &Tree, voices: &mut Vec<Voice>) -> Vec<Voice> {
    let agents: Vec<(usize, usize, String)> = (voices.iter())
        .filter(|voice| voice.role == Some(Role::Agent) && !voice.agent.is_empty())
        .map(|voice| (voice.node, tree.after(voice.node), voice.agent.clone()))
        .collect();
    let is_call =
        |voice: &Voice| !voice.gone && (voice.role == Some(Role::Llm) || voice.piece == Some(Piece::Payloads));
    let speaks = |voice: &Voice| voice.said.is_some();
    let calls_speak = voices.iter().any(|voice| is_call(voice) && speaks(voice));
    let others_speak = voices.iter().any(|voice| !is_call(voice) && !voice.gone && speaks(voice));
    let mut end = 0;
    let mut speakers: Vec<Voice> = std::mem::take(voices)
        .into_iter()
        .filter(|voice| {
            if calls_speak || !others_speak {
                return is_call(voice) && (speaks(voice) || voice.role == Some(Role::Llm));
            }
            let outermost = speaks(voice) && voice.node >= end;
            end = if outermost { tree.after(voice.node) } else { end };
            outermost
        })
        .collect();
    for voice in &mut speakers {
        let around = agents.iter().filter(|(from, to, _)| (*from..*to).contains(&voice.node));
        voice.call.agent = around.max_by_key(|(from, _, _)| *from).map(|(_, _, name)| name.clone()).unwrap_or_default();
    }
    speakers.sort_by_key(|voice| (voice.start(), voice.node));
    speakers
}

fn assemble(speakers: Vec<Voice>, tools: &mut [ToolSpan]) -> Vec<ChatCall> {
    let (mut threads, mut pairs) = (Threads::default(), Pairs::default());
    let mut calls: Vec<ChatCall> = Vec::with_capacity(speakers.len());
    for voice in speakers {
        let turn = calls.len();
        let said = voice.said.unwrap_or_default();
        let mut call = voice.call;
        call.captured = !said.is_silent();
        call.tools = said.tools.iter().map(|tool| safe(&tool.name)).collect();
        call.defects = said.defects.iter().map(ToString::to_string).collect();
        if call.finish_reasons.is_empty() {
            call.finish_reasons = said.output.iter().filter_map(|message| message.finish.clone()).collect();
        }
        let known = threads.known(&said.input, &said.output);
        call.repeated = known.iter().filter(|known| **known).count();
        calls.push(call);
        let new = said.input.iter().zip(&known).filter(|(_, known)| !**known).map(|(message, _)| message);
        let input = new.map(|message| (message, "input"));
        for (message, direction) in input.chain(said.output.iter().map(|message| (message, "output"))) {
            let Some(left) = pairs.answer(message, &mut calls) else { continue };
            let said = Said::of(&left, direction);
            let Some(call) = calls.get_mut(turn) else { continue };
            pairs.ask(turn, call.messages.len(), &said);
            call.messages.push(said);
        }
    }
    pairs.close(&mut calls, tools);
    place_unspoken(&mut calls, tools);
    calls
}

/// Tools that no message speaks of are put behind the call that was made before them.
fn place_unspoken(calls: &mut [ChatCall], tools: &[ToolSpan]) {
    // Where the messages tell of their tools, a tool without one is another matter.
    let told = calls.iter().flat_map(|call| &call.messages).flat_map(|said| &said.parts);
    if told.into_iter().any(|bit| matches!(bit, Bit::ToolCall { .. })) {
        return;
    }
    for tool in tools.iter().filter(|tool| !tool.used) {
        let before = |call: &&mut ChatCall| call.start_unix_nano.parse::<u64>().is_ok_and(|start| start <= tool.start);
        let Some(call) = calls.iter_mut().rev().find(before) else { continue };
        let brought = tool.brought.clone();
        let (id, name) = (brought.id.clone(), brought.name.clone().unwrap_or_default());
        let arguments = tool.arguments.clone();
        let parts = vec![Bit::ToolCall { id, name, arguments, broken: false, result: Some(brought) }];
        let speaker = Speaker::Assistant;
        call.messages.push(Said { direction: "span", speaker, role: String::new(), name: None, parts });
    }
}

impl Chat {
    /// Tokens of all calls: in and out.
    pub fn tokens(&self) -> (Option<u64>, Option<u64>) {
        let sum = |of: fn(&ChatCall) -> Option<u64>| {
            let known: Vec<u64> = self.calls.iter().filter_map(of).collect();
            (!known.is_empty()).then(|| known.iter().fold(0u64, |sum, tokens| sum.saturating_add(*tokens)))
        };
        (sum(|call| call.input_tokens), sum(|call| call.output_tokens))
    }

    /// How many tool calls were asked for.
    pub fn tool_calls(&self) -> usize {
        let parts = self.calls.iter().flat_map(|call| &call.messages).flat_map(|said| &said.parts);
        parts.filter(|bit| matches!(bit, Bit::ToolCall { .. })).count()
    }

    /// From the first start to the last end.
    pub fn duration(&self) -> Nanos {
        let start = |call: &ChatCall| call.start_unix_nano.parse::<u64>().unwrap_or(0);
        let first = self.calls.iter().map(start).min().unwrap_or(0);
        let last = self.calls.iter().map(|call| start(call).saturating_add(call.duration_ns)).max().unwrap_or(0);
        Nanos(last.saturating_sub(first))
    }
}
