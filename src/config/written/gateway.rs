//! `[gateway]`, or `[[gateway]]` for several: the gateways, through which host names are reached from outside.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::certificates::Issuer;
use super::leaf::Text;
use super::shape::{Decode, Notation, Required, TomlValue, wrong_type};
use super::table::{choice, table};
use crate::config::diagnostics::Problems;
use crate::config::source::{Span, Spanned};

table! {
    /// A gateway, through which host names are reached from outside.
    pub struct Gateway {
        /// Name of the gateway: a DNS label. Each of several gateways needs one. [default: shared]
        "name" name: Option<Text> = "shared",
        /// Address of the gateway, in a pool.
        "address" address: Required<Text> = "10.200.200.1",
        /// IPv6 address of the gateway, in an IPv6 pool.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:10:200:200::1",
        /// The host name that it serves: a name, or a wildcard. [default: all names below the cluster's domain]
        "host" host: Option<Text> = "*.example.org",
        /// The host names that it serves, instead of `host`.
        "hosts" hosts: Option<Spanned<Vec<Text>>> = ["example.org", "*.example.org"],
        /// The namespaces whose routes it accepts: those with its label, or all. [default: labelled]
        "routes" routes: Option<Spanned<Routes>> = "labelled",
        /// What signs the certificate of its host names. [default: that of `[certificates]`]
        "issuer" issuer: Option<Spanned<Issuer>> = "production",
    }
}

choice! {
    /// The namespaces whose routes a gateway accepts.
    pub enum Routes {
        /// Those with the label `gateway.rk1/NAME: allow`, where NAME is the gateway's name.
        Labelled = "labelled",
        /// All: whoever may create a route in some namespace may serve any host name of the gateway.
        All = "all",
    }
}

/// One gateway as a table, or several as a list of tables.
#[derive(Debug)]
pub struct Gateways {
    /// The header of the first one.
    pub span: Span,
    pub list: Vec<Gateway>,
}

impl Decode for Gateways {
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        let span = value.span().into();
        match value.get_ref() {
            DeValue::Table(_) => Some(Self { span, list: vec![Gateway::decode(path, value, problems)?] }),
            DeValue::Array(_) => {
                let list = Vec::<Gateway>::decode(path, value, problems)?;
                Some(Self { span: list.first().map_or(span, |first| first.span), list })
            }
            _ => {
                let instead = Some(format!("write a header `[{path}]`"));
                wrong_type(path, value, "a table or a list of tables", instead, problems)
            }
        }
    }
}

impl JsonSchema for Gateways {
    fn schema_name() -> Cow<'static, str> {
        "Gateways".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let gateway = generator.subschema_for::<Gateway>();
        json_schema!({ "anyOf": [gateway, { "type": "array", "items": gateway, "minItems": 1 }] })
    }
}
