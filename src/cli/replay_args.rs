//! The options of `tracectl replay`.
//!
//! Comes in: what was typed. Goes out: plain values; what needs the capture is worked out later.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::UnknownArgumentValueParser;

use super::changes::ChangeArgs;
use super::filter::FilterArgs;
use super::inputs::InputArgs;
use super::listed::listed;
use super::listen_args::LogFormat;
use super::nearest::meant_of;
use super::sending::{DeliveryArgs, SendArgs};
use crate::model::{ByteSize, Rate};
use crate::replay::Pace;

/// Send recorded spans to a receiver again
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
By default everything is sent as fast as the receiver accepts it, with its original ids and times. Without --to, OTEL_EXPORTER_OTLP_ENDPOINT names the receiver. Rejected and undelivered spans end in exit code 1.

Examples:
  tracectl replay run.jsonl --to http://localhost:4318
  tracectl replay run.jsonl --to http://localhost:4317 --shift now --new-ids
  tracectl replay run.jsonl --to https://collector --header authorization='...'
  tracectl replay run.jsonl --to localhost:4317 --repeat forever --rate 5000
  tracectl replay run.jsonl --dry-run --speed 1x
  tracectl replay big.pb --to localhost:4317 --speed 10x --resume big.journal
  tracectl replay big.pb --to localhost:4317 --dead-letter lost.pb")]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) inputs: InputArgs,
    /// Receiver: http://HOST:4318, https://HOST, HOST:4317 or unix:PATH [default: OTEL_EXPORTER_OTLP_ENDPOINT]
    #[arg(long, value_name = "URL", help_heading = "Receiver")]
    pub(super) to: Option<String>,
    #[command(flatten)]
    pub(super) send: SendArgs,

    /// max, or a factor of the recorded pace, like 1x or 10x
    #[arg(long, value_name = "SPEED", default_value = "max", help_heading = "Time")]
    pub(super) speed: Speed,
    /// With --speed, send each span when it ended (span), or a whole trace when its last span ended (trace)
    #[arg(long, value_name = "WHAT", default_value = "span", hide_possible_values = true, value_parser = listed(pace, &["span", "trace"]), help_heading = "Time")]
    pub(super) pace: Pace,
    /// Send everything N times, or forever; repetitions get new ids
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Time")]
    pub(super) repeat: Repeat,
    /// What others call it.
    #[arg(long = "loop", value_parser = UnknownArgumentValueParser::suggest_arg("--repeat"), num_args = 0..=1,
          default_missing_value = "", hide = true)]
    _loop: Option<String>,
    /// Send at most this many spans: 5000 or 5000/s per second, 30/m per minute
    #[arg(long, value_name = "RATE", value_parser = Rate::from_str, help_heading = "Time")]
    pub(super) rate: Option<Rate>,

    #[command(flatten)]
    pub(super) changes: ChangeArgs,

    /// Print what would be sent and when, without sending it
    #[arg(long, help_heading = "Delivery")]
    pub(super) dry_run: bool,
    /// Write undelivered spans to FILE (.pb, else JSON Lines), to be replayed later
    #[arg(long, value_name = "FILE", help_heading = "Delivery")]
    pub(super) dead_letter: Option<PathBuf>,
    /// Keep a journal in FILE, and continue where an earlier run stopped
    #[arg(long, value_name = "FILE", help_heading = "Delivery")]
    pub(super) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
    /// Maximum number of spans per request
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..),
          help_heading = "Delivery")]
    pub(super) batch_spans: u32,
    /// Maximum size of a request, uncompressed; a larger span is sent alone
    #[arg(long, value_name = "SIZE", default_value = "4MiB", value_parser = some_bytes, help_heading = "Delivery")]
    pub(super) batch_bytes: ByteSize,

    /// Format of messages on stderr: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true, help_heading = "Output")]
    pub(super) log_format: LogFormat,
    #[command(flatten)]
    pub(super) filter: FilterArgs,
}

/// `--batch-bytes`.
fn some_bytes(text: &str) -> Result<ByteSize, String> {
    let size = text.parse::<ByteSize>().map_err(|error| error.to_string())?;
    Some(size).filter(|size| size.0 > 0).ok_or_else(|| "a request has to have some bytes".to_owned())
}

/// `--pace`.
fn pace(text: &str) -> Result<Pace, String> {
    match text {
        "span" => Ok(Pace::Span),
        "trace" => Ok(Pace::Trace),
        _ => Err(format!("write span or trace{}", meant_of(text, ["span", "trace"]))),
    }
}

/// `--speed`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Speed {
    /// As fast as it goes.
    Max,
    /// So many times as fast as it was.
    Times(f64),
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("max") {
            return Ok(Self::Max);
        }
        let factor = text.trim_end_matches(['x', 'X']).parse::<f64>().ok();
        let factor = factor.filter(|factor| (1e-6..=1e9).contains(factor));
        let wrong = || format!("write it like 1x, 10x, 0.5x or max{}", meant_of(text, ["max"]));
        factor.map(Self::Times).ok_or_else(wrong)
    }
}

/// `--repeat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// So many times.
    Times(u64),
    /// Until somebody stops it.
    Forever,
}

impl Repeat {
    /// Whether there is such a pass, counted from 0.
    pub(super) fn has(self, pass: u64) -> bool {
        match self {
            Self::Times(times) => pass < times,
            Self::Forever => true,
        }
    }
}

impl FromStr for Repeat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(times) if times > 0 => Ok(Self::Times(times)),
            _ if text == "forever" => Ok(Self::Forever),
            _ => Err(format!("write a number from 1, or forever{}", meant_of(text, ["forever"]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_repeats_are_read_as_written() {
        assert_eq!("max".parse(), Ok(Speed::Max));
        assert_eq!("10x".parse(), Ok(Speed::Times(10.0)));
        assert_eq!("0.5".parse(), Ok(Speed::Times(0.5)));
        assert!(["", "x", "0x", "-1x", "NaN", "inf", "fast"].iter().all(|wrong| wrong.parse::<Speed>().is_err()));
        assert_eq!(("3".parse(), "forever".parse()), (Ok(Repeat::Times(3)), Ok(Repeat::Forever)));
        assert!("0".parse::<Repeat>().is_err() && Repeat::Times(2).has(1) && !Repeat::Times(2).has(2));
    }
}
