//! The formats by their names.

use std::fmt;
use std::str::FromStr;

/// A format of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// What Jaeger's UI downloads and opens.
    Jaeger,
    /// Zipkin's v2 spans, JSON.
    Zipkin,
    /// Chrome's trace events, which Perfetto opens.
    Chrome,
    /// Stacks with their self time, one a line, for flame graphs.
    Folded,
    /// A table with the columns of the Collector's ClickHouse exporter.
    Csv,
    /// The same table, each row a JSON object on a line.
    Ndjson,
}

impl Format {
    /// All formats, in the order their names are listed to people.
    pub const ALL: [Self; 6] = [Self::Jaeger, Self::Zipkin, Self::Chrome, Self::Folded, Self::Csv, Self::Ndjson];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jaeger => "jaeger",
            Self::Zipkin => "zipkin",
            Self::Chrome => "chrome",
            Self::Folded => "folded",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|format| format.name()).collect();
            format!("write one of {}", names.join(", "))
        })
    }
}
