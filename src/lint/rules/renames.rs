//! Attributes of OpenTelemetry's semantic conventions that have a new name.
//!
//! The registry of version 1.44.0 and the GenAI conventions beside it. Keys that only moved to another document are not here:
//! their names are still right.

/// The new name of a key; `None` where it has none.
#[inline]
pub(super) fn renamed(key: &[u8]) -> Option<&'static str> {
    // One look at the length passes nearly everything else by.
    if !(6..=42).contains(&key.len()) || !matches!(key.first(), Some(b'a'..=b'r')) {
        return None;
    }
    Some(match key {
        b"http.method" => "http.request.method",
        b"http.status_code" => "http.response.status_code",
        b"http.url" => "url.full",
        b"http.scheme" => "url.scheme",
        b"http.user_agent" => "user_agent.original",
        b"http.client_ip" => "client.address",
        b"http.request_content_length" => "http.request.header.content-length",
        b"http.response_content_length" => "http.response.header.content-length",
        b"http.resend_count" => "http.request.resend_count",
        b"net.peer.ip" => "network.peer.address",
        b"net.host.ip" => "network.local.address",
        b"net.host.name" => "server.address",
        b"net.host.port" => "server.port",
        b"net.sock.peer.addr" => "network.peer.address",
        b"net.sock.peer.port" => "network.peer.port",
        b"net.sock.host.addr" => "network.local.address",
        b"net.sock.host.port" => "network.local.port",
        b"net.protocol.name" => "network.protocol.name",
        b"net.protocol.version" => "network.protocol.version",
        b"net.transport" => "network.transport",
        b"net.host.connection.type" => "network.connection.type",
        b"net.host.connection.subtype" => "network.connection.subtype",
        b"net.host.carrier.name" => "network.carrier.name",
        b"net.host.carrier.mcc" => "network.carrier.mcc",
        b"net.host.carrier.mnc" => "network.carrier.mnc",
        b"net.host.carrier.icc" => "network.carrier.icc",
        b"db.system" => "db.system.name",
        b"db.name" => "db.namespace",
        b"db.statement" => "db.query.text",
        b"db.operation" => "db.operation.name",
        b"db.mongodb.collection" => "db.collection.name",
        b"db.sql.table" => "db.collection.name",
        b"db.cassandra.table" => "db.collection.name",
        b"db.cosmosdb.container" => "db.collection.name",
        b"messaging.operation" => "messaging.operation.type",
        b"messaging.client_id" => "messaging.client.id",
        b"messaging.kafka.consumer.group" => "messaging.consumer.group.name",
        b"messaging.kafka.message.offset" => "messaging.kafka.offset",
        b"code.filepath" => "code.file.path",
        b"code.lineno" => "code.line.number",
        b"code.column" => "code.column.number",
        b"code.function" => "code.function.name",
        b"deployment.environment" => "deployment.environment.name",
        b"otel.library.name" => "otel.scope.name",
        b"otel.library.version" => "otel.scope.version",
        b"rpc.system" => "rpc.system.name",
        b"peer.service" => "service.peer.name",
        b"enduser.role" => "user.roles",
        b"gen_ai.system" => "gen_ai.provider.name",
        b"gen_ai.usage.prompt_tokens" => "gen_ai.usage.input_tokens",
        b"gen_ai.usage.completion_tokens" => "gen_ai.usage.output_tokens",
        b"gen_ai.openai.request.seed" => "gen_ai.request.seed",
        b"gen_ai.openai.request.response_format" => "gen_ai.output.type",
        b"gen_ai.openai.request.service_tier" => "openai.request.service_tier",
        b"gen_ai.openai.response.service_tier" => "openai.response.service_tier",
        b"gen_ai.openai.response.system_fingerprint" => "openai.response.system_fingerprint",
        b"az.namespace" => "azure.resource_provider.namespace",
        b"az.service_request_id" => "azure.service.request.id",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_are_known_and_new_ones_are_not() {
        assert_eq!(renamed(b"http.method"), Some("http.request.method"));
        assert_eq!(renamed(b"gen_ai.openai.response.system_fingerprint"), Some("openai.response.system_fingerprint"));
        assert_eq!(renamed(b"peer.service"), Some("service.peer.name"));
        for key in ["http.request.method", "gen_ai.request.model", "gen_ai.input.messages", "service.name", "", "x"] {
            assert_eq!(renamed(key.as_bytes()), None, "{key}");
        }
    }
}
