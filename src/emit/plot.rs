//! Makes up what happens in a request.
//!
//! Comes in: a plan, the number of the request, its chance and its sheet. Goes out: a [`Story`] in which tokens add up, retries
//! wait, and no tool is called twice with the same arguments, unless it failed or a fault asks for that.

use super::chance::{Chance, WHOLE};
use super::failure::{Trouble, failure};
use super::fault::{Fault, Hits};
use super::plan::{Convention, Plan, Scenario};
use super::plot_tool::Retry;
use super::sheet::{Sheet, Word};
use super::story::{Ending, Mode, Run, Story};
use super::tools::Task;
use super::words::{MODELS, Model, PERSONAS};

/// Milliseconds in nanoseconds.
pub(super) const MILLI: u64 = 1_000_000;

/// The scenarios of a mix: the first round in this order, so that a short one has everything.
const ROUND: [Scenario; 8] = [
    Scenario::Tools,
    Scenario::Errors,
    Scenario::Cancel,
    Scenario::Stream,
    Scenario::Rag,
    Scenario::MultiAgent,
    Scenario::Background,
    Scenario::Chat,
];
/// The scenarios of a mix afterwards, by how often they occur.
const WEIGHTS: [Scenario; 16] = [
    Scenario::Tools,
    Scenario::Tools,
    Scenario::Tools,
    Scenario::Chat,
    Scenario::Chat,
    Scenario::Chat,
    Scenario::Stream,
    Scenario::Stream,
    Scenario::Stream,
    Scenario::Rag,
    Scenario::Rag,
    Scenario::MultiAgent,
    Scenario::Background,
    Scenario::Background,
    Scenario::Cancel,
    Scenario::Errors,
];

/// What goes wrong in a run that ends well all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// A tool fails, and is tried again.
    Tool,
    /// The provider refuses a call once.
    Call,
}

/// Makes up stories.
pub(super) struct Plot<'p> {
    pub(super) plan: &'p Plan,
    pub(super) hits: Hits,
    pub(super) chance: Chance,
    pub(super) sheet: &'p mut Sheet,
    /// Requests are told apart by it.
    number: u64,
    /// What goes wrong on the way.
    pub(super) mishap: Option<Mishap>,
    /// Tools that the run has called so far.
    pub(super) called: Vec<Task>,
    /// Agents that work was handed on to, and that may hand it on themselves.
    pub(super) handing: Vec<&'static str>,
    /// The tool that has to be called once more.
    pub(super) retry: Option<Retry>,
    /// Faults that have found something to spoil.
    pub(super) spoilt: Hits,
}

impl<'p> Plot<'p> {
    /// A plot for the request of this number.
    pub(super) fn new(plan: &'p Plan, hits: Hits, number: u64, sheet: &'p mut Sheet) -> Self {
        let chance = Chance::new(plan.seed, number ^ 0x5709);
        Self {
            plan,
            hits,
            chance,
            sheet,
            number,
            mishap: None,
            called: Vec::new(),
            handing: Vec::new(),
            retry: None,
            spoilt: Hits::default(),
        }
    }

    /// Makes one up; and the faults that are in it.
    pub(super) fn story(mut self) -> (Story, Hits) {
        let scenario = self.scenario();
        let mode = self.mode(scenario);
        let model = self.model();
        let ending = self.ending(scenario, mode, model);
        let (user, organization) = (self.person("user-", 40), self.person("org-", 6));
        let (project, conversation) = (self.person("project-", 12), self.sheet.uuid("conv-"));
        let persona = self.chance.pick(&PERSONAS).unwrap_or(&PERSONAS[0]);
        let run = self.run((scenario, 0, ending), persona, model);
        let jobs = match scenario {
            Scenario::Background => (0..self.chance.within(1, 3)).map(|_| self.chance.lasting(600 * MILLI)).collect(),
            _ => Vec::new(),
        };
        // What follows is found in servers like Letta's, as they are.
        let turn = |of: u64, at: u64| self.plan.quirks && self.is_letta() && self.number % of == at;
        let undisturbed = matches!(ending, Ending::Answered) && self.mishap.is_none();
        let story = Story {
            scenario,
            mode,
            ending,
            user,
            organization,
            project,
            conversation,
            run,
            jobs,
            scheduled: scenario == Scenario::Background && self.number % 4 == 3,
            excluded: turn(16, 9) && undisturbed && self.hits.is_empty(),
            sql: !matches!(scenario, Scenario::Tools | Scenario::Chat | Scenario::Stream),
            listed: turn(12, 4) && mode == Mode::Reply && self.plan.errors.is_none(),
            vast: turn(32, 5) && scenario == Scenario::Rag,
        };
        (story, self.spoilt)
    }

    fn is_letta(&self) -> bool {
        self.plan.convention == Convention::Letta
    }

    fn scenario(&mut self) -> Scenario {
        match self.plan.scenario {
            Scenario::Mix => match ROUND.get(usize::try_from(self.number).unwrap_or(usize::MAX)) {
                Some(scenario) => *scenario,
                None => self.chance.pick(&WEIGHTS).copied().unwrap_or_default(),
            },
            scenario => scenario,
        }
    }

    fn mode(&self, scenario: Scenario) -> Mode {
        match scenario {
            Scenario::Stream => Mode::Stream,
            Scenario::Background => Mode::Background,
            Scenario::Cancel if self.number % 2 == 1 => Mode::Stream,
            _ => Mode::Reply,
        }
    }

    /// The model of an agent.
    pub(super) fn model(&mut self) -> &'static Model {
        self.chance.pick(&MODELS).unwrap_or(&MODELS[0])
    }

    /// How it ends: by the rates that were asked for, or by the scenario. One draw decides, so that the rates are kept.
    fn ending(&mut self, scenario: Scenario, mode: Mode, model: &Model) -> Ending {
        let draw = self.chance.below(u64::from(WHOLE));
        let part = |rate: Option<u32>| rate.map_or(0, u64::from);
        let (errors, cancels) = (part(self.plan.errors), part(self.plan.cancels));
        if self.hits.has(Fault::UnexpectedCancellation) {
            self.spoilt.add(Fault::UnexpectedCancellation);
            return Ending::Cut { asked: false };
        }
        match scenario {
            _ if draw < errors => self.failing(scenario, mode, model),
            _ if draw < errors + cancels => self.cancelled(mode),
            Scenario::Errors if self.plan.errors.is_none() => self.failing(scenario, mode, model),
            Scenario::Cancel if self.plan.cancels.is_none() => self.cancelled(mode),
            _ => Ending::Answered,
        }
    }

    fn cancelled(&mut self, mode: Mode) -> Ending {
        // What nobody asked for is only made up where cancellations are.
        let unasked = self.plan.cancels.is_some() && self.chance.happens(500_000);
        match (mode, self.number / 2 % 3) {
            _ if unasked => Ending::Cut { asked: false },
            (Mode::Stream, 0) => Ending::Withdrawn,
            (Mode::Stream, 1) => Ending::Left,
            (Mode::Reply | Mode::Background, 1) => Ending::Cut { asked: true },
            _ => Ending::Stopped,
        }
    }

    /// What goes wrong; where a rate was asked for, only what leaves a span with an error in every convention.
    fn failing(&mut self, scenario: Scenario, mode: Mode, model: &Model) -> Ending {
        let asked = self.plan.errors.is_some();
        let turn = if asked { self.chance.below(8) } else { self.number % 8 };
        let broken = |trouble| Ending::Broken(failure(model.provider, trouble));
        let reply = mode == Mode::Reply;
        let mishap = match turn {
            0 => return broken(Trouble::RateLimit),
            2 => return broken(Trouble::Overloaded),
            3 if reply && !asked => return Ending::Refused(if self.number.is_multiple_of(16) { 404 } else { 422 }),
            4 if reply => return Ending::Crashed,
            // Nobody cancels calls that take too long unless cancellations are asked for.
            5 if self.plan.quirks || self.plan.cancels.is_some() => return broken(Trouble::Timeout),
            3..=5 => return broken(Trouble::Unreachable),
            7 if reply && !asked && self.plan.quirks && self.is_letta() => return Ending::Unrouted,
            6 => Mishap::Call,
            _ => Mishap::Tool,
        };
        let tools = scenario != Scenario::Chat && self.plan.steps != Some(1);
        self.mishap = Some(if tools { mishap } else { Mishap::Call });
        Ending::Answered
    }

    /// One of so many: people come back.
    pub(super) fn person(&mut self, prefix: &str, of: u64) -> Word {
        let who = self.chance.below(of);
        let mut stream = Chance::new(self.plan.seed ^ 0x9e0, who + of * 1_000);
        self.sheet.uuid_of(prefix, (stream.next(), stream.next()))
    }

    /// Puts the finishing touches of faults on a run of this depth.
    pub(super) fn finish(&mut self, run: &mut Run, depth: u32, base: u64, ending: Ending) {
        if depth == 0 && !self.hits.is_empty() && !run.steps.is_empty() {
            self.twist(run, base, matches!(ending, Ending::Broken(_)));
        }
    }
}
