//! What happens to the record when the process, the disk or the client fails.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::server::{JSON, connect, json, listen, post, totals};

/// How often it is killed.
fn rounds() -> u64 {
    if std::env::var_os("TRACECTL_THOROUGH").is_some() { 50 } else { 6 }
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let forms = ["run.jsonl", "run.pb", "run.pb.zst", "run.jsonl.gz"];
    for round in 0..rounds() {
        let record = forms[(round % 4) as usize];
        let fsync: &[&str] = if round % 3 == 0 { &["--fsync"] } else { &[] };
        let server = listen(&[&["-o", record, "--view", "none"], fsync].concat());
        let to = server.http;
        let clients: Vec<_> = (0..3).map(|client| std::thread::spawn(move || flood(to, client))).collect();
        std::thread::sleep(Duration::from_millis(150 + 13 * round));
        let folder = server.kill();
        let acknowledged: u64 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        let found = totals(&folder.path().join(record))["spans"].as_u64().unwrap();
        // What was written and not yet answered may be there too: one request a client.
        assert!((acknowledged..=acknowledged + 3 * 20).contains(&found), "{record}: {acknowledged} {found}");
        assert!(acknowledged > 0);
    }
}

/// Sends until the listener is gone; says how many spans were acknowledged.
fn flood(to: std::net::SocketAddr, client: u64) -> u64 {
    let mut stream = connect(to);
    let mut acknowledged = 0;
    for request in 0..1_000_000 {
        let body = json(client << 32 | request, 20);
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut answer = Vec::new();
        let mut byte = [0];
        if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
            break;
        }
        while !answer.ends_with(b"\r\n\r\n{}") {
            match stream.read(&mut byte) {
                Ok(1) => answer.push(byte[0]),
                _ => return acknowledged,
            }
        }
        acknowledged += 20;
    }
    acknowledged
}

/// A disk of half a megabyte, where this system lets us have one.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    pub(crate) fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(folder.path()).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        println!("skipped: no small disk can be mounted here");
        None
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let Some(disk) = SmallDisk::new() else { return };
    for name in ["run.jsonl", "run.pb", "run.pb.zst"] {
        let record = disk.path().join(name);
        let server = listen(&["-o", &record.to_string_lossy(), "--view", "none"]);
        assert_eq!(post(server.http, &[JSON], &json(1, 10)).status, 200);
        let ballast = disk.path().join("ballast");
        let _ = std::fs::write(&ballast, vec![1; 1 << 20]);
        let mut refused = 0;
        let mut accepted = 10;
        for trace in 2..200 {
            let answer = post(server.http, &[JSON], &json(trace, 100));
            match answer.status {
                200 => accepted += 100,
                status => {
                    assert_eq!((status, answer.header("retry-after").as_deref()), (503, Some("1")));
                    refused += 1;
                }
            }
            if refused == 3 {
                break;
            }
        }
        assert_eq!(refused, 3, "{name}");
        std::fs::remove_file(&ballast).unwrap();
        assert_eq!(post(server.http, &[JSON], &json(999, 5)).status, 200);
        let ended = server.stop();
        assert_eq!(ended.stopped["spans"], accepted + 5);
        assert_eq!(ended.log.matches("cannot_write").count(), 1, "{}", ended.log);
        assert_eq!(ended.log.matches("writing_again").count(), 1);
        let totals = totals(&record);
        assert_eq!((&totals["spans"], &totals["troubles"]), (&(accepted + 5).into(), &0.into()), "{name}");
        std::fs::remove_file(&record).unwrap();
    }
}

#[test]
fn a_record_that_grows_steps_aside() {
    let server = listen(&["-o", "run.jsonl", "--rotate", "20KB", "--keep", "3", "--view", "none"]);
    for trace in 0..20 {
        assert_eq!(post(server.http, &[JSON], &json(trace, 40)).status, 200);
    }
    let ended = server.stop();
    let mut names: Vec<_> =
        std::fs::read_dir(ended.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["run.1.jsonl", "run.2.jsonl", "run.3.jsonl", "run.jsonl"]);
}
