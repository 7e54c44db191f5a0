//! The services of the node under a real systemd, with their restrictions: what they do, and what a compromised one could do.
//!
//! A systemd-nspawn container with an empty root and the host's /usr runs the units that tests/modules/nix/ evaluates, with
//! the shipped scripts. rk1-storage, which writes to devices, only shows what it may do here, and node-secrets finds no seed.

#![allow(clippy::expect_used, reason = "an unexpected failure ends the test")]

#[path = "../../requirement/mod.rs"]
mod requirement;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use requirement::skipped;
use snapbox::{assert_data_eq, file};

const UNITS: &str = include_str!("../nix/snapshots/services.txt");

/// Services and their scripts.
const SCRIPTS: [(&str, &str); 9] = [
    ("clock-synchronized", include_str!("../../../modules/clock.sh")),
    ("grafana-push-token", include_str!("../../../modules/grafana/push-token.sh")),
    ("grafana-secrets", include_str!("../../../modules/grafana/secrets.sh")),
    ("k3s-server-ca", include_str!("../../../modules/k3s/server-ca.sh")),
    ("kubernetes-secret-azure-dns-secret", include_str!("../../../modules/kubernetes-secrets/apply.sh")),
    ("node-secrets", include_str!("../../../modules/node-secrets.sh")),
    ("remove-retired-manifests", include_str!("../../../modules/manifests/remove-retired.sh")),
    ("retire-manifests", include_str!("../../../modules/manifests/retire.sh")),
    ("rk1-storage-directories", include_str!("../../../modules/storage/directories.sh")),
];

/// Programs of the container beside the host's.
const PROGRAMS: [(&str, &str); 5] = [
    ("probe", include_str!("probe.sh")),
    // Reads what kubectl reads, calls the API server, and prints its arguments and its input.
    (
        "k3s",
        r#"#!/bin/bash -e
: <"$KUBECONFIG"
exec 3<>/dev/tcp/127.0.0.1/6443
: >/var/lib/rancher/k3s/data.lock
case $* in
*" get "*) sha256sum /var/lib/rancher/k3s/server/manifests/90-old.yaml | cut -d ' ' -f 1 ;;
*" apply "*) echo "k3s $*" && jq --compact-output . ;;
*) echo "k3s $*" ;;
esac
"#,
    ),
    // Grafana's answers to the requests of push-token.sh.
    (
        "grafana-server",
        r#"#!/bin/bash
read -r method path _
length=0
while IFS= read -r line && [[ $line != $'\r' ]]; do
  if [[ ${line,,} == content-length:* ]]; then length=${line//[^0-9]/}; fi
done
head --bytes "$length" >/dev/null
status=200 body='{}'
case $method\ $path in
"GET /api/serviceaccounts/search"*) body='{"serviceAccounts":[]}' ;;
"POST /api/serviceaccounts") status=201 body='{"id":7}' ;;
"POST /api/serviceaccounts/7/tokens") body='{"key":"glsa_t0ken"}' ;;
esac
printf 'HTTP/1.1 %s OK\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' $status ${#body} "$body"
"#,
    ),
    ("xdp-streamer", "#!/bin/bash\nexec sleep infinity\n"),
    ("service", "#!/bin/bash\nexec sleep infinity\n"),
];

/// Units of the container beside the node's.
const CONTAINER: [(&str, &str); 6] = [
    (
        "check.service",
        "[Unit]
DefaultDependencies=no
Requires=dbus.socket
After=dbus.socket
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
StandardOutput=append:/out/told
StandardError=append:/out/errors
ExecStart=/bin/bash /opt/bin/scenario
",
    ),
    ("check.target", "[Unit]\nWants=check.service\nAllowIsolate=yes\n"),
    ("k3s.service", "[Service]\nExecStart=/opt/bin/service\n"),
    ("api-server.socket", "[Socket]\nListenStream=6443\nAccept=yes\n"),
    ("grafana-server.socket", "[Socket]\nListenStream=127.0.0.1:3000\nAccept=yes\n"),
    ("api-server@.service", "[Service]\nExecStart=-/bin/true\nStandardInput=socket\n"),
];

const GRAFANA: (&str, &str) =
    ("grafana-server@.service", "[Service]\nExecStart=-/opt/bin/grafana-server\nStandardInput=socket\n");

/// Settings that only a newer systemd has, and what systemd says of them otherwise.
const NEEDS_254: [&str; 2] = ["RestartSteps=", "RestartMaxDelaySec="];

/// Returns the name and the text of each unit, with its programs at their paths in the container.
fn units() -> Vec<(&'static str, String)> {
    UNITS
        .split("# host/")
        .skip(1)
        .map(|section| {
            let (file, text) = section.split_once('\n').expect("a name");
            let name = file.strip_suffix(".service").expect("a service");
            let mut unit = String::new();
            for line in text.lines().filter(|line| !NEEDS_254.iter().any(|key| line.starts_with(key))) {
                // Only programs change their places.
                let line = match line {
                    "ExecStart=/the/script" => format!("ExecStart=/opt/bin/{name}-start"),
                    _ if line.starts_with("Exec") => line
                        .replace("/nix/store/systemd/bin/", "/usr/bin/")
                        .replace("/nix/store/coreutils/bin/", "/usr/bin/")
                        .replace("/nix/store/xdp-streamer-0.2.0/bin/", "/opt/bin/"),
                    // The stand-in does not tell systemd that it is ready.
                    "Type=notify" => "Type=exec".to_owned(),
                    _ if line.starts_with("WatchdogSec=") => continue,
                    // It would be waited for.
                    "Wants=dev-rk1-seed.device" => continue,
                    _ => line.to_owned(),
                };
                unit.extend([&line, "\n"]);
                if line == "[Service]" {
                    unit.push_str("Environment=PATH=/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
                    unit.extend(["StandardOutput=append:/out/said/", file, "\n"]);
                    unit.extend(["StandardError=append:/out/said/", file, "\n"]);
                }
            }
            (file, unit)
        })
        .collect()
}

fn program(path: &Path, text: &str) {
    fs::write(path, text).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a program");
}

/// Boots the container until its scenario ends. Returns what the container said.
fn boot(place: &Path) -> String {
    let bind = |kind: &str, from: &str, to: &str| format!("--{kind}={}:{to}", place.join(from).display());
    let output = Command::new("timeout")
        .args(["--kill-after=5", "300", "systemd-nspawn", "--quiet", "--directory=/", "--volatile=yes"])
        .args(["--register=no", "--keep-unit", "--private-network", "--console=pipe"])
        // systemd filters addresses and devices by programs in the kernel.
        .arg("--system-call-filter=bpf")
        .arg(format!("--machine=rk1-sandbox-{}", std::process::id()))
        .arg(bind("bind-ro", "units", "/etc/systemd/system"))
        .arg(bind("bind-ro", "bin", "/opt/bin"))
        .arg(bind("bind", "out", "/out"))
        .args(["--boot", "systemd.unit=check.target", "systemd.firstboot=off"])
        .output()
        .expect("timeout");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn services_do_their_work_within_their_restrictions() {
    const TEST: &str = "services_do_their_work_within_their_restrictions";
    for (name, package) in [("systemd-nspawn", "systemd-container"), ("jq", "jq"), ("curl", "curl")] {
        if Command::new(name).arg("--version").output().is_err() {
            return skipped(TEST, &format!("{name} is not installed (Debian: {package})"));
        }
    }
    let place = tempfile::tempdir().expect("a folder");
    let path = |name: &str| place.path().join(name);
    for directory in ["units", "bin", "out/said"] {
        fs::create_dir_all(path(directory)).expect("a folder");
    }
    for (name, text) in PROGRAMS {
        program(&path("bin").join(name), text);
    }
    program(&path("bin/scenario"), include_str!("scenario.sh"));
    for (name, text) in SCRIPTS {
        // As NixOS starts scripts of services.
        program(&path("bin").join(format!("{name}-start")), &format!("#!/bin/bash -e\n{text}"));
    }
    for (name, text) in units() {
        fs::write(path("units").join(name), text).expect("a unit");
    }
    for (name, text) in CONTAINER.into_iter().chain([GRAFANA]) {
        fs::write(path("units").join(name), text).expect("a unit");
    }

    let said = boot(place.path());
    let Ok(told) = fs::read_to_string(path("out/told")) else {
        let because = format!("no container boots here: {}", said.lines().last().unwrap_or_default());
        return skipped(TEST, &because);
    };
    let errors = fs::read_to_string(path("out/errors")).unwrap_or_default();
    assert_data_eq!(told + &errors, file!["told.txt"].raw());
}
