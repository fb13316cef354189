//! Letta's mark of a value that was left out: `<AgentState (excluded)>`.
//!
//! Comes in: values of parameters. Goes out: whether they bear the mark, and the mark for those that do not.

/// Whether the value is a mark: `<Type (excluded)>`, `<Type (excluded, id=…)>` or `<Type (excluded, ids=[…])>`.
pub(super) fn is_mark(value: &str) -> bool {
    let Some((kind, rest)) = value.strip_prefix('<').and_then(|rest| rest.split_once(" (excluded")) else {
        return false;
    };
    let named = !kind.is_empty() && kind.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    let detail = rest.strip_suffix(")>").is_some_and(|detail| {
        detail.is_empty() || detail.starts_with(", id=") || (detail.starts_with(", ids=[") && detail.ends_with(']'))
    });
    named && detail
}

/// The mark for this value. The type is read off the value as Python prints it: `AgentState(…)`, a list, a dict, a text.
pub(super) fn mark(value: &str) -> String {
    let trimmed = value.trim_start();
    let kind = match trimmed.bytes().next() {
        Some(b'[') => "list",
        Some(b'{') => "dict",
        Some(b'(') => "tuple",
        _ => class(trimmed).unwrap_or("str"),
    };
    format!("<{kind} (excluded)>")
}

/// The class in front of a `Class(…)` that the text begins with.
fn class(text: &str) -> Option<&str> {
    let head = text.get(..text.char_indices().nth(80).map_or(text.len(), |(at, _)| at))?;
    let (name, _) = head.split_once('(')?;
    let sound = name.chars().next().is_some_and(char::is_uppercase);
    (sound && name.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_known_and_made() {
        for known in ["<AgentState (excluded, id=agent-1)>", "<list (excluded)>", "<list (excluded, ids=[a, b])>"] {
            assert!(is_mark(known), "{known}");
        }
        for other in ["<x>", "AgentState(…)", "< (excluded)>", "<a b (excluded)>", "<list (excluded) more>"] {
            assert!(!is_mark(other), "{other}");
        }
        assert_eq!(mark("[1, 2]"), "<list (excluded)>");
        assert_eq!(mark("AgentState(id='a')"), "<AgentState (excluded)>");
        assert_eq!(mark("you are (mostly) helpful"), "<str (excluded)>");
        assert!(is_mark(&mark("{'a': 1}")));
    }
}
