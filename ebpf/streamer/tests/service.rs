//! A real systemd runs the unit of the NixOS module: in a container of its own (systemd-nspawn), on an empty root with the
//! host's /usr. The unit's text is the one that tests/modules/nix/ evaluates and keeps fresh.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(unreachable_pub, reason = "shared by tests of several crates")]
#[path = "../../../tests/requirement/mod.rs"]
mod requirement;

use requirement::skipped;
use snapbox::{assert_data_eq, file};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const UNITS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/modules/nix/snapshots/units.txt"));
const SCENARIO: &str = include_str!("service/scenario.sh");

/// The mode that rk1-03 has. `ip link`, which the scenario asks what is attached, shows XDP programs alone, and a veth device
/// would get TCX by itself.
const MODE: &str = "--hook=xdp --xdp-mode=generic";

/// The unit of rk1-04, which writes files of whole packets.
const WRITER: &str = "writer.service";

/// Returns a unit of a host, with the paths of programs in the container and the streamer in this mode.
fn unit(host: &str, name: &str, mode: &str) -> String {
    let heading = format!("# {host}/{name}\n");
    let (_, rest) = UNITS.split_once(&heading).unwrap();
    let text = rest.split("\n# ").next().unwrap();
    text.lines().fold(String::new(), |mut unit, line| {
        match line.strip_prefix("ExecStart=").and_then(|command| command.split_once("/bin/")) {
            Some((_, command)) if command.starts_with("xdp-streamer run ") => {
                writeln!(unit, "ExecStart=/opt/bin/{command} {mode}").unwrap();
            }
            Some((_, command)) => writeln!(unit, "ExecStart=/opt/bin/{command}").unwrap(),
            None => writeln!(unit, "{line}").unwrap(),
        }
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
StandardOutput=file:/out/told
StandardError=file:/out/errors
ExecStart=/bin/bash /out/scenario.sh
";

#[test]
fn systemd_runs_the_unit() {
    const TEST: &str = "systemd_runs_the_unit";
    if Command::new("systemd-nspawn").arg("--version").output().is_err() {
        return skipped(TEST, "systemd-nspawn is not installed (Debian: systemd-container)");
    }
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    for directory in ["units", "out", "bin", "secrets"] {
        std::fs::create_dir(path(directory)).unwrap();
    }
    for name in ["xdp-streamer.service", "streamer-token.service", "streamer-token.path"] {
        std::fs::write(path("units").join(name), unit("rk1-01", name, MODE)).unwrap();
    }
    std::fs::write(path("units").join(WRITER), unit("rk1-04", "xdp-streamer.service", "")).unwrap();
    std::fs::write(path("units/check.service"), CHECK).unwrap();
    std::fs::write(path("units/check.target"), "[Unit]\nWants=check.service\nAllowIsolate=yes\n").unwrap();
    std::fs::write(path("out/scenario.sh"), SCENARIO).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_xdp-streamer"), path("bin/xdp-streamer")).unwrap();
    std::os::unix::fs::symlink("/usr/bin/systemctl", path("bin/systemctl")).unwrap();

    let bind = |kind: &str, from: &Path, to: &str| format!("--{kind}={}:{to}", from.display());
    let output = Command::new("timeout")
        .args(["--kill-after=5", "120", "systemd-nspawn", "--quiet", "--directory=/", "--volatile=yes"])
        .args(["--register=no", "--keep-unit", "--network-veth", "--console=pipe"])
        .arg(format!("--machine=rk1-{}", std::process::id()))
        .arg("--capability=CAP_BPF,CAP_NET_ADMIN,CAP_NET_RAW,CAP_PERFMON")
        .arg("--system-call-filter=bpf perf_event_open")
        .arg("--bind-ro=/etc/ssl")
        .arg(bind("bind-ro", &path("units"), "/etc/systemd/system"))
        .arg(bind("bind-ro", &path("bin"), "/opt/bin"))
        .arg(bind("bind", &path("secrets"), "/var/lib/rk1/secrets"))
        .arg(bind("bind", &path("out"), "/out"))
        .args(["--boot", "systemd.unit=check.target", "systemd.firstboot=off"])
        .output()
        .unwrap();
    let Ok(told) = std::fs::read_to_string(path("out/told")) else {
        let said = String::from_utf8_lossy(&output.stderr);
        let because = format!("no container boots here: {}", said.lines().last().unwrap_or_default());
        return skipped(TEST, &because);
    };
    let errors = std::fs::read_to_string(path("out/errors")).unwrap();
    assert_data_eq!(format!("{told}{errors}"), file!["snapshots/unit.txt"].raw());
}
