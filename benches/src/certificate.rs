//! A certificate authority of this run, and a certificate for 127.0.0.1.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::{During, Result};

/// Where systems keep their root certificates in one file.
const SYSTEM_ROOTS: [&str; 3] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/// What a server of this run needs, and the files with the authorities that functions trust.
pub struct Certificate {
    pub server: Arc<ServerConfig>,
    /// The system's, as in Lambda, and the one of this run.
    authorities: PathBuf,
    /// The one of this run.
    authority: PathBuf,
}

impl Certificate {
    /// # Errors
    /// If a key cannot be made, or the file cannot be written.
    pub fn make(folder: &Path) -> Result<Self> {
        let mut authority = CertificateParams::new(Vec::<String>::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages.push(KeyUsagePurpose::KeyCertSign);
        // OpenSSL takes a certificate whose names are equal for a self-signed one.
        authority.distinguished_name.push(DnType::CommonName, "authority of a measurement");
        let authority_key = KeyPair::generate()?;
        let authority_certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()])?;
        leaf.distinguished_name.push(DnType::CommonName, "engine of a measurement");
        leaf.use_authority_key_identifier_extension = true;
        leaf.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let key = KeyPair::generate()?;
        let leaf = leaf.signed_by(&key, &issuer)?;

        let roots = SYSTEM_ROOTS.iter().find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let authorities = folder.join("authorities.pem");
        let own = pem(authority_certificate.der());
        fs::write(&authorities, format!("{roots}\n{own}")).on(&authorities)?;
        let authority = folder.join("authority.pem");
        fs::write(&authority, own).on(&authority)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let server = server.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key)?;
        Ok(Self { server: Arc::new(server), authorities, authority })
    }

    /// The variables with which the runtimes trust the system's authorities and the one of this run.
    pub fn variables(&self) -> Vec<(String, String)> {
        trusting(&self.authorities)
    }

    /// The variables with which the runtimes trust only the authority of this run. For the names of AWS, our functions trust five
    /// authorities that are part of the program, and read no file.
    pub fn only_own(&self) -> Vec<(String, String)> {
        trusting(&self.authority)
    }
}

/// Rust and OpenSSL, boto3, Node.js.
fn trusting(file: &Path) -> Vec<(String, String)> {
    let file = file.display().to_string();
    ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"].map(|name| (name.to_owned(), file.clone())).to_vec()
}

/// A certificate as text.
fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}
