//! An emulated arm64 machine with an eMMC (an SD card to QEMU) and a disk on `NVMe`, which reports through a port of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::evaluation::write;

pub(crate) const QEMU: &str = "qemu-system-aarch64";
const POLL: Duration = Duration::from_millis(200);
/// The lines of the console that a failure shows.
const LAST_LINES: usize = 60;

/// What a machine is made of. Its disks keep what it writes.
#[derive(Clone)]
pub(crate) struct Hardware {
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: PathBuf,
    pub(crate) arguments: String,
    pub(crate) emmc: PathBuf,
    pub(crate) nvme: Option<PathBuf>,
    /// The port on loopback that answers for 172.16.10.9:3000.
    pub(crate) server: u16,
}

pub(crate) struct Running {
    qemu: Child,
    folder: PathBuf,
    started: Instant,
}

impl Hardware {
    /// Switches the machine on. Its report and its console are files in `folder`.
    pub(crate) fn start(&self, folder: &Path) -> Running {
        fs::create_dir_all(folder).expect("a folder");
        // Each connection to the server's address starts the relay. Nothing else is reached.
        let relay = folder.join("relay");
        let port = self.server;
        let script = format!("#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/{port}\ncat <&3 &\ncat >&3\n");
        write(&relay, &script, 0o755);
        let network = format!(
            "user,id=lan,net=172.16.10.0/24,host=172.16.10.1,dns=172.16.10.3,restrict=on,\
             guestfwd=tcp:172.16.10.9:3000-cmd:{}",
            relay.display()
        );
        let mut command = Command::new(QEMU);
        command
            .args(["-machine", "virt,gic-version=3", "-cpu", "cortex-a72", "-smp", "2", "-m", "2048"])
            .args(["-accel", "tcg,thread=multi", "-no-reboot", "-nographic", "-monitor", "none"])
            .args(["-append", &self.arguments])
            .arg("-kernel")
            .arg(&self.kernel)
            .arg("-initrd")
            .arg(&self.initrd)
            .arg("-serial")
            .arg(format!("file:{}", folder.join("console").display()))
            .args(["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=report,name=report"])
            .arg("-chardev")
            .arg(format!("file,id=report,path={}", folder.join("report").display()))
            .args(["-device", "sdhci-pci", "-device", "sd-card,drive=emmc"])
            .arg("-drive")
            .arg(format!("id=emmc,if=none,format=raw,cache=unsafe,file={}", self.emmc.display()))
            .args([
                "-netdev",
                &network,
                "-device",
                "virtio-net-pci,netdev=lan,romfile=,mac=02:00:00:00:00:01",
            ]);
        if let Some(nvme) = &self.nvme {
            command
                .arg("-drive")
                .arg(format!("id=nvme,if=none,format=raw,cache=unsafe,file={}", nvme.display()))
                .args(["-device", "nvme,drive=nvme,serial=data"]);
        }
        let log = fs::File::create(folder.join("qemu")).expect("a file");
        let qemu = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{QEMU}: {error}"));
        Running { qemu, folder: folder.to_owned(), started: Instant::now() }
    }
}

impl Running {
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn report(&self) -> Vec<String> {
        let bytes = fs::read(self.folder.join("report")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    /// Waits until the machine has switched itself off, and returns its report.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<Vec<String>, String> {
        while self.qemu.try_wait().expect("a child").is_none() {
            if self.age() > limit {
                return Err(format!("{} s went by\n{}", limit.as_secs(), self.last_words()));
            }
            thread::sleep(POLL);
        }
        let report = self.report();
        if report.last().is_some_and(|line| line == "end") {
            return Ok(report);
        }
        Err(format!("the machine has not reported\n{}", self.last_words()))
    }

    pub(crate) fn last_words(&self) -> String {
        let mut words = String::new();
        for name in ["report", "console", "qemu"] {
            let bytes = fs::read(self.folder.join(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
            words.extend(["-- ", name, ":\n", &last.join("\n"), "\n"]);
        }
        words
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}
