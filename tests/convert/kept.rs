//! What is not to be changed is not: every field, every group, in every form.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::common;
use super::tools::{RICH, fine, framed, piped, run};

fn lines(text: &[u8]) -> Vec<Value> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .flat_map(|line| {
            let mut request: Value = serde_json::from_slice(line).unwrap();
            request["resourceSpans"].as_array_mut().map(std::mem::take).unwrap()
        })
        .collect()
}

#[test]
fn everything_otlp_can_carry_survives_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("in.jsonl"), RICH).unwrap();
    let steps = [
        ("in.jsonl", "a.pb"),
        ("a.pb", "b.json.gz"),
        ("b.json.gz", "c.pb.zst"),
        ("c.pb.zst", "d.jsonl"),
        ("d.jsonl", "e.json"),
    ];
    for (from, to) in steps {
        fine(folder.path(), &["convert", from, "-o", to]);
    }
    let wanted = lines(RICH.as_bytes());
    assert_eq!(lines(&fs::read(path("d.jsonl")).unwrap()), wanted);
    assert_eq!(lines(&fs::read(path("e.json")).unwrap()), wanted);
    let message = framed(&fs::read(path("a.pb")).unwrap());
    let span = &message.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!((span.kind, span.flags, span.dropped_links_count, span.attributes.len()), (99, 769, 8, 8));
    assert_eq!(message.resource_spans[0].resource.as_ref().unwrap().entity_refs[0].description_keys, ["d"]);
    assert_eq!(
        (&*message.resource_spans[0].schema_url, &*message.resource_spans[0].scope_spans[0].schema_url),
        ("r", "t")
    );
}

#[test]
fn fields_of_later_versions_stay_in_protobuf_and_are_told_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    let span = [field(1, &[7; 16]), field(2, &[7; 8]), field(5, b"n"), vec![0xf8, 0x07, 5]].concat();
    let scope = [field(2, &span), vec![0xf8, 0x07, 6]].concat();
    let resource = [field(1, &[field(1, b"k"), field(2, &field(1, b"v"))].concat()), vec![0xf8, 0x07, 7]].concat();
    let group = [field(1, &resource), field(2, &scope), field(9, b"new")].concat();
    let request = field(1, &group);
    let beside = [&request[..], &field(12, b"new"), &[0xf8, 0x07, 1]].concat();
    fs::write(folder.path().join("beside.pb"), &beside).unwrap();
    for form in ["otlp-proto", "jsonl"] {
        let told = fine(folder.path(), &["convert", "beside.pb", "-o", "beside.out", "--to-format", form]);
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(said.contains("2 fields of a later version of OTLP left out: they stood beside"), "{said}");
    }
    fs::write(folder.path().join("in.pb"), &request).unwrap();
    fine(folder.path(), &["convert", "in.pb", "-o", "out.pb", "--to-format", "otlp-proto"]);
    assert_eq!(fs::read(folder.path().join("out.pb")).unwrap(), request);
    let told = fine(folder.path(), &["convert", "in.pb", "-o", "out.jsonl"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("4 fields of a later version of OTLP left out"));
}

#[test]
fn every_capture_goes_through_every_form_and_is_the_same() {
    let Some(captures) = common::captures() else { return };
    let folder = tempfile::tempdir().unwrap();
    let json = |arguments: &[&str]| serde_json::from_slice::<Value>(&fine(folder.path(), arguments).stdout).unwrap();
    let mut compared = 0;
    for entry in walkdir::WalkDir::new(captures).sort_by_file_name().into_iter().flatten() {
        let path = entry.path().display().to_string();
        let stats = run(folder.path(), &["stats", "--format", "json", &path]);
        if !entry.file_type().is_file() || !stats.status.success() {
            continue;
        }
        let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
        for (from, to) in
            [(&*path, "a.pb"), ("a.pb", "b.json"), ("b.json", "c.jsonl"), ("c.jsonl", "d.pb"), ("b.json", "e.pb")]
        {
            fine(folder.path(), &["convert", "-q", from, "-o", to]);
        }
        let again = json(&["stats", "--format", "json", "c.jsonl"]);
        assert_eq!(again["operations"], stats["operations"], "{path}");
        for total in ["spans", "traces", "roots", "orphans", "errors", "duplicates", "events", "links"] {
            assert_eq!(again["totals"][total], stats["totals"][total], "{path}: {total}");
        }
        let tree = |path: &str| json(&["tree", "--format", "json", path]);
        // An id that is none has other characters in protobuf.
        if stats["totals"]["invalid_ids"] == 0 {
            assert_eq!(tree("c.jsonl")["traces"], tree(&path)["traces"], "{path}");
        }
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert!(read("e.pb") == read("d.pb"), "{path}");
        // Protobuf that comes in goes out as it was written; its producer may have written it otherwise than this program does.
        if !path.ends_with(".pb") {
            assert!(read("a.pb") == read("d.pb"), "{path}");
        }
        compared += 1;
    }
    assert!(compared > 20, "only {compared} captures were readable");
}

#[test]
fn stdin_and_stdout_are_inputs_and_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let out = piped(folder.path(), &["convert", "-", "--to-format", "pb"], RICH.as_bytes());
    assert_eq!(framed(&out.stdout).resource_spans.len(), 2);
    let out = piped(folder.path(), &["convert"], &out.stdout);
    assert_eq!(lines(&out.stdout), lines(RICH.as_bytes()));
    let named = piped(folder.path(), &["convert", "--name", "early"], RICH.as_bytes());
    assert_eq!(lines(&named.stdout).len(), 1);
}

#[test]
fn what_cannot_be_done_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), RICH).unwrap();
    fs::write(folder.path().join("empty.jsonl"), "{}\n").unwrap();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["convert", "in.jsonl", "-o", "in.jsonl"], 2, "is an input"),
        (&["convert", "empty.jsonl", "-o", "out.pb"], 3, "no spans"),
        (&["convert", "in.jsonl", "-o", "out.txt"], 2, "cannot tell from its name"),
        (&["convert", "in.jsonl", "-o", "out.pb", "--to-format", "jsnl"], 2, "did you mean 'jsonl'"),
        (&["convert", "in.jsonl", "-o", "out.pb", "--name", "nothing"], 3, "fits the filters"),
    ];
    for (arguments, code, words) in cases {
        let output = run(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && said.contains(words), "{arguments:?}: {said}");
    }
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["empty.jsonl", "in.jsonl"]);
    assert_eq!(fs::read_to_string(folder.path().join("in.jsonl")).unwrap(), RICH);
}

/// A disk that is full, as the system tells it: by a device that always is, and by a bound on the size of files.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.jsonl"), format!("{RICH}\n").repeat(2000)).unwrap();
    fs::write(folder.path().join("old.pb"), "old").unwrap();
    let program = env!("CARGO_BIN_EXE_tracectl");
    let shell = |line: &str| {
        // The signal would end the program before it is told anything.
        let line = format!("trap '' XFSZ; ulimit -f 64; '{program}' convert in.jsonl {line}");
        Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap()
    };
    let cases = [
        ("-o /dev/full --to-format jsonl", "cannot write /dev/full", "No space left"),
        ("> /dev/full", "cannot print", "No space left"),
        ("-o new.pb", "cannot write new.pb", "File too large"),
        ("-o old.pb", "cannot write old.pb", "File too large"),
        ("-o new.jsonl --split size=1MiB", "cannot write new.jsonl", "File too large"),
        ("-o new.csv", "cannot write new.csv", "File too large"),
        ("-o new.pb --sort", "cannot write new.pb", "File too large"),
    ];
    for (line, what, why) in cases {
        let output = shell(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(what) && said.contains(why), "{line}: {output:?}");
    }
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["in.jsonl", "old.pb"]);
    assert_eq!(fs::read(folder.path().join("old.pb")).unwrap(), b"old");
}

#[test]
fn what_is_cut_off_is_told_and_the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let cut = format!("{RICH}\n{}", &RICH[..RICH.len() - 40]);
    let strict = piped(folder.path(), &["convert", "-", "-o", "strict.pb", "--strict"], cut.as_bytes());
    assert!(strict.status.code() == Some(3) && !folder.path().join("strict.pb").exists());
    let output = piped(folder.path(), &["convert", "-", "-o", "out.pb"], cut.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    let message = framed(&fs::read(folder.path().join("out.pb")).unwrap());
    let spans =
        message.resource_spans.iter().flat_map(|group| &group.scope_spans).flat_map(|scope| &scope.spans).count();
    assert!((7..=8).contains(&spans), "{spans}");
}
