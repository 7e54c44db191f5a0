//! The certificate of the gateway: cert-manager's issuer, and each step from the request to the challenge.

use k8s_openapi::jiff::Timestamp;

use super::gateway::{NamedFinding, check, follows_from};
use super::pods;
use crate::config::cluster::Gateway;
use crate::operate::status::facts::{
    AcmeStep, CertificateFacts, CertificateLookups, Condition, GatewayLookups, Lookup,
};
use crate::operate::status::finding::{Cause, Finding};
use crate::render::manifests::gateway as names;
use crate::render::manifests::issuer::issuer_name;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
const DESCRIBE: &str = "`kubectl -n gateway describe certificate,certificaterequest,order,challenge`";
const NOT_INSTALLED: &str = "cert-manager is not installed: the cluster does not know its kinds";
const CHART_HINT: &str = "`kubectl -n kube-system get helmchart,job`: the chart cert-manager of manifests/20-cert-manager.yaml brings them";

fn not_installed(kind: &str) -> Finding {
    Finding::wrong(Cause::KindNotInstalled, NOT_INSTALLED, CHART_HINT)
        .of_object(format!("CustomResourceDefinition {kind}.cert-manager.io"))
}

pub(super) fn issuer(name: &str, found: &CertificateLookups, causes: &[NamedFinding<'_>]) -> Finding {
    let object = format!("ClusterIssuer {name}");
    let conditions = match &found.issuer {
        Ok(Lookup::Found(conditions)) => conditions,
        Ok(Lookup::NoKind) => {
            return follows_from(causes, "not installed").unwrap_or_else(|| not_installed("clusterissuers"));
        }
        Ok(Lookup::NoObject) => {
            return follows_from(causes, "not there").unwrap_or_else(|| {
                let look_at =
                    "`kubectl -n kube-system describe addon 40-issuer`: k3s applies manifests/40-issuer.yaml";
                Finding::wrong(Cause::ObjectMissing, format!("there is no {object}"), look_at)
            });
        }
        Err(error) => return pods::unread(error),
    };
    let Err(condition) = check(conditions, "Ready") else { return Finding::good(format!("{name} is ready")) };
    let Some(condition) = condition else {
        return follows_from(causes, "not ready").unwrap_or_else(|| {
            let look_at = "`kubectl -n cert-manager logs deployment/cert-manager`";
            Finding::wrong(Cause::IssuerNotReady, "not ready: cert-manager has not looked at it yet", look_at)
                .of_object(object.clone())
        });
    };
    let what = format!("{name} is not ready: {}", condition.words());
    let describe = format!("`kubectl describe clusterissuer {name}`");
    let finding = if is_about_secret(condition) {
        let look_at = "`rk1 secrets`, and `journalctl -u 'kubernetes-secret-*'` on a server";
        Finding::wrong(Cause::SolverSecretMissing, what, look_at)
    } else if condition.reason == "ErrRegisterACMEAccount" {
        let look_at = format!("{describe}: cert-manager's pods need DNS and a way to the ACME server");
        Finding::wrong(Cause::AcmeUnreachable, what, look_at)
    } else {
        Finding::wrong(Cause::IssuerNotReady, what, describe)
    };
    finding.of_object(object)
}

fn is_about_secret(condition: &Condition) -> bool {
    condition.message.contains("failed to get secret") || condition.message.contains("secret \"")
}

/// Findings each of which keeps the certificate from being issued.
pub(super) struct Causes<'a> {
    pub(super) cert_manager: &'a Finding,
    pub(super) issuer: &'a Finding,
    /// The Certificate is made for it.
    pub(super) gateway: &'a Finding,
}

pub(super) fn certificate(
    gateway: &Gateway,
    lookups: &GatewayLookups,
    found: &CertificateLookups,
    causes: &Causes<'_>,
    now: Timestamp,
) -> Finding {
    let hosts = gateway.listed_hosts();
    let object = format!("Certificate gateway/{}", names::certificate(gateway));
    let facts = match &found.certificate {
        Ok(Lookup::Found(facts)) => facts,
        Ok(Lookup::NoKind) => {
            return follows_from(
                &[("issuer", causes.issuer), ("cert-manager", causes.cert_manager)],
                "not installed",
            )
            .unwrap_or_else(|| not_installed("certificates"));
        }
        Ok(Lookup::NoObject) => {
            let has_gateway = lookups.gateway.as_ref().is_ok_and(|found| found.found().is_some());
            let gateway = (!has_gateway).then_some(("gateway", causes.gateway));
            let causes: Vec<_> = [("cert-manager", causes.cert_manager)].into_iter().chain(gateway).collect();
            return follows_from(&causes, "not there").unwrap_or_else(|| {
                let look_at = "`kubectl -n cert-manager logs deployment/cert-manager`: it makes the Certificate for \
                               the gateway, once it knows the Gateway API";
                Finding::wrong(Cause::ObjectMissing, "the Certificate of the gateway is missing", look_at)
            });
        }
        Err(error) => return pods::unread(error),
    };
    let days = |from: Timestamp, to: Timestamp| (to.as_second() - from.as_second()) / SECONDS_PER_DAY;
    let has_expired = facts.not_after.is_some_and(|end| end <= now);
    let is_overdue = facts.renewal.is_some_and(|renewal| days(renewal, now) >= 1);
    let ready = check(&facts.conditions, "Ready");
    if ready.is_err() || has_expired || is_overdue {
        let front = match facts.not_after {
            Some(end) if has_expired => format!("{hosts} expired {} ago", in_days(days(end, now))),
            Some(end) if is_overdue => {
                let late = facts.renewal.map(|renewal| days(renewal, now)).unwrap_or_default();
                format!("{hosts}, {} left: the renewal is {} late", in_days(days(now, end)), in_days(late))
            }
            _ => format!("{hosts} is not issued"),
        };
        let not_ready = ready.err().flatten().map(Condition::words);
        return not_issued(
            found,
            &[("cert-manager", causes.cert_manager), ("issuer", causes.issuer)],
            &front,
            not_ready.as_deref(),
            if has_expired {
                Cause::CertificateExpired
            } else if is_overdue {
                Cause::RenewalOverdue
            } else {
                Cause::CertificateNotReady
            },
            &object,
        );
    }
    good(gateway, &hosts, &object, facts, now)
}

fn good(gateway: &Gateway, hosts: &str, object: &str, facts: &CertificateFacts, now: Timestamp) -> Finding {
    let wanted = issuer_name(gateway.issuer).unwrap_or_default();
    if !facts.issuer.is_empty() && facts.issuer != wanted {
        return Finding::wrong(
            Cause::OtherIssuer,
            format!("{hosts} is signed by the issuer {}, not by {wanted}", facts.issuer),
            format!(
                "`kubectl -n gateway describe gateway {}`: its annotation names the issuer",
                gateway.name
            ),
        )
        .of_object(object);
    }
    match facts.not_after {
        Some(end) => {
            let left = (end.as_second() - now.as_second()) / SECONDS_PER_DAY;
            Finding::good(format!("{hosts}, {} left", in_days(left)))
        }
        None => {
            Finding::wrong(Cause::CertificateNotReady, "ready, but it has no end", DESCRIBE).of_object(object)
        }
    }
}

fn in_days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// Why there is no certificate: the last step that cert-manager has reached says it.
fn not_issued(
    found: &CertificateLookups,
    causes: &[NamedFinding<'_>],
    front: &str,
    condition: Option<&str>,
    otherwise: Cause,
    object: &str,
) -> Finding {
    if let Some(finding) = follows_from(causes, front) {
        return finding;
    }
    let step = |cause, kind: &str, step: &AcmeStep, what: String| {
        let look_at = format!("`kubectl -n gateway describe {} {}`", kind.to_lowercase(), step.name);
        Finding::wrong(cause, format!("{front}: {what}"), look_at)
            .of_object(format!("{kind} gateway/{}", step.name))
    };
    let is_failed = |state: &str| ["invalid", "expired", "errored"].contains(&state);
    if let Ok(Some(challenge)) = &found.challenge {
        let reason = if challenge.reason.is_empty() { "no reason is given" } else { &challenge.reason };
        if is_failed(&challenge.state) {
            let what = format!("the challenge is {}: {reason}", challenge.state);
            return step(Cause::ChallengeFailed, "Challenge", challenge, what);
        }
        if challenge.state != "valid" {
            let what = format!("the challenge is pending: {reason}");
            return step(Cause::ChallengePending, "Challenge", challenge, what);
        }
    }
    if let Ok(Some(order)) = &found.order
        && is_failed(&order.state)
    {
        let reason = if order.reason.is_empty() { "no reason is given" } else { &order.reason };
        return step(Cause::OrderFailed, "Order", order, format!("the order is {}: {reason}", order.state));
    }
    if let Ok(Some(request)) = &found.request {
        for kind in ["Denied", "InvalidRequest"] {
            if let Some(condition) = request.get(kind).filter(|condition| condition.is_true) {
                let what = format!("{front}: the request is refused: {}", condition.words());
                return Finding::wrong(Cause::RequestFailed, what, DESCRIBE).of_object(object);
            }
        }
        if let Err(Some(condition)) = check(request, "Ready")
            && condition.reason == "Failed"
        {
            let what = format!("{front}: the request failed: {}", condition.message);
            return Finding::wrong(Cause::RequestFailed, what, DESCRIBE).of_object(object);
        }
    }
    let condition = condition.map(|words| format!(": {words}")).unwrap_or_default();
    Finding::wrong(otherwise, format!("{front}{condition}"), DESCRIBE).of_object(object)
}
