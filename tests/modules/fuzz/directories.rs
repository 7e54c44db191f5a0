//! The check of the data disk's directories: only a directory is bound, and nothing is made outside the disk.

use std::fs;
use std::os::unix::fs::symlink;

use crate::hostile::{each, files, run, script};

#[test]
fn a_disk_leads_nowhere_else() {
    each(|input, mut random| {
        let folder = tempfile::tempdir().unwrap();
        let (disk, outside) = (folder.path().join("disk"), folder.path().join("outside"));
        fs::create_dir(&disk).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("victim"), "kept").unwrap();
        let mut is_bindable = true;
        for name in ["k3s", "k3s-rancher"] {
            let path = disk.join(name);
            match random.below(8) {
                0 => symlink(&outside, &path).unwrap(),
                1 => symlink("/nowhere", &path).unwrap(),
                2 => symlink(random.text().replace('\0', "x") + ".", &path).unwrap(),
                3 => fs::write(&path, random.bytes(50)).unwrap(),
                4 => symlink(name, &path).unwrap(),
                5 => rustix::fs::mknodat(
                    rustix::fs::CWD,
                    &path,
                    rustix::fs::FileType::Fifo,
                    rustix::fs::Mode::from_raw_mode(0o644),
                    0,
                )
                .unwrap(),
                6 => {
                    fs::create_dir(&path).unwrap();
                    fs::write(path.join(format!("x{}", random.name())), "kept").unwrap();
                    continue;
                }
                _ => continue,
            }
            is_bindable = false;
        }
        let output = run(
            script("storage/directories.sh", folder.path())
                .env("MOUNT_POINT", &disk)
                .env("DIRECTORIES", "k3s k3s-rancher"),
            folder.path(),
            input,
        );
        assert_eq!(output.status.success(), is_bindable, "{input}: {output:?}");
        assert_eq!(files(&outside), [std::path::Path::new("victim")], "{input}");
    });
}
