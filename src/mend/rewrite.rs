//! The inputs of a capture, written anew with the plan carried out.
//!
//! Comes in: a capture whose inputs can be read again. Goes out: a dump and a count. A ResourceSpans is written when it is
//! complete, so no more than one is kept.

use std::io::{self, Write};

use thiserror::Error;

use super::assemble::Assembly;
use super::mended::{mended_resource, mended_scope, mended_span};
use super::plan::{Done, Plan};
use crate::capture::{Capture, SourceId};
use crate::otlp::{Encoding, Seen};

/// Why a dump could not be written anew.
#[derive(Debug, Error)]
pub enum MendError {
    /// An input cannot be read again.
    #[error("{path} cannot be read again")]
    Read {
        /// The input.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The dump cannot be written.
    #[error("the mended dump cannot be written")]
    Write(#[from] io::Error),
}

/// Writes all inputs anew.
pub fn mend(capture: &Capture, plan: &Plan, encoding: Encoding, out: &mut dyn Write) -> Result<Done, MendError> {
    let mut rewrite = Rewrite { plan, done: Done::default(), assembly: Assembly::new(encoding), out, failed: None };
    for (source, number) in capture.sources().iter().zip(0..) {
        if source.spans == 0 {
            continue;
        }
        capture
            .reread(SourceId(number), &mut |seen| rewrite.take(seen))
            .map_err(|error| MendError::Read { path: source.path.clone(), source: error })?;
        rewrite.flush();
    }
    match rewrite.failed {
        Some(error) => Err(error.into()),
        None => Ok(rewrite.done),
    }
}

struct Rewrite<'r> {
    plan: &'r Plan,
    done: Done,
    assembly: Assembly,
    out: &'r mut dyn Write,
    failed: Option<io::Error>,
}

impl Rewrite<'_> {
    fn take(&mut self, seen: Seen<'_, '_>) {
        match seen {
            Seen::Open | Seen::Close => self.flush(),
            Seen::Resource(resource, ..) => {
                mended_resource(resource, self.plan, &mut self.done, &mut |resource| self.assembly.resource(resource));
            }
            Seen::ResourceSchema(url) => self.assembly.resource_schema(url.decode().into_owned()),
            Seen::OpenScope => self.assembly.open_scope(),
            Seen::Scope(scope, _) => {
                mended_scope(scope, self.plan, &mut self.done, &mut |scope| self.assembly.scope(scope));
            }
            Seen::ScopeSchema(url) => self.assembly.scope_schema(url.decode().into_owned()),
            Seen::Span(span, _) => {
                self.done.spans += 1;
                mended_span(span, self.plan, &mut self.done, &mut |span| self.assembly.span(span));
            }
            _ => {}
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(&self.assembly.take()).err();
        }
    }
}
