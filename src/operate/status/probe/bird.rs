//! Asks BIRD's shell, over ssh.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::script::script_output;
use super::sections::{END, MARK, ScriptOutput};
use crate::common::ssh::Destination;
use crate::operate::routing_daemon::bird;
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{Probed, RouterFacts};

pub(super) async fn ask(destination: &str, gateways: &[IpAddr], limit: Duration) -> Probed<RouterFacts> {
    parse(&script_output(&Destination::foreign(destination), &script(gateways), limit).await?, gateways)
}

fn script(gateways: &[IpAddr]) -> String {
    // `-r`: birdc may read and change nothing.
    let mut script = format!(
        "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export PATH\n\
         echo '{MARK}protocols'\n\
         birdc -r show protocols all 2>&1\n"
    );
    for gateway in gateways {
        let prefix = IpNet::from(*gateway);
        let _ = write!(script, "echo '{MARK}route {gateway}'\nbirdc -r show route {prefix} 2>&1\n");
    }
    let _ = writeln!(script, "echo '{MARK}{END}'");
    script
}

fn parse(printed: &str, gateways: &[IpAddr]) -> Probed<RouterFacts> {
    let sections = ScriptOutput::parse(printed)?;
    let protocols = sections.get("protocols")?;
    if !bird::is_answer(protocols) {
        return Err(ProbeError::unexpected(protocols.lines().last().unwrap_or("birdc prints nothing")));
    }
    let hops = gateways
        .iter()
        .map(|gateway| Ok((*gateway, bird::next_hops(sections.get(&format!("route {gateway}"))?))));
    Ok(RouterFacts { sessions: bird::sessions(protocols), next_hops: hops.collect::<Probed<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::mutation;

    #[test]
    fn mutations_of_an_answer_are_read_or_refused() {
        let gateway: IpAddr = [10, 200, 200, 1].into();
        let answer = "== protocols\nBIRD 2.0.12 ready.\nName       Proto\nrk1-01     BGP        ---        up\n  \
                      BGP state:          Established\n    Neighbor address: 172.16.10.221\n    Routes:         \
                      1 imported, 0 exported, 1 preferred\n== route 10.200.200.1\n10.200.200.1/32  unicast\n\tvia \
                      172.16.10.221 on eth0\n== end\n";
        let facts = parse(answer, &[gateway]).expect("facts");
        assert_eq!((facts.sessions.len(), facts.next_hops.len()), (1, 1));
        mutation::for_each(&[answer.as_bytes()], &["BGP state:", "Routes: -1", "\tvia ::"], |bytes| {
            let _ = parse(&String::from_utf8_lossy(bytes), &[gateway]);
        });
    }
}
