//! A real store of rows inside the node's namespace, and how it is asked.

use crate::lab::{Lab, in_namespace};
use crate::{requirement, wait_until};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server with a data folder of its own; stopped when it is dropped.
pub(crate) struct Store<'lab> {
    lab: &'lab Lab,
    address: &'static str,
    server: Child,
    _data: tempfile::TempDir,
}

impl<'lab> Store<'lab> {
    /// Starts `program`, told by `configure` where its data is, and waits until it answers at `address`.
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

    /// The body of the answer to a request without one.
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

/// Whether `program` of a Debian package is there; says that `test` is skipped if it is not.
pub(crate) fn is_installed(test: &str, program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        requirement::skipped(test, &format!("`{program}` is not installed (Debian: {package})"));
    }
    found
}

/// One request without a body over a plain connection, and all of its answer. By HTTP 1.0, so that no answer comes in
/// chunks.
pub(crate) fn request(address: &str, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Text as a value in a URL's query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        write!(encoded, "%{byte:02X}").unwrap();
    }
    encoded
}
