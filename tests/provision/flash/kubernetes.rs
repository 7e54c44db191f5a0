//! A node that Kubernetes counts as ready is in use, even if its SSH server does not answer.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::thread;

use serde_json::json;

use crate::board::Board;
use crate::course::Course;
use crate::course::State::Done;
use crate::project::{Scene, flash};

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: test
contexts: [{ name: test, context: { cluster: test, user: test } }]
clusters: [{ name: test, cluster: { server: \"http://172.16.10.220:6443\" } }]
users: [{ name: test, user: {} }]
";

/// Starts an API server that knows two nodes. It runs until the test's process ends.
fn serve(scene: &Scene) {
    let node = |name: &str, status: &str| {
        let conditions =
            [json!({ "type": "Ready", "status": status, "reason": "Kubelet", "message": "said so" })];
        json!({ "metadata": { "name": name }, "status": { "conditions": conditions } })
    };
    let list = json!({ "apiVersion": "v1", "kind": "NodeList", "metadata": {},
        "items": [node("rk1-01", "True"), node("rk1-02", "False")] });
    let listener = scene.listen(6443);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
            let _ = lines.find(String::is_empty);
            let body = list.to_string();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = connection.write_all(answer.as_bytes());
        }
    });
}

#[test]
fn a_ready_node_is_not_overwritten_without_consent() {
    let mut board = Board::new([Course::after([Done])]).with_power(0).with_power(1);
    board.never_boots = true;
    let Some(scene) = Scene::new("ready", board) else { return };
    serve(&scene);
    fs::write(scene.folder.path().join("kubeconfig"), KUBECONFIG).expect("kubeconfig");
    let run =
        |node| scene.run(flash(scene.folder.path(), &[node, "--wait", "0"]).env("KUBECONFIG", "kubeconfig"));
    scene.assert_seen("ready", &run("rk1-01"));
    let output = run("rk1-02");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
