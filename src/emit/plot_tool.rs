//! Makes up what tools are given, do and bring.
//!
//! Comes in: a scenario and a step. Goes out: tools that run side by side. No two of them are called in turn over and over, and one
//! that failed is tried again with the same arguments, after a pause that grows.

use super::cast::{MAIL, ORDERS, RATES, SEARCH, VECTORS, WEATHER};
use super::plan::Scenario;
use super::plot::{MILLI, Plot};
use super::plot_run::bytes;
use super::sheet::Word;
use super::story::{Argument, Asked, Ending, Found, Run, ToolUse, Work};
use super::tools::{self, HAND_OFF, TOOLS, Task, ToolKind};
use super::words::{HELPERS, Model, findings};

/// A tool that failed and has to be called again.
#[derive(Clone, Debug)]
pub(super) struct Retry {
    kind: &'static ToolKind,
    arguments: Vec<(&'static str, Argument)>,
    json: Word,
    python: Word,
    id: Word,
    /// How often it has failed.
    failed: u32,
    /// How often it will.
    fails: u32,
    jitter: u64,
}

impl Retry {
    /// How long to wait before it.
    pub(super) fn pause(&self) -> u64 {
        ((900 + self.jitter) * MILLI) << (2 * self.failed.saturating_sub(1))
    }
}

/// Bytes of all results of a step that a model gets to read.
const ROOM: u64 = 48_000;

impl Plot<'_> {
    /// The tools of a step.
    pub(super) fn tools(
        &mut self,
        (scenario, depth): (Scenario, u32),
        model: &'static Model,
        round: u32,
        failing: bool,
    ) -> Vec<ToolUse> {
        let again = if depth == 0 { self.retry.take() } else { None };
        let hand_off = scenario == Scenario::MultiAgent && depth < self.plan.depth && !failing;
        let side_by_side = matches!(scenario, Scenario::Tools | Scenario::MultiAgent) && round == 0;
        let count = if side_by_side { self.chance.within(1, u64::from(self.plan.fanout.max(1))) } else { 1 };
        let room = (ROOM / count).max(1_000);
        let mut all = Vec::new();
        for at in 0..count {
            let kind = match (&again, scenario) {
                (Some(retry), _) if at == 0 => retry.kind,
                _ if hand_off => &HAND_OFF,
                (_, Scenario::Rag) => tools::memory_search(),
                _ => self.pick(),
            };
            self.called.push(kind.task);
            let again = again.as_ref().filter(|_| at == 0);
            let failing = (failing && at == 0) || again.is_some_and(|retry| retry.failed < retry.fails);
            let mut tool = self.tool(kind, (scenario, depth), failing, again);
            tool.call = self.sheet.token(model.tool_call);
            tool.kept = self.sheet.clip(tool.result, room);
            all.push(tool);
            if failing {
                self.try_again(all.last(), again.map_or(0, |retry| retry.failed), again.map(|retry| retry.fails));
            }
        }
        all
    }

    /// Any tool that does not close a circle of calls.
    fn pick(&mut self) -> &'static ToolKind {
        let from = usize::try_from(self.chance.below(TOOLS.len() as u64)).unwrap_or(0);
        let all = TOOLS.iter().cycle().skip(from).take(TOOLS.len());
        let mut open = all.filter(|kind| !closes(&self.called, kind.task));
        open.next().unwrap_or(&TOOLS[0])
    }

    fn try_again(&mut self, tool: Option<&ToolUse>, failed: u32, fails: Option<u32>) {
        let Some(tool) = tool else { return };
        let fails = fails.unwrap_or_else(|| u32::try_from(self.chance.within(1, 2)).unwrap_or(1));
        self.retry = Some(Retry {
            kind: tool.kind,
            arguments: tool.arguments.clone(),
            json: tool.json,
            python: tool.python,
            id: tool.id,
            failed: failed + 1,
            fails,
            jitter: self.chance.below(200),
        });
    }

    /// A tool; the id of its call is up to the model that asks for it.
    pub(super) fn tool(
        &mut self,
        kind: &'static ToolKind,
        (scenario, depth): (Scenario, u32),
        failing: bool,
        again: Option<&Retry>,
    ) -> ToolUse {
        let mut arguments = match again {
            Some(retry) => retry.arguments.clone(),
            None => tools::arguments(kind, &mut self.chance, self.sheet),
        };
        let work = self.work(kind.task, &arguments, (scenario, depth), failing);
        if let Work::Agent(run) = &work {
            let name = Argument::Text(run.persona.name.into());
            arguments = vec![("agent", name), ("task", Argument::Text(run.question))];
        }
        let failed = failing.then(|| self.complaint(kind, &work));
        let result = match (&work, failed) {
            (_, Some(message)) => message,
            (Work::Agent(run), _) => answer(run),
            _ => self.result(kind.task),
        };
        let (json, python, id) = match again {
            Some(retry) => (retry.json, retry.python, retry.id),
            None => {
                let json = tools::json(&arguments, self.sheet);
                (json, tools::python(&arguments, self.sheet), self.sheet.uuid("tool-"))
            }
        };
        let call = Word::default();
        ToolUse { kind, name: kind.name, call, id, arguments, json, python, result, kept: result, failed, work }
    }

    /// What a tool says that fails.
    fn complaint(&mut self, kind: &ToolKind, work: &Work) -> Word {
        match work {
            Work::Http(asked) | Work::Cached { asked, .. } | Work::Search { asked, .. } => match asked.status {
                Some(_) => "HTTPError: 503 Server Error: Service Unavailable".into(),
                None => "ConnectionError: Failed to establish a new connection: Connection refused".into(),
            },
            _ => self.sheet.word(format_args!("ValueError: no result for {}", kind.name)),
        }
    }

    fn result(&mut self, task: Task) -> Word {
        let number = self.chance.within(2, 900);
        match task {
            Task::Weather => self.sheet.word(format_args!("{} degrees, light wind", number % 31)),
            Task::Rate => self.sheet.word(format_args!("1.{number:03}")),
            Task::Code => self.sheet.word(format_args!("{}", number * 4_095)),
            Task::Mail => self.sheet.word(format_args!("sent as number {number}")),
            _ => {
                let mark = self.sheet.mark();
                let (chance, size) = (&mut self.chance, self.plan.payload / 2);
                self.sheet.write(|out| findings(chance, size, out));
                self.sheet.since(mark)
            }
        }
    }

    fn work(
        &mut self,
        task: Task,
        arguments: &[(&'static str, Argument)],
        (scenario, depth): (Scenario, u32),
        failing: bool,
    ) -> Work {
        let number = self.chance.within(1_000, 99_999);
        match task {
            Task::Web => {
                let path = self.sheet.word(format_args!("/v1/search?page={}", number % 9));
                Work::Http(self.asked(SEARCH, path, failing))
            }
            Task::Weather => {
                let path = self.sheet.word(format_args!("/v2/places/{}/forecast", number % 7_000));
                Work::Http(self.asked(WEATHER, path, failing))
            }
            Task::Order => {
                let order = arguments.iter().find_map(|(_, value)| value.number()).unwrap_or(number);
                let path = self.sheet.word(format_args!("/v1/orders/{order}"));
                Work::Http(self.asked(ORDERS, path, failing))
            }
            Task::Mail => Work::Http(self.asked(MAIL, "/v1/messages".into(), failing)),
            Task::Rate => {
                let currency = arguments.iter().find_map(|(_, value)| value.text()).unwrap_or_default();
                let key = self.sheet.join(&["rates:".into(), currency]);
                let path = self.sheet.join(&["/v1/latest/".into(), currency]);
                let asked = self.asked(RATES, path, failing);
                Work::Cached { key, hit: !failing && !number.is_multiple_of(3), asked }
            }
            Task::Memory => {
                let query = arguments.iter().find_map(|(_, value)| value.text()).unwrap_or_default();
                self.search(query, failing)
            }
            Task::Code => Work::Code { took: self.chance.lasting(180 * MILLI) },
            Task::HandOff => Work::Agent(Box::new(self.helper(scenario, depth))),
        }
    }

    /// A request to a service.
    fn asked(&mut self, backend: usize, path: Word, failing: bool) -> Asked {
        let took = self.chance.lasting(90 * MILLI);
        let status = match failing {
            true if self.chance.happens(300_000) => None,
            true => Some(503),
            false => Some(if backend == MAIL { 202 } else { 200 }),
        };
        Asked { backend, path, took, status }
    }

    /// An agent that is handed the work: never one of the name of the agent that hands it on.
    fn helper(&mut self, scenario: Scenario, depth: u32) -> Run {
        let persona = self.chance.pick(&HELPERS).unwrap_or(&HELPERS[0]);
        let others = HELPERS.iter().cycle().skip_while(|helper| helper.name != persona.name);
        let above = self.handing.last().copied();
        let persona = others.take(HELPERS.len()).find(|helper| Some(helper.name) != above).unwrap_or(persona);
        self.handing.push(persona.name);
        let model = self.model();
        let run = self.run((scenario, depth + 1, Ending::Answered), persona, model);
        self.handing.pop();
        run
    }

    fn search(&mut self, query: Word, failing: bool) -> Work {
        let mut score = 930;
        let found = (0..self.chance.within(3, 5)).map(|_| {
            score -= self.chance.within(10, 80);
            let mark = self.sheet.mark();
            let (chance, size) = (&mut self.chance, self.plan.payload / 4);
            self.sheet.write(|out| findings(chance, size, out));
            let text = self.sheet.since(mark);
            Found { id: self.sheet.uuid("passage-"), text, score }
        });
        let found = found.collect();
        Work::Search {
            query,
            embedding: self.chance.lasting(70 * MILLI),
            tokens: 4 + bytes(query) / 4,
            asked: self.asked(VECTORS, "/v1/indexes/passages/query".into(), failing),
            found,
        }
    }
}

fn answer(run: &Run) -> Word {
    run.steps.last().map_or(Word::default(), |step| step.call.text)
}

/// Whether a call would be the last of a round of several that comes for the third time.
fn closes(called: &[Task], next: Task) -> bool {
    let back = |at: usize| {
        if at == 0 { Some(next) } else { called.len().checked_sub(at).and_then(|at| called.get(at)).copied() }
    };
    (2..=5usize).any(|length| {
        let repeats = (0..2 * length).all(|at| back(at).is_some() && back(at) == back(at + length));
        repeats && (1..length).any(|at| back(at) != back(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_not_closed_a_third_time() {
        use Task::{Code, Mail, Web};
        assert!(closes(&[Web, Mail, Web, Mail, Web], Mail));
        assert!(!closes(&[Web, Mail, Web, Mail, Web], Code));
        assert!(!closes(&[Mail, Web, Mail], Web), "twice is not three times");
        assert!(!closes(&[Web, Web, Web, Web, Web], Web), "one tool is no circle");
        assert!(closes(&[Web, Mail, Code, Web, Mail, Code, Web, Mail], Code));
    }
}
