//! Trusted root certificates.
//!
//! Reading the system's takes most of a function's start time: there are about 150 of them, as text. So calls of AWS trust the
//! five roots from which AWS issues its certificates, which are part of the program, and read the system's only if a
//! certificate comes from another root.

use std::fs;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The roots of Amazon Trust Services, which recommends to trust all five: <https://www.amazontrust.com/repository/>.
const AMAZON: [&[u8]; 5] = [
    include_bytes!("amazon/root-ca-1.der"),
    include_bytes!("amazon/root-ca-2.der"),
    include_bytes!("amazon/root-ca-3.der"),
    include_bytes!("amazon/root-ca-4.der"),
    include_bytes!("amazon/starfield-services-root-g2.der"),
];

/// Where systems keep their root certificates in one file, Amazon Linux first.
const BUNDLES: [&str; 3] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/// The roots of Amazon Trust Services.
pub fn amazon() -> RootCertStore {
    store(AMAZON.into_iter().map(CertificateDer::from))
}

/// The system's roots, from one file. TLS libraries also search folders, which takes longer; they do so here only if every
/// file is missing or empty, or if the environment names a file or folder.
pub fn system() -> RootCertStore {
    match bundle().and_then(|file| fs::read(file).ok()) {
        Some(bundle) => pem(&bundle),
        None => store(rustls_native_certs::load_native_certs().certs),
    }
}

/// Whether the system has roots. It does not read the file that usually has them.
pub fn system_has_any() -> bool {
    bundle().is_some() || !system().is_empty()
}

/// The file that the system's roots are read from.
fn bundle() -> Option<&'static str> {
    if is_set_by_environment() { None } else { first_with_text(BUNDLES) }
}

/// The first file that can be read and is not empty.
fn first_with_text<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Option<P> {
    let has_text = |file: &P| fs::File::open(file).and_then(|file| file.metadata()).is_ok_and(|file| file.len() > 0);
    files.into_iter().find(has_text)
}

/// The certificates of a PEM text.
pub fn pem(text: &[u8]) -> RootCertStore {
    store(CertificateDer::pem_slice_iter(text).flatten())
}

/// Whether the environment names a file or folder of roots to be trusted instead of all others.
pub fn is_set_by_environment() -> bool {
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| std::env::var_os(name).is_some())
}

/// Skips the certificates of a system's bundle that rustls does not support.
fn store(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    store
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use sha2::{Digest, Sha256};

    use super::*;

    /// SHA-256 of each certificate, as in the lists of roots of Mozilla, and of its public key, as in the repository of Amazon
    /// Trust Services.
    const FINGERPRINTS: [(&str, &str); 5] = [
        (
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
        ),
        (
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
        ),
        (
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
        ),
        (
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
        ),
        (
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
            "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92",
        ),
    ];

    fn hash(bytes: &[u8]) -> String {
        HEXLOWER.encode(&Sha256::digest(bytes))
    }

    /// A DER sequence of at least 128 bytes, or of a key on a curve, which is shorter.
    fn sequence(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap();
        let [high, low] = length.to_be_bytes();
        let header: &[u8] = match length {
            ..128 => &[0x30, low],
            128..256 => &[0x30, 0x81, low],
            256.. => &[0x30, 0x82, high, low],
        };
        [header, content].concat()
    }

    #[test]
    fn the_built_in_roots_are_those_of_amazon_trust_services() {
        let store = amazon();
        assert_eq!(store.len(), AMAZON.len(), "every certificate can be used");
        for ((certificate, anchor), expected) in AMAZON.into_iter().zip(&store.roots).zip(FINGERPRINTS) {
            let key = sequence(&anchor.subject_public_key_info);
            assert_eq!((hash(certificate).as_str(), hash(&key).as_str()), expected);
        }
    }

    #[test]
    fn the_system_has_roots() {
        assert!(system_has_any() && system().len() > AMAZON.len());
    }

    #[test]
    fn missing_and_empty_files_are_passed_over() {
        let full = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(first_with_text(["/nowhere/ca-bundle.crt", "/dev/null", full]), Some(full));
        assert_eq!(first_with_text(["/nowhere/ca-bundle.crt", "/dev/null"]), None);
    }
}
