//! A worker: takes request after request and does not let go of one before its fate is known.
//!
//! Comes in: the queue. Goes out: an outcome for every request.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Answer, Others};
use super::backoff::Backoff;
use super::line::{Line, Packed};
use super::outcome::{Event, Outcome, Request, Verdict};
use super::shared::{ASKED, Haste, Shared};

/// Larger requests are not sent: receivers refuse what is a fraction of that, and a client should (OTLP's own bound).
const LARGEST: usize = 64 << 20;

/// Works until the queue is closed and empty.
pub(super) async fn work(shared: Arc<Shared>, number: u64) {
    let mut line = Line::new(Arc::clone(&shared.target), shared.clock);
    let mut backoff = Backoff::new(shared.seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
    loop {
        let next = shared.queue.lock().await.recv().await;
        let Some(request) = next else { return };
        shared.meter.taken_up();
        let mut case =
            Case { shared: &shared, tag: request.tag, tries: 0, lost: request.doubtful, twice: false, told: false };
        let verdict = case.deliver(&mut line, &mut backoff, &request).await;
        let (tries, lost, twice) = (case.tries, case.lost, case.twice);
        shared.settle(request, verdict, |tag, spans, verdict, undelivered| Outcome {
            tag,
            spans,
            verdict,
            tries,
            lost,
            twice,
            undelivered,
        });
    }
}

/// One request on its way.
struct Case<'s> {
    shared: &'s Shared,
    tag: u64,
    tries: u32,
    /// An answer was lost.
    lost: bool,
    /// It was sent again after that.
    twice: bool,
    /// It was said that it may be there.
    told: bool,
}

impl Case<'_> {
    async fn deliver(&mut self, line: &mut Line, backoff: &mut Backoff, request: &Request) -> Verdict {
        let failed = |message: String| Verdict::Failed { message };
        if self.shared.haste() != Haste::None {
            return Verdict::Unsent;
        }
        if request.bytes.len() > LARGEST {
            return failed(format!("larger than {} MiB, which no receiver is asked to take", LARGEST >> 20));
        }
        if !self.shared.target.takes(request.encoding) {
            return failed("gRPC takes protobuf only".to_owned());
        }
        let packed = match self.shared.target.packing.pack(&request.bytes) {
            Ok(bytes) => Packed { bytes, encoding: request.encoding },
            Err(error) => return failed(format!("cannot be compressed: {error}")),
        };
        if let Err(verdict) = self.turn().await {
            return verdict;
        }
        let begun = Instant::now();
        loop {
            let (why, asked) = match self.attempt(line, &packed).await {
                Answer::Taken { rejected, message } => return self.taken(rejected, message),
                Answer::Refused { why, others } => {
                    let all = others == Others::AreRefused || others == Others::AreRefusedIfNoneWasTaken && !self.met();
                    if all {
                        self.shared.give_up(&why);
                    }
                    return Verdict::Rejected { message: why };
                }
                Answer::Never(why) if !self.met() => {
                    self.shared.give_up(&why);
                    return failed(why);
                }
                // It did take requests: this is an accident, whatever became of the request.
                Answer::Never(why) => {
                    self.lost |= line.begun;
                    (why, None)
                }
                Answer::Later { why, wait, lost } => {
                    self.lost |= lost;
                    (why, wait)
                }
            };
            self.back();
            let wait = backoff.wait(self.tries, asked);
            if asked.is_some() {
                self.shared.throttle(wait);
            }
            if let Some(why) = self.gives_up(begun, wait, asked, &why, line.begun) {
                return failed(why);
            }
            self.shared.waits(&why, wait, asked.is_some());
            if !self.shared.pause(wait).await || self.turn().await.is_err() {
                return failed(self.shared.given_up().unwrap_or(why));
            }
        }
    }

    /// Whether the receiver has ever taken a request.
    fn met(&self) -> bool {
        self.shared.taken_after(None)
    }

    /// Waits until the receiver wants to be asked again, as it told somebody.
    async fn turn(&self) -> Result<(), Verdict> {
        while let Some(rest) = self.shared.throttled() {
            if rest > ASKED + Duration::from_secs(1) {
                return Err(Verdict::Failed { message: format!("the receiver asked to be left alone for {rest:.0?}") });
            }
            if !self.shared.pause(rest).await {
                return Err(Verdict::Unsent);
            }
        }
        Ok(())
    }

    /// One try, within its time.
    async fn attempt(&mut self, line: &mut Line, packed: &Packed) -> Answer {
        if self.shared.haste() == Haste::Now {
            return Answer::unsent("it was given up".to_owned());
        }
        if self.tries > 0 {
            self.shared.meter.retried();
        }
        self.tries += 1;
        let limit = self.shared.target.timeout;
        let mut haste = self.shared.haste.subscribe();
        let begin = || {
            self.twice |= self.lost;
            if !std::mem::replace(&mut self.told, true) {
                self.shared.tell(Event::Begun { tag: self.tag });
            }
        };
        let answer = tokio::select! {
            answer = line.post(packed, begin) => return answer,
            () = tokio::time::sleep(limit) => format!("no answer within {limit:?}"),
            _ = haste.wait_for(|haste| *haste == Haste::Now) => "it was given up".to_owned(),
        };
        let begun = line.begun;
        line.close();
        if begun { Answer::lost(answer) } else { Answer::unsent(answer) }
    }

    /// Says that it is not there, where that is sure.
    fn back(&mut self) {
        if !self.lost && std::mem::take(&mut self.told) {
            self.shared.tell(Event::Back { tag: self.tag });
        }
    }

    fn taken(&self, rejected: u64, message: String) -> Verdict {
        self.shared.takes_again();
        if rejected > 0 { Verdict::Partial { rejected, message } } else { Verdict::Accepted { warning: message } }
    }

    /// Why it is not tried again, if it is not. `sent`: something of the last try was.
    fn gives_up(
        &self,
        begun: Instant,
        wait: Duration,
        asked: Option<Duration>,
        why: &str,
        sent: bool,
    ) -> Option<String> {
        let patience = self.shared.patience;
        if self.shared.haste() != Haste::None || self.shared.is_down() {
            return Some(self.shared.given_up().unwrap_or_else(|| why.to_owned()));
        }
        if let Some(asked) = asked.filter(|asked| *asked > ASKED) {
            let why = format!("{why}: the receiver asks to come again in {asked:?}, and {ASKED:?} is the longest wait");
            self.shared.give_up(&why);
            return Some(why);
        }
        let elapsed = begun.elapsed();
        // What the receiver asks for is granted as long as there is any patience left.
        let patient = if asked.is_some() { elapsed < patience } else { elapsed.saturating_add(wait) <= patience };
        if patient {
            return None;
        }
        let times = if self.tries == 1 { "once".to_owned() } else { format!("{} times", self.tries) };
        let why = format!("{why} (tried {times})");
        // Where others were taken meanwhile, or no more than one try was asked for, one failure is no sign for the rest.
        let alone = self.shared.taken_after(Some(begun));
        let only_try = patience.is_zero() && sent;
        if !alone && !only_try {
            self.shared.give_up(&why);
        }
        Some(why)
    }
}
