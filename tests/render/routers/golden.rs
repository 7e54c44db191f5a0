//! Compares each platform's files whole. `SNAPSHOTS=overwrite` writes the expected texts.

use std::path::Path;

use snapbox::{Data, assert_data_eq};

use crate::cluster::{
    BIRD, EXTERNAL_BIRD, EXTERNAL_FRR, EXTERNAL_ROUTEROS, EXTERNAL_VYOS, FRR, OPENWRT, OPNSENSE, PFSENSE,
    UNIFI, VYOS, dual_stack, dual_stack_routeros, multihop, own_numbers, rendered, routeros, with_router,
};

/// The four lines of the posts.
const POSTS: [&str; 4] = [
    "routing/bgp/connection/ add address-families=ip as=64512 disabled=no local.role=ibgp name=srv-rk1-01 \
     output.default-originate=always remote.address=172.16.10.221 routing-table=main",
    "routing/bgp/connection/ add address-families=ip as=64512 disabled=no local.role=ibgp name=srv-rk1-02 \
     output.default-originate=always remote.address=172.16.10.222 routing-table=main",
    "routing/bgp/connection/ add address-families=ip as=64512 disabled=no local.role=ibgp name=srv-rk1-03 \
     output.default-originate=always remote.address=172.16.10.223 routing-table=main",
    "routing/bgp/connection/ add address-families=ip as=64512 disabled=no local.role=ibgp name=srv-rk1-04 \
     output.default-originate=always remote.address=172.16.10.224 routing-table=main",
];

/// Compares everything that is rendered for one router with the files of the case.
fn compare(case: &str, text: String) {
    let documents = rendered(text);
    assert!(!documents.is_empty());
    for document in documents {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/render/routers/golden")
            .join(format!("{case}.{}", document.name));
        assert_data_eq!(document.body, Data::read_from(&path, None).raw());
    }
}

/// One test for each golden case: `cargo test --test routers golden::dual_stack_frr`.
macro_rules! golden {
    ($($name:ident: $case:literal, $text:expr;)+) => {
        $(#[test]
        fn $name() {
            compare($case, $text);
        })+
    };
}

golden! {
    routeros_7_18: "7.18", routeros("7.18");
    routeros_7_19: "7.19", routeros("7.19");
    routeros_7_20: "7.20", routeros("7.20");
    routeros_7_22: "7.22", routeros("7.22");
    external_routeros: "external-7.22", with_router(EXTERNAL_ROUTEROS);
    frr: "8.4", with_router(FRR);
    external_frr: "external-8.4", with_router(EXTERNAL_FRR);
    bird: "2.0", with_router(BIRD);
    external_bird: "external-3.1", with_router(EXTERNAL_BIRD);
    vyos: "1.4", with_router(VYOS);
    opnsense: "25.7", with_router(OPNSENSE);
    unifi: "9.3", with_router(UNIFI);
    pfsense: "2.8", with_router(PFSENSE);
    openwrt: "24.10", with_router(OPENWRT);
    own_numbers_frr: "own-numbers-8.4", own_numbers(FRR);
    own_numbers_bird: "own-numbers-2.0", own_numbers(BIRD);
    own_numbers_vyos: "own-numbers-1.4", own_numbers(VYOS);
    own_numbers_routeros: "own-numbers-7.22", own_numbers(EXTERNAL_ROUTEROS);
    dual_stack_routeros_7_18: "dual-stack-7.18", dual_stack_routeros("7.18");
    dual_stack_routeros_7_19: "dual-stack-7.19", dual_stack_routeros("7.19");
    dual_stack_routeros_7_20: "dual-stack-7.20", dual_stack_routeros("7.20");
    dual_stack_routeros_7_22: "dual-stack-7.22", dual_stack_routeros("7.22");
    dual_stack_external_routeros: "dual-stack-external-7.22", dual_stack(EXTERNAL_ROUTEROS);
    dual_stack_frr: "dual-stack-8.4", dual_stack(FRR);
    dual_stack_external_frr: "dual-stack-external-8.4", dual_stack(EXTERNAL_FRR);
    dual_stack_bird: "dual-stack-2.0", dual_stack(BIRD);
    dual_stack_external_bird: "dual-stack-external-3.1", dual_stack(EXTERNAL_BIRD);
    dual_stack_vyos: "dual-stack-1.4", dual_stack(VYOS);
    dual_stack_opnsense: "dual-stack-25.7", dual_stack(OPNSENSE);
    multihop_routeros: "multihop-7.22", multihop(&with_router(EXTERNAL_ROUTEROS));
    multihop_frr: "multihop-8.4", multihop(&with_router(FRR));
    multihop_external_frr: "multihop-external-8.4", multihop(&with_router(EXTERNAL_FRR));
    multihop_bird: "multihop-2.0", multihop(&with_router(BIRD));
    multihop_vyos: "multihop-external-1.4", multihop(&with_router(EXTERNAL_VYOS));
    multihop_opnsense: "multihop-25.7", multihop(&with_router(OPNSENSE));
    multihop_unifi: "multihop-9.3", multihop(&with_router(UNIFI));
    multihop_dual_stack_external_frr: "multihop-dual-stack-external-8.4", multihop(&dual_stack(EXTERNAL_FRR));
    multihop_dual_stack_external_bird: "multihop-dual-stack-external-3.1", multihop(&dual_stack(EXTERNAL_BIRD));
}

#[test]
fn the_lines_of_the_original_posts_are_unchanged() {
    let documents = rendered(routeros("7.18"));
    let apply = documents.iter().find(|document| document.name == "mikrotik.rsc").expect("mikrotik.rsc");
    let lines: Vec<_> = apply.body.lines().filter(|line| line.starts_with("routing/")).collect();
    assert_eq!(lines, POSTS);
}

#[test]
fn each_router_has_its_own_files() {
    let two = format!("{FRR}\n[[bgp.router]]\n{}", BIRD.replace("10.1\"", "10.2\""));
    let names: Vec<_> = rendered(with_router(&two)).into_iter().map(|document| document.name).collect();
    assert_eq!(names, ["bird.bird.conf", "frr.frr.conf", "frr.remove.frr.conf"]);
}

#[test]
fn a_pool_of_one_address_is_accepted() {
    let of_pool = |pool: &str| {
        let text = with_router(FRR).replace("10.200.200.0/24", pool);
        let line = rendered(text).swap_remove(0).body;
        line.lines()
            .find(|line| line.starts_with("ip prefix-list"))
            .map(str::to_owned)
            .expect("a prefix list")
    };
    let list = "ip prefix-list rk1-turing-pi-pool seq 5 permit";
    assert_eq!(of_pool("10.200.200.0/31"), format!("{list} 10.200.200.0/31 ge 32"));
    // FRR refuses `ge 32` where nothing can be longer.
    assert_eq!(of_pool("10.200.200.1/32"), format!("{list} 10.200.200.1/32"));
}

#[test]
fn an_ipv6_pool_of_one_address_is_accepted() {
    let of_pool = |pool: &str| {
        let text = dual_stack(FRR).replace("fd00:10:200:200::/112", pool);
        let body = rendered(text).swap_remove(0).body;
        let line = body.lines().find(|line| line.starts_with("ipv6 prefix-list"));
        line.map(str::to_owned).expect("a prefix list")
    };
    let list = "ipv6 prefix-list rk1-turing-pi-pool-ipv6 seq 5 permit";
    assert_eq!(of_pool("fd00:10:200:200::/127"), format!("{list} fd00:10:200:200::/127 ge 128"));
    assert_eq!(of_pool("fd00:10:200:200::1/128"), format!("{list} fd00:10:200:200::1/128"));
}

/// IPv6 is added to a router's file: what is there of IPv4 stays, line by line.
#[test]
fn ipv4_is_the_same_with_and_without_ipv6() {
    for router in [FRR, EXTERNAL_FRR, BIRD, EXTERNAL_BIRD, VYOS, OPNSENSE, EXTERNAL_ROUTEROS] {
        let alone = rendered(with_router(router));
        let both = rendered(dual_stack(router));
        for (alone, both) in alone.iter().zip(&both) {
            let mut lines = both.body.lines();
            for line in alone.body.lines().filter(|line| !line.starts_with(['#', '!'])) {
                assert!(lines.any(|of_both| of_both == line), "{}: {line}", both.name);
            }
        }
    }
}
