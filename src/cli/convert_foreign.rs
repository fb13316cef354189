//! Formats other than OTLP.
//!
//! Comes in: a job. Goes out: pieces of files in the other format, filtered, changed, merged, sorted and split on the way, and what it
//! had no place for.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::convert_args::{Sort, Split};
use super::convert_job::{Give, Job, Outcome};
use super::error::Error;
use crate::capture::{self, Capture, SpanRef};
use crate::convert::{self, Part, Piece, Written};
use crate::export::{ExportError, Exported, Exporter, Format, Pick};
use crate::forest::Forest;
use crate::input::Options;
use crate::mend::Alteration;
use crate::otlp::Packing;

/// Carries a job out.
pub(super) fn make(
    job: &Job<'_>,
    (format, packing): (Format, Packing),
    options: &Options,
    reached: &mut (dyn FnMut(u64) + Send),
    give: &mut Give<'_>,
) -> Result<Outcome, Error> {
    let read = capture::open(job.paths(), options, reached)?;
    if options.is_stopped() {
        return Ok(Outcome::interrupted(read));
    }
    let (wants, alteration) = job.terms(&read)?;
    let mut spans: Vec<SpanRef> = read.spans().filter(|span| wants(*span)).collect();
    drop(wants);
    let (repeated, conflicting) = match job.args.merge {
        true => convert::merge(&read, &mut spans, options.stop.as_deref())?,
        false => (0, 0),
    };
    let task = Task { read: &read, spans, format, packing, by_start: job.args.sort == Some(Sort::Start) };
    let written = if task.spans.is_empty() { Ok(Written::default()) } else { task.write(job, &alteration, give) };
    match written {
        // What was written since is of no use.
        _ if options.is_stopped() => Ok(Outcome::interrupted(read)),
        Ok(written) => Ok(Outcome { written: Ok(Written { repeated, conflicting, ..written }), read }),
        Err(ExportError::Write(error)) => Ok(Outcome { written: Err(error), read }),
        Err(ExportError::Read(error)) => Err(error.into()),
    }
}

/// What is written of which spans.
struct Task<'r> {
    read: &'r Capture,
    /// In the order of the capture.
    spans: Vec<SpanRef>,
    format: Format,
    packing: Packing,
    by_start: bool,
}

impl Task<'_> {
    fn has(&self, span: SpanRef) -> bool {
        self.spans.binary_search(&span).is_ok()
    }

    fn write(&self, job: &Job<'_>, alteration: &Alteration, give: &mut Give<'_>) -> Result<Written, ExportError> {
        let forest = Forest::of(self.read);
        let mut exporter = Exporter::new(self.read, &forest, alteration)?.until(job.stop());
        let (mut all, mut written) = (Exported::default(), Written::default());
        let mut write = |name: String, traces, chosen: &dyn Fn(SpanRef) -> bool| {
            job.go_on()?;
            let pick = Pick { traces, chosen, by_start: self.by_start };
            let exported = self.part(&name, &mut exporter, &pick, give)?;
            written.parts.push(Part { name, spans: exported.spans, ..Part::default() });
            all.add(&exported);
            Ok::<(), ExportError>(())
        };
        match job.args.split {
            Some(Split::Trace) => {
                for trace in 0..forest.len() {
                    let first = forest.trace(trace).spans.iter().copied().find(|span| self.has(*span));
                    if let Some(first) = first {
                        let name = format!("{:032x}", self.read.head(first).trace.0);
                        write(name, trace..trace + 1, &|span| self.has(span))?;
                    }
                }
            }
            Some(Split::Service) => {
                let services: BTreeSet<&str> = self.spans.iter().map(|span| self.read.service(*span)).collect();
                for service in services {
                    let own = |span| self.read.service(span) == service && self.has(span);
                    write(service.to_owned(), 0..forest.len(), &own)?;
                }
            }
            _ => write(String::new(), 0..forest.len(), &|span| self.has(span))?,
        }
        let lost = told(self.format, &all).into_iter().collect();
        Ok(Written { lost, missing: all.missing, ..written })
    }

    /// Writes a file.
    fn part(
        &self,
        name: &str,
        exporter: &mut Exporter<'_>,
        pick: &Pick<'_>,
        give: &mut Give<'_>,
    ) -> Result<Exported, ExportError> {
        give(Piece::Begin(name))?;
        let mut out = io::BufWriter::with_capacity(1 << 20, Pieces(give));
        let exported = self.packing.write(&mut out, |out| exporter.write(self.format, pick, out))?;
        out.flush()?;
        drop(out);
        give(Piece::End)?;
        Ok(exported)
    }
}

/// What did not go over, in one line.
fn told(format: Format, exported: &Exported) -> Option<String> {
    let losses = exported.told();
    (!losses.is_empty()).then(|| format!("{format} has no place for everything: {}", losses.join(", ")))
}

/// Makes pieces of what is written.
struct Pieces<'p, 'g>(&'p mut Give<'g>);

impl Write for Pieces<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(Piece::Bytes(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
