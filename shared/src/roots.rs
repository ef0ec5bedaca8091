//! The system's roots of trust, read in the cheapest way.

/// Where systems keep their roots in one file, Amazon Linux first.
const BUNDLES: [&str; 3] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/// The system's roots out of one file, as PEM. By default TLS libraries search all of its folders, too, which is most of
/// the time that a function takes to start. `None` when there is no such file, and when the environment names a file or
/// folder of its own, which those libraries then read.
pub(crate) fn bundle() -> Option<Vec<u8>> {
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    BUNDLES.into_iter().find_map(|file| std::fs::read(file).ok())
}
