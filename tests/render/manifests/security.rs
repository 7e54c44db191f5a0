//! What `[security]`, `routes` of a gateway and `[hubble]` render.

use rk1::render::documents;
use rk1::render::pins::Pins;
use serde_json::{Value, json};

use super::{cluster, object, objects, posts_with, rendered, values};

/// The value of Cilium's chart that `[security]` sets.
fn encryption(text: &str) -> Value {
    values(&objects(&rendered(text)), "cilium")["encryption"].clone()
}

#[test]
fn pods_traffic_is_encrypted_unless_it_is_switched_off() {
    let egress = json!({ "allowRemoteNodeIdentities": true, "cidr": "10.42.0.0/16", "enabled": true });
    let strict = json!({ "egress": egress, "ingress": { "enabled": true } });
    let expected = |strict: &Value| json!({ "enabled": true, "strictMode": strict, "type": "wireguard" });
    assert_eq!(encryption(&posts_with(&[])), expected(&strict));
    let range = [("pods = \"10.42.0.0/16\"", "pods = \"10.128.0.0/14\"")];
    assert_eq!(encryption(&posts_with(&range))["strictMode"]["egress"]["cidr"], "10.128.0.0/14");

    // Strict on the way in came with 1.19. Before, the chart has one switch, for the way out.
    let with_versions =
        |lines: &str| posts_with(&[("[network]\n", &format!("[versions]\n{lines}\n[network]\n"))]);
    let older = with_versions("cilium = \"1.19.6\"\ngateway-api = \"1.4.1\"\n");
    assert_eq!(encryption(&older), expected(&strict));
    let oldest = "cilium = \"1.16.1\"\ngateway-api = \"1.1.0\"\ngateway-api-channel = \"experimental\"\n";
    assert_eq!(encryption(&with_versions(oldest)), expected(&egress));

    let off = [("[bgp]\n", "[security]\nencryption = false\n\n[bgp]\n")];
    assert_eq!(encryption(&posts_with(&off)), Value::Null);
    let own = "[security]\nencryption = false\n\n[cilium.values]\nencryption = { enabled = true, type = \"ipsec\" }\n\n[bgp]\n";
    assert_eq!(encryption(&posts_with(&[("[bgp]\n", own)])), json!({ "enabled": true, "type": "ipsec" }));
}

/// The namespaces whose routes the HTTPS listener of a gateway accepts, and the labels of the gateways' own namespace.
fn routes(text: &str, gateway: &str) -> (Value, Value) {
    let objects = objects(&rendered(text));
    let listeners = &object(&objects, "Gateway", gateway)["spec"]["listeners"];
    let https =
        listeners.as_array().expect("listeners").iter().find(|listener| listener["protocol"] == "HTTPS");
    let accepted = https.expect("HTTPS")["allowedRoutes"]["namespaces"].clone();
    (accepted, object(&objects, "Namespace", "gateway")["metadata"]["labels"].clone())
}

#[test]
fn a_gateway_accepts_the_routes_of_labelled_namespaces() {
    let selector =
        |label: &str| json!({ "from": "Selector", "selector": { "matchLabels": { label: "allow" } } });
    let labels = json!({ "gateway.rk1/shared": "allow" });
    assert_eq!(routes(&posts_with(&[]), "shared"), (selector("gateway.rk1/shared"), labels));

    let all = [("[gateway]\n", "[gateway]\nroutes = \"all\"\n")];
    assert_eq!(routes(&posts_with(&all), "shared"), (json!({ "from": "All" }), Value::Null));

    let two = "[[gateway]]\naddress = \"10.200.200.1\"\nroutes = \"all\"\n\n[[gateway]]\nname = \"home\"\n\
               address = \"10.200.200.2\"\nhost = \"*.home.virtualthoughts.co.uk\"\n";
    let two = posts_with(&[("[gateway]\naddress = \"10.200.200.1\"\n", two)]);
    let labels = json!({ "gateway.rk1/home": "allow" });
    assert_eq!(routes(&two, "shared"), (json!({ "from": "All" }), labels.clone()));
    assert_eq!(routes(&two, "home"), (selector("gateway.rk1/home"), labels));
}

/// Each address of a board and of a router is denied once, also if the router is the default gateway.
#[test]
fn pods_are_kept_from_every_board_and_router() {
    let second = "[[board]]\nname = \"second\"\nbmc = \"172.16.10.230\"\n\n[[node]]\nname = \"rk1-01\"\nboard = \"turing-pi\"\n";
    let router = "session-prefix = \"srv-\"\n\n[[bgp.router]]\nname = \"frr\"\naddress = \"172.16.10.2\"\n\
                  platform = \"frr\"\nversion = \"10.2\"\n";
    let nodes = ["rk1-02", "rk1-03", "rk1-04"].map(|name| format!("name = \"{name}\"\n"));
    let with_board = nodes.each_ref().map(|name| format!("{name}board = \"turing-pi\"\n"));
    let mut changes =
        vec![("[[node]]\nname = \"rk1-01\"\n", second), ("session-prefix = \"srv-\"\n", router)];
    changes.extend(nodes.iter().zip(&with_board).map(|(before, after)| (before.as_str(), after.as_str())));
    let objects = objects(&rendered(&posts_with(&changes)));
    let policy = object(&objects, "CiliumClusterwideNetworkPolicy", "");
    let denied: Vec<_> = policy["spec"]["egressDeny"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| rule["toCIDR"].clone())
        .collect();
    let boards = json!(["172.16.10.220/32", "172.16.10.230/32"]);
    assert_eq!(denied, [boards, json!(["172.16.10.1/32", "172.16.10.2/32"]), Value::Null]);

    let dual_stack = super::objects(&rendered(include_str!("../../../examples/dual-stack/cluster.toml")));
    let routers =
        &object(&dual_stack, "CiliumClusterwideNetworkPolicy", "")["spec"]["egressDeny"][1]["toCIDR"];
    let expected =
        json!(["172.16.10.1/32", "172.16.10.2/32", "fd00:172:16:10::1/128", "fd00:172:16:10::2/128"]);
    assert_eq!(*routers, expected);

    let off = posts_with(&[("[bgp]\n", "[security]\nnetwork-policies = false\n\n[bgp]\n")]);
    assert!(rendered(&off).iter().all(|document| document.name != "35-network-policies.yaml"));
}

/// The page has no login, so that it is served only where somebody asks for it. Its route is in the gateway's namespace.
#[test]
fn hubbles_page_is_served_on_request_only() {
    let without = posts_with(&[("[hubble]\nenable = true\nhost = \"hubble.virtualthoughts.co.uk\"\n", "")]);
    assert!(rendered(&without).iter().all(|document| document.name != "60-hubble.yaml"));
    assert_eq!(values(&objects(&rendered(&without)), "cilium")["hubble"]["ui"], json!({ "enabled": false }));

    let objects = objects(&rendered(&posts_with(&[])));
    let route = objects.iter().find(|object| object["metadata"]["name"] == "hubble-ui").expect("a route");
    assert_eq!(route["metadata"]["namespace"], "gateway");
    let backend = &route["spec"]["rules"][0]["backendRefs"][0];
    let grant = object(&objects, "ReferenceGrant", "hubble-ui");
    assert_eq!(grant["metadata"]["namespace"], backend["namespace"]);
    assert_eq!(grant["spec"]["from"][0]["namespace"], route["metadata"]["namespace"]);
    assert_eq!(grant["spec"]["to"][0]["name"], backend["name"]);
}

/// What `[security]` says of the hosts.
#[test]
fn hosts_have_the_settings_of_security() {
    let shared = |text: &str| {
        let documents = documents(&cluster(text), &Pins::built_in().expect("pins")).expect("documents");
        documents.into_iter().find(|document| document.name == "cluster.nix").expect("cluster.nix").body
    };
    let default = shared(&posts_with(&[]));
    let settings = [
        "      podSecurity = \"baseline\";\n      secretsEncryption = true;\n      auditLog = true;\n    };\n",
        "    cilium.encryption = true;\n",
        "      apiClients = [ \"172.16.10.0/24\" ];\n",
    ];
    for line in settings {
        assert_eq!(default.matches(line).count(), 1, "{line}\n{default}");
    }
    let section = "[security]\nencryption = false\napi-clients = [\"192.168.1.0/24\", \"0.0.0.0/0\"]\n\
                   pod-security = \"restricted\"\nsecrets-encryption = false\naudit-log = false\n\n[bgp]\n";
    let changed = shared(&posts_with(&[("[bgp]\n", section)]));
    let settings = [
        "      podSecurity = \"restricted\";\n      secretsEncryption = false;\n      auditLog = false;\n    };\n",
        "    cilium.encryption = false;\n",
        "      apiClients = [\n        \"192.168.1.0/24\"\n        \"0.0.0.0/0\"\n      ];\n",
    ];
    for line in settings {
        assert_eq!(changed.matches(line).count(), 1, "{line}\n{changed}");
    }
    let dual_stack = shared(include_str!("../../../examples/dual-stack/cluster.toml"));
    let both =
        "      apiClients = [\n        \"172.16.10.0/24\"\n        \"fd00:172:16:10::/64\"\n      ];\n";
    assert_eq!(dual_stack.matches(both).count(), 1, "{dual_stack}");
}
