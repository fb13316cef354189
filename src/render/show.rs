//! The report of `show`, for people.
//!
//! Comes in: spans in full. Goes out: lines. Long values are folded, stack traces never are.

use std::io;

use serde_json::Value as Json;

use super::fold::fold;
use super::{Ink, Render, Tone};
use crate::model::{ByteSize, Nanos, timestamp};
use crate::show::{Event, Link, Pair, Relative, Report, Span};

/// The report, long values whole or folded.
#[derive(Clone, Copy, Debug)]
pub struct ShowText<'r> {
    /// What to show.
    pub report: &'r Report,
    /// Whether nothing is folded.
    pub full: bool,
}

/// The column where facts begin.
const FACTS: usize = 12;

impl Render for ShowText<'_> {
    fn render(&self, ink: &mut Ink<'_>) -> io::Result<()> {
        let spans = &self.report.spans;
        if spans.len() > 1 {
            ink.put(Tone::Title, format_args!("trace {}", self.report.trace_id))?;
            let duration = Nanos(self.report.trace_duration_ns);
            ink.put(Tone::Quiet, format_args!("  {} of {} spans, {duration}", spans.len(), self.report.trace_spans))?;
            ink.line()?;
            ink.line()?;
        }
        for (at, span) in spans.iter().enumerate() {
            if at > 0 {
                ink.line()?;
                let rule = if ink.page().unicode { "─" } else { "-" };
                ink.put(Tone::Quiet, rule.repeat(ink.page().width.min(60)))?;
                ink.line()?;
                ink.line()?;
            }
            let before = at.checked_sub(1).and_then(|before| spans.get(before));
            let same_resource =
                before.is_some_and(|before| before.resource == span.resource && !span.resource.is_empty());
            Sheet { ink: &mut *ink, full: self.full, same_resource }.span(span)?;
        }
        if self.report.spans_left_out > 0 {
            ink.line()?;
            let more = self.report.spans_left_out;
            ink.put(
                Tone::Odd,
                format_args!("… {more} more spans (--full shows all; pick with --name, --service or a span id)"),
            )?;
            ink.line()?;
        }
        Ok(())
    }
}

/// One span's part of the page.
struct Sheet<'i, 'w> {
    ink: &'i mut Ink<'w>,
    full: bool,
    /// The span before on the page has the same resource.
    same_resource: bool,
}

impl Sheet<'_, '_> {
    fn span(&mut self, span: &Span) -> io::Result<()> {
        let ended = format!("{}, {}", span.outcome, Nanos(span.duration_ns));
        let columns = self.ink.page().width.saturating_sub(ended.len() + 2).max(16);
        self.ink.put_fit(Tone::Name, &span.name, columns)?;
        self.ink.put(outcome_tone(span.outcome), format_args!("  {ended}"))?;
        self.ink.line()?;
        self.identity(span)?;
        self.time(span)?;
        self.origin(span)?;
        self.pairs("attributes", &span.attributes, span.dropped_attributes)?;
        self.events(span)?;
        self.links(span)?;
        if self.same_resource {
            self.ink.line()?;
            self.ink.put(Tone::Quiet, "resource as above")?;
            self.ink.line()?;
        } else {
            self.pairs("resource", &span.resource, 0)?;
        }
        self.pairs("scope attributes", &span.scope_attributes, 0)?;
        self.relatives("parents", &span.parents, true)?;
        self.relatives("children", &span.children, false)?;
        self.troubles(span)
    }

    fn identity(&mut self, span: &Span) -> io::Result<()> {
        self.fact("span", &span.span_id)?;
        self.fact("trace", &span.trace_id)?;
        self.fact("parent", span.parent_id.as_deref().unwrap_or("none: a root"))?;
        for (what, spelled) in ["trace", "span", "parent"].into_iter().zip(&span.spelled_ids) {
            if let Some(spelled) = spelled {
                self.fact("spelled", &format!("{what} id as {spelled}"))?;
            }
        }
        if !span.oddities.is_empty() {
            self.fact_in(Tone::Odd, "odd", &span.oddities.join(", "))?;
        }
        if span.repeats > 0 {
            self.fact_in(Tone::Odd, "repeats", &format!("read {} more times, identical", span.repeats))?;
        }
        Ok(())
    }

    fn time(&mut self, span: &Span) -> io::Result<()> {
        let exact = |text: &str| text.parse().ok().filter(|&nanos| nanos != 0).map(|nanos: u64| timestamp(nanos, true));
        let start = exact(&span.start_unix_nano).unwrap_or_else(|| "not recorded".into());
        self.fact("started", &format!("{start}  (+{} in its trace)", Nanos(span.offset_ns)))?;
        self.fact("ended", &exact(&span.end_unix_nano).unwrap_or_else(|| "never".into()))?;
        self.fact("self time", &Nanos(span.self_ns).to_string())
    }

    fn origin(&mut self, span: &Span) -> io::Result<()> {
        let status =
            if span.message.is_empty() { span.status.to_owned() } else { format!("{}: {}", span.status, span.message) };
        self.fact_in(if span.status == "error" { Tone::Error } else { Tone::Plain }, "status", &status)?;
        let service = if span.service.is_empty() { "(none)" } else { &span.service };
        self.fact_in(Tone::Service, "service", service)?;
        self.fact("kind", &[Some(span.kind), span.role].into_iter().flatten().collect::<Vec<_>>().join(", "))?;
        if !span.scope.is_empty() {
            self.fact("scope", &span.scope)?;
        }
        if !span.trace_state.is_empty() {
            self.fact("trace state", &span.trace_state)?;
        }
        if span.flags != 0 {
            self.fact("flags", &flags(span.flags))?;
        }
        let place = &span.place;
        let format = place.format;
        self.fact(
            "read from",
            &match place.line {
                0 => format!("{} at byte {} ({}, {format})", place.path, place.offset, ByteSize(place.bytes)),
                line => format!("{}:{line}, byte {} ({}, {format})", place.path, place.offset, ByteSize(place.bytes)),
            },
        )
    }

    fn events(&mut self, span: &Span) -> io::Result<()> {
        self.heading("events", span.events.len(), span.dropped_events)?;
        span.events.iter().try_for_each(|event| self.event(event))
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let offset = match event.offset_ns {
            Some(offset) if offset < 0 => format!("-{}", Nanos(offset.unsigned_abs())),
            Some(offset) => format!("+{}", Nanos(offset.unsigned_abs())),
            None => "no time".to_owned(),
        };
        self.ink.put(Tone::Quiet, format_args!("  {offset}  "))?;
        self.ink.put(if event.name == "exception" { Tone::Error } else { Tone::Name }, &event.name)?;
        self.dropped(event.dropped_attributes)?;
        self.ink.line()?;
        event.attributes.iter().try_for_each(|pair| self.pair(pair, 4))
    }

    fn links(&mut self, span: &Span) -> io::Result<()> {
        self.heading("links", span.links.len(), span.dropped_links)?;
        span.links.iter().try_for_each(|link| self.link(link))
    }

    fn link(&mut self, link: &Link) -> io::Result<()> {
        self.ink.say(format_args!("  span {} of trace {}", link.span_id, link.trace_id))?;
        self.dropped(link.dropped_attributes)?;
        self.ink.line()?;
        link.attributes.iter().try_for_each(|pair| self.pair(pair, 4))
    }

    fn pairs(&mut self, title: &str, pairs: &[Pair], dropped: u32) -> io::Result<()> {
        self.heading(title, pairs.len(), dropped)?;
        pairs.iter().try_for_each(|pair| self.pair(pair, 2))
    }

    /// `key = value`, or the value in lines below its key.
    fn pair(&mut self, pair: &Pair, indent: usize) -> io::Result<()> {
        self.ink.pad_to(indent)?;
        self.ink.put(Tone::Quiet, &pair.key)?;
        let whole = self.full || pair.key.ends_with("stacktrace");
        let text = match &pair.value {
            Json::String(text) => text.clone(),
            Json::Null => "(empty)".to_owned(),
            other => other.to_string(),
        };
        let folded = fold(&text, whole);
        self.ink.put(Tone::Quiet, " =")?;
        match folded.lines.as_slice() {
            [] => {
                self.ink.put(Tone::Quiet, " \"\"")?;
                self.ink.line()?;
            }
            [line] => {
                self.ink.say(format_args!(" {line}"))?;
                self.ink.line()?;
            }
            lines => {
                self.ink.line()?;
                for line in lines {
                    self.ink.pad_to(indent + 4)?;
                    self.ink.say(line.replace('\t', "    "))?;
                    self.ink.line()?;
                }
            }
        }
        if let Some(left_out) = folded.left_out {
            let ellipsis = if self.ink.page().unicode { "…" } else { "..." };
            self.ink.pad_to(indent + 4)?;
            self.ink.put(Tone::Odd, format_args!("{ellipsis} {left_out}"))?;
            self.ink.line()?;
        }
        Ok(())
    }

    fn relatives(&mut self, title: &str, relatives: &[Relative], nested: bool) -> io::Result<()> {
        self.heading(title, relatives.len(), 0)?;
        for (at, relative) in relatives.iter().enumerate() {
            self.ink.pad_to(if nested { 2 + 2 * at.min(20) } else { 2 })?;
            self.ink.put(Tone::Quiet, format_args!("{}  ", relative.span_id))?;
            let name = relative.name.as_deref().unwrap_or("(missing)");
            let room = self.ink.page().width.saturating_sub(self.ink.column() + 24).max(16);
            self.ink.put_fit(Tone::Name, name, room)?;
            self.ink.put(outcome_tone(relative.outcome), format_args!("  {}", relative.outcome))?;
            self.ink.put(Tone::Quiet, format_args!(", {}", Nanos(relative.duration_ns)))?;
            self.ink.line()?;
        }
        Ok(())
    }

    fn troubles(&mut self, span: &Span) -> io::Result<()> {
        self.heading("odd in the input", span.troubles.len(), 0)?;
        for trouble in &span.troubles {
            self.ink.put(Tone::Odd, format_args!("  {}", trouble.message))?;
            self.ink.say(format_args!(" {} {}", trouble.detail, trouble.json_path))?;
            self.ink.line()?;
        }
        Ok(())
    }

    /// A heading after an empty line; nothing where there is nothing to head.
    fn heading(&mut self, title: &str, count: usize, dropped: u32) -> io::Result<()> {
        if count == 0 && dropped == 0 {
            return Ok(());
        }
        self.ink.line()?;
        self.ink.put(Tone::Title, title)?;
        self.ink.put(Tone::Quiet, format_args!(" ({count})"))?;
        self.dropped(dropped)?;
        self.ink.line()
    }

    fn dropped(&mut self, dropped: u32) -> io::Result<()> {
        if dropped > 0 {
            self.ink.put(Tone::Odd, format_args!("  {dropped} more were dropped by the producer"))?;
        }
        Ok(())
    }

    fn fact(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.fact_in(Tone::Plain, name, text)
    }

    fn fact_in(&mut self, tone: Tone, name: &str, text: &str) -> io::Result<()> {
        for (at, line) in text.lines().enumerate() {
            self.ink.put(Tone::Quiet, if at == 0 { format!("  {name}") } else { String::new() })?;
            self.ink.pad_to(FACTS + 2)?;
            self.ink.put(tone, line)?;
            self.ink.line()?;
        }
        Ok(())
    }
}

fn outcome_tone(outcome: &str) -> Tone {
    match outcome {
        "error" => Tone::Error,
        "cancelled" => Tone::Cancelled,
        "unfinished" => Tone::Odd,
        _ => Tone::Good,
    }
}

/// OTLP `SpanFlags`: bits 0-7 are W3C trace flags, bit 8 says that bit 9 (the parent is remote) is known.
fn flags(bits: u32) -> String {
    let mut words = vec![format!("{bits:#x}")];
    words.push(if bits & 1 != 0 { "sampled".into() } else { "not marked as sampled".into() });
    if bits & 2 != 0 {
        words.push("random trace id".into());
    }
    if bits & 0x100 != 0 {
        words.push(if bits & 0x200 != 0 { "parent is remote".into() } else { "parent is in this process".into() });
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_put_in_words() {
        assert_eq!(flags(0x100), "0x100, not marked as sampled, parent is in this process");
        assert_eq!(flags(0x303), "0x303, sampled, random trace id, parent is remote");
    }
}
