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

use super::arrival::{Batch, Encoding, Note, Written};
use super::gather::{json_of, proto_of};
use super::limits::Claim;
use super::meter::Meter;
use super::record_file::RecordFile;
use super::record_form::Layout;
use super::serve::{LARGE, aside};
use super::settings::Record;

/// Messages that are written at once at most.
const TOGETHER: usize = 256;

enum Job {
    /// The file is to be begun, whether or not anything comes; an earlier record stays until something does.
    Begin,
    Write(Writing),
}

struct Writing {
    message: Bytes,
    batch: Batch,
    broken: u64,
    done: oneshot::Sender<bool>,
    /// Held until it is written, even when the sender has gone away meanwhile.
    claim: Claim,
}

/// Hears of every request that was recorded, and of how many of its spans were refused: here, and not where the answer is
/// given, because a sender may go away between the two.
pub(super) type Heard = Arc<dyn Fn(Batch, u64) + Send + Sync>;

/// The way to the recorder.
#[derive(Clone)]
pub(super) struct Recorder {
    jobs: Sender<Job>,
    layout: Layout,
}

impl Recorder {
    /// Opens the file and starts the thread, which ends when the last recorder is gone and says what it has written.
    pub(super) fn start(record: Record, meter: Arc<Meter>, heard: Heard) -> io::Result<(Self, JoinHandle<Written>)> {
        let layout = record.form.layout;
        let file = RecordFile::open(record)?;
        let (jobs, queue) = channel();
        let thread =
            std::thread::Builder::new().name("recorder".into()).spawn(move || work(file, &queue, &meter, &heard))?;
        Ok((Self { jobs, layout }, thread))
    }

    /// Records a request; `true` once it is in the file.
    pub(super) async fn append(&self, batch: Batch, broken: u64, claim: Claim) -> bool {
        let message = aside(batch.bytes.len() >= LARGE, || match (self.layout, batch.encoding) {
            (Layout::Framed, Encoding::Proto) => batch.bytes.clone(),
            (Layout::Framed, Encoding::Json) => proto_of(&batch.bytes, batch.encoding).into(),
            (Layout::Lines, Encoding::Json) => one_line(&batch.bytes),
            (Layout::Lines, Encoding::Proto) => json_of(&batch.bytes, batch.encoding).into(),
        });
        let (done, answer) = oneshot::channel();
        if self.jobs.send(Job::Write(Writing { message, batch, broken, done, claim })).is_err() {
            return false;
        }
        answer.await.unwrap_or(false)
    }

    /// Whether requests in this encoding are written in another one.
    pub(super) fn rewrites(&self, encoding: Encoding) -> bool {
        (self.layout == Layout::Lines) != (encoding == Encoding::Json)
    }

    /// Begins the file.
    pub(super) fn begin(&self) {
        let _ = self.jobs.send(Job::Begin);
    }
}

fn work(mut file: RecordFile, queue: &Receiver<Job>, meter: &Meter, heard: &Heard) -> Written {
    let mut broken = false;
    let mut waiting = Vec::new();
    while let Ok(first) = queue.recv() {
        let jobs = std::iter::once(first).chain(queue.try_iter());
        waiting.extend(jobs.filter_map(|job| if let Job::Write(job) = job { Some(job) } else { None }).take(TOGETHER));
        let messages: Vec<&[u8]> = waiting.iter().map(|job: &Writing| &*job.message).collect();
        let begun = if messages.is_empty() { file.begin_beside() } else { file.begin() };
        let written = begun.and_then(|notes| {
            notes.into_iter().for_each(|note| meter.note(note));
            file.write(&messages)
        });
        if written.is_ok() {
            file.count(waiting.iter().map(|job| job.batch.spans).sum());
        }
        match &written {
            Ok(()) if broken => meter.note(Note::WritingAgain),
            Err(error) if !broken => meter.note(Note::CannotWrite(error.to_string())),
            _ => {}
        }
        broken = written.is_err();
        for job in waiting.drain(..) {
            if !broken {
                heard(job.batch, job.broken);
            }
            job.claim.done(job.message);
            let _ = job.done.send(!broken);
        }
    }
    if let Err(error) = file.close() {
        meter.note(Note::CannotWrite(error.to_string()));
    }
    file.written()
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
