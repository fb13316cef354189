//! Outgoing calls and the cache: what libraries below the agent record, the same in every convention.
//!
//! Comes in: what is asked of whom. Goes out: client spans, and where another service answers, its server span. With quirks the
//! names are those of the instrumentations of Letta's time.

use super::sql::ORDER;
use super::teller::{MICRO, Teller};
use crate::emit::cast::{BACKENDS, Backend, FASTAPI, ORDERS, REDIS, REQUESTS};
use crate::emit::sheet::{Datum, Handle, Word, number};
use crate::emit::story::Asked;

impl Teller<'_> {
    /// A request to another service.
    pub(super) fn http(&mut self, parent: Handle, asked: Asked) -> Handle {
        let Some(backend) = BACKENDS.get(asked.backend) else { return parent };
        let (scope, quirks) = (self.sheet.scope, self.plan.quirks);
        self.sheet.scope = REQUESTS;
        let span = self.sheet.open(Some(parent), backend.method, self.now);
        let url = self.sheet.join(&["https://".into(), backend.host.into(), asked.path]);
        let old = |old, new| if quirks { old } else { new };
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.sheet.set_all(
            span,
            &[
                (old("http.method", "http.request.method"), backend.method.into()),
                (old("http.url", "url.full"), url.into()),
            ],
        );
        if !quirks {
            self.sheet.set_all(span, &[("server.address", backend.host.into()), ("server.port", Datum::Int(443))]);
        }
        match asked.status {
            Some(status) => {
                self.sheet.set(span, old("http.status_code", "http.response.status_code"), status);
                self.answer(span, backend, asked, status);
                self.now += asked.took;
                self.answered(span, status);
            }
            None => self.unreachable(span, asked.took / 16),
        }
        self.sheet.scope = scope;
        span
    }

    fn answered(&mut self, span: Handle, status: u64) {
        let (failed, quirks) = (status >= 400, self.plan.quirks);
        let fine = if quirks { number::OK } else { number::UNSET };
        self.sheet.close(span, self.now, if failed { number::ERROR } else { fine });
        if failed && !quirks {
            let code = self.digits(status);
            self.sheet.set(span, "error.type", code);
        }
    }

    /// Nobody is there: an exception, and no status of an answer.
    fn unreachable(&mut self, span: Handle, took: u64) {
        const CLASS: &str = "ConnectionError";
        let message = "Failed to establish a new connection: [Errno 111] Connection refused".into();
        self.now += took;
        self.exception(span, self.now, "requests.exceptions.ConnectionError", message, "send".into());
        self.now += 20 * MICRO;
        self.fail(span, CLASS, message);
        if !self.plan.quirks {
            self.sheet.set(span, "error.type", CLASS);
        }
    }

    /// The other side of a call, on its own clock.
    fn answer(&mut self, caller: Handle, backend: &Backend, asked: Asked, status: u64) {
        let draw = self.sheet.chance.next();
        let Some(player) = self.cast.behind(asked.backend, draw) else { return };
        let (scope, here, now) = (self.sheet.scope, self.sheet.service, self.now);
        (self.sheet.scope, self.sheet.service) = (FASTAPI, player);
        let skew = self.cast.skew(player);
        let at = |time: u64| time.saturating_add_signed(skew);
        let span = self.sheet.open(Some(caller), backend.span, at(now + asked.took / 6));
        self.sheet.with(span, |span| (span.kind, span.remote) = (number::SERVER, true));
        let plain = self.sheet.read(asked.path).split('?').next().unwrap_or_default().to_owned();
        let plain = self.sheet.say(&plain);
        self.sheet.set_all(
            span,
            &[
                ("http.request.method", backend.method.into()),
                ("http.route", backend.route.into()),
                ("url.path", plain.into()),
                ("url.scheme", "https".into()),
                ("http.response.status_code", status.into()),
            ],
        );
        let failed = status >= 500;
        if asked.backend == ORDERS {
            self.now = at(now + asked.took / 4);
            let complaint = "canceling statement due to lock timeout".into();
            self.sql(span, &ORDER, asked.took / 4, failed.then_some(complaint));
            self.now = now;
        }
        self.sheet.close(
            span,
            at(now + asked.took - asked.took / 8),
            if failed { number::ERROR } else { number::UNSET },
        );
        if failed {
            let code = self.digits(status);
            self.sheet.set(span, "error.type", code);
        }
        (self.sheet.scope, self.sheet.service) = (scope, here);
    }

    /// A look into the cache.
    pub(super) fn redis_get(&mut self, parent: Handle, key: Word, hit: bool) {
        let span = self.redis(parent, "GET", key);
        self.sheet.set(span, "cache.hit", hit);
    }

    /// Something put into the cache for ten minutes.
    pub(super) fn redis_set(&mut self, parent: Handle, key: Word) {
        self.redis(parent, "SET", key);
    }

    fn redis(&mut self, parent: Handle, command: &'static str, key: Word) -> Handle {
        let scope = self.sheet.scope;
        self.sheet.scope = REDIS;
        let span = self.leaf(parent, command, 400, number::UNSET);
        let old = |old, new| if self.plan.quirks { old } else { new };
        let (system, text) = (old("db.system", "db.system.name"), old("db.statement", "db.query.text"));
        let rest = if command == "SET" { " ? ex ?" } else { "" };
        let said = self.sheet.join(&[command.into(), " ".into(), key, rest.into()]);
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.sheet.set_all(
            span,
            &[
                (system, "redis".into()),
                (text, said.into()),
                ("server.address", "cache.internal".into()),
                ("server.port", Datum::Int(6379)),
            ],
        );
        self.sheet.scope = scope;
        span
    }
}
