//! The daemon as a child process inside a namespace.

use crate::lab::{Lab, WATCHED};
use crate::wait_until;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A running daemon. Dropping it kills it.
pub(crate) struct Daemon {
    child: Child,
    log: Arc<Mutex<String>>,
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// Returns a command that runs `xdp-streamer` in the node's namespace, without any of the variables that it reads.
pub(crate) fn command(lab: &Lab, arguments: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &lab.node, env!("CARGO_BIN_EXE_xdp-streamer")]).args(arguments);
    for variable in [
        "GRAFANA_URL",
        "GRAFANA_TOKEN",
        "INTERFACE_NAME",
        "CREDENTIALS_DIRECTORY",
        "NOTIFY_SOCKET",
        "JOURNAL_STREAM",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Daemon {
    /// Starts `xdp-streamer run` on the watched interface. Returns when it is attached.
    pub(crate) fn start(lab: &Lab, arguments: &[&str]) -> Self {
        let all =
            [&["run", "--interface", WATCHED, "--host", "rk1-01", "--interval", "200ms"][..], arguments]
                .concat();
        Self::spawn(command(lab, &all))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (log, log_reader) = collect(child.stderr.take().unwrap());
        let (output, output_reader) = collect(child.stdout.take().unwrap());
        let daemon = Self { child, log, output, readers: vec![log_reader, output_reader] };
        wait_until("the daemon attaches", || daemon.log().contains("attached in"));
        daemon
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM. Returns how the daemon ended, and how long that took.
    pub(crate) fn terminate(&mut self) -> (ExitStatus, Duration) {
        self.signal(rustix::process::Signal::TERM)
    }

    pub(crate) fn kill(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }

    pub(crate) fn signal(&mut self, signal: rustix::process::Signal) -> (ExitStatus, Duration) {
        let start = Instant::now();
        // `ip netns exec` replaces itself by the daemon, so the child is the daemon.
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
        let status = self.child.wait().unwrap();
        let time = start.elapsed();
        self.read_to_the_end();
        (status, time)
    }

    /// Waits until the daemon ends by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the daemon ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        self.read_to_the_end();
        status.unwrap()
    }

    /// Reads the pipes of an ended daemon to their end.
    fn read_to_the_end(&mut self) {
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut from: impl std::io::Read + Send + 'static) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let writing = Arc::clone(&text);
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.by_ref().read(&mut buffer) {
            writing.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    });
    (text, reader)
}
