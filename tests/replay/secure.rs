//! TLS and client certificates, over both versions of HTTP.

use std::path::Path;
use std::process::Command;

use super::receiver::{capture, replay};
use super::server::listen_in;

/// Runs a program that may not be there.
fn ran(folder: &Path, arguments: &str) -> Option<()> {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().ok()?;
    output.status.success().then_some(())
}

/// An authority, and a server and a client whose certificates it has signed.
fn certificates(folder: &Path) -> Option<()> {
    ran(folder, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca")?;
    for (name, extension) in [
        ("server", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"),
        ("client", "extendedKeyUsage=clientAuth\n"),
    ] {
        std::fs::write(folder.join("extension"), extension).unwrap();
        ran(folder, &format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"))?;
        let sign = format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out {name}.pem");
        ran(folder, &format!("{sign} -extfile extension"))?;
    }
    Some(())
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn only_the_right_certificates_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    if certificates(folder.path()).is_none() {
        println!("skipped: no openssl");
        return;
    }
    let input = capture(folder.path(), 20);
    let tls = ["--tls-cert", "{}/server.pem", "--tls-key", "{}/server.key", "--tls-client-ca", "{}/ca.pem"];
    let server = listen_in(folder, &[&tls[..], &["--view", "none"]].concat());
    let file = |name: &str| server.folder.path().join(name).to_string_lossy().into_owned();
    let known = [
        "--certificate",
        &file("ca.pem"),
        "--client-certificate",
        &file("client.pem"),
        "--client-key",
        &file("client.key"),
    ]
    .map(str::to_owned);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for (protocol, address) in [("grpc", server.grpc), ("http/protobuf", server.http)] {
        let to = format!("https://{address}");
        let sent = replay(&input, &to, &[&known[..], &["--protocol", protocol]].concat());
        assert_eq!((sent.code, sent.number("accepted")), (Some(0), 20), "{}", sent.log);
        let stranger = replay(&input, &to, &[&known[..2], &["--protocol", protocol, "--retry-for", "0"]].concat());
        assert_eq!((stranger.code, stranger.number("accepted")), (Some(1), 0), "{}", stranger.log);
        assert!(stranger.log.contains("see --client-certificate"), "{}", stranger.log);
        let other = ["--certificate", &file("client.pem"), "--protocol", protocol];
        let distrusted = replay(&input, &to, &other);
        assert_eq!((distrusted.code, distrusted.number("retries")), (Some(1), 0), "{}", distrusted.log);
        assert!(distrusted.log.contains("an authority that is not trusted here"), "{}", distrusted.log);
        assert_eq!((distrusted.number("rejected"), &distrusted.sent["given_up"]), (0, &true.into()));
    }
    let half =
        replay(&input, "https://127.0.0.1:1", &["--client-key", &file("client.key"), "--certificate", &file("ca.pem")]);
    assert!(half.code == Some(2) && half.log.contains("go together"), "{}", half.log);
    let open = replay(&input, "http://127.0.0.1:1", &["--certificate", &file("ca.pem")]);
    assert!(open.code == Some(2) && open.log.contains("not encrypted"), "{}", open.log);
    server.stop();
}
