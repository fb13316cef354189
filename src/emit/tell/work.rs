//! Outgoing calls, SQL and cache: what libraries below the agent record, the same in every convention.
//!
//! Comes in: what is asked of whom. Goes out: client spans, and where another service answers, its server span. With quirks the
//! names are those of the instrumentations of Letta's time, and every statement is told twice.

use super::teller::{MICRO, Teller};
use crate::emit::cast::{FASTAPI, REDIS, REQUESTS, SQLALCHEMY, SYNC_SQL};
use crate::emit::sheet::{Datum, Handle, Word, number};

/// Services behind the server, as their callers address them.
const HOSTS: [&str; 2] = ["search.internal", "weather.internal"];
const ROUTES: [&str; 2] = ["GET /v1/search", "GET /v2/places/{place}/forecast"];
const PATHS: [&str; 2] = ["/v1/search", "/v2/places/{place}/forecast"];

impl Teller<'_> {
    /// A GET of another service; whether it went well.
    pub(super) fn http(&mut self, parent: Handle, service: usize, path: Word, took: u64, status: u64) -> Handle {
        let (scope, quirks) = (self.sheet.scope, self.plan.quirks);
        self.sheet.scope = REQUESTS;
        let span = self.sheet.open(Some(parent), "GET", self.now);
        let host = HOSTS.get(service % HOSTS.len()).copied().unwrap_or_default();
        let url = self.sheet.join(&["https://".into(), host.into(), path]);
        let old = |old, new| if quirks { old } else { new };
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.sheet.set_all(
            span,
            &[
                (old("http.method", "http.request.method"), "GET".into()),
                (old("http.url", "url.full"), url.into()),
                (old("http.status_code", "http.response.status_code"), status.into()),
            ],
        );
        if !quirks {
            self.sheet.set_all(span, &[("server.address", host.into()), ("server.port", Datum::Int(443))]);
        }
        self.answer(span, service, path, took, status);
        self.now += took;
        let failed = status >= 400;
        self.sheet.close(
            span,
            self.now,
            if failed {
                number::ERROR
            } else if quirks {
                number::OK
            } else {
                number::UNSET
            },
        );
        if failed && !quirks {
            let code = self.digits(status);
            self.sheet.set(span, "error.type", code);
        }
        self.sheet.scope = scope;
        span
    }

    /// The other side of a call, on its own clock.
    fn answer(&mut self, caller: Handle, service: usize, path: Word, took: u64, status: u64) {
        let Some(player) = self.cast.behind(service) else { return };
        let (scope, here) = (self.sheet.scope, self.sheet.service);
        (self.sheet.scope, self.sheet.service) = (FASTAPI, player);
        let skew = self.cast.skew(player);
        let at = |time: u64| time.saturating_add_signed(skew);
        let route = ROUTES.get(service % ROUTES.len()).copied().unwrap_or_default();
        let span = self.sheet.open(Some(caller), route, at(self.now + took / 6));
        self.sheet.with(span, |span| (span.kind, span.remote) = (number::SERVER, true));
        let plain = self.sheet.read(path).split('?').next().unwrap_or_default().to_owned();
        let plain = self.sheet.say(&plain);
        self.sheet.set_all(
            span,
            &[
                ("http.request.method", "GET".into()),
                ("http.route", PATHS.get(service % PATHS.len()).copied().unwrap_or_default().into()),
                ("url.path", plain.into()),
                ("url.scheme", "https".into()),
                ("http.response.status_code", status.into()),
            ],
        );
        let failed = status >= 500;
        self.sheet.close(span, at(self.now + took - took / 8), if failed { number::ERROR } else { number::UNSET });
        if failed {
            let code = self.digits(status);
            self.sheet.set(span, "error.type", code);
        }
        (self.sheet.scope, self.sheet.service) = (scope, here);
    }

    /// A statement; `failed` is what the database says against it.
    pub(super) fn sql(
        &mut self,
        parent: Handle,
        (statement, verb, table): (&'static str, &'static str, &'static str),
        took: u64,
        failed: Option<Word>,
    ) {
        let scope = self.sheet.scope;
        let began = self.now;
        self.sheet.scope = SQLALCHEMY;
        let name = match verb {
            "SELECT" => "SELECT letta",
            "INSERT" => "INSERT letta",
            _ => "UPDATE letta",
        };
        let span = self.sheet.open(Some(parent), name, self.now);
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.now += took;
        let status = if failed.is_some() { number::ERROR } else { number::UNSET };
        self.sheet.close(span, self.now, status);
        if let Some(message) = failed {
            self.exception(span, self.now, "sqlalchemy.exc.OperationalError", message, "execute".into());
            self.sheet.with(span, |span| span.message = message);
        }
        if self.plan.quirks {
            self.old_sql(span, parent, statement, began);
        } else {
            self.sheet.set_all(
                span,
                &[
                    ("db.system.name", "postgresql".into()),
                    ("db.namespace", "letta".into()),
                    ("db.operation.name", verb.into()),
                    ("db.collection.name", table.into()),
                    ("db.query.text", statement.into()),
                    ("server.address", "db.internal".into()),
                    ("server.port", Datum::Int(5432)),
                ],
            );
        }
        self.sheet.scope = scope;
        self.now += 10 * MICRO;
    }

    /// The statement as it was told in Letta's time: with a comment that makes each unique, and a second time by Letta itself.
    fn old_sql(&mut self, span: Handle, parent: Handle, statement: &'static str, began: u64) {
        let (trace, id) = (self.sheet.trace, self.sheet.id(span));
        let text = self.sheet.word(format_args!(
            "{statement} /*db_driver='asyncpg',db_framework='sqlalchemy%%3A2.0.43',traceparent='00-{trace:032x}-{id:016x}-01'*/"
        ));
        self.sheet.set_all(
            span,
            &[
                ("net.peer.name", "db.internal".into()),
                ("net.peer.port", Datum::Int(5432)),
                ("db.name", "letta".into()),
                ("db.statement", text.into()),
                ("db.system", "postgresql".into()),
            ],
        );
        self.sheet.scope = SYNC_SQL;
        let twin = self.sheet.open(Some(parent), "db_operation", began);
        self.sheet.set_all(
            twin,
            &[
                ("db.operation.type", "cursor_execute".into()),
                ("db.statement", statement.into()),
                ("db.executemany", false.into()),
                ("db.connection.info", "postgresql://db.internal/letta".into()),
            ],
        );
        self.sheet.close(twin, self.now, number::OK);
    }

    /// A look into the cache.
    pub(super) fn redis(&mut self, parent: Handle, key: Word, hit: bool) {
        let scope = self.sheet.scope;
        self.sheet.scope = REDIS;
        let span = self.leaf(parent, "GET", 400, number::UNSET);
        let system = if self.plan.quirks { "db.system" } else { "db.system.name" };
        let text = if self.plan.quirks { "db.statement" } else { "db.query.text" };
        let said = self.sheet.join(&["GET ".into(), key]);
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.sheet.set_all(
            span,
            &[
                (system, "redis".into()),
                (text, said.into()),
                ("server.address", "cache.internal".into()),
                ("server.port", Datum::Int(6379)),
                ("cache.hit", hit.into()),
            ],
        );
        self.sheet.scope = scope;
    }
}
