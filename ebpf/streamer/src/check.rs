//! `xdp-streamer check`: what would work on an interface, and why not.

use crate::capture::{Capture, Hook, Interfaces, LoadError, Occupants, RingSize, XdpMode};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Good(String),
    /// Works, with a drawback.
    Note(String),
    Bad(String),
}

/// Looks, tells, and fails if something that `run` needs is missing. Nothing is attached.
pub fn run(interface: &str, to: &mut impl Write) -> io::Result<ExitCode> {
    let mut findings = vec![kernel(&release()), capabilities(&effective_capabilities())];
    let index = Interfaces::open()?.find(interface);
    match &index {
        Ok(index) => findings.extend(device(interface, *index)),
        Err(missing) => findings.push(Finding::Bad(missing.to_string())),
    }
    findings.push(match load(Hook::Xdp(XdpMode::Auto)) {
        Ok(()) => Finding::Good("the kernel takes the program for XDP".into()),
        Err(error) => Finding::Bad(error.to_string()),
    });
    let tcx = if version(&release()) < (6, 6) {
        Err("TCX is there since Linux 6.6: --hook tcx does not work here".to_owned())
    } else {
        load(Hook::Tcx).map_err(|error| format!("--hook tcx does not work here: {error}"))
    };
    let has_tcx = tcx.is_ok();
    findings.push(match tcx {
        Ok(()) => Finding::Good("the kernel takes the program for TCX".into()),
        Err(reason) => Finding::Note(reason),
    });
    if let Ok(index) = index {
        findings.push(hook(interface, &Occupants::of(index)?, has_tcx));
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

fn load(hook: Hook) -> Result<(), LoadError> {
    Capture::load(hook, true, RingSize::default()).map(drop)
}

fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Major and minor number.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|text| text.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn kernel(release: &str) -> Finding {
    if version(release) >= (5, 18) {
        Finding::Good(format!("Linux {release}"))
    } else {
        Finding::Bad(format!("Linux {release} is too old: 5.18 is needed"))
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

fn device(interface: &str, index: u32) -> Vec<Finding> {
    let directory = Path::new("/sys/class/net").join(interface);
    let driver = std::fs::read_link(directory.join("device/driver"))
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let mtu = std::fs::read_to_string(directory.join("mtu")).unwrap_or_default();
    let mut findings = vec![Finding::Good(format!(
        "`{interface}` is interface {index}, driver {}, MTU {}",
        driver.as_deref().unwrap_or("virtual"),
        mtu.trim()
    ))];
    findings.extend(driver.as_deref().and_then(drawback).map(|text| Finding::Note(text.to_owned())));
    findings
}

/// What is known of drivers that do XDP at a price.
fn drawback(driver: &str) -> Option<&'static str> {
    (driver.contains("dwmac") || driver.contains("stmmac")).then_some(
        "attaching in driver mode restarts this device (stmmac), and its link with it\n\
         hint: use --xdp-mode generic",
    )
}

fn hook(interface: &str, occupants: &Occupants, tcx: bool) -> Finding {
    if occupants.0.is_empty() {
        return Finding::Good("the XDP hook is free".into());
    }
    let text = format!("the XDP hook is taken: {occupants}");
    if tcx {
        Finding::Note(format!("{text}\nhint: use --hook tcx"))
    } else {
        Finding::Bad(format!("{text}\nhint: {}", occupants.eviction(interface)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn kernels_are_compared_by_number() {
        assert_eq!(version("6.18.5-rk1"), (6, 18));
        assert!(matches!(kernel("5.10.0"), Finding::Bad(_)));
        assert!(matches!(kernel("10.1"), Finding::Good(_)));
    }
}
