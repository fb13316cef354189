//! What is to be made up: every number and choice of the command line, as plain data.
//!
//! Comes in: nothing. Goes out: settings with their defaults. Two equal plans give equal bytes.

use std::borrow::Cow;
use std::sync::Arc;

use super::chance::WHOLE;
use super::fault::Fault;
use super::script::Script;
use super::tour::STOPS;
use crate::model::Rate;

/// How the story is told in spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Convention {
    /// As Letta's server does.
    #[default]
    Letta,
    /// OpenTelemetry's GenAI conventions, current names.
    Genai,
    /// OpenInference.
    Openinference,
    /// OpenLLMetry.
    Openllmetry,
}

impl Convention {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Letta, Self::Genai, Self::Openinference, Self::Openllmetry];
}

/// What happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Question and answer, no tools.
    Chat,
    /// Runs with tools.
    Tools,
    /// Answers that stream: the root ends first.
    Stream,
    /// Embeddings and retrieval.
    Rag,
    /// Agents that hand work to others.
    MultiAgent,
    /// Runs and jobs in the background.
    Background,
    /// Runs that are called off.
    Cancel,
    /// Failures, and what is done about them.
    Errors,
    /// All of them.
    #[default]
    Mix,
}

impl Scenario {
    /// Every one that there is.
    pub const ALL: [Self; 9] = [
        Self::Chat,
        Self::Tools,
        Self::Stream,
        Self::Rag,
        Self::MultiAgent,
        Self::Background,
        Self::Cancel,
        Self::Errors,
        Self::Mix,
    ];
}

/// How much is made up. The first limit that is reached counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// So many traces.
    pub traces: u64,
    /// Whole traces until there are so many spans.
    pub spans: u64,
    /// Requests that begin within so many nanoseconds.
    pub duration: u64,
}

/// A fault that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which one.
    pub fault: Fault,
    /// In how many of a million traces.
    pub rate: u32,
}

/// Everything that decides what is made up.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What all chance comes from.
    pub seed: u64,
    /// When the first request comes in, Unix nanoseconds.
    pub start: u64,
    /// How it is told.
    pub convention: Convention,
    /// What happens.
    pub scenario: Scenario,
    /// A tour of what can happen instead: one of each of a few scenarios, and a span whose parent is lost.
    pub tour: bool,
    /// In whose convention a tour is told; `None`: each of its traces in another one.
    pub guide: Option<Convention>,
    /// Told with the habits of the real instrumentation that linters complain about.
    pub quirks: bool,
    /// How much.
    pub extent: Extent,
    /// Requests in virtual time.
    pub rate: Rate,
    /// Nanoseconds of virtual time after which spans that have ended are exported, however few they are.
    pub flush: u64,
    /// How many of a million runs fail somewhere; `None`: as many as the scenario has.
    pub errors: Option<u32>,
    /// How many of a million runs are cancelled; `None`: as many as the scenario has.
    pub cancels: Option<u32>,
    /// How deep agents hand work on.
    pub depth: u32,
    /// Steps of a run; `None`: as many as the scenario has.
    pub steps: Option<u32>,
    /// Tools called in one step at most.
    pub fanout: u32,
    /// Services that take part.
    pub services: u32,
    /// Nanoseconds by which the clocks of services are off at most.
    pub skew: u64,
    /// Bytes of an answer, about; results of tools and documents are smaller.
    pub payload: u64,
    /// Distortions.
    pub faults: Vec<Wanted>,
    /// A scenario of somebody's own, instead of `scenario`.
    pub script: Option<Arc<Script>>,
}

/// 2025-06-02T09:00:00Z: old enough that no clock calls it the future.
pub const START: u64 = 1_748_854_800_000_000_000;

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 0,
            start: START,
            convention: Convention::default(),
            scenario: Scenario::default(),
            tour: false,
            guide: None,
            quirks: false,
            extent: Extent { traces: 4, spans: u64::MAX, duration: u64::MAX },
            rate: Rate::per_second(2),
            flush: u64::MAX,
            errors: None,
            cancels: None,
            depth: 1,
            steps: None,
            fanout: 2,
            services: 4,
            skew: 11_000_000,
            payload: 320,
            faults: Vec::new(),
            script: None,
        }
    }
}

/// Bytes of the heaviest trace that may be asked for.
pub const HEAVIEST: u64 = 96 << 20;
/// Bytes that traces in the making take in all threads together, about.
const AT_ONCE: u64 = 256 << 20;
/// Bytes of a chunk, about.
const CHUNK: u64 = 4 << 20;
/// Chunks that a thread holds at a time: the one it makes, those that wait, and one that is taken.
const HELD: u64 = WAITING as u64 + 2;
/// Chunks that wait to be taken: with one alone a thread often waits for its turn.
pub(super) const WAITING: usize = 2;

impl Plan {
    /// Bytes of a trace at most, about, measured: the trace and what is encoded of it are in memory at once.
    pub fn weight(&self) -> u64 {
        if let Some(script) = &self.script {
            return script.weight().saturating_add(self.spoilt());
        }
        let (fanout, payload) = (u64::from(self.fanout), self.payload);
        // Each agent may hand work on to as many others as it calls tools at once, and they take two steps.
        let helpers = (1..=self.depth).fold(0u64, |runs, depth| runs.saturating_add(fanout.saturating_pow(depth)));
        let steps = u64::from(self.steps.unwrap_or(4)).saturating_add(helpers.saturating_mul(2));
        let spans = (36 + 12 * fanout) * 600;
        // A conversation is summarised before it is a multiple of what it began with.
        let said = 2 * (12_000 + payload.min(30_000));
        // Results of tools stand in several places; the answer, documents and messages do.
        let results = (5 * fanout).saturating_mul(payload) / 4;
        let steps = steps.saturating_mul((spans + said).saturating_add(results));
        steps.saturating_add(payload.saturating_mul(13)).saturating_add(self.spoilt())
    }

    /// What faults add to a trace at most.
    fn spoilt(&self) -> u64 {
        let bulky = [Fault::TraceTooLarge, Fault::UnexportableSpan, Fault::TruncatedValue, Fault::AttributeTooLarge];
        let wanted = self.faults.iter().filter(|wanted| bulky.contains(&wanted.fault)).count() as u64;
        wanted * (12 << 20)
    }

    /// Bytes of a trace in the mean, rather too many: where nobody says how long runs are, most are short.
    fn usual(&self) -> u64 {
        let part = if self.steps.is_some() || self.payload > 16_000 { 3 } else { 1 };
        (self.weight() / 4 * part).max(1)
    }

    /// Traces of a chunk: what a chunk holds is put in the order in which it ends and cut into requests.
    pub(super) fn chunk(&self) -> u64 {
        (CHUNK / self.usual()).clamp(1, 32)
    }

    /// How many of so many threads may work without taking more memory than they should.
    pub(super) fn threads(&self, jobs: u64) -> u64 {
        let each = self.chunk().saturating_mul(self.usual()).saturating_mul(HELD);
        jobs.min(AT_ONCE / each).max(1)
    }

    /// How many traces there are at most.
    pub fn traces(&self) -> u64 {
        if self.extent.duration == u64::MAX {
            return self.extent.traces;
        }
        self.extent.traces.min(self.rate.within(self.extent.duration))
    }

    /// The plan of one trace, and the number that its story goes by: on a tour each is another one.
    pub(super) fn of_trace(&self, number: u64) -> (Cow<'_, Self>, u64) {
        let stop = usize::try_from(number).ok().and_then(|at| STOPS.get(at)).filter(|_| self.tour);
        let Some(stop) = stop else { return (Cow::Borrowed(self), number) };
        let plan = Self {
            scenario: stop.scenario,
            convention: self.guide.unwrap_or(stop.convention),
            steps: self.steps.or(Some(stop.steps)),
            ..self.clone()
        };
        (Cow::Owned(plan), stop.number)
    }
}

/// Reads a part of one: `0.25`, `25%`, `1`. In parts of a million; a smaller one that is more than nothing is none.
pub fn parts(text: &str) -> Option<u32> {
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), u64::from(WHOLE) / 100),
        None => (text.trim(), u64::from(WHOLE)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !(fraction.is_empty() || digits(fraction)) {
        return None;
    }
    let mut parts = whole.parse::<u64>().ok()? * scale;
    let mut unit = scale;
    for digit in fraction.bytes() {
        unit /= 10;
        parts += u64::from(digit - b'0') * unit;
    }
    // Less than one in a million is not nothing.
    let lost = parts == 0 && fraction.bytes().any(|digit| digit != b'0');
    u32::try_from(parts).ok().filter(|parts| *parts <= WHOLE && !lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_parts_of_one() {
        let cases = [("1", 1_000_000), ("0", 0), ("0.25", 250_000), ("25%", 250_000), ("0.5%", 5_000), ("0.000001", 1)];
        for (text, wanted) in cases {
            assert_eq!(parts(text), Some(wanted), "{text}");
        }
        for wrong in ["", "-1", "2", "1.1", "101%", "x", ".", "1e-3", "0.1.2", "0.0000001", "0.00001%"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_duration_and_a_rate_make_a_number() {
        let extent = Extent { traces: u64::MAX, spans: u64::MAX, duration: 10_000_000_000 };
        assert_eq!(Plan { extent, rate: Rate::per_second(5), ..Plan::default() }.traces(), 50);
        assert_eq!(Plan::default().traces(), 4);
    }

    #[test]
    fn heavy_traces_are_made_by_few_threads() {
        let plan = |steps, payload| Plan { steps: Some(steps), payload, ..Plan::default() };
        assert_eq!(Plan::default().threads(16), 16);
        assert_eq!(plan(4, 4 << 20).threads(16), 1);
        for plan in [Plan::default(), plan(300, 320), plan(4, 1 << 20), plan(500, 8)] {
            let held = plan.threads(64) * plan.chunk() * plan.usual() * HELD;
            assert!(held <= AT_ONCE || plan.threads(64) == 1, "{held}");
        }
    }
}
