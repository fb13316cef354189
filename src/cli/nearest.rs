//! "Did you mean": the known word nearest to a misspelt one.
//!
//! Comes in: a word and the words there are. Goes out: the nearest, if it is near enough to be a slip.

/// The known word that `word` is probably meant to be.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let slips = |other: &str| strsim::damerau_levenshtein(&word.to_ascii_lowercase(), &other.to_ascii_lowercase());
    let allowed = word.chars().count().max(3) / 3;
    known
        .into_iter()
        .map(|other| (slips(other), other))
        .filter(|(slips, _)| *slips <= allowed)
        .min()
        .map(|(_, other)| other)
}

/// The same as a note behind a message: ` (did you mean 'color'?)`; empty where nothing is near.
pub(super) fn meant(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!(" (did you mean '{nearest}'?)")).unwrap_or_default()
}

/// The nearest of the words that can be meant, as such a note.
pub(super) fn meant_of<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    meant(nearest(word, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_forgiven_and_other_words_are_not() {
        let known = ["tree.limit", "tree.depth", "color"];
        assert_eq!(nearest("tree.limti", known), Some("tree.limit"));
        assert_eq!(nearest("colour", known), Some("color"));
        assert_eq!(nearest("COLOR", known), Some("color"));
        assert_eq!(nearest("jobs", known), None);
        assert_eq!(nearest("", known), None);
    }
}
