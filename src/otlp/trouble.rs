//! What is odd about the data: counted once per kind and input, with the place of its first occurrence.
//!
//! A trouble never stops anything. A *note* is a form that OTLP's JSON mapping allows readers to meet; a *warning* is one
//! it does not. `--strict` turns warnings into a failure.

use crate::model::{SpanId, TraceId};

/// How much a trouble weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Allowed, if unusual; shown with `--verbose` only.
    Note,
    /// Outside the specification; everything readable around it was kept.
    Warning,
    /// Data was lost: bytes that could not be read as anything.
    Loss,
}

impl Grade {
    /// The lower-case name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Loss => "loss",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $grade:ident, $message:literal;)*) => {
        /// The closed list of oddities a reader reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum TroubleKind {
            $($(#[$doc])* $kind,)*
        }

        impl TroubleKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// How much it weighs.
            pub fn grade(self) -> Grade {
                match self {
                    $(Self::$kind => Grade::$grade,)*
                }
            }

            /// What people are told, a fragment without a full stop.
            pub fn message(self) -> &'static str {
                match self {
                    $(Self::$kind => $message,)*
                }
            }
        }
    };
}

kinds! {
    /// A byte order mark at the start.
    ByteOrderMark, Warning, "starts with a byte order mark";
    /// CR LF line ends.
    CarriageReturn, Warning, "lines end in CR LF";
    /// A comma between documents.
    CommaBetweenDocuments, Warning, "a comma stands between documents";
    /// A snake_case field name.
    SnakeCaseKey, Warning, "a field name is written in snake_case (OTLP/JSON wants lowerCamelCase)";
    /// A field occurs twice in one object.
    DuplicateKey, Warning, "a field occurs twice in one object (the last one counts)";
    /// `null` for a field.
    NullField, Note, "a field is null (read as not given)";
    /// An enum by name or as text.
    EnumName, Warning, "an enum is written by name (OTLP/JSON wants its number)";
    /// An enum value that nobody knows.
    UnknownEnum, Warning, "an enum has a name that no version of the protocol knows";
    /// A 64-bit integer as a JSON number, a 32-bit one as text, or an integral float.
    NumberForm, Note, "a number is written in another form than OTLP/JSON's own";
    /// A 64-bit integer as `{low,high}` or `[seconds,nanos]`.
    NumberPair, Warning, "a 64-bit number is written in two halves";
    /// A number that cannot be one.
    BadNumber, Warning, "a number cannot be read (taken as 0)";
    /// A time as text.
    TimeText, Warning, "a time is written as text (OTLP/JSON wants nanoseconds)";
    /// Bare `NaN` or `Infinity`.
    BareNaN, Warning, "NaN or Infinity stands without quotes";
    /// A value without a member.
    EmptyValue, Note, "a value is empty (no member of the oneof is set)";
    /// A value in a foreign form.
    ForeignValue, Warning, "a value is not written as an OTLP AnyValue (taken as it stands)";
    /// A value of a type that cannot be carried.
    UnknownValue, Warning, "a value has a member this version does not know (read as empty)";
    /// Several members of a oneof.
    TwoValues, Warning, "a value has two members (the last one counts)";
    /// An id in base64.
    IdBase64, Warning, "an id is written in base64 (OTLP/JSON wants hex)";
    /// An id with `0x`.
    IdPrefix, Warning, "an id starts with 0x";
    /// An id with dashes.
    IdDashed, Warning, "an id is written with dashes";
    /// An id that was encoded twice.
    IdOverDecoded, Warning, "an id was encoded twice (hex read as base64, or as bytes); undone";
    /// An id of another length.
    IdLength, Warning, "an id has the wrong length (16 bytes for a trace, 8 for a span)";
    /// An id that is none.
    IdNotHex, Warning, "an id is not hexadecimal (kept as it is spelled)";
    /// An id of zeros.
    IdZero, Warning, "an id is all zero";
    /// A span without ids.
    IdMissing, Warning, "a span has no trace id or no span id";
    /// `\ud800` without its pair.
    LoneSurrogate, Warning, "text holds half a surrogate pair (shown as U+FFFD)";
    /// An escape JSON does not have.
    BadEscape, Warning, "text holds an escape that JSON does not have (shown as U+FFFD)";
    /// Bytes that are not UTF-8.
    BadUtf8, Warning, "text is not UTF-8 (shown as U+FFFD)";
    /// A control character inside a string.
    ControlCharacter, Warning, "text holds an unescaped line break";
    /// Values nested too deeply.
    TooDeep, Warning, "a value is nested deeper than 512 levels (read as empty)";
    /// `instrumentationLibrarySpans`.
    LegacyLibrary, Note, "spans stand under instrumentationLibrarySpans (OTLP before 0.15)";
    /// A field that has the wrong JSON type.
    WrongType, Warning, "a field has the wrong type (read as not given)";
    /// Lines between documents that are not JSON.
    OtherText, Warning, "a line is not JSON (passed over)";
    /// A document that holds no spans.
    OtherDocument, Warning, "a document holds no spans of a known format (passed over)";
    /// Logs in between.
    OtherSignal, Note, "logs, metrics or profiles are in between (counted and passed by)";
    /// A partial answer of a query API.
    PartialAnswer, Warning, "the query's answer is marked as partial: spans may be missing";
    /// Something that OTLP cannot carry.
    Unmapped, Note, "a field of the foreign format has no place in OTLP (kept as an attribute)";
    /// Broken syntax.
    Syntax, Loss, "cannot be parsed (skipped to where reading makes sense again)";
    /// A span with broken syntax.
    BrokenSpan, Loss, "a span cannot be parsed and was left out";
    /// A span or value over the size limit.
    TooLarge, Loss, "something is larger than 256 MiB and was left out";
    /// The input ends in the middle.
    Truncated, Loss, "ends in the middle of a document (everything before it was kept)";
    /// Compressed data that cannot be inflated.
    BadCompression, Loss, "compressed data is damaged (everything before it was kept)";
    /// A message of those that are compressed one by one.
    BadMessage, Loss, "a compressed message is damaged (what of it can be read was kept, and the others)";
    /// The file changed under the reader.
    Changed, Loss, "the file changed while it was read";
    /// A file that could not be opened.
    Unreadable, Loss, "cannot be read";
}

impl TroubleKind {
    /// Whether it stands at a place in the input, rather than concerning all of it.
    pub fn has_place(self) -> bool {
        !matches!(self, Self::BadCompression | Self::BadMessage | Self::Changed | Self::Unreadable)
    }
}

/// An oddity of one kind in one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it is.
    pub kind: TroubleKind,
    /// The input's number.
    pub source: u16,
    /// Byte offset of the first occurrence in the decoded stream of the input.
    pub offset: u64,
    /// Line of the first occurrence, from 1; zero for binary inputs.
    pub line: u64,
    /// Path to the first occurrence inside its document, like `resourceSpans[0].scopeSpans[0].spans[3].traceId`; empty
    /// where there is none.
    pub json_path: String,
    /// The trace of the first occurrence, where known.
    pub trace_id: Option<TraceId>,
    /// The span of the first occurrence, where known.
    pub span_id: Option<SpanId>,
    /// What exactly, where the kind does not say it; may be untrusted text.
    pub detail: String,
    /// How often it occurred.
    pub count: u64,
}
