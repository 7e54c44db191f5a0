//! The manifests as a cluster would read them: variants in full, what refers to what, and names that k3s takes.

#![allow(clippy::expect_used, clippy::panic, reason = "what is not as it should be ends the run")]

mod security;

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::Problems;
use rk1::config::dns_providers::{DNS_PROVIDERS, DnsField, DnsProvider, DnsValueKind};
use rk1::config::source::Source;
use rk1::render::document::Document;
use rk1::render::documents;
use rk1::render::pins::Pins;
use rk1::render::yaml;
use serde_json::{Value, json};
use snapbox::{Data, assert_data_eq};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render/manifests")
}

fn cluster(text: &str) -> Cluster {
    let mut problems = Problems::default();
    let source = Source { name: "cluster.toml".to_owned(), text: text.to_owned() };
    Cluster::parse(&source, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn rendered(text: &str) -> Vec<Document> {
    let pins = Pins::built_in().expect("pins");
    let documents = documents(&cluster(text), &pins).unwrap_or_else(|error| panic!("{error:?}"));
    documents.into_iter().filter(|document| document.folder == "manifests").collect()
}

/// The cluster of the posts, with some lines changed.
fn posts_with(changes: &[(&str, &str)]) -> String {
    let mut text = include_str!("../../../cluster.toml").to_owned();
    for (before, after) in changes {
        assert_eq!(text.matches(before).count(), 1, "{before}");
        text = text.replace(before, after);
    }
    text
}

fn objects(documents: &[Document]) -> Vec<Value> {
    let yaml = documents.iter().filter(|document| document.is_yaml());
    yaml.flat_map(|document| yaml::parse(&document.body).expect("YAML")).collect()
}

/// The only object of a kind and, if one is given, of a name.
fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let mut found = objects
        .iter()
        .filter(|object| object["kind"] == kind && (name.is_empty() || object["metadata"]["name"] == name));
    let object = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert!(found.next().is_none(), "two of {kind} {name}");
    object
}

/// The values of a chart.
fn values(objects: &[Value], chart: &str) -> Value {
    let text = object(objects, "HelmChart", chart)["spec"]["valuesContent"].as_str().expect("values");
    let mut documents = yaml::parse(text).expect("YAML");
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// What one folder of snapshots holds is what a variant of the cluster renders: no file more, no file less.
#[track_caller]
fn assert_variant(name: &str, text: &str) {
    let folder = folder().join(name);
    let documents = rendered(text);
    for document in &documents {
        assert_data_eq!(document.body.clone(), Data::read_from(&folder.join(&document.name), None).raw());
    }
    let on_disk: BTreeSet<_> = fs::read_dir(&folder)
        .expect("snapshots")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(on_disk, documents.into_iter().map(|document| document.name).collect());
}

/// Cilium 1.16.1 with the experimental bundle of the Gateway API 1.1.0.
#[test]
fn the_versions_of_the_original_posts_render() {
    let versions = "[versions]\ncilium = \"1.16.1\"\ngateway-api = \"1.1.0\"\n\
                    gateway-api-channel = \"experimental\"\n\n[network]\n";
    assert_variant("pair-of-the-posts", &posts_with(&[("[network]\n", versions)]));
}

#[test]
fn passwords_staging_own_values_and_no_hubble_render() {
    let routers = "[[bgp.router]]\nname = \"mikrotik\"\npassword = \"bgp-password\"\n";
    let second = "version = \"7.18\"\n\n[[bgp.router]]\nname = \"frr\"\naddress = \"172.16.10.2\"\n\
                  asn = 64513\nplatform = \"frr\"\nversion = \"10.2\"\n";
    let values = "[cilium.values]\ndebug.enabled = true\noperator.replicas = 1\n\
                  tolerations = [{ key = \"example.org/board\", operator = \"Exists\" }]\n\
                  podAnnotations.\"example.org/note\" = \"yes: \\\"quoted\\\" # no comment\"\n\n[bgp]\n";
    let text = posts_with(&[
        ("[[bgp.router]]\nname = \"mikrotik\"\n", routers),
        ("version = \"7.18\"\n", second),
        ("[bgp]\n", values),
        ("issuer = \"production\"", "issuer = \"staging\"\nemail = \"admin@virtualthoughts.co.uk\""),
        ("[hubble]\nenable = true\nhost = \"hubble.virtualthoughts.co.uk\"\n", ""),
        (
            "grafana-token = \"secrets/grafana-token\"\n",
            "grafana-token = \"secrets/grafana-token\"\nbgp-password = \"secrets/bgp\"\n",
        ),
    ]);
    assert_variant("passwords-and-own-values", &text);
}

/// The posts' cluster with other sections `[gateway]` and `[certificates]`, and with secrets of these names.
fn posts_served_by(gateway: &str, certificates: &str, secrets: &[&str]) -> String {
    let text = include_str!("../../../cluster.toml");
    let start = text.find("[gateway]").expect("[gateway]");
    let end = text.find("[hubble]").expect("[hubble]");
    let secrets: Vec<_> = secrets.iter().map(|name| format!("{name} = \"secrets/{name}\"\n")).collect();
    let rest = text[end..].replace("azure-dns = \"secrets/azure-dns\"\n", &secrets.concat());
    [&text[..start], gateway, "\n", certificates, "\n", &rest].concat()
}

#[test]
fn a_webhook_for_the_domain_itself_and_a_wildcard_renders() {
    let gateway = "[gateway]\naddress = \"10.200.200.1\"\n\
                   hosts = [\"virtualthoughts.co.uk\", \"*.virtualthoughts.co.uk\"]\n";
    let certificates = "[certificates]\nrecursive-nameservers = [\"https://1.1.1.1/dns-query\", \"9.9.9.9\"]\n\
                        values = { replicaCount = 2 }\n\
                        [certificates.webhook]\ngroup-name = \"acme.example.org\"\nsolver-name = \"hetzner\"\n\
                        config = { secretName = \"hetzner-dns\", zones = [\"virtualthoughts.co.uk\"] }\n\
                        [certificates.webhook.secrets.hetzner-dns]\napi-key = \"hetzner-token\"\n\
                        api-user = \"hetzner-user\"\n";
    let text = posts_served_by(gateway, certificates, &["hetzner-token", "hetzner-user"]);
    assert_variant("webhook-and-two-names", &text);
}

/// Each gateway has an issuer of its own, one of them none.
#[test]
fn gateways_with_their_own_issuers_render() {
    let gateway = "[[gateway]]\naddress = \"10.200.200.1\"\n\n[[gateway]]\nname = \"home\"\n\
                   address = \"10.200.200.10\"\nhosts = [\"home.virtualthoughts.co.uk\", \"*.home.virtualthoughts.co.uk\"]\n\
                   issuer = \"self-signed\"\n\n[[gateway]]\nname = \"plain\"\naddress = \"10.200.200.11\"\n\
                   host = \"*.plain.virtualthoughts.co.uk\"\nissuer = \"none\"\n";
    let certificates = "[certificates]\nissuer = \"ca\"\nrecursive-nameservers = []\n\
                        [certificates.ca]\ncertificate = \"ca-certificate\"\nkey = \"ca-key\"\n";
    let text = posts_served_by(gateway, certificates, &["ca-certificate", "ca-key"]);
    assert_variant("gateways-and-issuers", &text);
    // Both keys of one Secret reach it.
    let made = cluster(&text).kubernetes_secrets();
    let made: Vec<_> =
        made.iter().map(|made| (made.name.as_str(), made.key.as_str(), made.from.as_str())).collect();
    let expected = [
        ("certificate-authority", "tls.crt", "ca-certificate"),
        ("certificate-authority", "tls.key", "ca-key"),
    ];
    assert_eq!(made, expected);
    let documents = documents(&cluster(&text), &Pins::built_in().expect("pins")).expect("documents");
    let shared = documents.iter().find(|document| document.name == "cluster.nix").expect("cluster.nix");
    let entries = "    kubernetesSecrets = {\n      \"certificate-authority.tls.crt\" = {\n        \
                   name = \"certificate-authority\";\n        namespace = \"cert-manager\";\n        \
                   key = \"tls.crt\";\n        file = \"/var/lib/rk1/secrets/ca-certificate\";\n      };\n";
    assert!(shared.body.contains(entries), "{}", shared.body);
}

#[test]
fn exact_names_are_proven_over_http() {
    let gateway = "[gateway]\naddress = \"10.200.200.1\"\n\
                   hosts = [\"hubble.virtualthoughts.co.uk\", \"virtualthoughts.co.uk\"]\n";
    let certificates = "[certificates]\nissuer = \"staging\"\nhttp-01 = true\n";
    assert_variant("http-01", &posts_served_by(gateway, certificates, &[]));
}

#[test]
fn a_cluster_without_certificates_has_no_cert_manager() {
    let gateway = "[gateway]\naddress = \"10.200.200.1\"\n";
    let text = posts_served_by(gateway, "[certificates]\nissuer = \"none\"\n", &[]);
    assert_variant("no-certificates", &text);
}

/// The posts' cluster with another section `[bgp]`, up to and without `[gateway]`, and another gateway's address.
fn posts_announced_by(announcement: &str, address: &str) -> String {
    let text = include_str!("../../../cluster.toml");
    let start = text.find("[bgp]").expect("[bgp]");
    let end = text.find("[gateway]").expect("[gateway]");
    let rest = text[end..].replace("10.200.200.1", address);
    [&text[..start], announcement, "\n", &rest].concat()
}

#[test]
fn addresses_of_the_lan_need_no_router() {
    let pool = "[[pool]]\nname = \"lan\"\nranges = [\"172.16.10.200-172.16.10.219\"]\n";
    let text = posts_announced_by(pool, "172.16.10.200");
    assert_variant("l2-without-router", &text);
    assert!(cluster(&text).routers().is_empty());
}

const BGP: &str = "[bgp]\nasn = 64512\npool = \"10.200.200.0/24\"\n\n[[bgp.router]]\nname = \"mikrotik\"\n\
                   address = \"172.16.10.1\"\nplatform = \"routeros\"\nversion = \"7.18\"\n";

/// Each service is announced in one way.
#[test]
fn pools_of_both_kinds_stand_side_by_side() {
    let pool = "\n[[pool]]\nname = \"lan\"\nranges = [\"172.16.10.200-172.16.10.219\"]\nannounce = \"l2\"\n\
                service-label = { \"example.org/pool\" = \"lan\" }\n";
    let text = posts_announced_by(&[BGP, pool].concat(), "10.200.200.1");
    let second = "[[gateway]]\nname = \"local\"\naddress = \"172.16.10.200\"\nhost = \"*.lan.virtualthoughts.co.uk\"\n\n\
                  [certificates]";
    let text = text.replace("[gateway]", "[[gateway]]").replace("[certificates]", second);
    assert_variant("bgp-and-l2", &text);
}

/// Each router gets its own pool, one of them in two parts.
#[test]
fn routers_have_different_pools() {
    let second = "\n[[bgp.router]]\nname = \"edge\"\naddress = \"172.16.10.2\"\nplatform = \"frr\"\nversion = \"10.2\"\n\n\
                  [[pool]]\nname = \"public\"\nranges = [\"203.0.113.8-203.0.113.13\", \"198.51.100.0/28\"]\n\
                  routers = [\"edge\"]\nservice-label = { \"example.org/pool\" = \"public\" }\n\n\
                  [[pool]]\nname = \"inside\"\nranges = [\"10.200.200.0/24\"]\nrouters = [\"mikrotik\"]\n";
    let bgp = BGP.replace("pool = \"10.200.200.0/24\"\n", "");
    let text = posts_announced_by(&[&bgp, second].concat(), "10.200.200.1");
    assert_variant("pools-of-two-routers", &text);
    let documents = documents(&cluster(&text), &Pins::built_in().expect("pins")).expect("documents");
    let file = |name| &documents.iter().find(|document| document.name == name).expect("a file").body;
    let lists = "ip prefix-list rk1-turing-pi-pool seq 5 permit 203.0.113.8/30 ge 32\n\
                 ip prefix-list rk1-turing-pi-pool seq 10 permit 203.0.113.12/31 ge 32\n\
                 ip prefix-list rk1-turing-pi-pool seq 15 permit 198.51.100.0/28 ge 32\n";
    assert!(file("edge.frr.conf").contains(lists), "{}", file("edge.frr.conf"));
    assert!(
        file("mikrotik.rsc")
            .contains("if (dst in 10.200.200.0/24 && dst-len == 32) { accept } else { reject }")
    );
}

/// Every value that the posts set, where they meant it to be.
#[test]
fn the_values_of_the_original_posts_are_kept() {
    let objects = objects(&rendered(&posts_with(&[])));
    let cilium = values(&objects, "cilium");
    assert_eq!(cilium["kubeProxyReplacement"], true);
    assert_eq!(cilium["ipam"]["operator"]["clusterPoolIPv4PodCIDRList"], json!(["10.42.0.0/16"]));
    for path in
        ["/bgpControlPlane/enabled", "/hubble/relay/enabled", "/hubble/ui/enabled", "/gatewayAPI/enabled"]
    {
        assert_eq!(cilium.pointer(path), Some(&json!(true)), "{path}");
    }
    // No single server's address.
    assert_eq!((&cilium["k8sServiceHost"], &cilium["k8sServicePort"]), (&json!("127.0.0.1"), &json!(6444)));

    let instance = &object(&objects, "CiliumBGPClusterConfig", "")["spec"]["bgpInstances"][0];
    assert_eq!(instance["localASN"], 64512);
    assert_eq!(instance["peers"][0]["peerASN"], 64512);
    assert_eq!(instance["peers"][0]["peerAddress"], "172.16.10.1");
    let peer = &object(&objects, "CiliumBGPPeerConfig", "")["spec"];
    let timers = json!({ "connectRetryTimeSeconds": 5, "holdTimeSeconds": 9, "keepAliveTimeSeconds": 3 });
    assert_eq!(peer["timers"], timers);
    assert_eq!(peer["gracefulRestart"], json!({ "enabled": true, "restartTimeSeconds": 120 }));
    // The first and the last address of 10.200.200.0/24 are not used, and the gateway has the second.
    let pool = &object(&objects, "CiliumLoadBalancerIPPool", "turing-pi")["spec"];
    assert_eq!(pool["blocks"], json!([{ "start": "10.200.200.2", "stop": "10.200.200.254" }]));

    let solver = &object(&objects, "ClusterIssuer", "letsencrypt-production")["spec"]["acme"]["solvers"][0];
    let secret = json!({ "name": "azure-dns-secret", "key": "azure_client_secret" });
    assert_eq!(solver["dns01"]["azureDNS"]["clientSecretSecretRef"], secret);
    // The resolvers that the posts' `podDNSConfig` was meant to set.
    let cert_manager = values(&objects, "cert-manager");
    assert_eq!(cert_manager["dns01RecursiveNameservers"], "1.1.1.1:53,1.0.0.1:53");
    assert_eq!(cert_manager["config"]["gatewayAPI"]["enabled"], true);
}

#[test]
fn every_reference_has_its_object() {
    let objects = objects(&rendered(&posts_with(&[])));
    let name = |object: &Value| object["metadata"]["name"].clone();

    // Cluster config → peer config → advertisement → every service.
    let peers = &object(&objects, "CiliumBGPClusterConfig", "")["spec"]["bgpInstances"][0]["peers"];
    let peer = object(&objects, "CiliumBGPPeerConfig", "");
    assert_eq!(peers[0]["peerConfigRef"]["name"], name(peer));
    let advertisement = object(&objects, "CiliumBGPAdvertisement", "");
    let wanted = &peer["spec"]["families"][0]["advertisements"]["matchLabels"];
    assert!(wanted.as_object().is_some_and(|labels| !labels.is_empty()));
    assert_eq!(wanted, &advertisement["metadata"]["labels"]);
    assert!(advertisement["spec"]["advertisements"][0]["selector"].is_object());

    // Gateway → issuer and certificate, both where they are looked for.
    let gateway = object(&objects, "Gateway", "");
    let issuer =
        gateway["metadata"]["annotations"]["cert-manager.io/cluster-issuer"].as_str().expect("issuer");
    object(&objects, "ClusterIssuer", issuer);
    let namespace = &gateway["metadata"]["namespace"];
    object(&objects, "Namespace", namespace.as_str().expect("namespace"));
    let listeners = gateway["spec"]["listeners"].as_array().expect("listeners");
    let https = listeners.iter().find(|listener| listener["protocol"] == "HTTPS").expect("HTTPS");
    let hostname = https["hostname"].as_str().expect("hostname");
    let certificates = https["tls"]["certificateRefs"].as_array().expect("certificates");
    assert_eq!(certificates.len(), 1, "the admission policy of Cilium's chart takes no other number");
    let certificate = &certificates[0];
    assert!(certificate.get("namespace").is_none(), "cert-manager writes to the gateway's own namespace");
    for issuer in objects.iter().filter(|object| object["kind"] == "ClusterIssuer") {
        let solver = &issuer["spec"]["acme"]["solvers"][0];
        let zone = solver["dns01"]["azureDNS"]["hostedZoneName"].as_str().expect("zone");
        assert_eq!(solver["selector"]["dnsZones"], json!([zone]));
        assert!(hostname.trim_start_matches("*.").ends_with(zone), "{hostname} in {zone}");
    }

    // The gateway's own pool serves the service that Cilium makes for it, and no other.
    let pool = &object(&objects, "CiliumLoadBalancerIPPool", "turing-pi-gateway")["spec"];
    let service = format!("cilium-gateway-{}", name(gateway).as_str().expect("name"));
    let labels = json!({
        "io.kubernetes.service.name": service,
        "io.kubernetes.service.namespace": namespace,
    });
    assert_eq!(pool["serviceSelector"], json!({ "matchLabels": labels }));
    let address = gateway["spec"]["addresses"][0]["value"].as_str().expect("address");
    assert_eq!(pool["blocks"], json!([{ "cidr": format!("{address}/32") }]));

    // Route → listener that takes it, and whose wildcard holds its host.
    for route in objects.iter().filter(|object| object["kind"] == "HTTPRoute") {
        let parent = &route["spec"]["parentRefs"][0];
        assert_eq!(parent["name"], name(gateway));
        let listener =
            listeners.iter().find(|listener| listener["name"] == parent["sectionName"]).expect("listener");
        let route_namespace = &route["metadata"]["namespace"];
        let is_same = route_namespace == namespace;
        assert!(is_same || &parent["namespace"] == namespace);
        assert!(is_same || listener["allowedRoutes"]["namespaces"]["from"] == "All");
        for host in route["spec"]["hostnames"].as_array().into_iter().flatten() {
            let (_, parent) = host.as_str().expect("host").split_once('.').expect("domain");
            assert_eq!(listener["hostname"], format!("*.{parent}"));
        }
    }
}

/// Each session of a dual-stack cluster carries the routes of the family that it is spoken over, and the gateway has an
/// address of each family's pool.
#[test]
fn both_families_are_announced() {
    let objects = objects(&rendered(include_str!("../../../examples/dual-stack/cluster.toml")));
    let peers = &object(&objects, "CiliumBGPClusterConfig", "")["spec"]["bgpInstances"][0]["peers"];
    let advertisement = object(&objects, "CiliumBGPAdvertisement", "");
    let mut families = Vec::new();
    for peer in peers.as_array().expect("peers") {
        let address: IpAddr = peer["peerAddress"].as_str().expect("address").parse().expect("address");
        let config =
            object(&objects, "CiliumBGPPeerConfig", peer["peerConfigRef"]["name"].as_str().expect("name"));
        let family = &config["spec"]["families"];
        assert_eq!(family.as_array().map(Vec::len), Some(1));
        assert_eq!(family[0]["afi"], if address.is_ipv4() { "ipv4" } else { "ipv6" });
        assert_eq!(family[0]["advertisements"]["matchLabels"], advertisement["metadata"]["labels"]);
        let has_password = config["spec"]["authSecretRef"] == "bgp-edge";
        assert_eq!(has_password, peer["name"].as_str().expect("name").starts_with("edge"));
        families.push(family[0]["afi"].as_str().expect("family"));
    }
    assert_eq!(families, ["ipv4", "ipv6", "ipv4", "ipv6"]);

    let pools: Vec<_> =
        objects.iter().filter(|object| object["kind"] == "CiliumLoadBalancerIPPool").collect();
    let addresses = object(&objects, "Gateway", "")["spec"]["addresses"].as_array().expect("addresses");
    assert_eq!(addresses.len(), 2);
    let [gateway, rest] = pools.as_slice() else { panic!("{pools:?}") };
    for (block, address) in gateway["spec"]["blocks"].as_array().expect("blocks").iter().zip(addresses) {
        let block: IpNet = block["cidr"].as_str().expect("range").parse().expect("range");
        let address: IpAddr = address["value"].as_str().expect("address").parse().expect("address");
        assert_eq!(block, IpNet::from(address));
    }
    let ends = json!([
        { "start": "10.200.200.2", "stop": "10.200.200.254" },
        { "start": "fd00:10:200:200::2", "stop": "fd00:10:200:200::fffe" },
    ]);
    assert_eq!(rest["spec"]["blocks"], ends);

    let cilium = values(&objects, "cilium");
    assert_eq!(cilium["ipv6"], json!({ "enabled": true }));
    assert_eq!(cilium["ipam"]["operator"]["clusterPoolIPv6PodCIDRList"], json!(["fd00:10:42::/56"]));
    assert_eq!(cilium["ipam"]["operator"]["clusterPoolIPv6MaskSize"], 64);
}

/// With graceful restart, Cilium's GoBGP announces nothing to any peer while one of them is down.
#[test]
fn several_sessions_have_no_graceful_restart() {
    let second = "version = \"7.18\"\n\n[[bgp.router]]\nname = \"frr\"\naddress = \"172.16.10.2\"\n\
                  platform = \"frr\"\nversion = \"10.2\"\n";
    let two_routers = posts_with(&[("version = \"7.18\"\n", second)]);
    for text in [two_routers.as_str(), include_str!("../../../examples/dual-stack/cluster.toml")] {
        let objects = objects(&rendered(text));
        let peers: Vec<_> = objects.iter().filter(|object| object["kind"] == "CiliumBGPPeerConfig").collect();
        assert!(peers.len() > 1);
        for peer in peers {
            assert_eq!(peer["spec"]["gracefulRestart"], json!({ "enabled": false }));
        }
    }
}

/// Values that need a port open it on every node.
#[test]
fn values_open_the_firewall() {
    let values = "[cilium.values]\ntunnelProtocol = \"geneve\"\nprometheus.enabled = true\n\n[bgp]\n";
    let text = posts_with(&[("[bgp]\n", values)]);
    let pins = Pins::built_in().expect("pins");
    let documents = documents(&cluster(&text), &pins).expect("documents");
    let shared = documents.iter().find(|document| document.name == "cluster.nix").expect("cluster.nix");
    let for_nodes = "    firewall = {\n      apiClients = [ \"172.16.10.0/24\" ];\n      \
                     # The values of Cilium's chart in cluster.toml need these.\n      nodeUdpPorts = [\n        6081\n      ];\n    };\n";
    assert_eq!(shared.body.matches(for_nodes).count(), 1, "{}", shared.body);
    let for_everyone = "  # The values of Cilium's chart in cluster.toml need these.\n  \
                        networking.firewall.allowedTCPPorts = [\n    9962\n  ];\n}\n";
    assert!(shared.body.ends_with(for_everyone), "{}", shared.body);
}

/// k3s names an add-on by its file up to the first dot, and deletes files that are called as what it leaves out
/// (k3s-io/k3s, pkg/deploy/controller.go).
#[test]
fn k3s_reads_every_file_as_it_is_meant() {
    let components = [
        "ccm",
        "coredns",
        "local-storage",
        "metrics-server",
        "rolebindings",
        "runtimes",
        "servicelb",
        "traefik",
    ];
    let mut addons = BTreeSet::new();
    for document in rendered(&posts_with(&[])) {
        let (addon, extension) = document.name.split_once('.').expect("extension");
        assert!(["yaml", "nix"].contains(&extension), "{}", document.name);
        let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(addon.bytes().all(is_label), "{addon} is no name of RFC 1123");
        assert!(!components.contains(&addon), "{addon} is a component of k3s");
        assert!(addons.insert(addon.to_owned()), "two files are the add-on {addon}");
    }
    let order: Vec<_> = addons.into_iter().collect();
    let expected = [
        "00-gateway-api-crds",
        "10-cilium",
        "20-cert-manager",
        "30-bgp",
        "35-network-policies",
        "40-issuer",
        "50-gateway",
        "60-hubble",
    ];
    assert_eq!(order[..8], expected);
}

/// A release of a chart goes out again when its version changes, by the name of the file that it is in.
#[test]
fn each_version_has_its_own_chart_file() {
    let chart =
        |text: &str| object(&objects(&rendered(text)), "HelmChart", "cilium")["spec"]["chart"].clone();
    assert_eq!(chart(&posts_with(&[])), "https://%{KUBERNETES_API}%/static/charts/cilium-1.20.0.tgz");
    let own = "[versions]\ncilium = \"1.19.6\"\n\n[network]\n";
    let text = posts_with(&[("[network]\n", own)]);
    assert_eq!(chart(&text), "https://%{KUBERNETES_API}%/static/charts/cilium-1.19.6.tgz");
}

/// Nix then has nothing to fetch, and says so; the cluster's own job asks the repository.
#[test]
fn a_chart_without_a_hash_is_fetched_by_the_cluster() {
    let mut pins = Pins::built_in().expect("pins");
    for chart in pins.charts.values_mut() {
        chart.versions.clear();
    }
    let documents = documents(&cluster(&posts_with(&[])), &pins).expect("documents");
    let charts = documents.iter().find(|document| document.name == "charts.nix").expect("charts");
    let unpinned = "\n{\n  \"cert-manager-1.21.1\" = null;\n  \"cilium-1.20.0\" = null;\n}\n";
    assert!(charts.body.ends_with(unpinned), "{}", charts.body);
    let objects = objects(&documents);
    for (name, repository, version) in [
        ("cilium", "https://helm.cilium.io", "1.20.0"),
        ("cert-manager", "https://charts.jetstack.io", "v1.21.1"),
    ] {
        let spec = &object(&objects, "HelmChart", name)["spec"];
        assert_eq!([&spec["chart"], &spec["repo"], &spec["version"]], [name, repository, version]);
    }
}

/// What is offered where nobody chooses a release is fetched by hash.
#[test]
fn every_release_that_is_offered_is_pinned() {
    for (cilium, gateway_api, channel) in [
        ("1.20.0", "1.6.1", "standard"),
        ("1.19.6", "1.4.1", "standard"),
        ("1.16.1", "1.1.0", "experimental"),
    ] {
        let versions = format!(
            "[versions]\ncilium = \"{cilium}\"\ngateway-api = \"{gateway_api}\"\n\
             gateway-api-channel = \"{channel}\"\n\n[network]\n"
        );
        let cluster = cluster(&posts_with(&[("[network]\n", &versions)]));
        let pins = Pins::built_in().expect("pins");
        let warnings = rk1::render::warnings(&cluster, &pins);
        assert!(warnings.is_empty(), "{cilium}: {warnings:?}");
    }
}

#[test]
fn a_bundle_without_hashes_is_refused() {
    let mut pins = Pins::built_in().expect("pins");
    pins.gateway_api.versions.remove("1.6.1").expect("the bundle is pinned");
    let error = documents(&cluster(&posts_with(&[])), &pins).expect_err("no hashes");
    let rk1::render::RenderError::Refused(problems) = error else { panic!("{error}") };
    let messages: Vec<_> = problems.in_order().iter().map(|problem| problem.mistake.to_string()).collect();
    assert_eq!(messages, ["pins.json has no hashes of the Gateway API 1.6.1, standard bundle"]);
}

/// The posts' cluster with the table of another DNS provider, made of the examples in the provider's row.
fn posts_with_provider(provider: &DnsProvider) -> String {
    let text = include_str!("../../../cluster.toml");
    let start = text.find("# The identifiers are placeholders.").expect("the table of Azure DNS");
    let end = text.find("[hubble]").expect("[hubble]");
    // The zone is left out: it is the cluster's domain.
    let written = provider.fields.iter().filter(|field| field.kind != DnsValueKind::Domain);
    let keys: Vec<_> = written.map(|field| format!("{} = \"{}\"\n", field.key, field.example)).collect();
    let is_secret = |field: &&DnsField| matches!(field.kind, DnsValueKind::Secret { .. });
    let secrets = provider.fields.iter().filter(is_secret).map(|field| field.example);
    let secrets: Vec<_> = secrets.map(|name| format!("{name} = \"secrets/{name}\"\n")).collect();
    let (table, secrets) = (format!("[certificates.{}]\n{}", provider.key, keys.concat()), secrets.concat());
    let rest = text[end..].replace("azure-dns = \"secrets/azure-dns\"\n", &secrets);
    [&text[..start], &table, "\n", &rest].concat()
}

/// `documents` holds each object against cert-manager's schema, unknown keys included.
#[test]
fn every_dns_provider_gives_an_issuer_that_its_schema_accepts() {
    for provider in &DNS_PROVIDERS {
        let text = posts_with_provider(provider);
        let objects = objects(&rendered(&text));
        let issuer = object(&objects, "ClusterIssuer", "letsencrypt-production");
        let solver = &issuer["spec"]["acme"]["solvers"][0];
        assert_eq!(solver["selector"]["dnsZones"], json!(["virtualthoughts.co.uk"]), "{}", provider.key);
        let rendered = &solver["dns01"][provider.solver];
        let secrets = cluster(&text).kubernetes_secrets();
        for field in provider.fields {
            let Some(path) = field.path else { continue };
            let expected = match field.kind {
                DnsValueKind::Secret { name, key } => {
                    let made = secrets.iter().find(|secret| secret.name == name).expect("a Secret");
                    assert_eq!(
                        (made.namespace.as_str(), made.key.as_str(), made.from.as_str()),
                        ("cert-manager", key, field.example)
                    );
                    json!({ "name": name, "key": key })
                }
                DnsValueKind::Domain => json!("virtualthoughts.co.uk"),
                _ => json!(field.example),
            };
            assert_eq!(rendered[path], expected, "{} of {}", field.key, provider.key);
        }
    }
}
