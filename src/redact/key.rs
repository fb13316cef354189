//! Attribute and member names that hold secrets whatever their value looks like.
//!
//! Comes in: a name. Goes out: yes or no.

/// Last words of names that hold a secret, without their separators.
const SECRET_WORDS: [&str; 26] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "connectionstring",
    "cookie",
    "credential",
    "credentials",
    "idtoken",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "proxyauthorization",
    "pwd",
    "refreshtoken",
    "secret",
    "secretaccesskey",
    "secretkey",
    "sessiontoken",
    "setcookie",
];

/// Whether a value under this name is a secret: `http.request.header.authorization`, `parameter.api_key`, `DB_PASSWORD`,
/// but not `usage.input_tokens` or `token.type`.
pub fn is_secret_key(key: &str) -> bool {
    let last = key.rsplit(['.', '/', ':', ' ']).next().unwrap_or(key);
    let folded: String = last.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    folded == "token"
        || is_sensitive_name(key)
        || SECRET_WORDS.iter().any(|word| folded == *word || ends_in_word(last, &folded, word))
}

/// Whether the last part of a key ends like the name of a secret, in the singular or the plural: `sandbox_api_key`, `dbpasswords`;
/// not counts of tokens (`max_tokens`, `completionTokens`, anything of `usage`), and not `token.type`.
pub fn is_sensitive_name(key: &str) -> bool {
    const WORDS: [&str; 9] =
        ["password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "privatekey", "credential"];
    let last = key.rsplit('.').next().unwrap_or(key);
    let lower = last.to_ascii_lowercase();
    let stem = lower.strip_suffix('s').unwrap_or(&lower);
    if !WORDS.iter().any(|word| stem.ends_with(word)) {
        return false;
    }
    let counted = lower.ends_with("_tokens") || (last.ends_with("Tokens") && last.len() > "Tokens".len());
    let usage = key.split(['.', '_']).any(|part| part.eq_ignore_ascii_case("usage"));
    !(stem.ends_with("token") && (counted || usage))
}

/// Whether a name may count tokens: a number under it is no secret.
pub fn counts_tokens(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    lower.ends_with("token") || lower.ends_with("tokens")
}

/// Whether `last` ends in `word` where a word begins: `OPENAI_API_KEY`, `x-api-key`, `dbPassword`, not `notasecret`.
fn ends_in_word(last: &str, folded: &str, word: &str) -> bool {
    if !folded.ends_with(word) {
        return false;
    }
    // Walk back over as many letters as the word has; what stands before must be a separator or a change of case.
    let mut left = word.len();
    for (at, c) in last.char_indices().rev() {
        if c.is_ascii_alphanumeric() {
            left = left.saturating_sub(1);
        }
        if left == 0 {
            let before = last.get(..at).and_then(|text| text.chars().next_back());
            return before
                .is_none_or(|before| !before.is_ascii_alphanumeric() || (before.is_lowercase() && c.is_uppercase()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for key in [
            "http.request.header.authorization",
            "parameter.api_key",
            "x-api-key",
            "DB_PASSWORD",
            "OPENAI_API_KEY",
            "clientSecret",
            "dbPassword",
            "http.response.header.set-cookie",
            "token",
            "a.access_token",
            "http.request.body.secrets",
            "parameter.mypasswords",
            "auth",
            "db.pwd",
            "DB_PWD",
            "x-auth",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn names_that_only_sound_like_it_are_not() {
        for key in [
            "gen_ai.usage.input_tokens",
            "gen_ai.token.type",
            "token_count",
            "max_tokens",
            "author",
            "oauth",
            "authorization.mode",
            "secretary",
            "gen_ai.usage.tokens",
            "ai.usage.completionTokens",
            "maxTokens",
            "name",
            "",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }
}
