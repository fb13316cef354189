//! Faults and rules: each rule has a fault, and each fault makes its rule fire and no other.

use std::collections::BTreeSet;

use super::{emit, lint, run};

struct Fault {
    name: String,
    code: String,
    /// What lint has to be asked.
    asked: Vec<String>,
}

/// The list that the program gives.
fn faults() -> Vec<Fault> {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["emit", "--list-faults"]);
    let text = String::from_utf8(ended.out).unwrap();
    let one = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, code) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let asked = line.split_once("(lint ").map(|(_, asked)| asked.trim_end_matches(')')).unwrap_or_default();
        Fault { name, code, asked: asked.split_whitespace().map(str::to_owned).collect() }
    };
    text.lines().map(one).collect()
}

/// Codes and names of the rules that lint has.
fn rules() -> BTreeSet<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let list = run(folder.path(), &["rules", "--format", "json"]).json();
    let rules = list["rules"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rules.map(|rule| (text(&rule["code"]), text(&rule["name"]))).filter(|(code, _)| !code.starts_with("CFG")).collect()
}

#[test]
fn every_rule_has_a_fault() {
    let faults: BTreeSet<_> = faults().into_iter().map(|fault| (fault.code, fault.name)).collect();
    let missing: Vec<_> = rules().difference(&faults).cloned().collect();
    assert_eq!(missing, []);
    assert_eq!(faults.len(), 59);
}

#[test]
fn every_fault_makes_exactly_its_rule_fire() {
    let folder = tempfile::tempdir().unwrap();
    let known: BTreeSet<String> = rules().into_iter().map(|(code, _)| code).collect();
    let mut wrong = Vec::new();
    for fault in faults() {
        // Other conventions, scenarios and seeds are tried without a process.
        for convention in ["letta", "genai"] {
            let given = ["--convention", convention, "--scenario", "tools", "--traces", "3", "--fault", &fault.name];
            emit(folder.path(), "a.pb", &given);
            // What a rule has to be told means nothing while there is no such rule.
            let asked = fault.asked.iter().filter(|_| known.contains(&fault.code));
            let asked: Vec<&str> = asked.map(String::as_str).collect();
            // What is missing may leave other rules without what they look at, and they say so.
            let fired = lint(folder.path(), "a.pb", &asked).into_iter().map(|(code, _)| code);
            let fired: Vec<String> = fired.filter(|code| code != "CFG003").collect();
            let wanted: Vec<String> = [fault.code.clone()].into_iter().filter(|code| known.contains(code)).collect();
            if fired != wanted {
                wrong.push(format!("{} in {convention}: {fired:?}", fault.name));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn faults_hit_a_part_of_the_traces() {
    let folder = tempfile::tempdir().unwrap();
    let hits = |rate: &str| {
        emit(
            folder.path(),
            "a.pb",
            &["--scenario", "chat", "--traces", "200", "--fault", &format!("status-contradiction={rate}")],
        );
        let stats = run(folder.path(), &["stats", "--format", "json", "a.pb", "--name", "BlobStore.put"]);
        if stats.code == 3 { 0 } else { stats.json()["totals"]["spans"].as_u64().unwrap() }
    };
    assert_eq!((hits("0"), hits("1")), (0, 200));
    assert!((20..90).contains(&hits("25%")));
}
