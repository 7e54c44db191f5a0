//! A real database inside the node's namespace.

use crate::lab::{Lab, in_namespace};
use crate::{requirement, wait_until};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server with a data folder of its own. Dropping it stops it.
pub(crate) struct Store<'lab> {
    lab: &'lab Lab,
    address: &'static str,
    server: Child,
    _data: tempfile::TempDir,
}

impl<'lab> Store<'lab> {
    /// Starts `program`, to which `configure` passes its data folder, and waits until it answers at `address`.
    pub(crate) fn start(
        lab: &'lab Lab,
        program: &str,
        address: &'static str,
        configure: impl FnOnce(&mut Command, &Path),
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &lab.node, program]);
        configure(&mut command, data.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let store = Self { lab, address, server: command.spawn().unwrap(), _data: data };
        wait_until("the server answers", || in_namespace(&lab.node, || TcpStream::connect(address).is_ok()));
        store
    }

    /// Sends a request without a body, and returns the body of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str) -> String {
        let answer = in_namespace(&self.lab.node, || request(self.address, method, path));
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

impl Drop for Store<'_> {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Returns whether a program is installed. Reports `test` as skipped if it is not.
pub(crate) fn is_installed(test: &str, program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        requirement::skipped(test, &format!("`{program}` is not installed (Debian: {package})"));
    }
    found
}

/// Sends a request without a body over a plain connection, and returns the whole answer. It uses HTTP 1.0, so that no
/// answer comes in chunks.
pub(crate) fn request(address: &str, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Encodes a text as a value in the query of a URL.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        write!(encoded, "%{byte:02X}").unwrap();
    }
    encoded
}
