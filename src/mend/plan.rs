//! What is to be mended, and what was.
//!
//! Plain data.

/// How long a text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// So many characters, the note that says it was cut not counted (Letta's own form).
    Characters(u64),
    /// So many characters in all.
    AllCharacters(u64),
    /// So many bytes of UTF-8 in all.
    Bytes(u64),
}

/// What is to be mended.
#[derive(Clone, Copy, Default)]
pub struct Plan<'p> {
    /// The name an attribute has today.
    pub rename: Option<&'p dyn Fn(&str) -> Option<&'static str>>,
    /// How long values may be: all of these hold.
    pub cuts: &'p [Cut],
    /// Keys whose values are cut never.
    pub exempt: &'p [String],
    /// How many characters all `parameter.*` values of a span may have together.
    pub parameters: Option<u64>,
    /// Names of `parameter.*` that are replaced by `<Type (excluded)>`.
    pub excluded: &'p [&'p str],
    /// Whether secrets are hidden.
    pub redact: bool,
}

/// How often each thing was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Spans written.
    pub spans: u64,
    /// Attributes renamed.
    pub renamed: u64,
    /// Values cut.
    pub cut: u64,
    /// Parameters replaced.
    pub excluded: u64,
    /// Texts in which a secret was hidden.
    pub hidden: u64,
}

impl Done {
    /// Whether nothing had to be mended.
    pub fn is_nothing(&self) -> bool {
        Self { spans: 0, ..*self } == Self::default()
    }
}
