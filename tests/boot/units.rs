//! The units of a host, installed as generateUnits in nixos/lib/systemd-lib.nix does, over the units of Debian's systemd.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::evaluation::write;

/// Units of packages other than systemd that NixOS installs, with the targets that want them.
const OF_PACKAGES: [(&str, &str); 4] = [
    ("dbus.socket", "sockets.target"),
    ("dbus.service", ""),
    ("nix-daemon.socket", ""),
    ("nix-daemon.service", ""),
];

/// Installs the units of a part of tests/modules/nix/tree/boot.nix into `into`. `upstream` has those of systemd.
pub(crate) fn install(part: &Value, upstream: &Path, into: &Path) {
    fs::create_dir_all(into).expect("a folder");
    let listed = strings(&part["upstream"]);
    let is_initrd = !listed.contains(&"getty.target");
    let of_packages = if is_initrd { &[][..] } else { &OF_PACKAGES[..] };
    for name in listed.into_iter().chain(of_packages.iter().map(|(name, _)| *name)) {
        let from = upstream.join(name);
        // Another systemd may lack it.
        if fs::symlink_metadata(&from).is_ok() {
            let _ = std::process::Command::new("cp").arg("-P").arg(&from).arg(into.join(name)).status();
        }
    }
    for links in strings(&part["upstreamLinks"]) {
        let Ok(entries) = fs::read_dir(upstream.join(links)) else { continue };
        for name in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            if fs::symlink_metadata(into.join(&name)).is_ok() {
                link(&into.join(links), &name);
            }
        }
    }
    for (name, target) in of_packages {
        if !target.is_empty() && into.join(name).exists() {
            link(&into.join(format!("{target}.wants")), name);
        }
    }
    let own = part["own"].as_object().expect("units");
    for (name, unit) in own {
        let file = into.join(name);
        let text = unit["text"].as_str().unwrap_or_default();
        let is_there = fs::symlink_metadata(&file).is_ok();
        let is_whole = !name.ends_with(".service") && !name.ends_with(".socket")
            || ["\nExec", "\nListen"].iter().any(|key| text.contains(key));
        if !is_there && !is_whole {
            // Settings for a unit of a program that Debian has not.
        } else if unit["enable"] == false {
            let _ = fs::remove_file(&file);
            symlink("/dev/null", &file).expect("a link");
        } else if is_there || unit["overrideStrategy"] == "asDropin" {
            write(&into.join(format!("{name}.d/overrides.conf")), text, 0o644);
        } else {
            write(&file, text, 0o644);
        }
    }
    if !is_initrd {
        // systemd.defaultUnit
        let _ = fs::remove_file(into.join("default.target"));
        symlink("multi-user.target", into.join("default.target")).expect("a link");
    }
    for (name, unit) in own {
        for alias in strings(&unit["aliases"]) {
            let _ = fs::remove_file(into.join(alias));
            symlink(name, into.join(alias)).expect("a link");
        }
        for (key, suffix) in [("wantedBy", "wants"), ("requiredBy", "requires"), ("upheldBy", "upholds")] {
            for target in strings(&unit[key]) {
                link(&into.join(format!("{target}.{suffix}")), name);
            }
        }
    }
}

/// Returns all texts of the units, which name store paths.
pub(crate) fn texts(part: &Value) -> String {
    let own = part["own"].as_object().expect("units");
    own.values().filter_map(|unit| unit["text"].as_str()).collect()
}

fn link(directory: &Path, name: &str) {
    fs::create_dir_all(directory).expect("a folder");
    let link = directory.join(name);
    if fs::symlink_metadata(&link).is_err() {
        symlink(Path::new("..").join(name), link).expect("a link");
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}
