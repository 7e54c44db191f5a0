//! Services get addresses from the pool that is theirs, which is announced to the routers that it names.

use std::net::IpAddr;

use rk1::config::cluster::Pool;
use serde_json::{Value, json};

use crate::play::{Play, SOON};
use crate::wait::until;

impl Play<'_> {
    pub(crate) fn pools(&self) {
        let path = |pool: &Pool| format!("/api/v1/namespaces/default/services/in-{}", pool.name);
        let families = self.gateway().each().count();
        for pool in &self.cluster.pools {
            let labels: Value =
                pool.service_label.iter().map(|label| (label.key.clone(), json!(label.value))).collect();
            let service = json!({ "apiVersion": "v1", "kind": "Service",
                "metadata": { "name": format!("in-{}", pool.name), "namespace": "default", "labels": labels },
                "spec": { "type": "LoadBalancer", "ports": [{ "port": 1883 }], "ipFamilyPolicy": "PreferDualStack" } });
            self.kubernetes.api.apply_object(&service).expect("a service");
        }
        for pool in &self.cluster.pools {
            let addresses = || self.addresses_of(&path(pool));
            until("a service has its addresses", SOON, || addresses().len() == families);
            for address in addresses() {
                assert!(pool.assigns(address), "{address} is not of the pool {}", pool.name);
                let gateways = self.cluster.gateways.iter().flat_map(|gateway| gateway.address.each());
                assert!(gateways.into_iter().all(|gateway| gateway != address), "{address} is a gateway's");
                let hears = |name| pool.routers.contains(name);
                until("the service is announced to the pool's routers", SOON, || {
                    self.running_routers()
                        .filter(|(_, router)| hears(&router.name))
                        .all(|(router, _)| self.is_announced(router, address, None))
                });
                for (router, configured) in self.running_routers() {
                    let is_announced = self.is_announced(router, address, None);
                    assert_eq!(is_announced, hears(&configured.name), "{address} at {}", configured.name);
                }
            }
        }
        for pool in &self.cluster.pools {
            self.kubernetes.api.delete(&path(pool));
        }
    }

    /// The addresses of a service of the type `LoadBalancer`.
    pub(crate) fn addresses_of(&self, service: &str) -> Vec<IpAddr> {
        let service = self.object(service);
        let ingress = service["status"]["loadBalancer"]["ingress"].as_array().cloned().unwrap_or_default();
        ingress.iter().filter_map(|each| each["ip"].as_str()?.parse().ok()).collect()
    }
}
