//! `[secrets]`: where each secret comes from.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::leaf::{Named, Text};
use super::shape::{Attempt, Decode, Notation, TomlValue, wrong_type};
use super::table::table;
use crate::config::diagnostics::Problems;
use crate::config::source::Span;

/// Where each secret comes from, for `rk1 flash`: a file, relative to `cluster.toml`, or a table with a program that prints it.
/// An empty path is for a secret that reaches the nodes in another way, such as with sops-nix.
#[derive(Debug, schemars::JsonSchema)]
#[schemars(transparent)]
pub struct Secrets {
    pub sources: Named<Attempt<SecretSource>>,
    #[schemars(skip)]
    pub span: Span,
}

impl Decode for Secrets {
    const NOTATION: Notation = Notation::Table;

    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        Some(Self { sources: Named::decode(path, value, problems)?, span: value.span().into() })
    }
}

/// The value of a secret in `[secrets]`.
#[derive(Debug)]
pub enum SecretSource {
    /// The path of a file.
    File(Text),
    Program(Box<SecretProgram>),
}

table! {
    /// A secret that a program prints. Write one of `command`, `sops` and `age`.
    pub struct SecretProgram {
        /// The program and its arguments. It is run in the folder of cluster.toml, without a shell.
        "command" command: Option<Vec<Text>> = ["op", "read", "op://home/grafana/token"],
        /// File that `sops` decrypts.
        "sops" sops: Option<Text> = "secrets.yaml",
        /// Key of the secret in that file. [default: the whole file]
        "key" key: Option<Text> = "grafana-token",
        /// File that `age` decrypts.
        "age" age: Option<Text> = "grafana-token.age",
        /// File with the identity for `age`, relative to cluster.toml.
        "identity" identity: Option<Text> = "/home/me/age.txt",
    }
}

impl Decode for SecretSource {
    fn decode(path: &str, value: &TomlValue<'_>, problems: &mut Problems) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(_) => Text::decode(path, value, problems).map(Self::File),
            DeValue::Table(_) => {
                let path = format!("secrets.{path}");
                SecretProgram::decode(&path, value, problems).map(|program| Self::Program(Box::new(program)))
            }
            _ => {
                let instead =
                    "write the path of its file, or `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`".to_owned();
                wrong_type(path, value, "a path or a table", Some(instead), problems)
            }
        }
    }
}

impl JsonSchema for SecretSource {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SecretSource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let program = generator.subschema_for::<SecretProgram>();
        json_schema!({ "anyOf": [{ "type": "string" }, program] })
    }
}
