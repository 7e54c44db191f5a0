//! The JSON Schema of `cluster.toml`, with which editors complete and check the file.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::ClusterFile;

/// Returns the schema, in draft 07, which is the one that TOML language servers read.
#[must_use]
pub fn schema() -> Value {
    let mut schema =
        SchemaSettings::draft07().into_generator().into_root_schema_for::<ClusterFile>().to_value();
    fit_to_toml(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "cluster.toml of rk1".into());
    }
    schema
}

/// Removes what TOML does not have: `null` for an omitted key, and the sizes of integers.
fn fit_to_toml(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(fit_to_toml),
        Value::Object(object) => {
            object.remove("format");
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
            }
            object.values_mut().for_each(fit_to_toml);
        }
        _ => {}
    }
}
