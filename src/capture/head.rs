//! The one small record that is kept for every span, whatever the size of the span.
//!
//! 80 bytes a span: ids, times, sizes, where its bytes are, and one word of marks. Everything else about a span is read
//! from its bytes again when somebody asks.

use crate::agent::Role;
use crate::model::{Kind, Nanos, Outcome, SpanId, Status, Termination, TraceId};
use crate::otlp::Shape;

/// A span of a capture: an index that stays valid as long as the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanRef(pub u32);

/// A text of a capture's dictionary: span names, service names, scope names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(pub u32);

impl NameId {
    /// Whether it is that of the empty text.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A resource together with an instrumentation scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(pub u32);

/// One of the inputs of a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u16);

impl SourceId {
    /// How many inputs can be told apart.
    pub const MOST: usize = u16::MAX as usize;
}

/// What is kept of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its trace.
    pub trace: TraceId,
    /// Its own id.
    pub id: SpanId,
    /// Its parent's id; zero for a root.
    pub parent: SpanId,
    /// Start, Unix nanoseconds; zero when missing.
    pub start: u64,
    /// End, Unix nanoseconds; zero when it never ended.
    pub end: u64,
    /// Where its bytes begin in the decoded stream of its source.
    pub at: u64,
    /// How many bytes they are; `u32::MAX` stands for that many or more.
    pub size: u32,
    /// Its name.
    pub name: NameId,
    /// Where it came from.
    pub origin: OriginId,
    /// What else is known of it.
    pub marks: Marks,
    /// Number of attributes; `u16::MAX` stands for that many or more.
    pub attributes: u16,
    /// Number of events, as above.
    pub events: u16,
    /// Number of links, as above.
    pub links: u16,
    /// The input it was read from.
    pub source: SourceId,
}

impl Head {
    /// The record of no span.
    pub const NONE: Self = Self {
        trace: TraceId(0),
        id: SpanId(0),
        parent: SpanId(0),
        start: 0,
        end: 0,
        at: 0,
        size: 0,
        name: NameId(0),
        origin: OriginId(0),
        marks: Marks(0),
        attributes: 0,
        events: 0,
        links: 0,
        source: SourceId(0),
    };

    /// How long it took; zero when it has no start or end, or ends before it starts.
    pub fn duration(&self) -> Nanos {
        if self.start == 0 || self.end == 0 { Nanos(0) } else { Nanos(self.end.saturating_sub(self.start)) }
    }

    /// How it ended, as its own record says it: cancelled before error before unfinished before ok.
    pub fn outcome(&self) -> Outcome {
        match self.marks.status() {
            _ if self.marks.termination() != Termination::None => Outcome::Cancelled,
            Status::Error => Outcome::Error,
            _ if self.end == 0 => Outcome::Unfinished,
            _ => Outcome::Ok,
        }
    }

    /// Whether it names no parent.
    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// Whether two records of one id say the same in everything that is kept (names, times, kind, status, counts, origin), wherever
    /// they were read. What attributes and events say is not kept, and not compared.
    pub fn repeats(&self, other: &Self) -> bool {
        let same = |head: &Self| Self {
            at: 0,
            source: SourceId(0),
            size: 0,
            marks: Marks(head.marks.0 & !Marks::SHAPE_MASK),
            ..*head
        };
        same(self) == same(other)
    }
}

/// Facts about a span in one word.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $get:ident, $set:ident = $bit:literal;)*) => {
        impl Marks {
            $(
                $(#[$doc])*
                pub fn $get(self) -> bool {
                    self.0 & (1 << $bit) != 0
                }

                #[doc = concat!("Sets [`Self::", stringify!($get), "`].")]
                pub fn $set(&mut self, yes: bool) {
                    self.0 = self.0 & !(1 << $bit) | u32::from(yes) << $bit;
                }
            )*
        }
    };
}

flags! {
    /// The trace id is missing, all zero, or not 16 bytes.
    bad_trace_id, set_bad_trace_id = 0;
    /// The span id is missing, all zero, or not 8 bytes.
    bad_span_id, set_bad_span_id = 1;
    /// A parent id is given that is all zero or not 8 bytes.
    bad_parent_id, set_bad_parent_id = 2;
    /// `flags` say whether the parent is remote (bit 8, OTLP `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`).
    remote_known, set_remote_known = 3;
    /// `flags` say the parent is remote (bit 9, OTLP `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`).
    remote, set_remote = 4;
    /// An attribute's value is over 2 MiB (2,097,152 characters, Letta's `MAX_PARAM_SIZE`), a truncation note not counted.
    over_parameter_budget, set_over_parameter_budget = 5;
    /// The attributes' values together are over 4 MiB (4,194,304 characters, Letta's `MAX_TOTAL_SIZE`).
    over_span_budget, set_over_span_budget = 6;
    /// The producer dropped attributes, events or links (a `dropped_*_count` is not zero).
    dropped, set_dropped = 7;
    /// An `exception` event is recorded.
    exception, set_exception = 8;
    /// It says something about an agent's run: see [`super::Capture::brief`].
    brief, set_brief = 26;
    /// It names its conversation and says nothing else about an agent's run: see [`super::Capture::conversation`].
    session, set_session = 27;
}

impl Marks {
    const SHAPE_MASK: u32 = 0b111 << 18;

    /// Its kind.
    pub fn kind(self) -> Kind {
        Kind::ALL.get((self.0 >> 9 & 0b111) as usize).copied().unwrap_or_default()
    }

    /// Sets [`Self::kind`].
    pub fn set_kind(&mut self, kind: Kind) {
        self.0 = self.0 & !(0b111 << 9) | (kind as u32) << 9;
    }

    /// Its status.
    pub fn status(self) -> Status {
        Status::from_number((self.0 >> 12 & 0b11).cast_signed())
    }

    /// Sets [`Self::status`].
    pub fn set_status(&mut self, status: Status) {
        self.0 = self.0 & !(0b11 << 12) | (status as u32) << 12;
    }

    /// What it says about being cancelled.
    pub fn termination(self) -> Termination {
        match self.0 >> 14 & 0b11 {
            1 => Termination::Cancelled,
            2 => Termination::Requested,
            _ => Termination::None,
        }
    }

    /// Sets [`Self::termination`].
    pub fn set_termination(&mut self, termination: Termination) {
        self.0 = self.0 & !(0b11 << 14) | (termination as u32) << 14;
    }

    /// The format its bytes are in.
    pub fn shape(self) -> Shape {
        Shape::ALL.get((self.0 >> 18 & 0b111) as usize).copied().unwrap_or_default()
    }

    /// Sets [`Self::shape`].
    pub fn set_shape(&mut self, shape: Shape) {
        self.0 = self.0 & !Self::SHAPE_MASK | (shape as u32) << 18;
    }

    /// What it does in an agent's run, if that was recognised.
    pub fn role(self) -> Option<Role> {
        Role::from_number((self.0 >> 21 & 0b11111) as u8)
    }

    /// Sets [`Self::role`].
    pub fn set_role(&mut self, role: Option<Role>) {
        self.0 = self.0 & !(0b11111 << 21) | role.map_or(0, |role| u32::from(role.number())) << 21;
    }
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Marks({:?} {:?} {:?} {:?} {:09b})",
            self.kind(),
            self.status(),
            self.termination(),
            self.role(),
            self.0 & 0x1ff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_eighty_bytes() {
        assert_eq!(size_of::<Head>(), 80);
    }

    #[test]
    fn marks_do_not_disturb_each_other() {
        let mut marks = Marks::default();
        marks.set_kind(Kind::Consumer);
        marks.set_status(Status::Error);
        marks.set_termination(Termination::Requested);
        marks.set_shape(Shape::Console);
        marks.set_role(Some(Role::Llm));
        marks.set_remote(true);
        marks.set_exception(true);
        marks.set_remote(false);
        assert_eq!(
            (marks.kind(), marks.status(), marks.termination(), marks.shape(), marks.role()),
            (Kind::Consumer, Status::Error, Termination::Requested, Shape::Console, Some(Role::Llm))
        );
        assert!(marks.exception() && !marks.remote() && !marks.dropped());
    }
}
