//! Mutated images, seeds and keys give a result or an error, never a panic, and never change a byte outside the seed
//! partition.

use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use rk1::config::modules::Hardware;
use rk1::provision::image::layout::{SEED_OFFSET, SEED_SIZE};
use rk1::provision::image::{Content, inspect};
use rk1::provision::seed::Seeded;

use crate::cluster::{cluster, folder, host_key, node, partition, put};
use crate::composed::{Composed, HOST};
use crate::program::{lacks, run};

/// A random generator with the same sequence in each run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    /// Returns a byte, often one at which numbers overflow.
    fn byte(&mut self) -> u8 {
        const TURNS: [u8; 8] = [0, 1, 2, 0x7f, 0x80, 0xe5, 0xfe, 0xff];
        if self.next().is_multiple_of(2) { TURNS[self.below(8)] } else { self.next().to_le_bytes()[0] }
    }

    /// Changes up to eight bytes in the given ranges, and returns the old ones.
    fn mutate(&mut self, bytes: &mut [u8], ranges: &[std::ops::Range<usize>]) -> Vec<(usize, u8)> {
        let count = 1 + self.below(8);
        (0..count)
            .map(|_| {
                let range = ranges[self.below(ranges.len())].clone();
                let place = range.start + self.below(range.len());
                let before = bytes[place];
                bytes[place] = self.byte();
                (place, before)
            })
            .collect()
    }
}

fn restore(bytes: &mut [u8], changes: Vec<(usize, u8)>) {
    for (place, before) in changes.into_iter().rev() {
        bytes[place] = before;
    }
}

/// Returns the head of an image.
fn head(image: &Composed) -> Vec<u8> {
    image.bytes()[..34 << 10].to_vec()
}

#[test]
fn mutated_headers_give_a_result_or_an_error() {
    let Some(image) = Composed::new("mutated_headers_give_a_result_or_an_error") else { return };
    let mut random = Random(1);
    let mut mbr = head(image);
    let mut gpt = mbr.clone();
    gpt[450] = 0xee;
    gpt[512..520].copy_from_slice(b"EFI PART");
    gpt[512 + 72..512 + 80].copy_from_slice(&2_u64.to_le_bytes());
    gpt[512 + 80..512 + 84].copy_from_slice(&128_u32.to_le_bytes());
    gpt[512 + 84..512 + 88].copy_from_slice(&128_u32.to_le_bytes());
    gpt[1024..1040].fill(7);
    gpt[1024 + 32..1024 + 48].copy_from_slice(&[70, 0, 0, 0, 0, 0, 0, 0, 75, 0, 0, 0, 0, 0, 0, 0]);
    let mut tables = 0;
    for _ in 0..30_000 {
        for (base, places) in [
            (&mut mbr, &[440..512, 32768..32772][..]),
            (&mut gpt, &[446..512, 512..604, 1024..1152, 1024..1088]),
        ] {
            let changes = random.mutate(base, places);
            let inspection = inspect(&base[..], Hardware::DEFAULT).unwrap();
            tables += usize::from(inspection.table.is_some());
            let _ = (inspection.faults(), inspection.host(), inspection.seed());
            restore(base, changes);
        }
    }
    assert!(tables > 10_000, "only {tables} tables were read");
}

/// Makes an image whose first partition is a FAT of 64 KiB with a seed, and whose second is an ext4 that boots.
fn small(test: &str) -> Option<(Vec<u8>, usize, usize)> {
    let image = Composed::new(test)?;
    if lacks(test, &["mkfs.vfat", "mkfs.ext4", "mcopy"]) {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    run("mkfs.vfat", &["-C", "-F", "12", "-s", "1", "-r", "16", "-n", "RK1-SEED", &path("fat"), "64"]);
    fs::write(path("HOST"), "turing-pi/rk1-01\n").unwrap();
    fs::write(path("secret"), "a secret").unwrap();
    run("mcopy", &["-i", &path("fat"), &path("HOST"), "::HOST"]);
    run("mcopy", &["-i", &path("fat"), &path("secret"), "::secret.k3s-token"]);
    let tree = directory.path().join("tree/boot/extlinux");
    fs::create_dir_all(&tree).unwrap();
    fs::write(
        tree.join("extlinux.conf"),
        "LABEL one\nLINUX ../kernel\nFDTDIR ../\nINITRD ../kernel\nAPPEND init=/nix/x-nixos-system-a-1/init\n",
    )
    .unwrap();
    fs::write(directory.path().join("tree/boot/kernel"), [0; 100]).unwrap();
    fs::File::create(path("ext4")).unwrap().set_len(256 << 10).unwrap();
    run(
        "mkfs.ext4",
        &["-q", "-b", "1024", "-N", "32", "-O", "^has_journal", "-d", &path("tree"), &path("ext4")],
    );

    let mut bytes = head(image);
    bytes.resize(64 << 10, 0);
    let fat = bytes.len();
    bytes.extend(fs::read(path("fat")).unwrap());
    let ext4 = bytes.len();
    bytes.extend(fs::read(path("ext4")).unwrap());
    for (entry, start, end) in [(446, fat, ext4), (462, ext4, bytes.len())] {
        let sectors = |length: usize| u32::try_from(length / 512).unwrap().to_le_bytes();
        bytes[entry + 8..entry + 12].copy_from_slice(&sectors(start));
        bytes[entry + 12..entry + 16].copy_from_slice(&sectors(end - start));
    }
    let inspection = inspect(&bytes[..], Hardware::DEFAULT).unwrap();
    assert!(inspection.seed().is_some() && inspection.boot().is_some(), "{inspection:?}");
    Some((bytes, fat, ext4))
}

#[test]
fn mutated_fat_partitions_give_a_result_or_an_error() {
    let Some((mut bytes, fat, ext4)) = small("mutated_fat_partitions_give_a_result_or_an_error") else {
        return;
    };
    bytes.truncate(ext4);
    let mut random = Random(2);
    // The boot sector, the root directory, and everything.
    let places = [fat..fat + 64, fat..fat + 64, fat + 512..fat + 4096, fat..ext4];
    let mut seeds = 0;
    for _ in 0..30_000 {
        let changes = random.mutate(&mut bytes, &places);
        let inspection = inspect(&bytes[..], Hardware::DEFAULT).unwrap();
        seeds += usize::from(inspection.seed().is_some());
        restore(&mut bytes, changes);
    }
    assert!(seeds > 1_000, "only {seeds} seeds were seen");
}

#[test]
fn mutated_root_filesystems_give_a_result_or_an_error() {
    let Some((mut bytes, _, ext4)) = small("mutated_root_filesystems_give_a_result_or_an_error") else {
        return;
    };
    let mut random = Random(3);
    let end = bytes.len();
    let places = [ext4 + 1024..ext4 + 2048, ext4 + 2048..ext4 + 2112, ext4..ext4 + (32 << 10), ext4..end];
    let (mut read, began) = (0, Instant::now());
    for _ in 0..10_000 {
        let changes = random.mutate(&mut bytes, &places);
        let inspection = inspect(&bytes[..], Hardware::DEFAULT).unwrap();
        let is_read =
            inspection.partitions.iter().any(|partition| matches!(partition.content, Content::Ext4(_)));
        read += usize::from(is_read);
        let _ = inspection.faults();
        restore(&mut bytes, changes);
    }
    assert!(read > 250, "only {read} were read, in {:?}", began.elapsed());
}

/// An endless stream of zeros after a head.
struct Long<'a> {
    head: &'a [u8],
    position: u64,
    boot: &'a [u8],
}

impl Read for Long<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(0);
        let end = self.position + buffer.len() as u64;
        for (offset, part) in [(0, self.head), (SEED_OFFSET, self.boot)] {
            let (from, until) = (offset.max(self.position), (offset + part.len() as u64).min(end));
            if from < until {
                let place = |at: u64, start: u64| usize::try_from(at - start).unwrap();
                let inside = place(from, offset)..place(until, offset);
                buffer[place(from, self.position)..place(until, self.position)]
                    .copy_from_slice(&part[inside]);
            }
        }
        self.position += buffer.len() as u64;
        Ok(buffer.len())
    }
}

#[test]
fn mutated_seeds_in_images_give_a_result_or_an_error() {
    let Some(image) = Composed::new("mutated_seeds_in_images_give_a_result_or_an_error") else { return };
    let bytes = image.bytes();
    let seed_at = usize::try_from(SEED_OFFSET).unwrap();
    let (mut head, mut boot) = (bytes[..512].to_vec(), bytes[seed_at..seed_at + 512].to_vec());
    let seed = Arc::new(partition(HOST));
    let mut random = Random(4);
    let (mut given, mut refused) = (0, 0);
    let (mut ours, mut theirs) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    for _ in 0..10_000 {
        // Most in the table: an image that is accepted is read for 16 MiB and more.
        let in_head = random.mutate(&mut head, &[440..446, 446..512, 446..512, 446..512, 446..512]);
        let in_boot =
            if random.below(4) == 0 { random.mutate(&mut boot, &[0..64, 500..512]) } else { Vec::new() };
        let plain = || Long { head: &head, position: 0, boot: &boot };
        match Seeded::new(plain(), Arc::clone(&seed)) {
            Err(_) => refused += 1,
            Ok(mut seeded) => {
                let mut original = plain();
                let mut position = 0;
                // The table is judged before the first byte, and the seed partition at its own first byte. A few images are
                // read beyond its end, and the many that follow are not read up to it.
                let until = match given {
                    0..50 => SEED_OFFSET + SEED_SIZE + (1 << 20),
                    50..300 => SEED_OFFSET + (1 << 20),
                    _ => 1 << 20,
                };
                while position < until {
                    if let Err(error) = seeded.read_exact(&mut ours) {
                        assert!(position >= SEED_OFFSET - ours.len() as u64, "{error} at {position}");
                        refused += 1;
                        break;
                    }
                    original.read_exact(&mut theirs).unwrap();
                    let is_inside = (SEED_OFFSET..SEED_OFFSET + SEED_SIZE).contains(&position);
                    assert!(is_inside || ours == theirs, "a byte near {position} was changed");
                    position += ours.len() as u64;
                    given += usize::from(position == until);
                }
            }
        }
        restore(&mut head, in_head);
        restore(&mut boot, in_boot);
    }
    assert!(given > 50 && refused > 1_000, "{given} given, {refused} refused");
}

#[test]
fn mutated_host_keys_give_a_result_or_an_error() {
    let cluster = cluster();
    let folder = folder();
    let mut key = host_key().into_bytes();
    let mut random = Random(5);
    let end = key.len();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..10_000 {
        let changes = random.mutate(&mut key, &[0..end, 36..80]);
        let length = if random.below(8) == 0 { random.below(end) } else { end };
        put(folder.path(), "rk1-01-ssh", &key[..length]);
        match rk1::provision::seed::for_node(&cluster, node(&cluster, HOST), folder.path()) {
            Ok(_) => taken += 1,
            Err(_) => refused += 1,
        }
        restore(&mut key, changes);
    }
    assert!(taken > 0 && refused > 1_000, "{taken} taken, {refused} refused");
    assert!(partition(HOST).bytes().len() as u64 == SEED_SIZE);
}
