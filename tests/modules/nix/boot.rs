//! The units of a whole boot, as NixOS installs them beside systemd's own, and what systemd says of their order.

use crate::units::{NEEDS_254, version};
use crate::{requirement, strings};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const SYSTEMD: [&str; 2] = ["/usr/lib/systemd", "/lib/systemd"];

/// Units that belong to a boot and that the machine may lack.
const UNITS: &str = include_str!("tree/units-of-packages.txt");

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    Initrd,
    System,
}

/// The directories of units from which systemd boots.
pub(crate) struct Boot {
    directory: tempfile::TempDir,
    stage: Stage,
    version: u32,
}

impl Boot {
    /// Returns whether systemd's tools are there, or reports that `test` is skipped.
    pub(crate) fn is_possible(test: &str) -> bool {
        let is_there = version().is_some() && generator().is_some();
        if !is_there {
            requirement::skipped(test, "systemd-analyze is not installed (Debian: systemd)");
        }
        is_there
    }

    /// Installs the units of `boot` of tests/modules/nix/tree/report.nix, as generateUnits in nixos/lib/systemd-lib.nix
    /// does, and the mounts that systemd generates from fstab.
    pub(crate) fn new(boot: &Value, stage: Stage) -> Self {
        let part = &boot[match stage {
            Stage::Initrd => "initrd",
            Stage::System => "system",
        }];
        let boot = Self { directory: tempfile::tempdir().unwrap(), stage, version: version().unwrap() };
        for directory in [boot.units(), boot.generated(), boot.added()] {
            fs::create_dir(directory).unwrap();
        }
        boot.install_upstream(part);
        boot.install_own(part);
        boot.generate_mounts(part["fstab"].as_str().unwrap());
        boot
    }

    fn units(&self) -> PathBuf {
        self.directory.path().join("units")
    }

    fn generated(&self) -> PathBuf {
        self.directory.path().join("generated")
    }

    /// Where a test adds to units.
    fn added(&self) -> PathBuf {
        self.directory.path().join("added")
    }

    fn install_upstream(&self, part: &Value) {
        let upstream = strings(&part["upstream"]);
        assert!(upstream.contains(&"sysinit.target"), "{upstream:?}");
        let packaged = units_of_packages();
        for name in &upstream {
            let text = SYSTEMD
                .iter()
                .find_map(|directory| fs::read_to_string(format!("{directory}/system/{name}")).ok());
            let packaged =
                packaged.iter().find(|(packaged, _)| packaged == name).map(|(_, text)| text.clone());
            // Others do not belong to a boot, or this systemd is too old for them.
            if let Some(text) = text.or(packaged) {
                fs::write(self.units().join(name), text).unwrap();
            }
        }
        for links in strings(&part["upstreamLinks"]) {
            for directory in SYSTEMD {
                let Ok(entries) = fs::read_dir(format!("{directory}/system/{links}")) else { continue };
                for entry in entries {
                    let name = entry.unwrap().file_name().into_string().unwrap();
                    if self.units().join(&name).exists() {
                        link(&self.units().join(links), &name);
                    }
                }
            }
        }
        // Units of other packages that NixOS installs, and the links of those above.
        let is_system = self.stage == Stage::System;
        for (name, text) in packaged {
            let file = self.units().join(&name);
            if is_system && text.contains("# package:") && !file.exists() {
                fs::write(&file, &text).unwrap();
            }
            for target in text.lines().filter_map(|line| line.strip_prefix("WantedBy=")) {
                if file.exists() {
                    link(&self.units().join(format!("{target}.wants")), &name);
                }
            }
        }
    }

    fn install_own(&self, part: &Value) {
        let own = part["own"].as_object().unwrap();
        for (name, unit) in own {
            let file = self.units().join(name);
            if unit["enable"] == false {
                let _ = fs::remove_file(&file);
                symlink("/dev/null", &file).unwrap();
            } else if file.exists() || unit["overrideStrategy"] == "asDropin" {
                self.write_drop_in(&self.units(), name, unit["text"].as_str().unwrap());
            } else {
                fs::write(&file, self.known(unit["text"].as_str().unwrap())).unwrap();
            }
        }
        for (name, unit) in own {
            for alias in strings(&unit["aliases"]) {
                let alias = self.units().join(alias);
                let _ = fs::remove_file(&alias);
                symlink(name, alias).unwrap();
            }
            for (key, suffix) in [("wantedBy", "wants"), ("requiredBy", "requires"), ("upheldBy", "upholds")]
            {
                for target in strings(&unit[key]) {
                    link(&self.units().join(format!("{target}.{suffix}")), name);
                }
            }
        }
        if self.stage == Stage::System {
            link(&self.units().join("multi-user.target.wants"), "remote-fs.target");
        }
    }

    /// Adds settings to a unit, instead of what an earlier call added.
    pub(crate) fn add(&self, unit: &str, text: &str) {
        fs::remove_dir_all(self.added()).unwrap();
        self.write_drop_in(&self.added(), unit, text);
    }

    fn write_drop_in(&self, directory: &Path, unit: &str, text: &str) {
        let directory = directory.join(format!("{unit}.d"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("overrides.conf"), self.known(text)).unwrap();
    }

    /// Returns a unit's text without the settings that an older systemd does not know.
    fn known(&self, text: &str) -> String {
        text.lines()
            .filter(|line| self.version >= 254 || !NEEDS_254.iter().any(|key| line.starts_with(key)))
            .flat_map(|line| [line, "\n"])
            .collect()
    }

    fn generate_mounts(&self, fstab: &str) {
        let file = self.directory.path().join("fstab");
        fs::write(&file, fstab).unwrap();
        let (system, initrd) = match self.stage {
            Stage::Initrd => (Path::new("/dev/null"), file.as_path()),
            Stage::System => (file.as_path(), Path::new("/dev/null")),
        };
        let output = Command::new(generator().unwrap())
            .args([self.generated(), self.generated(), self.generated()])
            .env("SYSTEMD_FSTAB", system)
            .env("SYSTEMD_SYSROOT_FSTAB", initrd)
            .env("SYSTEMD_IN_INITRD", if self.stage == Stage::Initrd { "1" } else { "0" })
            // Without `root=fstab`, which systemd knows from 254 on and which only names the default.
            .env("SYSTEMD_PROC_CMDLINE", "")
            .env("SYSTEMD_LOG_TARGET", "console")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.is_empty(), "{told}");
        let root = if self.stage == Stage::Initrd { "sysroot.mount" } else { "-.mount" };
        assert!(self.generated().join(root).exists(), "{fstab}");
    }

    fn target(&self) -> &'static str {
        match self.stage {
            Stage::Initrd => "initrd.target",
            Stage::System => "multi-user.target",
        }
    }

    /// Returns what systemd says of the boot: nothing, if it can start every unit in an order.
    pub(crate) fn complaints(&self) -> String {
        let paths = [self.added(), self.units(), self.generated()].map(|path| path.display().to_string());
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", self.target()])
            .env("SYSTEMD_UNIT_PATH", paths.join(":"))
            .output()
            .unwrap();
        String::from_utf8(output.stderr)
            .unwrap()
            .replace(&self.directory.path().display().to_string(), "[BOOT]")
    }

    /// Checks that systemd starts `first` before `second` in this boot: the opposite order, given in addition, is a cycle,
    /// and the same order is none.
    #[track_caller]
    pub(crate) fn check_order(&self, first: &str, second: &str) {
        let with = |unit: &str, text: String| {
            // Both start in this boot, even if an event starts them otherwise.
            self.add(self.target(), &format!("[Unit]\nWants={first} {second}\n"));
            self.write_drop_in(&self.added(), unit, &text);
            self.complaints()
        };
        let same = with(second, format!("[Unit]\nAfter={first}\n"));
        assert_eq!(same, "", "{first}, then {second}");
        let opposite = with(first, format!("[Unit]\nAfter={second}\n"));
        assert!(opposite.contains("ordering cycle"), "nothing orders {first} before {second}: {opposite}");
    }
}

fn generator() -> Option<PathBuf> {
    let mut paths = SYSTEMD
        .iter()
        .map(|directory| Path::new(directory).join("system-generators/systemd-fstab-generator"));
    paths.find(|path| path.exists())
}

/// Links `../name` in the directory, once.
fn link(directory: &Path, name: &str) {
    fs::create_dir_all(directory).unwrap();
    let link = directory.join(name);
    if fs::symlink_metadata(&link).is_err() {
        symlink(Path::new("..").join(name), link).unwrap();
    }
}

/// Returns the units of tests/modules/nix/tree/units-of-packages.txt with their texts.
fn units_of_packages() -> Vec<(String, String)> {
    UNITS
        .split("\n## ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}
