//! Log lines on standard error: plain text for people, with a priority for the journal.

use rustix::fs::fstat;
use std::io::Write as _;

/// Starts logging. `RUST_LOG=debug` logs more.
pub fn start() {
    let journal = is_journal(std::env::var("JOURNAL_STREAM").ok().as_deref());
    env_logger::Builder::new()
        // On this level aya logs what older kernels lack.
        .filter(Some("aya"), log::LevelFilter::Error)
        // It logs each refused certificate; we log it once, as the reason why rows wait.
        .filter(Some("rustls_platform_verifier"), log::LevelFilter::Off)
        .filter(None, log::LevelFilter::Info)
        .parse_default_env()
        .format(move |to, record| {
            let (priority, word) = match record.level() {
                log::Level::Error => ("<3>", "error: "),
                log::Level::Warn => ("<4>", "warning: "),
                log::Level::Info => ("<6>", ""),
                log::Level::Debug | log::Level::Trace => ("<7>", "debug: "),
            };
            let prefix = if journal { priority } else { word };
            writeln!(to, "{prefix}{}", record.args())
        })
        .init();
}

/// Returns whether standard error goes to the journal: `JOURNAL_STREAM` holds its device and inode (systemd.exec(5)).
/// Processes inherit the variable, so its presence alone proves nothing.
fn is_journal(variable: Option<&str>) -> bool {
    let Ok(status) = fstat(std::io::stderr()) else { return false };
    variable == Some(format!("{}:{}", status.st_dev, status.st_ino).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_error_is_the_journal_only_if_device_and_inode_agree() {
        let status = fstat(std::io::stderr()).unwrap();
        let (device, inode) = (status.st_dev, status.st_ino);
        assert!(is_journal(Some(&format!("{device}:{inode}"))));
        for other in [None, Some(String::new()), Some("8:1".into()), Some(format!("{device}:{}", inode + 1))]
        {
            assert!(!is_journal(other.as_deref()), "{other:?}");
        }
    }
}
