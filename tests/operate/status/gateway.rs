//! The gateway, its certificate, and the page behind it.

use serde_json::json;

use crate::certificates::Authority;
use crate::cluster::{CERTIFICATE, CLASS, SHARED, hence, screen_of};
use crate::server::Service;

#[test]
fn nothing_is_programmed() {
    screen_of("gateway-not-programmed", |cluster| {
        let condition = |kind: &str, reason: &str, message: &str| json!([{ "type": kind, "status": "False", "reason": reason, "message": message }]);
        cluster.page(CLASS)["status"] = json!({});
        cluster.page(SHARED)["status"]["conditions"] =
            condition("Programmed", "AddressNotAssigned", "Address\u{1b}[31m not\nready yet");
        cluster.page(CERTIFICATE)["status"] = json!({
            "conditions": condition("Ready", "DoesNotExist", "Issuing certificate as Secret does not exist"),
        });
        cluster.gateway.service = None;
    });
}

#[test]
fn the_gateway_has_another_address() {
    screen_of("gateway-address", |cluster| {
        cluster.page(SHARED)["status"]["addresses"] =
            json!([{ "type": "IPAddress", "value": "10.200.200.7" }]);
    });
}

#[test]
fn the_certificate_has_expired() {
    screen_of("certificate-expired", |cluster| {
        cluster.page(CERTIFICATE)["status"]["notAfter"] = json!(hence(-5 * 24 - 12));
        cluster.gateway.identity = Some(cluster.authority.sign_expired("hubble.virtualthoughts.co.uk"));
    });
}

#[test]
fn the_certificate_should_have_been_renewed() {
    screen_of("certificate-overdue", |cluster| {
        cluster.page(CERTIFICATE)["status"]["notAfter"] = json!(hence(9 * 24 + 12));
        cluster.page(CERTIFICATE)["status"]["renewalTime"] = json!(hence(-21 * 24 - 12));
    });
}

#[test]
fn no_browser_trusts_the_certificate() {
    screen_of("hubble-untrusted", |cluster| {
        cluster.gateway.identity = Some(Authority::new("another").sign("hubble.virtualthoughts.co.uk"));
    });
    screen_of("hubble-staging", |cluster| {
        cluster.edit("issuer = \"production\"", "issuer = \"staging\"");
        cluster.gateway.identity = Some(Authority::new("staging").sign("hubble.virtualthoughts.co.uk"));
    });
    screen_of("hubble-own-authority", |cluster| {
        cluster.edit("issuer = \"production\"", "issuer = \"self-signed\"");
        cluster.gateway.identity = Some(Authority::new("cluster-ca").sign("hubble.example.org"));
    });
    screen_of("hubble-other-name", |cluster| {
        cluster.gateway.identity = Some(cluster.authority.sign("virtualthoughts.co.uk"));
    });
}

#[test]
fn the_gateway_has_no_backend() {
    screen_of("hubble-503", |cluster| cluster.gateway.service = Some(Service::Status(503)));
    screen_of("hubble-404", |cluster| cluster.gateway.service = Some(Service::Status(404)));
}
