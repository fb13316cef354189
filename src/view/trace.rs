//! One trace as a heading and rows, ready to be drawn.
//!
//! Comes in: a tree and what to show of it. Goes out: borrowed names and a few owned strings for the rows that need their
//! spans read again.

use super::again::{hush_echoes, read_details, read_tools};
use super::books::{Books, has_calls};
use super::built::{Built, is_of_run};
use super::pick::{self, LeftOut, Wrong};
use super::row::Row;
use super::settings::Settings;
use crate::agent::Role;
use crate::capture::Capture;
use crate::forest::{Counts, Node, Tree};
use crate::input::InputError;
use crate::ledger::Sums;
use crate::model::TraceId;

/// A trace, ready to be drawn.
#[derive(Clone, Debug)]
pub struct TraceView<'c> {
    /// What stands above the rows.
    pub heading: Heading<'c>,
    /// The rows, depth first.
    pub rows: Vec<Row<'c>>,
    /// What has no row.
    pub left_out: LeftOut,
    /// The nodes of the rows, in the order of the tree.
    pub(super) nodes: Vec<usize>,
}

/// What is said of a trace as a whole.
#[derive(Clone, Debug)]
pub struct Heading<'c> {
    /// Its id.
    pub id: TraceId,
    /// The name of its root, or of its first span when it has no root.
    pub name: &'c str,
    /// The service of the same span.
    pub service: &'c str,
    /// Whether that span is a root.
    pub rooted: bool,
    /// When that root ended; zero when it did not or there is none.
    pub root_end: u64,
    /// When that root started.
    pub root_start: u64,
    /// The last end beneath that root.
    pub work_end: u64,
    /// All services, by name.
    pub services: Vec<&'c str>,
    /// What was counted.
    pub counts: Counts,
    /// How many tools failed by their own word alone.
    pub failed_tools: u64,
    /// How much else failed by its own word alone.
    pub failed_calls: u64,
    /// What its calls to models and tools took, where it has any; those of nested traces among them.
    pub totals: Option<Sums>,
    /// The traces that lost their context and are nested in it.
    pub nested: Nested,
    /// Where it belongs itself, if its context was lost and it is shown apart.
    pub belongs: Option<Belongs<'c>>,
}

/// Traces that lost their context and are nested in another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nested {
    /// How many.
    pub traces: u64,
    /// Their spans.
    pub spans: u64,
    /// What went wrong with them.
    pub wrong: Wrong,
}

/// Where a trace belongs that lost its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belongs<'c> {
    /// The trace of its parent.
    pub trace: TraceId,
    /// The name of its parent.
    pub name: &'c str,
    /// What they share.
    pub by: &'static str,
}

impl<'c> TraceView<'c> {
    /// The rows of a built tree, `depth` levels of it.
    pub(super) fn of(
        capture: &'c Capture,
        tree: &Tree,
        settings: &Settings,
        depth: Option<u32>,
        books: Option<&Books>,
    ) -> Result<Self, InputError> {
        let built = Built { capture, tree, books };
        let mut heading = Heading::of(capture, tree);
        heading.totals = books.map(|books| books.totals(tree)).filter(has_calls);
        for at in (0..tree.nodes().len()).filter(|at| built.fails_silently(*at)) {
            *(if built.is_tool(at) { &mut heading.failed_tools } else { &mut heading.failed_calls }) += 1;
        }
        let (items, left_out) = pick::pick(&built, settings, depth);
        let rows = items.iter().filter_map(|item| Some((Row::of(&built, item, heading.service)?, item.node)));
        let (mut rows, nodes): (Vec<Row<'c>>, Vec<usize>) = rows.unzip();
        read_details(capture, &mut rows, settings)?;
        if let Some(books) = books {
            read_tools(capture, &mut rows, &nodes, books)?;
        }
        let echoes = hush_echoes(&mut rows);
        let mut view = Self { heading, rows, left_out, nodes };
        if settings.agents {
            view.drop_echoes(&echoes);
        }
        Ok(view)
    }

    /// Takes out the rows of spans between those of agents' runs that only passed an error or a cancellation on.
    fn drop_echoes(&mut self, echoes: &[bool]) {
        let plain = |row: &Row<'_>| {
            let facts = row.facts.as_ref();
            facts.is_none_or(|facts| facts.duplicate || !facts.role.is_some_and(is_of_run))
        };
        let (rows, nodes) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.nodes));
        // Levels of rows above that are gone.
        let mut gone: Vec<u32> = Vec::new();
        for ((mut row, node), echo) in rows.into_iter().zip(nodes).zip(echoes) {
            while gone.pop_if(|level| *level >= row.depth).is_some() {}
            if *echo && row.depth > 0 && row.below == 0 && plain(&row) {
                gone.push(row.depth);
                self.left_out.between += 1 + u64::from(row.repeats);
                continue;
            }
            row.depth -= gone.len() as u32;
            self.rows.push(row);
            self.nodes.push(node);
        }
        mark_last(&mut self.rows);
    }

    /// Leaves the sums where they say something new: on a row whose calls are not those of a row above that shows them, nor a
    /// single one that has a row of its own.
    pub(super) fn roll_up(&mut self) {
        // What is shown at or above each row of the path.
        let mut path: Vec<Option<Sums>> = Vec::new();
        for row in &mut self.rows {
            path.truncate(row.depth as usize);
            let above = path.last().copied().flatten();
            let Some(facts) = &mut row.facts else {
                path.push(above);
                continue;
            };
            let unit = facts.role.is_some_and(|role| role == Role::Workflow || is_of_run(role));
            let alone = row.below == 0 && row.fold.is_none() && !unit;
            let new = |sums: &Sums| !(alone && sums.calls() == 1) && above.is_none_or(|above| !same(&above, sums));
            facts.totals = facts.totals.filter(|sums| sums.calls() > 0 && new(sums));
            path.push(facts.totals.or(above));
        }
    }
}

/// Whether two sums are of the same calls.
fn same(one: &Sums, other: &Sums) -> bool {
    let bare = |sums: &Sums| Sums { duplicate_calls: 0, ..*sums };
    bare(one) == bare(other)
}

impl<'c> Heading<'c> {
    fn of(capture: &'c Capture, tree: &Tree) -> Self {
        let root = tree.root();
        let main = root.or_else(|| tree.nodes().iter().position(|node| node.span.is_some()));
        let node = main.and_then(|at| tree.nodes().get(at));
        let span = node.and_then(|node| node.span);
        let beneath = root.and_then(|root| tree.nodes().get(root..tree.after(root))).unwrap_or_default();
        Self {
            id: tree.id(),
            name: span.map_or("", |span| capture.name(span)),
            service: span.map_or("", |span| capture.service(span)),
            rooted: root.is_some(),
            root_end: beneath.first().map_or(0, |root| root.end),
            root_start: beneath.first().map_or(0, |root| root.start),
            work_end: beneath.iter().map(Node::last_ns).max().unwrap_or_default(),
            services: tree.services(capture),
            counts: *tree.counts(),
            failed_tools: 0,
            failed_calls: 0,
            totals: None,
            nested: Nested::default(),
            belongs: None,
        }
    }

    /// When work went on after the root had ended by more than a fiftieth of the whole: until when.
    pub fn background_until(&self) -> Option<u64> {
        let after = self.work_end.saturating_sub(self.root_end);
        let timed = self.root_start != 0 && self.root_end >= self.root_start;
        (timed && after > self.counts.duration_ns() / 50).then_some(self.work_end)
    }

    /// The traces nested in it and itself.
    pub(super) fn with_nested(&self) -> Nested {
        let own = Wrong {
            failed: u64::from(self.counts.failed) + self.failed_tools + self.failed_calls,
            cancelled: self.counts.cancelled.into(),
        };
        let mut all = Nested { traces: self.nested.traces + 1, ..self.nested };
        all.spans += u64::from(self.counts.spans);
        all.wrong.add(own);
        all
    }
}

/// Finds, from the end, the last row of every set of siblings.
pub(super) fn mark_last(rows: &mut [Row<'_>]) {
    let mut seen: Vec<bool> = Vec::new();
    for row in rows.iter_mut().rev() {
        let level = row.depth as usize;
        seen.resize(level + 1, false);
        if let Some(seen) = seen.get_mut(level) {
            row.last = !std::mem::replace(seen, true);
        }
    }
}
