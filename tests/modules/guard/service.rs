//! The unit and the guard under a real systemd: in a systemd-nspawn container with an empty root and the host's /usr,
//! booted seven times. The unit's text is the one that tests/modules/nix/ evaluates.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use snapbox::{assert_data_eq, file};

use crate::node::{NIX_ENV, SCRIPT, make_system, program};
use crate::requirement::skipped;

const UNITS: &str = include_str!("../nix/snapshots/units.txt");
const SCENARIO: &str = include_str!("scenario.sh");

/// The lines that the module's `writeShellApplication` puts before the script.
const HEAD: &str = "#!/bin/bash
export GUARD_STATE=/var/lib/rk1/guard CURRENT_SYSTEM=/run/current-system BOOTED_SYSTEM=/run/booted-system
export SYSTEM_PROFILE=/nix/var/nix/profiles/system GC_ROOT=/nix/var/nix/gcroots/rk1-guard
export REBOOT_BY=kexec LOADER=/nix/loader NOTES=/out/notes PATH=/opt/bin:$PATH
";

/// A container cannot start another kernel: its next boot does, which reads the link.
const KEXEC: &str = r#"#!/bin/bash
echo "kexec $*" >>/out/notes
kernel=${2%/kernel}
ln --symbolic --force --no-dereference "$kernel" /nix/kexec
"#;

/// The scenario ends the boot, once this has noted that it should.
const SYSTEMCTL: &str = r#"#!/bin/bash
case $* in
reboot | "--no-block kexec") echo "systemctl $*" >>/out/notes ;;
*) exec /usr/bin/systemctl "$@" ;;
esac
"#;
const BOOTS: usize = 7;

/// Returns the unit of host rk1-01 with the path that its program has in the container.
fn unit() -> String {
    let (_, rest) = UNITS.split_once("# rk1-01/rk1-guard.service\n").unwrap();
    let text = rest.split("\n# ").next().unwrap();
    text.lines().fold(String::new(), |mut unit, line| {
        let line = line.replace("/nix/store/rk1-guard/bin/", "/opt/bin/");
        writeln!(unit, "{line}").unwrap();
        unit
    })
}

const CHECK: &str = "[Unit]
DefaultDependencies=no
Requires=dbus.socket
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
StandardOutput=append:/out/told
StandardError=append:/out/errors
ExecStart=/bin/bash /out/scenario.sh
";

/// Boots the container until its scenario ends. Returns what the container said.
fn boot(place: &Path) -> String {
    let bind = |kind: &str, from: &str, to: &str| format!("--{kind}={}:{to}", place.join(from).display());
    let output = Command::new("timeout")
        .args(["--kill-after=5", "300", "systemd-nspawn", "--quiet", "--directory=/", "--volatile=yes"])
        .args(["--register=no", "--keep-unit", "--private-network", "--console=pipe"])
        .arg(format!("--machine=rk1-guard-{}", std::process::id()))
        .arg(bind("bind-ro", "units", "/etc/systemd/system"))
        .arg(bind("bind-ro", "bin", "/opt/bin"))
        .arg(bind("bind", "nix", "/nix"))
        .arg(bind("bind", "guard", "/var/lib/rk1/guard"))
        .arg(bind("bind", "out", "/out"))
        .args(["--boot", "systemd.unit=check.target", "systemd.firstboot=off"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn systemd_runs_the_guard() {
    const TEST: &str = "systemd_runs_the_guard";
    if Command::new("systemd-nspawn").arg("--version").output().is_err() {
        return skipped(TEST, "systemd-nspawn is not installed (Debian: systemd-container)");
    }
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    for directory in ["units", "out", "bin", "guard", "nix/var/nix/profiles", "nix/var/nix/gcroots"] {
        fs::create_dir_all(path(directory)).unwrap();
    }
    for system in ["old", "new", "other"] {
        let store = path("nix/store").join(system);
        fs::create_dir_all(store.join("bin")).unwrap();
        make_system(&store);
    }
    // Its kernel is another one.
    fs::remove_file(path("nix/store/other/kernel")).unwrap();
    fs::write(path("nix/store/other/kernel"), "").unwrap();
    symlink("/nix/store/old", path("nix/loader")).unwrap();
    symlink("/nix/store/old", path("nix/var/nix/profiles/system-1-link")).unwrap();
    symlink("system-1-link", path("nix/var/nix/profiles/system")).unwrap();
    for (name, text) in [("kexec", KEXEC), ("nix-env", NIX_ENV), ("systemctl", SYSTEMCTL)] {
        program(&path("bin").join(name), text);
    }
    program(&path("bin/rk1-guard"), &(HEAD.to_owned() + &fs::read_to_string(SCRIPT).unwrap()));
    fs::write(path("units/rk1-guard.service"), unit()).unwrap();
    fs::write(path("units/check.service"), CHECK).unwrap();
    fs::write(path("units/check.target"), "[Unit]\nWants=check.service\nAllowIsolate=yes\n").unwrap();
    fs::write(path("out/scenario.sh"), SCENARIO).unwrap();

    let said = boot(place.path());
    if !path("out/told").exists() {
        let because = format!("no container boots here: {}", said.lines().last().unwrap_or_default());
        return skipped(TEST, &because);
    }
    for _ in 1..BOOTS {
        boot(place.path());
    }
    let told =
        fs::read_to_string(path("out/told")).unwrap() + &fs::read_to_string(path("out/errors")).unwrap();
    assert_data_eq!(told, file!["service.txt"].raw());
}
