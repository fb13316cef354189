//! Trees on wide and narrow pages, with and without colour, as people and scripts get them.
//!
//! Each picture is written out whole, so that a change of it is seen by eye.

use super::{Ink, Page, Render, tree_json, tree_jsonl, tree_markdown};
use crate::capture::Capture;
use crate::forest::{Forest, Tree};
use crate::model::{Kind, Status, Termination};
use crate::view::sample::Sample;
use crate::view::{Cancellation, Fault, Settings, TreeReport};

/// An agent's request: a run of queries, a failed call in another service, a cancelled tool, work after the root.
fn agent() -> Capture {
    let mut sample = Sample::new();
    sample.span(1, 0, "POST /v1/agents/{agent_id}/messages", "api", [0, 400_000]).marks.set_kind(Kind::Server);
    sample.span(2, 1, "Agent.step", "api", [5_000, 390_000]);
    for at in 0..37 {
        sample.span(100 + at, 2, "db.query", "db", [6_000 + at * 1_000, 6_400 + at * 1_020]);
    }
    sample.span(3, 2, "OpenAIClient.request_async", "llm", [50_000, 200_000]).marks.set_status(Status::Error);
    sample.span(4, 2, "ToolExecutor.run", "api", [210_000, 380_000]).marks.set_termination(Termination::Cancelled);
    sample.span(5, 4, "Sandbox.run", "api", [211_000, 379_000]).marks.set_termination(Termination::Cancelled);
    sample.span(6, 2, "safe_create_task", "api", [385_000, 385_050]);
    sample.span(7, 6, "record_metrics", "api", [386_000, 600_000]);
    sample.span(8, 2, "agent_step", "api", [389_000, 0]);
    sample.capture()
}

/// One of everything that is odd.
fn oddities() -> Capture {
    let mut sample = Sample::new();
    sample.span(1, 0, "root", "api", [0, 1_000]);
    sample.span(2, 1, "twice", "api", [100, 200]);
    sample.span(2, 1, "twice", "api", [100, 200]);
    sample.span(3, 1, "conflict", "api", [200, 300]);
    sample.span(3, 1, "conflict!", "api", [200, 300]);
    sample.span(4, 4, "own parent", "api", [300, 400]);
    let lost = sample.span(5, 0xdead_beef_0000_0001, "orphan", "api", [400, 500]);
    lost.marks.set_remote_known(true);
    let large = sample.span(6, 1, "large", "api", [600, 700]);
    large.marks.set_over_parameter_budget(true);
    sample.span(7, 1, "evil \u{1b}[2J\u{202e}name", "", [800, 900]);
    sample.capture()
}

/// What is written between the quotes, without the line break after the first.
fn picture(text: &str) -> &str {
    text.strip_prefix('\n').unwrap_or(text)
}

fn settings() -> Settings {
    Settings { collapse: true, ..Settings::default() }
}

fn drawn(capture: &Capture, settings: Settings, page: Page) -> String {
    let forest = Forest::of(capture);
    let report = TreeReport::of(capture, &forest, settings, &|_| true);
    let mut out = Vec::new();
    report.render(&mut Ink::new(&mut out, page)).unwrap();
    let out = String::from_utf8(out).unwrap();
    if !page.color {
        for line in out.lines() {
            assert!(super::width(line) <= page.width, "too wide: {line}");
            assert!(!line.ends_with(' '), "ends in a space: {line}");
        }
    }
    out
}

#[test]
fn an_agent_on_80_columns() {
    assert_eq!(
        drawn(&agent(), settings(), Page::plain(80)),
        picture(
            r#"
7b1c9e01  POST /v1/agents/{agent_id}/messages  600 ms
  api · 3 services · 2023-11-14T22:13:20.000Z · 45 spans · 1 error · 2 cancelled
  1 unfinished · root 400 ms, background until 600 ms
POST /v1/agents/{agent_id}/messages        400 ms ━━━━━━━━━━━━━━━━━━━━┊
└─ Agent.step                              385 ms ━━━━━━━━━━━━━━━━━━━╸┊
  ├─ db.query  ×37  slowest 1.12 ms  db Σ 28.1 ms ┅┅╸                 ┊
  ├─ ✗ OpenAIClient.request_async  llm     150 ms   ╺━━━━━━━          ┊
  ├─ ⊘ ToolExecutor.run                    170 ms           ╺━━━━━━━━ ┊
  │ └─ ⊘ Sandbox.run                       168 ms           ╺━━━━━━━━ ┊
  ├─ safe_create_task                     50.0 µs                    ╸┊
  │ └─ record_metrics                      214 ms                    ━━━━━━━━━━━
  └─ … agent_step  unfinished                   …                    ┄┄┄┄┄┄┄┄┄┄┄
"#
        )
    );
}

#[test]
fn an_agent_on_160_columns() {
    assert_eq!(
        drawn(&agent(), settings(), Page::plain(160)),
        picture(
            r#"
7b1c9e01  POST /v1/agents/{agent_id}/messages  600 ms
  api · 3 services · 2023-11-14T22:13:20.000Z · 45 spans · 1 error · 2 cancelled · 1 unfinished · root 400 ms, background until 600 ms
POST /v1/agents/{agent_id}/messages        400 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
└─ Agent.step                              385 ms ╺━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ ┊
  ├─ db.query  ×37  slowest 1.12 ms  db Σ 28.1 ms  ┅┅┅┅┅┅╸                                                          ┊
  ├─ ✗ OpenAIClient.request_async  llm     150 ms         ━━━━━━━━━━━━━━━━━━━━━━━━━╸                                ┊
  ├─ ⊘ ToolExecutor.run                    170 ms                                    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸  ┊
  │ └─ ⊘ Sandbox.run                       168 ms                                    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸  ┊
  ├─ safe_create_task                     50.0 µs                                                                 ╸ ┊
  │ └─ record_metrics                      214 ms                                                                 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
  └─ … agent_step  unfinished                   …                                                                 ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
"#
        )
    );
}

#[test]
fn an_agent_on_40_columns_of_ascii() {
    let page = Page { unicode: false, ..Page::plain(40) };
    let out = drawn(&agent(), Settings { errors: true, ..settings() }, page);
    assert!(out.is_ascii());
    assert_eq!(
        out,
        picture(
            r#"
7b1c9e01  POST /v1/agents/{agen~  600 ms
  api, 3 services
  2023-11-14T22:13:20.000Z, 45 spans
  1 error, 2 cancelled, 1 unfinished
  root 400 ms, background until 600 ms
POST /v1/agents/{agent~  400 ms ======
`- Agent.step            385 ms ======
  |- x OpenAIClie~  llm  150 ms ===  :
  |- / ToolExecutor.run  170 ms   ====
  | `- / Sandbox.run     168 ms   ====
  `- . agent_st~  unfi~     ...      ...
  ... 39 spans without errors
    (shown without --errors)
"#
        )
    );
}

#[test]
fn an_agent_in_colour() {
    let page = Page { color: true, ..Page::plain(80) };
    let out = drawn(&agent(), Settings { errors: true, critical_path: true, ..settings() }, page);
    assert_eq!(
        out.replace('\u{1b}', "␛"),
        picture(
            r#"
␛[2m7b1c9e01␛[0m  ␛[1mPOST /v1/agents/{agent_id}/messages␛[0m  ␛[1m600 ms␛[0m
  ␛[36mapi␛[0m␛[2m · ␛[0m␛[36m3 services␛[0m␛[2m · ␛[0m␛[2m2023-11-14T22:13:20.000Z␛[0m␛[2m · ␛[0m45 spans␛[2m · ␛[0m␛[1;31m1 error␛[0m␛[2m · ␛[0m␛[1;35m2 cancelled␛[0m
  ␛[33m1 unfinished␛[0m␛[2m · ␛[0mroot 400 ms, background until 600 ms␛[2m · ␛[0m␛[1;33m█ critical path␛[0m
POST /v1/agents/{agent_id}/messages     400 ms ␛[1;33m██████████████████████␛[0m␛[2m┊␛[0m
␛[2m└─ ␛[0mAgent.step                           385 ms ␛[1;33m█████████████████████▌␛[0m␛[2m┊␛[0m
␛[2m  ␛[0m␛[2m├─ ␛[0m␛[1;31m✗ ␛[0m␛[1;31mOpenAIClient.request_async␛[0m  ␛[36mllm␛[0m  150 ms   ␛[1;31m▐████████␛[0m           ␛[2m┊␛[0m
␛[2m  ␛[0m␛[2m├─ ␛[0m␛[1;35m⊘ ␛[0m␛[1;35mToolExecutor.run␛[0m                 170 ms            ␛[1;35m▐█████████␛[0m ␛[2m┊␛[0m
␛[2m  │ ␛[0m␛[2m└─ ␛[0m␛[1;35m⊘ ␛[0m␛[1;35mSandbox.run␛[0m                    168 ms            ␛[1;35m▐█████████␛[0m ␛[2m┊␛[0m
␛[2m  ␛[0m␛[2m└─ ␛[0m␛[33m… ␛[0m␛[33magent_step␛[0m  ␛[33munfinished␛[0m                …                      ␛[33m┄┄┄┄┄┄┄┄┄┄┄┄␛[0m
␛[2m  … 39 spans without errors␛[0m␛[2m (shown without --errors)␛[0m
"#
        )
    );
}

#[test]
fn oddities_on_100_columns() {
    assert_eq!(
        drawn(&oddities(), settings(), Page::plain(100)),
        picture(
            r#"
7b1c9e01  root  1.00 ms
  api · 2023-11-14T22:13:20.000Z · 9 spans · 1 orphan · 1 in cycles · 2 duplicates
root                                 1.00 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
├─ twice  read 2 times                100 µs      ╺━━━━━
├─ ≡ conflict  duplicate id           100 µs            ━━━━━╸
├─ ≡ conflict!  duplicate id          100 µs            ━━━━━╸
├─ ! large  attribute over 2 MiB      100 µs                                  ━━━━━╸
└─ evil ␛[2J<U+202E>name  no service  100 µs                                             ━━━━━╸
↻ own parent  cycle                   100 µs                 ╺━━━━━
? missing parent deadbeef00000001 (local, lost · 1 child)
└─ ⇡ orphan                           100 µs                       ━━━━━╸
"#
        )
    );
}

#[test]
fn what_went_wrong_stands_under_its_span() {
    let capture = agent();
    let forest = Forest::of(&capture);
    let report = TreeReport::of(&capture, &forest, Settings { errors: true, ..settings() }, &|_| true);
    let mut view = report.trace(0, &mut Tree::default()).unwrap();
    let error = Fault {
        kind: "openai.RateLimitError".to_owned(),
        message: "Rate limit reached for gpt-4.1\nPlease try again in 20 s".to_owned(),
        place: Some("client.py:123 in request_async".to_owned()),
        cancellation: None,
    };
    let cancellation = Cancellation {
        task: Some("Task-7".to_owned()),
        function: None,
        time_unix_nano: Some(1_700_000_000_379_000_000),
    };
    let cancelled =
        Fault { kind: "asyncio.CancelledError".to_owned(), cancellation: Some(cancellation), ..Fault::default() };
    for row in &mut view.rows {
        row.fault = match row.name {
            "OpenAIClient.request_async" => Some(error.clone()),
            "Sandbox.run" => Some(cancelled.clone()),
            _ => None,
        };
    }
    let mut out = Vec::new();
    view.render(&mut Ink::new(&mut out, Page::plain(80))).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        picture(
            r#"
7b1c9e01  POST /v1/agents/{agent_id}/messages  600 ms
  api · 3 services · 2023-11-14T22:13:20.000Z · 45 spans · 1 error · 2 cancelled
  1 unfinished · root 400 ms, background until 600 ms
POST /v1/agents/{agent_id}/messages     400 ms ━━━━━━━━━━━━━━━━━━━━━━┊
└─ Agent.step                           385 ms ━━━━━━━━━━━━━━━━━━━━━╸┊
  ├─ ✗ OpenAIClient.request_async  llm  150 ms   ╺━━━━━━━━           ┊
  │   ✗ RateLimitError: Rate limit reached for… (client.py:123 in request_async)
  ├─ ⊘ ToolExecutor.run                 170 ms            ╺━━━━━━━━━ ┊
  │ └─ ⊘ Sandbox.run                    168 ms            ╺━━━━━━━━━ ┊
  │     ⊘ CancelledError
  │       unexpected · passed through 1 span · at 22:13:20.379 · task Task-7
  └─ … agent_step  unfinished                …                      ┄┄┄┄┄┄┄┄┄┄┄┄
  … 39 spans without errors (shown without --errors)
"#
        )
    );
}

#[test]
fn a_name_behind_a_path_of_modules_is_cut_at_its_beginning() {
    let mut sample = Sample::new();
    sample.span(1, 0, "a2a.server.events.event_queue.EventQueue.enqueue_event", "api", [0, 5]);
    sample.span(2, 1, "POST /v1/agents/{agent_id}/messages/and/so/on", "api", [0, 5]);
    let out = drawn(&sample.capture(), settings(), Page::plain(44));
    assert!(out.contains("\n…e.EventQueue.enqueue_event ") && out.contains("─ POST /v1/agents/{agent_… "), "{out}");
}

#[test]
fn a_deep_chain_stays_on_the_page() {
    let mut sample = Sample::new();
    for at in 1..=300 {
        sample.span(at, at - 1, "frame", "api", [at, 1_000 - at]);
    }
    let out = drawn(&sample.capture(), settings(), Page::plain(80));
    assert_eq!(out.lines().count(), 302);
    assert_eq!(out.lines().last(), Some("…299 └─ frame                         400 µs           ━━━━━━━━━━━━━━━"));
}

#[test]
fn many_traces_are_limited() {
    let mut sample = Sample::new();
    for at in 1..=5_000 {
        sample.trace(at);
        sample.span(1, 0, "job", "api", [at as u64, at as u64 + 1]);
    }
    let out = drawn(&sample.capture(), Settings { limit: Some(2), ..settings() }, Page::plain(80));
    assert_eq!(
        out,
        picture(
            r#"
00000000  job  1.00 µs
  api · 2023-11-14T22:13:20.000Z · 1 span
job 1.00 µs ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

00000000  job  1.00 µs
  api · 2023-11-14T22:13:20.000Z · 1 span
job 1.00 µs ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

… 4,998 more traces with 4,998 spans (--limit 0 shows all)
"#
        )
    );
}

#[test]
fn json_has_every_span_in_order() {
    let capture = oddities();
    let forest = Forest::of(&capture);
    let report = TreeReport::of(&capture, &forest, settings(), &|_| true);
    let mut out = Vec::new();
    tree_json(&report, &mut out).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(json["schema"], 1);
    let trace = &json["traces"][0];
    assert_eq!(trace["root"], "0000000000000001");
    let spans = trace["spans"].as_array().unwrap();
    let brief = |span: &serde_json::Value| format!("{} {} {}", span["depth"], span["name"], span["flags"]);
    let lines: Vec<_> = spans.iter().map(brief).collect();
    assert_eq!(
        lines,
        [
            r#"0 "root" []"#,
            r#"1 "twice" []"#,
            r#"1 "conflict" ["duplicate"]"#,
            r#"1 "conflict!" ["duplicate"]"#,
            r#"1 "large" []"#,
            "1 \"evil \\u001b[2J\u{202e}name\" []",
            r#"0 "own parent" ["cycle"]"#,
            r#"0 "orphan" ["orphan"]"#,
        ]
    );
    assert_eq!(spans[0]["children"].as_array().unwrap().len(), 5);
    assert_eq!(spans[0]["parent_id"], serde_json::Value::Null);
    assert_eq!(spans[0]["start_unix_nano"], "1700000000000000000");
    assert_eq!((&spans[0]["duration_ns"], &spans[0]["self_ns"]), (&1_000_000.into(), &600_000.into()));

    let mut lines = Vec::new();
    tree_jsonl(&report, &mut lines).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&lines).unwrap();
    assert_eq!(&line, trace);
}

#[test]
fn markdown_cannot_be_broken_out_of() {
    let mut sample = Sample::new();
    sample.span(1, 0, "```\n# <b>", "a*b*", [0, 5]);
    let capture = sample.capture();
    let forest = Forest::of(&capture);
    let report = TreeReport::of(&capture, &forest, settings(), &|_| true);
    let mut out = Vec::new();
    tree_markdown(&report, Page::plain(80), &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        picture(
            r#"
## `7b1c9e01` ```` ```␊# <b> ```` 5.00 µs

a\*b\* · 2023-11-14T22:13:20.000Z · 1 span

````text
```␊# <b> 5.00 µs ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
````

"#
        )
    );
}
