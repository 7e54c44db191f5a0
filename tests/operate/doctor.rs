//! `rk1 doctor` with stand-ins for the programs that it looks for; the whole output is compared.

#![allow(clippy::expect_used, reason = "a failed step is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Writes a program that prints a text for any arguments.
fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\ncat <<'END'\n{text}\nEND\n")).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
}

/// Runs `rk1 doctor` where no other programs than those in `bin` are found. Returns exit code, output and hints.
fn doctor(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    let bin = folder.path().join("bin");
    // The stand-ins are shell scripts.
    for tool in ["sh", "cat"] {
        if !bin.join(tool).exists() {
            std::os::unix::fs::symlink(format!("/bin/{tool}"), bin.join(tool)).expect("a link");
        }
    }
    let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .arg("doctor")
        .args(arguments)
        .current_dir(folder.path())
        .env("PATH", &bin)
        .env("NO_COLOR", "1")
        .env_remove("RK1_FILE")
        .output()
        .expect("rk1 runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::create_dir(folder.path().join("bin")).expect("bin");
    folder
}

#[test]
fn a_machine_that_has_everything() {
    let folder = folder();
    let bin = folder.path().join("bin");
    let settings = "experimental-features = flakes nix-command\nextra-platforms = aarch64-linux\n\
                    system = x86_64-linux\n2.31.2";
    program(&bin, "nix", settings);
    program(&bin, "git", "git version 2.50.1");
    program(&bin, "ssh", "OpenSSH_10.0p1");
    program(&bin, "nixos-rebuild", "NAME\n  nixos-rebuild");
    program(&bin, "timedatectl", "yes");
    let expected = "\
ok  build   nix            installed
ok  build   flakes         enabled
ok  build   aarch64        this machine builds for the nodes by emulation
ok  build   git            git version 2.50.1
ok  status  ssh            OpenSSH_10.0p1
ok  deploy  nixos-rebuild  installed
ok  status  clock          synchronized
";
    let without = "no `cluster.toml` here: routers, boards, DNS and secrets were not checked\n";
    assert_eq!(doctor(&folder, &[]), (Some(0), expected.to_owned(), without.to_owned()));
}

#[test]
fn a_machine_that_has_nothing() {
    let folder = folder();
    let expected = "\
WRONG    build   nix            not installed
unknown  build   flakes         the settings of Nix cannot be read
unknown  build   aarch64        the settings of Nix cannot be read
WRONG    build   git            not installed
WRONG    status  ssh            not installed
WRONG    deploy  nixos-rebuild  not installed
unknown  status  clock          `timedatectl` does not say
";
    let (code, output, hints) = doctor(&folder, &[]);
    assert_eq!((code, output.as_str()), (Some(1), expected));
    assert_eq!(hints.lines().filter(|line| line.starts_with("  hint: ")).count(), 7, "{hints}");
}

#[test]
fn the_result_as_json() {
    let (code, output, _) = doctor(&folder(), &["--json"]);
    let checks: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!((code, &checks[0]["state"], &checks[0]["subject"]), (Some(1), &"wrong".into(), &"nix".into()));
}

/// What hangs is given up, and what a program prints steers no terminal.
#[test]
fn a_program_is_not_trusted() {
    let folder = folder();
    let bin = folder.path().join("bin");
    program(&bin, "git", "git version \u{1b}[2J1");
    fs::write(bin.join("ssh"), "#!/bin/sh\nwhile :; do :; done\n").expect("a program");
    fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755)).expect("mode");
    let (_, output, _) = doctor(&folder, &[]);
    assert!(!output.contains('\u{1b}'), "{output:?}");
    assert!(output.contains("ssh            `ssh` failed: timed out"), "{output}");
}
