//! Asks FRR's shell, over ssh.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use super::script::script_output;
use super::sections::{END, MARK, ScriptOutput};
use crate::common::ssh::Destination;
use crate::operate::routing_daemon::frr;
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{Probed, RouterFacts};

pub(super) async fn ask(destination: &str, gateways: &[IpAddr], limit: Duration) -> Probed<RouterFacts> {
    parse(&script_output(&Destination::foreign(destination), &script(gateways), limit).await?, gateways)
}

fn script(gateways: &[IpAddr]) -> String {
    // OPNsense keeps it below /usr/local. Complaints go where the answer is expected.
    let mut script = "PATH=$PATH:/usr/local/bin:/usr/sbin:/sbin; export PATH\n".to_owned();
    for gateway in gateways {
        let (family, routes) = if gateway.is_ipv4() { ("ipv4", "ip") } else { ("ipv6", "ipv6") };
        let prefix = IpNet::from(*gateway);
        let _ = write!(
            script,
            "echo '{MARK}summary {family}'\n\
             vtysh -c 'show bgp {family} unicast summary json' 2>&1\n\
             echo '{MARK}route {gateway}'\n\
             vtysh -c 'show {routes} route {prefix} json' 2>&1\n"
        );
    }
    let _ = writeln!(script, "echo '{MARK}{END}'");
    script
}

fn parse(printed: &str, gateways: &[IpAddr]) -> Probed<RouterFacts> {
    let sections = ScriptOutput::parse(printed)?;
    let mut facts = RouterFacts::default();
    for gateway in gateways {
        let family = if gateway.is_ipv4() { "ipv4" } else { "ipv6" };
        let sessions = frr::sessions(&json(sections.get(&format!("summary {family}"))?)?);
        // A session is counted where the routes of its own family are: FRR may list it under both.
        let of_family = sessions.into_iter().filter(|(node, _)| node.is_ipv4() == gateway.is_ipv4());
        facts.sessions.extend(of_family);
        let route = json(sections.get(&format!("route {gateway}"))?)?;
        facts.next_hops.insert(*gateway, frr::next_hops(&route));
    }
    Ok(facts)
}

fn json(printed: &str) -> Probed<Value> {
    let complaint = || printed.lines().next().unwrap_or("vtysh prints nothing").trim();
    frr::object(printed).ok_or_else(|| ProbeError::unexpected(complaint()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::mutation;

    #[test]
    fn mutations_of_an_answer_are_read_or_refused() {
        let gateway: IpAddr = [10, 200, 200, 1].into();
        let answer = "== summary ipv4\n{\"peers\":{\"172.16.10.221\":{\"state\":\"Established\",\"peerUptime\":\
                      \"02:03:04\",\"pfxRcd\":1},\"172.16.10.222\":{\"state\":\"Active\"}}}\n\
                      == route 10.200.200.1\n{\"10.200.200.1/32\":[{\"selected\":true,\"nexthops\":[{\"active\":true,\
                      \"ip\":\"172.16.10.221\"}]}]}\n== end\n";
        let facts = parse(answer, &[gateway]).expect("facts");
        assert_eq!((facts.sessions.len(), facts.next_hops.len()), (2, 1));
        mutation::for_each(&[answer.as_bytes()], &["\"selected\":", "-1", "{\"peers\":"], |bytes| {
            let _ = parse(&String::from_utf8_lossy(bytes), &[gateway]);
        });
    }
}
