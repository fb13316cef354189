//! Who speaks: the services with their resources, and the instrumentations that write spans.
//!
//! Comes in: a plan. Goes out: resources in a fixed order. The last of them has no name, for those who need such a thing.

use std::borrow::Cow;

use super::plan::{Convention, Plan};
use super::script::{Fixed, Service as ScriptService};
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

/// A service behind the server, as it is called and as it answers.
#[derive(Debug)]
pub(super) struct Backend {
    /// Its name.
    name: &'static str,
    /// Where it is.
    pub(super) host: &'static str,
    /// How it is asked.
    pub(super) method: &'static str,
    /// What it calls such requests.
    pub(super) route: &'static str,
    /// The span of such a request.
    pub(super) span: &'static str,
}

macro_rules! backends {
    ($($place:ident = $at:literal, $name:literal, $host:literal, $method:literal, $route:literal;)*) => {
        $(
            #[doc = concat!("The place of ", $name, " among the services behind the server.")]
            pub(super) const $place: usize = $at;
        )*
        /// The services behind the server, in the order in which they join.
        pub(super) const BACKENDS: [Backend; [$($at,)*].len()] = [$(Backend {
            name: $name,
            host: $host,
            method: $method,
            route: $route,
            span: concat!($method, " ", $route),
        },)*];
    };
}

backends! {
    SEARCH = 0, "search-api", "search.internal", "GET", "/v1/search";
    WEATHER = 1, "weather-api", "weather.internal", "GET", "/v2/places/{place}/forecast";
    ORDERS = 2, "order-service", "orders.internal", "GET", "/v1/orders/{order_id}";
    RATES = 3, "rates-api", "rates.internal", "GET", "/v1/latest/{base}";
    VECTORS = 4, "vector-store", "vectors.internal", "POST", "/v1/indexes/{index}/query";
    MAIL = 5, "mail-relay", "mail.internal", "POST", "/v1/messages";
}

/// A service.
#[derive(Clone, Debug)]
struct Player {
    attributes: Vec<(Cow<'static, str>, Said)>,
    /// How far its clock is ahead, in nanoseconds.
    skew: i64,
    /// It has no name.
    nameless: bool,
    /// It is a server of agents: Letta's, or another one.
    serves: Option<bool>,
}

impl Player {
    fn new(attributes: Vec<(&'static str, Said)>) -> Self {
        let attributes = attributes.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Self { attributes, skew: 0, nameless: false, serves: None }
    }
}

#[derive(Clone, Debug)]
enum Said {
    Text(String),
    Int(i64),
    Bool(bool),
    Milli(i64),
}

/// All services.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    players: Vec<Player>,
    /// Services behind the server.
    behind: usize,
}

impl Cast {
    /// The services of a plan; those of a scenario file by their names.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut players: Vec<Player> = match &plan.script {
            Some(script) => script.services().map(scripted).collect(),
            None => vec![server(plan, plan.guide.unwrap_or(plan.convention))],
        };
        let behind = if plan.script.is_some() { 0 } else { plan.services.max(1) - 1 };
        let behind = usize::try_from(behind).unwrap_or(0);
        players.extend((0..behind).map(|at| player(at, plan.skew)));
        players.push(nameless());
        // Where a tour goes through several conventions, two servers are on it.
        if plan.tour && plan.guide.is_none() {
            players.push(server(plan, Convention::Genai));
        }
        Self { players, behind }
    }

    /// The service without a name.
    pub(super) fn nameless(&self) -> Service {
        let at = self.players.iter().position(|player| player.nameless).unwrap_or(0);
        Service::try_from(at).unwrap_or(Service::MAX)
    }

    /// The server that speaks this convention.
    pub(super) fn server(&self, convention: Convention) -> Service {
        let letta = convention == Convention::Letta;
        let at = self.players.iter().position(|player| player.serves == Some(letta));
        at.and_then(|at| Service::try_from(at).ok()).unwrap_or(SERVER)
    }

    /// One of the services that do what this one does, by a number that anybody draws; `None` where nobody records what it does.
    pub(super) fn behind(&self, backend: usize, draw: u64) -> Option<Service> {
        let equals =
            self.behind.checked_sub(backend).map(|rest| rest.div_ceil(BACKENDS.len())).filter(|some| *some > 0)?;
        let which = usize::try_from(draw % equals as u64).unwrap_or(0);
        Service::try_from(1 + backend + which * BACKENDS.len()).ok()
    }

    /// How far a service's clock is ahead.
    pub(super) fn skew(&self, service: Service) -> i64 {
        self.players.get(usize::from(service)).map_or(0, |player| player.skew)
    }

    /// A service as OTLP has it.
    pub(super) fn resource(&self, service: Service) -> RawResource<'_> {
        let attributes = self.players.get(usize::from(service)).map(|player| player.attributes.as_slice());
        let attributes = attributes.unwrap_or_default().iter().map(|(key, value)| RawAttribute {
            key: Text::known(key),
            value: match value {
                Said::Text(text) => RawValue::Text(Text::known(text)),
                Said::Int(number) => RawValue::Int(*number),
                Said::Bool(yes) => RawValue::Bool(*yes),
                Said::Milli(number) => RawValue::Double(*number as f64 / 1000.0),
            },
        });
        RawResource { attributes: attributes.collect(), ..RawResource::default() }
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
fn server(plan: &Plan, convention: Convention) -> Player {
    let text = |text: &str| Said::Text(text.to_owned());
    let letta = convention == Convention::Letta;
    let mut attributes = sdk(if letta { "1.30.0" } else { "1.37.0" });
    if letta {
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
    Player { serves: Some(letta), ..Player::new(attributes) }
}

/// Elevenths of the largest skew by which clocks are off, in turn.
const SKEWS: [i64; 4] = [3, -7, 11, -2];

/// A service behind it, the second and third of a kind with a number. Its clock is a little off, as clocks are.
fn player(at: usize, skew: u64) -> Player {
    let (kind, round) = (at % BACKENDS.len(), at / BACKENDS.len());
    let name = BACKENDS.get(kind).map_or("", |backend| backend.name);
    let name = if round == 0 { name.to_owned() } else { format!("{name}-{}", round + 1) };
    let player = named(&name, &format!("{name}-host-{}", 1 + at % 3));
    let part = i64::try_from(skew / 11).unwrap_or(0);
    Player { skew: SKEWS.get(at % SKEWS.len()).map_or(0, |elevenths| elevenths.saturating_mul(part)), ..player }
}

fn named(name: &str, host: &str) -> Player {
    let mut attributes = sdk("1.37.0");
    attributes.extend([
        ("service.name", Said::Text(name.to_owned())),
        ("service.instance.id", Said::Text(format!("{name}-0"))),
        ("host.name", Said::Text(host.to_owned())),
    ]);
    Player::new(attributes)
}

/// A service of a scenario file: what the file says of it goes before what an SDK says by itself.
fn scripted(service: &ScriptService) -> Player {
    let mut player = named(&service.name, &service.host);
    player.skew = service.skew;
    for (key, fixed) in &service.attributes {
        let value = match fixed {
            Fixed::Text(text) => Said::Text(text.clone()),
            Fixed::Int(number) => Said::Int(*number),
            Fixed::Milli(number) => Said::Milli(*number),
            Fixed::Bool(yes) => Said::Bool(*yes),
        };
        player.attributes.retain(|(known, _)| known != key);
        player.attributes.push((key.clone().into(), value));
    }
    player
}

/// What an SDK says that nobody gave a name.
fn nameless() -> Player {
    let mut attributes = sdk("1.37.0");
    attributes.push(("host.name", Said::Text("agent-host-1".to_owned())));
    Player { nameless: true, ..Player::new(attributes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_reached_and_none_beyond() {
        for services in [1, 2, 4, 7, 12, 64] {
            let cast = Cast::of(&Plan { services, ..Plan::default() });
            let reached: std::collections::BTreeSet<Service> = (0..BACKENDS.len())
                .flat_map(|backend| (0..20).map(move |draw| (backend, draw)))
                .filter_map(|(backend, draw)| cast.behind(backend, draw))
                .collect();
            let all: Vec<Service> = (1..services as Service).collect();
            assert_eq!(reached.into_iter().collect::<Vec<_>>(), all, "{services}");
        }
    }
}
