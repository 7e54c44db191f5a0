//! Log lines on standard error: plain for people, with levels for the journal.

use std::io::Write as _;

/// Starts logging. `RUST_LOG=debug` says more.
pub fn start() {
    // The service manager sets this when standard error goes to the journal.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    env_logger::Builder::new()
        // aya tells on this level what older kernels lack.
        .filter(Some("aya"), log::LevelFilter::Error)
        // It tells each refusal of a certificate; we tell it once, as the reason why rows wait.
        .filter(Some("rustls_platform_verifier"), log::LevelFilter::Off)
        .filter(None, log::LevelFilter::Info)
        .parse_default_env()
        .format(move |to, record| {
            let (level, word) = match record.level() {
                log::Level::Error => ("<3>", "error: "),
                log::Level::Warn => ("<4>", "warning: "),
                log::Level::Info => ("<6>", ""),
                log::Level::Debug | log::Level::Trace => ("<7>", "debug: "),
            };
            let prefix = if journal { level } else { word };
            writeln!(to, "{prefix}{}", record.args())
        })
        .init();
}
