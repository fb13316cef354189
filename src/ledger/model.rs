//! Names of models: what stands before and behind a model's own name, and whether two names are of one model.
//!
//! Comes in: names as traces and tables of prices have them. Goes out: the bare name, and yes or no. A version that is part of the
//! name is another model (`gpt-4` and `gpt-4.1`, `claude-sonnet-4` and `claude-sonnet-4-5`); one that only says when it was made is not.

/// A name in lower case, with `-` for the dots between the digits of a version: `claude-opus-4.5` is `claude-opus-4-5`. A `*` may
/// stand for digits.
pub(super) fn plain(name: &str) -> String {
    let digit =
        |at: Option<usize>| at.and_then(|at| name.as_bytes().get(at)).is_some_and(|b| b.is_ascii_digit() || *b == b'*');
    let letter = |(at, letter): (usize, char)| match letter {
        '.' if digit(at.checked_sub(1)) && digit(Some(at + 1)) => '-',
        letter => letter.to_ascii_lowercase(),
    };
    name.char_indices().map(letter).collect()
}

/// A plain name without the providers and regions that routers and clouds put before it: `openai/gpt-4o`,
/// `us.anthropic.claude-haiku-4-5`.
pub(super) fn bare(plain: &str) -> &str {
    let mut name = plain.rsplit('/').next().unwrap_or(plain);
    while let Some((before, rest)) = name.split_once('.') {
        if rest.is_empty() || before.is_empty() || before.bytes().any(|byte| !byte.is_ascii_lowercase() && byte != b'-')
        {
            break;
        }
        name = rest;
    }
    name
}

/// A bare name without the date or version behind it; `None` where there is none. The longest part is left.
pub(super) fn undated(bare: &str) -> Option<&str> {
    let cuts = bare.char_indices().filter(|(_, letter)| is_mark(*letter)).map(|(at, _)| at);
    cuts.filter(|at| *at > 0).find(|at| bare.get(at + 1..).is_some_and(is_version)).and_then(|at| bare.get(..at))
}

/// Whether two names are of one model.
pub(super) fn agree(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (plain(a), plain(b));
    let (a, b) = (bare(&a), bare(&b));
    let latest = |name: &str| name.ends_with("-latest");
    let (own_a, own_b) = (undated(a), undated(b));
    a == b || own_a == Some(b) || own_b == Some(a) || (own_a.is_some() && own_a == own_b && (latest(a) || latest(b)))
}

fn is_mark(letter: char) -> bool {
    matches!(letter, '-' | '@' | ':')
}

/// Whether this says only when a model was made: `2024-08-06`, `20250514`, `0613`, `08-2024`, `05-06`, `latest`, each with `v1:0` behind
/// it or alone.
fn is_version(text: &str) -> bool {
    let mut parts = text.split(is_mark).peekable();
    let digits = |part: &&str, count: std::ops::RangeInclusive<usize>| {
        count.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let dated = match parts.peek().copied() {
        Some("latest") => {
            parts.next();
            return parts.next().is_none();
        }
        Some(part) if digits(&part, 3..=8) => {
            parts.next();
            let year = part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
            if year && parts.next_if(|part| digits(part, 2..=2)).is_some() {
                parts.next_if(|part| digits(part, 2..=2));
            }
            true
        }
        Some(part) if digits(&part, 2..=2) => {
            parts.next();
            if parts.next_if(|part| digits(part, 2..=2) || digits(part, 4..=4)).is_none() {
                return false;
            }
            true
        }
        _ => false,
    };
    let revision = |part: &&str| part.strip_prefix('v').is_some_and(|number| digits(&number, 1..=2));
    let revised = parts.next_if(revision);
    let numbered = revised.is_some() && parts.next_if(|part| digits(part, 1..=2)).is_some();
    parts.next().is_none() && (dated || numbered || revised == Some("v1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_behind_a_model_is_the_same_model() {
        for (a, b) in [
            ("gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18"),
            ("gpt-4-0613", "gpt-4"),
            ("claude-sonnet-4", "claude-sonnet-4@20250514"),
            ("anthropic/claude-opus-4.5", "claude-opus-4-5-20251101"),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
            (
                "claude-haiku-4-5",
                "arn:aws:bedrock:eu-west-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
            ),
            ("nova-pro", "us.amazon.nova-pro-v1:0"),
            ("models/gemini-2.0-flash", "gemini-2.0-flash-001"),
            ("command-r-08-2024", "command-r"),
        ] {
            assert!(agree(a, b) && agree(b, a), "{a} {b}");
        }
    }

    #[test]
    fn another_model_is_another_model() {
        for (a, b) in [
            ("gpt-4o", "gpt-4o-mini"),
            ("gpt-4", "gpt-4o"),
            ("gpt-4", "gpt-4.1"),
            ("gpt-4", "gpt-4-turbo"),
            ("gpt-4", "gpt-4-32k"),
            ("claude-sonnet-4", "claude-sonnet-4-5-20250929"),
            ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
            ("deepseek", "deepseek-v3"),
            ("gpt-4o", "claude"),
            ("gpt-4o", ""),
        ] {
            assert!(!agree(a, b) && !agree(b, a), "{a} {b}");
        }
    }

    #[test]
    fn what_stands_before_a_name_is_left_out() {
        for (name, expected) in [
            ("OpenAI/GPT-4.1", "gpt-4-1"),
            ("us.anthropic.claude-opus-4-6-v1:0", "claude-opus-4-6-v1:0"),
            ("gpt-5.6-sol", "gpt-5-6-sol"),
            ("a.", "a."),
            (".a", ".a"),
            ("gemini-*.5-pro", "gemini-*-5-pro"),
            ("é.5", "é.5"),
        ] {
            assert_eq!(bare(&plain(name)), expected);
        }
    }
}
