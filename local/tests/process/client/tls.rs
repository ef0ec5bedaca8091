//! `https`: the certificate is verified against the roots of the system or of `SSL_CERT_FILE`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::User;

const BODY: &str = r#"{"version":1}"#;

/// A certificate authority, as PEM, and a server for `localhost` with its certificate.
fn authority_and_server() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let der = BASE64.encode(authority.der());
    (format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n"), Arc::new(config))
}

/// Returns the address of a server that gives every request the same response.
fn serve(config: Arc<ServerConfig>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, tcp);
            // A client that does not trust the certificate ends the handshake.
            if tls.read(&mut [0; 4096]).is_ok() {
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", BODY.len());
                let _ = tls.write_all(format!("{head}{BODY}").as_bytes());
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    url
}

fn policy(user: &User, url: &str, roots: &Path) -> (Option<i32>, String, String) {
    let mut command = user.command(&["policy", "--json", "--url", url]);
    let output = command.env("SSL_CERT_FILE", roots).env_remove("SSL_CERT_DIR").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_certificate_is_verified() {
    let user = User::without_settings();
    let (roots, config) = authority_and_server();
    let (other_roots, _) = authority_and_server();
    let (roots, other_roots) = (user.file("roots", &roots, 0o644), user.file("other", &other_roots, 0o644));
    let url = serve(config);
    let (code, out, err) = policy(&user, &url, &roots);
    assert_eq!((code, out.as_str()), (Some(0), "{\"version\":1}\n"), "{err}");
    let (code, out, err) = policy(&user, &url, &other_roots);
    assert_eq!((code, out.as_str()), (Some(3), ""), "{err}");
    assert!(err.contains("cannot reach https://localhost:") && err.contains("certificate"), "{err}");
    let other_name = url.replace("localhost", "127.0.0.1");
    assert_eq!(policy(&user, &other_name, &roots).0, Some(3));
}
