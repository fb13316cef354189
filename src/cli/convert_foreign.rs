//! Formats other than OTLP.
//!
//! Comes in: a job. Goes out: pieces of a file in the other format, filtered and changed on the way, and what it had no place for.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use super::convert_job::{Give, Job, Outcome};
use super::error::Error;
use crate::capture::{self, Capture, SpanRef};
use crate::convert::{Packing, Part, Piece, Written};
use crate::export::{ExportError, Exported, Exporter, Format, Pick};
use crate::forest::Forest;
use crate::input::Options;
use crate::mend::Alteration;

/// Carries a job out.
pub(super) fn make(
    job: &Job<'_>,
    (format, packing): (Format, Packing),
    options: &Options,
    reached: &mut (dyn FnMut(u64) + Send),
    give: &mut Give<'_>,
) -> Result<Outcome, Error> {
    let read = capture::open(job.paths(), options, reached)?;
    let (wants, alteration) = job.terms(&read)?;
    let written = match read.spans().any(&wants) {
        true => written(&read, &wants, &alteration, (format, packing), give),
        false => Ok(Written::default()),
    };
    drop(wants);
    match written {
        Ok(written) => Ok(Outcome { written: Ok(written), read }),
        Err(ExportError::Write(error)) => Ok(Outcome { written: Err(error), read }),
        Err(ExportError::Read(error)) => Err(error.into()),
    }
}

fn written(
    capture: &Capture,
    wants: &dyn Fn(SpanRef) -> bool,
    alteration: &Alteration,
    (format, packing): (Format, Packing),
    give: &mut Give<'_>,
) -> Result<Written, ExportError> {
    let forest = Forest::of(capture);
    let pick = Pick { traces: 0..forest.len(), chosen: wants };
    let mut exporter = Exporter::new(capture, &forest, alteration)?;
    give(Piece::Begin(""))?;
    let mut out = io::BufWriter::with_capacity(1 << 20, Pieces(give));
    let exported = match packing {
        Packing::None => exporter.write(format, &pick, &mut out)?,
        Packing::Gzip => {
            let mut packed = GzEncoder::new(&mut out, flate2::Compression::fast());
            let exported = exporter.write(format, &pick, &mut packed)?;
            packed.finish()?;
            exported
        }
        Packing::Zstd => {
            let mut packed = ZstdEncoder::new(&mut out, 3)?;
            let exported = exporter.write(format, &pick, &mut packed)?;
            packed.finish()?;
            exported
        }
    };
    out.flush()?;
    drop(out);
    give(Piece::End)?;
    let part = Part { spans: exported.spans, ..Part::default() };
    let lost = told(format, &exported).into_iter().collect();
    Ok(Written { parts: vec![part], lost, missing: exported.missing, ..Written::default() })
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
