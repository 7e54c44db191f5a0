//! Hosts with every setting of k3s and of secrets that `cluster.toml` has: rendered, and evaluated over the real NixOS module tree.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use snapbox::assert_data_eq;
use tempfile::TempDir;

use crate::evaluator::ROOT;
use crate::{pretty, requirement, snapshot, tree};

/// What k3s, systemd and the firewall get of the settings.
const REPORT: &str = r#"
  let
    tree = import ROOT/tests/modules/nix/tree/tree.nix;
    inherit (tree) lib;
    withoutHashes = text: lib.concatStrings (builtins.filter builtins.isString (
      builtins.split "${builtins.storeDir}/[a-z0-9]{32}-" (builtins.unsafeDiscardStringContext text)
    ));
    texts = names: units: lib.mapAttrs (_: unit: withoutHashes unit.text) (
      lib.filterAttrs (name: _: lib.any (part: lib.hasInfix part name) names) units
    );
  in
  lib.mapAttrs (_: { config, ... }: {
    failedAssertions = map (entry: entry.message) (lib.filter (entry: !entry.assertion) config.assertions);
    toplevel = builtins.seq config.system.build.toplevel.drvPath true;
    command = lib.splitString " \\\n " (withoutHashes config.systemd.services.k3s.serviceConfig.ExecStart);
    kubelet = config.services.k3s.extraKubeletConfig;
    files = config.rk1.k3s.configFiles;
    etc = lib.mapAttrs (_: entry: toString entry.source) (lib.filterAttrs (name: _: lib.hasPrefix "rancher" name) config.environment.etc);
    units = texts [ "k3s-config" "secret-file" ] config.systemd.units;
    kubernetesSecrets = lib.mapAttrs (_: unit: {
      inherit (unit.environment) NAME NAMESPACE KEY TYPE FILE MANAGER;
    }) (lib.filterAttrs (name: _: lib.hasPrefix "kubernetes-secret" name) config.systemd.services);
    programs = lib.filter (lib.hasPrefix "rk1-") (map lib.getName config.environment.systemPackages);
    readers = config.rk1.secrets.readers;
    registryRules = lib.filter (lib.hasInfix "5001") (lib.splitString "\n" config.networking.firewall.extraCommands);
  }) (tree.outputs.lib.mkCluster { hosts = HOSTS; })
"#;

fn rendered() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(Path::new(ROOT).join("tests/modules/nix/settings.toml"), folder.path().join("cluster.toml"))
        .unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_rk1")).arg("render").current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

#[test]
fn every_setting_reaches_k3s() {
    if let Some(because) = tree::missing() {
        requirement::skipped("settings::every_setting_reaches_k3s", because);
        return;
    }
    let folder = rendered();
    let hosts = folder.path().join("hosts").display().to_string();
    let output = tree::evaluate(&REPORT.replace("HOSTS", &hosts).replace("ROOT", ROOT));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let hosts = report.as_object_mut().unwrap();
    // The servers differ by their names only.
    hosts.retain(|name, _| name == "rk1-01" || name == "rk1-04");
    assert_data_eq!(pretty(&report), snapshot("settings.json").raw());
}
