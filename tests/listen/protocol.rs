//! What is answered to which request, over HTTP and gRPC.

use std::io::{Read, Write};

use prost::Message;
use serde_json::{Value, json as value};

use super::server::{EXPORT, JSON, PROTO, call, connect, framed, json, listen, post, proto, send, totals, tracectl};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn both_protocols_in_all_packings_are_recorded() {
    for record in ["run.jsonl", "run.otlp.pb", "run.jsonl.gz", "run.pb.zst"] {
        let server = listen(&["-o", record, "--view", "none"]);
        let plain = json(1, 2);
        let (http, grpc) = (server.http, server.grpc);
        let answer = post(http, &[JSON], &plain);
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
        assert_eq!(answer.header("content-type").unwrap(), "application/json");
        let answer = post(http, &[PROTO], &proto(2, 2));
        assert_eq!((answer.status, answer.body.len()), (200, 0));
        assert_eq!(answer.header("content-type").unwrap(), "application/x-protobuf");
        let (head, tail) = plain.split_at(40);
        let members = [gzip(head), gzip(tail)].concat();
        let zstd = zstd::encode_all(&plain[..], 1).unwrap();
        assert_eq!(post(http, &[JSON, ("content-encoding", "gzip")], &members).status, 200);
        assert_eq!(post(http, &[JSON, ("content-encoding", "zstd")], &zstd).status, 200);
        let chunks = [format!("{:x}\r\n", plain.len()).as_bytes(), &plain, b"\r\n0\r\n\r\n"].concat();
        assert_eq!(post(http, &[JSON, ("transfer-encoding", "chunked")], &chunks).status, 200);
        // Both ports speak both protocols.
        let called = call(
            grpc,
            EXPORT,
            &[("grpc-encoding", "gzip")],
            &[framed(0, &proto(3, 2)), framed(1, &gzip(&proto(4, 2)))],
        );
        assert!(called.iter().all(|called| called.code == 0 && called.message.is_empty()), "{called:?}");
        assert_eq!(call(http, EXPORT, &[], &[framed(0, &proto(5, 2))])[0].code, 0);
        assert_eq!(post(grpc, &[JSON], b"{}").status, 200);
        let ended = server.stop();
        assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{}", ended.log);
        assert_eq!((&ended.stopped["spans"], &ended.stopped["requests"]), (&value!(16), &value!(9)));
        let totals = totals(&ended.folder.path().join(record));
        assert_eq!((&totals["spans"], &totals["traces"], &totals["troubles"]), (&value!(16), &value!(5), &value!(0)));
    }
}

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    let server = listen(&["--view", "none", "--max-request-size", "1000"]);
    let to = server.http;
    let body = json(1, 1);
    let cases = [
        (send(to, "GET", "/v1/traces", &[], b""), 405),
        (send(to, "POST", "/v1/spans", &[JSON], b"{}"), 404),
        (post(to, &[("content-type", "application/xml")], &body), 415),
        (post(to, &[JSON], b"{\"resourceSpans\":[{]}"), 400),
        (post(to, &[JSON], b"[]"), 400),
        (post(to, &[JSON, ("content-encoding", "br")], &body), 415),
        (post(to, &[("content-type", "text/plain"), ("origin", "http://elsewhere")], &body), 403),
        (post(to, &[JSON, ("content-encoding", "gzip")], &body), 400),
        (post(to, &[JSON], &[b' '; 1001]), 413),
        (post(to, &[JSON, ("content-encoding", "gzip")], &gzip(&[b' '; 100_000])), 413),
    ];
    for (answer, status) in cases {
        assert_eq!(answer.status, status, "{answer:?}");
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(!told["message"].as_str().unwrap().is_empty() && told["code"].is_number());
        assert_eq!(answer.header("retry-after"), None);
    }
    let answer = post(to, &[PROTO], b"\x0a\xff");
    assert_eq!((answer.status, answer.header("content-type").unwrap().as_str()), (400, "application/x-protobuf"));
    assert_eq!(answer.body.first(), Some(&0x08));
    assert_eq!(send(to, "GET", "/health", &[], b"").status, 200);
    assert_eq!(post(to, &[("content-type", "text/plain")], &body).status, 200);
    assert_eq!(server.stop().stopped["spans"], 1);
}

#[test]
fn requests_that_went_astray_are_told_in_the_end() {
    let server = listen(&["--view", "none"]);
    for path in ["/traces", "/traces", "/", "/v1/traces/"] {
        send(server.http, "POST", path, &[JSON], &json(1, 1));
    }
    send(server.http, "GET", "/favicon.ico", &[], b"");
    let ended = server.stop();
    assert_eq!((&ended.stopped["spans"], &ended.stopped["astray"]), (&value!(1), &value!(3)));
    let options = ["listen", "--view", "none", "--for", "3s", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut listen = tracectl();
    let mut child = listen.args(options).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    let to = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
    for _ in 0..2 {
        assert_eq!(send(to, "POST", "/traces", &[JSON], &json(1, 1)).status, 404);
    }
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(rest.contains("hint: 2 requests went to /traces: the path is /v1/traces"), "{rest}");
}

#[test]
fn grpc_says_what_may_come_again_and_what_not() {
    let server = listen(&["--view", "none", "--max-request-size", "1000"]);
    let ask = |path: &str, body: Vec<u8>| call(server.grpc, path, &[], &[body]).remove(0).code;
    assert_eq!(ask(EXPORT, framed(0, &proto(1, 1))), 0);
    assert_eq!(ask(EXPORT, framed(0, b"\x0a\xff")), 3);
    assert_eq!(ask(EXPORT, b"\0\0\0".to_vec()), 3);
    assert_eq!(ask(EXPORT, framed(0, &proto(1, 100))), 8);
    assert_eq!(ask("/opentelemetry.proto.collector.profiles.v1.Profiles/Export", framed(0, b"")), 12);
    assert_eq!(ask("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", framed(0, b"")), 0);
    assert_eq!(ask("/grpc.health.v1.Health/Check", framed(0, b"")), 0);
    let squeezed = call(server.grpc, EXPORT, &[("grpc-encoding", "gzip")], &[framed(1, &gzip(&proto(1, 1000)))]);
    assert_eq!((squeezed[0].code, squeezed[0].details.is_some()), (8, true));
    let ended = server.stop();
    assert_eq!((&ended.stopped["metrics"], &ended.stopped["spans"]), (&value!(1), &value!(1)));
    assert_eq!(ended.log.matches("metrics arrive").count(), 1);
}

#[test]
fn a_broken_span_is_a_partial_success() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    let server = listen(&["--view", "none", "-o", "run.pb"]);
    // A good span, then one that ends in the middle of a field.
    let good = proto(1, 1);
    let broken = [0x0a, 6, 0x12, 4, 0x12, 2, 0x0a, 9];
    let request = [&good[..], &broken].concat();
    let called = call(server.grpc, EXPORT, &[], &[framed(0, &request)]).remove(0);
    let answer = ExportTraceServiceResponse::decode(called.message).unwrap().partial_success.unwrap();
    assert_eq!((called.code, answer.rejected_spans, answer.error_message.is_empty()), (0, 1, false));
    let ended = server.stop();
    assert_eq!((&ended.stopped["spans"], &ended.stopped["rejected"]), (&value!(1), &value!(1)));
}

#[test]
fn tokens_origins_and_unix_sockets() {
    let server = listen(&["--auth-token", "TOKEN", "--cors-origin", "http://localhost:3000", "--view", "none"]);
    let to = server.http;
    assert_eq!(post(to, &[JSON], b"{}").status, 401);
    assert_eq!(post(to, &[JSON, ("authorization", "Bearer open sesame")], b"{}").status, 200);
    assert_eq!(call(server.grpc, EXPORT, &[], &[framed(0, b"")])[0].code, 16);
    assert_eq!(call(server.grpc, EXPORT, &[("x-api-key", "open sesame")], &[framed(0, b"")])[0].code, 0);
    let asked = [("origin", "http://localhost:3000"), ("access-control-request-headers", "content-type,x-team")];
    let answer = send(to, "OPTIONS", "/v1/traces", &asked, b"");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin").unwrap(), "http://localhost:3000");
    assert_eq!(answer.header("access-control-allow-headers").unwrap(), "content-type,x-team");
    server.stop();

    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("otlp.sock");
    let mut command = tracectl();
    command.args(["listen", "--max-spans", "1", "--view", "line", "--grpc", "127.0.0.1:0", "--http"]);
    let mut child =
        command.arg(format!("unix:{}", socket.display())).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut stream = (0..200)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(25));
            std::os::unix::net::UnixStream::connect(&socket).ok()
        })
        .unwrap();
    let body = json(1, 1);
    write!(
        stream,
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    stream.write_all(&body).unwrap();
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(child.wait().unwrap().success() && out.contains("work"), "{out}");
}

#[test]
fn a_taken_port_is_told_with_a_way_out() {
    let server = listen(&["--view", "none"]);
    let output =
        tracectl().args(["listen", "--grpc", &server.grpc.to_string(), "--http", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains(&format!("{} is taken", server.grpc)) && said.contains("is free: --grpc"), "{said}");
    if std::path::Path::new("/proc/net/tcp").exists() {
        assert!(said.contains(&format!("process {}", server.child.id())), "{said}");
    }
    server.stop();
}

#[test]
fn requests_are_passed_on() {
    let behind = listen(&["--view", "none"]);
    let front = listen(&["--view", "none", "--forward", &format!("http://{}", behind.http)]);
    assert_eq!(post(front.http, &[JSON], &json(1, 3)).status, 200);
    assert_eq!(call(front.grpc, EXPORT, &[], &[framed(0, &proto(2, 3))])[0].code, 0);
    for _ in 0..100 {
        let mut stream = connect(behind.http);
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(front.stop().stopped["forwarded"], 2);
    assert_eq!(behind.stop().stopped["spans"], 6);
}

/// Runs a program that may not be there.
fn ran(program: &str, folder: &std::path::Path, arguments: &str) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments.split(' ')).current_dir(folder).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn only_clients_with_a_certificate_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &str| {
        let line = format!(
            "req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name} {more}"
        );
        ran("openssl", folder.path(), line.trim())
    };
    let made = make("server", "-addext subjectAltName=IP:127.0.0.1").and(make("ca", "")).and_then(|_| {
        ran(
            "openssl",
            folder.path(),
            "req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=client",
        )?;
        std::fs::write(folder.path().join("usage"), "extendedKeyUsage=clientAuth\n").ok()?;
        let sign =
            "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out client.pem -extfile usage";
        ran("openssl", folder.path(), sign)
    });
    if made.and_then(|_| ran("curl", folder.path(), "--version")).is_none() {
        println!("skipped: no openssl or no curl");
        return;
    }
    let options = ["--tls-cert", "{}/server.pem", "--tls-key", "{}/server.key", "--tls-client-ca", "{}/ca.pem"];
    let server = super::server::listen_in(folder, &[&options[..], &["--view", "none"]].concat());
    let url = format!("https://{}/health", server.http);
    let bare = ran("curl", server.folder.path(), &format!("-sf --noproxy * --cacert server.pem {url}"));
    let known = ran(
        "curl",
        server.folder.path(),
        &format!("-sf --noproxy * --cacert server.pem --cert client.pem --key client.key {url}"),
    );
    assert_eq!((bare, known.as_deref()), (None, Some("{\"status\":\"ok\"}\n")));
    server.stop();
}
