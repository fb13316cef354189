//! A scenario of somebody's own: services, operations, what they say and whom they call.
//!
//! Comes in: plain data that was read and checked elsewhere; operations call others by number and never in a circle. Goes out:
//! nothing; [`super::scene`] plays it.

use super::plan::Wanted;

/// A scenario of somebody's own.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Services.
    pub services: Vec<Service>,
    /// What they do.
    pub operations: Vec<Operation>,
    /// Values that are drawn once a trace, by name.
    pub shared: Vec<(String, Generator)>,
    /// Faults that belong to it.
    pub faults: Vec<Wanted>,
    /// Spans and kilobytes of text of one trace at most.
    pub heaviest: u64,
}

/// A service.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Nanoseconds that its clock is ahead.
    pub skew: i64,
    /// What its resource says besides, or instead.
    pub attributes: Vec<(String, Fixed)>,
}

/// A value that is always the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number in thousandths.
    Milli(i64),
    /// True or false.
    Bool(bool),
}

/// Something that a service does.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// The span's name.
    pub name: String,
    /// The service, by number.
    pub service: usize,
    /// OTLP's number of the span's kind.
    pub kind: i32,
    /// How long it takes besides what it calls.
    pub duration: Lasting,
    /// How often a trace begins with it, against the others; 0 for never.
    pub weight: u64,
    /// How many of a million fail.
    pub error_rate: u32,
    /// What a failure is, and what it says.
    pub error: (String, String),
    /// How many of a million are cancelled.
    pub cancel_rate: u32,
    /// Somebody asked for that.
    pub cancel_expected: bool,
    /// What the span says.
    pub attributes: Vec<(String, Generator)>,
    /// What it says besides, or instead, where it fails.
    pub on_error: Vec<(String, Generator)>,
    /// What happens while it lasts.
    pub events: Vec<Happening>,
    /// Spans that it names.
    pub links: Vec<Reference>,
    /// Whom it calls, in this order.
    pub children: Vec<Child>,
}

/// An event of an operation.
#[derive(Clone, Debug)]
pub struct Happening {
    /// Its name.
    pub name: String,
    /// When, in millionths of the span's time.
    pub at: u32,
    /// What it says.
    pub attributes: Vec<(String, Generator)>,
}

/// A span that another one names.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The last span of this operation in the same trace; `None` for the span that the trace before began with.
    pub operation: Option<usize>,
    /// What the link says.
    pub attributes: Vec<(String, Generator)>,
}

/// How long something takes, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Around a median, with a tail.
    Median(u64),
    /// Anything between two.
    Between(u64, u64),
}

impl Default for Lasting {
    fn default() -> Self {
        Self::Median(10_000_000)
    }
}

/// A call of another operation.
#[derive(Clone, Debug)]
pub struct Child {
    /// Which, by number.
    pub operation: usize,
    /// How often: from, to.
    pub times: (u64, u64),
    /// In how many of a million.
    pub chance: u32,
    /// All at once.
    pub parallel: bool,
    /// Nobody waits for it: it begins when its parent has ended.
    pub detached: bool,
    /// Its parent fails where it fails.
    pub required: bool,
}

/// How a value is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Generator {
    /// Always this.
    Fixed(Fixed),
    /// A number from, to.
    IntBetween(i64, i64),
    /// A number from, to, in thousandths.
    MilliBetween(i64, i64),
    /// One of these.
    Pick(Vec<Fixed>),
    /// A UUID behind this prefix.
    Uuid(String),
    /// Sentences, about so many bytes.
    Words(u64),
    /// True in so many of a million.
    Chance(u32),
    /// Always these, as one list.
    Listed(Vec<Fixed>),
    /// A list of values that are made like this: from so many, to so many.
    List(Box<Generator>, (u64, u64)),
    /// The value that all of the trace share, by number.
    Shared(usize),
}

impl Script {
    /// The services.
    pub(super) fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.iter()
    }

    /// Bytes of a trace at most, about.
    pub(super) fn weight(&self) -> u64 {
        self.heaviest.saturating_mul(1_500)
    }
}
