//! The script that makes a Kubernetes Secret of a file: every byte arrives.

use std::fs;

use data_encoding::BASE64;
use serde_json::Value;

use crate::hostile::{each, program, run, script, search_path};
use crate::requirement::skipped;

const K3S: &str = "#!/bin/sh\ncat >\"$NOTES/applied\"\n";

#[test]
fn a_secret_arrives_byte_by_byte() {
    if std::process::Command::new("jq").arg("--version").output().is_err() {
        return skipped("a_secret_arrives_byte_by_byte", "jq is not installed");
    }
    each(|input, mut random| {
        let folder = tempfile::tempdir().unwrap();
        program(&folder.path().join("k3s"), K3S);
        let mut bytes = if random.below(2) == 0 { random.bytes(300) } else { random.text().into_bytes() };
        bytes.extend_from_slice(random.pick(&[&b""[..], b"\n", b"\r\n", b"\n\n", b"\r", b"\0", b"\0\n"]));
        let name = random.name();
        let file = folder.path().join(format!("secret.{name}"));
        fs::write(&file, &bytes).unwrap();
        let output = run(
            script("kubernetes-secrets/apply.sh", folder.path())
                .env("PATH", search_path(folder.path()))
                .env("NOTES", folder.path())
                .env("FILE", &file)
                .env("KEY", &name)
                .envs([("NAME", "name"), ("NAMESPACE", "namespace"), ("MANAGER", "rk1"), ("TYPE", "Opaque")]),
            folder.path(),
            input,
        );
        let kept = bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n")).unwrap_or(&bytes);
        assert_eq!(output.status.success(), !kept.is_empty(), "{input}: {bytes:?}: {output:?}");
        if !kept.is_empty() {
            let applied: Value =
                serde_json::from_slice(&fs::read(folder.path().join("applied")).unwrap()).unwrap();
            assert_eq!(applied["items"][1]["data"][&name], BASE64.encode(kept), "{input}: {bytes:?}");
        }
    });
}
