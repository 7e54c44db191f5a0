//! A checksum of every block of a disk that is not all zeros.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const BLOCK: usize = 64 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub struct Fingerprint {
    length: u64,
    /// By offset in bytes; a block that is not here is all zeros.
    blocks: BTreeMap<u64, u64>,
}

impl Fingerprint {
    pub fn of(image: &Path) -> Self {
        let mut file = File::open(image).unwrap();
        let length = file.metadata().unwrap().len();
        let (mut block, zeros, mut blocks) = (Vec::new(), vec![0; BLOCK], BTreeMap::new());
        let mut from = 0;
        // Holes of the sparse file are zeros, and are passed over. At the end of the data this is an error, ENXIO.
        while let Ok(data) = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(from)) {
            let at = data - data % BLOCK as u64;
            file.seek(SeekFrom::Start(at)).unwrap();
            block.clear();
            (&file).take(BLOCK as u64).read_to_end(&mut block).unwrap();
            if block[..] != zeros[..block.len()] {
                let mut hasher = DefaultHasher::new();
                hasher.write(&block);
                blocks.insert(at, hasher.finish());
            }
            from = at + BLOCK as u64;
        }
        Self { length, blocks }
    }

    #[track_caller]
    pub fn assert_same(&self, later: &Self, when: &str) {
        self.assert_same_but_for(later, &[], when);
    }

    /// Compares all but the blocks at `offsets`.
    #[track_caller]
    pub fn assert_same_but_for(&self, later: &Self, offsets: &[u64], when: &str) {
        assert_eq!(self.length, later.length, "{when}: the disk's size changed");
        let all: BTreeSet<_> = self.blocks.keys().chain(later.blocks.keys()).collect();
        let changed = all.into_iter().filter(|at| self.blocks.get(at) != later.blocks.get(at));
        let changed: Vec<_> = changed.filter(|at| !offsets.contains(at)).collect();
        assert!(changed.is_empty(), "{when}: bytes changed in the 64 KiB at {changed:?}");
    }
}
