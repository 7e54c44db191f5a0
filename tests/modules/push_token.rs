//! Runs the script that creates the streamers' token against a stand-in for Grafana's HTTP API.
//!
//! Paths, status codes and fields are those of Grafana (pkg/services/serviceaccounts/api, pkg/services/live/pushhttp). Its
//! versions differ in who may push.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step is a failed test, also in what tests share"
)]

#[path = "../requirement/mod.rs"]
mod requirement;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/grafana/push-token.sh");
/// Contains everything that has a meaning in curl's configuration.
const PASSWORD: &str = "a\"b\\c 100% #d";

/// A version of Grafana: its roles, and those that may push.
#[derive(Clone, Copy)]
struct Version {
    known: &'static [&'static str],
    push: &'static [&'static str],
}

/// Any signed-in identity may push.
const OLD: Version = Version { known: &["Viewer", "Editor", "Admin"], push: &["Viewer", "Editor", "Admin"] };
const ANYBODY: Version =
    Version { known: &["None", "Viewer", "Editor", "Admin"], push: &["None", "Viewer", "Editor", "Admin"] };
/// `live:push` is for editors and administrators.
const PERMISSION: Version =
    Version { known: &["None", "Viewer", "Editor", "Admin"], push: &["Editor", "Admin"] };

struct Account {
    name: String,
    role: String,
    tokens: Vec<String>,
}

type Impostor = fn(&Request) -> Option<Value>;

struct State {
    version: Version,
    accounts: BTreeMap<u64, Account>,
    next: u64,
    pushes: Vec<String>,
    /// What another program than Grafana answers to some paths.
    impostor: Option<Impostor>,
}

struct Request {
    method: String,
    path: String,
    authorization: String,
    body: String,
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let (mut authorization, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => value.clone_into(&mut authorization),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Request { method, path, authorization, body: String::from_utf8(body).unwrap() }
}

impl State {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let path: Vec<&str> = request.path.split(['/', '?']).skip(1).collect();
        if path[..] == ["api", "health"] {
            return (200, json!({ "database": "ok" }));
        }
        if let ["api", "live", "push", stream] = path[..] {
            return (self.push(request, stream), Value::Null);
        }
        if let Some(reply) = self.impostor.and_then(|answer| answer(request)) {
            return (if path.last() == Some(&"serviceaccounts") { 201 } else { 200 }, reply);
        }
        // printf '%s' 'admin:PASSWORD' | base64
        if request.authorization != "Basic YWRtaW46YSJiXGMgMTAwJSAjZA==" {
            return (401, json!({ "message": "Invalid username or password" }));
        }
        match (request.method.as_str(), &path[1..]) {
            ("GET", ["serviceaccounts", "search", _]) => {
                let accounts = self.accounts.iter();
                let list: Vec<Value> =
                    accounts.map(|(id, account)| json!({ "id": id, "name": account.name })).collect();
                (200, json!({ "totalCount": list.len(), "serviceAccounts": list }))
            }
            ("POST", ["serviceaccounts"]) => {
                let role = body["role"].as_str().unwrap().to_owned();
                if !self.version.known.contains(&role.as_str()) {
                    return (400, json!({ "message": "invalid role specified" }));
                }
                let name = body["name"].as_str().unwrap().to_owned();
                if self.accounts.values().any(|account| account.name == name) {
                    return (400, json!({ "message": "service account already exists" }));
                }
                self.next += 1;
                self.accounts.insert(self.next, Account { name, role, tokens: Vec::new() });
                (201, json!({ "id": self.next }))
            }
            ("DELETE", ["serviceaccounts", id]) => {
                self.accounts.remove(&id.parse().unwrap()).unwrap();
                (200, json!({ "message": "Service account deleted" }))
            }
            ("POST", ["serviceaccounts", id, "tokens"]) => {
                self.next += 1;
                let key = format!("glsa_{}", self.next);
                self.accounts.get_mut(&id.parse().unwrap()).unwrap().tokens.push(key.clone());
                (200, json!({ "id": self.next, "name": body["name"], "key": key }))
            }
            other => panic!("{other:?}"),
        }
    }

    fn push(&mut self, request: &Request, stream: &str) -> u16 {
        let token = request.authorization.strip_prefix("Bearer ").unwrap_or_default();
        let account = self.accounts.values().find(|account| account.tokens.iter().any(|key| key == token));
        match account {
            None => 401,
            Some(account) if !self.version.push.contains(&account.role.as_str()) => 403,
            Some(_) => {
                self.pushes.push(format!("{stream}: {}", request.body));
                200
            }
        }
    }
}

struct Grafana {
    url: String,
    state: Arc<Mutex<State>>,
    directory: tempfile::TempDir,
}

impl Grafana {
    /// Starts the stand-in, or skips the test where a program is missing.
    fn new(test: &str, version: Version) -> Option<Self> {
        for program in ["bash", "curl", "jq"] {
            if Command::new(program).arg("--version").output().is_err() {
                requirement::skipped(test, &format!("{program} is not installed"));
                return None;
            }
        }
        let somebody = Account { name: "xdp-streamer-2".into(), role: "Viewer".into(), tokens: Vec::new() };
        let state = State {
            version,
            accounts: BTreeMap::from([(1, somebody)]),
            next: 1,
            pushes: Vec::new(),
            impostor: None,
        };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                let (status, reply) = shared.lock().unwrap().answer(&request);
                let body = reply.to_string();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).unwrap();
            }
        });
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("admin-password"), format!("{PASSWORD}\n")).unwrap();
        Some(Self { url, state, directory })
    }

    fn token_file(&self) -> PathBuf {
        self.directory.path().join("grafana-token")
    }

    fn make_token(&self) -> Output {
        Command::new("bash")
            .arg(SCRIPT)
            .env("GRAFANA_URL", &self.url)
            .env("TOKEN_FILE", self.token_file())
            .env("CREDENTIALS_DIRECTORY", self.directory.path())
            .output()
            .unwrap()
    }

    /// Runs the script, checks that it prints the role and nothing else, and returns the token.
    fn token(&self, role: &str) -> String {
        let output = self.make_token();
        assert!(output.stdout.is_empty());
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!("created a token with the role {role}\n")
        );
        assert!(output.status.success());
        assert_eq!(mode(&self.token_file()), 0o600);
        std::fs::read_to_string(self.token_file()).unwrap().trim_end().to_owned()
    }

    /// Returns the service accounts' names, roles and valid tokens.
    fn accounts(&self) -> Vec<(String, String, Vec<String>)> {
        let state = self.state.lock().unwrap();
        let accounts = state.accounts.values();
        accounts.map(|account| (account.name.clone(), account.role.clone(), account.tokens.clone())).collect()
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_token_has_the_least_role_that_may_push() {
    for (version, role) in [(OLD, "Viewer"), (ANYBODY, "None"), (PERMISSION, "Editor")] {
        let Some(grafana) = Grafana::new("the_token_has_the_least_role_that_may_push", version) else {
            return;
        };
        let token = grafana.token(role);
        let others = ("xdp-streamer-2".to_owned(), "Viewer".to_owned(), vec![]);
        assert_eq!(grafana.accounts(), [others, ("xdp-streamer".to_owned(), role.to_owned(), vec![token])]);
        assert_eq!(grafana.state.lock().unwrap().pushes, ["xdp-streamer: token works=true"]);
    }
}

#[test]
fn a_second_run_revokes_the_first_token() {
    let Some(grafana) = Grafana::new("a_second_run_revokes_the_first_token", PERMISSION) else { return };
    let first = grafana.token("Editor");
    let second = grafana.token("Editor");
    assert_ne!(first, second);
    let tokens: Vec<String> = grafana.accounts().into_iter().flat_map(|(_, _, tokens)| tokens).collect();
    assert_eq!(tokens, [second]);
}

#[test]
fn a_failure_is_reported_and_leaves_no_file() {
    let nobody = Version { push: &[], ..PERMISSION };
    let Some(grafana) = Grafana::new("a_failure_is_reported_and_leaves_no_file", nobody) else { return };
    let told = |output: Output| {
        assert!(!output.status.success() && !grafana.token_file().exists());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        told(grafana.make_token()),
        "no role of Grafana may push: grant `live:push` to the role Editor\n"
    );
    assert_eq!(grafana.accounts().len(), 1);

    std::fs::write(grafana.directory.path().join("admin-password"), "changed").unwrap();
    assert_eq!(
        told(grafana.make_token()),
        "Grafana refuses the password of `admin`: write its current password to the file of \
         rk1.grafana.adminPasswordFile\n"
    );
}

/// Any program that listens on Grafana's port can answer. Its answers must not reach a file or another request.
#[test]
fn answers_that_are_not_grafanas_are_refused() {
    let test = "answers_that_are_not_grafanas_are_refused";
    let cases: [(Impostor, &str); 3] = [
        (
            |request| {
                let search = request.path.contains("search?");
                search.then(
                    || json!({ "serviceAccounts": [{ "id": "1/../../users/1", "name": "xdp-streamer" }] }),
                )
            },
            "Grafana returns `\"1/../../users/1\"` as the ID of a service account\n",
        ),
        (
            |request| {
                (request.method == "POST" && request.path.ends_with("serviceaccounts"))
                    .then(|| json!({ "id": "x y" }))
            },
            "Grafana returns `\"x y\"` as the ID of a service account\n",
        ),
        (
            |request| request.path.ends_with("tokens").then(|| json!({ "key": "two\nlines" })),
            "Grafana returns a token with other characters than letters, digits, `_` and `-`\n",
        ),
    ];
    for (impostor, told) in cases {
        let Some(grafana) = Grafana::new(test, ANYBODY) else { return };
        grafana.state.lock().unwrap().impostor = Some(impostor);
        let output = grafana.make_token();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), told);
        assert!(!output.status.success() && !grafana.token_file().exists());
        assert!(grafana.state.lock().unwrap().pushes.is_empty());
    }
}

#[test]
fn passwords_and_keys_are_created_once() {
    let directory = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/modules/grafana/secrets.sh");
    let files = ["admin-password", "secret-key"].map(|name| directory.path().join("secrets").join(name));
    let make = || {
        let status = Command::new("bash")
            .args(["-c", "umask 0077; . \"$0\"", script])
            .env("ADMIN_PASSWORD_FILE", &files[0])
            .env("SECRET_KEY_FILE", &files[1])
            .status()
            .unwrap();
        assert!(status.success());
        files.clone().map(|file| std::fs::read_to_string(file).unwrap())
    };
    let secrets = make();
    assert_ne!(secrets[0], secrets[1]);
    assert!(secrets.iter().all(|secret| secret.len() == 43), "{secrets:?}");
    assert_eq!(make(), secrets);
    assert_eq!(files.each_ref().map(|file| mode(file)), [0o600, 0o600]);
    assert_eq!(mode(files[0].parent().unwrap()), 0o700);
}
