//! `rk1 pin` against a repository on loopback.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;

use rk1::render::pins::sri::Sri;
use serde_json::{Value, json};
use tempfile::TempDir;

const CILIUM: &[u8] = b"the chart of cilium";
const CERT_MANAGER: &[u8] = b"the chart of cert-manager";
const DEFINITION: &[u8] = b"kind: CustomResourceDefinition\n";

type Files = BTreeMap<&'static str, Vec<u8>>;

/// Serves the files, each by its path, until the test's process ends. The port is the system's choice.
fn serve(files: Files) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&stream.expect("a connection"), &files);
        }
    });
    address
}

fn answer(mut stream: &TcpStream, files: &Files) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let _ = lines.find(String::is_empty);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match files.get(path) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", &b""[..]),
    };
    let (status, place) = match body.strip_prefix(b"REDIRECT ") {
        Some(place) => ("302 Found", format!("Location: {}\r\n", String::from_utf8_lossy(place))),
        None => (status, String::new()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\n{place}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn hexadecimal(bytes: &[u8]) -> String {
    use sha2::Digest;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}

/// Two charts and a bundle of two definitions.
fn repository() -> Files {
    // The first address is relative, the digest that of the bytes; a preview is not a release.
    let cilium = format!(
        "apiVersion: v1\nentries:\n  cilium:\n    - version: 1.21.0-pre.0\n      urls: [cilium-1.21.0-pre.0.tgz]\n    \
         - version: 1.20.3\n      urls: [cilium-1.20.3.tgz]\n    - version: 1.20.0\n      digest: {}\n      \
         urls: [charts/cilium-1.20.0.tgz]\n",
        hexadecimal(CILIUM)
    );
    let cert_manager =
        "entries:\n  cert-manager:\n    - version: v1.21.1\n      urls: [cert-manager-v1.21.1.tgz]\n";
    let list =
        "resources:\n- standard/gateways.yaml\n- standard/httproutes.yaml\n- experimental/tcproutes.yaml\n";
    BTreeMap::from([
        ("/cilium/index.yaml", cilium.into_bytes()),
        ("/cilium/charts/cilium-1.20.0.tgz", CILIUM.to_vec()),
        ("/jetstack/index.yaml", cert_manager.as_bytes().to_vec()),
        ("/jetstack/cert-manager-v1.21.1.tgz", CERT_MANAGER.to_vec()),
        ("/gateway-api/@v/list", b"v1.8.0-rc.1\nv1.6.1\nv1.6.0\n".to_vec()),
        ("/gateway-api/v1.6.1/config/crd/kustomization.yaml", list.as_bytes().to_vec()),
        ("/gateway-api/v1.6.1/config/crd/standard/gateways.yaml", DEFINITION.to_vec()),
        ("/gateway-api/v1.6.1/config/crd/standard/httproutes.yaml", DEFINITION.to_vec()),
    ])
}

/// A cluster whose pins know the repositories, and the hash of one chart if it is given.
struct Project {
    folder: TempDir,
    address: String,
}

impl Project {
    fn new(files: Files, cilium: Option<Sri>) -> Self {
        let address = serve(files);
        let pinned = cilium.map(|hash| {
            json!({ "1.20.0": { "url": format!("{address}/cilium/charts/cilium-1.20.0.tgz"), "hash": hash } })
        });
        let pins = json!({
            "charts": {
                "cert-manager": { "repository": format!("{address}/jetstack"), "versions": {} },
                "cilium": {
                    "repository": format!("{address}/cilium"),
                    "versions": pinned.unwrap_or_else(|| json!({})),
                },
            },
            "gateway-api": {
                "releases": format!("{address}/gateway-api/@v/list"),
                "repository": format!("{address}/gateway-api"),
                "versions": {},
            },
        });
        let folder = tempfile::tempdir().expect("temporary folder");
        let cluster = include_str!("../config/check/base.toml");
        fs::write(folder.path().join("cluster.toml"), cluster).expect("cluster.toml");
        fs::write(folder.path().join("pins.json"), pins.to_string()).expect("pins.json");
        Self { folder, address }
    }

    fn rk1(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rk1"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .expect("rk1 runs")
    }

    fn pins(&self) -> Value {
        let text = fs::read(self.folder.path().join("pins.json")).expect("pins.json");
        serde_json::from_slice(&text).expect("JSON")
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn hashes_are_written_and_rendered() {
    let project = Project::new(repository(), None);
    let output = project.rk1(&["pin"]);
    assert_eq!(text(&output.stderr), "wrote pins.json: run `rk1 render`\n");
    assert!(output.status.success());
    let address = &project.address;
    let charts = json!({
        "cert-manager": {
            "repository": format!("{address}/jetstack"),
            "versions": { "1.21.1": {
                "url": format!("{address}/jetstack/cert-manager-v1.21.1.tgz"),
                "hash": Sri::of(CERT_MANAGER),
            } },
        },
        "cilium": {
            "repository": format!("{address}/cilium"),
            "versions": { "1.20.0": {
                "url": format!("{address}/cilium/charts/cilium-1.20.0.tgz"),
                "hash": Sri::of(CILIUM),
            } },
        },
    });
    let definitions = json!({
        "releases": format!("{address}/gateway-api/@v/list"),
        "repository": format!("{address}/gateway-api"),
        "versions": { "1.6.1": { "standard": {
            "gateways.yaml": Sri::of(DEFINITION),
            "httproutes.yaml": Sri::of(DEFINITION),
        } } },
    });
    assert_eq!(project.pins(), json!({ "charts": charts, "gateway-api": definitions }));

    // A pinned chart is no longer fetched by the cluster itself.
    assert!(project.rk1(&["render"]).status.success());
    let manifest = project.folder.path().join("manifests/20-cert-manager.yaml");
    let chart = "  chart: \"https://%{KUBERNETES_API}%/static/charts/cert-manager-1.21.1.tgz\"\n";
    assert!(fs::read_to_string(manifest).expect("manifest").contains(chart));

    let second = project.rk1(&["pin"]);
    assert_eq!(
        (second.status.code(), text(&second.stderr)),
        (Some(0), "pins.json has every hash, and all are right\n")
    );
}

#[test]
fn a_hash_that_differs_is_an_error_that_names_both() {
    let (found, other) = (Sri::of(CILIUM), Sri::of(b"another chart"));
    let pinned = Project::new(repository(), Some(other));
    let mut files = repository();
    let index =
        text(&files["/cilium/index.yaml"]).replace(&hexadecimal(CILIUM), &hexadecimal(b"another chart"));
    files.insert("/cilium/index.yaml", index.into_bytes());
    let listed = Project::new(files, None);
    for (project, origin) in [(pinned, "pins.json"), (listed, "the repository's index")] {
        let before = project.pins();
        let output = project.rk1(&["pin"]);
        let url = format!("{}/cilium/charts/cilium-1.20.0.tgz", project.address);
        let expected = format!("error: `{url}` has the hash {found}, but {origin} says {other}\n");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected.as_str()));
        assert_eq!(project.pins(), before);
    }
}

#[test]
fn check_lists_newer_releases_and_writes_nothing() {
    let project = Project::new(repository(), Some(Sri::of(CILIUM)));
    let before = project.pins();
    let output = project.rk1(&["pin", "--check"]);
    let expected = "cert-manager 1.21.1: not pinned, the newest\n\
                    cilium 1.20.0: pinned, newer: 1.20.3\n\
                    gateway-api 1.6.1: not pinned, the newest\n";
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), expected));
    assert_eq!(project.pins(), before);
}

/// A minor release that is not in the table of versions is listed, but `cluster.toml` cannot ask for it.
#[test]
fn check_tells_which_releases_are_supported() {
    let mut files = repository();
    let index = text(&files["/cilium/index.yaml"]).replace(
        "entries:\n  cilium:\n",
        "entries:\n  cilium:\n    - version: 1.21.4\n      urls: [cilium-1.21.4.tgz]\n",
    );
    files.insert("/cilium/index.yaml", index.into_bytes());
    files.insert("/gateway-api/@v/list", b"v1.6.3\nv1.8.0\nv1.7.0\nv1.6.1\nv1.9.0-rc.1\n".to_vec());
    let project = Project::new(files, Some(Sri::of(CILIUM)));
    let expected = "cert-manager 1.21.1: not pinned, the newest\n\
                    cilium 1.20.0: pinned, newer: 1.20.3, 1.21.4 (not supported by cluster.toml yet)\n\
                    gateway-api 1.6.1: not pinned, newer: 1.6.3, 1.8.0 (not supported by cluster.toml yet)\n";
    assert_eq!(text(&project.rk1(&["pin", "--check"]).stdout), expected);
    let json: Value =
        serde_json::from_slice(&project.rk1(&["pin", "--check", "--json"]).stdout).expect("JSON");
    let gateway_api = json!({
        "name": "gateway-api",
        "version": "1.6.1",
        "pinned": false,
        "newest-patch": "1.6.3",
        "newest": "1.8.0",
        "newest-is-supported": false,
    });
    assert_eq!((&json[1]["newest"], &json[1]["newest-is-supported"]), (&json!("1.21.4"), &json!(false)));
    assert_eq!(json[2], gateway_api);

    // Gateway API 1.7.0 is in the table.
    let mut files = repository();
    files.insert("/gateway-api/@v/list", b"v1.6.1\nv1.7.0\n".to_vec());
    let project = Project::new(files, Some(Sri::of(CILIUM)));
    let said = project.rk1(&["pin", "--check"]).stdout;
    assert!(text(&said).ends_with("gateway-api 1.6.1: not pinned, newer: 1.7.0\n"), "{}", text(&said));
}

/// A `pins.json` of an earlier rk1 does not say where the releases are listed.
#[test]
fn an_earlier_file_of_pins_is_read() {
    let project = Project::new(repository(), None);
    let mut pins = project.pins();
    pins["gateway-api"].as_object_mut().expect("definitions").remove("releases");
    fs::write(project.folder.path().join("pins.json"), pins.to_string()).expect("pins.json");
    let output = project.rk1(&["pin"]);
    assert_eq!(text(&output.stderr), "wrote pins.json: run `rk1 render`\n");
    let releases = "https://proxy.golang.org/sigs.k8s.io/gateway-api/@v/list";
    assert_eq!(project.pins()["gateway-api"]["releases"], releases);
}

#[test]
fn a_chart_missing_from_the_repository_is_an_error() {
    let mut files = repository();
    files.insert("/cilium/index.yaml", b"entries:\n  cilium:\n    - version: 1.19.6\n".to_vec());
    let project = Project::new(files, None);
    let output = project.rk1(&["pin"]);
    let url = format!("{}/cilium/", project.address);
    let expected = format!(
        "error: `{url}` is not a usable chart index: it has no cilium 1.20.0; the newest is 1.19.6\n"
    );
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected.as_str()));

    let mut files = repository();
    files.remove("/gateway-api/v1.6.1/config/crd/standard/gateways.yaml");
    let project = Project::new(files, None);
    let url = format!("{}/gateway-api/v1.6.1/config/crd/standard/gateways.yaml", project.address);
    let expected = format!("error: `{url}` answers 404 Not Found\n");
    assert_eq!(text(&project.rk1(&["pin"]).stderr), expected);
}

#[test]
fn an_index_that_is_too_long_is_refused() {
    let mut files = repository();
    files.insert("/cilium/index.yaml", vec![b'#'; (64 << 20) + 1]);
    let project = Project::new(files, None);
    let output = project.rk1(&["pin"]);
    let expected = format!("error: `{}/cilium/index.yaml` is longer than 64 MiB\n", project.address);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected.as_str()));
}

/// A repository that redirects to itself for ever, and one that redirects once.
#[test]
fn a_redirect_is_followed_a_few_times() {
    let mut files = repository();
    files.insert("/cilium/index.yaml", b"REDIRECT /cilium/index.yaml".to_vec());
    let project = Project::new(files, None);
    let output = project.rk1(&["pin"]);
    let expected = format!(
        "error: `{}/cilium/index.yaml` cannot be fetched: it redirects more than 5 times\n",
        project.address
    );
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected.as_str()));

    let mut files = repository();
    let index = files.insert("/cilium/index.yaml", b"REDIRECT /moved/index.yaml".to_vec()).expect("an index");
    files.insert("/moved/index.yaml", index);
    assert!(Project::new(files, None).rk1(&["pin"]).status.success());
}

/// The repositories are on the Internet, so the proxy of the environment is asked.
#[test]
fn the_proxy_of_the_environment_is_used() {
    let proxy =
        serve(BTreeMap::from([("http://charts.example/cilium/index.yaml", b"not an index".to_vec())]));
    let project = Project::new(repository(), None);
    let pins = project.pins().to_string().replace(&project.address, "http://charts.example");
    fs::write(project.folder.path().join("pins.json"), pins).expect("pins.json");
    let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(["pin", "--check"])
        .current_dir(project.folder.path())
        .env("NO_COLOR", "1")
        .env("http_proxy", proxy)
        .env_remove("NO_PROXY")
        .output()
        .expect("rk1 runs");
    let said = text(&output.stderr);
    assert!(said.contains("error: `http://charts.example/"), "{said}");
    assert!(said.contains("answers 404 Not Found") || said.contains("is not a usable chart index"), "{said}");
}

#[test]
fn an_index_whose_aliases_grow_without_end_is_refused() {
    let levels = (1..20).map(|level| {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("a{level}: &a{level} [{aliases}]\n")
    });
    let index = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned() + &levels.collect::<String>();
    let mut files = repository();
    files.insert("/cilium/index.yaml", (index + "entries: *a19\n").into_bytes());
    let project = Project::new(files, None);
    let output = project.rk1(&["pin"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("error: `{}/cilium/index.yaml` is not a usable chart index", project.address);
    assert!(text(&output.stderr).starts_with(&expected), "{}", text(&output.stderr));
}
