//! The nodes of a tree and what is counted over them.
//!
//! Plain data: filled by the rooms' other files, read by everyone after.

use crate::capture::SpanRef;
use crate::model::{Outcome, SpanId};

/// "No such node" in the arrays of a tree.
pub(super) const NONE: u32 = u32::MAX;

/// A span in its tree, or a placeholder for a parent that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The span; `None` for a placeholder.
    pub span: Option<SpanRef>,
    /// Its id, or the id that is missing.
    pub id: SpanId,
    /// Start, Unix nanoseconds; zero when missing. A placeholder starts with its first child.
    pub start: u64,
    /// End, Unix nanoseconds; zero when it never ended. A placeholder ends with its last child.
    pub end: u64,
    /// The part of its duration in which none of its children ran.
    pub self_ns: u64,
    /// Number of ancestors.
    pub depth: u32,
    /// How many identical repeats of the span were read besides this one.
    pub repeats: u32,
    /// At the place of a cancellation: how many cancelled ancestors it passed through.
    pub propagated: u32,
    pub(super) parent: u32,
    /// One past the last node of its subtree.
    pub(super) after: u32,
    /// For a cancelled span: the node where that cancellation happened.
    pub(super) cause: u32,
    /// How it ended; always `Ok` for a placeholder.
    pub outcome: Outcome,
    /// It was cancelled because somebody asked for it.
    pub expected: bool,
    /// What is odd about it.
    pub flags: Flags,
}

/// What is odd about a node, and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    /// Its parent id is set, but no span of its trace has that id.
    pub const ORPHAN: Self = Self(1);
    /// It is part of a cycle of parent ids, or its own parent.
    pub const CYCLE: Self = Self(1 << 1);
    /// Another span of its trace has the same id and says something else.
    pub const DUPLICATE: Self = Self(1 << 2);
    /// Its flags say that its parent is in another process.
    pub const REMOTE_PARENT: Self = Self(1 << 3);
    /// It and a span of the other kind (client, server) share one id, as Zipkin writes the two halves of a call.
    pub const SHARED_ID: Self = Self(1 << 4);
    /// It starts before its parent does.
    pub const BEFORE_PARENT: Self = Self(1 << 5);
    /// It ends after the root of its tree does.
    pub const OUTLIVES_ROOT: Self = Self(1 << 6);
    /// It starts after the root of its tree has ended.
    pub const AFTER_ROOT: Self = Self(1 << 7);
    /// It is on the critical path: see [`super::Tree::mark_critical_path`].
    pub const CRITICAL: Self = Self(1 << 8);
    /// It is the deepest span of a cancellation: the place where it happened.
    pub const CANCELLED_HERE: Self = Self(1 << 9);
    /// It names no parent.
    pub const ROOT: Self = Self(1 << 10);
    /// The missing parent is known to be of the same process.
    pub const PARENT_LOCAL: Self = Self(1 << 11);
    /// A placeholder is among its ancestors.
    pub const UNDER_PLACEHOLDER: Self = Self(1 << 12);
    /// It arrived after its trace had settled.
    pub const LATE: Self = Self(1 << 13);

    /// Whether any of the given flags is set.
    pub fn has(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// All flags of both.
    pub fn with(self, flags: Self) -> Self {
        Self(self.0 | flags.0)
    }

    pub(super) fn add(&mut self, flags: Self) {
        self.0 |= flags.0;
    }

    pub(super) fn remove(&mut self, flags: Self) {
        self.0 &= !flags.0;
    }

    /// The names used in JSON, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (Self::ORPHAN, "orphan"),
            (Self::CYCLE, "cycle"),
            (Self::DUPLICATE, "duplicate"),
            (Self::LATE, "late"),
            (Self::REMOTE_PARENT, "remote_parent"),
        ];
        all.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }
}

/// What became of a missing parent, by the flags of the spans that name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// It belongs to the same process: it was lost, or never ended.
    Local,
    /// It belongs to another process, which writes elsewhere.
    Remote,
    /// Nothing says.
    Unknown,
}

impl Node {
    /// How long it took; zero when it has no start or end, or ends before it starts.
    pub fn duration_ns(&self) -> u64 {
        if self.start == 0 || self.end == 0 { 0 } else { self.end.saturating_sub(self.start) }
    }

    /// Its end, or its start when it never ended.
    pub fn last_ns(&self) -> u64 {
        self.end.max(self.start)
    }

    /// What the span's flags say about the process its missing parent is in.
    pub fn grade(&self) -> Grade {
        match (self.flags.has(Flags::REMOTE_PARENT), self.flags.has(Flags::PARENT_LOCAL)) {
            (true, _) => Grade::Remote,
            (_, true) => Grade::Local,
            _ => Grade::Unknown,
        }
    }
}

/// What is counted over one trace. Every span that was read counts, identical repeats included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Spans read.
    pub spans: u32,
    /// Spans without a parent id.
    pub roots: u32,
    /// Spans whose parent id no span of the trace has.
    pub orphans: u32,
    /// Placeholders: different ids that are missing.
    pub missing: u32,
    /// Spans with status ERROR, cancelled or not.
    pub errors: u32,
    /// Spans whose outcome is error: status ERROR and not cancelled.
    pub failed: u32,
    /// Spans whose outcome is cancelled, expected or not.
    pub cancelled: u32,
    /// The cancelled ones that somebody asked for.
    pub expected: u32,
    /// Spans without an end and without error or cancellation.
    pub unfinished: u32,
    /// Spans whose outcome is ok.
    pub ok: u32,
    /// Spans that repeat a span id already seen in the trace, identical or not.
    pub duplicates: u32,
    /// Spans in cycles.
    pub cycles: u32,
    /// Different services, those without a name not counted.
    pub services: u32,
    /// The largest depth of a node.
    pub depth: u32,
    /// The earliest start; zero when no span has one.
    pub start: u64,
    /// The latest end or, for spans that never ended, start.
    pub end: u64,
}

impl Counts {
    /// From the earliest start to the latest end.
    pub fn duration_ns(&self) -> u64 {
        if self.start == 0 { 0 } else { self.end.saturating_sub(self.start) }
    }
}
