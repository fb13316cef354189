//! From groups to findings: names, places, words, fingerprints, order.
//!
//! Comes in: what was gathered. Goes out: the report. Only the spans that are told are read again.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Told, Words};
use super::finding::{Contributor, Example, Finding, Place, Related};
use super::gather::Gathering;
use super::group::{Group, Occurrence};
use super::note::Subject;
use super::place::{Made, paths};
use super::report::{Ignored, LintReport, NotChecked};
use super::rule::{Needs, Rule};
use super::rules::RULES;
use super::verdict;
use crate::capture::{Capture, Detail, SourceId, SpanRef};
use crate::forest::Forest;
use crate::input::InputError;

/// How many spans are read again at a time: one may be many megabytes.
const AT_ONCE: usize = 64;
/// Of how many findings the spans are read again; beyond, messages say less.
const MOST_DETAILS: usize = 20_000;

/// Makes the report.
pub(super) fn report(
    capture: &Capture,
    forest: &Forest,
    mut gathering: Gathering<'_>,
) -> Result<LintReport, InputError> {
    let groups = gathering.kept.groups.sorted();
    let spans: Vec<Option<SpanRef>> = groups.iter().map(told_span).collect();
    let paths = paths(capture, forest, spans.iter().flatten());
    let places: Vec<(SourceId, u64)> = groups.iter().map(|group| place(capture, &gathering, group)).collect();
    let lines = capture.lines(&places);
    let mut findings = Vec::with_capacity(groups.len());
    for (from, chunk) in groups.chunks(AT_ONCE).enumerate().map(|(number, chunk)| (number * AT_ONCE, chunk)) {
        let mut read = Again::read(capture, chunk, from < MOST_DETAILS)?;
        for (at, group) in chunk.iter().enumerate() {
            let mut finding = tell(capture, &gathering, group, read.details.get(&at));
            (finding.code_location, finding.frames) = read.made.remove(&at).unwrap_or_default().apart();
            let (source, offset) = places.get(from + at).copied().unwrap_or_default();
            finding.source = Some(Place {
                path: capture.source(source).path.clone(),
                line: line_of(group).or(lines.get(from + at).copied()).unwrap_or(0),
                byte_offset: offset,
                ..Place::default()
            });
            let span = spans.get(from + at).copied().flatten();
            finding.path = span.and_then(|span| paths.get(&span)).cloned().unwrap_or_default();
            findings.push(finding);
        }
    }
    Ok(closed(capture, forest, gathering, findings))
}

/// What is read again of the spans that are told, by the places of their groups.
#[derive(Default)]
struct Again {
    made: BTreeMap<usize, Made>,
    /// In full, where the words of the rule are made of it.
    details: BTreeMap<usize, Detail>,
}

impl Again {
    fn read(capture: &Capture, groups: &[Group], wanted: bool) -> Result<Self, InputError> {
        let mut read = Self::default();
        let rule = |group: &Group| RULES.get(usize::from(group.ident.rule));
        let told = groups.iter().enumerate().filter(|_| wanted);
        let told: Vec<(usize, SpanRef, &Rule)> =
            told.filter_map(|(at, group)| Some((at, told_span(group)?, rule(group)?))).collect();
        let spans: Vec<SpanRef> = told.iter().map(|(_, span, _)| *span).collect();
        capture.again(&spans, &mut |number, span| {
            if let Some((at, _, rule)) = told.get(number) {
                // A stack tells where something failed, not where an attribute was set.
                read.made.insert(*at, Made::of(span, ["ERR", "AGT"].contains(&rule.group())));
            }
        })?;
        let in_full = told.iter().filter(|(.., rule)| rule.check.needs.has(Needs::DETAIL));
        let in_full: Vec<(usize, SpanRef)> = in_full.map(|(at, span, _)| (*at, *span)).collect();
        let spans: Vec<SpanRef> = in_full.iter().map(|(_, span)| *span).collect();
        let details = capture.details(&spans)?;
        read.details.extend(in_full.iter().zip(details).filter_map(|((at, _), detail)| Some((*at, detail?))));
        Ok(read)
    }
}

fn told_span(group: &Group) -> Option<SpanRef> {
    match group.told()?.subject {
        Subject::Span(span) => Some(span),
        _ => None,
    }
}

fn place(capture: &Capture, gathering: &Gathering<'_>, group: &Group) -> (SourceId, u64) {
    match group.told().map(|told| told.subject) {
        Some(Subject::Span(span)) => (capture.head(span).source, capture.head(span).at),
        Some(Subject::Envelope(number)) => {
            gathering.kept.places.get(number as usize).map(|place| (place.source, place.at)).unwrap_or_default()
        }
        Some(Subject::Input(source, _, offset)) => (SourceId(source), offset),
        None => (SourceId(0), 0),
    }
}

/// The line, where the check knew it.
fn line_of(group: &Group) -> Option<u64> {
    match group.told()?.subject {
        Subject::Input(_, line, _) => Some(line),
        _ => None,
    }
}

fn tell(capture: &Capture, gathering: &Gathering<'_>, group: &Group, detail: Option<&Detail>) -> Finding {
    let ident = &group.ident;
    let (Some(rule), Some(occurrence)) = (RULES.get(usize::from(ident.rule)), group.told()) else {
        return Finding::default();
    };
    let span = told_span(group);
    let head = span.map(|span| capture.head(span));
    let bound = occurrence.cell.and_then(|cell| gathering.plan.budget.get(cell));
    let preset = bound.map(|bound| bound.preset.clone()).filter(|preset| !preset.is_empty());
    let unit = occurrence.cell.map(|cell| cell.unit()).or(rule.unit);
    let span_name = span.map(|span| capture.name(span)).unwrap_or_default();
    let part = |(span, size): &(SpanRef, u64)| Contributor { name: capture.name(*span).to_owned(), size: *size };
    let words = (rule.tell)(&Told {
        class: ident.class,
        attribute: &ident.attribute,
        observed: occurrence.observed.unwrap_or(0),
        limit: occurrence.limit.unwrap_or(0),
        unit,
        preset: preset.as_deref().unwrap_or_default(),
        note: occurrence.note.as_deref().unwrap_or_default(),
        count: group.count,
        span_name,
        service: &ident.service,
        detail,
        related: occurrence.related.len(),
        parts: occurrence.parts.iter().map(part).collect(),
    });
    let Words { message, help, fix, contributors } = words;
    let related = |(span, role): &(SpanRef, &'static str)| Related {
        trace_id: capture.head(*span).trace.to_string(),
        span_id: capture.head(*span).id.to_string(),
        role,
    };
    Finding {
        code: rule.code,
        name: rule.name,
        severity: ident.severity,
        confidence: occurrence.confidence.unwrap_or(rule.confidence),
        message,
        help,
        url: rule.url,
        trace_id: head.map(|head| head.trace.to_string()).unwrap_or_default(),
        span_id: head.map(|head| head.id.to_string()).unwrap_or_default(),
        span_name: span_name.to_owned(),
        service: ident.service.clone(),
        scope: ident.scope.clone(),
        kind: head.map(|head| head.marks.kind().name()).unwrap_or_default(),
        start: head.map_or(0, |head| head.start),
        duration_ns: head.map_or(0, |head| head.duration().0),
        attribute: Some(ident.attribute.clone()).filter(|attribute| !attribute.is_empty()),
        in_event: ident.class.starts_with("event"),
        observed: occurrence.observed,
        limit: occurrence.limit,
        unit,
        preset,
        related: occurrence.related.iter().map(related).collect(),
        source: None,
        code_location: None,
        frames: Vec::new(),
        path: Vec::new(),
        contributors,
        count: group.count,
        examples: group.first.iter().filter_map(|occurrence| example(capture, occurrence)).collect(),
        fix,
        fingerprint: ident.fingerprint(),
    }
}

fn example(capture: &Capture, occurrence: &Occurrence) -> Option<Example> {
    let Subject::Span(span) = occurrence.subject else { return None };
    let head = capture.head(span);
    Some(Example {
        trace_id: head.trace.to_string(),
        span_id: head.id.to_string(),
        start: head.start,
        observed: occurrence.observed,
    })
}

/// Puts findings in order, adds what lint has to say about itself, and counts.
fn closed(capture: &Capture, forest: &Forest, gathering: Gathering<'_>, mut findings: Vec<Finding>) -> LintReport {
    let mut report = verdict::counted(capture, forest, &gathering);
    findings.extend(verdict::about_lint(capture, &gathering, report.spans));
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
    for finding in &findings {
        *report.by_rule.entry(finding.code).or_default() += 1;
    }
    report.findings = findings;
    let code = |rule: u8| RULES.get(usize::from(rule)).map_or("", |rule| rule.code);
    for ((rule, reason), count) in gathering.kept.not_checked {
        report.not_checked.push(NotChecked { code: code(rule), reason, count });
    }
    for (rule, count) in gathering.kept.groups.overflow {
        let reason = "there were too many different findings";
        report.not_checked.push(NotChecked { code: code(rule), reason, count });
    }
    report.not_checked.sort_by(|a, b| (a.code, a.reason).cmp(&(b.code, b.reason)));
    for ((rule, reason), count) in gathering.kept.ignored {
        report.ignored.push(Ignored { code: code(rule), reason, count });
    }
    report.ignored.sort_by(|a, b| (a.code, &a.reason).cmp(&(b.code, &b.reason)));
    report
}

/// Severity, code, service, span name, start, trace, span, attribute; then what is left to tell findings apart.
pub(super) fn key(finding: &Finding) -> impl Ord + '_ {
    (
        (finding.severity, finding.code, &finding.service, &finding.span_name),
        (finding.start, &finding.trace_id, &finding.span_id, &finding.attribute),
        &finding.fingerprint,
    )
}

/// The different services among names.
pub(super) fn services<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    names.into_iter().map(str::to_owned).collect()
}
