//! A connection.

use tokio::io::{AsyncRead, AsyncWrite};

/// A connection with or without TLS. It is boxed so that the HTTP code is compiled only once.
pub type Stream = Box<dyn Duplex>;

pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
