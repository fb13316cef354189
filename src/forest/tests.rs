//! Every oddity a trace can have, in any order, and sizes that would show recursion or quadratic work.
//!
//! Spans are written as heads; nothing is read or parsed here.

use proptest::prelude::*;

use super::*;
use crate::capture::{Capture, Head, Marks, NameId, Origin, OriginId, SourceId, SpanRef};
use crate::model::{Kind, Outcome, SpanId, Status, Termination, TraceId};

/// A span of trace 1 without a parent.
fn span(id: u64, start: u64, end: u64) -> Head {
    Head {
        trace: TraceId(1 << 96),
        id: SpanId(id),
        parent: SpanId(0),
        start,
        end,
        at: 0,
        size: 100,
        name: NameId(1),
        origin: OriginId(0),
        marks: Marks::default(),
        attributes: 0,
        events: 0,
        links: 0,
        source: SourceId(0),
    }
}

fn child(id: u64, parent: u64, start: u64, end: u64) -> Head {
    Head { parent: SpanId(parent), ..span(id, start, end) }
}

fn marked(mut head: Head, mark: impl Fn(&mut Marks)) -> Head {
    mark(&mut head.marks);
    head
}

fn capture(heads: &[Head]) -> Capture {
    let texts = ["", "a", "b", "api", "db"].map(str::to_owned).to_vec();
    let origins = [3, 4].map(|service| Origin { service: NameId(service), scope: NameId(0) }).to_vec();
    Capture::of_parts(heads.to_vec(), texts, origins)
}

fn tree(heads: &[Head]) -> Tree {
    let capture = capture(heads);
    let mut tree = Tree::default();
    Forest::of(&capture).tree(&capture, 0, &mut tree);
    tree
}

/// One word a node: id, `?` for a placeholder, indented by depth.
fn shape(tree: &Tree) -> String {
    let lines = tree.nodes().iter().map(|node| {
        let missing = if node.span.is_none() { "?" } else { "" };
        format!("{}{}{missing}", ">".repeat(node.depth as usize), node.id.0)
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn node(tree: &Tree, id: u64) -> &Node {
    tree.nodes().iter().find(|node| node.id.0 == id && node.span.is_some()).unwrap()
}

#[test]
fn children_find_parents_that_come_later() {
    let heads = [child(3, 2, 30, 40), child(2, 1, 20, 60), child(4, 1, 70, 80), span(1, 10, 100)];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "1 >2 >>3 >4");
    assert_eq!(tree.children(0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(tree.parent(2), Some(1));
    assert_eq!((node(&tree, 1).self_ns, node(&tree, 2).self_ns), (90 - 40 - 10, 30));
    assert_eq!((tree.counts().spans, tree.counts().roots, tree.counts().ok, tree.counts().depth), (4, 1, 4, 2));
    assert_eq!((tree.counts().start, tree.counts().end), (10, 100));
}

#[test]
fn own_time_does_not_count_overlaps_twice_or_what_lies_outside() {
    let heads =
        [span(1, 100, 200), child(2, 1, 90, 130), child(3, 1, 120, 140), child(4, 1, 190, 900), child(5, 1, 300, 400)];
    assert_eq!(node(&tree(&heads), 1).self_ns, 100 - 40 - 10);
}

#[test]
fn orphans_stand_under_the_id_they_miss() {
    let local = |marks: &mut Marks| marks.set_remote_known(true);
    let remote = |marks: &mut Marks| {
        marks.set_remote_known(true);
        marks.set_remote(true);
    };
    let heads = [
        child(5, 0x77, 50, 51),
        marked(child(3, 0x77, 30, 31), local),
        span(1, 10, 100),
        marked(child(6, 0x88, 60, 70), remote),
        child(7, 6, 61, 62),
    ];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "1 119? >3 >5 136? >6 >>7");
    assert_eq!((tree.counts().orphans, tree.counts().missing, tree.counts().roots, tree.counts().spans), (3, 2, 1, 5));
    assert_eq!([3, 5, 6].map(|id| node(&tree, id).grade()), [Grade::Local, Grade::Unknown, Grade::Remote]);
    assert!(node(&tree, 6).flags.has(Flags::ORPHAN) && !node(&tree, 7).flags.has(Flags::ORPHAN));
    assert_eq!(node(&tree, 6).flags.names().collect::<Vec<_>>(), ["orphan", "remote_parent"]);
    let placeholder = &tree.nodes()[1];
    assert_eq!((placeholder.start, placeholder.end), (30, 51));
}

#[test]
fn several_roots_stand_by_start() {
    let heads = [span(2, 50, 60), span(1, 10, 20), child(3, 2, 51, 52)];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "1 2 >3");
    assert_eq!((tree.counts().roots, tree.root()), (2, Some(0)));
}

#[test]
fn cycles_are_cut_at_their_earliest_span() {
    // 1 → 3 → 2 → 1, with 4 hanging on it, and 9 its own parent.
    let heads =
        [child(1, 3, 20, 30), child(2, 1, 10, 40), child(3, 2, 15, 25), child(4, 3, 50, 60), child(9, 9, 70, 71)];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "2 >3 >>1 >>4 9");
    let flagged: Vec<_> = tree.nodes().iter().filter(|node| node.flags.has(Flags::CYCLE)).map(|n| n.id.0).collect();
    assert_eq!(flagged, [2, 3, 1, 9]);
    let counts = tree.counts();
    assert_eq!((counts.roots, counts.orphans, counts.cycles, counts.spans), (0, 0, 4, 5));
    assert_eq!(tree.root(), None);
}

#[test]
fn two_spans_can_be_each_others_parents() {
    assert_eq!(shape(&tree(&[child(1, 2, 10, 20), child(2, 1, 10, 20)])), "1 >2");
    assert_eq!(
        shape(&tree(&[child(1, 2, 10, 20), child(2, 1, 10, 20), child(8, 9, 5, 6), child(9, 8, 5, 6)])),
        "8 >9 1 >2"
    );
}

#[test]
fn identical_repeats_are_one_node_and_conflicting_ones_two() {
    let heads = [
        span(1, 10, 100),
        child(2, 1, 20, 30),
        Head { at: 999, source: SourceId(1), ..child(2, 1, 20, 30) },
        Head { at: 1234, ..child(2, 1, 20, 30) },
        child(3, 1, 40, 50),
        Head { name: NameId(2), ..child(3, 1, 40, 50) },
        child(4, 3, 41, 42),
    ];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "1 >2 >3 >>4 >3");
    assert_eq!(node(&tree, 2).repeats, 2);
    assert!(!node(&tree, 2).flags.has(Flags::DUPLICATE));
    assert!(tree.nodes().iter().filter(|node| node.id.0 == 3).all(|node| node.flags.has(Flags::DUPLICATE)));
    assert_eq!((tree.counts().duplicates, tree.counts().spans), (3, 7));
}

#[test]
fn spans_without_an_id_are_nobodys_parent_and_no_duplicates() {
    let heads = [span(0, 10, 20), span(0, 10, 20), child(0, 7, 12, 13), child(5, 0, 14, 15)];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "0 0 7? >0 5");
    assert_eq!((tree.counts().duplicates, tree.counts().roots, tree.counts().orphans), (0, 3, 1));
}

#[test]
fn the_halves_of_a_shared_id_are_one_call() {
    let kind = |kind: Kind| move |marks: &mut Marks| marks.set_kind(kind);
    let heads = [
        span(1, 10, 100),
        marked(child(2, 1, 20, 90), kind(Kind::Client)),
        marked(child(2, 1, 25, 80), kind(Kind::Server)),
        child(3, 2, 30, 40),
    ];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "1 >2 >>2 >>>3");
    assert!(tree.nodes().iter().all(|node| !node.flags.has(Flags::DUPLICATE)));
    assert_eq!((tree.counts().duplicates, tree.counts().orphans), (1, 0));
}

#[test]
fn outcomes_are_disjoint_and_cancelled_wins() {
    let error = |marks: &mut Marks| marks.set_status(Status::Error);
    let cancelled = |marks: &mut Marks| {
        marks.set_status(Status::Error);
        marks.set_termination(Termination::Cancelled);
    };
    let heads = [
        span(1, 10, 100),
        marked(child(2, 1, 20, 30), error),
        marked(child(3, 1, 40, 50), cancelled),
        marked(child(4, 1, 60, 0), error),
        child(5, 1, 70, 0),
    ];
    let tree = tree(&heads);
    let outcomes: Vec<_> = tree.nodes().iter().map(|node| node.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Error, Outcome::Cancelled, Outcome::Error, Outcome::Unfinished]);
    let counts = tree.counts();
    assert_eq!(
        (counts.errors, counts.failed, counts.cancelled, counts.expected, counts.unfinished, counts.ok),
        (3, 2, 1, 0, 1, 1)
    );
}

#[test]
fn a_cancellation_happened_at_its_deepest_span() {
    let cancelled = |marks: &mut Marks| {
        marks.set_status(Status::Error);
        marks.set_termination(Termination::Cancelled);
    };
    let ok = |marks: &mut Marks| marks.set_status(Status::Ok);
    // 1 plain, 2 and 3 cancelled, 4 plain and unset, 5 cancelled; 7 cancelled under an ok span.
    let heads = [
        span(1, 10, 100),
        marked(child(2, 1, 11, 99), cancelled),
        marked(child(3, 2, 12, 98), cancelled),
        child(4, 3, 13, 97),
        marked(child(5, 4, 14, 96), cancelled),
        marked(child(6, 3, 20, 30), ok),
        marked(child(7, 6, 21, 29), cancelled),
    ];
    let tree = tree(&heads);
    assert_eq!(shape(&tree), "1 >2 >>3 >>>4 >>>>5 >>>6 >>>>7");
    let places: Vec<_> =
        tree.nodes().iter().filter(|n| n.flags.has(Flags::CANCELLED_HERE)).map(|n| (n.id.0, n.propagated)).collect();
    assert_eq!(places, [(5, 2), (7, 0)]);
    assert_eq!(
        (0..7).map(|at| tree.cancelled_at(at)).collect::<Vec<_>>(),
        [None, Some(4), Some(4), None, Some(4), None, Some(6)]
    );
}

#[test]
fn a_cancellation_is_expected_when_somebody_asked_before() {
    let cancelled = |marks: &mut Marks| marks.set_termination(Termination::Cancelled);
    let requested = |marks: &mut Marks| marks.set_termination(Termination::Requested);
    let heads = [
        span(1, 10, 100),
        marked(child(2, 1, 20, 30), cancelled),
        marked(child(3, 1, 40, 50), requested),
        marked(child(4, 1, 45, 60), cancelled),
    ];
    let tree = tree(&heads);
    assert_eq!([2, 3, 4].map(|id| node(&tree, id).expected), [false, true, true]);
    assert_eq!((tree.counts().cancelled, tree.counts().expected), (3, 2));
}

#[test]
fn work_after_the_root_is_marked() {
    let heads = [span(1, 10, 20), child(2, 1, 15, 50), child(3, 2, 30, 90), child(4, 1, 5, 12)];
    let tree = tree(&heads);
    let has = |id: u64, flag| node(&tree, id).flags.has(flag);
    assert!(has(2, Flags::OUTLIVES_ROOT) && !has(2, Flags::AFTER_ROOT));
    assert!(has(3, Flags::OUTLIVES_ROOT) && has(3, Flags::AFTER_ROOT));
    assert!(has(4, Flags::BEFORE_PARENT) && !has(4, Flags::OUTLIVES_ROOT));
    assert_eq!((tree.counts().end, tree.counts().duration_ns()), (90, 85));
}

#[test]
fn the_critical_path_walks_back_from_the_last_end() {
    let heads = [
        span(1, 0x10, 0x20),
        child(2, 1, 0x11, 0x18),
        child(3, 1, 0x12, 0x30),
        child(4, 3, 0x20, 0x28),
        child(5, 3, 0x13, 0x25),
        child(6, 3, 0x13, 0x1f),
        child(7, 1, 0x10, 0x11),
    ];
    let mut tree = tree(&heads);
    tree.mark_critical_path();
    let critical: Vec<_> = tree.nodes().iter().filter(|n| n.flags.has(Flags::CRITICAL)).map(|n| n.id.0).collect();
    assert_eq!(critical, [1, 7, 3, 6, 4]);
}

#[test]
fn traces_are_grouped_ordered_and_found() {
    let of = |trace: u128, id, start| Head { trace: TraceId(trace), ..span(id, start, start + 1) };
    let (a, b, c) = (0xabcd << 112, 0xab12 << 112, 0x1 << 112);
    let heads = [of(a, 1, 50), of(b, 1, 10), of(a, 2, 20), of(0, 3, 0), of(c, 1, 20), of(0, 4, 0)];
    let capture = capture(&heads);
    let forest = Forest::of(&capture);
    let ids: Vec<_> = forest.traces().map(|trace| (trace.id.0, trace.spans.len())).collect();
    assert_eq!(ids, [(b, 1), (c, 1), (a, 2), (0, 2)]);
    assert_eq!(forest.trace(2).spans, [SpanRef(0), SpanRef(2)]);
    assert_eq!(forest.find("AB"), [0, 2]);
    assert_eq!(forest.find("abc"), [2]);
    assert_eq!(forest.find(&"0".repeat(32)), [3]);
    for none in ["", "ac", "+1", "xyz", &"0".repeat(33)] {
        assert!(forest.find(none).is_empty(), "{none}");
    }
    assert!(forest.trace(99).spans.is_empty());
}

#[test]
fn a_tree_can_be_refilled() {
    let of = |trace: u128, head: Head| Head { trace: TraceId(trace), ..head };
    let heads = [of(1, span(1, 1, 9)), of(1, child(2, 1, 2, 3)), of(1, child(3, 8, 2, 3)), of(2, span(1, 5, 6))];
    let capture = capture(&heads);
    let forest = Forest::of(&capture);
    let mut tree = Tree::default();
    for _ in 0..2 {
        forest.tree(&capture, 0, &mut tree);
        assert_eq!(shape(&tree), "1 >2 8? >3");
        forest.tree(&capture, 1, &mut tree);
        assert_eq!((shape(&tree).as_str(), tree.counts().spans), ("1", 1));
    }
    forest.tree(&capture, 99, &mut tree);
    assert!(tree.nodes().is_empty() && tree.root().is_none() && tree.counts().duration_ns() == 0);
}

#[test]
fn services_are_counted_once() {
    let heads = [span(1, 1, 9), Head { origin: OriginId(1), ..child(2, 1, 2, 3) }, child(3, 1, 4, 5)];
    let capture = capture(&heads);
    let mut tree = Tree::default();
    Forest::of(&capture).tree(&capture, 0, &mut tree);
    assert_eq!((tree.counts().services, tree.services(&capture)), (2, vec!["api", "db"]));
}

const MANY: u64 = 200_000;

#[test]
fn a_very_deep_chain_is_a_tree() {
    // Parents last, as exporters write them.
    let heads: Vec<_> = (1..=MANY).rev().map(|id| child(id, id - 1, id, 3 * MANY - id)).collect();
    let mut tree = tree(&heads);
    tree.mark_critical_path();
    assert_eq!((u64::from(tree.counts().depth), tree.counts().orphans), (MANY - 1, 0));
    assert!(tree.nodes().iter().all(|node| node.flags.has(Flags::CRITICAL)));
}

#[test]
fn a_very_long_cycle_is_cut_once() {
    let heads: Vec<_> = (1..=MANY).map(|id| child(id, id % MANY + 1, 2 * MANY - id, 3 * MANY)).collect();
    let tree = tree(&heads);
    assert_eq!((u64::from(tree.counts().cycles), u64::from(tree.counts().depth)), (MANY, MANY - 1));
    assert_eq!(tree.nodes()[0].id.0, MANY);
}

#[test]
fn a_very_wide_trace_is_a_tree() {
    let mut heads: Vec<_> = (2..=MANY).map(|id| child(id, 1, id, id + 5)).collect();
    heads.push(span(1, 1, 2 * MANY));
    let mut tree = tree(&heads);
    tree.mark_critical_path();
    assert_eq!(tree.children(0).count() as u64, MANY - 1);
}

#[test]
fn very_many_spans_of_one_id_stay_linear() {
    let heads: Vec<_> = (1..=MANY).map(|at| child(1, 7, at, at + 1)).collect();
    let tree = tree(&heads);
    assert_eq!(u64::from(tree.counts().duplicates), MANY - 1);
}

#[test]
fn very_many_missing_parents_are_placeholders() {
    let heads: Vec<_> = (1..=MANY).map(|id| child(id, id + MANY, id, id + 1)).collect();
    let tree = tree(&heads);
    assert_eq!((u64::from(tree.counts().missing), tree.nodes().len() as u64), (MANY, 2 * MANY));
}

#[test]
fn very_many_traces_are_small_trees() {
    let heads: Vec<_> = (1..=MANY).map(|at| Head { trace: TraceId(at.into()), ..span(1, at, at + 1) }).collect();
    let capture = capture(&heads);
    let forest = Forest::of(&capture);
    let mut tree = Tree::default();
    let spans: u32 = (0..forest.len())
        .map(|number| {
            forest.tree(&capture, number, &mut tree);
            tree.counts().spans
        })
        .sum();
    assert_eq!((forest.len() as u64, u64::from(spans)), (MANY, MANY));
}

/// Spans over few ids, parents, times and names, so that every oddity is common.
fn odd_spans() -> impl Strategy<Value = Vec<Head>> {
    let one = (0u64..8, 0u64..9, 0u64..6, 0u64..6, 1u32..3, 0i32..3, 0u8..8).prop_map(
        |(id, parent, start, end, name, status, bits)| {
            let mut head = Head { name: NameId(name), ..child(id, parent, start, end) };
            head.marks.set_status(Status::from_number(status));
            head.marks.set_remote_known(bits & 1 != 0);
            head.marks.set_kind(if bits & 2 == 0 { Kind::Client } else { Kind::Server });
            let termination = [Termination::None, Termination::None, Termination::Cancelled, Termination::Requested];
            head.marks.set_termination(termination[usize::from(bits >> 1)]);
            head
        },
    );
    prop::collection::vec(one, 1..24)
}

/// Everything but the references, which number the spans as they came.
fn facts(tree: &Tree, capture: &Capture) -> Vec<(Node, Option<String>)> {
    let name = |node: &Node| node.span.map(|span| capture.name(span).to_owned());
    tree.nodes().iter().map(|node| (Node { span: None, ..node.clone() }, name(node))).collect()
}

proptest! {
    #[test]
    fn the_order_of_the_input_never_shows(
        (heads, shuffled) in odd_spans().prop_flat_map(|heads| (Just(heads.clone()), Just(heads).prop_shuffle()))
    ) {
        let (one, other) = (capture(&heads), capture(&shuffled));
        let (mut a, mut b) = (Tree::default(), Tree::default());
        Forest::of(&one).tree(&one, 0, &mut a);
        Forest::of(&other).tree(&other, 0, &mut b);
        a.mark_critical_path();
        b.mark_critical_path();
        prop_assert_eq!(facts(&a, &one), facts(&b, &other));
        prop_assert_eq!(a.counts(), b.counts());
    }

    #[test]
    fn every_span_stands_exactly_once(heads in odd_spans()) {
        let tree = tree(&heads);
        let shown: u32 = tree.nodes().iter().filter(|node| node.span.is_some()).map(|node| 1 + node.repeats).sum();
        prop_assert_eq!(shown as usize, heads.len());
        let counts = tree.counts();
        prop_assert_eq!(counts.ok + counts.failed + counts.cancelled + counts.unfinished, counts.spans);
        for (at, node) in tree.nodes().iter().enumerate() {
            let parent = tree.parent(at);
            prop_assert_eq!(node.depth, parent.map_or(0, |parent| tree.nodes()[parent].depth + 1));
            prop_assert!(parent.is_none_or(|parent| parent < at && tree.after(at) <= tree.after(parent)));
            prop_assert!(node.self_ns <= node.duration_ns());
        }
    }
}
