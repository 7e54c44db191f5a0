//! `rk1 diagram`: the picture of a cluster.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::fs;
use std::path::Path;
use std::process::Command;

use rk1::render::xml::escape;
use snapbox::{Data, assert_data_eq};

const POSTS: &str = include_str!("../../cluster.toml");

fn picture(cluster: &str) -> String {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("cluster.toml"), cluster).expect("cluster.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_rk1"))
        .arg("diagram")
        .current_dir(folder.path())
        .output()
        .expect("rk1 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// `SNAPSHOTS=overwrite` draws it again.
#[test]
fn the_picture_in_the_docs_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/topology.svg");
    assert_data_eq!(picture(POSTS), Data::read_from(&path, None).raw());
}

#[test]
fn the_picture_shows_every_part() {
    let two_routers = POSTS.replace(
        "[gateway]\n",
        "[[bgp.router]]\nname = \"edge\"\naddress = \"172.16.10.2\"\nasn = 64513\nplatform = \"frr\"\n\
         version = \"8.4.4\"\n\n[gateway]\n",
    );
    let two_boards = two_routers
        .replace("slot = 4\n", "slot = 4\nboard = \"second\"\n")
        .replace("slot = 1\n", "slot = 1\nboard = \"turing-pi\"\n")
        .replace("slot = 2\n", "slot = 2\nboard = \"turing-pi\"\n")
        .replace("slot = 3\n", "slot = 3\nboard = \"turing-pi\"\n")
        + "\n[[board]]\nname = \"second\"\nbmc = \"172.16.10.219\"\n";
    let picture = picture(&two_boards);
    for text in [
        ">mikrotik<",
        ">edge<",
        "AS 64513",
        "4 sessions · eBGP to AS 64512",
        "mikrotik: session srv-rk1-04, 172.16.10.224 to 172.16.10.1",
        "edge: session rk1-04, 172.16.10.224 to 172.16.10.2",
        ">172.16.10.219<",
        ">10.200.200.0/24<",
        ">10.200.200.1<",
        "*.virtualthoughts.co.uk",
        "prefers-color-scheme: dark",
    ] {
        assert!(picture.contains(text), "{text} is not in\n{picture}");
    }
    assert_eq!(picture.matches("class=\"session\"").count(), 8);
    assert_eq!(picture.matches(">empty<").count(), 4);
}

/// Nodes in no board are in a box of their own, and machines that join by themselves have no disk. `SNAPSHOTS=overwrite` draws it
/// again.
#[test]
fn the_picture_shows_nodes_in_no_board() {
    let drawn = picture(include_str!("../../examples/mixed-modules/cluster.toml"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/mixed-modules/topology.svg");
    assert_data_eq!(&drawn, Data::read_from(&path, None).raw());
    for text in [
        ">no data disk<",
        ">/dev/nvme0n1 + 1<",
        ">joins by itself<",
        ">in no board<",
        ">other machine<",
        ">CM3588<",
        "6 sessions · iBGP",
        "router: session den-pc, 192.168.20.20 to 192.168.20.1",
    ] {
        assert!(drawn.contains(text), "{text} is not in\n{drawn}");
    }
    assert_eq!(drawn.matches(">empty<").count(), 0);
}

/// `SNAPSHOTS=overwrite` draws it again.
#[test]
fn the_picture_shows_both_address_families() {
    let drawn = picture(include_str!("../../examples/dual-stack/cluster.toml"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/dual-stack/topology.svg");
    assert_data_eq!(&drawn, Data::read_from(&path, None).raw());
    for text in [
        ">fd00:172:16:10::1<",
        ">fd00:172:16:10::224<",
        ">fd00:10:200:200::/112<",
        "8 sessions · iBGP",
        "edge: session rk1-04, 172.16.10.224 to 172.16.10.2; \
         session rk1-04-ipv6, fd00:172:16:10::224 to fd00:172:16:10::2",
        "The gateway is 10.200.200.1 and fd00:10:200:200::1.",
    ] {
        assert!(drawn.contains(text), "{text} is not in\n{drawn}");
    }
}

#[test]
fn a_name_too_long_to_be_read_is_cut_off() {
    let name = "a-node-with-quite-a-long-name-in-the-rack";
    let long = picture(&POSTS.replace("rk1-02", name));
    assert!(long.contains(">a-node-with-quite-a-lo…<"), "{long}");
    // In the words for those who do not see it, it stands whole.
    assert!(long.contains(&format!("{name} (server, 172.16.10.222)")), "{long}");
}

#[test]
fn text_is_escaped() {
    let escaped = |text: &str| {
        let mut output = Vec::new();
        escape(text, &mut output).map(|()| String::from_utf8(output).expect("UTF-8"))
    };
    let text = "</text><script>alert('1' & \"2\")</script>\n";
    let expected = "&lt;/text&gt;&lt;script&gt;alert(&apos;1&apos; &amp; &quot;2&quot;)&lt;/script&gt;&#10;";
    assert_eq!(escaped(text).expect("text"), expected);
    let refused = escaped("\u{0}").map_err(|error| error.to_string());
    assert_eq!(refused, Err("`\\0` is not allowed in XML".to_owned()));
}
