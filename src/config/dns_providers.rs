//! The DNS providers by which control of the domain is proven: one row for each, with the keys of its table.
//!
//! They are the solvers of cert-manager's `ClusterIssuer`, below `dns01`.

/// A DNS provider: a table `[certificates.KEY]`.
#[derive(Debug)]
pub struct DnsProvider {
    pub key: &'static str,
    /// What messages call it.
    pub name: &'static str,
    /// The key below `dns01` in cert-manager's resource.
    pub solver: &'static str,
    /// In the order in which they are rendered.
    pub fields: &'static [DnsField],
}

/// A key of a provider's table.
#[derive(Debug)]
pub struct DnsField {
    pub key: &'static str,
    /// The key in cert-manager's resource. `None` for the zone where the resource has no key for it.
    pub path: Option<&'static str>,
    pub kind: DnsValueKind,
    /// What holds if the key is left out.
    pub default: IfAbsent,
    /// For the schema.
    pub description: &'static str,
    pub example: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfAbsent {
    /// The key must be written.
    Required,
    /// Nothing is rendered.
    Nothing,
    Text(&'static str),
    /// The domain of the cluster.
    ClusterDomain,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsValueKind {
    /// Printable ASCII without spaces.
    Word,
    Uuid,
    /// Azure's naming rules for `Microsoft.Resources/resourcegroups`.
    ResourceGroup,
    Domain,
    Choice(&'static [&'static str]),
    /// The name of a secret. The servers make a Kubernetes Secret of this name and key from it.
    Secret {
        name: &'static str,
        key: &'static str,
    },
}

use DnsValueKind::{Choice, Domain, ResourceGroup, Secret, Uuid, Word};
use IfAbsent::{ClusterDomain, Nothing, Required};

const fn zone(path: Option<&'static str>) -> DnsField {
    DnsField {
        key: "zone",
        path,
        kind: Domain,
        default: ClusterDomain,
        description: "The public DNS zone. [default: the cluster's domain]",
        example: "example.org",
    }
}

const fn field(
    key: &'static str,
    path: &'static str,
    kind: DnsValueKind,
    default: IfAbsent,
    description: &'static str,
    example: &'static str,
) -> DnsField {
    DnsField { key, path: Some(path), kind, default, description, example }
}

const AZURE_CLOUDS: &[&str] = &["AzurePublicCloud", "AzureChinaCloud", "AzureUSGovernmentCloud"];
const UUID: &str = "00000000-0000-0000-0000-000000000000";

/// Examples that are nobody's identifier, and so certainly not the user's.
pub const PLACEHOLDERS: [&str; 4] =
    ["Z0123456789ABC", "AKIAIOSFODNN7EXAMPLE", "my-project-123", "akab-example.luna.akamaiapis.net"];

pub static DNS_PROVIDERS: [DnsProvider; 8] = [
    DnsProvider {
        key: "azure-dns",
        name: "Azure DNS",
        solver: "azureDNS",
        fields: &[
            field(
                "environment",
                "environment",
                Choice(AZURE_CLOUDS),
                IfAbsent::Text("AzurePublicCloud"),
                "The Azure cloud. [default: AzurePublicCloud]",
                "AzurePublicCloud",
            ),
            field(
                "subscription-id",
                "subscriptionID",
                Uuid,
                Required,
                "The subscription of the zone: a UUID.",
                UUID,
            ),
            field(
                "resource-group",
                "resourceGroupName",
                ResourceGroup,
                Required,
                "The resource group of the zone.",
                "dns",
            ),
            zone(Some("hostedZoneName")),
            field(
                "tenant-id",
                "tenantID",
                Uuid,
                Required,
                "The tenant of the service principal: a UUID.",
                UUID,
            ),
            field("client-id", "clientID", Uuid, Required, "The service principal: a UUID.", UUID),
            field(
                "client-secret",
                "clientSecretSecretRef",
                Secret { name: "azure-dns-secret", key: "azure_client_secret" },
                Required,
                "Name of the secret that holds the password of the service principal.",
                "azure-dns",
            ),
        ],
    },
    DnsProvider {
        key: "cloudflare",
        name: "Cloudflare",
        solver: "cloudflare",
        fields: &[
            field(
                "api-token",
                "apiTokenSecretRef",
                Secret { name: "cloudflare-dns", key: "api-token" },
                Required,
                "Name of the secret that holds an API token with the permissions Zone:Read and DNS:Edit.",
                "cloudflare-token",
            ),
            zone(None),
        ],
    },
    DnsProvider {
        key: "route53",
        name: "Amazon Route 53",
        solver: "route53",
        fields: &[
            field("region", "region", Word, Nothing, "The AWS region. [default: us-east-1]", "eu-central-1"),
            field(
                "hosted-zone-id",
                "hostedZoneID",
                Word,
                Nothing,
                "The ID of the hosted zone. [default: looked up]",
                "Z0123456789ABC",
            ),
            field(
                "access-key-id",
                "accessKeyID",
                Word,
                Required,
                "The access key ID of an IAM user.",
                "AKIAIOSFODNN7EXAMPLE",
            ),
            field(
                "secret-access-key",
                "secretAccessKeySecretRef",
                Secret { name: "route53-dns", key: "secret-access-key" },
                Required,
                "Name of the secret that holds the secret access key.",
                "route53-key",
            ),
            zone(None),
        ],
    },
    DnsProvider {
        key: "google-cloud-dns",
        name: "Google Cloud DNS",
        solver: "cloudDNS",
        fields: &[
            field("project", "project", Word, Required, "The ID of the project.", "my-project-123"),
            field(
                "service-account",
                "serviceAccountSecretRef",
                Secret { name: "google-cloud-dns", key: "key.json" },
                Required,
                "Name of the secret that holds the JSON key of a service account.",
                "google-dns",
            ),
            zone(None),
        ],
    },
    DnsProvider {
        key: "digitalocean",
        name: "DigitalOcean",
        solver: "digitalocean",
        fields: &[
            field(
                "token",
                "tokenSecretRef",
                Secret { name: "digitalocean-dns", key: "access-token" },
                Required,
                "Name of the secret that holds a personal access token.",
                "digitalocean-token",
            ),
            zone(None),
        ],
    },
    DnsProvider {
        key: "akamai",
        name: "Akamai Edge DNS",
        solver: "akamai",
        fields: &[
            field(
                "service-consumer-domain",
                "serviceConsumerDomain",
                Word,
                Required,
                "The host of the API.",
                "akab-example.luna.akamaiapis.net",
            ),
            field(
                "client-token",
                "clientTokenSecretRef",
                Secret { name: "akamai-dns-client-token", key: "client-token" },
                Required,
                "Name of the secret that holds the client token.",
                "akamai-client-token",
            ),
            field(
                "client-secret",
                "clientSecretSecretRef",
                Secret { name: "akamai-dns-client-secret", key: "client-secret" },
                Required,
                "Name of the secret that holds the client secret.",
                "akamai-client-secret",
            ),
            field(
                "access-token",
                "accessTokenSecretRef",
                Secret { name: "akamai-dns-access-token", key: "access-token" },
                Required,
                "Name of the secret that holds the access token.",
                "akamai-access-token",
            ),
            zone(None),
        ],
    },
    DnsProvider {
        key: "acme-dns",
        name: "acme-dns",
        solver: "acmeDNS",
        fields: &[
            field(
                "host",
                "host",
                Word,
                Required,
                "The URL of the acme-dns server.",
                "https://acme-dns.example.org",
            ),
            field(
                "account",
                "accountSecretRef",
                Secret { name: "acme-dns", key: "acmedns.json" },
                Required,
                "Name of the secret that holds the accounts, as acme-dns-client writes them.",
                "acme-dns-account",
            ),
            zone(None),
        ],
    },
    DnsProvider {
        key: "rfc2136",
        name: "RFC 2136",
        solver: "rfc2136",
        fields: &[
            field(
                "nameserver",
                "nameserver",
                Word,
                Required,
                "The authoritative server, with its port if it is not 53.",
                "172.16.10.53:53",
            ),
            field("tsig-key-name", "tsigKeyName", Word, Required, "The name of the TSIG key.", "rk1"),
            field(
                "tsig-algorithm",
                "tsigAlgorithm",
                Choice(&["HMACMD5", "HMACSHA1", "HMACSHA256", "HMACSHA512"]),
                IfAbsent::Text("HMACSHA256"),
                "The algorithm of the TSIG key. [default: HMACSHA256]",
                "HMACSHA256",
            ),
            field(
                "tsig-secret",
                "tsigSecretSecretRef",
                Secret { name: "rfc2136-dns", key: "tsig-secret" },
                Required,
                "Name of the secret that holds the TSIG key in base64.",
                "tsig",
            ),
            zone(None),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_an_example() {
        let examples: Vec<_> =
            DNS_PROVIDERS.iter().flat_map(|provider| provider.fields).map(|field| field.example).collect();
        assert!(PLACEHOLDERS.iter().all(|placeholder| examples.contains(placeholder)));
    }
}
