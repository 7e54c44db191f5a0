//! Runs without a BMC: dry runs, images for `tpi`, and everything that is refused before the BMC is contacted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use rk1::config::cluster::Label;
use rk1::config::modules::Hardware;
use rk1::provision::image::{Identity, SeedOwner, layout};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::image;
use crate::project::{CANARY, assert_screen, can_run, flash, folder, secret, seen};

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    flash(folder.path(), arguments).output().expect("rk1 runs")
}

/// Returns the decompressed bytes of an image.
fn unpacked(path: &std::path::Path) -> Vec<u8> {
    let output = Command::new("xz").args(["--decompress", "--stdout"]).arg(path).output().expect("xz");
    assert!(output.status.success());
    output.stdout
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a place in memory")
}

fn hexadecimal(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

#[test]
fn a_dry_run_contacts_nobody() {
    if !can_run("dry-run") {
        return;
    }
    let folder = folder();
    let text = include_str!("../../config/check/base.toml")
        .replace("bmc = \"172.16.10.220\"\n", "bmc = \"172.16.10.220\"\npassword = \"bmc-password\"\n")
        .replace("[secrets]\n", "[secrets]\nbmc-password = \"secrets/bmc\"\n");
    fs::write(folder.path().join("cluster.toml"), text).expect("cluster.toml");
    let output = run(&folder, &["rk1-01", "rk1-02", "--dry-run"]);
    assert_screen("dry-run", &seen(&output));
    assert!(!folder.path().join("bmc.pins").exists());
}

#[test]
fn the_file_for_tpi_holds_the_bytes_to_send() {
    if !can_run("output") {
        return;
    }
    let folder = folder();
    let plain = unpacked(&image::built().join("rk1-01.img.xz"));
    for name in ["seeded.img", "seeded.img.xz"] {
        let output = run(&folder, &["rk1-01", "--output", name]);
        assert_screen(&format!("output-{name}"), &seen(&output));
        let path = folder.path().join(name);
        assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(&path).expect("the file");
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(stdout.contains(&format!("--sha256 {}\n", hexadecimal(&bytes))), "{stdout}");

        // Outside the seed partition it equals the image; inside it has the secrets.
        let raw = if name.ends_with("xz") { unpacked(&path) } else { bytes };
        let (start, end) = (place(layout::SEED_OFFSET), place(layout::ROOT_OFFSET));
        assert!(raw.len() == plain.len() && raw[..start] == plain[..start] && raw[end..] == plain[end..]);
        let holds = |bytes: &[u8]| bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(holds(&raw[start..end]) && !holds(&plain));
    }
    // A second run would overwrite the file.
    let output = run(&folder, &["rk1-01", "--output", "seeded.img"]);
    assert_screen("output-exists", &seen(&output));
    // The BMC would write such a file without decompressing it.
    let output = run(&folder, &["rk1-01", "--output", "seeded.img.gz"]);
    assert_screen("output-gz", &seen(&output));
    assert!(!folder.path().join("seeded.img.gz").exists());
}

#[test]
fn a_full_disk_leaves_no_partial_file() {
    if !can_run("output-full") {
        return;
    }
    let folder = folder();
    let limited = "ulimit -f 20000; trap '' XFSZ; exec \"$0\" flash rk1-01 --output seeded.img";
    let mut command = Command::new("bash");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_rk1")]).current_dir(folder.path()).env("NO_COLOR", "1");
    let output = command.output().expect("bash");
    assert_screen("output-full", &seen(&output));
    assert!(!folder.path().join("seeded.img").exists());
}

#[test]
fn wrong_arguments_and_images_are_refused() {
    if !can_run("refusals") {
        return;
    }
    let folder = folder();
    let other = image::assemble("other-cluster", "rk1-01");
    fs::copy(other.path().join("out/rk1-01.img.xz"), folder.path().join("other.img.xz")).expect("an image");
    let no_loader = {
        let mut bytes = unpacked(&image::built().join("rk1-01.img.xz"));
        bytes[place(layout::LOADER_OFFSET)..][..4].copy_from_slice(b"NONE");
        bytes
    };
    fs::write(folder.path().join("no-loader.img"), no_loader).expect("an image");
    fs::write(folder.path().join("packed.img.zst"), [0x28, 0xb5, 0x2f, 0xfd, 0, 0]).expect("an image");
    let packed = fs::read(image::built().join("rk1-01.img.xz")).expect("an image");
    fs::write(folder.path().join("cut.img.xz"), &packed[..packed.len() / 2]).expect("an image");

    let mut screens = Vec::new();
    for arguments in [
        ["rk1-05"].as_slice(),
        &["somebody"],
        &["rk1-01", "rk1-01"],
        &["rk1-03"],
        &["rk1-01", "rk1-02", "--image", "result/rk1-01.img.xz"],
        &["rk1-01", "--image", "result/rk1-02.img.xz"],
        &["rk1-01", "--image", "other.img.xz"],
        &["rk1-01", "--image", "no-loader.img"],
        &["rk1-01", "--image", "packed.img.zst"],
        &["rk1-01", "--image", "cut.img.xz"],
        &["rk1-01", "--image", "missing.img"],
    ] {
        let output = run(&folder, arguments);
        screens.push(format!("$ rk1 flash {}\n{}\n", arguments.join(" "), seen(&output)));
    }
    fs::remove_file(folder.path().join("secrets/k3s-token")).expect("a secret");
    let output = run(&folder, &["rk1-01"]);
    screens.push(format!("$ rm secrets/k3s-token; rk1 flash rk1-01\n{}", seen(&output)));
    assert_screen("refusals", &screens.concat());
}

#[test]
fn an_image_with_a_seed_is_refused() {
    if !can_run("seeded-twice") {
        return;
    }
    let folder = folder();
    assert!(run(&folder, &["rk1-01", "--output", "seeded.img"]).status.success());
    let output = run(&folder, &["rk1-01", "--image", "seeded.img"]);
    assert_screen("seeded-twice", &seen(&output));
}

#[test]
fn malformed_pins_are_an_error() {
    if !can_run("pins-damaged") {
        return;
    }
    let folder = folder();
    fs::write(folder.path().join("bmc.pins"), "172.16.10.220 AA:BB\n").expect("pins");
    assert_screen("pins-damaged", &seen(&run(&folder, &["rk1-01"])));
}

#[test]
fn each_node_gets_its_own_seed() {
    if !can_run("own-seed") {
        return;
    }
    let folder = folder();
    secret(folder.path(), "k3s-token", "another");
    for host in ["rk1-01", "rk1-02"] {
        let name = format!("{host}.img");
        assert!(run(&folder, &[host, "--output", &name]).status.success());
        let file = fs::File::open(folder.path().join(&name)).expect("the image");
        let inspection = rk1::provision::image::inspect(file, Hardware::DEFAULT).expect("an image");
        let label = |name| Label::parse(name).expect("a name");
        assert!(inspection.is_of(&Identity::of(&label("turing-pi"), &label(host))));
        let owner = SeedOwner::Node { cluster: label("turing-pi"), host: label(host) };
        assert_eq!(inspection.seed(), Some(&owner));
        assert_eq!(inspection.faults(), []);
    }
}
