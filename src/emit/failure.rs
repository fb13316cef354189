//! What providers and the server say when they fail.
//!
//! Comes in: a provider and what goes wrong. Goes out: classes and messages, as the provider's own library has them and as Letta hands
//! them on.

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The provider has had enough of us.
    RateLimit,
    /// The provider has too much to do.
    Overloaded,
    /// The provider takes much too long.
    Timeout,
    /// The provider cannot be reached.
    Unreachable,
}

/// What a provider or the server says when it fails.
#[derive(Debug)]
pub(super) struct Failure {
    /// Bare class name.
    pub(super) class: &'static str,
    /// The class with its module.
    pub(super) qualified: &'static str,
    /// What it says.
    pub(super) message: &'static str,
    /// The HTTP status that the caller gets to see.
    pub(super) status: u64,
    /// What the provider or server was doing.
    pub(super) function: &'static str,
    /// What Letta makes of it above the call.
    pub(super) mapped: Option<Mapped>,
}

/// An error of Letta's that stands for one of a provider.
#[derive(Debug)]
pub(super) struct Mapped {
    /// Bare class name.
    pub(super) class: &'static str,
    /// The class with its module.
    pub(super) qualified: &'static str,
    /// What it says.
    pub(super) message: &'static str,
    /// What the client is told, behind the status.
    pub(super) told: &'static str,
}

macro_rules! failures {
    ($($provider:literal, $about:literal, $module:literal, {$(
        $trouble:ident: $class:literal, $message:literal, $status:literal, $function:literal
        => $mapped:literal, $before:literal, $told:literal;
    )*})*) => {
        /// What a provider says; what it is in the trace of somebody who does not know the provider is OpenAI's way.
        pub(super) fn failure(provider: &str, trouble: Trouble) -> &'static Failure {
            match provider {
                $($provider => match trouble {
                    $(Trouble::$trouble => &Failure {
                        class: $class,
                        qualified: concat!($module, ".", $class),
                        message: $message,
                        status: $status,
                        function: $function,
                        mapped: Some(Mapped {
                            class: $mapped,
                            qualified: concat!("letta.errors.", $mapped),
                            message: concat!($before, $about, ": ", $message),
                            told: $told,
                        }),
                    },)*
                },)*
                _ => failure("openai", trouble),
            }
        }
    };
}

failures! {
    "openai", "OpenAI", "openai", {
        RateLimit: "RateLimitError",
            "Error code: 429 - rate limit reached for requests per minute, please try again in 2s", 429, "request"
            => "LLMRateLimitError", "RATE_LIMIT_EXCEEDED: Rate limited by ", "Rate limit exceeded for LLM model provider";
        Overloaded: "InternalServerError",
            "Error code: 503 - the engine is currently overloaded, please try again later", 502, "request"
            => "LLMServerError", "INTERNAL_SERVER_ERROR: Server error at ", "LLM provider unavailable";
        Timeout: "APITimeoutError", "Request timed out.", 504, "request"
            => "LLMTimeoutError", "TIMEOUT: No answer in time from ", "The LLM request timed out";
        Unreachable: "APIConnectionError", "Connection error.", 502, "request"
            => "LLMConnectionError", "INTERNAL_SERVER_ERROR: Failed to connect to ", "LLM provider unavailable";
    }
    "anthropic", "Anthropic", "anthropic", {
        RateLimit: "RateLimitError",
            "Error code: 429 - rate_limit_error: this request would exceed the limit of input tokens per minute", 429, "request"
            => "LLMRateLimitError", "RATE_LIMIT_EXCEEDED: Rate limited by ", "Rate limit exceeded for LLM model provider";
        Overloaded: "InternalServerError", "Error code: 529 - overloaded_error: Overloaded", 502, "request"
            => "LLMServerError", "INTERNAL_SERVER_ERROR: Server error at ", "LLM provider unavailable";
        Timeout: "APITimeoutError", "Request timed out.", 504, "request"
            => "LLMTimeoutError", "TIMEOUT: No answer in time from ", "The LLM request timed out";
        Unreachable: "APIConnectionError", "Connection error.", 502, "request"
            => "LLMConnectionError", "INTERNAL_SERVER_ERROR: Failed to connect to ", "LLM provider unavailable";
    }
    "gcp.gemini", "Google AI", "google.genai.errors", {
        RateLimit: "ClientError", "429 RESOURCE_EXHAUSTED. quota exceeded for requests per minute", 429, "raise_error_async"
            => "LLMRateLimitError", "RATE_LIMIT_EXCEEDED: Rate limited by ", "Rate limit exceeded for LLM model provider";
        Overloaded: "ServerError", "503 UNAVAILABLE. The model is overloaded, try again later", 502, "raise_error_async"
            => "LLMServerError", "INTERNAL_SERVER_ERROR: Server error at ", "LLM provider unavailable";
        Timeout: "ReadTimeout", "The read operation timed out", 504, "handle_async_request"
            => "LLMTimeoutError", "TIMEOUT: No answer in time from ", "The LLM request timed out";
        Unreachable: "ConnectError", "All connection attempts failed", 502, "handle_async_request"
            => "LLMConnectionError", "INTERNAL_SERVER_ERROR: Failed to connect to ", "LLM provider unavailable";
    }
}

/// Our own bug.
pub(super) const BUG: Failure = Failure {
    class: "KeyError",
    qualified: "KeyError",
    message: "'memory_blocks'",
    status: 500,
    function: "compile_memory",
    mapped: None,
};
