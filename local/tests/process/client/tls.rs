//! `https`: the certificate is verified against the roots of the system or of `SSL_CERT_FILE`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
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

/// Returns the address of a proxy for one tunnel, and what it was asked for.
fn tunnel_to(url: &str) -> (String, std::thread::JoinHandle<String>) {
    let destination = url.trim_start_matches("https://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut inside, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            inside.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        inside.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut outside = TcpStream::connect(destination).unwrap();
        let (mut from_inside, mut to_outside) = (inside.try_clone().unwrap(), outside.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from_inside, &mut to_outside));
        let _ = std::io::copy(&mut outside, &mut inside);
        String::from_utf8(head).unwrap()
    });
    (address.to_string(), asked)
}

#[test]
fn the_proxy_of_the_environment_sees_only_the_name() {
    let user = User::without_settings();
    let (roots, config) = authority_and_server();
    let roots = user.file("roots", &roots, 0o644);
    let url = serve(config);
    let (proxy, asked) = tunnel_to(&url);
    let proxied = |proxy: &str| {
        let mut command = user.command(&["policy", "--json", "--url", &url]);
        command.env("SSL_CERT_FILE", &roots).env_remove("SSL_CERT_DIR").env("HTTPS_PROXY", proxy);
        command.output().unwrap()
    };
    let output = proxied(&format!("http://user:word@{proxy}"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let asked = asked.join().unwrap();
    let name = url.trim_start_matches("https://");
    assert!(asked.starts_with(&format!("CONNECT {name} HTTP/1.1\r\n")), "{asked}");
    assert!(asked.contains("dXNlcjp3b3Jk") && !asked.contains("policy"), "{asked}");
    // Its listener is closed.
    let output = proxied(&format!("http://user:word@{proxy}"));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains(&format!("(through the proxy {proxy})")) && !text.contains("word"), "{text}");
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
