//! `tracectl listen`: receive spans, record them, show them.
//!
//! Comes in: options, requests from the network, perhaps a command to run. Goes out: a record, the traces or a judgement of
//! them, and how it ended.

use std::time::Duration;

use super::Exit;
use super::config::Config;
use super::console::Console;
use super::error::Error;
use super::listen_args::Args;
use super::listen_child::{Running, Ways};
use super::listen_conclude::{conclude, judge, spare};
use super::listen_settings::{Asked, Showing};
use super::listen_show::Show;
use super::listen_talk::Talk;
use crate::live::{Arrival, Encoding, Listener, LiveError, Reason, Settings};

/// Runs the command.
pub(super) fn run(args: &Args, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let asked = Asked { args, config };
    let showing = asked.showing(console)?;
    let judgement = asked.judgement(console)?;
    let prices = args.lint.judging.prices.prices(config)?;
    let spare = spare(asked.output()?.as_deref(), showing.at_end || judgement.is_some())?;
    let settings = asked.settings(console, spare.as_ref().map(|folder| folder.path().join("run.pb")))?;
    let quiet = asked.quiet_period()?;
    let (token, cert) = (settings.token.clone(), settings.tls.as_ref().map(|tls| tls.cert.clone()));
    let mut listener = start(settings)?;
    let talk = Talk(asked.log_format());
    talk.ready(console, listener.grpc(), listener.http(), cert.is_some());
    let ways = Ways { grpc: listener.grpc(), http: listener.http(), cert: cert.as_deref(), token: token.as_deref() };
    let mut child = match args.command.is_empty() {
        true => None,
        false => Some(Running::start(&args.command, &ways, args.root, console)?),
    };
    listener.begin();
    let reason = watch(showing, quiet, &mut listener, child.as_mut(), talk, console)?;
    let totals = listener.totals();
    let verdict = match totals.spans {
        0 => Ok(Exit::Fine),
        _ => conclude(&listener.written(), showing, prices, judgement, console),
    };
    drop(listener);
    talk.stopped(console, reason, &totals);
    judge(reason, &totals, child.as_ref(), verdict, console)
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
            LiveError::Bind { .. } => vec!["port 0 takes any free port".to_owned()],
            _ => Vec::new(),
        };
        hints.into_iter().fold(Error::from(error), Error::hint)
    })
}

/// Takes in what arrives until it is over.
fn watch(
    showing: Showing,
    quiet: Duration,
    listener: &mut Listener,
    mut child: Option<&mut Running>,
    talk: Talk,
    console: &mut Console,
) -> Result<Reason, Error> {
    let mut show = Show::new(showing, console);
    let mut reason = Reason::Interrupted;
    while let Some(arrival) = listener.next() {
        match arrival {
            Arrival::Batch(batch) => show.take(&batch),
            Arrival::Note(note) => show.aside(|| talk.note(console, &note)),
            Arrival::Signal(signal) => match &child {
                Some(child) => child.signal(signal),
                None => listener.stop(signal),
            },
            Arrival::Quiet => {}
            Arrival::Stop(why) => reason = why,
        }
        show.settle(false, console)?;
        show.tick(&listener.totals());
        if let Some(child) = &mut child
            && child.is_over(listener.quiet(), quiet)
        {
            if let Some(span) = child.root_span() {
                listener.record(span, Encoding::Json);
            }
            listener.stop(Reason::Command);
        }
    }
    show.settle(true, console)?;
    Ok(reason)
}
