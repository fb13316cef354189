//! SQL: statements as the upstream instrumentation of SQLAlchemy records them.
//!
//! Comes in: a statement and how long it takes. Goes out: client spans. With quirks the names are those of Letta's time, statements
//! carry comments that make each unique, connections are recorded, and Letta's own instrumentation tells all of it once more.

use super::teller::{MICRO, Teller};
use crate::emit::cast::{SQLALCHEMY, SYNC_SQL};
use crate::emit::plan::Convention;
use crate::emit::sheet::{Datum, Handle, Word, number};

/// A statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// The span's name: the verb and the database.
    span: &'static str,
    verb: &'static str,
    database: &'static str,
    table: &'static str,
    text: &'static str,
}

macro_rules! statements {
    ($($(#[$about:meta])* $name:ident = $verb:literal, $database:literal, $table:literal, $text:literal;)*) => {
        $($(#[$about])* pub(super) const $name: Statement = Statement {
            span: concat!($verb, " ", $database),
            verb: $verb,
            database: $database,
            table: $table,
            text: concat!($verb, " ", $text),
        };)*
    };
}

statements! {
    /// An agent is loaded.
    AGENT = "SELECT", "letta", "agents",
        "agents.id, agents.name, agents.llm_config, agents.message_ids FROM agents WHERE agents.id = $1";
    /// A user is loaded.
    USER = "SELECT", "letta", "users", "users.id, users.name, users.organization_id FROM users WHERE users.id = $1";
    /// The messages in an agent's context are loaded.
    CONTEXT = "SELECT", "letta", "messages",
        "messages.id, messages.role, messages.content FROM messages WHERE messages.id = ANY($1)";
    /// Passages near a vector are looked up.
    PASSAGES = "SELECT", "letta", "archival_passages",
        "id, text FROM archival_passages WHERE agent_id = $1 ORDER BY embedding <=> $2 LIMIT $3";
    /// A step is written down.
    STEP = "INSERT", "letta", "steps", "INTO steps (id, run_id, agent_id, model, status) VALUES ($1, $2, $3, $4, $5)";
    /// Messages are written down.
    MESSAGES = "INSERT", "letta", "messages", "INTO messages (id, agent_id, role, content) VALUES ($1, $2, $3, $4)";
    /// An order is looked up, by the service that has them.
    ORDER = "SELECT", "orders", "orders", "id, state, sent_at FROM orders WHERE id = $1";
}

impl Teller<'_> {
    /// A statement; `failed` is what the database says against it.
    pub(super) fn sql(&mut self, parent: Handle, statement: &Statement, took: u64, failed: Option<Word>) {
        let scope = self.sheet.scope;
        let own = self.plan.quirks && statement.database == "letta" && self.plan.convention == Convention::Letta;
        if own && !self.connected {
            self.connect(parent);
        }
        let began = self.now;
        self.sheet.scope = SQLALCHEMY;
        let span = self.sheet.open(Some(parent), statement.span, self.now);
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.now += took;
        let status = if failed.is_some() { number::ERROR } else { number::UNSET };
        self.sheet.close(span, self.now, status);
        if let Some(message) = failed {
            self.exception(span, self.now, "sqlalchemy.exc.OperationalError", message, "do_execute".into());
            self.sheet.with(span, |span| span.message = message);
        }
        if self.plan.quirks {
            self.old_sql(span, statement);
        } else {
            self.sheet.set_all(
                span,
                &[
                    ("db.system.name", "postgresql".into()),
                    ("db.namespace", statement.database.into()),
                    ("db.operation.name", statement.verb.into()),
                    ("db.collection.name", statement.table.into()),
                    ("db.query.text", statement.text.into()),
                    ("server.address", "db.internal".into()),
                    ("server.port", Datum::Int(5432)),
                ],
            );
        }
        if own {
            self.once_more(parent, statement, began, failed.is_some());
        }
        self.sheet.scope = scope;
        self.now += 10 * MICRO;
    }

    /// A statement with the names of Letta's time, and a comment that makes each unique.
    fn old_sql(&mut self, span: Handle, statement: &Statement) {
        let (trace, id) = (self.sheet.trace, self.sheet.id(span));
        let text = self.sheet.word(format_args!(
            "{} /*db_driver='asyncpg',db_framework='sqlalchemy%%3A2.0.43',traceparent='00-{trace:032x}-{id:016x}-01'*/",
            statement.text
        ));
        self.sheet.set_all(
            span,
            &[
                ("net.peer.name", "db.internal".into()),
                ("net.peer.port", Datum::Int(5432)),
                ("db.name", statement.database.into()),
                ("db.statement", text.into()),
                ("db.system", "postgresql".into()),
            ],
        );
    }

    /// The first statement opens a connection.
    fn connect(&mut self, parent: Handle) {
        self.connected = true;
        let scope = self.sheet.scope;
        self.sheet.scope = SQLALCHEMY;
        let span = self.leaf(parent, "connect", 1_400, number::UNSET);
        self.sheet.with(span, |span| span.kind = number::CLIENT);
        self.sheet.set_all(
            span,
            &[
                ("net.peer.name", "db.internal".into()),
                ("net.peer.port", Datum::Int(5432)),
                ("db.name", "letta".into()),
                ("db.system", "postgresql".into()),
            ],
        );
        self.sheet.scope = scope;
    }

    /// What Letta's own instrumentation says of it.
    fn once_more(&mut self, parent: Handle, statement: &Statement, began: u64, failed: bool) {
        let cursor = [
            ("db.operation.type", "cursor_execute".into()),
            ("db.statement", statement.text.into()),
            ("db.executemany", false.into()),
            ("db.connection.info", "{}".into()),
        ];
        let span = self.operation(parent, began, &cursor);
        if failed {
            self.sheet.close(span, self.now, number::ERROR);
            self.sheet.with(span, |span| span.message = "Database operation failed".into());
        }
        if statement.verb == "INSERT" {
            let flush = [
                ("db.operation.type", "session_flush".into()),
                ("sqlalchemy.session.new_count", Datum::Int(1)),
                ("sqlalchemy.session.dirty_count", Datum::Int(0)),
                ("sqlalchemy.session.deleted_count", Datum::Int(0)),
            ];
            self.operation(parent, began.saturating_sub(30 * MICRO), &flush);
        }
    }

    /// What is loaded beside an object, on the event loop: by its key, and through its relations.
    pub(super) fn load_relations(&mut self, parent: Handle) {
        if !self.plan.quirks {
            return;
        }
        let began = self.now;
        self.pass(300);
        let loaded = [
            ("db.operation.type", "loading_function".into()),
            ("sqlalchemy.loading.function", "load_on_pk_identity".into()),
        ];
        self.operation(parent, began, &loaded);
        for key in ["tools", "sources"] {
            let began = self.now;
            self.pass(500);
            let strategy = [
                ("db.operation.type", "loader_strategy".into()),
                ("sqlalchemy.loader.type", "selectin".into()),
                ("sqlalchemy.loader.is_joined", false.into()),
                ("sqlalchemy.relationship.key", key.into()),
                ("sqlalchemy.loader.class", "SelectInLoader".into()),
                ("sqlalchemy.loader.method", "_load_for_path".into()),
            ];
            self.operation(parent, began, &strategy);
        }
    }

    /// A span of Letta's own instrumentation, until now.
    fn operation(&mut self, parent: Handle, began: u64, attributes: &[(&'static str, Datum)]) -> Handle {
        let scope = self.sheet.scope;
        self.sheet.scope = SYNC_SQL;
        let span = self.sheet.open(Some(parent), "db_operation", began);
        self.sheet.set_all(span, attributes);
        self.sheet.close(span, self.now, number::OK);
        self.sheet.scope = scope;
        span
    }
}
