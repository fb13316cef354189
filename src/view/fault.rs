//! What a span says went wrong with it: type, message and place.
//!
//! Comes in: a span in full. Goes out: a few strings. The keys are those of OpenTelemetry's exceptions and code attributes and
//! of Letta's cancellations; nothing is cut or made harmless here.

use serde::{Serialize, Serializer};

use crate::capture::{Detail, EventDetail};
use crate::model::{Status, Value};

/// What went wrong with a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The exception's or error's type; empty when nothing names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says; empty when it says nothing.
    pub message: String,
    /// `file:line`, with the function where it is known.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// What is known of the cancelled task.
    pub cancellation: Option<Cancellation>,
}

/// What is known of a task that was cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cancellation {
    /// The task's name.
    pub task: Option<String>,
    /// The function it was in.
    pub function: Option<String>,
    /// When, Unix nanoseconds; text in JSON, like every time.
    #[serde(serialize_with = "as_text")]
    pub time_unix_nano: Option<u64>,
}

fn as_text<S: Serializer>(time: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.to_string()).serialize(to)
}

impl Fault {
    /// Reads a span's last exception, or what its status and attributes say.
    pub fn of(detail: &Detail) -> Self {
        let exception = detail.events.iter().rev().find(|event| event.name == "exception");
        let told = |key| exception.and_then(|event| event.text(key)).filter(|text| !text.is_empty());
        let attribute = |key: &str| detail.attribute(key).and_then(text);
        let kind = told("exception.type").or_else(|| attribute("error.type")).unwrap_or_default().to_owned();
        let message = told("exception.message")
            .or_else(|| Some(own_words(&detail.message, &kind)).filter(|text| !text.is_empty()))
            .or_else(|| attribute("error.message"))
            .map_or_else(|| answer(detail).unwrap_or_default(), str::to_owned);
        let place = told("exception.stacktrace").and_then(frame).or_else(|| code_place(detail));
        let cancellation = exception.and_then(|event| cancellation(event, &kind));
        Self { kind, message, place, cancellation }
    }

    /// Whether nothing at all says what went wrong.
    pub fn is_silent(&self) -> bool {
        self.kind.is_empty() && self.message.is_empty()
    }

    /// The type without its modules.
    pub fn short_kind(&self) -> &str {
        self.kind.rsplit(['.', ':', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(&self.kind)
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A status message without the type that some SDKs put before it.
fn own_words<'t>(message: &'t str, kind: &str) -> &'t str {
    let short = kind.rsplit('.').next().unwrap_or(kind);
    let rest = message.strip_prefix(kind).or_else(|| message.strip_prefix(short));
    rest.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message)
}

/// An HTTP status that tells of a failure, where nothing else does.
fn answer(detail: &Detail) -> Option<String> {
    let keys = ["http.response.status_code", "http.status_code"];
    let code = keys.iter().find_map(|key| match detail.attribute(key) {
        Some(Value::Int(code)) => Some(*code),
        Some(Value::String(code)) => code.parse().ok(),
        _ => None,
    });
    code.filter(|code| detail.status == Status::Error && *code >= 400).map(|code| format!("HTTP {code}"))
}

fn cancellation(event: &EventDetail, kind: &str) -> Option<Cancellation> {
    let told = |key| event.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
    let time = event.attributes.iter().rev().find(|attribute| attribute.key == "cancellation.timestamp");
    let time_unix_nano = time.and_then(|attribute| match &attribute.value {
        Value::Int(nanos) => u64::try_from(*nanos).ok(),
        Value::String(nanos) => nanos.parse().ok(),
        _ => None,
    });
    let known = Cancellation { task: told("task.name"), function: told("function.name"), time_unix_nano };
    (known != Cancellation::default() || kind.ends_with("CancelledError")).then_some(known)
}

fn code_place(detail: &Detail) -> Option<String> {
    let any = |keys: [&str; 2]| keys.iter().find_map(|key| detail.attribute(key));
    let file = any(["code.file.path", "code.filepath"]).and_then(text)?;
    match any(["code.line.number", "code.lineno"]) {
        Some(Value::Int(line)) => Some(format!("{}:{line}", base(file))),
        _ => Some(base(file).to_owned()),
    }
}

/// The last part of a path, whatever system wrote it.
fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A frame of a stack trace.
struct Frame<'t> {
    file: &'t str,
    line: &'t str,
    function: &'t str,
}

impl Frame<'_> {
    fn place(&self) -> String {
        let function = if self.function.is_empty() { String::new() } else { format!(" in {}", self.function) };
        format!("{}:{}{function}", base(self.file), self.line)
    }

    /// 0: the program's own code; 1: a library; 2: the language's own.
    fn distance(&self) -> u8 {
        let has = |parts: &[&str]| parts.iter().any(|part| self.file.contains(part));
        if has(&["site-packages", "dist-packages", "node_modules", "/go/pkg/mod/"]) {
            1
        } else {
            let own = has(&["/lib/python", "node:", "/usr/local/go/src/", "<frozen", "internal/process"]);
            if own { 2 } else { 0 }
        }
    }
}

/// Where a stack trace says it happened: the innermost frame of the program's own code, or of a library where none is.
fn frame(trace: &str) -> Option<String> {
    let python = trace.contains("\n  File \"") || trace.starts_with("  File \"");
    let mut frames: Vec<_> =
        trace.lines().filter_map(|line| if python { python_frame(line) } else { other_frame(line) }).collect();
    if python {
        // Python writes the innermost frame last.
        frames.reverse();
    }
    frames.iter().min_by_key(|frame| frame.distance()).map(Frame::place)
}

/// `  File "/srv/app/tools.py", line 41, in run`
fn python_frame(line: &str) -> Option<Frame<'_>> {
    let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    number(line).then_some(Frame { file, line, function })
}

/// JavaScript's `at run (/app/tools.js:41:7)`, Java's `at app.Tools.run(Tools.java:41)`, Go's `/app/tools.go:41 +0x1d`.
fn other_frame(line: &str) -> Option<Frame<'_>> {
    let line = line.trim();
    let (function, place) = match line.strip_prefix("at ") {
        Some(rest) => match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
            Some((function, place)) => (function.trim().rsplit('.').next().unwrap_or_default(), place),
            None => ("", rest),
        },
        None if line.contains(".go:") => ("", line.split_once(' ').map_or(line, |(place, _)| place)),
        None => return None,
    };
    let (rest, last) = place.rsplit_once(':').filter(|(_, last)| number(last))?;
    // JavaScript adds the column.
    match rest.rsplit_once(':').filter(|(_, line)| number(line)) {
        Some((file, line)) => Some(Frame { file, line, function }),
        None => Some(Frame { file: rest, line: last, function }),
    }
}

fn number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Attribute;

    fn attribute(key: &str, value: Value) -> Attribute {
        Attribute { key: key.to_owned(), value }
    }

    fn exception(pairs: &[(&str, &str)]) -> EventDetail {
        let attributes = pairs.iter().map(|(key, value)| attribute(key, Value::String((*value).to_owned()))).collect();
        EventDetail { name: "exception".to_owned(), attributes, ..EventDetail::default() }
    }

    const PYTHON: &str = "Traceback (most recent call last):\n  File \"/srv/app/agents/run.py\", line 12, in step\n    \
        await call()\n  File \"/srv/app/tools.py\", line 41, in run\n    x()\n  File \"/usr/lib/python3.12/asyncio/tasks.py\", \
        line 520, in wait_for\n    raise\nTimeoutError: late\n";

    #[test]
    fn an_exception_has_type_message_and_place() {
        let event = exception(&[
            ("exception.type", "app.errors.RateLimitError"),
            ("exception.message", "slow down"),
            ("exception.stacktrace", PYTHON),
        ]);
        let fault =
            Fault::of(&Detail { events: vec![event], message: "RateLimitError: slow".to_owned(), ..Detail::default() });
        assert_eq!((fault.kind.as_str(), fault.short_kind()), ("app.errors.RateLimitError", "RateLimitError"));
        assert_eq!(fault.message, "slow down");
        assert_eq!(fault.place.as_deref(), Some("tools.py:41 in run"));
        assert_eq!(fault.cancellation, None);
    }

    #[test]
    fn a_status_speaks_where_no_exception_does() {
        let detail = Detail {
            message: "KeyError: 'x'".to_owned(),
            attributes: vec![
                attribute("error.type", Value::String("KeyError".to_owned())),
                attribute("code.filepath", Value::String("/srv/a.py".to_owned())),
                attribute("code.lineno", Value::Int(7)),
            ],
            ..Detail::default()
        };
        let fault = Fault::of(&detail);
        assert_eq!((fault.kind.as_str(), fault.message.as_str()), ("KeyError", "'x'"));
        assert_eq!(fault.place.as_deref(), Some("a.py:7"));
        let status = attribute("http.status_code", Value::Int(503));
        let detail = Detail { status: Status::Error, attributes: vec![status], ..Detail::default() };
        assert_eq!(Fault::of(&detail).message, "HTTP 503");
        assert!(Fault::of(&Detail::default()).is_silent());
    }

    #[test]
    fn a_cancellation_names_its_task() {
        let mut event = exception(&[
            ("exception.type", "asyncio.CancelledError"),
            ("task.name", "Task-7"),
            ("function.name", "run"),
        ]);
        event.attributes.push(attribute("cancellation.timestamp", Value::Int(5)));
        let fault = Fault::of(&Detail { events: vec![event], ..Detail::default() });
        let task = Some("Task-7".to_owned());
        let known = Cancellation { task, function: Some("run".to_owned()), time_unix_nano: Some(5) };
        assert_eq!(fault.cancellation, Some(known));
    }

    #[test]
    fn frames_of_other_languages_are_found() {
        let javascript = "Error: no\n    at node:internal/process/task:95:5\n    at Tools.run (/app/tools.js:41:7)\n    at /app/a.js:3:1";
        assert_eq!(frame(javascript).as_deref(), Some("tools.js:41 in run"));
        let java = "java.lang.Error: no\n\tat app.Tools.run(Tools.java:41)\n\tat app.Main.main(Main.java:3)";
        assert_eq!(frame(java).as_deref(), Some("Tools.java:41 in run"));
        let go = "goroutine 1 [running]:\nruntime.throw(0x1)\n\t/usr/local/go/src/runtime/panic.go:1077 +0x5c\nmain.run()\n\t/app/tools.go:41 +0x1d";
        assert_eq!(frame(go).as_deref(), Some("tools.go:41"));
        assert_eq!(frame("no frames here: at all"), None);
    }
}
