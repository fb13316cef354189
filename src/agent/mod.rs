//! What a span says of itself at a glance: its role in an agent's run, whether it was cancelled, what it used.
//!
//! The only room that knows any convention's attribute keys. It looks at one span at a time, while its bytes are hot.

mod call;
mod glance;
mod role;

pub use call::{Call, call, target};
pub use glance::{Glance, Usage, glance};
pub use role::Role;
