//! Clusters with routers of every kind.

use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::Problems;
use rk1::config::source::Source;
use rk1::render::document::Document;
use rk1::render::routers::router_documents;

/// The cluster of the posts.
const POSTS: &str = include_str!("../../../cluster.toml");

/// The posts' cluster with another router.
pub(crate) fn with_router(router: &str) -> String {
    let start = POSTS.find("[[bgp.router]]").expect("a router");
    let end = POSTS.find("[gateway]").expect("[gateway]");
    let secrets = if router.contains("password") { "bgp-password = \"secrets/bgp-password\"\n" } else { "" };
    [&POSTS[..start], "[[bgp.router]]\n", router, "\n", &POSTS[end..], secrets].concat()
}

/// The dual-stack example with another router, whose IPv6 address is added to what is written of it.
pub(crate) fn dual_stack(router: &str) -> String {
    let example = include_str!("../../../examples/dual-stack/cluster.toml");
    let start = example.find("[[bgp.router]]").expect("a router");
    let end = example.find("[gateway]").expect("[gateway]");
    let address = "address-ipv6 = \"fd00:172:16:10::1\"\n";
    [&example[..start], "[[bgp.router]]\n", router, address, "\n", &example[end..]].concat()
}

/// The dual-stack example with a router of another version of `RouterOS`.
pub(crate) fn dual_stack_routeros(version: &str) -> String {
    let router = "name = \"mikrotik\"\naddress = \"172.16.10.1\"\nplatform = \"routeros\"\n";
    dual_stack(&format!("{router}version = \"{version}\"\nsession-prefix = \"srv-\"\n"))
}

/// The same cluster with its router outside the nodes' network.
pub(crate) fn multihop(text: &str) -> String {
    let (near, near_ipv6) = ("address = \"172.16.10.1\"\n", "address-ipv6 = \"fd00:172:16:10::1\"\n");
    let start = text.find("[[bgp.router]]").expect("a router");
    let (before, router) = text.split_at(start);
    assert!(router.contains(near));
    let far = router.replacen(near, "address = \"192.168.10.1\"\nmultihop = 2\n", 1);
    [before, &far.replacen(near_ipv6, "address-ipv6 = \"fd00:192:168:10::1\"\n", 1)].concat()
}

/// The posts' router, with another version.
pub(crate) fn routeros(version: &str) -> String {
    let same = "version = \"7.18\"";
    assert!(POSTS.contains(same));
    POSTS.replace(same, &format!("version = \"{version}\""))
}

pub(crate) fn parse(text: String) -> Cluster {
    let mut problems = Problems::default();
    let cluster = Cluster::parse(&Source { name: "cluster.toml".to_owned(), text }, &mut problems);
    cluster.unwrap_or_else(|| unreachable!("{problems:?}"))
}

/// The posts' cluster with another router, and with AS numbers of their own for the last two nodes. The router, if it has no
/// number, is in the autonomous system of the others.
pub(crate) fn own_numbers(router: &str) -> String {
    let mut text = with_router(router);
    for (node, asn) in [("rk1-03", 64603), ("rk1-04", 64604)] {
        text = text.replace(&format!("name = \"{node}\"\n"), &format!("name = \"{node}\"\nasn = {asn}\n"));
    }
    text
}

/// What is rendered into `routers/`.
pub(crate) fn rendered(text: String) -> Vec<Document> {
    let cluster = parse(text);
    let of = |router| router_documents(&cluster, router).expect("documents");
    let mut documents: Vec<_> = cluster.routers().iter().flat_map(of).collect();
    documents.sort_by_key(Document::path);
    documents
}

/// An FRR router of another autonomous system, with a password.
pub(crate) const EXTERNAL_FRR: &str = "name = \"edge\"\naddress = \"172.16.10.1\"\nasn = 64513\nplatform = \"frr\"\nversion = \"8.4.4\"\n\
     password = \"bgp-password\"\n";
pub(crate) const FRR: &str =
    "name = \"frr\"\naddress = \"172.16.10.1\"\nplatform = \"frr\"\nversion = \"8.4.4\"\n";
pub(crate) const BIRD: &str =
    "name = \"bird\"\naddress = \"172.16.10.1\"\nplatform = \"bird\"\nversion = \"2.0.12\"\n";
pub(crate) const EXTERNAL_BIRD: &str = "name = \"edge\"\naddress = \"172.16.10.1\"\nasn = 64513\nplatform = \"bird\"\nversion = \"3.1.0\"\n\
     password = \"bgp-password\"\nsession-prefix = \"srv-\"\n";
pub(crate) const VYOS: &str = "name = \"vyos\"\naddress = \"172.16.10.1\"\nplatform = \"vyos\"\nversion = \"1.4.2\"\npassword = \"bgp-password\"\n";
pub(crate) const OPNSENSE: &str =
    "name = \"sense\"\naddress = \"172.16.10.1\"\nplatform = \"opnsense\"\nversion = \"25.7\"\n";
pub(crate) const UNIFI: &str = "name = \"gateway\"\naddress = \"172.16.10.1\"\nasn = 64513\nplatform = \"unifi\"\nversion = \"9.3\"\n\
     password = \"bgp-password\"\n";
pub(crate) const EXTERNAL_ROUTEROS: &str = "name = \"mikrotik\"\naddress = \"172.16.10.1\"\nasn = 64513\nplatform = \"routeros\"\nversion = \"7.22\"\n\
     password = \"bgp-password\"\n";
pub(crate) const EXTERNAL_VYOS: &str =
    "name = \"vyos\"\naddress = \"172.16.10.1\"\nasn = 64513\nplatform = \"vyos\"\nversion = \"1.4.2\"\n";
pub(crate) const PFSENSE: &str =
    "name = \"sense\"\naddress = \"172.16.10.1\"\nplatform = \"pfsense\"\nversion = \"2.8.0\"\n";
pub(crate) const OPENWRT: &str =
    "name = \"wrt\"\naddress = \"172.16.10.1\"\nplatform = \"openwrt\"\nversion = \"24.10.2\"\n";
