//! Attributes of OpenTelemetry's semantic conventions that have a new name.
//!
//! Facts of the schema file of version 1.44.0 (spans, resources, all signals) and of its registry: the old key, the key of today
//! with renames of renames followed, and the minor version since when that is its name. Keys that only moved to another document, or were split,
//! or have no replacement are not here.

/// The version of the conventions that the table tells, as a minor version of 1.
pub const SEMCONV: u8 = 44;

/// A key that has a new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rename {
    /// The old key.
    pub(super) from: &'static str,
    /// The key of today.
    pub(super) to: &'static str,
    /// Since when that is its name, as a minor version of 1; zero where the schema file does not say.
    pub(super) since: u8,
}

const fn row(since: u8, from: &'static str, to: &'static str) -> Rename {
    Rename { from, to, since }
}

/// By length of the old key, then by the key.
pub(super) const RENAMES: &[Rename] = &[
    row(25, "db.name", "db.namespace"),
    row(19, "faas.id", "cloud.resource_id"),
    row(21, "http.url", "url.full"),
    row(30, "db.system", "db.system.name"),
    row(37, "ios.state", "ios.app.state"),
    row(39, "rpc.system", "rpc.system.name"),
    row(30, "code.column", "code.column.number"),
    row(30, "code.lineno", "code.line.number"),
    row(21, "http.method", "http.request.method"),
    row(21, "http.scheme", "url.scheme"),
    row(21, "net.host.ip", "network.local.address"),
    row(21, "net.peer.ip", "network.peer.address"),
    row(35, "az.namespace", "azure.resource_provider.namespace"),
    row(25, "db.operation", "db.operation.name"),
    row(25, "db.sql.table", "db.collection.name"),
    row(25, "db.statement", "db.query.text"),
    row(37, "enduser.role", "user.roles"),
    row(39, "peer.service", "service.peer.name"),
    row(31, "android.state", "android.app.state"),
    row(30, "code.filepath", "code.file.path"),
    row(30, "code.function", "code.function.name"),
    row(37, "gen_ai.system", "gen_ai.provider.name"),
    row(21, "net.host.name", "server.address"),
    row(21, "net.host.port", "server.port"),
    row(21, "net.transport", "network.transport"),
    row(19, "faas.execution", "faas.invocation_id"),
    row(21, "http.client_ip", "client.address"),
    row(19, "http.user_agent", "user_agent.original"),
    row(22, "http.retry_count", "http.request.resend_count"),
    row(0, "http.server_name", "server.address"),
    row(21, "http.status_code", "http.response.status_code"),
    row(37, "container.runtime", "container.runtime.name"),
    row(22, "http.resend_count", "http.request.resend_count"),
    row(21, "net.protocol.name", "network.protocol.name"),
    row(0, "otel.library.name", "otel.scope.name"),
    row(19, "browser.user_agent", "user_agent.original"),
    row(25, "db.cassandra.table", "db.collection.name"),
    row(25, "db.hbase.namespace", "db.namespace"),
    row(21, "messaging.protocol", "network.protocol.name"),
    row(21, "net.sock.host.addr", "network.local.address"),
    row(21, "net.sock.host.port", "network.local.port"),
    row(21, "net.sock.peer.addr", "network.peer.address"),
    row(21, "net.sock.peer.port", "network.peer.port"),
    row(38, "system.paging.type", "system.paging.fault.type"),
    row(26, "messaging.client_id", "messaging.client.id"),
    row(25, "messaging.operation", "messaging.operation.type"),
    row(39, "rpc.jsonrpc.version", "jsonrpc.protocol.version"),
    row(32, "feature_flag.variant", "feature_flag.result.variant"),
    row(17, "messaging.message_id", "messaging.message.id"),
    row(21, "net.host.carrier.icc", "network.carrier.icc"),
    row(21, "net.host.carrier.mcc", "network.carrier.mcc"),
    row(21, "net.host.carrier.mnc", "network.carrier.mnc"),
    row(21, "net.protocol.version", "network.protocol.version"),
    row(0, "otel.library.version", "otel.scope.version"),
    row(30, "system.network.state", "network.connection.state"),
    row(35, "az.service_request_id", "azure.service.request.id"),
    row(25, "db.cassandra.keyspace", "db.namespace"),
    row(30, "db.cosmosdb.client_id", "azure.client.id"),
    row(25, "db.cosmosdb.container", "db.collection.name"),
    row(25, "db.mongodb.collection", "db.collection.name"),
    row(17, "messaging.destination", "messaging.destination.name"),
    row(21, "net.app.protocol.name", "network.protocol.name"),
    row(21, "net.host.carrier.name", "network.carrier.name"),
    row(38, "system.process.status", "process.state"),
    row(30, "db.cassandra.page_size", "cassandra.page.size"),
    row(27, "deployment.environment", "deployment.environment.name"),
    row(39, "rpc.jsonrpc.request_id", "jsonrpc.request.id"),
    row(22, "telemetry.auto.version", "telemetry.distro.version"),
    row(27, "tls.client.server_name", "server.address"),
    row(39, "linux.memory.slab.state", "system.memory.linux.slab.state"),
    row(38, "system.processes.status", "process.state"),
    row(29, "vcs.repository.ref.name", "vcs.ref.head.name"),
    row(29, "vcs.repository.ref.type", "vcs.ref.head.type"),
    row(30, "db.cassandra.idempotence", "cassandra.query.idempotent"),
    row(21, "net.app.protocol.version", "network.protocol.version"),
    row(21, "net.host.connection.type", "network.connection.type"),
    row(29, "vcs.repository.change.id", "vcs.change.id"),
    row(17, "messaging.conversation_id", "messaging.message.conversation_id"),
    row(26, "messaging.kafka.client_id", "messaging.client.id"),
    row(25, "messaging.kafka.partition", "messaging.destination.partition.id"),
    row(17, "messaging.kafka.tombstone", "messaging.kafka.message.tombstone"),
    row(38, "process.paging.fault_type", "system.paging.fault.type"),
    row(31, "system.cpu.logical_number", "cpu.logical_number"),
    row(30, "db.cosmosdb.request_charge", "azure.cosmosdb.operation.request_charge"),
    row(30, "db.elasticsearch.node.name", "elasticsearch.node.name"),
    row(33, "feature_flag.provider_name", "feature_flag.provider.name"),
    row(30, "gen_ai.openai.request.seed", "gen_ai.request.seed"),
    row(27, "gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
    row(21, "messaging.protocol_version", "network.protocol.version"),
    row(17, "messaging.temp_destination", "messaging.destination.temporary"),
    row(39, "rpc.connect_rpc.error_code", "rpc.response.status_code"),
    row(30, "db.cassandra.coordinator.dc", "cassandra.coordinator.dc"),
    row(30, "db.cassandra.coordinator.id", "cassandra.coordinator.id"),
    row(30, "db.cosmosdb.connection_mode", "azure.cosmosdb.connection.mode"),
    row(30, "db.cosmosdb.sub_status_code", "azure.cosmosdb.response.sub_status_code"),
    row(17, "messaging.kafka.message_key", "messaging.kafka.message.key"),
    row(21, "net.host.connection.subtype", "network.connection.subtype"),
    row(38, "process.context_switch_type", "process.context_switch.type"),
    row(29, "vcs.repository.change.title", "vcs.change.title"),
    row(29, "vcs.repository.ref.revision", "vcs.ref.head.revision"),
    row(26, "messaging.rocketmq.client_id", "messaging.client.id"),
    row(30, "db.cosmosdb.consistency_level", "azure.cosmosdb.consistency.level"),
    row(30, "db.cosmosdb.regions_contacted", "azure.cosmosdb.operation.contacted_regions"),
    row(27, "db.elasticsearch.cluster.name", "db.namespace"),
    row(30, "db.cassandra.consistency_level", "cassandra.consistency.level"),
    row(32, "feature_flag.evaluation.reason", "feature_flag.result.reason"),
    row(27, "gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"),
    row(27, "messaging.kafka.consumer.group", "messaging.consumer.group.name"),
    row(27, "messaging.kafka.consumer_group", "messaging.consumer.group.name"),
    row(27, "messaging.kafka.message.offset", "messaging.kafka.offset"),
    row(17, "messaging.rabbitmq.routing_key", "messaging.rabbitmq.destination.routing_key"),
    row(17, "messaging.rocketmq.message_tag", "messaging.rocketmq.message.tag"),
    row(17, "messaging.rocketmq.message_keys", "messaging.rocketmq.message.keys"),
    row(17, "messaging.rocketmq.message_type", "messaging.rocketmq.message.type"),
    row(30, "db.cosmosdb.request_content_length", "azure.cosmosdb.request.body.size"),
    row(37, "gen_ai.openai.request.service_tier", "openai.request.service_tier"),
    row(27, "messaging.eventhubs.consumer.group", "messaging.consumer.group.name"),
    row(37, "gen_ai.openai.response.service_tier", "openai.response.service_tier"),
    row(22, "messaging.message.payload_size_bytes", "messaging.message.body.size"),
    row(22, "messaging.message_payload_size_bytes", "messaging.message.body.size"),
    row(40, "feature_flag.evaluation.error.message", "feature_flag.error.message"),
    row(30, "gen_ai.openai.request.response_format", "gen_ai.output.type"),
    row(25, "messaging.kafka.destination.partition", "messaging.destination.partition.id"),
    row(29, "process.executable.build_id.profiling", "process.executable.build_id.htlhash"),
    row(30, "db.cassandra.speculative_execution_count", "cassandra.speculative_execution.count"),
    row(0, "http.request_content_length_uncompressed", "http.request.body.size"),
    row(37, "gen_ai.openai.response.system_fingerprint", "openai.response.system_fingerprint"),
    row(0, "http.response_content_length_uncompressed", "http.response.body.size"),
    row(27, "messaging.servicebus.destination.subscription_name", "messaging.destination.subscription.name"),
];

/// What became of a key in this version of the conventions.
pub(super) fn renamed(key: &[u8], version: u8) -> Option<&'static Rename> {
    let order = |rename: &Rename| (rename.from.len(), rename.from.as_bytes()).cmp(&(key.len(), key));
    let at = RENAMES.binary_search_by(order).ok()?;
    RENAMES.get(at).filter(|rename| rename.since <= version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_are_known_and_new_ones_are_not() {
        let to = |key: &str| renamed(key.as_bytes(), SEMCONV).map(|rename| rename.to);
        assert_eq!(to("http.method"), Some("http.request.method"));
        assert_eq!(to("peer.service"), Some("service.peer.name"));
        for key in ["gen_ai.request.model", "gen_ai.input.messages", "service.name", "enduser.id", "", "x"] {
            assert_eq!(to(key), None, "{key}");
        }
        for rename in RENAMES {
            assert_eq!(to(rename.from), Some(rename.to));
            assert_eq!(to(rename.to), None, "{} has a new name itself", rename.to);
        }
    }

    #[test]
    fn a_name_is_right_until_the_version_that_renames_it() {
        assert_eq!(renamed(b"gen_ai.system", 36), None);
        assert_eq!(renamed(b"gen_ai.system", 37).map(|rename| rename.to), Some("gen_ai.provider.name"));
        assert!(renamed(b"otel.library.name", 8).is_some());
    }

    #[test]
    fn the_table_is_in_the_order_that_a_search_needs() {
        let key = |rename: &Rename| (rename.from.len(), rename.from);
        assert!(RENAMES.is_sorted_by(|a, b| key(a) < key(b)));
        assert!(RENAMES.iter().all(|rename| rename.since <= SEMCONV));
    }
}
