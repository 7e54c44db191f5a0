//! `rk1 inspect`: its whole output for a valid image and for each fault.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use rk1::config::modules::Hardware;
use rk1::provision::image::SeedOwner;
use rk1::provision::image::layout::{LOADER_OFFSET, ROOT_OFFSET, SEED_OFFSET};
use rk1::provision::seed::Seeded;
use snapbox::{Data, assert_data_eq};

use crate::cluster::{identity, partition};
use crate::composed::{Composed, HOST, RootFiles, kernel, root_filesystem};
use crate::program::{lacks, rk1, run};

fn snapshot(name: &str) -> Data {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provision/image/snapshots");
    Data::read_from(&folder.join(name), None)
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// Returns the output and the exit code of `rk1 inspect`, without the digest, which differs in each run.
fn told(folder: &Path, arguments: &[&str]) -> String {
    let output = rk1(folder, &[&["inspect"], arguments].concat());
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split_inclusive('\n')
            .map(|line| match line.find("sha256") {
                Some(_) => {
                    line.split(' ')
                        .map(|word| if word.trim_matches(['"', ',', '\n']).len() == 64 { "…" } else { word })
                        .collect::<Vec<_>>()
                        .join(" ")
                        + if line.ends_with("…\n") || line.ends_with(")\n") { "" } else { "\n" }
                }
                None => line.to_owned(),
            })
            .collect::<String>()
    };
    format!("{}{}exit code {}\n", text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

#[test]
fn a_valid_image_is_described_in_full() {
    let Some(image) = Composed::new("a_valid_image_is_described_in_full") else { return };
    assert_data_eq!(told(&image.result(), &["rk1-01.img.xz"]), snapshot("valid.txt").raw());
    assert_data_eq!(told(&image.result(), &["rk1-01.img.xz", "--json"]), snapshot("valid.json.txt").raw());

    let page = include_str!("../../../docs/images.md");
    for line in fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provision/image/snapshots/valid.txt"),
    )
    .unwrap()
    .lines()
    .filter(|line| {
        line.starts_with(char::is_alphabetic) && !line.contains("nixos-1") && !line.contains(": would boot")
    })
    .filter(|line| !line.starts_with("exit"))
    {
        assert!(page.contains(&format!("\n    {line}\n")), "docs/images.md has not `{line}`");
    }

    // The checksum beside the file is that of the compressed bytes.
    run(
        "bash",
        &["-c", &format!("cd {} && sha256sum --check rk1-01.img.xz.sha256", image.result().display())],
    );

    let inspection = rk1::provision::image::inspect(
        rk1::provision::image::open(&image.packed(), Hardware::DEFAULT).unwrap(),
        Hardware::DEFAULT,
    )
    .unwrap();
    let whole = run("sha256sum", &[image.result().join("../rk1-01.img").to_str().unwrap()]);
    assert!(whole.starts_with(&inspection.sha256), "{whole}");
    assert!(inspection.is_of(&identity(HOST)) && !inspection.is_of(&identity("rk1-02")));
}

#[test]
fn the_owner_of_a_seed_is_shown() {
    let Some(image) = Composed::new("the_owner_of_a_seed_is_shown") else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("seeded.img"), image.seeded(HOST)).unwrap();
    assert_data_eq!(told(folder.path(), &["seeded.img"]), snapshot("seeded.txt").raw());
}

/// Replaces a part of an image.
fn with(mut bytes: Vec<u8>, offset: u64, part: &[u8]) -> Vec<u8> {
    bytes[at(offset)..at(offset) + part.len()].copy_from_slice(part);
    bytes
}

fn with_root(bytes: Vec<u8>, files: &RootFiles) -> Vec<u8> {
    let root = tempfile::NamedTempFile::new().unwrap();
    root_filesystem(root.path(), files);
    with(bytes, ROOT_OFFSET, &fs::read(root.path()).unwrap())
}

#[test]
fn each_fault_is_reported() {
    let test = "each_fault_is_reported";
    let Some(image) = Composed::new(test) else { return };
    let valid = || image.bytes();
    let valid_files = RootFiles::default;
    let superblock = ROOT_OFFSET + 1024;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no loader", with(valid(), LOADER_OFFSET, b"LOOP")),
        ("no partition table", with(valid(), 510, &[0; 2])),
        ("a root filesystem alone", valid()[at(ROOT_OFFSET)..].to_vec()),
        ("a download that was cut", valid()[..40 << 20].to_vec()),
        ("overlapping partitions", with(valid(), 446 + 8, &40_000_u32.to_le_bytes())),
        ("unordered partitions", with(valid(), 446 + 8, &131_072_u32.to_le_bytes())),
        ("a partition in the loader", with(valid(), 446 + 8, &2048_u32.to_le_bytes())),
        ("the seed marked bootable, not the root", with(with(valid(), 446, &[0x80]), 446 + 16, &[0])),
        ("a damaged superblock", with(valid(), superblock + 4, &[0xff; 8])),
        ("no configuration", with_root(valid(), &RootFiles { configuration: false, ..valid_files() })),
        ("no kernel", with_root(valid(), &RootFiles { kernel: None, ..valid_files() })),
        (
            "built for x86_64",
            with_root(valid(), &RootFiles { kernel: Some(kernel([0; 4])), ..valid_files() }),
        ),
        ("no initrd", with_root(valid(), &RootFiles { initrd: false, ..valid_files() })),
        ("no device tree", with_root(valid(), &RootFiles { tree: None, ..valid_files() })),
        (
            "the device tree of another board",
            with_root(
                valid(),
                &RootFiles { tree: Some(b"\xd0\x0d\xfe\xedraspberrypi,5\0"), ..valid_files() },
            ),
        ),
        ("the seed of another node", with(valid(), SEED_OFFSET, partition("rk1-02").bytes())),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut faults = String::new();
    for (name, bytes) in cases {
        fs::write(folder.path().join("an.img"), bytes).unwrap();
        let told = told(folder.path(), &["an.img"]);
        // Another test compares the rest of the output.
        let is_judged = |line: &&str| {
            let verdicts = ["error: ", "  hint: ", "an.img: ", "exit "];
            verdicts.iter().any(|verdict| line.starts_with(verdict))
        };
        let judged: Vec<_> = told.lines().filter(is_judged).collect();
        faults.extend(["## ", name, "\n", &judged.join("\n"), "\n\n"]);
    }
    assert_data_eq!(faults, snapshot("faults.txt").raw());
}

#[test]
fn other_files_are_refused() {
    let test = "other_files_are_refused";
    let Some(image) = Composed::new(test) else { return };
    if lacks(test, &["zstd", "gzip", "bzip2"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let packed = fs::read(image.packed()).unwrap();
    let pack = |command: &str| {
        run("bash", &["-c", &format!("head -c 1M /dev/urandom | {command}")]);
    };
    pack(&format!("zstd -q -o {}", file("by-name.img.xz")));
    pack(&format!("gzip > {}", file("an.img.gz")));
    pack(&format!("bzip2 > {}", file("an.img.bz2")));
    pack(&format!("xz -9 > {}", file("large.img.xz")));
    fs::write(file("an.zip"), b"PK\x03\x04").unwrap();
    fs::write(file("an.qcow2"), b"QFI\xfb").unwrap();
    fs::write(file("cut.img.xz"), &packed[..packed.len() / 2]).unwrap();
    let mut damaged = packed.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    fs::write(file("damaged.img.xz"), damaged).unwrap();
    fs::write(file("header-alone.img.xz"), &packed[..6]).unwrap();
    fs::create_dir(file("result")).unwrap();
    // A sparse file.
    fs::File::create(file("huge.img")).unwrap().set_len(33 << 30).unwrap();

    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut refusals = String::new();
    for name in names.iter().map(String::as_str).chain(["missing.img"]) {
        refusals += &told(folder.path(), &[name]);
    }
    assert_data_eq!(refusals, snapshot("refused.txt").raw());
}

#[test]
fn a_large_image_needs_no_more_memory() {
    let Some(image) = Composed::new("a_large_image_needs_no_more_memory") else { return };
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.img");
    fs::write(&large, image.seeded(HOST)).unwrap();
    // The root filesystem, which is kept on disk, is as large as its partition.
    let gibibyte: u32 = 1 << 30;
    let mut bytes = fs::read(&large).unwrap();
    bytes = with(bytes, 446 + 16 + 12, &((gibibyte - (32 << 20)) / 512).to_le_bytes());
    fs::write(&large, bytes).unwrap();
    fs::File::options().write(true).open(&large).unwrap().set_len(gibibyte.into()).unwrap();

    let (code, stderr, peak) = inspect_measured(&large);
    assert_eq!(code, Some(0), "{stderr}");
    assert!((1..64 * 1024).contains(&peak), "{peak} KiB");
}

/// Runs `rk1 inspect`. Returns its exit code, its standard error, and the most memory that it used, in KiB.
pub(crate) fn inspect_measured(image: &Path) -> (Option<i32>, String, u64) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .arg("inspect")
        .arg(image)
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        most = most.max(peak.unwrap_or(0_u64));
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (code, stderr, most)
}

#[test]
fn the_owner_of_a_seed_is_read() {
    let Some(image) = Composed::new("the_owner_of_a_seed_is_read") else { return };
    let bytes = image.bytes();
    let unseeded = rk1::provision::image::inspect(&bytes[..], Hardware::DEFAULT).unwrap();
    assert_eq!(unseeded.seed(), None);
    let seeded = Seeded::new(&bytes[..], partition(HOST)).unwrap();
    let seeded = rk1::provision::image::inspect(seeded, Hardware::DEFAULT).unwrap();
    let Some(SeedOwner::Node { cluster, host }) = seeded.seed() else { panic!("{:?}", seeded.seed()) };
    assert_eq!((cluster.as_str(), host.as_str()), ("turing-pi", HOST));
    assert_eq!(seeded.size, unseeded.size);
}
