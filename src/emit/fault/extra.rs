//! Faults of performance and of what must be kept secret.
//!
//! Comes in: a trace. Goes out: queries that should have been one, and credentials that should not be there. All of the latter
//! are made up from chance and open nothing.

use super::warp::Warp;
use crate::emit::cast::{SQLALCHEMY, SYNC_SQL};
use crate::emit::sheet::{Datum, Handle, number};

impl Warp<'_> {
    fn query(&mut self, parent: Handle) -> Handle {
        let span = self.extra(parent, "SELECT letta");
        self.sheet.with(span, |span| (span.kind, span.scope) = (number::CLIENT, SQLALCHEMY));
        self.sheet.set_all(
            span,
            &[
                ("db.system.name", "postgresql".into()),
                ("db.namespace", "letta".into()),
                ("db.operation.name", "SELECT".into()),
                ("db.collection.name", "tools".into()),
                ("db.query.text", "SELECT name FROM tools WHERE id = $1".into()),
                ("server.address", "db.internal".into()),
                ("server.port", Datum::Int(5432)),
            ],
        );
        span
    }

    /// PRF001.
    pub(super) fn n_plus_one(&mut self) {
        for at in 0..12 {
            let span = self.query(self.root());
            self.sheet.with(span, |span| (span.start, span.end) = (span.start + at * 700, span.start + at * 700 + 600));
        }
    }

    /// PRF004.
    pub(super) fn zero_duration(&mut self) {
        let span = self.query(self.root());
        self.sheet.with(span, |span| span.end = span.start);
    }

    /// PRF006.
    pub(super) fn sync_io_on_loop(&mut self) {
        let span = self.extra(self.root(), "db_operation");
        self.sheet.with(span, |span| (span.scope, span.status) = (SYNC_SQL, number::OK));
        self.sheet.set_all(
            span,
            &[
                ("db.operation.type", "loader_strategy".into()),
                ("sqlalchemy.loader.class", "LazyLoader".into()),
                ("sqlalchemy.relationship.key", "tools".into()),
            ],
        );
    }

    /// Letters and digits.
    fn gibberish(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        (0..length).map(|_| char::from(self.sheet.chance.pick(LETTERS).copied().unwrap_or(b'x'))).collect()
    }

    /// SEC001.
    pub(super) fn secret(&mut self) {
        let key = self.gibberish(93);
        let value = self.sheet.word(format_args!("{{'headers': 'Bearer sk-ant-api03-{key}AA'}}"));
        let span = self.extra(self.root(), "HttpClient.configure");
        self.sheet.set(span, "parameter.options", value);
    }

    /// SEC002.
    pub(super) fn credential_header(&mut self) {
        let value = self.gibberish(18);
        let value = self.sheet.word(format_args!("Basic {value}"));
        let root = self.root();
        self.put(root, "http.request.header.authorization", value);
    }

    /// SEC003.
    pub(super) fn credential_in_url(&mut self) {
        let value = self.gibberish(14);
        let url = self.sheet.word(format_args!("https://agents.internal/v1/export?api_key={value}"));
        let root = self.root();
        self.put(root, "url.full", url);
    }

    /// SEC004.
    pub(super) fn sensitive_key_name(&mut self) {
        let value = self.gibberish(11);
        let value = self.sheet.say(&value);
        let root = self.root();
        self.put(root, "http.request.body.password", value);
    }
}
