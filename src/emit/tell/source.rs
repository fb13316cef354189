//! Where the functions of made-up programs stand: files for stack traces, modules for cancellations.
//!
//! Comes in: the name of a span, or of an exception's class. Goes out: a path without its ending.

/// Letta's classes and the modules that they are in (letta 0.16.8).
const LETTA: [(&str, &str); 24] = [
    ("LettaAgentV3", "letta/agents/letta_agent_v3"),
    ("LettaAgent", "letta/agents/letta_agent"),
    ("ToolExecutionManager", "letta/services/tool_executor/tool_execution_manager"),
    ("SandboxToolExecutor", "letta/services/tool_executor/sandbox_tool_executor"),
    ("LettaCoreToolExecutor", "letta/services/tool_executor/core_tool_executor"),
    ("LettaMultiAgentToolExecutor", "letta/services/tool_executor/multi_agent_tool_executor"),
    ("AsyncToolSandboxLocal", "letta/services/tool_sandbox/local_sandbox"),
    ("AsyncToolSandboxE2B", "letta/services/tool_sandbox/e2b_sandbox"),
    ("OpenAIClient", "letta/llm_api/openai_client"),
    ("AnthropicClient", "letta/llm_api/anthropic_client"),
    ("GoogleAIClient", "letta/llm_api/google_ai_client"),
    ("AgentManager", "letta/services/agent_manager"),
    ("BlockManager", "letta/services/block_manager"),
    ("MessageManager", "letta/services/message_manager"),
    ("PassageManager", "letta/services/passage_manager"),
    ("RunManager", "letta/services/run_manager"),
    ("StepManager", "letta/services/step_manager"),
    ("TelemetryManager", "letta/services/telemetry_manager"),
    ("UserManager", "letta/services/user_manager"),
    ("FileProcessor", "letta/services/file_processor/file_processor"),
    ("LettaScheduler", "letta/jobs/scheduler"),
    ("StreamingResponseWithStatusCode", "letta/server/rest_api/streaming_response"),
    ("trace", "letta/otel/tracing"),
    ("POST /v1/agents", "letta/server/rest_api/routers/v1/agents"),
];

/// What other libraries raise, and where.
const LIBRARIES: [(&str, &str); 6] = [
    ("openai.", "openai/_base_client"),
    ("anthropic.", "anthropic/_base_client"),
    ("google.", "google/genai/errors"),
    ("sqlalchemy.", "sqlalchemy/engine/default"),
    ("requests.", "requests/adapters"),
    ("anyio.", "anyio/streams/memory"),
];

/// Where Letta's decorator stands, through which every traced function is called.
pub(super) const WRAPPER: &str = "letta/otel/tracing";
/// Where a runtime of agents that is not Letta's stands.
const RUNTIME: &str = "agent/runtime";

/// The file in which a span's function stands.
pub(super) fn file_of(span: &str, letta: bool) -> &'static str {
    if !letta {
        return RUNTIME;
    }
    let class = span.split('.').next().unwrap_or_default();
    let found = LETTA.iter().find(|(known, _)| *known == class || (known.contains(' ') && span.starts_with(known)));
    found.map_or("letta/server/server", |(_, file)| *file)
}

/// The file of a library in which an exception of this class is raised.
pub(super) fn library_of(qualified: &str) -> Option<&'static str> {
    LIBRARIES.iter().find(|(module, _)| qualified.starts_with(module)).map(|(_, file)| *file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_the_files_of_their_classes() {
        assert_eq!(file_of("LettaAgentV3._execute_tool", true), "letta/agents/letta_agent_v3");
        assert_eq!(file_of("AsyncToolSandboxLocal.run", true), "letta/services/tool_sandbox/local_sandbox");
        assert_eq!(file_of("POST /v1/agents/{agent_id}/messages", true), "letta/server/rest_api/routers/v1/agents");
        assert_eq!(file_of("Nobody.knows", true), "letta/server/server");
        assert_eq!(file_of("execute_tool web_search", false), RUNTIME);
        assert_eq!(library_of("openai.RateLimitError"), Some("openai/_base_client"));
        assert_eq!(library_of("KeyError"), None);
    }
}
