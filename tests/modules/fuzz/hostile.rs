//! Hostile inputs from a fixed random sequence, and scripts that run on them within bounds.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) const INPUTS: u64 = 1000;
/// Far above what a run takes, on a busy machine as well.
const LIMIT: Duration = Duration::from_mins(1);

/// Texts that mean something to a shell, to arithmetic, to a path or to a terminal.
const TEXTS: [&str; 24] = [
    "",
    " ",
    "\n",
    "\0",
    "0",
    "-1",
    "08",
    "99999999999999999999",
    "a[$(touch PWNED)]",
    "$(touch PWNED)",
    "`touch PWNED`",
    "; touch PWNED;",
    "| touch PWNED",
    "\"; touch PWNED; \"",
    "'; touch PWNED; '",
    "../../PWNED",
    "/etc/passwd",
    "--help",
    "-rf",
    "*",
    "\x1b]0;PWNED\x07",
    "\u{202e}",
    "x=y=z",
    "%s%n",
];

/// A sequence of random numbers (xorshift64*), the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }

    /// A few hostile texts, joined.
    pub(crate) fn text(&mut self) -> String {
        (0..=self.below(3)).map(|_| self.pick(&TEXTS)).collect()
    }

    /// A hostile name of a file.
    pub(crate) fn name(&mut self) -> String {
        let name = self.text().replace(['/', '\0'], "_");
        name.chars().take(60).collect()
    }
}

/// Runs `check` with each input, on two threads.
pub(crate) fn each(check: impl Fn(u64, Random) + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= INPUTS {
                        break;
                    }
                    check(number, Random::new(number));
                }
            });
        }
    });
    assert!(next.into_inner() >= INPUTS);
}

/// A script of the modules, which runs in `folder`.
pub(crate) fn script(name: &str, folder: &Path) -> Command {
    let mut command = Command::new("bash");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("modules").join(name)).current_dir(folder);
    command
}

/// Runs the command, which has to end in time, and checks that nothing of the input has run.
#[track_caller]
pub(crate) fn run(command: &mut Command, folder: &Path, input: u64) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = rustix::process::Pid::from_child(&child);
    let (done, ended) = std::sync::mpsc::channel();
    let began = Instant::now();
    let watch = std::thread::spawn(move || {
        let has_ended = ended.recv_timeout(LIMIT).is_ok();
        if !has_ended {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = done.send(());
    watch.join().unwrap();
    assert!(began.elapsed() < LIMIT, "input {input} keeps the script running");
    assert!(!folder.join("PWNED").exists(), "input {input} was run: {output:?}");
    output
}

pub(crate) fn program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A search path that begins with `bin`.
pub(crate) fn search_path(bin: &Path) -> String {
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// Every file below a folder, relative to it; links are named, not followed.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}
