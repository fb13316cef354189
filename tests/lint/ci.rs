//! Reports as jobs of CI use them: with a baseline, from a folder of a repository, of nothing, of what was only received.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Desk, lint, run, wrong};

#[test]
fn what_the_baseline_knows_is_only_counted() {
    let desk = Desk::with(&wrong());
    let baseline = ["run.jsonl", "--baseline", "known.json"];
    assert_eq!(lint(desk.path(), &[&baseline[..], &["--update-baseline"]].concat()).code, 0);
    let told = |form: &str| lint(desk.path(), &[&baseline[..], &["--format", form]].concat()).out;
    for form in ["human", "concise", "github", "markdown"] {
        let out = told(form);
        assert!(out.lines().count() <= 6 && out.contains("known to the baseline: BUD006 1, "), "{form}: {out}");
        assert!(!out.contains("::error") && !out.contains("error["), "{form}: {out}");
    }
    let sarif: Value = serde_json::from_str(&told("sarif")).unwrap();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        assert_eq!(result["baselineState"], "unchanged");
        assert_eq!(result["suppressions"][0]["kind"], "external");
    }
}

#[test]
fn reports_are_written_even_where_the_input_is_a_failure() {
    let desk = Desk::with(&(wrong() + "no json\n"));
    let reports = ["-o", "junit=a.xml", "-o", "b.sarif"];
    let strict = lint(desk.path(), &[&["run.jsonl", "--strict"], &reports[..]].concat());
    assert_eq!((strict.code, desk.file("a.xml").exists(), desk.file("b.sarif").exists()), (3, true, true));
    let missing = lint(desk.path(), &["run.jsonl", "nowhere.jsonl", "-o", "junit=c.xml"]);
    assert_eq!((missing.code, desk.file("c.xml").exists()), (3, true));
}

#[test]
fn rules_that_had_nothing_to_look_at_are_skipped() {
    let desk = Desk::with("{\"resourceSpans\":[]}\n");
    let ended = lint(desk.path(), &["run.jsonl", "--format", "junit"]);
    assert_eq!(ended.code, 3);
    let document = roxmltree::Document::parse(&ended.out).unwrap();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    for case in cases {
        let wanted = if case.attribute("name") == Some("CFG001 nothing-linted") { "failure" } else { "skipped" };
        assert!(case.children().any(|node| node.has_tag_name(wanted)), "{case:?}");
    }
}

#[test]
fn a_failure_in_junit_says_what_where_and_what_to_do() {
    let desk = Desk::with(&wrong());
    let xml = lint(desk.path(), &["run.jsonl", "-o", "lint.xml", "--select", "SEM001", "--fail-on", "info"]);
    assert_eq!((xml.code, &*xml.out), (1, ""));
    assert!(xml.err.contains("writing lint.xml as junit (--format overrides)"), "{}", xml.err);
    let xml = desk.read("lint.xml");
    let document = roxmltree::Document::parse(&xml).unwrap();
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    let text = failure.text().unwrap();
    for part in
        ["warn[SEM001] deprecated-attribute: ", "\n  span: GET /", "\n  attribute: http.method", "\n  at: run.jsonl:1"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("\n  fix: rename http.method to ") && !xml.contains('\u{1b}'), "{text}");
}

#[test]
fn scores_have_the_forms_of_ci_and_the_others_are_refused() {
    let desk = Desk::with(&wrong());
    let score = |form: &str| lint(desk.path(), &["run.jsonl", "--exit-zero", "--score", "--format", form]);
    let xml = score("junit").out;
    let document = roxmltree::Document::parse(&xml).unwrap();
    let property = document.descendants().find(|node| node.attribute("name") == Some("instrumentation_score")).unwrap();
    assert!(property.attribute("value").unwrap().parse::<f64>().is_ok_and(|score| score < 100.0), "{xml}");
    let page = score("markdown").out;
    assert!(page.contains("incomplete") && page.contains("\n| shop \\<\\&"), "{page}");
    let room = lint(desk.path(), &["run.jsonl", "--exit-zero", "--budget-report", "--format", "markdown"]).out;
    assert!(room.contains("| `tempo` | 1 of 1 | "), "{room}");
    for (flag, form) in [("--score", "sarif"), ("--budget-report", "junit")] {
        let refused = lint(desk.path(), &["run.jsonl", flag, "--format", form]);
        assert!(refused.code == 2 && refused.err.contains("its formats are human, json"), "{}", refused.err);
    }
    assert_eq!(lint(desk.path(), &["run.jsonl", "--score", "--emit", "ottl"]).code, 2);
}

#[test]
fn dumps_are_named_from_the_root_of_the_repository() {
    let desk = Desk::with("");
    let inside = desk.file("dumps");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("run.jsonl"), wrong()).unwrap();
    let place = |out: &str| {
        let sarif: Value = serde_json::from_str(out).unwrap();
        sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"].clone()
    };
    let absolute = inside.join("run.jsonl").display().to_string();
    for path in ["run.jsonl", &absolute] {
        let wanted = serde_json::json!({ "uri": "dumps/run.jsonl", "uriBaseId": "%SRCROOT%" });
        assert_eq!(place(&lint(&inside, &[path, "--format", "sarif"]).out), wanted);
        assert!(lint(&inside, &[path, "--format", "github"]).out.contains("file=dumps/run.jsonl,line=1,"));
        assert!(lint(&inside, &[path, "--format", "gitlab"]).out.contains("\"path\": \"dumps/run.jsonl\""));
        assert!(lint(&inside, &[path, "--format", "concise"]).out.contains(&format!("{path}:1: ")));
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_tracectl"))
        .args(["lint", "--format", "sarif"])
        .current_dir(&inside)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(wrong().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(place(&String::from_utf8(output.stdout).unwrap())["uri"], "stdin");
}

#[test]
fn what_was_only_received_is_not_pointed_to() {
    let desk = Desk::with(&wrong());
    let send = format!("{} replay run.jsonl --to $OTEL_EXPORTER_OTLP_ENDPOINT", env!("CARGO_BIN_EXE_tracectl"));
    let command = ["--", "/bin/sh", "-c", &send];
    let listen = |options: &[&str]| run(desk.path(), &[&["listen", "--lint"], options, &command].concat(), &[]);
    let received = listen(&[]);
    assert!(
        received.code == 1 && received.out.contains("with -o FILE it is kept"),
        "{} {}",
        received.out,
        received.err
    );
    assert!(!received.out.contains("run.pb"), "{}", received.out);
    let kept = listen(&["-o", "kept.jsonl"]);
    assert!(kept.out.contains("kept.jsonl:1 ") && !kept.out.contains("temporary"), "{}", kept.out);
}
