//! The neutral list of things a span can be in an agent's run.

use std::fmt;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $number:literal, $name:literal;)*) => {
        /// What a span does in an agent's run, whatever convention said so.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Role {
            $($(#[$doc])* $role = $number,)*
        }

        impl Role {
            /// All roles.
            pub const ALL: &[Self] = &[$(Self::$role,)*];

            /// The lower-case name used in every output.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$role => $name,)*
                }
            }
        }
    };
}

roles! {
    /// An agent invoked.
    Agent = 1, "agent";
    /// A workflow or chain around agents.
    Workflow = 2, "workflow";
    /// One step of an agent's loop.
    Step = 3, "step";
    /// A call to a language model.
    Llm = 4, "llm";
    /// A call to an embedding model.
    Embedding = 5, "embedding";
    /// A tool executed.
    Tool = 6, "tool";
    /// Documents looked up.
    Retrieval = 7, "retrieval";
    /// Documents reordered.
    Rerank = 8, "rerank";
    /// A guardrail checked.
    Guardrail = 9, "guardrail";
    /// Agent memory read or written.
    Memory = 10, "memory";
    /// A Model Context Protocol exchange.
    Mcp = 11, "mcp";
    /// An HTTP request, served or sent.
    Http = 12, "http";
    /// A database operation.
    Db = 13, "db";
    /// A message sent or received.
    Messaging = 14, "messaging";
    /// A remote procedure call.
    Rpc = 15, "rpc";
}

impl Role {
    /// The number kept in a span's marks; never zero.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The role with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.number() == number)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
