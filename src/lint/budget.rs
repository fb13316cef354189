//! What backends accept, as they publish it: one table of limits for each.
//!
//! Comes in: names of presets. Goes out: the smallest limit of each kind and the preset it comes from. Only limits that were
//! read in the vendor's own page or source are here; a limit that a vendor does not state is not made up.

use thiserror::Error;

use super::finding::Unit;
use crate::agent::{MAX_PARAMETER, MAX_PARAMETERS};

/// A kind of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cell {
    /// Bytes of an attribute's value.
    AttrValueBytes,
    /// Characters of an attribute's value.
    AttrValueChars,
    /// Bytes of an attribute's key.
    AttrKeyBytes,
    /// Characters of an attribute's key.
    AttrKeyChars,
    /// Elements of an array.
    ArrayLen,
    /// Attributes of a span.
    Attrs,
    /// Events of a span.
    Events,
    /// Attributes of an event.
    EventAttrs,
    /// Links of a span.
    Links,
    /// Attributes of a link.
    LinkAttrs,
    /// Bytes of a span's name.
    NameBytes,
    /// Characters of a span's name.
    NameChars,
    /// Bytes of a span, encoded as OTLP/protobuf.
    SpanBytes,
    /// Characters of all `parameter.*` values of a span.
    ParamsTotal,
    /// Bytes of a trace, encoded as OTLP/protobuf.
    TraceBytes,
    /// Spans of a trace.
    TraceSpans,
}

impl Cell {
    /// All kinds of limits.
    pub const ALL: [Self; 16] = [
        Self::AttrValueBytes,
        Self::AttrValueChars,
        Self::AttrKeyBytes,
        Self::AttrKeyChars,
        Self::ArrayLen,
        Self::Attrs,
        Self::Events,
        Self::EventAttrs,
        Self::Links,
        Self::LinkAttrs,
        Self::NameBytes,
        Self::NameChars,
        Self::SpanBytes,
        Self::ParamsTotal,
        Self::TraceBytes,
        Self::TraceSpans,
    ];

    /// The name used in `[lint.budget.<name>]` and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::AttrValueBytes => "attr_value",
            Self::AttrValueChars => "attr_value_chars",
            Self::AttrKeyBytes => "attr_key",
            Self::AttrKeyChars => "attr_key_chars",
            Self::ArrayLen => "array_len",
            Self::Attrs => "attrs",
            Self::Events => "events",
            Self::EventAttrs => "event_attrs",
            Self::Links => "links",
            Self::LinkAttrs => "link_attrs",
            Self::NameBytes => "name",
            Self::NameChars => "name_chars",
            Self::SpanBytes => "span_bytes",
            Self::ParamsTotal => "params_total",
            Self::TraceBytes => "trace_bytes",
            Self::TraceSpans => "trace_spans",
        }
    }

    /// Of what it is a number.
    pub fn unit(self) -> Unit {
        match self {
            Self::AttrValueBytes | Self::AttrKeyBytes | Self::NameBytes | Self::SpanBytes | Self::TraceBytes => {
                Unit::Bytes
            }
            Self::AttrValueChars | Self::AttrKeyChars | Self::NameChars | Self::ParamsTotal => Unit::Chars,
            _ => Unit::Count,
        }
    }

    /// The kind of limit with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cell| cell.name() == name)
    }
}

/// What one backend accepts.
#[derive(Clone, Copy, Debug)]
pub struct BudgetPreset {
    /// Its name.
    pub name: &'static str,
    /// Its limits.
    pub cells: &'static [(Cell, u64)],
    /// What happens to what is over them.
    pub effect: &'static str,
    /// Where the limits were read.
    pub source: &'static str,
}

use Cell::*;

/// All presets, by name.
pub const PRESETS: &[BudgetPreset] = &[
    BudgetPreset {
        name: "azure-monitor",
        cells: &[(AttrValueChars, 8_192)],
        effect: "cuts values",
        source: "Azure/azure-sdk-for-java issue 48385",
    },
    BudgetPreset {
        name: "braintrust",
        cells: &[(SpanBytes, 10_000_000)],
        effect: "rejects the request (413)",
        source: "Braintrust knowledge base, OTLP payload limits",
    },
    BudgetPreset {
        name: "coralogix",
        cells: &[(SpanBytes, 10_000_000)],
        effect: "rejects the request",
        source: "Coralogix documentation, limitations",
    },
    BudgetPreset {
        name: "dash0",
        cells: &[
            (AttrValueChars, 2_048),
            (AttrKeyChars, 128),
            (Attrs, 32),
            (Events, 8),
            (EventAttrs, 8),
            (Links, 128),
            (LinkAttrs, 8),
            (NameChars, 128),
            (TraceSpans, 2_000),
        ],
        effect: "cuts and drops",
        source: "Dash0 documentation, quotas and limits",
    },
    BudgetPreset {
        name: "datadog",
        cells: &[(AttrValueBytes, 25_000), (AttrKeyBytes, 200)],
        effect: "cuts values and keys",
        source: "DataDog/datadog-agent pkg/trace/traceutil/truncate.go",
    },
    BudgetPreset {
        name: "dynatrace",
        cells: &[(SpanBytes, 8_000_000)],
        effect: "rejects the request",
        source: "Dynatrace documentation, OTLP ingest limits",
    },
    BudgetPreset {
        name: "gcp-otlp",
        cells: &[
            (AttrValueBytes, 65_536),
            (AttrKeyBytes, 512),
            (Attrs, 1_024),
            (Events, 256),
            (EventAttrs, 1_024),
            (Links, 128),
            (LinkAttrs, 1_024),
            (NameBytes, 1_024),
        ],
        effect: "drops",
        source: "Google Cloud Observability quotas, Telemetry API",
    },
    BudgetPreset {
        name: "gcp-trace",
        cells: &[(AttrValueBytes, 256), (AttrKeyBytes, 128), (Attrs, 32), (Events, 128), (NameBytes, 128)],
        effect: "cuts and drops",
        source: "Google Cloud Trace quotas, Trace API v2",
    },
    BudgetPreset {
        name: "honeycomb",
        cells: &[(SpanBytes, 1_000_000)],
        effect: "rejects the event",
        source: "honeycombio/refinery v2.9.2 release notes",
    },
    BudgetPreset {
        name: "langfuse",
        cells: &[(SpanBytes, 5_000_000)],
        effect: "rejects the request",
        source: "Langfuse FAQ, API limits",
    },
    BudgetPreset {
        name: "langsmith",
        cells: &[(TraceSpans, 25_000)],
        effect: "rejects further runs",
        source: "LangSmith documentation, observability concepts",
    },
    BudgetPreset {
        name: "letta",
        cells: &[(AttrValueChars, MAX_PARAMETER as u64), (ParamsTotal, MAX_PARAMETERS as u64)],
        effect: "cuts values and marks parameters.truncated",
        source: "letta 0.16.8 letta/otel/tracing.py",
    },
    BudgetPreset {
        name: "newrelic",
        cells: &[(AttrValueChars, 4_095), (AttrKeyChars, 255), (ArrayLen, 64), (Attrs, 254)],
        effect: "cuts and drops",
        source: "New Relic documentation, attribute best practices",
    },
    BudgetPreset {
        name: "observe",
        cells: &[(SpanBytes, 1_000_000)],
        effect: "rejects the span",
        source: "Observe documentation, ingest limits",
    },
    BudgetPreset {
        name: "otel-default",
        cells: &[(Attrs, 128), (Events, 128), (EventAttrs, 128), (Links, 128), (LinkAttrs, 128)],
        effect: "drops and counts what it dropped",
        source: "OpenTelemetry specification, SDK environment variables",
    },
    BudgetPreset {
        name: "otlp-grpc",
        cells: &[(SpanBytes, 4_194_304)],
        effect: "rejects the message (RESOURCE_EXHAUSTED)",
        source: "grafana/tempo issue 2437; gRPC default maximum message size",
    },
    BudgetPreset {
        name: "sematext",
        cells: &[
            (AttrValueChars, 4_096),
            (AttrKeyChars, 256),
            (Attrs, 64),
            (Events, 32),
            (EventAttrs, 16),
            (Links, 128),
            (LinkAttrs, 16),
            (NameChars, 256),
            (TraceSpans, 2_000),
        ],
        effect: "drops",
        source: "Sematext documentation, tracing limits",
    },
    BudgetPreset {
        name: "sumologic",
        cells: &[(AttrValueChars, 4_096), (AttrKeyChars, 64), (TraceSpans, 10_000)],
        effect: "does not index, or drops",
        source: "Sumo Logic documentation, tracing ingest",
    },
    BudgetPreset {
        name: "tempo",
        cells: &[(AttrValueBytes, 2_048), (AttrKeyBytes, 2_048), (TraceBytes, 5_000_000)],
        effect: "cuts values, rejects the trace (TRACE_TOO_LARGE)",
        source: "Grafana Tempo documentation; modules/overrides/config.go",
    },
    BudgetPreset {
        name: "xray",
        cells: &[(SpanBytes, 65_536), (TraceBytes, 500_000)],
        effect: "rejects",
        source: "AWS X-Ray developer guide, segment documents; AWS re:Post on trace quotas",
    },
    BudgetPreset {
        name: "yandex-monium",
        cells: &[
            (AttrValueChars, 2_097_152),
            (AttrKeyChars, 256),
            (Attrs, 512),
            (Events, 256),
            (NameChars, 2_048),
            (SpanBytes, 4_000_000),
            (TraceSpans, 100_000),
        ],
        effect: "rejects, or shows a part",
        source: "Yandex Monium documentation, constraints",
    },
];

/// The preset that holds when nobody names one.
pub const DEFAULT_PRESET: &str = "letta";

/// The preset with this name.
pub fn preset(name: &str) -> Option<&'static BudgetPreset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// A limit and the preset it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The most that is allowed.
    pub limit: u64,
    /// The preset that says so.
    pub preset: String,
}

/// The smallest limit of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    bounds: [Option<Bound>; Cell::ALL.len()],
}

/// No preset has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no budget '{name}'")]
pub struct UnknownPreset {
    /// The name that was given.
    pub name: String,
}

impl Budget {
    /// The smallest limits of these presets.
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, UnknownPreset> {
        let mut budget = Self::default();
        for name in names {
            let preset = preset(name).ok_or_else(|| UnknownPreset { name: name.to_owned() })?;
            for (cell, limit) in preset.cells {
                budget.narrow(*cell, *limit, preset.name);
            }
        }
        Ok(budget)
    }

    /// Lowers a limit, where it is not lower already.
    pub fn narrow(&mut self, cell: Cell, limit: u64, preset: &str) {
        if let Some(bound) = self.bounds.get_mut(cell as usize)
            && bound.as_ref().is_none_or(|bound| limit < bound.limit)
        {
            *bound = Some(Bound { limit, preset: preset.to_owned() });
        }
    }

    /// Sets a limit, whatever it was.
    pub fn set(&mut self, cell: Cell, limit: u64, preset: &str) {
        if let Some(bound) = self.bounds.get_mut(cell as usize) {
            *bound = Some(Bound { limit, preset: preset.to_owned() });
        }
    }

    /// The limit of a kind.
    pub fn get(&self, cell: Cell) -> Option<&Bound> {
        self.bounds.get(cell as usize).and_then(Option::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_wins_and_names_its_preset() {
        let budget = Budget::of(["letta", "tempo", "gcp-otlp"]).unwrap();
        let value = budget.get(AttrValueBytes).unwrap();
        assert_eq!((value.limit, value.preset.as_str()), (2_048, "tempo"));
        assert_eq!(budget.get(AttrValueChars).unwrap().preset, "letta");
        assert_eq!(budget.get(TraceSpans), None);
        assert!(Budget::of(["nobody"]).is_err());
    }

    #[test]
    fn presets_stand_by_name_and_every_cell_has_one() {
        assert!(PRESETS.is_sorted_by(|a, b| a.name < b.name));
        assert!(preset(DEFAULT_PRESET).is_some());
        for cell in Cell::ALL {
            assert_eq!(Cell::named(cell.name()), Some(cell));
            assert_eq!(Cell::ALL[cell as usize], cell);
        }
    }
}
