//! What people, agents and tools of the made-up server say and are called.
//!
//! Comes in: a stream of chance. Goes out: sentences of a seeded vocabulary, without quotes or control characters, so that they
//! stand in JSON and in a Python repr as they are.

use super::chance::Chance;

/// A language model.
#[derive(Debug)]
pub(super) struct Model {
    /// What is asked for.
    pub(super) name: &'static str,
    /// What answers.
    pub(super) version: &'static str,
    /// OpenTelemetry's name of its provider.
    pub(super) provider: &'static str,
    /// Letta's name of its provider.
    pub(super) endpoint: &'static str,
    /// OpenInference's names of what speaks to it and of its provider.
    pub(super) system: (&'static str, &'static str),
    /// What OpenLLMetry calls a call.
    pub(super) chat: &'static str,
    /// What the ids of its answers begin with.
    pub(super) answer: &'static str,
    /// What the ids of the tool calls that it asks for begin with.
    pub(super) tool_call: &'static str,
    /// Where it is.
    pub(super) host: &'static str,
    /// Letta's class that talks to it.
    pub(super) request: &'static str,
    /// The same for streams.
    pub(super) stream: &'static str,
    /// Letta's class method that builds requests.
    pub(super) build: &'static str,
    /// Letta's class method that reads answers.
    pub(super) convert: &'static str,
    /// Tokens that fit into it.
    pub(super) window: u64,
    /// Nanoseconds until its first token, median.
    pub(super) first: u64,
    /// Nanoseconds for each token, median.
    pub(super) each: u64,
}

/// The models there are.
pub(super) const MODELS: [Model; 3] = [
    Model {
        name: "gpt-4o-mini",
        version: "gpt-4o-mini-2024-07-18",
        provider: "openai",
        endpoint: "openai",
        system: ("openai", "openai"),
        chat: "openai.chat",
        answer: "chatcmpl-",
        tool_call: "call_",
        host: "api.openai.com",
        request: "OpenAIClient.request_async",
        stream: "OpenAIClient.stream_async",
        build: "OpenAIClient.build_request_data",
        convert: "OpenAIClient.convert_response_to_chat_completion",
        window: 128_000,
        first: 310_000_000,
        each: 9_000_000,
    },
    Model {
        name: "claude-sonnet-4",
        version: "claude-sonnet-4-20250514",
        provider: "anthropic",
        endpoint: "anthropic",
        system: ("anthropic", "anthropic"),
        chat: "anthropic.chat",
        answer: "msg_01",
        tool_call: "toolu_01",
        host: "api.anthropic.com",
        request: "AnthropicClient.request_async",
        stream: "AnthropicClient.stream_async",
        build: "AnthropicClient.build_request_data",
        convert: "AnthropicClient.convert_response_to_chat_completion",
        window: 200_000,
        first: 640_000_000,
        each: 14_000_000,
    },
    Model {
        name: "gemini-2.5-flash",
        version: "gemini-2.5-flash",
        provider: "gcp.gemini",
        endpoint: "google_ai",
        system: ("vertexai", "google"),
        chat: "gemini.generate_content",
        answer: "",
        tool_call: "function-call-",
        host: "generativelanguage.googleapis.com",
        request: "GoogleAIClient.request_async",
        stream: "GoogleAIClient.stream_async",
        build: "GoogleAIClient.build_request_data",
        convert: "GoogleAIClient.convert_response_to_chat_completion",
        window: 1_000_000,
        first: 270_000_000,
        each: 5_000_000,
    },
];

/// The model that makes vectors.
pub(super) const EMBEDDING: &str = "text-embedding-3-small";

/// An agent.
#[derive(Debug)]
pub(super) struct Persona {
    /// Its name.
    pub(super) name: &'static str,
    /// What it is told to be.
    pub(super) system: &'static str,
}

/// The agents that requests go to.
pub(super) const PERSONAS: [Persona; 5] = [
    Persona {
        name: "support",
        system: "You are the support agent of a bicycle shop in Zürich. Be friendly, check orders before you promise anything, and write down what you learn about the customer.",
    },
    Persona {
        name: "travel",
        system: "You plan journeys by train. Look up the weather and the timetable, name prices in francs, and never book without a clear yes.",
    },
    Persona {
        name: "research",
        system: "You are a careful researcher. Search first, read what you find, quote your sources by number, and say what you could not find out.",
    },
    Persona {
        name: "finance",
        system: "You answer questions about invoices and budgets. Compute with code, not in your head, and show the numbers that you used.",
    },
    Persona {
        name: "ops",
        system: "You are on call for a small cluster. Look at metrics and logs, explain what you see, and propose the smallest change that helps.",
    },
];

/// The agents that others hand work to.
pub(super) const HELPERS: [Persona; 3] = [
    Persona { name: "planner", system: "You turn a goal into at most five steps and name who does each of them." },
    Persona { name: "critic", system: "You read a draft and name its three weakest points, the worst one first." },
    Persona { name: "writer", system: "You write short, exact answers in plain words." },
];

const OPENINGS: [&str; 10] = [
    "Could you tell me",
    "I would like to know",
    "Please find out",
    "My colleague asked",
    "We were wondering",
    "Since yesterday nobody can say",
    "Before the meeting I have to know",
    "For the report we need to know",
    "I looked everywhere, but",
    "Quick question:",
];
const MATTERS: [&str; 14] = [
    "why the order from last week has not arrived",
    "which train reaches Genève before noon",
    "how much of the budget is left for this quarter",
    "whether the spare wheel fits the older frame",
    "what changed in the latency of the checkout service",
    "who approved the second invoice",
    "if the weather in Zürich allows a ride on Sunday",
    "how many customers asked for a refund in März",
    "which papers measure memory of agents over months",
    "what the café owes us after the credit note",
    "when the certificate of the gateway expires",
    "whether the new model is cheaper for long prompts",
    "how to move the backup without a pause",
    "which supplier delivers the blue helmets",
];
const FINDINGS: [&str; 16] = [
    "The parcel left the warehouse on Tuesday and waits at the customs office.",
    "There is a connection at 08:32 that arrives with ten minutes to spare.",
    "After the last booking 1,240 francs are left, most of it reserved.",
    "Both frames take the same axle, so the wheel fits.",
    "The slow requests all come from one replica that was moved on Monday.",
    "The approval is in the archive, signed by two people.",
    "Light rain until ten, then sunny with a weak wind from the west.",
    "Eleven customers asked, nine of them got their money back.",
    "Three of the papers measure it, none of them over more than six weeks.",
    "The credit note covers a third of the open amount.",
    "It expires in nineteen days; the renewal job has been failing since May.",
    "For prompts above eight thousand tokens it costs about half as much.",
    "The copy can run beside the old one, and the switch takes a second.",
    "Two suppliers have them, one of them delivers within a week.",
    "I wrote that down in memory, so that nobody has to ask again.",
    "Tell me if you want me to go on with the next step.",
];

/// Appends a question.
pub(super) fn question(chance: &mut Chance, out: &mut String) {
    out.push_str(chance.word(&OPENINGS));
    out.push(' ');
    out.push_str(chance.word(&MATTERS));
    out.push('?');
}

/// Appends sentences, about so many bytes of them.
pub(super) fn findings(chance: &mut Chance, bytes: u64, out: &mut String) {
    let start = out.len();
    let end = start + usize::try_from(bytes).unwrap_or(usize::MAX >> 1);
    loop {
        out.push_str(chance.word(&FINDINGS));
        if out.len() >= end {
            if looks_cut(out.len() - start) {
                out.push('.');
            }
            return;
        }
        out.push(' ');
    }
}

/// Whether a text of this length looks like one that was cut: as long as what some backend takes at most.
pub(super) fn looks_cut(length: usize) -> bool {
    length == 4_095 || length == 25_000 || (length > 1_024 && length.is_power_of_two())
}

/// A few words to look something up by.
pub(super) fn topic(chance: &mut Chance) -> &'static str {
    chance.word(&MATTERS)
}

/// Places that weather and trains are asked for.
pub(super) const CITIES: [&str; 8] = ["Zürich", "Genève", "Basel", "Bern", "Lugano", "Chur", "Milano", "Lyon"];
