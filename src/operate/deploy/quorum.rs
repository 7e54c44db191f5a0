//! Checks that etcd keeps working while a server is away.

use thiserror::Error;

/// Without the server that is to be switched, etcd would have no majority: the cluster would accept no change and replace
/// nothing that fails.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("etcd would lose its quorum: {needed} of {members} members are needed, and without this one {} be ready{}",
    remaining(*ready), missing(unready))]
pub struct QuorumLost {
    pub members: usize,
    pub needed: usize,
    pub ready: usize,
    /// The other servers whose etcd is not ready, and why.
    pub unready: Vec<(String, String)>,
}

fn remaining(ready: usize) -> String {
    if ready == 1 { "only 1 would".to_owned() } else { format!("only {ready} would") }
}

fn missing(unready: &[(String, String)]) -> String {
    let said: Vec<_> = unready.iter().map(|(server, why)| format!("{server}: {why}")).collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join("; ")) }
}

/// Checks the quorum. `others` are the other servers by name, each with why its etcd is not ready.
///
/// A single server has no quorum to keep: the API is away while k3s restarts, and pods keep running.
pub(super) fn check(others: &[(String, Result<(), String>)]) -> Result<(), QuorumLost> {
    let members = others.len() + 1;
    let needed = members / 2 + 1;
    let ready = others.iter().filter(|(_, state)| state.is_ok()).count();
    if others.is_empty() || ready >= needed {
        return Ok(());
    }
    let unready = others.iter().filter_map(|(name, state)| Some((name.clone(), state.clone().err()?)));
    Err(QuorumLost { members, needed, ready, unready: unready.collect() })
}

#[cfg(test)]
mod tests {
    use super::check;

    fn judge(ready: usize, unready: usize) -> Result<(), String> {
        let healthy = (0..ready).map(|number| (format!("ready-{number}"), Ok(())));
        let unhealthy =
            (0..unready).map(|number| (format!("unhealthy-{number}"), Err("timed out".to_owned())));
        check(&healthy.chain(unhealthy).collect::<Vec<_>>()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_majority_has_to_stay() {
        assert_eq!(judge(0, 0), Ok(()), "a single server");
        assert_eq!(judge(2, 0), Ok(()), "three");
        assert_eq!(judge(4, 0), Ok(()), "five");
        assert_eq!(judge(3, 1), Ok(()), "five, one of them unhealthy");
        assert_eq!(
            judge(1, 1),
            Err("etcd would lose its quorum: 2 of 3 members are needed, and without this one only 1 would be ready \
                 (unhealthy-0: timed out)"
                .to_owned())
        );
        assert!(judge(2, 2).is_err(), "five, two of them unhealthy");
        assert!(judge(1, 0).is_err(), "two cannot lose one");
    }
}
