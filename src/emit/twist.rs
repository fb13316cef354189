//! Faults of the run itself: loops, retries without pauses, prompts that grow.
//!
//! Comes in: a run that was made up. Goes out: the same run with what faults ask to go wrong in it, so that every convention tells
//! it as it tells everything else.

use super::failure::{Trouble, failure};
use super::fault::Fault;
use super::plan::Scenario;
use super::plot::Plot;
use super::story::{Run, Step, ToolUse};
use super::tools::TOOLS;

impl Plot<'_> {
    /// What faults ask to go wrong in the run itself; `broken` where its last call fails for good.
    pub(super) fn twist(&mut self, run: &mut Run, base: u64, broken: bool) {
        let of_run = |fault: &Fault| fault.is_of_run() || *fault == Fault::ToolErrorAsSuccess;
        for fault in self.hits.each().filter(of_run) {
            match fault {
                Fault::RepeatedToolCall => self.repeat(run, 4, 1),
                Fault::CallCycle => self.repeat(run, 8, 2),
                Fault::PromptGrowth => self.grow(run, base),
                Fault::RetryWithoutBackoff => {
                    let attempts = self.attempts(failure(run.model.provider, Trouble::RateLimit), 4);
                    run.steps.iter_mut().take(1).for_each(|step| step.attempts.clone_from(&attempts));
                }
                Fault::RunOverBudget => {
                    if broken && run.steps.len() == 1 {
                        self.repeat(run, 1, 1);
                    }
                    for step in run.steps.iter_mut().take(1) {
                        step.call.output += 900_000;
                        step.call.most = step.call.most.max(step.call.output.next_power_of_two());
                    }
                }
                Fault::UnknownTool => {
                    self.repeat(run, 1, 1);
                    first_tool(run, |tool| tool.name = "web_serach");
                }
                Fault::InvalidToolArgs => {
                    self.repeat(run, 1, 1);
                    let broken = self.sheet.say("{\"where\": \"there\"}");
                    let python = self.sheet.say("{'where': 'there'}");
                    first_tool(run, |tool| (tool.json, tool.python) = (broken, python));
                }
                // A tool says that it failed: there has to be one.
                _ if has_tool(run) => continue,
                _ => self.repeat(run, 1, 1),
            }
            if fault != Fault::ToolErrorAsSuccess {
                self.spoilt.add(fault);
            }
        }
    }

    /// Prompts that grow from call to call, and are never summarised.
    fn grow(&mut self, run: &mut Run, base: u64) {
        self.repeat(run, 6, 6);
        let mut input = base;
        for step in &mut run.steps {
            (step.call.input, step.call.cached, step.summary) = (input, 0, None);
            input += base;
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
            let mut tool = self.tool(kind, (Scenario::Tools, 1), false, None);
            tool.call = self.sheet.token(model.tool_call);
            if kinds > 1 {
                chance = self.chance.clone();
            }
            let id = self.sheet.uuid("step-");
            let call = self.call(model, false, std::slice::from_ref(&tool), answer.input, 0);
            let step = Step { id, pause: 0, summary: None, attempts: Vec::new(), call, tools: vec![tool] };
            run.steps.insert(run.steps.len() - 1, step);
        }
    }
}

/// Whether a tool is called in a step that is told whatever comes after it.
fn has_tool(run: &Run) -> bool {
    run.steps.iter().rev().skip(1).any(|step| !step.tools.is_empty())
}

fn first_tool(run: &mut Run, change: impl Fn(&mut ToolUse)) {
    run.steps.iter_mut().flat_map(|step| &mut step.tools).take(1).for_each(change);
}
