//! `[certificates]`: certificates for the gateway's host names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use toml::de::DeValue;

use super::leaf::Text;
use super::shape::{Decode, Notation, Required, TableReader, TomlValue, wrong_type};
use super::table::choice;
use crate::config::diagnostics::Problems;
use crate::config::dns_providers::{DNS_PROVIDERS, DnsField, DnsProvider, DnsValueKind, IfAbsent};
use crate::config::source::{Span, Spanned};

/// Certificates for the gateway's host names.
#[derive(Debug)]
pub struct Certificates {
    pub span: Span,
    pub issuer: Option<Spanned<Issuer>>,
    pub email: Option<Text>,
    /// The tables of DNS providers.
    pub dns: Vec<Dns>,
}

choice! {
    /// A service of Let's Encrypt.
    pub enum Issuer {
        /// For tests: browsers do not trust its certificates, and its rate limits are high.
        Staging = "staging",
        Production = "production",
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
        let dns = DNS_PROVIDERS.iter().filter_map(|provider| reader.field(provider.key, || None));
        let dns = dns.collect();
        let known = [ISSUER, EMAIL].into_iter().chain(DNS_PROVIDERS.iter().map(|provider| provider.key));
        reader.finish(&known.collect::<Vec<_>>());
        Some(Self { span, issuer, email, dns })
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
        let mut issuer = generator.subschema_for::<Issuer>().to_value();
        if let Some(reference) = issuer.as_object().cloned() {
            issuer = json!({
                "description": "The service of Let's Encrypt that signs the certificates. [default: production]",
                "examples": ["production"],
                "allOf": [reference],
            });
        }
        properties.insert(ISSUER.to_owned(), issuer);
        properties.insert(
            EMAIL.to_owned(),
            json!({
                "description": "The e-mail address of the account at Let's Encrypt, which is notified of problems. [default: none]",
                "examples": ["admin@example.org"],
                "type": "string",
            }),
        );
        for provider in &DNS_PROVIDERS {
            properties.insert(provider.key.to_owned(), provider_schema(provider));
        }
        json_schema!({
            "description": "Certificates for the gateway's host names. The table of one DNS provider proves control of the domain.",
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
