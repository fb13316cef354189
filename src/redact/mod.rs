//! What must not be shown: provider tokens, passwords, authorization headers.
//!
//! Comes in: owned text and values on their way to a page. Goes out: the same with secrets cut to their first characters
//! and their length. It decides by shape and by name only, and knows nothing of spans.

mod assigned;
mod key;
mod nested;
mod redactor;
mod search;
mod text;
mod token;

pub use assigned::Hides;
pub use key::{counts_tokens, is_secret_key, is_sensitive_name};
pub use redactor::{Pseudonyms, Redactor};
pub use search::{Search, Secret, may_be_secret, shown, stems};
pub use text::{attribute_text, hidden, is_blank, is_mark, text};
pub use token::token_pattern;
