//! The one list of settings that `tracectl.toml` and `TRACECTL_*` may give.
//!
//! Comes in: nothing. Goes out: names, kinds and choices. Checks, variables and messages are all derived from it.

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// `true` or `false`.
    Flag,
    /// A whole number from 0.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text.
    Text,
    /// The path of a file; in `tracectl.toml` it goes out from there.
    Path,
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// Its name: `section.key`, or `key` at the top of the file.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) holds: Holds,
}

const fn key(name: &'static str, holds: Holds) -> Key {
    Key { name, holds }
}

/// All settings.
pub(super) const KEYS: &[Key] = &[
    key("ascii", Holds::Flag),
    key("color", Holds::Choice(&["auto", "always", "never"])),
    key("jobs", Holds::Number),
    key("strict", Holds::Flag),
    key("width", Holds::Number),
    key("listen.append", Holds::Flag),
    key("listen.auth-token", Holds::Text),
    key("listen.cors-origin", Holds::Text),
    key("listen.forward", Holds::Text),
    key("listen.fsync", Holds::Flag),
    key("listen.grpc", Holds::Text),
    key("listen.http", Holds::Text),
    key("listen.keep", Holds::Number),
    key("listen.keep-traces", Holds::Number),
    key("listen.log-format", Holds::Choice(&["text", "json"])),
    key("listen.max-connections", Holds::Number),
    key("listen.max-queue-size", Holds::Text),
    key("listen.max-request-size", Holds::Text),
    key("listen.quiet-period", Holds::Text),
    key("listen.record-format", Holds::Text),
    key("listen.request-timeout", Holds::Text),
    key("listen.rotate", Holds::Text),
    key("listen.settle", Holds::Text),
    key("listen.tls-cert", Holds::Path),
    key("listen.tls-client-ca", Holds::Path),
    key("listen.tls-key", Holds::Path),
    key("listen.view", Holds::Choice(&["tree", "line", "stats", "none"])),
    key("prices.file", Holds::Path),
    key("stats.agents", Holds::Flag),
    key("stats.by", Holds::Text),
    key(
        "stats.sort",
        Holds::Choice(&["total", "self", "count", "errors", "cancelled", "cost", "p50", "p95", "p99", "max", "name"]),
    ),
    key("stats.top", Holds::Number),
    key("tree.agents", Holds::Flag),
    key("tree.collapse", Holds::Flag),
    key("tree.depth", Holds::Number),
    key("tree.limit", Holds::Number),
    key("tree.sort", Holds::Choice(&["start", "duration", "errors"])),
];

/// Sections whose keys other rooms know.
pub(super) const FOREIGN_SECTIONS: &[&str] = &["lint"];

impl Key {
    /// The environment variable of the same meaning: `tree.limit` is `TRACECTL_TREE_LIMIT`.
    pub(super) fn variable(&self) -> String {
        format!("TRACECTL_{}", self.name.replace(['.', '-'], "_").to_ascii_uppercase())
    }

    /// The setting of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_so_are_variables() {
        let mut names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        let mut variables: Vec<_> = KEYS.iter().map(Key::variable).collect();
        names.sort_unstable();
        names.dedup();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!((names.len(), variables.len()), (KEYS.len(), KEYS.len()));
    }
}
