//! Resolving host names.

use std::io;
use std::net::IpAddr;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub trait Resolver: Send + Sync {
    /// The addresses of a host, in the order in which to try them. The port is only a hint to the system.
    ///
    /// # Errors
    /// If the name does not exist or cannot be resolved.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver. It runs in a thread of the runtime, which may continue for a while after the caller has stopped
/// waiting. It holds no resources and opens no connection.
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
