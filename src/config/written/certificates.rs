//! `[certificates]`: certificates for the gateway's host names.

use super::leaf::Text;
use super::shape::Required;
use super::table::{choice, table};
use crate::config::source::Spanned;

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
