//! Who speaks: the services with their resources, and the instrumentations that write spans.
//!
//! Comes in: a plan. Goes out: resources in a fixed order. The last of them has no name, for those who need such a thing.

use super::plan::{Convention, Plan};
use super::sheet::{Scope, Service};
use crate::otlp::{RawAttribute, RawResource, RawValue, Text};

/// Instrumentation scopes: names and versions.
pub(super) const SCOPES: [(&str, &str); 11] = [
    ("letta.otel.tracing", ""),
    ("opentelemetry.instrumentation.requests", "0.51b0"),
    ("opentelemetry.instrumentation.sqlalchemy", "0.51b0"),
    ("opentelemetry.instrumentation.redis", "0.51b0"),
    ("opentelemetry.instrumentation.fastapi", "0.51b0"),
    ("agent.runtime", "2.3.0"),
    ("openinference.instrumentation.agents", "1.4.0"),
    ("opentelemetry.instrumentation.agents", "0.53.0"),
    ("sqlalchemy_sync_instrumentation", "1.0.0"),
    ("agent.worker", "2.3.0"),
    ("scenario", ""),
];

/// Letta's own tracing.
pub(super) const LETTA: Scope = 0;
/// The `requests` library.
pub(super) const REQUESTS: Scope = 1;
/// SQLAlchemy, by the upstream instrumentation.
pub(super) const SQLALCHEMY: Scope = 2;
/// redis.
pub(super) const REDIS: Scope = 3;
/// FastAPI.
pub(super) const FASTAPI: Scope = 4;
/// An agent library that speaks OpenTelemetry's conventions.
pub(super) const GENAI: Scope = 5;
/// OpenInference.
pub(super) const OPENINFERENCE: Scope = 6;
/// OpenLLMetry.
pub(super) const OPENLLMETRY: Scope = 7;
/// Letta's own SQLAlchemy instrumentation.
pub(super) const SYNC_SQL: Scope = 8;
/// A worker that lost its context.
pub(super) const WORKER: Scope = 9;
/// A scenario file.
pub(super) const SCRIPT: Scope = 10;

/// The service that requests go to.
pub(super) const SERVER: Service = 0;

/// A service behind the server.
const BEHIND: [&str; 6] = ["search-api", "weather-api", "order-service", "rates-api", "vector-store", "mail-relay"];

/// A service.
#[derive(Clone, Debug)]
pub(super) struct Player {
    attributes: Vec<(&'static str, Said)>,
    /// How far its clock is ahead, in nanoseconds.
    pub(super) skew: i64,
}

#[derive(Clone, Debug)]
enum Said {
    Text(String),
    Int(i64),
}

/// All services.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    players: Vec<Player>,
}

impl Cast {
    /// The services of a plan; those of a scenario file by their names.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut players: Vec<Player> = match &plan.script {
            Some(script) => script.services().map(|(name, host)| named(name, host)).collect(),
            None => {
                let behind = usize::try_from(plan.services.max(1) - 1).unwrap_or(0);
                let behind = (0..behind).map(|at| player(at, &behind_name(at)));
                std::iter::once(server(plan)).chain(behind).collect()
            }
        };
        players.push(nameless());
        Self { players }
    }

    /// How many services there are, the nameless one left out.
    pub(super) fn services(&self) -> usize {
        self.players.len() - 1
    }

    /// The service without a name.
    pub(super) fn nameless(&self) -> Service {
        Service::try_from(self.services()).unwrap_or(Service::MAX)
    }

    /// The service behind the server that answers for this number; `None` where the server is alone.
    pub(super) fn behind(&self, number: usize) -> Option<Service> {
        let others = self.services().checked_sub(1).filter(|others| *others > 0)?;
        Service::try_from(1 + number % others).ok()
    }

    /// How far a service's clock is ahead.
    pub(super) fn skew(&self, service: Service) -> i64 {
        self.players.get(usize::from(service)).map_or(0, |player| player.skew)
    }

    /// A service as OTLP has it.
    pub(super) fn resource(&self, service: Service) -> RawResource<'_> {
        let attributes = self.players.get(usize::from(service)).map(|player| player.attributes.as_slice());
        let attributes = attributes.unwrap_or_default().iter().map(|(key, value)| RawAttribute {
            key: Text::plain(key.as_bytes()),
            value: match value {
                Said::Text(text) => RawValue::Text(Text::plain(text.as_bytes())),
                Said::Int(number) => RawValue::Int(*number),
            },
        });
        RawResource { attributes: attributes.collect(), ..RawResource::default() }
    }
}

fn behind_name(at: usize) -> String {
    match (BEHIND.get(at % BEHIND.len()), at / BEHIND.len()) {
        (Some(name), 0) => (*name).to_owned(),
        (Some(name), round) => format!("{name}-{}", round + 1),
        (None, _) => format!("service-{at}"),
    }
}

fn sdk(version: &str) -> Vec<(&'static str, Said)> {
    let text = |text: &str| Said::Text(text.to_owned());
    vec![
        ("telemetry.sdk.language", text("python")),
        ("telemetry.sdk.name", text("opentelemetry")),
        ("telemetry.sdk.version", text(version)),
    ]
}

/// The agent server.
fn server(plan: &Plan) -> Player {
    let text = |text: &str| Said::Text(text.to_owned());
    let mut attributes = sdk(if plan.convention == Convention::Letta { "1.30.0" } else { "1.37.0" });
    if plan.convention == Convention::Letta {
        let environment = if plan.quirks { "deployment.environment" } else { "deployment.environment.name" };
        attributes.extend([
            ("service.name", text("letta-server-dev")),
            ("letta.version", text("0.16.8")),
            ("host.name", text("agent-host-1")),
            (environment, text("dev")),
            ("device.id", Said::Int(2_485_377_957_889)),
        ]);
    } else {
        attributes.extend([
            ("service.name", text("agent-server")),
            ("service.version", text("2.3.0")),
            ("service.instance.id", text("agent-server-0")),
            ("host.name", text("agent-host-1")),
            ("deployment.environment.name", text("dev")),
        ]);
    }
    Player { attributes, skew: 0 }
}

/// A service behind it: its clock is a few milliseconds off, as clocks are.
fn player(at: usize, name: &str) -> Player {
    let mut player = named(name, &format!("{name}-host-{}", 1 + at % 3));
    player.skew = [3_000_000, -7_000_000, 11_000_000, -2_000_000].get(at % 4).copied().unwrap_or(0);
    player
}

fn named(name: &str, host: &str) -> Player {
    let mut attributes = sdk("1.37.0");
    attributes.extend([
        ("service.name", Said::Text(name.to_owned())),
        ("service.instance.id", Said::Text(format!("{name}-0"))),
        ("host.name", Said::Text(host.to_owned())),
    ]);
    Player { attributes, skew: 0 }
}

/// What an SDK says whom nobody told its name.
fn nameless() -> Player {
    let mut attributes = sdk("1.37.0");
    attributes.push(("host.name", Said::Text("agent-host-1".to_owned())));
    Player { attributes, skew: 0 }
}
