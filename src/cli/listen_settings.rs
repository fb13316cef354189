//! What `listen` does, decided from flags, then variables, then the configuration, then defaults.
//!
//! Comes in: options and the configuration. Goes out: plain settings of the servers, the record and the show; nothing is opened.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::config::Config;
use super::console::Console;
use super::error::{Error, Problem};
use super::inputs::InputArgs;
use super::lint::Judgement;
use super::lint_format::Target;
use super::lint_settings::Misuse;
use super::listen_args::{Args, Format, LogFormat, View, duration};
use super::sending;
use crate::live::{Address, Limits, Record, RecordForm, Settings, Stops, Tls};
use crate::model::ByteSize;

/// Older files that are kept when a record steps aside.
const KEEP: u32 = 5;
/// How long a trace is quiet before it is shown.
const SETTLE: Duration = Duration::from_secs(5);
/// Traces that are remembered for late spans.
const KEEP_TRACES: usize = 1000;
/// How long nothing comes after a command has ended.
const QUIET: Duration = Duration::from_millis(300);

/// What is shown and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing {
    pub(super) view: View,
    /// Traces are objects, a line each.
    pub(super) jsonl: bool,
    pub(super) settle: Duration,
    pub(super) keep: usize,
    /// Traces are shown when all is over, not as they settle.
    pub(super) at_end: bool,
}

/// Options and configuration, asked together.
pub(super) struct Asked<'a> {
    pub(super) args: &'a Args,
    pub(super) config: &'a Config,
}

impl<'a> Asked<'a> {
    /// What is shown.
    pub(super) fn showing(&self, console: &Console) -> Result<Showing, Error> {
        let args = self.args;
        let (terminal, command, lint) =
            (console.around().stdout_is_terminal, !args.command.is_empty(), args.lint.wanted);
        if let (Some(Format::Lint(form)), false) = (args.format, lint) {
            return Err(Problem::Lint(Misuse::NoLint(format!("--format {form:?}").to_ascii_lowercase())).into());
        }
        let jsonl = args.format == Some(Format::Jsonl) && !lint;
        let for_machines = lint && !matches!(args.format, None | Some(Format::Text));
        let usual = match terminal || command || jsonl {
            // The report takes the place of the traces, but who waits at a terminal sees them come.
            _ if lint && (command || !terminal || for_machines) => View::None,
            true => View::Tree,
            false => View::Line,
        };
        let view = args.view.or(self.config.choice("listen.view")).unwrap_or(usual);
        let number = self.config.number("listen.keep-traces").and_then(|number| usize::try_from(number).ok());
        Ok(Showing {
            view,
            jsonl,
            settle: args.settle.or(self.duration("listen.settle")?).unwrap_or(SETTLE),
            keep: args.keep_traces.or(number).unwrap_or(KEEP_TRACES),
            at_end: view == View::Stats || view == View::Tree && command,
        })
    }

    /// How things are said.
    pub(super) fn log_format(&self) -> LogFormat {
        self.args.log_format.or(self.config.choice("listen.log-format")).unwrap_or(LogFormat::Text)
    }

    /// How long nothing has to come after a command has ended.
    pub(super) fn quiet_period(&self) -> Result<Duration, Error> {
        Ok(self.args.quiet_period.or(self.duration("listen.quiet-period")?).unwrap_or(QUIET))
    }

    /// The file of the record, if there is one.
    pub(super) fn output(&self) -> Result<Option<PathBuf>, Error> {
        let mut records = self.args.output.iter().filter(|target| target.form.is_none());
        let record = records.next().map(|target| target.path.clone());
        match (records.next(), self.reports().first()) {
            (Some(Target { path, .. }), _) => Err(Error::from(Problem::SecondRecord { path: path.clone() })
                .hint("a report of --lint is written by -o FORMAT=FILE")),
            (None, Some(Target { path, .. })) if !self.args.lint.wanted => {
                Err(Problem::Lint(Misuse::NoLint(format!("a report in {}", path.display()))).into())
            }
            _ if record.as_deref() == Some(Path::new("-")) => {
                Err(Error::from(Problem::RecordOnStdout).hint("--format jsonl writes every trace there as it settles"))
            }
            _ => Ok(record),
        }
    }

    /// The files of the report.
    fn reports(&self) -> Vec<Target> {
        self.args.output.iter().filter(|target| target.form.is_some()).cloned().collect()
    }

    /// How what was received is judged, if that was asked for.
    pub(super) fn judgement(&self, console: &Console) -> Result<Option<Judgement<'a>>, Error> {
        if !self.args.lint.wanted {
            return Ok(None);
        }
        let format = match self.args.format {
            Some(Format::Jsonl) => Some(super::lint_format::Format::Jsonl),
            Some(Format::Lint(form)) => Some(form),
            Some(Format::Text) => Some(super::lint_format::Format::Human),
            None => None,
        };
        let inputs = InputArgs::default().settings(self.config);
        Judgement::new(&self.args.lint.judging, format, &self.reports(), inputs, self.config, console).map(Some)
    }

    /// What the servers do. `spare` is where spans go that are looked at in the end but not recorded.
    pub(super) fn settings(&self, console: &Console, spare: Option<PathBuf>) -> Result<Settings, Error> {
        let (args, config) = (self.args, self.config);
        let showing = self.showing(console)?;
        let forward = args.forward.clone().or(config.text("listen.forward").map(str::to_owned));
        Ok(Settings {
            grpc: self.address(&args.grpc, "listen.grpc", 4317)?,
            http: self.address(&args.http, "listen.http", 4318)?,
            tls: self.tls()?,
            token: self.token(console)?,
            origins: self.origins(),
            record: self.record(spare)?,
            forward: forward.map(|url| sending::forward(&url, console)).transpose()?,
            stops: Stops { after: args.duration, idle: args.idle, spans: args.max_spans, traces: args.max_traces },
            limits: self.limits()?,
            show: showing.view != View::None && !showing.at_end,
        })
    }

    fn address(&self, flag: &Option<Address>, name: &'static str, usual: u16) -> Result<Address, Error> {
        let asked = flag.clone().or(self.parsed(name)?);
        Ok(asked.unwrap_or(Address::local(if self.args.command.is_empty() { usual } else { 0 })))
    }

    fn tls(&self) -> Result<Option<Tls>, Error> {
        let file = |flag: &Option<PathBuf>, name| flag.clone().or(self.config.text(name).map(PathBuf::from));
        let cert = file(&self.args.tls_cert, "listen.tls-cert");
        let key = file(&self.args.tls_key, "listen.tls-key");
        let client_ca = file(&self.args.tls_client_ca, "listen.tls-client-ca");
        match (cert, key) {
            (Some(cert), Some(key)) => Ok(Some(Tls { cert, key, client_ca })),
            (None, None) if client_ca.is_none() => Ok(None),
            _ => Err(Problem::HalfTls.into()),
        }
    }

    /// The token, from the variable that holds it.
    fn token(&self, console: &Console) -> Result<Option<String>, Error> {
        let name = self.args.auth_token.as_deref().or(self.config.text("listen.auth-token"));
        let value = |name: &str| {
            let value = console.around().variable(name).map(str::to_owned);
            value.ok_or_else(|| Problem::Variable { name: name.to_owned() }.into())
        };
        name.map(value).transpose()
    }

    fn origins(&self) -> Vec<String> {
        let listed = self.config.text("listen.cors-origin").unwrap_or_default();
        match self.args.cors_origin.is_empty() {
            true => listed.split(',').map(|origin| origin.trim().to_owned()).filter(|o| !o.is_empty()).collect(),
            false => self.args.cors_origin.clone(),
        }
    }

    fn limits(&self) -> Result<Limits, Error> {
        let usual = Limits::default();
        let size = |flag: Option<ByteSize>, name, usual| {
            let size = flag.or(self.parsed(name)?);
            Ok::<_, Error>(size.map_or(usual, |size| usize::try_from(size.0).unwrap_or(usize::MAX)))
        };
        let connections = self.args.max_connections.map(u64::from).or(self.config.number("listen.max-connections"));
        let timeout = self.args.request_timeout.or(self.duration("listen.request-timeout")?);
        Ok(Limits {
            request: size(self.args.max_request_size, "listen.max-request-size", usual.request)?,
            queue: size(self.args.max_queue_size, "listen.max-queue-size", usual.queue)?,
            connections: connections.map_or(usual.connections, |n| usize::try_from(n.clamp(1, 999_999)).unwrap_or(1)),
            patience: timeout.unwrap_or(usual.patience),
        })
    }

    fn record(&self, spare: Option<PathBuf>) -> Result<Option<Record>, Error> {
        let Some(path) = self.output()?.or(spare) else { return Ok(None) };
        let form = self.args.record_format.or(self.parsed("listen.record-format")?);
        let keep = self.config.number("listen.keep").map(|keep| u32::try_from(keep).unwrap_or(u32::MAX));
        Ok(Some(Record {
            form: form.unwrap_or_else(|| RecordForm::of(&path)),
            fsync: self.args.fsync || self.config.flag("listen.fsync").unwrap_or(false),
            append: self.args.append || self.config.flag("listen.append").unwrap_or(false),
            rotate: self.args.rotate.or(self.parsed("listen.rotate")?).map(|size| size.0),
            keep: self.args.keep.or(keep).unwrap_or(KEEP),
            path,
        }))
    }

    /// A setting of the configuration, read as its flag is.
    fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, Error>
    where
        T: FromStr<Err: StdError + Send + Sync + 'static>,
    {
        let parsed = self.config.text(name).map(str::parse).transpose();
        parsed.map_err(|source| Problem::Setting { name, source: Box::new(source) }.into())
    }

    fn duration(&self, name: &'static str) -> Result<Option<Duration>, Error> {
        let parsed = self.config.text(name).map(duration).transpose();
        parsed.map_err(|source| Problem::Setting { name, source: Box::new(source) }.into())
    }
}
