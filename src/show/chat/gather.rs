//! Finds the spans of a run that say something, and makes one conversation of them.
//!
//! Comes in: a capture and a span or a trace. Goes out: a [`Chat`]. Of calls inside calls, as frameworks and clients record the
//! same one, the outermost that says something speaks.

use hashbrown::HashMap;

use super::pair::{Pairs, ToolSpan};
use super::report::{Bit, Brought, Chat, ChatCall, Said, safe};
use super::thread::{Known, Threads};
use crate::agent::{Convention, Conversation, Piece, Role, act, has_act, how_to_capture, messages};
use crate::agent::{Speaker, flaw_of_json, python_json};
use crate::capture::{Capture, SpanRef};
use crate::forest::{Forest, Tree};
use crate::input::InputError;
use crate::ledger::{Account, Prices};
use crate::model::Outcome;
use crate::otlp::{RawSpan, Text};
use crate::query::{Filter, ended};

/// At most this many spans are read, and this many bytes of them.
const SPANS: usize = 20_000;
const BYTES: u64 = 128 << 20;

/// A span that takes part.
#[derive(Default)]
struct Voice {
    node: usize,
    start: u64,
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
    let mut calls = assemble(speakers, &mut tools);
    let duration_ns = duration(&calls, &tools);
    let before = place_unspoken(&mut calls, tools);
    let without_content = calls.iter().filter(|call| !call.captured).count();
    let hint = (without_content > 0).then(|| how_to_capture(convention.unwrap_or_default()));
    let trace_id = tree.id().to_string();
    Ok(Chat {
        schema: 1,
        trace_id,
        duration_ns,
        calls,
        tools: before,
        without_content,
        how_to_capture: hint,
        spans_left_out,
    })
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
        (self.role, self.start) = (head.marks.role(), head.start);
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
                cancelled: ended(head) == Outcome::Cancelled,
                span_id: Some(head.id.to_string()),
                duration_ns: Some(head.duration().0),
            };
            let arguments = tool.arguments.as_deref().unwrap_or_default();
            let python = python_json(arguments);
            // Plain text is no JSON either, and none that was broken.
            let looks = arguments.trim_start().starts_with(['{', '[']);
            let broken = looks && python.is_none() && flaw_of_json(arguments).is_some();
            let arguments = safe(&python.unwrap_or_else(|| arguments.to_owned()));
            self.tool = Some(ToolSpan { start: head.start, arguments, broken, brought, used: false });
        }
        let ended = match ended(head) {
            Outcome::Ok if act.failed == Some(true) => Outcome::Error,
            ended => ended,
        };
        let failed = matches!(ended, Outcome::Error | Outcome::Cancelled);
        let message = || Some(message(raw, &act.error_type)).filter(|text| !text.is_empty());
        self.said = messages(raw, self.role).filter(|said| !said.is_silent() || !said.defects.is_empty());
        self.call = ChatCall {
            span_id: head.id.to_string(),
            name: safe(capture.name(span)),
            service: capture.service(span).to_owned(),
            role: self.role.map(Role::name),
            convention: act.convention.name(),
            provider: safe(&act.provider),
            model: safe(act.model()),
            outcome: ended.name(),
            error_type: if failed { safe(&act.error_type) } else { String::new() },
            error_message: if failed {
                safe(&message().unwrap_or_else(|| act.error.clone().into_owned()))
            } else {
                String::new()
            },
            start_unix_nano: head.start.to_string(),
            duration_ns: head.duration().0,
            input_tokens: act.tokens.input,
            output_tokens: act.tokens.output,
            first_token_ns: act.first_token,
            finish_reasons: act.finish_reasons.iter().map(|reason| safe(reason)).collect(),
            ..ChatCall::default()
        };
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

/// What a span says went wrong with it: its last exception, or else its status, without the type before it.
fn message(raw: &RawSpan<'_>, kind: &str) -> String {
    let exception = raw.events.iter().rev().find(|event| event.name.is("exception"));
    let attributes = exception.map(|event| raw.pooled(&event.attributes)).unwrap_or_default();
    let said = attributes.iter().rev().find(|attribute| attribute.key.is("exception.message"));
    let said = said.and_then(|attribute| attribute.value.text()).filter(|text| !text.is_empty());
    let text = said.unwrap_or(raw.message).decode();
    let short = kind.rsplit(['.', ':']).next().unwrap_or(kind);
    let rest = text.strip_prefix(short).and_then(|rest| rest.strip_prefix(": "));
    rest.filter(|_| !short.is_empty()).unwrap_or(&text).to_owned()
}

/// The places of the calls to models, by their start.
fn by_start(voices: &[Voice]) -> Vec<(u64, usize)> {
    let calls = voices.iter().enumerate().filter(|(_, voice)| voice.role == Some(Role::Llm));
    let mut calls: Vec<(u64, usize)> = calls.map(|(at, voice)| (voice.start, at)).collect();
    calls.sort_unstable();
    calls
}

/// Letta records request and answer on a span that follows the call: they are one.
fn join_payloads(tree: &Tree, voices: &mut [Voice]) {
    let mut siblings: HashMap<Option<usize>, Vec<(u64, usize)>> = HashMap::new();
    for (start, at) in by_start(voices) {
        let parent = voices.get(at).and_then(|voice| tree.parent(voice.node));
        siblings.entry(parent).or_default().push((start, at));
    }
    for at in 0..voices.len() {
        let Some(payload) = voices.get(at).filter(|voice| voice.piece == Some(Piece::Payloads)) else { continue };
        let (parent, start) = (tree.parent(payload.node), payload.start);
        let calls = siblings.get(&parent).map(Vec::as_slice).unwrap_or_default();
        let before = calls.partition_point(|(other, _)| *other <= start).checked_sub(1);
        let Some((_, target)) = before.and_then(|before| calls.get(before)) else { continue };
        let Some(payload) = voices.get_mut(at) else { continue };
        payload.gone = true;
        let (said, told) = (payload.said.take(), std::mem::take(&mut payload.call));
        if let Some(call) = voices.get_mut(*target) {
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

/// Of calls inside calls the outermost that says something stays, of a tool that was recorded twice the outer record.
fn keep_outermost(tree: &Tree, voices: &mut [Voice]) {
    // The voices stand in the order of the tree: what is inside a span follows it directly.
    let speaks = |voice: &Voice| voice.role == Some(Role::Llm) && voice.said.is_some();
    let speaking: Vec<usize> = voices.iter().filter(|voice| speaks(voice)).map(|voice| voice.node).collect();
    let inner_speaks = |node: usize, end: usize| {
        speaking.get(speaking.partition_point(|other| *other <= node)).is_some_and(|next| *next < end)
    };
    // The outermost call that a voice may be inside of, and the tools, each with the end of its subtree.
    let mut call: Option<(usize, usize)> = None;
    let mut tools: Vec<(usize, usize)> = Vec::new();
    for at in 0..voices.len() {
        let (before, rest) = voices.split_at_mut(at);
        let Some(voice) = rest.first_mut().filter(|voice| !voice.gone) else { continue };
        let (node, end) = (voice.node, tree.after(voice.node));
        while tools.pop_if(|(_, end)| *end <= node).is_some() {}
        let outer = tools.last().and_then(|(outer, _)| before.get_mut(*outer)?.tool.as_mut());
        match (outer, voice.tool.take()) {
            (Some(outer), Some(inner)) if outer.is_same(&inner) => outer.learn(inner),
            (_, inner) => {
                voice.tool = inner;
                tools.extend(voice.tool.as_ref().map(|_| (at, end)));
            }
        }
        if voice.role != Some(Role::Llm) {
            continue;
        }
        match call.filter(|(_, end)| node < *end) {
            Some((outer, _)) => {
                voice.gone = true;
                let told = std::mem::take(&mut voice.call);
                before.get_mut(outer).into_iter().for_each(|outer| outer.learn(&told));
            }
            None if !speaks(voice) && inner_speaks(node, end) => voice.gone = true,
            None => call = Some((at, end)),
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
    // Agents around a voice, the innermost last.
    let (mut around, mut coming): (Vec<&(usize, usize, String)>, _) = (Vec::new(), agents.iter().peekable());
    for voice in &mut speakers {
        while let Some(agent) = coming.next_if(|(from, ..)| *from <= voice.node) {
            around.push(agent);
        }
        while around.pop_if(|(_, to, _)| *to <= voice.node).is_some() {}
        voice.call.agent = around.last().map(|(_, _, name)| name.clone()).unwrap_or_default();
    }
    speakers.sort_by_key(|voice| (voice.start, voice.node));
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
        call.repeated = known.iter().filter(|known| **known == Known::Shown).count();
        calls.push(call);
        let new =
            said.input.into_iter().zip(known).filter(|(_, known)| *known == Known::New).map(|(message, _)| message);
        let input = new.map(|message| (message, "input"));
        for (message, direction) in input.chain(said.output.into_iter().map(|message| (message, "output"))) {
            let Some(left) = pairs.answer(message, &mut calls) else { continue };
            let said = Said::of(&left, direction);
            let Some(call) = calls.get_mut(turn) else { continue };
            pairs.ask(turn, call.messages.len(), &said);
            call.messages.push(said);
        }
    }
    pairs.close(&mut calls, tools);
    calls
}

/// Tools that no message speaks of are put behind the call that was made before them; those that ran before any are returned.
fn place_unspoken(calls: &mut [ChatCall], tools: Vec<ToolSpan>) -> Vec<Said> {
    let starts: Vec<u64> = calls.iter().map(ChatCall::start).collect();
    let mut before = Vec::new();
    for ToolSpan { start, arguments, broken, brought, .. } in tools.into_iter().filter(|tool| !tool.used) {
        let (id, name) = (brought.id.clone(), brought.name.clone().unwrap_or_default());
        let parts = vec![Bit::ToolCall { id, name, arguments, broken, result: Some(brought) }];
        let said = Said { direction: "span", speaker: Speaker::Assistant, role: String::new(), name: None, parts };
        let call = starts.partition_point(|other| *other <= start).checked_sub(1);
        match call.and_then(|at| calls.get_mut(at)) {
            Some(call) => call.messages.push(said),
            None => before.push(said),
        }
    }
    before
}

/// From the first start to the last end.
fn duration(calls: &[ChatCall], tools: &[ToolSpan]) -> u64 {
    let tool = |tool: &ToolSpan| (tool.start, tool.start.saturating_add(tool.brought.duration_ns.unwrap_or(0)));
    let times = || calls.iter().map(|call| (call.start(), call.end())).chain(tools.iter().map(tool));
    let first = times().map(|(start, _)| start).filter(|start| *start != 0).min().unwrap_or(0);
    times().map(|(_, end)| end).max().unwrap_or(0).saturating_sub(first)
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

    /// How many tools were called, asked for or not.
    pub fn tool_calls(&self) -> usize {
        let said = self.calls.iter().flat_map(|call| &call.messages).chain(&self.tools);
        said.flat_map(|said| &said.parts).filter(|bit| matches!(bit, Bit::ToolCall { .. })).count()
    }
}
