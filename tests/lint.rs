//! `tracectl lint` and its kin, seen from a shell.
//!
//! Comes in: dumps that are wrong in known ways. Goes out: exit codes, and answers that other programs are able to read.

#![expect(clippy::unwrap_used, reason = "a test that meets something unexpected fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

#[path = "lint/ci.rs"]
mod ci;
#[path = "common/clients.rs"]
mod installed;
#[path = "lint/knobs.rs"]
mod knobs;
#[path = "lint/readers.rs"]
mod readers;
#[path = "lint/score.rs"]
mod score;

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/agent-run.jsonl");
const SECRET: &str =
    "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqAA";

struct Ended {
    code: i32,
    out: String,
    err: String,
}

#[must_use]
fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracectl"));
    command.args(arguments).env_clear().env("LC_ALL", "C.UTF-8").current_dir(folder).stdin(Stdio::null());
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[must_use]
fn lint(folder: &Path, arguments: &[&str]) -> Ended {
    run(folder, &[&["lint"], arguments].concat(), &[])
}

fn text(key: &str, value: &str) -> Value {
    serde_json::json!({ "key": key, "value": { "stringValue": value } })
}

/// A span with these attributes.
fn span(id: u64, name: &str, attributes: Vec<Value>) -> Value {
    serde_json::json!({
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": format!("{id:016x}"),
        "name": name,
        "kind": 1,
        "startTimeUnixNano": "1763800000000000000",
        "endTimeUnixNano": "1763800001000000000",
        "attributes": attributes,
    })
}

fn dump(spans: Vec<Value>) -> String {
    let resource = serde_json::json!({ "attributes": [text("service.name", "shop <&\"> \u{1b}[31m")] });
    let scopes = serde_json::json!([{ "scope": { "name": "s" }, "spans": spans }]);
    serde_json::json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": scopes }] }).to_string() + "\n"
}

/// What a machine can put right, all of it wrong.
fn wrong() -> String {
    let prompt = "ä".repeat(500);
    dump(vec![
        span(1, "GET /\n::error::forged", vec![text("http.method", "GET"), text("parameter.note", &prompt)]),
        span(2, "b", vec![text("http.request.body", &format!("my key is {SECRET}"))]),
        span(3, "c", vec![text("parameter.agent_state", "AgentState(id='agent-1', memory=Memory())")]),
    ])
}

/// A folder with a dump, outside of any repository's configuration.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn with(content: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join("run.jsonl"), content).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }
}

const LIMIT: [&str; 3] = ["run.jsonl", "--set", "bud001.attr_value_chars=200"];

#[test]
fn exit_codes_are_those_of_the_manual() {
    let desk = Desk::with(&wrong());
    assert_eq!(lint(desk.path(), &["run.jsonl"]).code, 1);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--exit-zero"]).code, 0);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--fail-on", "never"]).code, 0);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--select", "SEM001"]).code, 0);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--select", "SEM001", "--fail-on", "warn"]).code, 1);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--select", "SEM001", "--max-warnings", "0"]).code, 1);
    assert_eq!(lint(desk.path(), &["run.jsonl", "-D", "SEM001", "-A", "BUD,SEC"]).code, 1);
    for misuse in [
        &["--select", "BUD01"][..],
        &["--budget", "leta"],
        &["--set", "bud001.atr_value=1"],
        &["--baseline", "nowhere.json"],
        &["--update-baseline"],
    ] {
        let ended = lint(desk.path(), &[&["run.jsonl"], misuse].concat());
        assert_eq!(ended.code, 2, "{misuse:?} {}", ended.err);
    }
    for nothing in [&["nowhere.jsonl"][..], &["run.jsonl", "--service", "nobody"]] {
        assert_eq!(lint(desk.path(), nothing).code, 3, "{nothing:?}");
    }
    assert!(lint(desk.path(), &["run.jsonl", "--select", "atribute-too-large"]).err.contains("did you mean"));
}

#[test]
fn every_form_is_written_before_the_gate_decides() {
    let desk = Desk::with(&wrong());
    let forms = ["human", "concise", "json", "jsonl", "sarif", "junit", "github", "gitlab", "markdown"];
    let targets: Vec<String> = forms.iter().map(|form| format!("{form}=out.{form}")).collect();
    let mut arguments: Vec<&str> = LIMIT.to_vec();
    for target in &targets {
        arguments.extend(["-o", target]);
    }
    assert_eq!(lint(desk.path(), &arguments).code, 1);
    for form in forms {
        let written = desk.read(&format!("out.{form}"));
        assert!(written.contains("BUD001"), "{form}: {written}");
        assert!(!written.contains(SECRET) && !written.contains("abcdefghijklmnop"), "{form} shows a secret");
        assert!(!written.contains('\u{1b}'), "{form} lets an escape pass");
        assert!(!written.lines().any(|line| line.starts_with("::error::forged")), "{form} lets a line be forged");
        let direct = lint(desk.path(), &[&LIMIT[..], &["--format", form]].concat());
        assert_eq!(direct.out, written, "{form}");
    }
}

#[test]
fn json_has_the_documented_fields() {
    let desk = Desk::with(&wrong());
    let ended = lint(desk.path(), &["run.jsonl", "--format", "json"]);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&report["schema"], &report["tool"]["name"]), (&Value::from(1), &Value::from("tracectl")));
    assert_eq!(report["summary"]["spans"], 3);
    assert_eq!(report["summary"]["traces"], 1);
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    let levels = report["summary"]["findings"].as_object().unwrap();
    assert_eq!(levels.values().filter_map(Value::as_u64).sum::<u64>(), findings.len() as u64);
    for finding in findings {
        for field in ["code", "name", "severity", "confidence", "message", "trace_id", "span_id", "fingerprint", "fix"]
        {
            assert!(finding.get(field).is_some(), "{field}");
        }
    }
    let lines = lint(desk.path(), &["run.jsonl", "--format", "jsonl"]).out;
    assert_eq!(lines.lines().count(), findings.len());
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let gitlab: Value = serde_json::from_str(&lint(desk.path(), &["run.jsonl", "--format", "gitlab"]).out).unwrap();
    assert_eq!(gitlab.as_array().unwrap().len(), findings.len());
}

#[test]
fn sarif_is_what_code_scanning_wants() {
    let desk = Desk::with(&wrong());
    let sarif: Value = serde_json::from_str(&lint(desk.path(), &["run.jsonl", "--format", "sarif"]).out).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "run.jsonl");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
    }
}

#[test]
fn junit_is_sound_xml_with_passing_rules() {
    let desk = Desk::with(&wrong());
    let xml = lint(desk.path(), &["run.jsonl", "--format", "junit"]).out;
    let document = roxmltree::Document::parse(&xml).unwrap();
    let root = document.root_element();
    let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let failures = cases.iter().filter(|case| case.children().any(|node| node.has_tag_name("failure"))).count();
    assert_eq!(root.attribute("tests"), Some(&*cases.len().to_string()));
    assert_eq!(root.attribute("failures"), Some(&*failures.to_string()));
    assert!(failures > 0 && cases.iter().any(|case| !case.has_children()));
    assert!(xml.contains("shop &lt;&amp;&quot;&gt; ␛[31m"), "{xml}");
}

#[test]
fn a_baseline_only_lets_through_what_it_knows() {
    let desk = Desk::with(&wrong());
    let baseline = ["run.jsonl", "--baseline", "known.json"];
    assert_eq!(lint(desk.path(), &[&baseline[..], &["--update-baseline"]].concat()).code, 0);
    let written = desk.read("known.json");
    assert!(!written.contains(SECRET));
    assert_eq!(lint(desk.path(), &baseline).code, 0);
    assert_eq!(lint(desk.path(), &[&baseline[..], &["--update-baseline"]].concat()).code, 0);
    assert_eq!(desk.read("known.json"), written);

    let shown = lint(desk.path(), &[&baseline[..], &["--new-only", "--format", "jsonl"]].concat());
    assert_eq!(shown.out, "");
    let looking_away = lint(desk.path(), &[&baseline[..], &["--ignore", "BUD006"]].concat());
    assert_eq!(looking_away.code, 1, "{}", looking_away.out);

    let more = dump(vec![span(9, "new", vec![text("parameter.messages", "[Message()]")])]);
    fs::write(desk.file("run.jsonl"), wrong() + &more).unwrap();
    assert_eq!(lint(desk.path(), &baseline).code, 1);
}

#[test]
fn the_answer_depends_on_nothing_but_the_spans() {
    let desk = Desk::with("");
    let text = fs::read_to_string(CAPTURE).unwrap();
    for (number, line) in text.lines().enumerate() {
        fs::write(desk.file(&format!("part{number:03}.jsonl")), format!("{line}\n")).unwrap();
    }
    let mut parts: Vec<String> = (0..text.lines().count()).map(|number| format!("part{number:03}.jsonl")).collect();
    let answer = |parts: &[String], jobs: &str| {
        let mut arguments: Vec<&str> = parts.iter().map(String::as_str).collect();
        arguments.extend(["--format", "json", "--jobs", jobs]);
        lint(desk.path(), &arguments).out
    };
    let first = answer(&parts, "1");
    assert!(first.contains("\"code\""));
    assert_eq!(answer(&parts, "1"), first);
    assert_eq!(answer(&parts, "4"), first);
    parts.reverse();
    let order = |answer: &str| {
        let report: Value = serde_json::from_str(answer).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        findings.iter().map(|finding| finding["fingerprint"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(order(&answer(&parts, "2")), order(&first));
}

#[test]
fn what_was_put_right_is_found_no_more() {
    let desk = Desk::with(&wrong());
    for fixed in ["fixed.jsonl", "fixed.pb"] {
        let ended = lint(desk.path(), &[&LIMIT[..], &["--fix-output", fixed]].concat());
        assert!(ended.err.contains("wrote 3 spans"), "{}", ended.err);
        let select = ["--select", "BUD001,BUD006,SEM001,SEC001", "--format", "jsonl"];
        let again = lint(desk.path(), &[&[fixed], &LIMIT[1..], &select].concat());
        assert_eq!((again.code, &*again.out), (0, ""), "{fixed}: {}", again.err);
    }
    let fixed = desk.read("fixed.jsonl");
    assert!(fixed.contains("... (truncated, original size: 500 chars)") && fixed.contains("<AgentState (excluded)>"));
    assert!(fixed.contains("http.request.method") && !fixed.contains(SECRET));
}

#[test]
fn configuration_is_heard_and_slips_are_located() {
    let desk = Desk::with(&wrong());
    let config = |text: &str| fs::write(desk.file("tracectl.toml"), text).unwrap();
    config("[lint]\nselect = [\"SEM001\"]\nfail-on = \"warn\"\n");
    assert_eq!(lint(desk.path(), &["run.jsonl"]).code, 1);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--fail-on", "error"]).code, 0);
    config("[lint]\nselect = [\"SEM001\"]\n[lint.severity]\nSEM001 = \"error\"\n");
    assert_eq!(lint(desk.path(), &["run.jsonl"]).code, 1);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--isolated", "--select", "SEM001"]).code, 0);
    for (slip, said) in [
        ("[lint]\nslect = []\n", "tracectl.toml:2: there is no setting 'slect' here (did you mean 'select'?)"),
        ("[lint]\nignore = [\"SEM01\"]\n", "tracectl.toml:2: there is no rule or group 'SEM01'"),
        ("[lint.rules.bud001]\natr_value = 1\n", "tracectl.toml:2: there is no setting 'atr_value' here"),
        ("[[lint.ignore-finding]]\nrule = \"SEM001\"\n", "needs a 'reason'"),
        ("[lint]\nfail-on = \"wran\"\n", "(did you mean 'warn'?)"),
    ] {
        config(slip);
        let ended = lint(desk.path(), &["run.jsonl"]);
        assert!(ended.code == 2 && ended.err.contains(said), "{slip}: {}", ended.err);
    }
}

/// The findings of a run, as JSON.
fn findings(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let ended = lint(folder, &[arguments, &["--format", "jsonl"]].concat());
    ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A span that was cancelled while it ran as a task.
fn cancelled(id: u64, parent: u64, name: &str, task: &str) -> Value {
    let attributes = [
        text("exception.type", "asyncio.CancelledError"),
        text("exception.stacktrace", "Traceback\n  File \"/srv/shop/tools/search.py\", line 7, in run\n"),
        text("task.name", task),
        text("function.name", "run"),
    ];
    let mut span = span(id, name, Vec::new());
    span["status"] = serde_json::json!({ "code": 2 });
    let event =
        serde_json::json!({ "name": "exception", "timeUnixNano": "1763800000900000000", "attributes": attributes });
    span["events"] = Value::Array(vec![event]);
    if parent > 0 {
        span["parentSpanId"] = format!("{parent:016x}").into();
    }
    span
}

#[test]
fn every_cancelled_task_is_a_finding_that_points_into_the_repository() {
    let desk = Desk::with(&dump(vec![
        cancelled(1, 0, "serve", "Task-1"),
        cancelled(2, 1, "search", "Task-1"),
        cancelled(3, 0, "search", "Task-2"),
        cancelled(4, 0, "search", "Task-3"),
    ]));
    fs::create_dir_all(desk.file("tools")).unwrap();
    fs::write(desk.file("tools/search.py"), "").unwrap();
    let found = findings(desk.path(), &["run.jsonl", "--select", "ERR001"]);
    let tasks: Vec<bool> = (1..4)
        .map(|task| found.iter().any(|f| f["message"].as_str().unwrap().contains(&format!("task Task-{task}"))))
        .collect();
    assert_eq!((found.len(), tasks), (3, vec![true; 3]), "{found:?}");
    assert!(found.iter().any(|f| f["message"].as_str().unwrap().ends_with("propagated through 1 span")));
    for finding in &found {
        assert_eq!(finding["code_location"], serde_json::json!({ "path": "tools/search.py", "line": 7 }));
        assert_eq!((&finding["count"], &finding["fingerprint"]), (&1.into(), &found[0]["fingerprint"]));
    }
    let concise = lint(desk.path(), &["run.jsonl", "--select", "ERR001", "--format", "concise"]).out;
    assert!(concise.starts_with("tools/search.py:7: ERR001 error"), "{concise}");
    let baseline = ["run.jsonl", "--select", "ERR001", "--baseline", "known.json"];
    assert_eq!(lint(desk.path(), &[&baseline[..], &["--update-baseline"]].concat()).code, 0);
    assert_eq!(lint(desk.path(), &baseline).code, 0);
}

#[test]
fn what_sets_nothing_aside_is_told() {
    let desk = Desk::with(&wrong());
    let entry = |rule: &str, more: &str| {
        let text = format!("[[lint.ignore-finding]]\nrule = \"{rule}\"\nreason = \"because\"\n{more}");
        fs::write(desk.file("tracectl.toml"), text).unwrap();
        let found = findings(desk.path(), &["run.jsonl"]);
        let code = |code: &str| found.iter().filter(|finding| finding["code"] == code).count();
        (code("SEM001"), code("CFG002"))
    };
    assert_eq!(entry("SEM001", ""), (0, 0));
    assert_eq!(entry("SEM001", "attribute = \"http.m*\"\n"), (0, 0));
    assert_eq!(entry("SEM001", "attribute = \"http.url\"\n"), (1, 1));
    assert_eq!(entry("STR003", ""), (1, 1));
    assert_eq!(entry("SEM001", "expires = \"2020-01-01\"\n"), (1, 1));

    fs::write(desk.file("tracectl.toml"), "").unwrap();
    let baseline = ["run.jsonl", "--baseline", "known.json"];
    assert_eq!(lint(desk.path(), &[&baseline[..], &["--update-baseline"]].concat()).code, 0);
    fs::write(desk.file("run.jsonl"), dump(vec![span(3, "c", Vec::new())])).unwrap();
    let found = findings(desk.path(), &baseline);
    assert_eq!(found.len(), 1);
    assert!(
        found[0]["code"] == "CFG002"
            && found[0]["message"].as_str().unwrap().contains("of the baseline matched nothing")
    );
    assert_eq!(findings(desk.path(), &[&baseline[..], &["--name", "c"]].concat()), Vec::<Value>::new());
}

#[test]
fn variables_stand_between_flags_and_files() {
    let desk = Desk::with(&wrong());
    fs::write(desk.file("tracectl.toml"), "[lint]\nselect = [\"STR\"]\nsemconv = \"1.20\"\n").unwrap();
    let code = |variables: &[(&str, &str)], more: &[&str]| {
        run(desk.path(), &[&["lint", "run.jsonl"], more].concat(), variables).code
    };
    let select = ("TRACECTL_LINT_SELECT", "SEM001, SEM002");
    let fail = ("TRACECTL_LINT_FAIL_ON", "warn");
    assert_eq!(code(&[], &[]), 0);
    assert_eq!(code(&[select, fail], &[]), 0);
    assert_eq!(code(&[select, fail, ("TRACECTL_LINT_SEMCONV", "1.44")], &[]), 1);
    assert_eq!(code(&[select, fail, ("TRACECTL_LINT_SEMCONV", "1.44")], &["--fail-on", "error"]), 0);
    assert_eq!(code(&[("TRACECTL_LINT_SEMCONV", "2.0")], &[]), 2);
    assert_eq!(code(&[("TRACECTL_LINT_SELECT", "SEM01")], &[]), 2);
}

#[test]
fn the_same_advice_is_told_to_people_once() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let spans = names.iter().zip(1..).map(|(name, id)| span(id, name, vec![text("http.method", "GET")]));
    let desk = Desk::with(&dump(spans.collect()));
    let ended = lint(desk.path(), &["run.jsonl", "--select", "SEM001"]);
    assert_eq!(ended.out.matches("http.method is now http.request.method").count(), 1, "{}", ended.out);
    assert!(ended.out.contains("6 times, also in b, c, d and 2 more"), "{}", ended.out);
    assert_eq!(findings(desk.path(), &["run.jsonl", "--select", "SEM001"]).len(), names.len());
}

#[test]
fn what_is_too_large_names_its_largest_parts() {
    let values = [("parameter.a", 300), ("parameter.b", 500), ("other", 900)];
    let attributes = values.iter().map(|(key, size)| text(key, &"ä".repeat(*size))).collect();
    let desk = Desk::with(&dump(vec![span(1, "big", attributes), span(2, "small", Vec::new())]));
    let parts = |set: &[&str]| {
        let found = findings(desk.path(), &[&["run.jsonl", "--select", "BUD002,BUD003", "--set"], set].concat());
        assert_eq!(found.len(), 1, "{found:?}");
        let parts = found[0]["contributors"].as_array().unwrap().clone();
        parts
            .iter()
            .map(|part| (part["name"].as_str().unwrap().to_owned(), part["size"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    let named = |name: &str, size| (name.to_owned(), size);
    assert_eq!(parts(&["bud002.params_total=700"]), [named("parameter.b", 500), named("parameter.a", 300)]);
    assert_eq!(parts(&["bud002.span_bytes=2000"])[0], named("other", 1805));
    let spans = parts(&["bud003.trace_bytes=3000"]);
    assert!(spans[0].0 == "big" && spans[1].0 == "small" && spans[0].1 > 3400, "{spans:?}");

    let limit = ["--set", "bud002.params_total=700"];
    let fixed = lint(desk.path(), &[&["run.jsonl", "--fix-output", "fixed.jsonl", "--exit-zero"], &limit[..]].concat());
    assert!(fixed.err.contains("wrote 2 spans"), "{}", fixed.err);
    let again = findings(desk.path(), &[&["fixed.jsonl", "--select", "BUD002"], &limit[..]].concat());
    assert_eq!(again, Vec::<Value>::new());
}

#[test]
fn the_budget_report_hears_filters() {
    let desk = Desk::with(&wrong());
    let room = |more: &[&str]| {
        let ended =
            lint(desk.path(), &[&["run.jsonl", "--budget-report", "--format", "json", "--exit-zero"], more].concat());
        let report: Value = serde_json::from_str(&ended.out).unwrap();
        let letta =
            report["budgets"].as_array().unwrap().iter().find(|budget| budget["preset"] == "letta").unwrap().clone();
        letta["limits"][0]["max"].as_u64().unwrap()
    };
    assert_eq!(room(&[]), 500);
    assert!(room(&["--name", "c"]) < 100);
}

#[test]
fn secrets_are_found_and_hidden_wherever_they_stand() {
    use base64::Engine as _;
    let packed = base64::engine::general_purpose::STANDARD.encode(SECRET);
    let mut stated =
        span(1, "a", vec![serde_json::json!({ "key": format!("k.{SECRET}"), "value": { "stringValue": "x" } })]);
    stated["traceState"] = format!("k={SECRET}").into();
    stated["links"] = serde_json::json!([{ "traceId": "5b8efff798038103d269b633813fc60d", "spanId": "00000000000000aa", "traceState": format!("l={SECRET}") }]);
    let bytes = span(2, "b", vec![serde_json::json!({ "key": "raw", "value": { "bytesValue": packed } })]);
    let document = dump(vec![stated, bytes]).replace("\"name\":\"s\"", &format!("\"name\":\"s {SECRET}\""));
    let desk = Desk::with(&document);
    let secret = ["--select", "SEC001"];
    let found = findings(desk.path(), &[&["run.jsonl"], &secret[..]].concat());
    let said = |what: &str| found.iter().any(|finding| finding["message"].as_str().unwrap().contains(what));
    for what in
        ["the trace state holds", "trace state of a link", "key of an attribute", "raw holds", "name of the scope"]
    {
        assert!(said(what), "{what}: {found:?}");
    }
    for fixed in ["fixed.jsonl", "fixed.pb", "fixed.jsonl.zst"] {
        assert_eq!(lint(desk.path(), &["run.jsonl", "--fix-output", fixed, "--exit-zero"]).code, 0);
        assert_eq!(findings(desk.path(), &[&[fixed], &secret[..]].concat()), Vec::<Value>::new(), "{fixed}");
    }
    assert_eq!(fs::read(desk.file("fixed.jsonl.zst")).unwrap().get(..4), Some(&[0x28, 0xb5, 0x2f, 0xfd][..]));
}

#[test]
fn nothing_is_no_baseline_and_no_answer() {
    let desk = Desk::with(&wrong());
    let update = ["--baseline", "known.json", "--update-baseline"];
    assert_eq!(lint(desk.path(), &[&["run.jsonl"], &update[..]].concat()).code, 0);
    let known = desk.read("known.json");
    fs::write(desk.file("empty.jsonl"), "").unwrap();
    assert_eq!(lint(desk.path(), &[&["empty.jsonl"], &update[..]].concat()).code, 3);
    assert_eq!(lint(desk.path(), &[&["run.jsonl", "--name", "zzz"], &update[..]].concat()).code, 3);
    assert_eq!(desk.read("known.json"), known);
    assert!(lint(desk.path(), &["run.jsonl", "-A", "ALL"]).err.contains("no rule is in force"));
    for output in [&["-o", "run.jsonl"][..], &["-o", "sarif=run.jsonl"], &["--fix-output", "run.jsonl"]] {
        assert_eq!(lint(desk.path(), &[&["run.jsonl"], output].concat()).code, 2, "{output:?}");
    }
    assert_eq!(desk.read("run.jsonl"), wrong());
    let none = findings(desk.path(), &["run.jsonl", "--name", "zzz"]);
    assert!(none.iter().all(|finding| finding["code"] == "CFG001"), "{none:?}");
}

#[test]
fn what_calls_itself_has_lost_no_context() {
    let nested: Vec<Value> = (1..9)
        .map(|id| {
            let mut one = span(id, "fib", Vec::new());
            if id > 1 {
                one["parentSpanId"] = format!("{:016x}", id - 1).into();
            }
            one
        })
        .collect();
    let desk = Desk::with(&dump(nested));
    assert_eq!(findings(desk.path(), &["run.jsonl", "--select", "TRE002"]), Vec::<Value>::new());
}

#[test]
fn what_the_collector_is_told_holds_together() {
    let desk = Desk::with(&wrong());
    let told = lint(desk.path(), &["run.jsonl", "--emit", "ottl", "--exit-zero"]).out;
    assert!(
        told.contains("<str (excluded)>") && !told.contains("delete_key(attributes, \"parameter.agent_state\")"),
        "{told}"
    );
    assert!(told.contains("replace_pattern(attributes[\"http.request.body\"]") && !told.contains("context: resource"));
    assert_eq!(lint(desk.path(), &["run.jsonl", "--emit", "ottl", "-o", "fix.yaml", "--exit-zero"]).out, "");
    assert_eq!(desk.read("fix.yaml"), told);
    let told = lint(desk.path(), &["run.jsonl", "--emit", "sdk", "--exit-zero"]).out;
    assert!(told.contains("OTEL_SEMCONV_STABILITY_OPT_IN=http\n"), "{told}");
}

#[test]
fn on_github_it_speaks_to_github() {
    let desk = Desk::with(&wrong());
    let summary = desk.file("summary.md");
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())];
    let ended = run(desk.path(), &["lint", "run.jsonl"], &variables);
    assert!(ended.out.lines().any(|line| line.starts_with("::error file=run.jsonl,line=1,title=")), "{}", ended.out);
    assert!(desk.read("summary.md").starts_with("## tracectl lint: "));
}

#[test]
fn rules_are_listed_and_explained() {
    let desk = Desk::with("");
    let rules: Value = serde_json::from_str(&run(desk.path(), &["rules", "--format", "json"], &[]).out).unwrap();
    let table = run(desk.path(), &["rules"], &[]).out;
    for rule in rules["rules"].as_array().unwrap() {
        let code = rule["code"].as_str().unwrap();
        assert!(table.contains(code), "{code}");
        let explained = run(desk.path(), &["explain", rule["name"].as_str().unwrap()], &[]);
        assert!(explained.code == 0 && explained.out.starts_with(code), "{code}");
    }
    let slip = run(desk.path(), &["explain", "BUD01"], &[]);
    assert!(slip.code == 2 && slip.err.contains("did you mean 'BUD001'"), "{}", slip.err);
    let budgets: Value = serde_json::from_str(&run(desk.path(), &["budgets", "--format", "json"], &[]).out).unwrap();
    assert!(budgets["budgets"].as_array().unwrap().iter().any(|budget| budget["name"] == "letta"));
    let report: Value =
        serde_json::from_str(&lint(desk.path(), &[CAPTURE, "--budget-report", "--format", "json", "--exit-zero"]).out)
            .unwrap();
    assert_eq!(report["budgets"][0]["traces"], 3);
}

#[test]
fn init_replaces_nothing_unless_told() {
    let desk = Desk::with(&wrong());
    assert_eq!(run(desk.path(), &["init"], &[]).code, 0);
    assert_eq!(run(desk.path(), &["init"], &[]).code, 2);
    assert_eq!(run(desk.path(), &["init", "--force"], &[]).code, 0);
    assert_eq!(lint(desk.path(), &["run.jsonl", "--exit-zero"]).code, 0);
}
