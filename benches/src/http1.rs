//! HTTP/1.1 messages on blocking streams. A general server would add threads and buffers between the clock and the socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A request or a response.
pub struct Message {
    /// Everything before the body, as received.
    pub head: Vec<u8>,
    /// The body, decoded if it was sent in chunks.
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one message; `None` at the end of the stream.
    ///
    /// # Errors
    /// An error of the stream, or a malformed message.
    pub fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = Vec::with_capacity(1024);
        loop {
            let before = head.len();
            if stream.read_until(b'\n', &mut head)? == 0 {
                return if before == 0 { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            if head[before..] == *b"\r\n" {
                break;
            }
        }
        let mut message = Self { head, body: Vec::new() };
        if let Some(length) = message.header("content-length") {
            let length = length.parse().map_err(|_| malformed("content-length"))?;
            message.body = vec![0; length];
            stream.read_exact(&mut message.body)?;
        } else if message.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            message.body = read_chunks(stream)?;
        }
        Ok(Some(message))
    }

    /// The request line or the status line.
    pub fn start_line(&self) -> &str {
        self.lines().next().unwrap_or_default()
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    fn lines(&self) -> std::str::Lines<'_> {
        std::str::from_utf8(&self.head).unwrap_or_default().lines()
    }
}

/// A connection to a server.
pub struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// # Errors
    /// If nothing listens there.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    /// Sends a request, and reads the response. Servers close idle connections, so a connection that is closed before the
    /// response begins is opened again.
    ///
    /// # Errors
    /// If the second try fails too.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Message> {
        if let Ok(Some(response)) = self.try_exchange(request) {
            return Ok(response);
        }
        *self = Self::open(self.address)?;
        self.try_exchange(request)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn try_exchange(&mut self, request: &[u8]) -> io::Result<Option<Message>> {
        self.stream.get_mut().write_all(request)?;
        Message::read(&mut self.stream)
    }
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(|_| malformed("chunk"))?;
        stream.take(size).read_to_end(&mut body)?;
        // The line break after a chunk, or the empty line that ends the body.
        stream.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_by_length_and_in_chunks() {
        let text = b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nabPOST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n";
        let mut stream = text.as_slice();
        let first = Message::read(&mut stream).unwrap().unwrap();
        assert_eq!((first.start_line(), first.body.as_slice()), ("POST /a HTTP/1.1", b"ab".as_slice()));
        let second = Message::read(&mut stream).unwrap().unwrap();
        assert_eq!((second.start_line(), second.body.as_slice()), ("POST /b HTTP/1.1", b"xyz".as_slice()));
        assert!(Message::read(&mut stream).unwrap().is_none());
    }
}
