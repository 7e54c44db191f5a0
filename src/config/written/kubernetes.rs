//! Kubernetes and what runs on it.

use super::free::FreeValue;
use super::leaf::{Integer, Switch, Text};
use super::router_status::RouterStatus;
use super::shape::Required;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// Versions that go together. Left out: the newest pair that is known to work.
    pub struct Versions {
        /// Minor release of k3s.
        "k3s" k3s: Option<Text> = "1.36",
        /// Release of Cilium.
        "cilium" cilium: Option<Text> = "1.20.0",
        /// Release of the Gateway API.
        "gateway-api" gateway_api: Option<Text> = "1.6.1",
        /// Which of the Gateway API's bundles.
        "gateway-api-channel" gateway_api_channel: Option<Spanned<Channel>> = "standard",
        /// Release of cert-manager.
        "cert-manager" cert_manager: Option<Text> = "1.21.1",
    }
}

choice! {
    /// A bundle of the Gateway API's resource definitions.
    pub enum Channel {
        Standard = "standard",
        Experimental = "experimental",
    }
}

table! {
    /// Kubernetes itself.
    pub struct K3s {
        /// Name of the secret that holds the token by which nodes join.
        "token" token: Required<Text> = "k3s-token",
        /// The server that founds the cluster; the others join it. Left out: the first one.
        "first-server" first_server: Option<Text> = "rk1-01",
        /// File mode of the administrator's kubeconfig on the servers. Left out: 600.
        "write-kubeconfig-mode" write_kubeconfig_mode: Option<Text> = "600",
        /// Further names and addresses for the API server's certificate.
        "tls-san" tls_san: Option<Vec<Text>> = ["kubernetes.example.org"],
    }
}

table! {
    /// The network plug-in.
    pub struct Cilium {
        /// Load balancing in the network driver. It takes the place of the streamer's program. Left out: disabled.
        "acceleration" acceleration: Option<Spanned<Acceleration>> = "disabled",
        /// Helm values, laid over the rendered ones.
        "values" values: Option<Spanned<FreeValue>> = serde_json::json!({"debug": {"enabled": true}}),
    }
}

choice! {
    /// Load balancing in the network driver (the chart's `loadBalancer.acceleration`).
    pub enum Acceleration {
        Disabled = "disabled",
        Native = "native",
        BestEffort = "best-effort",
    }
}

table! {
    /// Announcement of the cluster's addresses to the router.
    pub struct Bgp {
        /// Autonomous system number of the nodes, 1 to 4294967295.
        #[schemars(range(min = 1, max = 4_294_967_295_i64))]
        "asn" asn: Required<Integer> = 64512,
        /// Range from which services get their outside address.
        "pool" pool: Required<Text> = "10.200.200.0/24",
        /// Range from which services get their outside IPv6 address, in a dual-stack cluster.
        "pool-ipv6" pool_ipv6: Option<Text> = "fd00:10:200:200::/112",
        /// Seconds without a message after which a session is down, 3 to 65535. Left out: 9.
        #[schemars(range(min = 3, max = 65535))]
        "hold-time" hold_time: Option<Integer> = 9,
        /// Seconds between two messages, 1 to 65535. Left out: 3.
        #[schemars(range(min = 1, max = 65535))]
        "keepalive" keepalive: Option<Integer> = 3,
        /// Seconds for which the router keeps routes while a node restarts, 1 to 4095. Left out: 120.
        #[schemars(range(min = 1, max = 4095))]
        "graceful-restart" graceful_restart: Option<Integer> = 120,
        /// The routers with which each node has a session.
        "router" routers: Required<Vec<Router>>,
    }
}

table! {
    /// A router with which each node has a session.
    pub struct Router {
        /// Name of the router: a DNS label.
        "name" name: Required<Text> = "mikrotik",
        /// Address of the router.
        "address" address: Required<Text> = "172.16.10.1",
        /// IPv6 address of the router, in a dual-stack cluster: the nodes have a second session with it.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:172:16:10::1",
        /// Autonomous system number of the router. Left out: that of the nodes.
        #[schemars(range(min = 1, max = 4_294_967_295_i64))]
        "asn" asn: Option<Integer> = 64512,
        /// What runs on it.
        "platform" platform: Required<Spanned<Platform>> = "routeros",
        /// Version of what runs on it.
        "version" version: Required<Text> = "7.18",
        /// Name of the secret that holds the sessions' password. Left out: none.
        "password" password: Option<Text> = "bgp-password",
        /// What stands before a node's name in the name of its session on the router. Left out: nothing.
        "session-prefix" session_prefix: Option<Text> = "srv-",
        /// How `rk1 status` asks it what it sees.
        "status" status: Option<RouterStatus>,
    }
}

choice! {
    /// What runs on a router.
    pub enum Platform {
        Routeros = "routeros",
        Frr = "frr",
        Bird = "bird",
        Vyos = "vyos",
        Opnsense = "opnsense",
    }
}

table! {
    /// The one way in from outside, for all host names.
    pub struct Gateway {
        /// Its address, in the pool.
        "address" address: Required<Text> = "10.200.200.1",
        /// Its IPv6 address, in the IPv6 pool.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:10:200:200::1",
        /// The host names that it serves. Left out: all below the cluster's domain.
        "host" host: Option<Text> = "*.example.org",
    }
}

table! {
    /// Certificates for the gateway's host names.
    pub struct Certificates {
        /// Who signs. Left out: production.
        "issuer" issuer: Option<Spanned<Issuer>> = "production",
        /// Where Let's Encrypt writes to when something is wrong. Left out: nowhere.
        "email" email: Option<Text> = "admin@example.org",
        /// The DNS zone in Azure by which control of the domain is proven.
        "azure-dns" azure_dns: Required<AzureDns>,
    }
}

choice! {
    /// A service of Let's Encrypt.
    pub enum Issuer {
        /// For trying out: no browser trusts it, and its limits are wide.
        Staging = "staging",
        Production = "production",
    }
}

table! {
    /// A DNS zone in Azure, and the service principal that may change it.
    pub struct AzureDns {
        /// Subscription in which the zone lies: a UUID.
        "subscription-id" subscription_id: Required<Text> = "00000000-0000-0000-0000-000000000000",
        /// Tenant of the service principal: a UUID.
        "tenant-id" tenant_id: Required<Text> = "00000000-0000-0000-0000-000000000000",
        /// The service principal: a UUID.
        "client-id" client_id: Required<Text> = "00000000-0000-0000-0000-000000000000",
        /// Name of the secret that holds the service principal's password.
        "client-secret" client_secret: Required<Text> = "azure-dns",
        /// Resource group of the zone.
        "resource-group" resource_group: Required<Text> = "dns",
        /// The public zone. Left out: the cluster's domain.
        "zone" zone: Option<Text> = "example.org",
        /// Which of Azure's clouds. Left out: `AzurePublicCloud`.
        "environment" environment: Option<Spanned<Environment>> = "AzurePublicCloud",
    }
}

choice! {
    /// Azure's clouds that cert-manager can use.
    pub enum Environment {
        Public = "AzurePublicCloud",
        China = "AzureChinaCloud",
        UsGovernment = "AzureUSGovernmentCloud",
    }
}

table! {
    /// The view of the cluster's traffic.
    pub struct Hubble {
        /// Whether its web page is served. Left out: yes.
        "enable" enable: Option<Switch> = true,
        /// Host name of the page. Left out: hubble below the cluster's domain.
        "host" host: Option<Text> = "hubble.example.org",
    }
}
