//! A server over TLS: it gets rows only if a known authority has signed its name.

use crate::daemon::{Daemon, command};
use crate::frame;
use crate::grafana::{Grafana, Mood};
use crate::lab::{Lab, WATCHED};
use crate::rows::token_file;
use crate::{lab, wait_until};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const TOKEN: &str = "glsa_canary_Zk3";

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Starts a server with a certificate for `name`.
fn server(lab: &Lab, authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Grafana {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    // Fails if a provider is installed already, which is the same one.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let mood = Mood::Healthy { token: TOKEN.into() };
    Grafana::start_with(&lab.node, Ipv4Addr::LOCALHOST, mood, Some(Arc::new(config)))
}

/// Returns `xdp-streamer run` that trusts the authorities in `file` and no others.
fn daemon(lab: &Lab, url: &str, token: &Path, file: &Path) -> Command {
    let token = token.to_str().unwrap();
    let mut command = command(
        lab,
        &["run", "--interface", WATCHED, "--interval", "200ms", "--url", url, "--token-file", token],
    );
    command.env("SSL_CERT_FILE", file).env_remove("SSL_CERT_DIR");
    command
}

#[test]
fn a_known_authority_is_trusted_and_another_is_not() {
    let Some(lab) = lab("a_known_authority_is_trusted_and_another_is_not") else { return };
    let (known, other) = (authority("known"), authority("other"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, known.pem()).unwrap();
    let token = token_file();

    let grafana = server(&lab, &known, "127.0.0.1");
    let mut daemon_of_known = Daemon::spawn(daemon(&lab, &grafana.url(), token.path(), &file));
    lab.send(&[frame::ssdp()]);
    wait_until("the row arrives", || grafana.rows("packet_details").len() == 1);
    assert!(daemon_of_known.terminate().0.success());

    for (stranger, reason) in [
        (server(&lab, &other, "127.0.0.1"), "UnknownIssuer"),
        (server(&lab, &known, "grafana.example"), "not valid for name"),
    ] {
        let mut daemon = Daemon::spawn(daemon(&lab, &stranger.url(), token.path(), &file));
        lab.send(&[frame::ssdp()]);
        // Each try uses a connection of its own.
        wait_until("it is refused more than once", || stranger.connections() > 2);
        assert!(daemon.terminate().0.success());
        assert_eq!(daemon.log().matches(reason).count(), 1, "{}", daemon.log());
        assert_eq!(stranger.requests(), 0);
    }
}

/// A system without any CA certificate can push over plain http. For https, the error says what is missing.
#[test]
fn plain_http_needs_no_certificates() {
    let Some(lab) = lab("plain_http_needs_no_certificates") else { return };
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.pem");
    let token = token_file();

    let grafana = Grafana::start(&lab.node, Ipv4Addr::LOCALHOST, Mood::Healthy { token: TOKEN.into() });
    let mut plain = Daemon::spawn(daemon(&lab, &grafana.url(), token.path(), &absent));
    lab.send(&[frame::ssdp()]);
    wait_until("the row arrives", || grafana.rows("packet_details").len() == 1);
    assert!(plain.terminate().0.success());

    let output = daemon(&lab, "https://grafana.example", token.path(), &absent).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("https cannot be used: "), "{message}");
    assert!(message.contains("hint: install the system's CA certificates"), "{message}");
}
