//! Which messages of a call were said before: every call to a model repeats its history.
//!
//! Comes in: the messages of one call after another. Goes out: for each whether it is new. Runs of several agents are kept apart:
//! a call goes on with the thread that shares most with it.

use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::HashMap;

use crate::agent::{Message, Part, Speaker, ToolCall};

/// More threads than this are not kept: the oldest is forgotten.
const THREADS: usize = 32;

/// What is known of a message of a call's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is new.
    New,
    /// An earlier call of the thread has shown it.
    Shown,
    /// It says nothing that could be shown.
    Silent,
}

/// The threads of a run.
#[derive(Default)]
pub(super) struct Threads {
    threads: Vec<Thread>,
}

#[derive(Default)]
struct Thread {
    length: usize,
    places: HashMap<u64, Vec<usize>>,
}

impl Thread {
    fn say(&mut self, key: u64) {
        self.places.entry(key).or_default().push(self.length);
        self.length += 1;
    }

    /// Which of these it has said, in its order.
    fn said(&self, keys: &[Option<u64>]) -> Vec<Known> {
        let mut from = 0;
        let known = keys.iter().map(|key| {
            let Some(key) = key else { return Known::Silent };
            let places = self.places.get(key).map(Vec::as_slice).unwrap_or_default();
            let Some(place) = places.get(places.partition_point(|place| *place < from)) else { return Known::New };
            from = place + 1;
            Known::Shown
        });
        known.collect()
    }
}

impl Threads {
    /// What is known of the messages of a call's input; the thread goes on with what is new.
    pub(super) fn known(&mut self, input: &[Message], output: &[Message]) -> Vec<Known> {
        let keys: Vec<Option<u64>> = input.iter().map(key).collect();
        let shared = |known: &[Known]| known.iter().filter(|known| **known == Known::Shown).count();
        let best = self.threads.iter().map(|thread| thread.said(&keys)).enumerate();
        let best = best.max_by_key(|(at, known)| (shared(known), *at));
        let (mut thread, known) = match best.filter(|(_, known)| shared(known) > 0) {
            Some((at, known)) => (self.threads.remove(at), known),
            None => (Thread::default(), Thread::default().said(&keys)),
        };
        let new = keys.iter().zip(&known).filter(|(_, known)| **known == Known::New).filter_map(|(key, _)| *key);
        new.for_each(|key| thread.say(key));
        for message in output {
            key(message).into_iter().for_each(|key| thread.say(key));
            // Calls of one answer may come back as one message each.
            let single = message.calls().filter(|_| message.parts.len() > 1);
            single.for_each(|call| thread.say(key_of_call(message.speaker, call)));
        }
        if self.threads.len() >= THREADS {
            self.threads.remove(0);
        }
        self.threads.push(thread);
        known
    }
}

/// What a message says, whatever form it is in; `None` where it says nothing. An answer comes back in the next input without what
/// only the answer had (reasoning, ids), so its words alone count, and its calls where it has none.
fn key(message: &Message) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    message.speaker.hash(&mut hasher);
    let mut said = false;
    for part in &message.parts {
        let text = match part {
            Part::Text(text) | Part::Other(text) => text.trim(),
            Part::Result(result) => result.result.trim(),
            Part::Media(media) => media.kind.as_str(),
            Part::Reasoning(_) | Part::Call(_) => "",
        };
        if !text.is_empty() {
            said = true;
            text.hash(&mut hasher);
        }
    }
    if !said {
        for call in message.calls() {
            said = true;
            hash_call(call, &mut hasher);
        }
    }
    said.then(|| hasher.finish())
}

/// What a message says that consists of this call alone.
fn key_of_call(speaker: Speaker, call: &ToolCall) -> u64 {
    let mut hasher = DefaultHasher::new();
    speaker.hash(&mut hasher);
    hash_call(call, &mut hasher);
    hasher.finish()
}

fn hash_call(call: &ToolCall, hasher: &mut DefaultHasher) {
    call.name.hash(hasher);
    match &call.values {
        Some(values) => values.to_string().hash(hasher),
        None => call.arguments.hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use super::Known::{New, Shown, Silent};
    use super::*;

    fn texts(texts: &[&str]) -> Vec<Message> {
        let speaker = |at: usize| if at.is_multiple_of(2) { Speaker::User } else { Speaker::Assistant };
        texts.iter().enumerate().map(|(at, text)| Message::text(speaker(at), *text)).collect()
    }

    #[test]
    fn history_is_known_and_repeats_within_it_are_not() {
        let mut threads = Threads::default();
        let answer = |text| [Message::text(Speaker::Assistant, text)];
        assert_eq!(threads.known(&texts(&["hi"]), &answer("ho")), [New]);
        assert_eq!(threads.known(&texts(&["hi", "ho ", "hi"]), &answer("ho")), [Shown, Shown, New]);
        assert_eq!(threads.known(&texts(&["hi", "ho", "hi", "ho", "hi"]), &[]), [Shown, Shown, Shown, Shown, New]);
    }

    #[test]
    fn what_says_nothing_was_not_shown() {
        let mut threads = Threads::default();
        assert_eq!(threads.known(&texts(&["", "hi"]), &[]), [Silent, New]);
        assert_eq!(threads.known(&texts(&[" ", "", "new"]), &[]), [Silent, Silent, New]);
        assert_eq!(threads.known(&texts(&["hi", ""]), &[]), [New, Silent]);
    }

    #[test]
    fn calls_of_one_answer_are_known_when_they_come_back_one_by_one() {
        let call = |at: usize| {
            let [id, arguments] = [format!("c{at}"), format!("{{\"n\":{at}}}")];
            let values = serde_json::from_str(&arguments).ok();
            Part::Call(ToolCall { id: Some(id), name: "f".to_owned(), arguments, values, hosted: false })
        };
        let answer = |parts: Vec<Part>| Message { speaker: Speaker::Assistant, parts, ..Message::default() };
        // So many that a copy of the whole answer for each would take minutes.
        let all: Vec<Part> = (0..20_000).map(call).collect();
        let mut threads = Threads::default();
        threads.known(&texts(&["go"]), &[answer(all.clone())]);
        let mut back = texts(&["go"]);
        back.extend(all.into_iter().map(|call| answer(vec![call])));
        assert!(threads.known(&back, &[]).into_iter().all(|known| known == Shown));
    }

    #[test]
    fn agents_have_threads_of_their_own() {
        let mut threads = Threads::default();
        threads.known(&texts(&["plan", "a"]), &[]);
        threads.known(&texts(&["search", "b"]), &[]);
        assert_eq!(threads.known(&texts(&["plan", "a", "c"]), &[]), [Shown, Shown, New]);
        assert_eq!(threads.known(&texts(&["search", "b", "c"]), &[]), [Shown, Shown, New]);
        for n in 0..100 {
            assert_eq!(threads.known(&texts(&[&format!("new {n}")]), &[]), [New]);
        }
        assert_eq!(threads.threads.len(), THREADS);
    }
}
