//! What `tracectl emit` was asked for, beside what it has made so far.
//!
//! Comes in: a plan, and what has been made. Goes out: how far it is, and the faults that changed nothing.

use std::io;

use crate::emit::{Hits, Made, Plan};
use crate::render::{Ink, Render, Tone};

/// What was asked for.
pub(super) struct Wishes {
    /// How much: spans where their number was asked for, else traces.
    pub(super) amount: u64,
    /// It is a number of spans.
    pub(super) by_spans: bool,
    faults: Hits,
}

impl Wishes {
    /// Those of a plan.
    pub(super) fn of(plan: &Plan) -> Self {
        let by_spans = plan.extent.spans != u64::MAX;
        let mut faults = Hits::default();
        plan.faults.iter().for_each(|wanted| faults.add(wanted.fault));
        Self { amount: plan.extent.spans.min(plan.traces()), by_spans, faults }
    }

    /// How much of it there is.
    pub(super) fn done(&self, made: &Made) -> u64 {
        if self.by_spans { made.spans } else { made.traces }
    }

    /// Faults that hit traces in which there was nothing to spoil.
    pub(super) fn idle(&self, made: &Made) -> impl Iterator<Item = Idle> + use<> {
        let (faults, made) = (self.faults, *made);
        let idle = faults.each().filter(move |fault| made.hit.has(*fault) && !made.spoilt.has(*fault));
        idle.map(|fault| Idle(fault.kind().name))
    }
}

/// A fault that changed nothing.
pub(super) struct Idle(&'static str);

impl Render for Idle {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        ink.put(Tone::Odd, "warning: ")?;
        ink.put(Tone::Plain, format!("the fault '{}' found nothing to spoil in these traces", self.0))?;
        ink.line()
    }
}
