//! `xdp-streamer check`: what works on an interface, and why something does not.

use crate::capture::{
    self, Capture, CaptureOptions, Device, Hook, Interfaces, LinkType, LoadError, Mode, OLDEST_TESTED,
    OLDEST_WITH_CALLS, Occupants, RingSize, TESTED, XdpMode, version,
};
use std::io::{self, Write};
use std::process::ExitCode;

/// The result of one check.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Good(String),
    /// It works, with a drawback.
    Note(String),
    Bad(String),
}

/// Checks an interface, prints the findings, and fails if something that `run` needs is missing. Nothing is attached.
pub fn run(interface: &str, to: &mut impl Write) -> io::Result<ExitCode> {
    let mut findings = vec![kernel(&release()), capabilities(&effective_capabilities())];
    match Interfaces::open()?.find(interface) {
        Ok(index) => findings.extend(of_interface(interface, &Device::find(interface, index)?)?),
        Err(missing) => findings.push(Finding::Bad(missing.to_string())),
    }
    for finding in &findings {
        let (word, text) = match finding {
            Finding::Good(text) => ("ok  ", text),
            Finding::Note(text) => ("note", text),
            Finding::Bad(text) => ("no  ", text),
        };
        writeln!(to, "{word}  {}", text.replace('\n', "\n      "))?;
    }
    let works = !findings.iter().any(|finding| matches!(finding, Finding::Bad(_)));
    Ok(if works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn of_interface(interface: &str, device: &Device) -> io::Result<Vec<Finding>> {
    let mut findings = of_device(interface, device);
    let plan = match capture::plan(Hook::Auto, interface, device) {
        Ok(plan) => plan,
        Err(error) => {
            findings.push(Finding::Bad(error.to_string()));
            return Ok(findings);
        }
    };
    let load = |hook| {
        let options = CaptureOptions { hook, flows: true, ..CaptureOptions::default() };
        Capture::load(interface, device.index, options, RingSize::default()).map(drop)
    };
    let tcx = if version(&release()) < (6, 6) { Err(None) } else { load(Hook::Tcx).map_err(Some) };
    findings.push(Finding::Good(format!("without --hook, {} mode is used: {}", plan.first, plan.reason)));
    let has_tcx = tcx.is_ok();
    findings.push(match tcx {
        Ok(()) => Finding::Good("TCX: the kernel accepts the program".into()),
        Err(None) => {
            without(plan.first == Mode::Tcx && plan.fallback.is_none(), "TCX: it needs Linux 6.6".into())
        }
        Err(Some(error)) => without(plan.first == Mode::Tcx, format!("TCX: {error}")),
    });
    findings.push(match load(Hook::Xdp(XdpMode::Auto)) {
        Ok(()) => Finding::Good("XDP: the kernel accepts the program".into()),
        Err(error @ LoadError::Attach(_)) => Finding::Note(format!("XDP: {error}")),
        Err(error) => without(!has_tcx, format!("XDP: {error}")),
    });
    findings.push(hook(interface, &Occupants::of(device.index)?, has_tcx));
    Ok(findings)
}

/// Something that is missing, which is bad if it is needed.
fn without(is_needed: bool, text: String) -> Finding {
    if is_needed { Finding::Bad(text) } else { Finding::Note(text) }
}

fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Judges a kernel by its version. Whether it accepts the program is tried besides.
fn kernel(release: &str) -> Finding {
    let [tested @ .., newest] = TESTED.map(|(major, minor)| format!("{major}.{minor}"));
    let tested = format!("{} and {newest}", tested.join(", "));
    let (major, minor) = OLDEST_TESTED;
    match version(release) {
        version if version >= OLDEST_TESTED => {
            Finding::Good(format!("Linux {release}; the program is tested on {tested}"))
        }
        version if version >= OLDEST_WITH_CALLS => Finding::Note(format!(
            "Linux {release} is not tested: the program is tested on {tested}\n\
             hint: use Linux {major}.{minor} or newer, unless the lines below say that this kernel accepts the program"
        )),
        _ => {
            let (calls_major, calls_minor) = OLDEST_WITH_CALLS;
            Finding::Bad(format!(
                "Linux {release} is too old: the program uses calls of Linux {calls_major}.{calls_minor}\n\
                 hint: use Linux {major}.{minor} or newer"
            ))
        }
    }
}

/// `CapEff` of `/proc/self/status`, as the kernel writes it.
fn effective_capabilities() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default().trim().to_owned()
}

fn capabilities(effective: &str) -> Finding {
    // Numbers of linux/capability.h. CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON.
    const SYS_ADMIN: u32 = 21;
    const NEEDED: [(&str, u32, bool); 3] =
        [("CAP_BPF", 39, true), ("CAP_NET_ADMIN", 12, false), ("CAP_PERFMON", 38, true)];
    let bits = u64::from_str_radix(effective, 16).unwrap_or(0);
    let has = |number: u32| bits & (1 << number) != 0;
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|(_, number, admin)| !has(*number) && (!*admin || !has(SYS_ADMIN)))
        .map(|(name, ..)| name)
        .collect();
    if missing.is_empty() {
        Finding::Good("CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are there".into())
    } else {
        Finding::Bad(format!("missing: {}\nhint: run it as root, or as the service does", missing.join(", ")))
    }
}

/// The properties of the interface, and their consequences.
fn of_device(interface: &str, device: &Device) -> Vec<Finding> {
    let Device { index, driver, mtu, .. } = device;
    let driver = if driver.is_empty() { "unknown" } else { driver };
    let link = match device.link {
        LinkType::Ethernet => "Ethernet".to_owned(),
        LinkType::Ip => "IP without Ethernet".to_owned(),
        LinkType::Other(number) => format!("link type {number}"),
    };
    let mut findings = vec![Finding::Good(format!(
        "`{interface}` is interface {index}: {link}, driver {driver}, MTU {mtu}"
    ))];
    let mut note = |text: String| findings.push(Finding::Note(text));
    match (device.is_up, device.has_carrier) {
        (false, _) => note(format!("it is down, so it has no packets\nhint: ip link set dev {interface} up")),
        (true, false) => note("it is up, but has no carrier, so it receives no packets".into()),
        (true, true) => {}
    }
    if device.link == LinkType::Ip {
        note(
            "packets begin with the IP header: rows have no MAC addresses, and only --hook tcx works".into(),
        );
    }
    if device.is_stmmac() {
        note("attaching in driver mode restarts this device (stmmac) and its link".into());
    }
    if device.link == LinkType::Ethernet && device.strips_vlan_tags == Some(true) {
        let hint = if device.driver == "veth" {
            "hint: use --hook tcx, or turn the offload off at the other end of the pair: ethtool -K PEER txvlan off"
                .to_owned()
        } else {
            format!("hint: use --hook tcx, or turn the offload off: ethtool -K {interface} rxvlan off")
        };
        note(format!(
            "VLAN offload is on: the outer VLAN tag is not in the frame, so XDP does not see it; TCX does\n{hint}"
        ));
    }
    if device.link == LinkType::Ethernet && !device.is_virtual && !device.receives_all_multicast {
        note(
            "the device may drop multicast frames of groups that nobody on this host has joined\nhint: use --all-multicast to see them"
                .into(),
        );
    }
    findings
}

fn hook(interface: &str, occupants: &Occupants, tcx: bool) -> Finding {
    if occupants.0.is_empty() {
        return Finding::Good("the XDP hook is free".into());
    }
    let text = format!("the XDP hook is in use by {occupants}");
    if tcx {
        Finding::Note(format!("{text}\nhint: --hook tcx works beside it"))
    } else {
        Finding::Bad(format!("{text}\nhint: {}", occupants.eviction(interface)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, file};
    use std::fmt::Write as _;

    #[test]
    fn the_service_s_capabilities_are_enough_and_each_is_missed() {
        let of = |bits: &[u32]| format!("{:016x}", bits.iter().fold(0_u64, |sum, bit| sum | 1 << bit));
        assert!(matches!(capabilities(&of(&[39, 12, 38])), Finding::Good(_)));
        assert!(matches!(capabilities(&of(&[21, 12])), Finding::Good(_)));
        let hint = "hint: run it as root, or as the service does";
        assert_eq!(capabilities(&of(&[39, 12])), Finding::Bad(format!("missing: CAP_PERFMON\n{hint}")));
        let all = Finding::Bad(format!("missing: CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON\n{hint}"));
        assert_eq!(capabilities(&of(&[])), all);
    }

    #[test]
    fn a_kernel_that_was_not_tested_is_noted() {
        let too_old = |release: &str| {
            Finding::Bad(format!(
                "Linux {release} is too old: the program uses calls of Linux 5.18\nhint: use Linux 6.1 or newer"
            ))
        };
        for release in ["5.10.0", "5.15.150", "5.17.9"] {
            assert_eq!(kernel(release), too_old(release));
        }
        for release in ["5.18.2", "5.19.0", "6.0.19"] {
            let text = format!(
                "Linux {release} is not tested: the program is tested on 6.1, 6.12 and 6.18\n\
                 hint: use Linux 6.1 or newer, unless the lines below say that this kernel accepts the program"
            );
            assert_eq!(kernel(release), Finding::Note(text));
        }
        for release in ["6.1.0-50-arm64", "6.6.30-rockchip", "6.12.63"] {
            let tested = format!("Linux {release}; the program is tested on 6.1, 6.12 and 6.18");
            assert_eq!(kernel(release), Finding::Good(tested));
        }
    }

    #[test]
    fn properties_have_their_consequences() {
        let nic = Device {
            index: 2,
            link: LinkType::Ethernet,
            driver: "st_gmac".into(),
            is_virtual: false,
            mtu: 1500,
            is_up: true,
            has_carrier: false,
            receives_all_multicast: false,
            strips_vlan_tags: Some(true),
        };
        let tun = Device {
            link: LinkType::Ip,
            driver: "tun".into(),
            is_virtual: true,
            is_up: false,
            strips_vlan_tags: Some(false),
            ..nic.clone()
        };
        let veth = Device {
            driver: "veth".into(),
            is_virtual: true,
            has_carrier: true,
            receives_all_multicast: true,
            ..nic.clone()
        };
        let mut text = String::new();
        for device in [nic, tun, veth] {
            for finding in of_device("x0", &device) {
                let _ = writeln!(text, "{finding:?}");
            }
            text.push('\n');
        }
        assert_data_eq!(text, file!["snapshots/properties.txt"].raw());
    }
}
