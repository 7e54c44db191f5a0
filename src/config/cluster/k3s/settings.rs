//! Settings of k3s that all nodes share or that one node has: flags, fields of the kubelet's configuration, labels and taints.

use std::collections::BTreeMap;
use std::fmt;

use super::flags::{ARGUMENTS, FLAGS, Flag, KUBELET_FIELDS, Owner};
use super::mistake::SettingMistake;
use crate::common::nearest::nearest;
use crate::config::cluster::name::Label;
use crate::config::diagnostics::Problems;
use crate::config::source::Spanned;
use crate::config::written::{self, FreeValue, Named, Role, Text};

/// Settings of k3s for all nodes, or for one.
#[derive(Debug, Clone, Default)]
pub struct NodeSettings {
    /// Whole flags, such as `--v=2`.
    pub flags: Vec<K3sFlag>,
    /// Fields of the kubelet's configuration.
    pub kubelet: Option<Spanned<FreeValue>>,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
}

/// A flag with its value, and the nodes that know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct K3sFlag {
    pub text: String,
    is_of_servers: bool,
}

/// A taint that a node registers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    key: String,
    value: String,
    effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

impl K3sFlag {
    /// Returns whether nodes of the role know the flag.
    #[must_use]
    pub fn is_known_to(&self, role: Role) -> bool {
        !self.is_of_servers || role == Role::Server
    }
}

impl Taint {
    /// Returns whether pods that do not tolerate the taint are kept off the node.
    #[must_use]
    pub fn keeps_pods_off(&self) -> bool {
        self.effect != Effect::PreferNoSchedule
    }
}

impl fmt::Display for Taint {
    /// As k3s's `--node-taint` takes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::NoSchedule => "NoSchedule",
            Effect::PreferNoSchedule => "PreferNoSchedule",
            Effect::NoExecute => "NoExecute",
        };
        write!(formatter, "{}={}:{effect}", self.key, self.value)
    }
}

/// The keys that `[k3s]` and `k3s` of a `[[node]]` share.
pub(in crate::config::cluster) struct WrittenSettings<'a> {
    pub(super) flags: &'a [Text],
    pub(super) kubelet: Option<&'a Spanned<FreeValue>>,
    pub(super) labels: Option<&'a Named<Text>>,
    pub(super) taints: &'a [Text],
    /// The role of the node. `None` for all nodes.
    pub(super) role: Option<Role>,
}

impl<'a> WrittenSettings<'a> {
    pub(in crate::config::cluster) fn of_node(node: &'a written::NodeK3s, role: Option<Role>) -> Self {
        Self {
            flags: node.extra_flags.as_deref().unwrap_or_default(),
            kubelet: node.kubelet.as_ref(),
            labels: node.labels.as_ref(),
            taints: node.taints.as_deref().unwrap_or_default(),
            role,
        }
    }

    pub(super) fn of_all(section: &'a written::K3s) -> Self {
        Self {
            flags: section.extra_flags.as_deref().unwrap_or_default(),
            kubelet: section.kubelet.as_ref(),
            labels: section.labels.as_ref(),
            taints: section.taints.as_deref().unwrap_or_default(),
            role: None,
        }
    }

    pub(in crate::config::cluster) fn resolve(&self, problems: &mut Problems) -> Option<NodeSettings> {
        let mut take = |text: &Text| problems.take(text.span, parse_flag(&text.value, self.role));
        let flags: Vec<_> = self.flags.iter().map(&mut take).collect();
        let taints: Vec<_> =
            self.taints.iter().map(|text| problems.take(text.span, parse_taint(&text.value))).collect();
        let labels = self.labels.map(|labels| labels.0.as_slice()).unwrap_or_default();
        let labels: Vec<_> = labels.iter().map(|(key, value)| resolve_label(key, value, problems)).collect();
        if let Some(kubelet) = self.kubelet {
            note_fields(kubelet, problems);
        }
        Some(NodeSettings {
            flags: flags.into_iter().collect::<Option<_>>()?,
            kubelet: self.kubelet.cloned(),
            labels: labels.into_iter().collect::<Option<_>>()?,
            taints: taints.into_iter().collect::<Option<_>>()?,
        })
    }
}

fn parse_flag(text: &str, role: Option<Role>) -> Result<K3sFlag, SettingMistake> {
    let Some(body) = text.strip_prefix("--") else {
        return Err(SettingMistake::NotAFlag { text: text.to_owned() });
    };
    if let Some((name, value)) = body.split_once(' ').filter(|(name, _)| !name.contains('=')) {
        let instead = format!("--{name}={}", value.trim());
        return Err(SettingMistake::Space { text: text.to_owned(), instead });
    }
    if text.chars().any(char::is_control) {
        return Err(SettingMistake::NotAFlag { text: text.to_owned() });
    }
    let (name, value) = body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value)));
    let Some(flag) = FLAGS.iter().find(|flag| flag.name == name) else {
        let nearest = nearest(name, FLAGS.iter().map(|flag| flag.name));
        return Err(SettingMistake::UnknownFlag { name: name.to_owned(), nearest });
    };
    check_flag(flag, value, role)?;
    Ok(K3sFlag { text: text.to_owned(), is_of_servers: !flag.is_known_to(Role::Agent) })
}

fn check_flag(flag: &Flag, value: Option<&str>, role: Option<Role>) -> Result<(), SettingMistake> {
    let name = flag.name;
    if let Owner::Rk1(instead) = flag.owner {
        return Err(SettingMistake::OwnedFlag { name, instead });
    }
    if role.is_some_and(|role| !flag.is_known_to(role)) {
        return Err(SettingMistake::FlagOfServers { name });
    }
    match value {
        None | Some("") if flag.takes_value => return Err(SettingMistake::NoValue { name }),
        Some(value) if !flag.takes_value && !["true", "false"].contains(&value) => {
            return Err(SettingMistake::ValueOfSwitch { name, value: value.to_owned() });
        }
        _ => {}
    }
    let passed_on = value.filter(|_| name.ends_with("-arg")).unwrap_or_default();
    let argument = passed_on.split('=').next().unwrap_or_default().trim_start_matches('-');
    match ARGUMENTS.iter().find(|known| known.flag == name && known.name == argument) {
        Some(known) => {
            Err(SettingMistake::OwnedArgument { flag: name, name: known.name, instead: known.instead })
        }
        None => Ok(()),
    }
}

fn note_fields(kubelet: &Spanned<FreeValue>, problems: &mut Problems) {
    let FreeValue::Table(entries) = &kubelet.value else {
        problems.error(kubelet.span, SettingMistake::KubeletTable);
        return;
    };
    for (key, _) in entries {
        if let Some((field, instead)) = KUBELET_FIELDS.iter().find(|(field, _)| *field == key.value) {
            problems.error(key.span, SettingMistake::OwnedField { field, instead });
        }
    }
}

/// Prefixes of labels that a kubelet may set by itself although they belong to Kubernetes (k8s.io/kubelet,
/// `pkg/apis/well_known_labels.go`).
const KUBELET_PREFIXES: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];
/// Single labels of the same kind.
const KUBELET_LABELS: [&str; 2] = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"];

fn resolve_label(key: &Text, value: &Text, problems: &mut Problems) -> Option<(String, String)> {
    let parsed_key = problems.take(key.span, check_label_key(&key.value));
    let is_value = value.value.is_empty() || is_label_text(&value.value);
    let parsed_value = is_value
        .then(|| value.value.clone())
        .ok_or_else(|| SettingMistake::LabelValue { value: value.value.clone() });
    let value = problems.take(value.span, parsed_value);
    parsed_key.zip(value).map(|((), value)| (key.value.clone(), value))
}

fn check_label_key(key: &str) -> Result<(), SettingMistake> {
    let prefix = check_key(key)?;
    let Some(prefix) = prefix else { return Ok(()) };
    let is_below = |prefix: &str, domain: &str| prefix == domain || prefix.ends_with(&format!(".{domain}"));
    if is_below(prefix, "node-restriction.kubernetes.io") {
        return Err(SettingMistake::RestrictedLabel { key: key.to_owned(), is_role: false });
    }
    let is_kubernetes = is_below(prefix, "kubernetes.io") || is_below(prefix, "k8s.io");
    let is_allowed =
        KUBELET_PREFIXES.iter().any(|allowed| is_below(prefix, allowed)) || KUBELET_LABELS.contains(&key);
    if is_kubernetes && !is_allowed {
        let is_role = prefix == "node-role.kubernetes.io";
        return Err(SettingMistake::RestrictedLabel { key: key.to_owned(), is_role });
    }
    Ok(())
}

/// Checks the key of a label or a taint, and returns its prefix.
fn check_key(key: &str) -> Result<Option<&str>, SettingMistake> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_prefix =
        |prefix: &str| prefix.len() <= 253 && prefix.split('.').all(|label| Label::parse(label).is_ok());
    if prefix.is_none_or(is_prefix) && is_label_text(name) {
        Ok(prefix)
    } else {
        Err(SettingMistake::Key { key: key.to_owned() })
    }
}

/// Returns whether the text is the name or the value of a label (Kubernetes, "Labels and Selectors").
pub(in crate::config::cluster) fn is_label_text(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=63).contains(&text.len())
        && text.bytes().all(is_inner)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}

/// Taints that Kubernetes itself adds and removes, by what they report.
const TAINTS_OF_KUBERNETES: &str = "node.kubernetes.io";

fn parse_taint(text: &str) -> Result<Taint, SettingMistake> {
    let not_a_taint = || SettingMistake::NotATaint { text: text.to_owned() };
    let (pair, effect) = text.rsplit_once(':').ok_or_else(not_a_taint)?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let effect = match effect {
        "NoSchedule" => Effect::NoSchedule,
        "PreferNoSchedule" => Effect::PreferNoSchedule,
        "NoExecute" => Effect::NoExecute,
        other => {
            let nearest = nearest(other, ["NoSchedule", "PreferNoSchedule", "NoExecute"]);
            return Err(SettingMistake::Effect { effect: other.to_owned(), nearest });
        }
    };
    let prefix = check_key(key)?;
    if prefix == Some(TAINTS_OF_KUBERNETES) || prefix == Some("node.cloudprovider.kubernetes.io") {
        return Err(SettingMistake::TaintOfKubernetes { key: key.to_owned() });
    }
    if !value.is_empty() && !is_label_text(value) {
        return Err(SettingMistake::LabelValue { value: value.to_owned() });
    }
    Ok(Taint { key: key.to_owned(), value: value.to_owned(), effect })
}

impl NodeSettings {
    /// Returns these settings with those of one node over them: its labels and fields of the kubelet win, everything else is
    /// added.
    #[must_use]
    pub fn with(&self, own: &Self) -> Self {
        let mut labels = self.labels.clone();
        labels.extend(own.labels.clone());
        let mut taints = self.taints.clone();
        taints.extend(own.taints.iter().filter(|taint| !self.taints.contains(taint)).cloned());
        let kubelet = match (&self.kubelet, &own.kubelet) {
            (Some(shared), Some(own)) => Some(laid_over(shared, own)),
            (shared, own) => own.clone().or_else(|| shared.clone()),
        };
        Self { flags: [self.flags.clone(), own.flags.clone()].concat(), kubelet, labels, taints }
    }
}

/// Merges tables key by key, and replaces everything else.
fn laid_over(below: &Spanned<FreeValue>, above: &Spanned<FreeValue>) -> Spanned<FreeValue> {
    let (FreeValue::Table(shared), FreeValue::Table(own)) = (&below.value, &above.value) else {
        return above.clone();
    };
    let mut merged = shared.clone();
    for (key, value) in own {
        match merged.iter_mut().find(|(known, _)| known.value == key.value) {
            Some(entry) => *entry = (key.clone(), laid_over(&entry.1, value)),
            None => merged.push((key.clone(), value.clone())),
        }
    }
    merged.sort_by(|(one, _), (other, _)| one.value.cmp(&other.value));
    Spanned::new(FreeValue::Table(merged), above.span)
}

#[cfg(test)]
mod tests {
    use super::{FLAGS, check_label_key, parse_flag, parse_taint};

    #[test]
    fn flags_are_sorted_and_known_once() {
        assert!(FLAGS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn values_may_hold_anything_that_is_printable() {
        for text in
            ["--kubelet-arg=v=2", "--etcd-arg=--quota-backend-bytes=8589934592", "--debug", "--debug=false"]
        {
            assert_eq!(parse_flag(text, None).map(|flag| flag.text).ok().as_deref(), Some(text));
        }
        for text in ["--v=2\n--debug", "v=2", "-v=2", "--", "--kubelet-arg=--config=/etc/x"] {
            assert!(parse_flag(text, None).is_err(), "{text}");
        }
    }

    /// k3s's own documentation has these in its examples.
    #[test]
    fn taints_without_a_value_are_taints() {
        let text = |text| parse_taint(text).map(|taint| taint.to_string()).ok();
        assert_eq!(
            text("CriticalAddonsOnly=true:NoExecute").as_deref(),
            Some("CriticalAddonsOnly=true:NoExecute")
        );
        assert_eq!(text("example.org/key:NoSchedule").as_deref(), Some("example.org/key=:NoSchedule"));
        assert_eq!(text("key=a=b:NoSchedule"), None);
    }

    /// The list of k8s.io/kubelet (`IsKubeletLabel`) is narrower than the prefix suggests.
    #[test]
    fn labels_of_kubernetes_are_its_own() {
        for key in [
            "node.kubernetes.io/pool",
            "topology.kubernetes.io/zone",
            "kubelet.kubernetes.io/x",
            "a",
            "example.org/a",
        ] {
            assert!(check_label_key(key).is_ok(), "{key}");
        }
        for key in [
            "node-role.kubernetes.io/worker",
            "kubernetes.io/hostname",
            "x.k8s.io/a",
            "a.node-restriction.kubernetes.io/b",
            "/a",
            "a/",
        ] {
            assert!(check_label_key(key).is_err(), "{key}");
        }
    }
}
