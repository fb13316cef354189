//! The command that `listen -- CMD` runs: told where to send, left alone with its streams, waited for with all it started.
//!
//! Comes in: a command line and the addresses. Goes out: how it ended, and with `--root` a span that says so.

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use serde_json::json;

use super::console::Console;
use super::error::{Error, Problem};
use super::listen_ways::{OVERRIDDEN, Ways, variables};
use crate::live::Reason;

/// How long what the command left behind is waited for while it says nothing, and the command itself when it is told to end.
const LEFT_BEHIND: Duration = Duration::from_secs(10);
/// How often one looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A command that runs.
pub(super) struct Running {
    child: Child,
    /// It has a process group of its own; on a terminal it shares ours, so that the terminal stays with it.
    own_group: bool,
    ended: Option<(ExitStatus, Instant, u64)>,
    /// It has not ended by itself.
    stopped: bool,
    root: Option<RootSpan>,
}

/// The span of the run.
struct RootSpan {
    trace: u128,
    span: u64,
    start: u64,
    command: Vec<String>,
}

impl Running {
    /// Starts it.
    pub(super) fn start(words: &[OsString], ways: &Ways<'_>, root: bool, console: &Console) -> Result<Self, Error> {
        let (program, arguments) = words.split_first().ok_or_else(|| Error::from(Problem::NoInput))?;
        let own_group = !console.around().stdin_is_terminal;
        let root = root.then(|| RootSpan::new(words));
        let mut command = Command::new(program);
        command.args(arguments);
        for name in OVERRIDDEN {
            command.env_remove(name);
        }
        command.envs(variables(ways, console.around()));
        if let Some(root) = &root {
            command.env("TRACEPARENT", format!("00-{:032x}-{:016x}-01", root.trace, root.span));
        }
        if own_group {
            command.process_group(0);
        }
        let program = || program.to_string_lossy().into_owned();
        let child = command.spawn().map_err(|source| Problem::Spawn { program: program(), source })?;
        Ok(Self { child, own_group, ended: None, stopped: false, root })
    }

    /// Whether it has ended, and what it started with it; `quiet` is how long no request has come.
    pub(super) fn is_over(&mut self, quiet: Duration, period: Duration) -> bool {
        let Some(when) = self.has_ended() else { return false };
        let quiet = quiet.min(when.elapsed());
        quiet >= period && (!self.is_group_alive() || quiet >= LEFT_BEHIND)
    }

    /// When it ended, if it has.
    fn has_ended(&mut self) -> Option<Instant> {
        if self.ended.is_none() {
            let status = self.child.try_wait().ok().flatten();
            self.ended = status.map(|status| (status, Instant::now(), now()));
        }
        self.ended.map(|(_, when, _)| when)
    }

    /// Ends it where it still runs when listening is over: nobody would hear it, and nobody would wait for it.
    pub(super) fn end(&mut self) {
        if self.has_ended().is_some() {
            return;
        }
        self.stopped = true;
        self.signal(Reason::Terminated);
        let told = Instant::now();
        while self.has_ended().is_none() {
            if told.elapsed() >= LEFT_BEHIND {
                self.send(Signal::KILL);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn is_group_alive(&self) -> bool {
        self.own_group && self.pid().is_some_and(|pid| test_kill_process_group(pid).is_ok())
    }

    /// Passes a signal on.
    pub(super) fn signal(&self, reason: Reason) {
        match reason {
            // A terminal gives Ctrl-C to the whole group, so that it has got it already.
            Reason::Interrupted if !self.own_group => {}
            Reason::Interrupted => self.send(Signal::INT),
            _ => self.send(Signal::TERM),
        }
    }

    fn send(&self, signal: Signal) {
        let Some(pid) = self.pid() else { return };
        let _ = match self.own_group {
            true => kill_process_group(pid, signal),
            false if self.ended.is_none() => kill_process(pid, signal),
            false => Ok(()),
        };
    }

    /// Its exit code as a shell would tell it; zero where it was ended before it was done.
    pub(super) fn code(&self) -> u8 {
        let Some((status, ..)) = self.ended.filter(|_| !self.stopped) else { return 0 };
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        code.and_then(|code| u8::try_from(code & 0xff).ok()).unwrap_or(1)
    }

    /// The span of its run, if one was asked for: a request of OTLP/JSON.
    pub(super) fn root_span(&self) -> Option<Vec<u8>> {
        let (_, _, end) = self.ended?;
        self.root.as_ref().map(|root| root.request(self.code(), end))
    }
}

impl RootSpan {
    fn new(words: &[OsString]) -> Self {
        // Every hasher of the standard library has keys of its own.
        let random = || RandomState::new().hash_one(0) | 1;
        let trace = u128::from(random()) << 64 | u128::from(random());
        let command = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Self { trace, span: random(), start: now(), command }
    }

    fn request(&self, code: u8, end: u64) -> Vec<u8> {
        let text = |text: &str| json!({ "stringValue": text });
        let arguments: Vec<_> = self.command.iter().map(|word| text(word)).collect();
        let status = if code == 0 { json!({}) } else { json!({ "code": 2, "message": format!("exit code {code}") }) };
        let name = self.command.first().map(String::as_str).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or(name);
        let span = json!({
            "traceId": format!("{:032x}", self.trace),
            "spanId": format!("{:016x}", self.span),
            "name": name,
            "kind": 1,
            "flags": 257,
            "startTimeUnixNano": self.start.to_string(),
            "endTimeUnixNano": end.to_string(),
            "attributes": [
                { "key": "process.command_args", "value": { "arrayValue": { "values": arguments } } },
                { "key": "process.exit.code", "value": { "intValue": code.to_string() } },
            ],
            "status": status,
        });
        let service = json!([{ "key": "service.name", "value": text("tracectl") }]);
        let scope = json!({ "name": "tracectl.listen" });
        let group =
            json!({ "resource": { "attributes": service }, "scopeSpans": [{ "scope": scope, "spans": [span] }] });
        json!({ "resourceSpans": [group] }).to_string().into_bytes()
    }
}

fn now() -> u64 {
    u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(0)
}
