//! A client of the API server that applies objects as they are written.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rk1::render::yaml;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::wait::until;

pub(crate) struct Api {
    runtime: Runtime,
    client: Client,
    /// The name of each kind in a path, and whether it has namespaces, by API version and kind.
    kinds: RefCell<BTreeMap<(String, String), (String, bool)>>,
}

/// The longest until a definition can be used on a busy machine.
const KNOWN: Duration = Duration::from_secs(30);
/// Who applies: the owner of fields.
const MANAGER: &str = "fieldManager=test&force=true";

impl Api {
    /// Connects with the credentials of a kubeconfig. Nothing is sent yet.
    pub(crate) fn new(kubeconfig: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
        let client = runtime.block_on(async {
            let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
            Client::try_from(config.expect("a configuration")).expect("a client")
        });
        Self { runtime, client, kinds: RefCell::default() }
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> Result<Value, String> {
        let request = Request::builder().method(method).uri(path).header("Content-Type", kind);
        let request = request.body(body).expect("a request");
        let text = self.runtime.block_on(self.client.request_text(request));
        let text = text.map_err(|error| format!("{method} {path}: {error}"))?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Reads an object, a list or a page. `None` where there is none, or nobody answers.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.send("GET", path, "application/json", Vec::new()).ok()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.send("POST", path, "application/json", body.to_string().into_bytes())
            .unwrap_or_else(|why| panic!("{why}"))
    }

    pub(crate) fn delete(&self, path: &str) {
        self.send("DELETE", path, "application/json", Vec::new()).unwrap_or_else(|why| panic!("{why}"));
    }

    /// Changes some fields of an object (RFC 7386).
    pub(crate) fn patch(&self, path: &str, change: &Value) {
        let body = change.to_string().into_bytes();
        self.send("PATCH", path, "application/merge-patch+json", body).unwrap_or_else(|why| panic!("{why}"));
    }

    /// Applies all definitions of a text in their order.
    pub(crate) fn define(&self, text: &str) {
        for object in yaml::parse(text).expect("YAML") {
            self.apply_object(&object).unwrap_or_else(|why| panic!("{why}"));
        }
    }

    /// Waits until the kinds of objects can be used. The API server serves a defined kind and lists it in its discovery at two
    /// different moments, and on a busy machine either may be the first.
    pub(crate) fn until_known(&self, objects: &[Value]) {
        let is_known =
            |object: &Value| self.collection(object).is_ok_and(|collection| self.get(&collection).is_some());
        until("the kinds are known", KNOWN, || objects.iter().all(is_known));
    }

    /// Applies an object, and its status where it has one.
    pub(crate) fn apply_object(&self, object: &Value) -> Result<(), String> {
        let path = self.path(object)?;
        let body = object.to_string().into_bytes();
        let apply = "application/apply-patch+yaml";
        self.send("PATCH", &format!("{path}?{MANAGER}"), apply, body.clone())?;
        if object["status"].is_object() && object["kind"] != "CustomResourceDefinition" {
            self.send("PATCH", &format!("{path}/status?{MANAGER}"), apply, body)?;
        }
        Ok(())
    }

    fn path(&self, object: &Value) -> Result<String, String> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        Ok(format!("{}/{name}", self.collection(object)?))
    }

    /// The path of all objects of an object's kind, in its namespace. The API server says what the kind is called there.
    fn collection(&self, object: &Value) -> Result<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let base = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
        let (plural, has_namespaces) = self.kind(&base, &version, &kind)?;
        Ok(match object["metadata"]["namespace"].as_str() {
            Some(namespace) if has_namespaces => format!("{base}/namespaces/{namespace}/{plural}"),
            _ if has_namespaces => return Err(format!("a {kind} has no namespace")),
            _ => format!("{base}/{plural}"),
        })
    }

    fn kind(&self, base: &str, version: &str, kind: &str) -> Result<(String, bool), String> {
        let key = (version.to_owned(), kind.to_owned());
        if let Some(known) = self.kinds.borrow().get(&key) {
            return Ok(known.clone());
        }
        let unknown = || format!("no matches for kind \"{kind}\" in version \"{version}\"");
        let list = self.get(base).ok_or_else(unknown)?;
        let resources = list["resources"].as_array().cloned().unwrap_or_default();
        let found = resources.iter().find(|resource| {
            resource["kind"] == kind && !resource["name"].as_str().unwrap_or("/").contains('/')
        });
        let found = found.ok_or_else(unknown)?;
        let known = (found["name"].as_str().unwrap_or_default().to_owned(), found["namespaced"] == true);
        self.kinds.borrow_mut().insert(key, known.clone());
        Ok(known)
    }
}
