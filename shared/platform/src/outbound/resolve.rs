//! From a host's name to its addresses.

use std::io;
use std::net::IpAddr;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Who knows the addresses of a name.
pub trait Resolver: Send + Sync {
    /// The addresses of a host, in the order in which to try them. The port is only a hint to the system.
    ///
    /// # Errors
    /// When there is no such name or nobody to ask.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's own resolver. It answers in a thread of the runtime, which goes on for a while when nobody waits for it
/// any longer; it holds nothing and starts no connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}
