//! What a format has no place for, counted by kind.
//!
//! Comes in: one thing after another that is left out, or written as something else. Goes out: counts, and words for people.

/// Something that did not go over as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Loss {
    /// A time was cut to the microsecond.
    Nanoseconds,
    /// The span has no start.
    NoStart,
    /// The span never ended.
    Unfinished,
    /// The span ends before it starts.
    Backwards,
    /// It took less than a microsecond, which is the least.
    ShortDuration,
    /// Its kind is "internal", which has no name there.
    InternalKind,
    /// Its flags, or those of a link.
    Flags,
    /// An id that is not of the right length.
    OddId,
    /// A W3C trace state.
    TraceState,
    /// A status with its message.
    Status,
    /// A value that has no such type there.
    ValueType,
    /// An attribute whose name stands there already.
    RepeatedKey,
    /// An attribute whose name means something of its own there.
    ReservedKey,
    /// A service without a name.
    NoService,
    /// A resource's attributes.
    ResourceAttributes,
    /// A resource's attributes, on each of its spans.
    ResourceOnSpans,
    /// A scope, or its attributes.
    Scope,
    /// A schema URL.
    SchemaUrl,
    /// A count of what a producer dropped.
    Dropped,
    /// An event with all it says.
    Event,
    /// An event that does not say when it happened.
    EventTime,
    /// An event's attributes, in the text of its name.
    EventAttributes,
    /// A link.
    Link,
    /// What a link says beside its ids.
    LinkDetails,
    /// A link with nothing at its other end.
    LooseLink,
    /// An arrow that would point back in time.
    BackwardFlow,
    /// A remote endpoint with a name from another attribute.
    Endpoint,
    /// An identical repeat.
    Repeat,
    /// Ids and attributes, where only names and times count.
    Details,
    /// A character in a name that means something there.
    Character,
    /// A span deeper than a stack may be.
    DeepSpan,
}

impl Loss {
    /// All kinds, by number.
    pub const ALL: [Self; 31] = [
        Self::Nanoseconds,
        Self::NoStart,
        Self::Unfinished,
        Self::Backwards,
        Self::ShortDuration,
        Self::InternalKind,
        Self::Flags,
        Self::OddId,
        Self::TraceState,
        Self::Status,
        Self::ValueType,
        Self::RepeatedKey,
        Self::ReservedKey,
        Self::NoService,
        Self::ResourceAttributes,
        Self::ResourceOnSpans,
        Self::Scope,
        Self::SchemaUrl,
        Self::Dropped,
        Self::Event,
        Self::EventTime,
        Self::EventAttributes,
        Self::Link,
        Self::LinkDetails,
        Self::LooseLink,
        Self::BackwardFlow,
        Self::Endpoint,
        Self::Repeat,
        Self::Details,
        Self::Character,
        Self::DeepSpan,
    ];

    /// What happened to one of them, and to many.
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Nanoseconds => ["time cut to the microsecond", "times cut to the microsecond"],
            Self::NoStart => ["span without a start", "spans without a start"],
            Self::Unfinished => ["span that never ended", "spans that never ended"],
            Self::Backwards => ["span that ends before it starts", "spans that end before they start"],
            Self::ShortDuration => ["duration rounded up to 1 µs", "durations rounded up to 1 µs"],
            Self::InternalKind => ["kind 'internal' left out", "kinds 'internal' left out"],
            Self::Flags => ["set of flags not kept", "sets of flags not kept"],
            Self::OddId => ["id of an odd length made anew", "ids of an odd length made anew"],
            Self::TraceState => ["trace state not kept", "trace states not kept"],
            Self::Status => ["status not kept", "statuses not kept"],
            Self::ValueType => ["value written as text", "values written as text"],
            Self::RepeatedKey => ["attribute with a repeated name not kept", "attributes with repeated names not kept"],
            Self::ReservedKey => {
                ["attribute whose name means something else there", "attributes whose names mean something else there"]
            }
            Self::NoService => {
                ["span without a service called unknown_service", "spans without a service called unknown_service"]
            }
            Self::ResourceAttributes => ["resource's attributes not kept", "resources' attributes not kept"],
            Self::ResourceOnSpans => {
                ["resource's attributes written on its spans", "resources' attributes written on their spans"]
            }
            Self::Scope => ["scope's details not kept", "scopes' details not kept"],
            Self::SchemaUrl => ["schema URL not kept", "schema URLs not kept"],
            Self::Dropped => ["count of dropped things not kept", "counts of dropped things not kept"],
            Self::Event => ["event not kept", "events not kept"],
            Self::EventTime => {
                ["event without a time put at its span's start", "events without a time put at their spans' starts"]
            }
            Self::EventAttributes => {
                ["event's attributes written into its name", "events' attributes written into their names"]
            }
            Self::Link => ["link not kept", "links not kept"],
            Self::LinkDetails => ["link's details not kept", "links' details not kept"],
            Self::LooseLink => [
                "link without an arrow: its other end is not there",
                "links without an arrow: their other ends are not there",
            ],
            Self::BackwardFlow => {
                ["arrow not drawn: it would point back in time", "arrows not drawn: they would point back in time"]
            }
            Self::Endpoint => {
                ["remote endpoint named after another attribute", "remote endpoints named after other attributes"]
            }
            Self::Repeat => ["identical repeat left out", "identical repeats left out"],
            Self::Details => ["span's ids and attributes not kept", "spans' ids and attributes not kept"],
            Self::Character => ["name with characters written as %XX", "names with characters written as %XX"],
            Self::DeepSpan => {
                ["span deeper than 1,000 frames counted there", "spans deeper than 1,000 frames counted there"]
            }
        }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Spans that were written.
    pub spans: u64,
    /// Spans whose bytes are no longer there.
    pub missing: u64,
    losses: [u64; Loss::ALL.len()],
}

impl Exported {
    /// Counts so many of a kind.
    pub(super) fn count(&mut self, loss: Loss, times: usize) {
        if let Some(count) = self.losses.get_mut(loss as usize) {
            *count += times as u64;
        }
    }

    /// Counts one of a kind, if it is so.
    pub(super) fn note(&mut self, loss: Loss, is_so: bool) {
        self.count(loss, usize::from(is_so));
    }

    /// How many of a kind were counted.
    pub fn of(&self, loss: Loss) -> u64 {
        self.losses.get(loss as usize).copied().unwrap_or_default()
    }

    /// What did not go over as it was, by kind.
    pub fn losses(&self) -> impl Iterator<Item = (Loss, u64)> + '_ {
        Loss::ALL.into_iter().map(|loss| (loss, self.of(loss))).filter(|(_, count)| *count > 0)
    }

    /// The same for people: "3 links not kept"; empty when everything went over.
    pub fn told(&self) -> Vec<String> {
        let words = |(loss, count): (Loss, u64)| {
            let [one, many] = loss.words();
            format!("{count} {}", if count == 1 { one } else { many })
        };
        self.losses().map(words).collect()
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.spans += other.spans;
        self.missing += other.missing;
        for (count, more) in self.losses.iter_mut().zip(other.losses) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_as_they_are_listed_and_told_in_words() {
        assert!(Loss::ALL.iter().enumerate().all(|(at, loss)| *loss as usize == at));
        let mut exported = Exported::default();
        exported.count(Loss::TraceState, 12);
        exported.note(Loss::Link, true);
        exported.note(Loss::Event, false);
        assert_eq!(exported.told(), ["12 trace states not kept", "1 link not kept"]);
        let mut sum = exported.clone();
        sum.add(&exported);
        assert_eq!(sum.of(Loss::TraceState), 24);
    }
}
