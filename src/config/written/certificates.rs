//! `[certificates]`: certificates for the gateways' host names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use toml::de::DeValue;

use super::free::FreeValue;
use super::leaf::{Named, Switch, Text};
use super::shape::{Decode, Notation, Required, TableReader, TomlValue, wrong_type};
use super::table::{choice, table};
use crate::config::diagnostics::Problems;
use crate::config::dns_providers::{DNS_PROVIDERS, DnsField, DnsProvider, DnsValueKind, IfAbsent};
use crate::config::source::{Span, Spanned};

/// Certificates for the gateways' host names.
#[derive(Debug)]
pub struct Certificates {
    pub span: Span,
    pub issuer: Option<Spanned<Issuer>>,
    pub email: Option<Text>,
    pub recursive_nameservers: Option<Vec<Text>>,
    pub values: Option<Spanned<FreeValue>>,
    pub ca: Option<CertificateAuthority>,
    pub http_01: Option<Switch>,
    pub webhook: Option<Webhook>,
    /// The tables of DNS providers.
    pub dns: Vec<Dns>,
}

choice! {
    /// What signs certificates.
    pub enum Issuer {
        /// The test service of Let's Encrypt: browsers do not trust its certificates, and its rate limits are high.
        Staging = "staging",
        /// Let's Encrypt.
        Production = "production",
        /// An authority that the cluster makes itself: browsers trust it once its certificate is installed there.
        SelfSigned = "self-signed",
        /// The authority of `[certificates.ca]`.
        Ca = "ca",
        /// No certificates: host names are served over HTTP, unencrypted.
        None = "none",
    }
}

table! {
    /// A certificate authority of one's own, for the issuer `ca`.
    pub struct CertificateAuthority {
        /// Name of the secret that holds the authority's certificate in PEM, followed by those of the authorities above it.
        "certificate" certificate: Required<Text> = "ca-certificate",
        /// Name of the secret that holds the authority's private key in PEM.
        "key" key: Required<Text> = "ca-key",
    }
}

table! {
    /// A webhook that creates the records which prove control of the domain, for a DNS provider that cert-manager does not
    /// know itself. It is installed with a manifest of one's own.
    pub struct Webhook {
        /// The API group of the webhook, as its documentation states.
        "group-name" group_name: Required<Text> = "acme.example.org",
        /// The name of its solver, as its documentation states.
        "solver-name" solver_name: Required<Text> = "hetzner",
        /// The configuration of the solver, as its documentation states.
        "config" config: Option<Spanned<FreeValue>> = json!({"secretName": "hetzner-dns"}),
        /// Kubernetes Secrets in cert-manager's namespace: their names, and for each of their keys the name of a secret.
        "secrets" secrets: Option<Named<Named<Text>>> = json!({"hetzner-dns": {"api-key": "hetzner-token"}}),
        /// The public DNS zone. [default: the cluster's domain]
        "zone" zone: Option<Text> = "example.org",
    }
}

/// A table `[certificates.KEY]` of a DNS provider.
#[derive(Debug)]
pub struct Dns {
    pub span: Span,
    pub provider: &'static DnsProvider,
    /// The keys of the provider, each with the value that is written.
    pub values: Vec<(&'static DnsField, Option<Text>)>,
}

const ISSUER: &str = "issuer";
const EMAIL: &str = "email";
const RECURSIVE_NAMESERVERS: &str = "recursive-nameservers";
const VALUES: &str = "values";
const CA: &str = "ca";
const HTTP_01: &str = "http-01";
const WEBHOOK: &str = "webhook";
/// The keys of the section without those of DNS providers.
const KEYS: [&str; 7] = [ISSUER, EMAIL, RECURSIVE_NAMESERVERS, VALUES, CA, HTTP_01, WEBHOOK];

impl Decode for Certificates {
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            return wrong_type(path, value, "a table", None, problems);
        };
        let span = value.span().into();
        let mut reader = TableReader::new(path, span, table, problems);
        let issuer = reader.field(ISSUER, || None);
        let email = reader.field(EMAIL, || None);
        let recursive_nameservers = reader.field(RECURSIVE_NAMESERVERS, || None);
        let values = reader.field(VALUES, || None);
        let ca = reader.field(CA, || None);
        let http_01 = reader.field(HTTP_01, || None);
        let webhook = reader.field(WEBHOOK, || None);
        let dns = DNS_PROVIDERS.iter().filter_map(|provider| reader.field(provider.key, || None));
        let dns = dns.collect();
        let known = KEYS.into_iter().chain(DNS_PROVIDERS.iter().map(|provider| provider.key));
        reader.finish(&known.collect::<Vec<_>>());
        Some(Self { span, issuer, email, recursive_nameservers, values, ca, http_01, webhook, dns })
    }
}

impl Decode for Dns {
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            return wrong_type(path, value, "a table", None, problems);
        };
        let key = path.rsplit('.').next();
        let provider = DNS_PROVIDERS.iter().find(|provider| Some(provider.key) == key)?;
        let span = value.span().into();
        let mut reader = TableReader::new(path, span, table, problems);
        let values = provider.fields.iter().map(|field| (field, read_field(&mut reader, field))).collect();
        reader.finish(&provider.fields.iter().map(|field| field.key).collect::<Vec<_>>());
        Some(Self { span, provider, values })
    }
}

fn read_field(reader: &mut TableReader<'_, '_>, field: &'static DnsField) -> Option<Text> {
    let example = || Some(json!(field.example));
    match field.default {
        IfAbsent::Required => reader.field::<Required<Text>>(field.key, example).0,
        _ => reader.field(field.key, example),
    }
}

impl JsonSchema for Certificates {
    fn schema_name() -> Cow<'static, str> {
        "Certificates".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        let mut referring = |key: &str, reference: Schema, description: &str, example: Option<Value>| {
            let mut property = json!({ "description": description, "allOf": [reference] });
            if let Some(example) = example {
                property["examples"] = json!([example]);
            }
            properties.insert(key.to_owned(), property);
        };
        referring(
            ISSUER,
            generator.subschema_for::<Issuer>(),
            "What signs the certificates. [default: production]",
            Some(json!("production")),
        );
        let ca = generator.subschema_for::<CertificateAuthority>();
        referring(CA, ca, "A certificate authority of one's own, for the issuer `ca`.", None);
        let webhook = generator.subschema_for::<Webhook>();
        let description = "A webhook that proves control of the domain, instead of a DNS provider.";
        referring(WEBHOOK, webhook, description, None);
        properties.insert(
            EMAIL.to_owned(),
            json!({
                "description": "The e-mail address of the account at Let's Encrypt, which is notified of problems. [default: none]",
                "examples": ["admin@example.org"],
                "type": "string",
            }),
        );
        properties.insert(
            RECURSIVE_NAMESERVERS.to_owned(),
            json!({
                "description": "Name servers by which cert-manager checks that its record is visible: addresses, with a port if it is not 53, or URLs of DNS over HTTPS. An empty list stands for those of the cluster. [default: 1.1.1.1 and 1.0.0.1]",
                "examples": [["https://1.1.1.1/dns-query"]],
                "type": "array",
                "items": { "type": "string" },
            }),
        );
        properties.insert(
            VALUES.to_owned(),
            json!({
                "description": "Helm values of cert-manager's chart, merged over the rendered ones.",
                "examples": [{ "replicaCount": 2 }],
                "type": "object",
            }),
        );
        properties.insert(
            HTTP_01.to_owned(),
            json!({
                "description": "Whether control of each host name is proven over HTTP through the gateway, instead of by a DNS provider. Let's Encrypt must reach the gateway at port 80, and no host name may be a wildcard. [default: false]",
                "examples": [true],
                "type": "boolean",
            }),
        );
        for provider in &DNS_PROVIDERS {
            properties.insert(provider.key.to_owned(), provider_schema(provider));
        }
        json_schema!({
            "description": "Certificates for the gateways' host names. For Let's Encrypt, the table of one DNS provider, `webhook` or `http-01` proves control of the domain.",
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
        })
    }
}

fn provider_schema(provider: &DnsProvider) -> Value {
    let properties: Map<_, _> = provider
        .fields
        .iter()
        .map(|field| {
            let mut schema = json!({
                "description": field.description,
                "examples": [field.example],
                "type": "string",
            });
            if let DnsValueKind::Choice(words) = field.kind {
                schema["enum"] = json!(words);
            }
            (field.key.to_owned(), schema)
        })
        .collect();
    let required = provider.fields.iter().filter(|field| field.default == IfAbsent::Required);
    json!({
        "description": format!("{}, where cert-manager creates the records that prove control of the domain.", provider.name),
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required.map(|field| field.key).collect::<Vec<_>>(),
    })
}
