//! The spans of a capture that pass a filter, in the order of the inputs.
//!
//! Comes in: a capture and a filter. Goes out: requests, and the times these spans reach from and to. Inputs are read again from the
//! start; nothing but the capture itself is kept.

use super::gather::Gather;
use super::plan::{Plan, Planned};
use crate::capture::{Capture, Head, SourceId, SpanRef};
use crate::input::InputError;
use crate::otlp::Seen;
use crate::query::{Filter, ended};

/// The times that spans reach from and to, Unix nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// How many spans there are.
    pub spans: u64,
    /// The earliest start; zero where none has one.
    pub start: u64,
    /// The earliest moment a span was over.
    pub first: u64,
    /// The last moment a span was over.
    pub last: u64,
}

/// The moment a span was over: its end, or its start where it never ended.
pub(super) fn over(head: &Head) -> u64 {
    if head.end == 0 { head.start } else { head.end }
}

/// Whether a span passes.
pub(super) fn passes(capture: &Capture, filter: &Filter, span: SpanRef) -> bool {
    filter.is_open() || filter.admits(capture, span, ended(capture.head(span)))
}

/// Where the spans that pass reach from and to.
pub fn reach(capture: &Capture, filter: &Filter) -> Reach {
    let mut reach = Reach::default();
    let earlier = |known: u64, time: u64| if known == 0 || time != 0 && time < known { time } else { known };
    for span in capture.spans().filter(|span| passes(capture, filter, *span)) {
        let head = capture.head(span);
        reach.spans += 1;
        reach.start = earlier(reach.start, head.start);
        reach.first = earlier(reach.first, over(head));
        reach.last = reach.last.max(over(head));
    }
    reach
}

/// Gives the spans that pass as requests. `give` says whether to go on. The answer is
/// the number of spans that were lost because a temporary file could not be read back.
pub fn chosen(
    capture: &Capture,
    filter: &Filter,
    plan: &Plan,
    give: &mut dyn FnMut(Planned) -> bool,
) -> Result<u64, InputError> {
    let mut gather = Gather::new(plan);
    let mut spans = capture.spans().peekable();
    let mut going = true;
    for (source, number) in capture.sources().iter().zip(0..).filter(|(source, _)| source.spans > 0) {
        let id = SourceId(number);
        let mut take = |seen: Seen<'_, '_>| {
            let wanted = match &seen {
                Seen::Span(_, at) => {
                    // Both readings see the same spans in the same order; places make sure of it.
                    while spans.next_if(|span| before(capture.head(*span), id, *at)).is_some() {}
                    let own = spans.next_if(|span| here(capture.head(*span), id, *at));
                    own.is_some_and(|span| passes(capture, filter, span))
                }
                _ => true,
            };
            gather.take(seen, wanted, &mut |planned| going = going && give(planned));
            going
        };
        let mut go_on = true;
        let result = capture.reread_while(id, &mut |seen| {
            if go_on {
                go_on = take(seen);
            }
            go_on
        });
        result.map_err(|error| InputError::Read { path: source.path.clone(), source: error })?;
        if !going {
            return Ok(0);
        }
    }
    Ok(gather.finish(&mut |planned| going = going && give(planned)))
}

fn before(head: &Head, source: SourceId, at: u64) -> bool {
    (head.source, head.at) < (source, at)
}

fn here(head: &Head, source: SourceId, at: u64) -> bool {
    (head.source, head.at) == (source, at)
}
