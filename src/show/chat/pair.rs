//! Puts what tools brought beside the calls that asked for it.
//!
//! Comes in: calls and results as messages have them, and the spans of tools. Goes out: each result in its call: by id, and where
//! none is given by name and order. What has no call stays where it is. Every call and every result is looked at a few times,
//! however many there are.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::report::{Bit, Brought, ChatCall, Said, safe};
use crate::agent::{Message, Part, Speaker};

/// A tool's span.
#[derive(Clone, Debug, Default)]
pub(super) struct ToolSpan {
    pub(super) start: u64,
    pub(super) arguments: String,
    /// They were to be JSON, and are none.
    pub(super) broken: bool,
    pub(super) brought: Brought,
    pub(super) used: bool,
}

impl ToolSpan {
    /// Whether a record inside this one is of the same call: by its id, or where one has none by name and arguments.
    pub(super) fn is_same(&self, inner: &Self) -> bool {
        let (own, other) = (&self.brought, &inner.brought);
        if own.id.is_some() && other.id.is_some() {
            return own.id == other.id;
        }
        let named = own.name.is_none() || other.name.is_none() || own.name == other.name;
        let given = self.arguments.is_empty() || inner.arguments.is_empty() || self.arguments == inner.arguments;
        named && given
    }

    /// Takes over what an inner record of the call says and this one does not; whether it failed from whoever says so.
    pub(super) fn learn(&mut self, inner: Self) {
        let (own, other) = (&mut self.brought, inner.brought);
        let failed = own.failed == Some(true) || other.failed == Some(true);
        own.failed = if failed { Some(true) } else { own.failed.or(other.failed) };
        own.id = own.id.take().or(other.id);
        own.name = own.name.take().or(other.name);
        own.result = own.result.take().or(other.result);
        if self.arguments.is_empty() {
            self.arguments = inner.arguments;
        }
    }
}

/// Where a call stands that waits for its result: in which turn, message and part.
struct Open {
    turn: usize,
    message: usize,
    part: usize,
    taken: bool,
}

/// What calls are looked up by.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Id(String),
    Name(String),
    NameWithoutId(String),
    Any,
    AnyWithoutId,
}

/// Calls that wait for their results.
#[derive(Default)]
pub(super) struct Pairs {
    open: Vec<Open>,
    /// Their places in order, those that were taken among them.
    places: HashMap<Key, VecDeque<usize>>,
}

impl Pairs {
    /// Notes the calls of a turn's message that has just been added.
    pub(super) fn ask(&mut self, turn: usize, message: usize, said: &Said) {
        for (part, bit) in said.parts.iter().enumerate() {
            let Bit::ToolCall { id, name, result: None, .. } = bit else { continue };
            let at = self.open.len();
            self.open.push(Open { turn, message, part, taken: false });
            let mut keys = vec![Key::Any, Key::Name(name.clone())];
            match id {
                Some(id) => keys.push(Key::Id(id.clone())),
                None => keys.extend([Key::AnyWithoutId, Key::NameWithoutId(name.clone())]),
            }
            keys.into_iter().for_each(|key| self.places.entry(key).or_default().push_back(at));
        }
    }

    /// Takes the results out of a message and gives them to their calls; what is left is returned.
    pub(super) fn answer(&mut self, mut message: Message, turns: &mut [ChatCall]) -> Option<Message> {
        // A tool that has no more to say than its result.
        let plain = message.speaker == Speaker::Tool && message.parts.len() == 1;
        message.parts.retain(|part| match part {
            Part::Result(result) => !self.give(turns, Brought::of(result)),
            _ => true,
        });
        if let Some(Part::Text(text)) = message.parts.first().filter(|_| plain) {
            let brought = Brought { result: Some(safe(text)), name: message.name.clone(), ..Brought::default() };
            if self.give(turns, brought) {
                return None;
            }
        }
        (!message.parts.is_empty()).then_some(message)
    }

    fn give(&mut self, turns: &mut [ChatCall], brought: Brought) -> bool {
        let keys = match (brought.id.clone(), brought.name.clone()) {
            (Some(id), Some(name)) => vec![Key::Id(id), Key::NameWithoutId(name)],
            (Some(id), None) => vec![Key::Id(id), Key::AnyWithoutId],
            (None, Some(name)) => vec![Key::Name(name)],
            (None, None) => vec![Key::Any],
        };
        let Some(open) = keys.iter().find_map(|key| self.first(key)).and_then(|at| self.open.get_mut(at)) else {
            return false;
        };
        open.taken = true;
        put(turns, open, brought);
        true
    }

    /// The first call of a key that still waits.
    fn first(&mut self, key: &Key) -> Option<usize> {
        let places = self.places.get_mut(key)?;
        while places.front().is_some_and(|at| self.open.get(*at).is_none_or(|open| open.taken)) {
            places.pop_front();
        }
        places.front().copied()
    }

    /// Gives the calls that are still open what the spans of their tools say, and every call its span.
    pub(super) fn close(self, turns: &mut [ChatCall], tools: &mut [ToolSpan]) {
        let mut finder = Finder::of(tools);
        for open in self.open.iter().filter(|open| !open.taken) {
            let Some((id, name, start)) = asked(turns, open) else { continue };
            if let Some(tool) = finder.find(tools, id.as_deref(), &name, start) {
                tool.used = true;
                put(turns, open, tool.brought.clone());
            }
        }
        for turn in turns.iter_mut() {
            let start = turn.start();
            for said in &mut turn.messages {
                let start = if said.direction == "input" { 0 } else { start };
                for bit in &mut said.parts {
                    let Bit::ToolCall { id, name, result: Some(result), .. } = bit else { continue };
                    if result.span_id.is_some() {
                        continue;
                    }
                    if let Some(tool) = finder.find(tools, id.as_deref(), name, start) {
                        tool.used = true;
                        result.span_id.clone_from(&tool.brought.span_id);
                        result.duration_ns = tool.brought.duration_ns;
                        result.failed = result.failed.or(tool.brought.failed);
                    }
                }
            }
        }
    }
}

/// The id and the name of an open call, and the time before which its tool cannot have run: what is only known from a later input
/// may have run at any time.
fn asked(turns: &[ChatCall], open: &Open) -> Option<(Option<String>, String, u64)> {
    let turn = turns.get(open.turn)?;
    let said = turn.messages.get(open.message)?;
    let start = if said.direction == "input" { 0 } else { turn.start() };
    match said.parts.get(open.part)? {
        Bit::ToolCall { id, name, .. } => Some((id.clone(), name.clone(), start)),
        _ => None,
    }
}

fn put(turns: &mut [ChatCall], open: &Open, brought: Brought) {
    let said = turns.get_mut(open.turn).and_then(|turn| turn.messages.get_mut(open.message));
    if let Some(Bit::ToolCall { result, .. }) = said.and_then(|said| said.parts.get_mut(open.part)) {
        *result = Some(brought);
    }
}

/// Finds the spans of tools, which stand in the order of their starts.
struct Finder {
    by_id: HashMap<String, VecDeque<usize>>,
    /// By name: those with an id, and those without.
    by_name: HashMap<(String, bool), Places>,
}

impl Finder {
    fn of(tools: &[ToolSpan]) -> Self {
        let mut finder = Self { by_id: HashMap::new(), by_name: HashMap::new() };
        for (at, tool) in tools.iter().enumerate() {
            let Brought { id, name, .. } = &tool.brought;
            id.iter().for_each(|id| finder.by_id.entry(id.clone()).or_default().push_back(at));
            let named = (name.clone().unwrap_or_default(), id.is_some());
            finder.by_name.entry(named).or_default().push(at);
        }
        finder
    }

    /// The first span of a call's id that is not used yet, or of its name if one of both has no id.
    fn find<'t>(
        &mut self,
        tools: &'t mut [ToolSpan],
        id: Option<&str>,
        name: &str,
        start: u64,
    ) -> Option<&'t mut ToolSpan> {
        let used = |at: usize| tools.get(at).is_none_or(|tool| tool.used);
        let by_id = id.and_then(|id| self.by_id.get_mut(id)).and_then(|places| {
            while places.front().is_some_and(|at| used(*at)) {
                places.pop_front();
            }
            places.front().copied()
        });
        let early = |at: usize| tools.get(at).is_some_and(|tool| tool.start < start);
        let mut named = |with_id: bool| self.by_name.get_mut(&(name.to_owned(), with_id))?.first(early, used);
        let at = by_id.or_else(|| {
            let without = named(false);
            let with = if id.is_none() { named(true) } else { None };
            without.into_iter().chain(with).min()
        })?;
        tools.get_mut(at)
    }
}

/// Places in order, of which those that are used are passed over in one step.
#[derive(Default)]
struct Places {
    places: Vec<usize>,
    /// For each the next one that may be free, where that is not the one behind it.
    next: Vec<usize>,
}

impl Places {
    fn push(&mut self, place: usize) {
        self.places.push(place);
        self.next.push(self.places.len());
    }

    /// The first that is neither too early nor used.
    fn first(&mut self, early: impl Fn(usize) -> bool, used: impl Fn(usize) -> bool) -> Option<usize> {
        let from = self.places.partition_point(|place| early(*place));
        let mut at = from;
        while self.places.get(at).is_some_and(|place| used(*place)) {
            at = self.next.get(at).copied()?;
        }
        let mut walk = from;
        while let Some(next) = self.next.get_mut(walk).filter(|_| walk < at) {
            walk = std::mem::replace(next, at);
        }
        self.places.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::ToolCall;

    fn call(id: Option<&str>, name: &str) -> Part {
        Part::Call(ToolCall { id: id.map(str::to_owned), name: name.to_owned(), ..ToolCall::default() })
    }

    fn tool(start: u64, id: Option<&str>, name: &str) -> ToolSpan {
        let [id, name] = [id, Some(name)].map(|text| text.map(str::to_owned));
        let brought = Brought { id, name, span_id: Some(start.to_string()), ..Brought::default() };
        ToolSpan { start, brought, ..ToolSpan::default() }
    }

    /// The spans that the calls of one answer get, made at 10.
    fn spans(calls: Vec<Part>, mut tools: Vec<ToolSpan>) -> Vec<Option<String>> {
        let said = Said::of(&Message { parts: calls, ..Message::default() }, "output");
        let mut pairs = Pairs::default();
        pairs.ask(0, 0, &said);
        let turn = ChatCall { start_unix_nano: "10".to_owned(), messages: vec![said], ..ChatCall::default() };
        let mut turns = vec![turn];
        pairs.close(&mut turns, &mut tools);
        let result = |bit: &Bit| match bit {
            Bit::ToolCall { result, .. } => result.as_ref().and_then(|result| result.span_id.clone()),
            _ => None,
        };
        turns[0].messages[0].parts.iter().map(result).collect()
    }

    #[test]
    fn calls_get_their_spans_by_id_then_by_name_in_order() {
        let some = |start: &str| Some(start.to_owned());
        let tools =
            || vec![tool(5, None, "f"), tool(11, Some("b"), "f"), tool(12, None, "f"), tool(13, Some("c"), "f")];
        let asked = vec![call(Some("b"), "f"), call(Some("x"), "f"), call(None, "f"), call(None, "f")];
        assert_eq!(spans(asked, tools()), [some("11"), some("12"), some("13"), None]);
        assert_eq!(spans(vec![call(Some("c"), "g"), call(None, "g")], tools()), [some("13"), None]);
    }

    #[test]
    fn many_calls_of_one_answer_are_paired_in_one_go() {
        const MANY: usize = 50_000;
        let asked: Vec<Part> = (0..MANY).map(|_| call(None, "f")).collect();
        let tools = (0..MANY).map(|at| tool(10 + at as u64, None, "f")).collect();
        assert_eq!(spans(asked, tools).iter().flatten().count(), MANY);
        let ids: Vec<String> = (0..MANY).map(|at| at.to_string()).collect();
        let asked = ids.iter().map(|id| call(Some(id), "f")).collect();
        let tools = ids.iter().rev().zip(10..).map(|(id, at)| tool(at, Some(id), "f")).collect();
        let found = spans(asked, tools);
        assert_eq!(found[0], Some((10 + MANY - 1).to_string()));
    }
}
