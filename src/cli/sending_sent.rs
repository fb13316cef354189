//! How a run of sending ended.
//!
//! Comes in: counts, and where files are. Goes out: one JSON object, or lines for people, the most important first.

use serde::Serialize;

use super::sending_talk::counted;
use crate::render::Tone;

/// How it ended. The first fields are a contract with scripts.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Sent {
    pub(super) event: &'static str,
    pub(super) spans: u64,
    pub(super) requests: u64,
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) failed: u64,
    pub(super) retries: u64,
    pub(super) maybe_twice: u64,
    pub(super) maybe_there: u64,
    /// Spans that an earlier run has sent.
    pub(super) resumed_past: u64,
    /// Spans that were written to the dead letters.
    pub(super) dead_letters: u64,
    /// The first request that was not sent, where it was interrupted.
    pub(super) interrupted_at: Option<u64>,
    /// The first request that was not sent, where the receiver was given up on.
    pub(super) stopped_at: Option<u64>,
    /// The first request that was put aside without being sent.
    #[serde(skip)]
    pub(super) aside_from: Option<u64>,
    /// The receiver was given up on.
    pub(super) given_up: bool,
    pub(super) seconds: f64,
    #[serde(skip)]
    pub(super) to: String,
    /// How far it was, if that is known.
    #[serde(skip)]
    pub(super) part: Option<f64>,
    /// The file of dead letters.
    #[serde(skip)]
    pub(super) letters: Option<String>,
    /// The journal, where there is something left to resume.
    #[serde(skip)]
    pub(super) journal: Option<String>,
    /// A run like this can be resumed.
    #[serde(skip)]
    pub(super) resumable: bool,
}

impl Sent {
    /// In words.
    pub(super) fn lines(&self) -> Vec<(Tone, String)> {
        let spans = |number: u64| counted(number, "span");
        let mut lines = vec![(Tone::Quiet, self.first())];
        let letters = self.letters.as_deref().unwrap_or_default();
        let facts = [
            (self.resumed_past, format!("{} sent by an earlier run", spans(self.resumed_past))),
            (
                self.maybe_twice,
                format!("{} sent again after the answer was lost: they may be there twice", spans(self.maybe_twice)),
            ),
            (
                self.maybe_there,
                format!("{} not accepted, but an answer was lost: they may be there", spans(self.maybe_there)),
            ),
            (self.dead_letters, format!("{} put aside: tracectl replay {letters}", spans(self.dead_letters))),
        ];
        lines.extend(facts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| (Tone::Quiet, words)));
        lines.extend(self.stopped().map(|words| (Tone::Odd, words)));
        lines
    }

    /// Whether something did not arrive.
    pub(super) fn is_lossy(&self) -> bool {
        self.rejected + self.failed > 0 || self.given_up
    }

    fn first(&self) -> String {
        let mut words =
            format!("{} in {} to {}", counted(self.spans, "span"), counted(self.requests, "request"), self.to);
        if self.seconds >= 0.1 && self.accepted > 0 {
            words.push_str(&format!(", {:.1} s, {:.0} spans/s", self.seconds, self.accepted as f64 / self.seconds));
        }
        words.push_str(&format!(": {} accepted", self.accepted));
        let more = [(self.rejected, "rejected"), (self.failed, "not delivered")];
        for (number, what) in more.into_iter().filter(|(number, _)| *number > 0) {
            words.push_str(&format!(", {number} {what}"));
        }
        match self.retries {
            0 => {}
            1 => words.push_str(", 1 try again"),
            retries => words.push_str(&format!(", {retries} tries again")),
        }
        words
    }

    /// Where it stopped, and how it goes on.
    fn stopped(&self) -> Option<String> {
        let way_out = match &self.journal {
            Some(journal) => format!("; the same command with --resume {journal} goes on"),
            None if self.resumable => "; with --resume FILE another run goes on where one stopped".to_owned(),
            None => String::new(),
        };
        let far = self.part.filter(|part| *part >= 0.01);
        let far = far.map(|part| format!(", {:.0}% of the way", part * 100.0)).unwrap_or_default();
        match (self.interrupted_at, self.stopped_at) {
            (Some(at), _) => Some(format!("interrupted before request {}{far}{way_out}", at + 1)),
            (_, Some(at)) => Some(format!("given up before request {}{far}{way_out}", at + 1)),
            _ if self.aside_from.is_some() => self
                .aside_from
                .map(|at| format!("given up before request {}{far}; what follows was put aside too", at + 1)),
            _ if self.journal.is_some() => Some(format!("not all of it has arrived{way_out}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sent: &Sent) -> Vec<String> {
        sent.lines().into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn what_was_sent_is_said_in_short_lines() {
        let to = || "http://a:4318/v1/traces (http/protobuf)".to_owned();
        let fine = Sent { spans: 1, requests: 1, accepted: 1, to: to(), ..Sent::default() };
        assert_eq!(words(&fine), ["1 span in 1 request to http://a:4318/v1/traces (http/protobuf): 1 accepted"]);
        let torn = Sent {
            spans: 100,
            requests: 2,
            accepted: 50,
            failed: 50,
            retries: 1,
            maybe_twice: 50,
            dead_letters: 50,
            letters: Some("lost.pb".into()),
            interrupted_at: Some(2),
            part: Some(0.25),
            journal: Some("run.journal".into()),
            to: to(),
            ..Sent::default()
        };
        assert_eq!(
            words(&torn)[1..],
            [
                "50 spans sent again after the answer was lost: they may be there twice",
                "50 spans put aside: tracectl replay lost.pb",
                "interrupted before request 3, 25% of the way; the same command with --resume run.journal goes on",
            ]
        );
    }
}
