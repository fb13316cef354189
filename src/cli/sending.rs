//! Where spans are sent: the options that every sending command shares, over what the environment says.
//!
//! Comes in: flags and `OTEL_EXPORTER_OTLP_*`. Goes out: a [`Target`]; a flag wins over a variable.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::UnknownArgumentValueParser;

use super::console::Console;
use super::error::{Error, Problem};
use super::listed::listed;
use super::nearest::meant_of;
use crate::model::{DurationError, parse_duration};
use crate::otlp::Packing;
use crate::render::Said;
use crate::send::{Protocol, SendOptions, Target};

/// What `--protocol` and `--compression` take.
const PROTOCOLS: [&str; 3] = ["grpc", "http/protobuf", "http/json"];
const COMPRESSIONS: [&str; 3] = ["gzip", "zstd", "none"];

/// Options of commands that send.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Receiver")]
pub(super) struct SendArgs {
    /// grpc, http/protobuf or http/json [default: grpc where the port is 4317, else http/protobuf]
    #[arg(long, value_name = "PROTOCOL", hide_possible_values = true,
          value_parser = listed(protocol, &PROTOCOLS))]
    protocol: Option<Protocol>,
    /// Send this header with every request (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// gzip, zstd or none [default: none]
    #[arg(long, value_name = "NAME", hide_possible_values = true,
          value_parser = listed(compression, &COMPRESSIONS))]
    compression: Option<Packing>,
    /// Timeout of one attempt; 0 for no limit [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,
    /// Trust this certificate authority instead of those of the system, PEM
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Client certificate, PEM
    #[arg(long, value_name = "FILE")]
    client_certificate: Option<PathBuf>,
    /// Private key of the client certificate, PEM
    #[arg(long, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// Do not encrypt where the URL has no scheme (the default on this machine)
    #[arg(long)]
    insecure: bool,
    /// What others call `--to`.
    #[arg(long = "endpoint", value_parser = UnknownArgumentValueParser::suggest_arg("--to"), hide = true)]
    _endpoint: Option<String>,
    /// And others again.
    #[arg(long = "url", value_parser = UnknownArgumentValueParser::suggest_arg("--to"), hide = true)]
    _url: Option<String>,
}

/// Options about how requests are handed over.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct DeliveryArgs {
    /// Number of concurrent requests
    #[arg(long, visible_alias = "workers", value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Delivery")]
    pub(super) concurrency: u16,
    /// Retry a request for this long before giving up; 0 never retries
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration, help_heading = "Delivery")]
    pub(super) retry_for: Duration,
}

/// A protocol of an option.
fn protocol(text: &str) -> Result<Protocol, String> {
    text.parse().map_err(|error| format!("{error}{}", meant_of(text, PROTOCOLS)))
}

/// A compression of an option.
fn compression(text: &str) -> Result<Packing, String> {
    text.parse().map_err(|error| format!("{error}{}", meant_of(text, COMPRESSIONS)))
}

/// A duration of an option.
pub(super) fn duration(text: &str) -> Result<Duration, DurationError> {
    parse_duration(text).map(|nanos| Duration::from_nanos(nanos.0))
}

/// A pair of an option. One that is none has no name: it is refused later, because here it would be repeated, and may hold a secret.
pub(super) fn header(text: &str) -> Result<(String, String), Infallible> {
    let (name, value) = text.split_once('=').or_else(|| text.split_once(':')).unwrap_or_default();
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// An attribute of an option.
pub(super) fn attribute(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { Err("write it like NAME=VALUE") } else { Ok((name.to_owned(), value.trim().to_owned())) }
}

impl SendArgs {
    /// The receiver; without a URL the one that the environment names, or the usual one on this machine.
    pub(super) fn target(&self, url: Option<&str>, console: &mut Console) -> Result<Target, Error> {
        if self.header.iter().any(|(name, _)| name.is_empty()) {
            let words = "--header wants NAME=VALUE (what was given is not shown: it may hold a secret)";
            return Err(Problem::Conflict(words).into());
        }
        let (mut options, ignored) =
            SendOptions::of_variables(&|name| console.around().variable(name).map(str::to_owned));
        for name in ignored {
            console.talk(&Said(format!("tracectl: {name} is ignored: its value means nothing")));
        }
        if let Some(url) = url {
            options.endpoint = Some(url.to_owned());
            options.exact = false;
        }
        options.protocol = self.protocol.or(options.protocol);
        options.headers.retain(|(name, _)| !self.header.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)));
        options.headers.extend(self.header.iter().cloned());
        options.packing = self.compression.unwrap_or(options.packing);
        options.timeout = self.timeout.unwrap_or(options.timeout);
        options.certificate = self.certificate.clone().or(options.certificate);
        options.client_certificate = self.client_certificate.clone().or(options.client_certificate);
        options.client_key = self.client_key.clone().or(options.client_key);
        options.insecure |= self.insecure;
        let target = Target::new(&options)?;
        let own = [&self.certificate, &self.client_certificate, &self.client_key];
        if own.iter().any(|path| path.is_some()) && !target.is_encrypted() {
            let error =
                Error::from(Problem::Conflict("a certificate was named, but what is sent there is not encrypted"));
            return Err(error.hint(format!("write https:// instead of {}", target.place())));
        }
        Ok(target)
    }
}

/// Where `listen` passes requests on to.
pub(super) fn forward(url: &str, console: &Console) -> Result<Target, Error> {
    let (mut options, _) = SendOptions::of_variables(&|name| console.around().variable(name).map(str::to_owned));
    options.endpoint = Some(url.to_owned());
    options.exact = false;
    Ok(Target::new(&options)?)
}
