//! What all commands have in common: how they find cluster.toml, what they print about it, their help and exit codes.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use clap::CommandFactory;
use rk1::cli::Arguments;
use rustix::process::{Pid, Signal, kill_process};
use snapbox::data::DataFormat;
use snapbox::{Data, assert_data_eq};
use tempfile::TempDir;

const BASE: &str = include_str!("../config/check/base.toml");
const NO_MISTAKES: &str = "4 nodes, no mistakes\n";

/// Returns a folder with a cluster.toml and a subfolder `below`.
fn project(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::create_dir(folder.path().join("below")).expect("a folder");
    fs::write(folder.path().join("cluster.toml"), text).expect("cluster.toml");
    folder
}

fn rk1(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rk1"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("RK1_FILE")
        .stdin(Stdio::null());
    command
}

/// Returns the exit code, standard output and standard error.
fn seen(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("rk1 runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn passes(name: &str) -> (Option<i32>, String, String) {
    (Some(0), String::new(), format!("{name}: {NO_MISTAKES}"))
}

fn fails(stderr: &str) -> (Option<i32>, String, String) {
    (Some(1), String::new(), stderr.to_owned())
}

#[test]
fn the_file_is_found_in_a_folder_above() {
    let project = project(BASE);
    assert_eq!(seen(&mut rk1(project.path(), &["check"])), passes("cluster.toml"));
    assert_eq!(seen(&mut rk1(&project.path().join("below"), &["check"])), passes("../cluster.toml"));
}

#[test]
fn rendered_files_lie_beside_the_file_that_was_found() {
    let project = project(BASE);
    assert_eq!(
        seen(&mut rk1(&project.path().join("below"), &["render", "--quiet"])),
        (Some(0), String::new(), String::new())
    );
    assert!(project.path().join("hosts/cluster.nix").exists());
    assert!(!project.path().join("below/hosts").exists());
}

#[test]
fn the_file_can_be_named_in_four_ways() {
    let project = project("no TOML");
    fs::write(project.path().join("mine.toml"), BASE).expect("mine.toml");
    assert_eq!(seen(&mut rk1(project.path(), &["check", "mine.toml"])), passes("mine.toml"));
    assert_eq!(seen(&mut rk1(project.path(), &["check", "--file", "mine.toml"])), passes("mine.toml"));
    assert_eq!(seen(rk1(project.path(), &["check"]).env("RK1_FILE", "mine.toml")), passes("mine.toml"));
    let input = fs::File::open(project.path().join("mine.toml")).expect("mine.toml");
    assert_eq!(seen(rk1(project.path(), &["--file", "-", "check"]).stdin(input)), passes("<standard input>"));
}

#[test]
fn each_reason_why_the_file_cannot_be_read_has_its_own_hint() {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("latin.toml"), b"[cluster]\nname = \"z\xfcrich\"\n").expect("latin.toml");
    let check = |arguments: &[&str]| seen(&mut rk1(folder.path(), arguments));
    assert_eq!(
        check(&["check"]),
        fails(
            "error: there is no `cluster.toml` in this folder or in one above it\n  \
             hint: name the file with `--file`, or write a new one with `rk1 init`\n"
        )
    );
    assert_eq!(
        check(&["check", "missing.toml"]),
        fails("error: `missing.toml` does not exist\n  hint: check the name after `--file` or in RK1_FILE\n")
    );
    assert_eq!(
        check(&["check", "."]),
        fails("error: `.` is a folder\n  hint: name the file in it, such as `./cluster.toml`\n")
    );
    assert_eq!(
        check(&["check", "latin.toml"]),
        fails(
            "error: `latin.toml` is not UTF-8 text: line 2 has other bytes\n  hint: save the file as UTF-8\n"
        )
    );
}

/// The default range of the pods, 10.42.0.0/16, has a /24 for each of 256 nodes.
#[test]
fn the_default_range_of_the_pods_is_large_enough_for_256_nodes() {
    let (before, rest) = BASE.split_once("[[node]]").expect("nodes");
    let (_, after) = rest.split_once("[storage]").expect("[storage]");
    let before = before.replace("pods = \"10.42.0.0/16\"\n", "").replace("172.16.10.1\"", "172.16.0.1\"");
    let after = after.replace("172.16.10.1\"", "172.16.0.1\"");
    let (_, before) = before.split_once("[cluster]").expect("[cluster]");
    let (before, boards) = before.split_once("[[board]]").expect("a board");
    assert!(boards.contains("turing-pi"));
    for (nodes, expected) in
        [(256, None), (264, Some("the range of the pods 10.42.0.0/16 is too small for 264 nodes"))]
    {
        let mut text = format!("[cluster]{before}");
        for board in 0..nodes / 4 {
            let _ = write!(
                text,
                "[[board]]\nname = \"b{board}\"\nbmc = \"172.17.{}.{}\"\n\n",
                board / 200,
                board % 200 + 1
            );
        }
        for node in 0..nodes {
            let role = if node < 3 { "server" } else { "agent" };
            let (board, slot, high, low) = (node / 4, node % 4 + 1, node / 200 + 1, node % 200 + 1);
            let _ = write!(text, "[[node]]\nname = \"n{node}\"\nboard = \"b{board}\"\nslot = {slot}\n");
            let _ = write!(text, "address = \"172.16.{high}.{low}/16\"\nrole = \"{role}\"\n\n");
        }
        let project = project(&format!("{text}[storage]{after}"));
        let (code, _, stderr) = seen(&mut rk1(project.path(), &["check"]));
        match expected {
            None => assert_eq!((code, stderr.as_str()), (Some(0), "cluster.toml: 256 nodes, no mistakes\n")),
            Some(mistake) => {
                assert_eq!(code, Some(1));
                assert!(stderr.starts_with(&format!("error: {mistake}\n")), "{stderr}");
                assert!(stderr.contains("write a larger range, such as `10.128.0.0/15`"), "{stderr}");
            }
        }
    }
}

#[test]
fn init_never_overwrites_a_file() {
    let project = project(BASE);
    let expected =
        "error: `cluster.toml` exists already\n  hint: move it away, or name another file with `--file`\n";
    assert_eq!(seen(&mut rk1(project.path(), &["init"])), fails(expected));
    assert_eq!(fs::read_to_string(project.path().join("cluster.toml")).expect("cluster.toml"), BASE);
}

#[test]
fn a_file_without_end_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let refused = "error: `/dev/zero` is larger than 4 MiB\n  hint: check that it is the right file\n";
    assert_eq!(seen(&mut rk1(folder.path(), &["check", "/dev/zero"])), fails(refused));
    let zeros = fs::File::open("/dev/zero").expect("/dev/zero");
    let refused = refused.replace("/dev/zero", "<standard input>");
    assert_eq!(seen(rk1(folder.path(), &["check", "-"]).stdin(zeros)), fails(&refused));
    let project = project(BASE);
    std::os::unix::fs::symlink("/dev/zero", project.path().join("pins.json")).expect("a link");
    let (code, _, stderr) = seen(&mut rk1(project.path(), &["check"]));
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("error: `pins.json` is not a valid pins.json"), "{stderr}");
}

#[test]
fn check_prints_json_whatever_is_wrong() {
    let project = project(BASE);
    fs::write(project.path().join("pins.json"), "{").expect("pins.json");
    for (arguments, file) in [
        (["check", "--json", "missing.toml"], "missing.toml"),
        (["check", "--json", "cluster.toml"], "pins.json"),
    ] {
        let (code, stdout, stderr) = seen(&mut rk1(project.path(), &arguments));
        let list: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
        assert_eq!((code, stderr.as_str(), list[0]["file"].as_str()), (Some(1), "", Some(file)), "{list}");
    }
}

#[test]
fn broken_pins_hide_no_mistake() {
    let project = project(&BASE.replacen("slot = 2", "slot = 1", 1));
    fs::write(project.path().join("pins.json"), "{").expect("pins.json");
    let (code, _, stderr) = seen(&mut rk1(project.path(), &["check"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("slot 1 of board"), "{stderr}");
    assert!(stderr.contains("error: `pins.json` is not"), "{stderr}");
}

/// As in `rk1 render --check | true` with `set -o pipefail`.
#[test]
fn a_reader_that_goes_away_does_not_change_the_exit_code() {
    let project = project(BASE);
    let mut child = rk1(project.path(), &["render", "--check"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("rk1 runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("rk1 ends").code(), Some(1));
}

#[test]
fn other_commands_count_the_warnings() {
    // The key of the example cluster, whose private key does not exist, and three placeholders.
    let example = include_str!("../../cluster.toml");
    let project = project(example);
    let (code, stdout, stderr) = seen(&mut rk1(project.path(), &["diagram"]));
    assert_eq!(
        (code, stdout.starts_with("<svg"), stderr.as_str()),
        (Some(0), true, "4 warnings: run `rk1 check`\n")
    );
    assert_eq!(seen(&mut rk1(project.path(), &["diagram", "--quiet"])), (Some(0), stdout, String::new()));
    let identifier = "00000000-0000-0000-0000-000000000000";
    let one = example.replace(identifier, "3f2b8c1e-6d54-4a0f-9b7c-1e2d3c4b5a69");
    fs::write(project.path().join("cluster.toml"), one).expect("cluster.toml");
    for arguments in
        [&["diagram"][..], &["secrets"], &["deploy", "--dry-run"], &["status", "--timeout", "1s"]]
    {
        let stderr = seen(&mut rk1(project.path(), arguments)).2;
        assert_eq!(stderr.matches("warning").count(), 1, "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("1 warning: run `rk1 check`\n"), "{arguments:?}: {stderr}");
    }
}

/// Ctrl-C: a shell reports 130 for a program that says so itself, and for one that the signal ended.
#[test]
fn an_interrupted_command_ends_with_130() {
    let project = project(BASE);
    let bin = project.path().join("bin");
    fs::create_dir(&bin).expect("bin");
    // It does not answer.
    fs::write(bin.join("ssh"), "#!/bin/sh\nexec sleep 3\n").expect("ssh");
    fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755)).expect("mode");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    let repository = serde_json::json!({ "repository": silent, "versions": {} });
    let pins = serde_json::json!({
        "charts": { "cilium": repository, "cert-manager": repository }, "gateway-api": repository,
    });
    fs::write(project.path().join("below/pins.json"), pins.to_string()).expect("pins.json");
    fs::write(project.path().join("below/cluster.toml"), BASE).expect("cluster.toml");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    for arguments in [
        &["check", "-"][..],
        &["status", "--timeout", "60s"],
        &["status", "--watch"],
        &["deploy", "rk1-01"],
        &["pin", "--file", "below/cluster.toml"],
    ] {
        let mut child = Command::new("env")
            .args(["--default-signal", env!("CARGO_BIN_EXE_rk1")])
            .args(arguments)
            .current_dir(project.path())
            .env("PATH", &path)
            .env_remove("RK1_FILE")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rk1 runs");
        thread::sleep(Duration::from_millis(800));
        assert_eq!(child.try_wait().expect("a state"), None, "{arguments:?} ended early");
        let process = Pid::from_raw(i32::try_from(child.id()).expect("an id")).expect("an id");
        kill_process(process, Signal::INT).expect("a signal");
        let status = child.wait().expect("an end");
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        assert_eq!(code, Some(130), "{arguments:?}: {status}");
    }
}

#[test]
fn no_mistakes_are_claimed_beside_a_warning() {
    let project = project(include_str!("../../cluster.toml"));
    let (code, stdout, stderr) = seen(&mut rk1(project.path(), &["check"]));
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert!(stderr.ends_with("\ncluster.toml: 4 warnings\n") && !stderr.contains("no mistakes"), "{stderr}");
}

/// What is wrong with a file is shown without what could steer the terminal.
#[test]
fn a_file_cannot_control_the_terminal() {
    let hostile = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\u{200b}\u{e0041}";
    for text in [
        format!("{hostile}\n"),
        BASE.replace("name = \"turing-pi\"\ndomain", &format!("name = \"{hostile}\"\ndomain")),
        BASE.replace("[hubble]", &format!("[hubble]\n\"{hostile}\" = 1 # {hostile}")),
    ] {
        let project = project(&text);
        for arguments in [&["check"][..], &["render"], &["status"]] {
            let (code, stdout, stderr) = seen(&mut rk1(project.path(), arguments));
            assert_eq!((code, stdout.as_str()), (Some(1), ""));
            let is_safe = |character: char| {
                !character.is_control() && !"\u{202e}\u{200b}\u{e0041}".contains(character)
                    || character == '\n'
            };
            assert!(stderr.chars().all(is_safe), "{arguments:?}: {stderr:?}");
        }
    }
}

#[test]
fn color_is_used_when_asked_for() {
    let project = project("no TOML");
    let printed =
        |color: &str| seen(rk1(project.path(), &["check", "--color", color]).env_remove("NO_COLOR")).2;
    assert!(printed("always").contains("\x1b["));
    assert!(!printed("never").contains("\x1b["));
    assert!(!printed("auto").contains("\x1b["), "standard error is a pipe");
}

/// docs/check.svg is what the terminal shows of a cluster.toml with three mistakes.
#[test]
fn the_picture_in_the_docs_is_a_real_run() {
    let text = BASE
        .replace("slot = 2", "slot = 1")
        .replace("address = \"172.16.10.223/24\"", "address = \"172.16.11.223/24\"")
        .replace("platform = \"routeros\"", "platform = \"mikrotik\"");
    let project = project(&text);
    let mut command = rk1(project.path(), &["check", "--color", "always"]);
    let (code, _, stderr) = seen(command.env_remove("NO_COLOR"));
    assert_eq!(code, Some(1));
    let picture = Data::text(format!("$ rk1 check\n{stderr}")).coerce_to(DataFormat::TermSvg);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/check.svg");
    assert_data_eq!(picture, Data::read_from(path.as_ref(), Some(DataFormat::TermSvg)).raw());
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let project = project(BASE);
    for arguments in [
        vec!["status", "rk1-9"],
        vec!["deploy", "--dry-run", "rk1-9"],
        vec!["flash", "--dry-run", "rk1-9"],
        vec!["status", "--watch=0"],
        vec!["status", "--timeout", "soon"],
        vec!["check", "--quiet", "--verbose"],
        vec!["no-such-command"],
    ] {
        let (code, stdout, stderr) = seen(&mut rk1(project.path(), &arguments));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
    }
}

#[test]
fn render_prints_json() {
    let project = project(BASE);
    let changes = |arguments: &[&str]| {
        let (code, stdout, _) = seen(&mut rk1(project.path(), arguments));
        let printed: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
        (code, printed["changes"].as_array().expect("changes").clone())
    };
    let (code, written) = changes(&["render", "--json"]);
    assert_eq!(code, Some(0));
    assert!(
        written.contains(&serde_json::json!({"path": "hosts/rk1-01.nix", "change": "create"})),
        "{written:?}"
    );
    assert_eq!(changes(&["render", "--check", "--json"]), (Some(0), Vec::new()));
}

/// Help is plain text: one line in the imperative, no full stop, no Markdown.
#[test]
fn help_texts_have_one_style() {
    let mut wrong = Vec::new();
    let mut command = Arguments::command();
    command.build();
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let mut texts = vec![subcommand.get_about().map(ToString::to_string).unwrap_or_default()];
        let arguments = subcommand.get_arguments().filter(|argument| !argument.is_hide_set());
        texts.extend(
            arguments.map(|argument| argument.get_help().map(ToString::to_string).unwrap_or_default()),
        );
        for text in texts {
            let is_plain = !text.is_empty() && !text.ends_with('.') && !text.contains(['`', '\n', '*']);
            if !is_plain {
                wrong.push(format!("rk1 {}: {text:?}", subcommand.get_name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn help_of_a_command_can_be_asked_for_in_two_ways() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (code, stdout, _) = seen(&mut rk1(folder.path(), &["help", "render"]));
    assert_eq!((code, stdout), (Some(0), seen(&mut rk1(folder.path(), &["render", "--help"])).1));
}

#[test]
fn completions_know_the_names_of_nodes() {
    let project = project(BASE);
    let mut command = rk1(&project.path().join("below"), &["--", "rk1", "status", "rk1-0"]);
    command.env("COMPLETE", "bash").env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_INDEX", "2");
    let (code, stdout, _) = seen(&mut command);
    assert_eq!((code, stdout.trim_end()), (Some(0), "rk1-01\nrk1-02\nrk1-03\nrk1-04"));
}
