//! Makes up what an agent does, step by step.
//!
//! Comes in: a scenario, an agent and its model. Goes out: a run whose prompts hold what was said before, and are summarised before
//! they are several times what they began with.

use super::failure::{Failure, Trouble, failure};
use super::fault::Fault;
use super::plan::Scenario;
use super::plot::{MILLI, Mishap, Plot};
use super::plot_tool::Retry;
use super::sheet::Word;
use super::story::{Attempt, Call, Ending, Run, Step, ToolUse};
use super::words::{Model, Persona, findings, question};

/// What a run is: its scenario, how many agents are above it, how it ends.
pub(super) type Frame = (Scenario, u32, Ending);

/// A step that is to be made up.
struct Round {
    scenario: Scenario,
    model: &'static Model,
    depth: u32,
    round: u32,
    last: bool,
    failing: bool,
    ending: Ending,
    /// Tokens of its prompt, and how many of them were in the one before.
    prompt: u64,
    before: u64,
}

/// Bytes that a model says beside calling tools.
const REMARK: u64 = 16 << 10;

impl Plot<'_> {
    /// Makes up a run.
    pub(super) fn run(
        &mut self,
        (scenario, depth, ending): Frame,
        persona: &'static Persona,
        model: &'static Model,
    ) -> Run {
        let mark = self.sheet.mark();
        let chance = &mut self.chance;
        self.sheet.write(|out| question(chance, out));
        let asked = self.sheet.since(mark);
        let (agent, id) = (self.person("agent-", 24), self.sheet.uuid("run-"));
        let mut run = Run { persona, model, agent, id, question: asked, steps: Vec::new() };
        if matches!(ending, Ending::Refused(_) | Ending::Unrouted | Ending::Crashed) {
            return run;
        }
        // What an agent calls is its own affair.
        let called = std::mem::take(&mut self.called);
        let rounds = self.rounds(scenario, depth, ending);
        // What every prompt begins with: the system's words, memory and the tools.
        let base = 2_800 + (self.plan.payload / 8).min(6_000) + self.chance.below(900);
        let mut prompt = base + bytes(asked) / 4;
        let (first, mut before) = (prompt, 0);
        let failing = self.failing_round(rounds, depth);
        for round in 0..rounds {
            let summary = (prompt > 3 * first).then(|| self.summary(model, prompt.min(2 * first)));
            if let Some(summary) = &summary {
                (prompt, before) = (base + summary.output, base);
            }
            let last = round + 1 == rounds;
            let failing = failing == Some(round);
            let at = Round { scenario, model, depth, round, last, failing, ending, prompt, before };
            let step = self.step(&at, summary);
            before = prompt;
            prompt += step.call.output + step.tools.iter().map(|tool| bytes(tool.kept) / 4).sum::<u64>();
            run.steps.push(step);
        }
        self.called = called;
        self.finish(&mut run, depth, base, ending);
        run
    }

    fn rounds(&mut self, scenario: Scenario, depth: u32, ending: Ending) -> u32 {
        let natural = match scenario {
            Scenario::Chat => 1,
            Scenario::Tools | Scenario::Errors => self.chance.within(2, 4),
            Scenario::Background | Scenario::MultiAgent if depth == 0 => self.chance.within(2, 3),
            Scenario::Cancel => 3,
            _ => 2,
        };
        let natural = u32::try_from(natural).unwrap_or(2);
        let rounds = if depth == 0 { self.plan.steps.unwrap_or(natural) } else { natural.min(2) };
        let at_least = if matches!(ending, Ending::Stopped | Ending::Cut { .. }) { 2 } else { 1 };
        rounds.max(at_least)
    }

    /// The step in which a tool fails.
    fn failing_round(&mut self, rounds: u32, depth: u32) -> Option<u32> {
        let wanted = self.mishap == Some(Mishap::Tool) && depth == 0 && rounds > 1;
        wanted.then(|| u32::try_from(self.chance.below(u64::from(rounds - 1))).unwrap_or(0))
    }

    fn step(&mut self, at: &Round, summary: Option<Call>) -> Step {
        let Round { scenario, model, depth, round, last, failing, ending, prompt, before } = *at;
        let id = self.sheet.uuid("step-");
        let breaks = last && depth == 0;
        let attempts = match ending {
            Ending::Broken(failure) if breaks => self.attempts(failure, 2),
            _ if self.mishap == Some(Mishap::Call) && depth == 0 && round == 0 => {
                self.attempts(failure(model.provider, Trouble::RateLimit), 1)
            }
            _ => Vec::new(),
        };
        // A task is cancelled inside a tool: the last step needs one then.
        let cut = breaks && matches!(ending, Ending::Cut { .. });
        let calls = !last || cut;
        let pause = self.retry.as_ref().filter(|_| calls && depth == 0).map_or(0, Retry::pause);
        let tools = if calls { self.tools((scenario, depth), model, round, failing) } else { Vec::new() };
        let call = self.call(model, last, &tools, prompt, before);
        Step { id, pause, summary, attempts, call, tools }
    }

    /// Calls that fail, each after a longer pause than the one before.
    pub(super) fn attempts(&mut self, failure: &'static Failure, count: u32) -> Vec<Attempt> {
        let storm = self.hits.has(Fault::RetryWithoutBackoff);
        let pause = |at: u32, jitter: u64| if storm { 20 * MILLI } else { ((800 + jitter) * MILLI) << (at * 2) };
        (0..count)
            .map(|at| {
                let jitter = self.chance.below(200);
                Attempt { failure, took: self.chance.lasting(60 * MILLI), pause: pause(at, jitter) }
            })
            .collect()
    }

    pub(super) fn call(
        &mut self,
        model: &'static Model,
        last: bool,
        tools: &[ToolUse],
        input: u64,
        before: u64,
    ) -> Call {
        let asked: u64 = tools.iter().map(|tool| 12 + bytes(tool.json) / 4).sum();
        let size = if last { self.plan.payload } else { (self.plan.payload / 6).min(REMARK) };
        // The provider remembers whole blocks of what it has read before.
        Call { input, cached: before / 128 * 128, ..self.say(model, size, asked) }
    }

    /// A call that sums up what has been said, in a few sentences.
    fn summary(&mut self, model: &'static Model, input: u64) -> Call {
        let size = self.plan.payload.clamp(200, 1_600);
        Call { input, ..self.say(model, size, 0) }
    }

    /// An answer of about so many bytes, and so many tokens besides.
    fn say(&mut self, model: &'static Model, size: u64, besides: u64) -> Call {
        let mark = self.sheet.mark();
        let chance = &mut self.chance;
        let length = size - size / 4 + chance.below(size / 4 + 1);
        self.sheet.write(|out| findings(chance, length, out));
        let text = self.sheet.since(mark);
        let reasoning = if model.provider == "openai" { 0 } else { self.chance.below(160) };
        let output = bytes(text) / 4 + reasoning + besides + 4;
        let first = self.chance.lasting(model.first);
        let took = first + self.chance.lasting(model.each) * output.min(4_000);
        let id = self.sheet.token(model.answer);
        let most = output.next_power_of_two().max(4_096);
        Call { took, first, input: 0, cached: 0, output, reasoning, most, text, id }
    }
}

/// Bytes of a word.
pub(super) fn bytes(word: Word) -> u64 {
    match word {
        Word::Fixed(text) => text.len() as u64,
        Word::Made { bytes, .. } => u64::from(bytes),
    }
}
