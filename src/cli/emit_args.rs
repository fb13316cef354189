//! The options of `tracectl emit`.
//!
//! Comes in: what was typed. Goes out: a plan. Every number is checked here.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use clap::ValueEnum;

use super::config::Config;
use super::emit_form::Form;
use super::emit_script::read_script;
use super::error::{Error, Problem};
use super::listen_args::LogFormat;
use super::nearest::meant_of;
use super::output::OutputArgs;
use super::sending::{DeliveryArgs, SendArgs};
use crate::emit::{self, Extent, Fault, Plan, Wanted, parts};
use crate::input::Options;
use crate::model::{ByteSize, Nanos, Rate, parse_duration};
use crate::query::parse_moment;

/// Options that mean something only where a file is written. What needs `--to` excludes them too: a conflict of `--to` itself would
/// waive the need.
const WRITING: [&str; 2] = ["output", "to_format"];

/// What says how a built-in scenario goes: a scenario file says that itself.
const BUILT_IN: [&str; 11] = [
    "scenario",
    "convention",
    "quirks",
    "error_rate",
    "cancel_rate",
    "depth",
    "steps",
    "fanout",
    "services",
    "clock_skew",
    "payload_size",
];

/// Generate traces: agents at work on a virtual clock, reproducible by seed
#[derive(Clone, Debug, clap::Args)]
#[command(
    mut_group("SendArgs", |group| group.requires("to").conflicts_with_all(WRITING)),
    mut_group("DeliveryArgs", |group| group.requires("to").conflicts_with_all(WRITING)),
    after_help = "\
Generated traces lint clean, except for the tour without options, in which a context is lost, and for what is asked for: --cancel-rate cancels tasks without a request, and runs of more than 50 model calls or a --payload-size over 1MiB exceed the limits of lint. --quirks records like the real instrumentation; --fault NAME injects a fault that exactly the rule of that name reports.

--to sends the traces instead of writing them: as fast as the receiver accepts them, with times in the past, or with --rate each request when its spans end. Equal seeds give equal ids: use another --seed for a second run against the same backend. What a fault has cut off is sent as it is, and its spans count once more, as rejected. Rejected and undelivered spans end in exit code 1.

Examples:
  tracectl emit | tracectl tree
  tracectl emit --scenario tools --traces 3 --seed 7 --quirks -o letta.pb
  tracectl emit --convention genai --spans 1000000 -o load.pb.zst
  tracectl emit --fault secret --fault orphan-span=0.1 | tracectl lint --fail-on never
  tracectl emit --duration 10m --rate 20/s --start now --error-rate 5% -o traces.jsonl
  tracectl emit --example-scenario > shop.toml; tracectl emit --scenario-file shop.toml -o shop.pb
  tracectl emit --to http://localhost:4317 --spans 1000000 --workers 8
  tracectl emit --to http://localhost:4318 --duration 10m --rate 20/s
  OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 tracectl emit --to --dead-letter lost.pb"
)]
pub(super) struct Args {
    /// What happens: chat, tools, stream, rag, multi-agent, background, cancel, errors or mix
    /// [default: mix; where no amount is given either, a short tour of four traces]
    #[arg(long, value_name = "NAME", hide_possible_values = true, help_heading = "Story")]
    scenario: Option<Scenario>,
    /// How it is recorded: letta, genai, openinference or openllmetry [default: letta; on the tour one after the other]
    #[arg(long, value_name = "NAME", hide_possible_values = true, help_heading = "Story")]
    convention: Option<Convention>,
    /// Record it with the habits of the real instrumentation that lint complains about
    #[arg(long, help_heading = "Story")]
    quirks: bool,
    /// Use the scenario of this TOML file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = BUILT_IN, help_heading = "Story")]
    scenario_file: Option<PathBuf>,
    /// Print an example scenario file with every setting
    #[arg(long, help_heading = "Story")]
    pub(super) example_scenario: bool,
    /// Fraction of runs that fail somewhere, like 0.05 or 5% [default: the scenario's]
    #[arg(long, value_name = "PART", value_parser = part, help_heading = "Story")]
    error_rate: Option<u32>,
    /// Fraction of runs that are cancelled, half of them without a request [default: the scenario's, all as asked]
    #[arg(long, value_name = "PART", value_parser = part, help_heading = "Story")]
    cancel_rate: Option<u32>,
    /// Levels of delegation between agents, in the scenario multi-agent
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=8), help_heading = "Story")]
    depth: u32,
    /// Steps of the main agent run; long conversations are summarised [default: the scenario's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500), help_heading = "Story")]
    steps: Option<u32>,
    /// Maximum number of parallel tool calls, in the first step of a run in the scenarios tools and multi-agent
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "Story")]
    fanout: u32,
    /// Number of services: the server, and those that its tools call
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "Story")]
    services: u32,
    /// Maximum clock skew of these services
    #[arg(long, value_name = "TIME", default_value = "11ms", value_parser = parse_duration, help_heading = "Story")]
    clock_skew: Nanos,
    /// Approximate size of an answer; tool results and documents are smaller
    #[arg(long, value_name = "SIZE", default_value = "320", value_parser = payload, help_heading = "Story")]
    payload_size: u64,
    /// Inject a fault by name, into all traces or a fraction of them
    #[arg(long, value_name = "NAME[=PART]", value_parser = fault, help_heading = "Story")]
    fault: Vec<Wanted>,
    /// List the faults and the rules that detect them
    #[arg(long, help_heading = "Story")]
    pub(super) list_faults: bool,
    /// Number of traces [default: 4]
    #[arg(long, value_name = "N", conflicts_with_all = ["spans", "duration"], help_heading = "Amount")]
    traces: Option<u64>,
    /// Generate whole traces until there are this many spans
    #[arg(long, value_name = "N", conflicts_with = "duration", help_heading = "Amount")]
    spans: Option<u64>,
    /// Generate the requests of this much virtual time, like 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Amount")]
    duration: Option<Nanos>,
    /// Requests in virtual time, like 2/s, 30/m or 5/h; given with --to, the real time follows [default: 2/s]
    #[arg(long, value_name = "RATE", value_parser = Rate::from_str, help_heading = "Amount")]
    rate: Option<Rate>,
    /// Seed of the random generator
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Amount")]
    seed: u64,
    /// When the first request comes in: RFC 3339, 15m for 15 minutes ago, or now [default: with --to, so that the last
    /// one is over by now, or now where --rate is given; else 2025-06-02T09:00:00Z]
    #[arg(long, value_name = "TIME", help_heading = "Amount")]
    start: Option<String>,
    /// Send it to this receiver: http://HOST:4318, https://HOST, HOST:4317 or unix:PATH; without a URL to the one that
    /// OTEL_EXPORTER_OTLP_ENDPOINT names
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "", conflicts_with_all = WRITING,
          help_heading = "Receiver")]
    pub(super) to: Option<String>,
    /// Write undelivered spans to FILE (.pb, else JSON Lines), to be replayed later
    #[arg(long, value_name = "FILE", requires = "to", conflicts_with_all = WRITING, help_heading = "Delivery")]
    pub(super) dead_letter: Option<PathBuf>,
    #[command(flatten)]
    pub(super) send: SendArgs,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
    /// jsonl, json, pb or otlp-proto (one message), followed by .gz or .zst where it is to be compressed [default: by the
    /// file's name, else jsonl]
    #[arg(long, value_name = "FORM", help_heading = "Output")]
    pub(super) to_format: Option<Form>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Number of threads to work with [default: one per core]
    #[arg(long, value_name = "N", help_heading = "Output")]
    jobs: Option<u32>,
    /// Format of messages on stderr while sending: text or json
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        requires = "to", conflicts_with_all = WRITING,
        help_heading = "Output"
    )]
    pub(super) log_format: LogFormat,
}

macro_rules! choices {
    ($name:ident: $($choice:ident),*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        enum $name {
            $($choice,)*
        }

        impl From<$name> for emit::$name {
            fn from(choice: $name) -> Self {
                match choice {
                    $($name::$choice => Self::$choice,)*
                }
            }
        }
    };
}

choices!(Convention: Letta, Genai, Openinference, Openllmetry);
choices!(Scenario: Chat, Tools, Stream, Rag, MultiAgent, Background, Cancel, Errors, Mix);

fn part(text: &str) -> Result<u32, String> {
    parts(text).ok_or_else(|| "a part is written like 0.05 or 5%, from 0 to 1".to_owned())
}

/// Bytes of an answer; whether a trace of such answers is too heavy is seen later.
fn payload(text: &str) -> Result<u64, String> {
    let size = text.parse::<ByteSize>().map_err(|error| error.to_string())?.0;
    if size < 8 { Err("an answer has at least 8 bytes".to_owned()) } else { Ok(size) }
}

fn fault(text: &str) -> Result<Wanted, String> {
    let (name, rate) = text.split_once('=').unwrap_or((text, "1"));
    let rate = part(rate)?;
    let fault = Fault::named(name).ok_or_else(|| {
        let meant = meant_of(name, Fault::ALL.iter().map(|fault| fault.kind().name));
        format!("there is no fault '{name}'{meant}; --list-faults lists them")
    })?;
    Ok(Wanted { fault, rate })
}

/// Nanoseconds after which spans that have ended are sent, where they are sent at their time: as the SDKs do.
const FLUSH: u64 = 5_000_000_000;

/// What is to be made up, and by how many threads.
pub(super) struct Settings {
    /// What.
    pub(super) plan: Plan,
    /// By how many.
    pub(super) jobs: usize,
}

impl Args {
    /// What was asked for.
    pub(super) fn settings(&self, config: &Config, now: u64) -> Result<Settings, Error> {
        let script = self.scenario_file.as_deref().map(read_script).transpose()?;
        if let Some(wanted) = self.fault.iter().find(|wanted| script.is_some() && wanted.fault.is_of_run()) {
            let what = "some faults change what a built-in agent does; a scenario file says itself what happens";
            return Err(
                Error::from(Problem::Conflict(what)).hint(format!("leave out --fault {}", wanted.fault.kind().name))
            );
        }
        let mut faults = script.as_ref().map(|script| script.faults.clone()).unwrap_or_default();
        faults.extend_from_slice(&self.fault);
        let jobs = self.jobs.map(u64::from).or(config.number("jobs")).and_then(|jobs| usize::try_from(jobs).ok());
        let convention = self.convention.map(Into::into);
        let plan = Plan {
            seed: self.seed,
            start: self.start(now)?,
            convention: convention.unwrap_or_default(),
            scenario: self.scenario.map_or_else(emit::Scenario::default, Into::into),
            tour: self.tour(),
            guide: convention,
            quirks: self.quirks,
            extent: self.extent(),
            rate: self.rate.unwrap_or(Plan::default().rate),
            flush: if self.to.is_some() && self.paced() { FLUSH } else { u64::MAX },
            errors: self.error_rate,
            cancels: self.cancel_rate,
            depth: self.depth,
            steps: self.steps,
            fanout: self.fanout,
            services: self.services,
            skew: self.clock_skew.0,
            payload: self.payload_size,
            faults,
            script: script.map(Arc::new),
        };
        if plan.script.is_none() && plan.weight() > emit::HEAVIEST {
            let problem = Problem::HeavyTrace { bytes: ByteSize(plan.weight()), most: ByteSize(emit::HEAVIEST) };
            return Err(Error::from(problem).hint("lower --steps, --payload-size, --fanout or --depth"));
        }
        Ok(Settings { plan, jobs: Options { jobs: jobs.unwrap_or(0), ..Options::default() }.threads() })
    }

    /// Whether requests are sent at their time, and not as fast as it goes.
    pub(super) fn paced(&self) -> bool {
        self.rate.is_some()
    }

    /// Whether nothing was said about what happens, and how much of it.
    fn tour(&self) -> bool {
        let amount = self.traces.is_some() || self.spans.is_some() || self.duration.is_some();
        let story = self.scenario.is_some() || self.scenario_file.is_some() || !self.fault.is_empty();
        !(amount || story || self.error_rate.is_some() || self.cancel_rate.is_some() || self.to.is_some())
    }

    fn start(&self, now: u64) -> Result<u64, Error> {
        match self.start.as_deref() {
            // At their time requests are sent when they end; all at once, they have ended already.
            None if self.to.is_some() && self.paced() => Ok(now),
            None if self.to.is_some() => Ok(now.saturating_sub(self.lasts())),
            None => Ok(emit::START),
            Some("now") => Ok(now),
            Some(text) => parse_moment(text, now).map_err(|source| Problem::Moment { flag: "start", source }.into()),
        }
    }

    /// Virtual nanoseconds from the first request to the end of the last, about and rather too many.
    fn lasts(&self) -> u64 {
        /// No trace is shorter in the mean.
        const SPANS: u64 = 12;
        /// Longer than all but the longest runs.
        const RUN: u64 = 300_000_000_000;
        let Extent { traces, spans, duration } = self.extent();
        let requests = traces.min(spans.div_ceil(SPANS));
        Plan::default().rate.due(requests).min(duration).saturating_add(RUN)
    }

    fn extent(&self) -> Extent {
        let all = Extent { traces: u64::MAX, spans: u64::MAX, duration: u64::MAX };
        match (self.traces, self.spans, self.duration) {
            (Some(traces), ..) => Extent { traces, ..all },
            (_, Some(spans), _) => Extent { spans, ..all },
            (.., Some(duration)) => Extent { duration: duration.0, ..all },
            _ => Plan::default().extent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_honoured_or_refused() {
        assert_eq!((payload("320"), payload("3MB")), (Ok(320), Ok(3_000_000)));
        assert!(payload("7").is_err() && payload("much").is_err());
    }

    #[test]
    fn faults_are_read_with_their_part() {
        assert_eq!(fault("secret"), Ok(Wanted { fault: Fault::Secret, rate: 1_000_000 }));
        assert_eq!(fault("SEC001=10%"), Ok(Wanted { fault: Fault::Secret, rate: 100_000 }));
        assert!(fault("secrt").unwrap_err().contains("did you mean 'secret'"));
        assert!(fault("secret=2").is_err());
    }
}
