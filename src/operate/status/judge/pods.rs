//! Pods that are not ready, and why.

use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{PodFacts, PodTrouble};
use crate::operate::status::finding::{Cause, Finding};

/// Judges pods of which each has to be ready. `if_none` judges that there are none.
pub(super) fn all_ready(pods: &[&PodFacts], if_none: impl FnOnce() -> Finding) -> Finding {
    if pods.is_empty() {
        return if_none();
    }
    match pods.iter().find(|pod| !pod.is_ready) {
        Some(pod) => not_ready(pod),
        None => Finding::good(match pods.len() {
            1 => "ready".to_owned(),
            count => format!("{count} pods ready"),
        }),
    }
}

pub(super) fn not_ready(pod: &PodFacts) -> Finding {
    let PodFacts { namespace, name, .. } = pod;
    let describe = format!("`kubectl -n {namespace} describe pod {name}`");
    let finding = match &pod.trouble {
        Some(PodTrouble::ImagePull { image, message }) => Finding::wrong(
            Cause::ImagePull,
            format!("the image {image} cannot be pulled: {}", or_nothing(message)),
            format!("{describe}; the node needs DNS and a way to the registry"),
        ),
        Some(PodTrouble::CrashLoop { container, message }) => Finding::wrong(
            Cause::CrashLoop,
            format!("the container {container} ends again and again: {message}"),
            format!("`kubectl -n {namespace} logs {name} -c {container} --previous`"),
        ),
        Some(PodTrouble::Unschedulable { message }) => Finding::wrong(
            Cause::Unschedulable,
            format!("no node takes the pod {name}: {}", or_nothing(message)),
            describe,
        ),
        Some(PodTrouble::Other { message }) => {
            Finding::wrong(Cause::PodNotReady, format!("the pod {name} is not ready: {message}"), describe)
        }
        None => Finding::wrong(
            Cause::PodNotReady,
            format!("the pod {name} is not ready"),
            format!("`kubectl -n {namespace} logs {name}`"),
        ),
    };
    finding.of_object(format!("Pod {namespace}/{name}"))
}

fn or_nothing(message: &str) -> &str {
    if message.is_empty() { "no reason is given" } else { message }
}

/// A question to Kubernetes that it did not answer.
pub(super) fn unread(error: &ProbeError) -> Finding {
    Finding::unknown(
        error.to_string(),
        "the permissions of the kubeconfig's user: `kubectl auth can-i --list`",
    )
}
