//! What can be wrong with flags, labels, taints and fields of the kubelet's configuration.

use thiserror::Error;

use crate::config::diagnostics::Mistake;

#[derive(Debug, Error)]
pub(in crate::config::cluster) enum SettingMistake {
    #[error("`{text}` is not a flag of k3s")]
    NotAFlag { text: String },
    #[error("`{text}` separates the flag from its value by a space")]
    Space { text: String, instead: String },
    #[error("k3s has no flag `--{name}`")]
    UnknownFlag { name: String, nearest: Option<&'static str> },
    #[error("`--{name}` is not set by hand")]
    OwnedFlag { name: &'static str, instead: &'static str },
    #[error("`--{name}` is a flag of servers, and this node is an agent")]
    FlagOfServers { name: &'static str },
    #[error("`--{name}` lacks its value")]
    NoValue { name: &'static str },
    #[error("`--{name}` is `true` or `false`, not `{value}`")]
    ValueOfSwitch { name: &'static str, value: String },
    #[error("`{name}` of `--{flag}` is not set by hand")]
    OwnedArgument { flag: &'static str, name: &'static str, instead: &'static str },
    #[error("the kubelet's configuration is not a table")]
    KubeletTable,
    #[error("`{field}` of the kubelet's configuration is not set by hand")]
    OwnedField { field: &'static str, instead: &'static str },
    #[error("`{key}` is not the key of a label or taint")]
    Key { key: String },
    #[error("`{value}` is not the value of a label or taint")]
    LabelValue { value: String },
    #[error("a node may not give itself the label `{key}`")]
    RestrictedLabel { key: String, is_role: bool },
    #[error("`{text}` is not a taint")]
    NotATaint { text: String },
    #[error("`{effect}` is not the effect of a taint")]
    Effect { effect: String, nearest: Option<&'static str> },
    #[error("the taint `{key}` is set and removed by Kubernetes itself")]
    TaintOfKubernetes { key: String },
    #[error("every node has a taint that keeps pods off")]
    NoFreeNode,
}

impl Mistake for SettingMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NotAFlag { .. } => "write the flag and its value as one text, such as `--v=2`".to_owned(),
            Self::Space { instead, .. } => format!("write `{instead}`"),
            Self::UnknownFlag { nearest: Some(nearest), .. } => format!("did you mean `--{nearest}`?"),
            Self::UnknownFlag { .. } => {
                "`k3s server --help` lists the flags; one that is newer than rk1 goes into `services.k3s.extraFlags` in \
                 `hosts/cluster.local.nix`"
                    .to_owned()
            }
            Self::OwnedFlag { instead, .. } | Self::OwnedArgument { instead, .. } | Self::OwnedField { instead, .. } => {
                (*instead).to_owned()
            }
            Self::FlagOfServers { .. } => {
                "write it in `[k3s]`: only the servers get it, and all of them".to_owned()
            }
            Self::NoValue { name } => format!("write `--{name}=…`"),
            Self::ValueOfSwitch { name, .. } => format!("write `--{name}`"),
            Self::KubeletTable => "write fields, such as `{ maxPods = 200 }`".to_owned(),
            Self::Key { .. } => "write at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; a \
                                 domain and `/` may precede them"
                .to_owned(),
            Self::LabelValue { .. } => {
                "write at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends".to_owned()
            }
            Self::RestrictedLabel { is_role: true, key } => format!(
                "remove it, and run `kubectl label node NAME {key}=`: the kubelet refuses to start with a role, which only an \
                 administrator may give"
            ),
            Self::RestrictedLabel { .. } => {
                "use another prefix, such as `example.org/`: the kubelet may set only some labels of Kubernetes".to_owned()
            }
            Self::NotATaint { .. } => "write `key=value:effect`, such as `example.org/slow=true:PreferNoSchedule`".to_owned(),
            Self::Effect { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::Effect { .. } => "write one of `NoSchedule`, `PreferNoSchedule`, `NoExecute`".to_owned(),
            Self::TaintOfKubernetes { .. } => "use another key, such as `example.org/maintenance`".to_owned(),
            Self::NoFreeNode => "leave one node without such a taint, or write `PreferNoSchedule`: cert-manager, Hubble and \
                                 Cilium's operator tolerate no taint of one's own"
                .to_owned(),
        };
        Some(instead)
    }
}
