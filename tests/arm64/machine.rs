//! An emulated arm64 machine: QEMU without acceleration, Debian's kernel, and an initial file system in memory.
//!
//! The machine reports through a port of its own, which the guest's `/init` has open as file descriptor 3, line by line; the
//! console is only shown when something fails. Dropping a running machine cuts its power.

use std::fs;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::root::Root;

pub(crate) const QEMU: &str = "qemu-system-aarch64";

/// The time between two looks at the report.
const POLL: Duration = Duration::from_millis(50);
/// The lines of the console that a failure shows.
const LAST_LINES: usize = 40;

/// A machine that has not been started.
pub(crate) struct Machine {
    command: Command,
    folder: TempDir,
}

impl Machine {
    /// Describes a machine with four CPUs of the kind of the RK1's large cores.
    pub(crate) fn new(root: &Root) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(QEMU);
        command
            .args(["-machine", "virt,gic-version=3", "-cpu", "cortex-a76", "-smp", "4", "-m", "2048"])
            .args(["-accel", "tcg,thread=multi", "-no-reboot", "-nographic", "-monitor", "none"])
            // A machine whose clock does not stop when the host is slow: timeouts mean the same in both.
            .args(["-rtc", "base=utc", "-nic", "none"])
            .args(["-append", "console=ttyAMA0 quiet panic=-1"])
            .arg("-kernel")
            .arg(root.kernel())
            .arg("-initrd")
            .arg(root.pack(folder.path()))
            .arg("-serial")
            .arg(format!("file:{}", folder.path().join("console").display()))
            .args(["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=report"])
            .arg("-chardev")
            .arg(format!("file,id=report,path={}", folder.path().join("report").display()));
        Self { command, folder }
    }

    /// Adds a network card, and returns what sends frames to it.
    pub(crate) fn network(mut self) -> (Self, Cable) {
        let far = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        // QEMU binds a port that is free now.
        let near = UdpSocket::bind("127.0.0.1:0").expect("a socket").local_addr().expect("an address");
        let far_address = far.local_addr().expect("an address");
        self.command
            .arg("-netdev")
            .arg(format!("socket,id=cable,udp={far_address},localaddr={near}"))
            .args(["-device", "virtio-net-pci,netdev=cable,romfile=,mac=02:00:00:00:00:01"]);
        far.connect(near).expect("an address");
        (self, Cable(far))
    }

    pub(crate) fn start(mut self) -> Running {
        let log = fs::File::create(self.folder.path().join("qemu")).expect("a file");
        let qemu = self
            .command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{QEMU}: {error}"));
        Running { qemu, folder: self.folder, started: Instant::now() }
    }
}

/// The other end of the network card's cable.
pub(crate) struct Cable(UdpSocket);

impl Cable {
    /// Sends a frame to the machine.
    pub(crate) fn send(&self, frame: &[u8]) {
        self.0.send(frame).expect("the machine listens");
    }
}

/// A machine that has been started.
pub(crate) struct Running {
    qemu: Child,
    folder: TempDir,
    started: Instant,
}

impl Running {
    /// Returns the whole lines that the guest has reported so far.
    pub(crate) fn report(&self) -> Vec<String> {
        let bytes = fs::read(self.folder.path().join("report")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }

    /// Returns the time since the machine was started.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until the guest has reported `line`.
    pub(crate) fn wait_for(&mut self, line: &str, limit: Duration) -> Result<(), String> {
        self.wait_until(&format!("`{line}`"), limit, |report, _| {
            report.iter().any(|reported| reported == line)
        })
    }

    /// Waits until the machine has switched itself off, and returns its report.
    pub(crate) fn wait_until_off(&mut self, limit: Duration) -> Result<Vec<String>, String> {
        self.wait_until("the machine is off", limit, |_, is_off| is_off)?;
        Ok(self.report())
    }

    fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        is_so: impl Fn(&[String], bool) -> bool,
    ) -> Result<(), String> {
        let waited = Instant::now();
        loop {
            let is_off = self.qemu.try_wait().expect("a child").is_some();
            if is_so(&self.report(), is_off) {
                return Ok(());
            }
            if is_off || waited.elapsed() > limit {
                let why = if is_off {
                    "the machine is off".to_owned()
                } else {
                    format!("{} s went by", limit.as_secs())
                };
                return Err(format!("{why} before {what}\n{}", self.last_words()));
            }
            thread::sleep(POLL);
        }
    }

    /// Returns the end of the report, of the console and of QEMU's own messages.
    pub(crate) fn last_words(&self) -> String {
        let mut words = String::new();
        for name in ["report", "console", "qemu"] {
            let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
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
