//! The folder of a cluster, runs of `rk1 flash` in it, and their screens.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use regex::Regex;
use snapbox::{Data, assert_data_eq};
use tempfile::TempDir;

use crate::board::{Board, PASSWORD};
use crate::course::Course;
use crate::image;
use crate::network::{Network, listen};
use crate::node;
use crate::requirement::skipped;
use crate::server::{ADDRESS, Bmc, Certificate};

/// The beginning of every secret of the tests. Nothing else contains it.
pub(crate) const CANARY: &str = "canary-that-nobody-may-see";

/// Makes a folder with `cluster.toml`, its secrets, and images in `result`.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("cluster.toml"), include_str!("../../config/check/base.toml"))
        .expect("cluster.toml");
    fs::create_dir(folder.path().join("secrets")).expect("secrets");
    for name in ["azure-dns", "grafana-token", "k3s-agent-token", "k3s-token"] {
        secret(folder.path(), name, &format!("{CANARY}-{name}"));
    }
    // The authority of the servers, and the host keys.
    let generated = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .args(["secrets", "--generate"])
        .current_dir(folder.path())
        .output()
        .expect("rk1 runs");
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    symlink(image::built(), folder.path().join("result")).expect("result");
    folder
}

pub(crate) fn secret(folder: &Path, name: &str, text: &str) {
    let path = folder.join("secrets").join(name);
    fs::write(&path, text).expect("a secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
}

/// Returns whether the programs for images and networks are installed. A missing one is reported.
pub(crate) fn can_run(test: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &&str| {
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
        folders.into_iter().any(|folder| folder.join(program).is_file())
    };
    let missing = image::PROGRAMS.into_iter().find(|program| !is_there(program));
    if let Some(program) = missing {
        skipped(test, &format!("`{program}` is not installed"));
    }
    missing.is_none()
}

/// Prepares `rk1 flash` in a folder. It must not use the proxy that is set, which leads nowhere.
pub(crate) fn flash(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rk1"));
    command.arg("flash").args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("NO_COLOR", "1").env("RK1_BMC_PASSWORD", PASSWORD);
    command.env("HTTPS_PROXY", "http://127.0.0.1:9").env_remove("RUST_BACKTRACE").env_remove("KUBECONFIG");
    command
}

/// A board with its BMC and two nodes, a folder, and a network for both.
pub(crate) struct Scene {
    pub(crate) bmc: Bmc,
    pub(crate) folder: TempDir,
    network: Network,
}

impl Scene {
    /// Returns `None` if it cannot be made, which is reported.
    pub(crate) fn new(test: &str, board: Board) -> Option<Self> {
        Self::with(test, board, &Certificate::new())
    }

    pub(crate) fn going(test: &str, course: Course) -> Option<Self> {
        Self::new(test, Board::new([course]))
    }

    pub(crate) fn with(test: &str, board: Board, certificate: &Certificate) -> Option<Self> {
        if !can_run(test) {
            return None;
        }
        let network = Network::new(test, &[ADDRESS, "172.16.10.221", "172.16.10.222"])?;
        let bmc = Bmc::start(&network, certificate, board);
        node::start(&network, &bmc, 0);
        node::start(&network, &bmc, 1);
        Some(Self { bmc, folder: folder(), network })
    }

    /// Listens at the address of the board.
    pub(crate) fn listen(&self, port: u16) -> TcpListener {
        listen(&self.network.namespace(), (ADDRESS, port))
    }

    pub(crate) fn spawn(&self, command: &mut Command) -> Child {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.network.within(|| command.spawn()).expect("rk1 runs")
    }

    /// Runs `rk1 flash` to its end.
    pub(crate) fn flash(&self, arguments: &[&str]) -> Output {
        self.run(&mut flash(self.folder.path(), arguments))
    }

    pub(crate) fn run(&self, command: &mut Command) -> Output {
        self.spawn(command).wait_with_output().expect("it ends")
    }

    /// Compares the output, the requests to the BMC, and the power of the nodes.
    #[track_caller]
    pub(crate) fn assert_seen(&self, name: &str, output: &Output) {
        let board = self.bmc.board();
        let power = board.power.map(|on| if on { "on" } else { "off" });
        let requests: String = board.log.iter().flat_map(|line| [line, "\n"]).collect();
        let text = format!("{}--- requests\n{requests}--- power\n{}\n", seen(output), power.join(" "));
        assert_screen(name, &text);
    }
}

#[track_caller]
pub(crate) fn assert_screen(name: &str, text: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/provision/flash/screens/{name}.txt"));
    assert_data_eq!(normalized(text), Data::read_from(&path, None).raw());
}

/// Formats the exit code, standard output and standard error.
pub(crate) fn seen(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let code = output.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
    format!("--- exit {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
}

/// Replaces what differs from run to run with a word, and removes lines that only a slow machine prints.
fn normalized(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, word) in [
        (r"(?m)^rk1-0\d: [a-z BMC]+: [0-9.]+ [KMG]?i?B.*\n", ""),
        (r"\b[0-9a-f]{64}\b", "[SHA256]"),
        (r"\b(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\b", "[FINGERPRINT]"),
        (r"in \d+ s, [0-9.]+ \w+/s", "in [TIME]"),
        (r"the connection to the BMC broke: .*", "the connection to the BMC broke: [CAUSE]"),
        (r"answers after \d+ s", "answers after [TIME]"),
        (r"after \d+ bytes", "after [BYTES]"),
    ] {
        text = Regex::new(pattern).expect("a pattern").replace_all(&text, word).into_owned();
    }
    text
}
