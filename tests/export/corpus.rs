//! What is exported in these tests: the bundled run and all captures with spans.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tracectl::capture::{self, Capture, Detail};
use tracectl::export::{Exported, Exporter, Format, Pick};
use tracectl::forest::Forest;
use tracectl::input::Options;
use tracectl::mend::Alteration;

use super::common;

/// Every file with spans, each read.
pub(crate) fn all() -> Vec<(PathBuf, Capture)> {
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/agent-run.jsonl")];
    let mut folders: Vec<PathBuf> = common::captures().into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let read = files.into_iter().map(|path| {
        let capture = open(&path);
        (path, capture)
    });
    read.filter(|(_, capture)| !capture.is_empty()).collect()
}

pub(crate) fn open(path: &Path) -> Capture {
    capture::open(&[path.display().to_string()], &Options::default(), &mut |_| {}).unwrap()
}

/// Everything of a capture in the format.
pub(crate) fn export(capture: &Capture, format: Format, alteration: &Alteration) -> (Vec<u8>, Exported) {
    let forest = Forest::of(capture);
    let mut out = Vec::new();
    let pick = Pick { traces: 0..forest.len(), chosen: &|_| true, by_start: false };
    let exported = Exporter::new(capture, &forest, alteration).unwrap().write(format, &pick, &mut out).unwrap();
    assert_eq!(exported.missing, 0);
    (out, exported)
}

/// All spans of what was written of a capture, in full.
pub(crate) fn again(bytes: &[u8]) -> Vec<Detail> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    details(&open(file.path()))
}

/// All spans in full.
pub(crate) fn details(capture: &Capture) -> Vec<Detail> {
    let spans: Vec<_> = capture.spans().collect();
    capture.details(&spans).unwrap().into_iter().flatten().collect()
}

#[test]
fn whoever_stops_waits_for_no_more_spans() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/agent-run.jsonl");
    let (capture, alteration) = (open(&path), Alteration::default());
    let (forest, stop) = (Forest::of(&capture), AtomicBool::new(true));
    for format in [Format::Jaeger, Format::Zipkin, Format::Chrome, Format::Folded, Format::Csv, Format::Ndjson] {
        let pick = Pick { traces: 0..forest.len(), chosen: &|_| true, by_start: false };
        let mut exporter = Exporter::new(&capture, &forest, &alteration).unwrap().until(&stop);
        let exported = exporter.write(format, &pick, &mut Vec::new()).unwrap();
        assert_eq!(exported.missing, capture.spans().count() as u64, "{format}");
    }
}
