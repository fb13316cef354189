//! Faults of the run itself: loops, retries without pauses, prompts that grow.
//!
//! Comes in: a run that was made up. Goes out: the same run with what faults ask to go wrong in it, so that every convention tells
//! it as it tells everything else.

use super::fault::Fault;
use super::plan::Scenario;
use super::plot::Plot;
use super::story::{RATE_LIMIT, Run, Step};
use super::tools::TOOLS;

impl Plot<'_> {
    /// What faults ask to go wrong in the run itself.
    pub(super) fn twist(&mut self, run: &mut Run, depth: u32, base: u64) {
        if depth > 0 || self.hits.is_empty() || run.steps.is_empty() {
            return;
        }
        if self.hits.has(Fault::RepeatedToolCall) {
            self.repeat(run, 4, 1);
        }
        if self.hits.has(Fault::CallCycle) {
            self.repeat(run, 8, 2);
        }
        if self.hits.has(Fault::PromptGrowth) {
            self.repeat(run, 6, 6);
            let mut input = base;
            for step in &mut run.steps {
                (step.call.input, step.call.cached) = (input, 0);
                input += base;
            }
        }
        if self.hits.has(Fault::RetryWithoutBackoff) {
            let attempts = self.attempts(&RATE_LIMIT, 4);
            if let Some(step) = run.steps.first_mut() {
                step.attempts = attempts;
            }
        }
        if self.hits.has(Fault::RunOverBudget)
            && let Some(step) = run.steps.last_mut()
        {
            step.call.output += 900_000;
        }
        if self.hits.has(Fault::UnknownTool) {
            self.repeat(run, 1, 1);
            let tools = run.steps.iter_mut().flat_map(|step| &mut step.tools);
            tools.take(1).for_each(|tool| tool.name = "web_serach");
        }
        if self.hits.has(Fault::InvalidToolArgs) {
            self.repeat(run, 1, 1);
            let broken = self.sheet.say("{\"query\": \"where the");
            let python = self.sheet.say("{'query': 'where the");
            let tools = run.steps.iter_mut().flat_map(|step| &mut step.tools);
            tools.take(1).for_each(|tool| (tool.json, tool.python) = (broken, python));
        }
    }

    /// Puts steps in front of the last one that call tools in turn: `kinds` of them, the same one with the same arguments
    /// where there is one.
    fn repeat(&mut self, run: &mut Run, steps: usize, kinds: usize) {
        let Some(answer) = run.steps.last().map(|step| step.call) else { return };
        let model = run.model;
        let mut chance = self.chance.clone();
        for at in 0..steps {
            // The same chance makes the same arguments.
            if kinds == 1 {
                self.chance = chance.clone();
            }
            let kind = TOOLS.get(at % kinds).unwrap_or(&TOOLS[0]);
            let tool = self.tool(kind, Scenario::Tools, 1, false);
            if kinds > 1 {
                chance = self.chance.clone();
            }
            let id = self.sheet.uuid("step-");
            let call = self.call(model, false, std::slice::from_ref(&tool), answer.input, 0);
            let step = Step { id, attempts: Vec::new(), call, tools: vec![tool] };
            run.steps.insert(run.steps.len() - 1, step);
        }
    }
}
