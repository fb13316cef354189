//! The recorder: one thread that writes what all connections take in, and says when it is written.
//!
//! Comes in: messages in the layout of the file. Goes out: an answer for each, after the write (and the sync, if asked for)
//! that held it; what waits meanwhile is written together.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::arrival::{Encoding, Note};
use super::gather::{json_of, proto_of};
use super::limits::Claim;
use super::meter::Meter;
use super::record_file::RecordFile;
use super::record_form::Layout;
use super::settings::Record;

/// Messages that are written at once at most.
const TOGETHER: usize = 256;

struct Job {
    message: Bytes,
    done: oneshot::Sender<bool>,
    /// Held until it is written, even when the sender has gone away meanwhile.
    claim: Claim,
}

/// The way to the recorder.
#[derive(Clone)]
pub(super) struct Recorder {
    jobs: Sender<Job>,
    layout: Layout,
}

impl Recorder {
    /// Creates the file and starts the thread, which ends when the last recorder is gone.
    pub(super) fn start(record: Record, meter: Arc<Meter>) -> io::Result<(Self, JoinHandle<()>)> {
        let layout = record.form.layout;
        let file = RecordFile::create(record)?;
        let (jobs, queue) = channel();
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(move || work(file, &queue, &meter))?;
        Ok((Self { jobs, layout }, thread))
    }

    /// Records a request; `true` once it is in the file.
    pub(super) async fn append(&self, request: &Bytes, encoding: Encoding, claim: Claim) -> bool {
        let message = match (self.layout, encoding) {
            (Layout::Framed, Encoding::Proto) => request.clone(),
            (Layout::Framed, Encoding::Json) => proto_of(request, encoding).into(),
            (Layout::Lines, Encoding::Json) => one_line(request),
            (Layout::Lines, Encoding::Proto) => json_of(request, encoding).into(),
        };
        let (done, answer) = oneshot::channel();
        if self.jobs.send(Job { message, done, claim }).is_err() {
            return false;
        }
        answer.await.unwrap_or(false)
    }
}

fn work(mut file: RecordFile, queue: &Receiver<Job>, meter: &Meter) {
    let mut broken = false;
    let mut jobs = Vec::new();
    while let Ok(first) = queue.recv() {
        jobs.push(first);
        jobs.extend(queue.try_iter().take(TOGETHER - 1));
        let messages: Vec<&[u8]> = jobs.iter().map(|job| &*job.message).collect();
        let written = file.write(&messages);
        match &written {
            Ok(()) if broken => meter.note(Note::WritingAgain),
            Err(error) if !broken => meter.note(Note::CannotWrite(error.to_string())),
            _ => {}
        }
        broken = written.is_err();
        for job in jobs.drain(..) {
            drop(job.claim);
            let _ = job.done.send(!broken);
        }
    }
    if let Err(error) = file.close() {
        meter.note(Note::CannotWrite(error.to_string()));
    }
}

/// A JSON document as one line: line breaks between its tokens go, those inside a string are escaped.
fn one_line(json: &Bytes) -> Bytes {
    if memchr::memchr2(b'\n', b'\r', json).is_none() {
        return json.clone();
    }
    let mut out = Vec::with_capacity(json.len());
    let (mut inside, mut escaped) = (false, false);
    for &byte in json.iter() {
        match byte {
            b'\n' if inside => out.extend_from_slice(if escaped { b"n" } else { b"\\n" }),
            b'\r' if inside => out.extend_from_slice(if escaped { b"r" } else { b"\\r" }),
            b'\n' | b'\r' => {}
            _ => out.push(byte),
        }
        inside ^= byte == b'"' && !escaped;
        escaped = inside && byte == b'\\' && !escaped;
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_line() {
        let pretty = Bytes::from_static(b"{\r\n  \"a\\\"\": \"x\ny\",\n \"b\": 1\n}\n");
        assert_eq!(&one_line(&pretty)[..], b"{  \"a\\\"\": \"x\\ny\", \"b\": 1}");
    }
}
