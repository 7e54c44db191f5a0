//! The seed of a node, and the image with the seed in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use rk1::common::secret_source::SecretSource;
use rk1::config::diagnostics::Mistake;
use rk1::provision::image::layout::{SEED_OFFSET, SEED_SIZE};
use rk1::provision::seed::{Seeded, SeededError};
use snapbox::{assert_data_eq, str};

use crate::cluster::{SECRETS, cluster, folder, host_key, host_key_of, node, partition, put, seed};
use crate::composed::{Composed, HOST};
use crate::program::{lacks, run};

/// Returns the names of a node's secrets.
fn names(name: &str) -> Vec<String> {
    let seed = seed(folder().path(), name);
    seed.files.iter().map(|file| file.name.as_str().to_owned()).collect()
}

#[test]
fn each_node_gets_only_its_secrets() {
    let of_servers = ["k3s-token", "k3s-agent-token", "grafana-token", "azure-dns", "bgp-password"];
    assert_eq!(names("rk1-01"), [&of_servers[..], &["rk1-01-ssh"]].concat());
    assert_eq!(names("rk1-02"), of_servers);
    // No agent has the token of servers.
    assert_eq!(names("rk1-04"), ["k3s-agent-token", "grafana-token"]);
}

#[test]
fn unneeded_secrets_are_not_read() {
    let folder = folder();
    for name in ["azure-dns", "bgp-password", "rk1-01-ssh"] {
        fs::remove_file(folder.path().join("secrets").join(name)).unwrap();
    }
    assert_eq!(seed(folder.path(), "rk1-04").files.len(), 2);
}

#[test]
fn a_secret_without_a_file_is_in_no_seed() {
    let mut cluster = cluster();
    for (name, source) in &mut cluster.secrets.0 {
        if name.as_str() != "rk1-01-ssh" {
            *source = SecretSource::Elsewhere;
        }
    }
    let seed = rk1::provision::seed::for_node(&cluster, node(&cluster, HOST), folder().path()).unwrap();
    let names: Vec<_> = seed.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["rk1-01-ssh"]);
}

#[test]
fn all_errors_are_reported_and_no_secret_is_shown() {
    let folder = folder();
    let file = |name: &str| folder.path().join("secrets").join(name);
    fs::remove_file(file("azure-dns")).unwrap();
    fs::write(file("bgp-password"), "").unwrap();
    run("chmod", &["644", file("grafana-token").to_str().unwrap()]);
    put(folder.path(), "k3s-token", &vec![b'x'; 65 * 1024]);
    put(folder.path(), "rk1-01-ssh", host_key_of("aes256-ctr").as_bytes());

    let cluster = cluster();
    let refused = rk1::provision::seed::for_node(&cluster, node(&cluster, HOST), folder.path()).unwrap_err();
    let place = folder.path().to_str().unwrap();
    let told: String = refused
        .0
        .iter()
        .map(|mistake| format!("{mistake}\n  {}\n", mistake.hint().unwrap_or_default()).replace(place, "."))
        .collect();
    assert_data_eq!(
        told,
        str![[r"
the secret `k3s-token` is too large: `./secrets/k3s-token`
  check that `./secrets/k3s-token` is the right file: a secret has at most 65536 bytes
the secret `grafana-token` is readable for other users: `./secrets/grafana-token`
  make it readable for you alone: `chmod 600 ./secrets/grafana-token`
the secret `azure-dns` is missing: `./secrets/azure-dns`
  write the secret to `./secrets/azure-dns`
the secret `bgp-password` is empty: `./secrets/bgp-password`
  write the secret to `./secrets/bgp-password`
`./secrets/rk1-01-ssh`, the host key of `rk1-01`, has a passphrase, which cannot be entered while the node boots
  create one with `ssh-keygen -t ed25519 -N '' -C rk1-01 -f ./secrets/rk1-01-ssh`

"]]
    );
}

#[test]
fn keys_of_ssh_keygen_are_accepted_and_refused() {
    if lacks("keys_of_ssh_keygen_are_accepted_and_refused", &["ssh-keygen"]) {
        return;
    }
    let cluster = cluster();
    let folder = folder();
    let key = folder.path().join("secrets/rk1-01-ssh");
    for (arguments, expected) in [
        (["-t", "ed25519", "-N", ""], None),
        (["-t", "ed25519", "-N", "passphrase"], Some("has a passphrase")),
        (["-t", "rsa", "-N", ""], Some("is not an ed25519 key")),
        (["-t", "ecdsa", "-N", ""], Some("is not an ed25519 key")),
    ] {
        fs::remove_file(&key).unwrap();
        run("ssh-keygen", &[&["-q", "-f", key.to_str().unwrap()], &arguments[..]].concat());
        let result = rk1::provision::seed::for_node(&cluster, node(&cluster, HOST), folder.path());
        match expected {
            None => assert_eq!(result.unwrap().files.len(), 6),
            Some(words) => assert!(result.unwrap_err().to_string().contains(words), "{arguments:?}"),
        }
        // A key that was cut off while it was copied.
        let whole = fs::read(&key).unwrap();
        put(folder.path(), "rk1-01-ssh", &[&whole[..200], b"\n-----END OPENSSH PRIVATE KEY-----\n"].concat());
        let refused =
            rk1::provision::seed::for_node(&cluster, node(&cluster, HOST), folder.path()).unwrap_err();
        assert!(refused.to_string().contains("is not an OpenSSH private key"), "{arguments:?}: {refused}");
    }
}

/// The partition is valid for tools that did not write it.
#[test]
fn other_tools_read_the_partition() {
    let test = "other_tools_read_the_partition";
    if lacks(test, &["mcopy", "mdir", "fsck.vfat", "blkid"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("seed.img");
    fs::write(&image, partition(HOST).bytes()).unwrap();
    let image = image.to_str().unwrap();
    run("fsck.vfat", &["-n", image]);
    let identity = crate::cluster::identity(HOST);
    let told = run("blkid", &["--probe", "--output", "export", image]);
    let id = format!("UUID={:04X}-{:04X}", identity.seed_id >> 16, identity.seed_id & 0xffff);
    for line in ["LABEL=RK1-SEED", "LABEL_FATBOOT=RK1-SEED", "TYPE=vfat", &id] {
        assert!(told.lines().any(|found| found == line), "no {line} in\n{told}");
    }

    let mut found = BTreeMap::new();
    let listed = run("mdir", &["-/", "-b", "-i", image, "::"]);
    for path in listed.lines().filter(|path| !path.ends_with('/')) {
        found
            .insert(path.trim_start_matches("::/").to_owned(), run("mcopy", &["-n", "-i", image, path, "-"]));
    }
    let secret = |name: &str| SECRETS.iter().find(|(each, _)| *each == name).unwrap().1.to_owned();
    let mut expected = BTreeMap::from([
        ("HOST".to_owned(), "turing-pi/rk1-01\n".to_owned()),
        ("ssh_host_ed25519_key".to_owned(), host_key()),
    ]);
    for name in ["azure-dns", "bgp-password", "grafana-token", "k3s-agent-token", "k3s-token"] {
        expected.insert(format!("secret.{name}"), secret(name));
    }
    assert_eq!(found, expected);
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    assert!(partition(HOST).bytes() == partition(HOST).bytes());
    assert!(partition(HOST).bytes() != partition("rk1-02").bytes());
    assert_eq!(partition(HOST).bytes().len() as u64, SEED_SIZE);
}

#[test]
fn a_seeded_image_differs_only_in_the_seed_partition() {
    let Some(image) = Composed::new("a_seeded_image_differs_only_in_the_seed_partition") else { return };
    let (bytes, seeded, partition) = (image.bytes(), image.seeded(HOST), partition(HOST));
    let (from, until) =
        (usize::try_from(SEED_OFFSET).unwrap(), usize::try_from(SEED_OFFSET + SEED_SIZE).unwrap());
    assert_eq!(seeded.len(), bytes.len());
    assert!(seeded[..from] == bytes[..from] && seeded[until..] == bytes[until..]);
    assert!(seeded[from..until] == *partition.bytes());

    // The size of the reads does not matter.
    for size in [1000, 4096 + 1, 1 << 20] {
        let mut stream = Seeded::new(&bytes[..], crate::cluster::partition(HOST)).unwrap();
        let (mut piece, mut position) = (vec![0; size], 0);
        loop {
            let count = stream.read(&mut piece).unwrap();
            if count == 0 {
                break;
            }
            assert!(piece[..count] == seeded[position..position + count], "{size} at {position}");
            position += count;
        }
        assert_eq!(position, seeded.len());
    }
}

#[test]
fn an_image_without_this_seed_partition_is_refused() {
    let Some(image) = Composed::new("an_image_without_this_seed_partition_is_refused") else { return };
    let refused = |bytes: &[u8], name: &str| {
        let mut given = Vec::new();
        let result = Seeded::new(bytes, partition(name)).and_then(|mut image| image.read_to_end(&mut given));
        // No byte of the seed was returned.
        assert!(given.len() as u64 <= SEED_OFFSET);
        let error = result.unwrap_err();
        error.get_ref().and_then(|inner| inner.downcast_ref::<SeededError>()).unwrap().clone()
    };
    let bytes = image.bytes();
    let mut elsewhere = bytes.clone();
    elsewhere[446 + 8] ^= 1;
    assert_eq!(refused(&elsewhere, HOST), SeededError::NoSeedPartition);
    let mut overlapped = bytes.clone();
    overlapped[446 + 16 + 8..446 + 16 + 12].copy_from_slice(&40_000_u32.to_le_bytes());
    assert_eq!(refused(&overlapped, HOST), SeededError::NoSeedPartition);
    assert_eq!(refused(&image.seeded(HOST), HOST), SeededError::NotEmpty);
    assert!(matches!(refused(&bytes, "rk1-02"), SeededError::OtherHost { .. }));
}
