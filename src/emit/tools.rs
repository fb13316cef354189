//! The tools that the made-up agents have.
//!
//! Comes in: a stream of chance and a sheet. Goes out: arguments that a tool would be given, and what they look like as JSON and
//! as Python prints them.

use super::chance::Chance;
use super::sheet::{Sheet, Word};
use super::story::Argument;
use super::words::{CITIES, topic};

/// A tool.
#[derive(Debug)]
pub(super) struct ToolKind {
    /// Its name.
    pub(super) name: &'static str,
    /// What it is for.
    pub(super) about: &'static str,
    /// The schema of its arguments.
    pub(super) parameters: &'static str,
    /// Its definition, as providers take it.
    pub(super) definition: &'static str,
    /// The start of it in Letta's events.
    pub(super) start: &'static str,
    /// The end of it in Letta's events.
    pub(super) finish: &'static str,
    /// What it does.
    pub(super) task: Task,
}

/// What a tool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Searches the web.
    Web,
    /// Asks for the weather.
    Weather,
    /// Looks an order up.
    Order,
    /// Searches memory.
    Memory,
    /// Runs code.
    Code,
    /// Looks a rate up.
    Rate,
    /// Sends a mail.
    Mail,
    /// Asks another agent.
    HandOff,
}

macro_rules! tool {
    ($name:literal, $task:ident, $about:literal, $properties:literal, $required:literal) => {
        ToolKind {
            name: $name,
            about: $about,
            parameters: concat!(
                r#"{"type": "object", "properties": {"#,
                $properties,
                r#"}, "required": ["#,
                $required,
                "]}"
            ),
            definition: concat!(
                r#"{"type": "function", "function": {"name": ""#,
                $name,
                r#"", "description": ""#,
                $about,
                r#"", "parameters": {"type": "object", "properties": {"#,
                $properties,
                r#"}, "required": ["#,
                $required,
                "]}}}"
            ),
            start: concat!("start_", $name, "_execution"),
            finish: concat!("finish_", $name, "_execution"),
            task: Task::$task,
        }
    };
}

/// The tools of every agent.
pub(super) const TOOLS: [ToolKind; 7] = [
    tool!(
        "web_search",
        Web,
        "Search the web",
        r#""query": {"type": "string"}, "limit": {"type": "integer"}"#,
        r#""query""#
    ),
    tool!(
        "get_weather",
        Weather,
        "Weather of a place",
        r#""city": {"type": "string"}, "day": {"type": "integer"}"#,
        r#""city""#
    ),
    tool!("lookup_order", Order, "State of an order", r#""order_id": {"type": "integer"}"#, r#""order_id""#),
    tool!(
        "archival_memory_search",
        Memory,
        "Search what was remembered",
        r#""query": {"type": "string"}, "page": {"type": "integer"}"#,
        r#""query""#
    ),
    tool!("run_code", Code, "Run Python", r#""code": {"type": "string"}"#, r#""code""#),
    tool!(
        "exchange_rate",
        Rate,
        "Rate of a currency",
        r#""currency": {"type": "string"}, "amount": {"type": "integer"}"#,
        r#""currency""#
    ),
    tool!(
        "send_mail",
        Mail,
        "Write to somebody",
        r#""subject": {"type": "string"}, "ticket": {"type": "integer"}"#,
        r#""subject""#
    ),
];

/// Hands work to another agent.
pub(super) const HAND_OFF: ToolKind = tool!(
    "ask_agent",
    HandOff,
    "Ask another agent",
    r#""agent": {"type": "string"}, "task": {"type": "string"}"#,
    r#""agent", "task""#
);

/// The tool that searches memory.
pub(super) fn memory_search() -> &'static ToolKind {
    &TOOLS[3]
}

/// Arguments for a tool, never the same twice.
pub(super) fn arguments(kind: &ToolKind, chance: &mut Chance, sheet: &mut Sheet) -> Vec<(&'static str, Argument)> {
    let number = chance.within(1_000, 99_999);
    match kind.task {
        Task::Web => {
            let query = sheet.word(format_args!("{} {number}", topic(chance)));
            vec![("query", Argument::Text(query)), ("limit", Argument::Int(chance.within(3, 10)))]
        }
        Task::Memory => {
            let query = sheet.word(format_args!("{} {number}", topic(chance)));
            vec![("query", Argument::Text(query)), ("page", Argument::Int(chance.below(3)))]
        }
        Task::Weather => {
            let city = sheet.word(format_args!("{} {}", chance.word(&CITIES), number % 100));
            vec![("city", Argument::Text(city)), ("day", Argument::Int(number))]
        }
        Task::Order => vec![("order_id", Argument::Int(number))],
        Task::Code => {
            let code = sheet.word(format_args!("sum(range({number}))"));
            vec![("code", Argument::Text(code))]
        }
        Task::Rate => {
            let currency = chance.word(&["EUR", "USD", "GBP", "JPY", "SEK"]);
            vec![("currency", Argument::Text(currency.into())), ("amount", Argument::Int(number))]
        }
        Task::Mail => {
            let subject = sheet.word(format_args!("About {}", topic(chance)));
            vec![("subject", Argument::Text(subject)), ("ticket", Argument::Int(number))]
        }
        Task::HandOff => Vec::new(),
    }
}

/// Arguments as JSON.
pub(super) fn json(arguments: &[(&'static str, Argument)], sheet: &mut Sheet) -> Word {
    printed(arguments, sheet, "\"")
}

/// Arguments as Python prints a dict.
pub(super) fn python(arguments: &[(&'static str, Argument)], sheet: &mut Sheet) -> Word {
    printed(arguments, sheet, "'")
}

/// No text of ours needs escapes, so that the two differ in their quotes alone.
fn printed(arguments: &[(&'static str, Argument)], sheet: &mut Sheet, quote: &'static str) -> Word {
    let mark = sheet.mark();
    let mut before = "{";
    for (key, value) in arguments {
        for piece in [before, quote, key, quote, ": "] {
            sheet.append(piece.into());
        }
        before = ", ";
        match value {
            Argument::Text(text) => {
                [quote.into(), *text, quote.into()].into_iter().for_each(|piece| sheet.append(piece))
            }
            Argument::Int(number) => {
                let digits = number.to_string();
                sheet.write(|out| out.push_str(&digits));
            }
        }
    }
    sheet.append("}".into());
    sheet.since(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_json_and_fit_their_definition() {
        let mut sheet = Sheet::new(Chance::new(1, 1));
        let mut chance = Chance::new(1, 2);
        for tool in &TOOLS {
            let definition: serde_json::Value = serde_json::from_str(tool.definition).unwrap();
            let properties = definition["function"]["parameters"]["properties"].as_object().unwrap();
            let given = arguments(tool, &mut chance, &mut sheet);
            let text = json(&given, &mut sheet);
            let parsed: serde_json::Value = serde_json::from_str(sheet.read(text)).unwrap();
            let parsed = parsed.as_object().unwrap();
            assert!(parsed.keys().all(|key| properties.contains_key(key)), "{}", tool.name);
            for required in definition["function"]["parameters"]["required"].as_array().unwrap() {
                assert!(parsed.contains_key(required.as_str().unwrap()), "{}", tool.name);
            }
            let text = python(&given, &mut sheet);
            assert!(sheet.read(text).starts_with("{'"), "{}", tool.name);
        }
    }
}
