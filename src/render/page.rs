//! What a page is like and what a tone means; decided once by the command line and passed in.
//!
//! Tones name meanings, not colours: the palette below is the only place that knows colours.

/// The properties of the page that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns to fill at most.
    pub width: usize,
    /// Whether colour codes are written.
    pub color: bool,
    /// Whether guides and bars may use characters outside ASCII.
    pub unicode: bool,
}

impl Page {
    /// A page of plain text, as a pipe gets it.
    pub const fn plain(width: usize) -> Self {
        Self { width, color: false, unicode: true }
    }
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading.
    Title,
    /// The name of a span or operation.
    Name,
    /// The name of a service.
    Service,
    /// Guides, units, ids: things to look past.
    Quiet,
    /// Something failed.
    Error,
    /// Something was cancelled unexpectedly.
    Cancelled,
    /// Something ended early as it was asked to.
    Expected,
    /// Something has not ended, is missing or is odd.
    Odd,
    /// Something went well.
    Good,
    /// The waterfall's bar.
    Bar,
    /// On the critical path.
    Critical,
}

impl Tone {
    /// The SGR parameters that show this tone, or none for ordinary text.
    pub(super) fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Title => Some("1"),
            Self::Name => Some("1"),
            Self::Service => Some("36"),
            Self::Quiet => Some("2"),
            Self::Error => Some("1;31"),
            Self::Cancelled => Some("1;35"),
            Self::Expected => Some("35"),
            Self::Odd => Some("33"),
            Self::Good => Some("32"),
            Self::Bar => Some("34"),
            Self::Critical => Some("1;33"),
        }
    }
}
