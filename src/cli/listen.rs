//! `tracectl listen`: receive spans, record them, show them.
//!
//! Comes in: options, requests from the network, perhaps a command to run. Goes out: a record, the traces or a judgement of
//! them, and how it ended.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::Error;
use super::interrupts;
use super::listen_args::{Args, LogFormat};
use super::listen_child::Running;
use super::listen_conclude::{conclude, judge, spare};
use super::listen_settings::Asked;
use super::listen_show::Show;
use super::listen_talk::Talk;
use super::listen_ways::Ways;
use crate::live::{Address, Arrival, Encoding, Listener, LiveError, Reason, Settings};

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let asked = Asked { args, config };
    let showing = asked.showing(console)?;
    let judgement = asked.judgement(console)?;
    let prices = args.lint.judging.prices.prices(config)?;
    let spare = spare(asked.output()?.as_deref(), showing.at_end || judgement.is_some())?;
    let settings = asked.settings(console, spare.as_ref().map(|folder| folder.path().join("run.pb")))?;
    let quiet = asked.quiet_period()?;
    // What is shown is not the only thing that is done with what arrives.
    let kept = settings.forward.is_some() || settings.record.is_some() || !args.command.is_empty();
    let (token, cert) = (settings.token.clone(), settings.tls.as_ref().map(|tls| tls.cert.clone()));
    let mut listener = start(settings)?;
    let last = interrupts::last()?;
    let talk = Talk(asked.log_format());
    talk.ready(console, listener.grpc(), listener.http(), cert.is_some());
    let ways = Ways { grpc: listener.grpc(), http: listener.http(), cert: cert.as_deref(), token: token.as_deref() };
    let mut child = match args.command.is_empty() {
        true => None,
        false => Some(Running::start(&args.command, &ways, args.root, console)?),
    };
    listener.begin();
    let mut watch = Watch { show: Show::new(showing, console), shown: Ok(()), quiet, kept, last: &last, talk };
    let reason = watch.run(&mut listener, child.as_mut(), console);
    let shown = watch.shown;
    if let Some(child) = &mut child {
        child.end();
    }
    last.store(true, Ordering::Relaxed);
    let (totals, astray) = (listener.totals(), listener.astray());
    let verdict = match totals.spans {
        0 => Ok(Exit::Fine),
        _ => conclude(&listener.written(), showing, prices, (judgement, spare.is_none()), console),
    };
    let written = listener.written();
    drop(listener);
    let shown = shown.or_else(|error| if error.exit() == Exit::Fine { Ok(()) } else { Err(error) });
    let verdict = shown.and(verdict);
    if talk.0 == LogFormat::Text {
        talk.stopped(console, reason, &totals, &astray, &written);
        return judge(reason, (&totals, &astray), child.as_ref(), verdict, console);
    }
    // That it has stopped is the last thing that machines are told.
    let ended = judge(reason, (&totals, &astray), child.as_ref(), verdict, console);
    let exit = ended.unwrap_or_else(|error| {
        let exit = error.exit();
        if exit != Exit::Fine {
            console.report(&error);
        }
        exit
    });
    talk.stopped(console, reason, &totals, &astray, &written);
    Ok(exit)
}

/// Starts the servers, with advice where that fails.
fn start(settings: Settings) -> Result<Listener, Error> {
    let grpc = settings.grpc.to_string();
    Listener::start(settings).map_err(|error| {
        let hints: Vec<String> = match &error {
            LiveError::Taken { address, owner, free } => {
                let flag = if address.to_string() == grpc { "--grpc" } else { "--http" };
                let port = address.to_string().rsplit(':').next().unwrap_or_default().to_owned();
                let look = owner.is_none().then(|| format!("`lsof -i :{port}` tells which process has it"));
                let free = free.map(|port| format!("port {port} is free: {flag} 127.0.0.1:{port}"));
                look.into_iter().chain(free).collect()
            }
            LiveError::Record { source, .. } if source.kind() == ErrorKind::InvalidData => {
                vec!["record to another file with -o, or remove this one first".to_owned()]
            }
            LiveError::Bind { address: Address::Unix(_), .. } => {
                vec!["give another path, or remove the file".to_owned()]
            }
            LiveError::Bind { .. } => vec!["port 0 takes any free port".to_owned()],
            _ => Vec::new(),
        };
        hints.into_iter().fold(Error::from(error), Error::hint)
    })
}

/// What goes on while requests arrive.
struct Watch<'a> {
    show: Show,
    /// Whether the show could be printed so far; one that cannot ends, and nothing else does.
    shown: Result<(), Error>,
    /// How long nothing has to come after a command has ended.
    quiet: Duration,
    /// Something else is done with what arrives than showing it.
    kept: bool,
    /// From when on a signal ends the process.
    last: &'a AtomicBool,
    talk: Talk,
}

impl Watch<'_> {
    /// Takes in what arrives until it is over.
    fn run(&mut self, listener: &mut Listener, mut child: Option<&mut Running>, console: &mut Console) -> Reason {
        let mut reason = Reason::Interrupted;
        let (mut heard, mut ended) = (false, false);
        while let Some(arrival) = listener.next() {
            match arrival {
                Arrival::Batch(batch) if self.shown.is_ok() => self.show.take(&batch),
                Arrival::Batch(_) | Arrival::Quiet => {}
                Arrival::Note(note) => self.show.aside(|| self.talk.note(console, &note)),
                Arrival::Signal(signal) => {
                    // A command may have something to do at the first signal, and again at the second.
                    self.last.store(heard || child.is_none(), Ordering::Relaxed);
                    heard = true;
                    match &child {
                        Some(child) => child.signal(signal),
                        None => listener.stop(signal),
                    }
                }
                Arrival::Stop(why) => reason = why,
            }
            self.settle(false, console);
            if self.shown.is_err() && !self.kept {
                listener.stop(Reason::Unread);
            }
            self.show.tick(&listener.totals());
            // Notes may still come when it is over: its span is recorded once.
            if let Some(child) = &mut child
                && !ended
                && child.is_over(listener.quiet(), self.quiet)
            {
                ended = true;
                if let Some(span) = child.root_span() {
                    listener.record(span, Encoding::Json);
                }
                listener.stop(Reason::Command);
            }
        }
        self.settle(true, console);
        reason
    }

    fn settle(&mut self, all: bool, console: &mut Console) {
        if self.shown.is_ok() {
            self.shown = self.show.settle(all, console);
        }
    }
}
