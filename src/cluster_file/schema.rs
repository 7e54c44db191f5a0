//! The JSON Schema of `cluster.toml`, by which editors complete and check it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::ClusterFile;

/// The schema, in draft 07: the one that TOML language servers read.
#[must_use]
pub fn schema() -> Value {
    let mut schema =
        SchemaSettings::draft07().into_generator().into_root_schema_for::<ClusterFile>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "cluster.toml of rk1".into());
    }
    schema
}
