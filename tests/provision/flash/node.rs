//! The SSH server of a node: it greets when the node is on, and not while it is off or being flashed.

use std::io::Write;
use std::net::TcpStream;
use std::thread;

use crate::network::{Network, listen};
use crate::server::Bmc;

/// Listens for the node in a slot, counted from 0, until the test's process ends.
pub(crate) fn start(network: &Network, bmc: &Bmc, slot: usize) {
    let listener = listen(&network.namespace(), (["172.16.10.221", "172.16.10.222"][slot], 22));
    let bmc = bmc.clone();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut board = bmc.board();
            board.knocks += u32::from(board.runs(slot));
            if board.greets(slot) {
                greet(&connection.expect("a connection"));
            }
        }
    });
}

fn greet(mut connection: &TcpStream) {
    let _ = connection.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
}
