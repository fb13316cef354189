//! Small words that several forms share: sizes, places, fixes, counts.
//!
//! Comes in: parts of findings. Goes out: text, not yet cleaned: whoever writes it does that.

use crate::ledger::Money;
use crate::lint::{Finding, Fix, LintReport, Severity, Unit};
use crate::model::{ByteSize, Nanos};
use crate::render::Tone;

/// A number with its unit.
pub(super) fn measure(number: u64, unit: Option<Unit>) -> String {
    match unit {
        Some(Unit::Bytes) => ByteSize(number).to_string(),
        Some(Unit::Chars) => format!("{} chars", thousands(number)),
        Some(Unit::Nanos) => Nanos(number).to_string(),
        Some(Unit::Dollars) => Money(number).to_string(),
        Some(Unit::Permille) => format!("{}.{} %", number / 10, number % 10),
        Some(Unit::Count) | None => thousands(number),
    }
}

/// A limit with its unit: the very number.
pub(super) fn limit(number: u64, unit: Option<Unit>) -> String {
    match unit {
        Some(Unit::Bytes) => ByteSize(number).exact(),
        unit => measure(number, unit),
    }
}

/// `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// The file and line that a finding points to: the program's where the repository has it, else the dump's.
pub(super) fn place(finding: &Finding) -> Option<(&str, u64)> {
    let code = finding.code_location.as_ref().filter(|place| place.in_repository);
    let code = code.map(|place| (place.path.as_str(), place.line));
    code.or_else(|| finding.source.as_ref().map(|place| (place.path.as_str(), place.line)))
}

/// The same for reports that are read from the root of the repository: standard input has a name, and nothing leads out of a folder.
pub(super) fn report_place(finding: &Finding) -> Option<(&str, u64)> {
    let (path, line) = place(finding)?;
    let within =
        finding.source.as_ref().filter(|place| place.path == path).and_then(|place| place.in_repository.as_deref());
    let path = within.unwrap_or(path);
    Some((if path == "-" { "stdin" } else { path.strip_prefix("./").unwrap_or(path) }, line))
}

/// `run.jsonl:12`, or `run.pb at byte 4096` where there are no lines.
pub(super) fn place_text(finding: &Finding) -> Option<String> {
    let place = finding.source.as_ref()?;
    let path = if place.path == "-" { "stdin" } else { &place.path };
    Some(if place.line > 0 {
        format!("{path}:{}", place.line)
    } else {
        format!("{path} at byte {}", place.byte_offset)
    })
}

/// A fix as an instruction.
pub(super) fn fix(fix: &Fix) -> String {
    match fix {
        Fix::RenameAttribute { from, to } => format!("rename {from} to {to}"),
        Fix::TruncateAttribute { key, limit, unit } => format!("cut {key} to {}", self::limit(*limit, Some(*unit))),
        Fix::RemoveAttribute { key } => format!("remove {key}"),
        Fix::ConvertAttribute { key, to } => format!("record {key} as {to}"),
        Fix::RedactAttribute { key } => format!("hide the secret in {key}"),
        Fix::SetResourceAttribute { key, example } => format!("set the resource attribute {key}, like {example}"),
        Fix::SetVariable { name, value } => format!("set {name}={value}"),
    }
}

/// The tone of a level.
pub(super) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Error,
        Severity::Warn => Tone::Odd,
        Severity::Info => Tone::Bar,
    }
}

/// `2 errors, 3 warnings` (and infos, where there are any).
pub(super) fn totals(report: &LintReport) -> String {
    let of = |severity| report.count(severity) as u64;
    let (errors, warnings, infos) = (of(Severity::Error), of(Severity::Warn), of(Severity::Info));
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(count(errors, "error", "errors"));
    }
    if warnings > 0 {
        parts.push(count(warnings, "warning", "warnings"));
    }
    if infos > 0 {
        parts.push(count(infos, "info", "infos"));
    }
    if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") }
}

/// `34 spans of 3 traces`.
pub(super) fn looked_at(report: &LintReport) -> String {
    format!("{} of {}", count(report.spans, "span", "spans"), count(report.traces, "trace", "traces"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(1), "1");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(measure(2_097_152, Some(Unit::Chars)), "2,097,152 chars");
        assert_eq!(measure(805, Some(Unit::Permille)), "80.5 %");
        assert_eq!(totals(&LintReport::default()), "nothing found");
    }
}
