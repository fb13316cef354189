//! Sizes in bytes as people read and write them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A number of bytes that prints in binary units (`3.1 MiB`) and reads `64KiB`, `2MB`, `512`, `1.5GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let mut rest = self.0;
        if rest < 1024 {
            return f.pad(&format!("{rest} B"));
        }
        let mut unit = 0;
        while rest >= 1024 * 1024 {
            rest /= 1024;
            unit += 1;
        }
        let tenths = rest * 10 / 1024;
        let name = UNITS.get(unit).copied().unwrap_or("EiB");
        let text = if tenths < 1000 {
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        } else {
            format!("{} {name}", tenths / 10)
        };
        f.pad(&text)
    }
}

impl ByteSize {
    /// The very number, in the largest unit, binary or decimal, that it is a whole number of: `64 KiB`, `5 MB`, `32766 B`.
    pub fn exact(self) -> String {
        const UNITS: [(u64, &str); 6] = [
            (1 << 30, "GiB"),
            (1 << 20, "MiB"),
            (1 << 10, "KiB"),
            (1_000_000_000, "GB"),
            (1_000_000, "MB"),
            (1_000, "kB"),
        ];
        let whole = UNITS.iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit));
        match whole {
            Some((unit, name)) => format!("{} {name}", self.0 / unit),
            None => format!("{} B", self.0),
        }
    }
}

/// Why a size on the command line was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{text}' is not a size (write it like 512, 64KiB, 2MB or 1.5GiB)")]
pub struct SizeError {
    text: String,
}

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let error = || SizeError { text: text.to_owned() };
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let unit: u128 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "ki" | "kib" => 1 << 10,
            "mi" | "mib" => 1 << 20,
            "gi" | "gib" => 1 << 30,
            _ => return Err(error()),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.len() > 9 {
            return Err(error());
        }
        let whole: u128 = whole.parse().map_err(|_| error())?;
        let parts: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| error())? };
        let scale = 10u128.pow(fraction.len().try_into().unwrap_or(9));
        let bytes = whole.checked_mul(unit).ok_or_else(error)? + parts * unit / scale;
        u64::try_from(bytes).map(ByteSize).map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_print_in_binary_units() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (3_260_000, "3.1 MiB"),
            (2 << 20, "2.0 MiB"),
            (1023 << 10, "1023 KiB"),
            (u64::MAX, "15.9 EiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    #[test]
    fn limits_print_as_the_number_they_are() {
        for (bytes, text) in [
            (65_536, "64 KiB"),
            (5_000_000, "5 MB"),
            (25_000, "25 kB"),
            (4_194_304, "4 MiB"),
            (32_766, "32766 B"),
            (0, "0 B"),
        ] {
            assert_eq!(ByteSize(bytes).exact(), text);
        }
    }

    #[test]
    fn sizes_are_read_as_written() {
        assert_eq!("64KiB".parse(), Ok(ByteSize(65_536)));
        assert_eq!("2MB".parse(), Ok(ByteSize(2_000_000)));
        assert_eq!("1.5 GiB".parse(), Ok(ByteSize(1_610_612_736)));
        for wrong in ["", "MB", "-1", "1.2.3", "7 pints", "99999999999999999999GB"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
    }
}
