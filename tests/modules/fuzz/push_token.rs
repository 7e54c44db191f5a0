//! The script that asks Grafana for the streamers' token, and a program that listens in Grafana's place: nothing of its answers
//! is run, and nothing but a plain token is written.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::hostile::{Random, each, run, script};
use crate::requirement::skipped;

/// Reads a request and returns its path.
fn path_of(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(path)
}

/// An answer with the status that the script waits for, whose values are hostile.
fn answer(path: &str, random: &mut Random) -> (u16, Vec<u8>) {
    let value = |random: &mut Random| match random.below(4) {
        0 => "7".to_owned(),
        1 => serde_json::json!(random.text()).to_string(),
        2 => random.pick(&["null", "{}", "[1]", "1e999", "-3", "true"]).to_owned(),
        _ => random.text(),
    };
    if path == "/api/health" {
        return (200, Vec::new());
    }
    if random.below(8) == 0 {
        return (random.pick(&[200, 201, 204, 400, 401, 500]), random.bytes(300));
    }
    if path.contains("/search") {
        let name = random.pick(&["xdp-streamer", "other"]);
        let list = format!("{{\"serviceAccounts\":[{{\"id\":{},\"name\":\"{name}\"}}]}}", value(random));
        return (
            200,
            if random.below(2) == 0 { b"{\"serviceAccounts\":[]}".to_vec() } else { list.into_bytes() },
        );
    }
    if path.ends_with("/tokens") {
        return (200, format!("{{\"key\":{}}}", value(random)).into_bytes());
    }
    let status = if path.ends_with("/serviceaccounts") { 201 } else { 200 };
    (status, format!("{{\"id\":{}}}", value(random)).into_bytes())
}

#[test]
fn nothing_of_an_answer_is_run() {
    for program in ["curl", "jq"] {
        if Command::new(program).arg("--version").output().is_err() {
            return skipped("nothing_of_an_answer_is_run", &format!("{program} is not installed"));
        }
    }
    each(|input, mut random| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("admin-password"), "S3cret").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(path) = path_of(&stream) else { continue };
                if path == "/stop" {
                    break;
                }
                let (status, body) = answer(&path, &mut random);
                let head = format!(
                    "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        let token = folder.path().join("token");
        let output = run(
            script("grafana/push-token.sh", folder.path())
                .env("CREDENTIALS_DIRECTORY", folder.path())
                .env("GRAFANA_URL", url)
                .env("TOKEN_FILE", &token),
            folder.path(),
            input,
        );
        TcpStream::connect(stop).unwrap().write_all(b"GET /stop HTTP/1.1\r\n\r\n").unwrap();
        server.join().unwrap();
        assert_eq!(output.status.success(), token.exists(), "{input}: {output:?}");
        if let Ok(written) = fs::read_to_string(&token) {
            let word = written.strip_suffix('\n').unwrap();
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            assert!(!word.is_empty() && word.bytes().all(is_plain), "{input}: {written:?}");
        }
    });
}
