//! Connections of a channel. This crate connects itself, so that connections never use a proxy of
//! the environment.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tower_service::Service;

use crate::target::Target;

/// Maximum time to connect.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// The I/O error if the peer does not speak HTTP/2. The HTTP/2 library passes on only the text.
pub(crate) const NOT_HTTP2: &str = "the server does not use HTTP/2";
/// The I/O error if the peer closes the connection before it sends anything.
pub(crate) const CLOSED_AT_ONCE: &str = "the server closed the connection before it sent a byte";
/// The type of the first frame of HTTP/2 (SETTINGS), and its position.
const SETTINGS: (usize, u8) = (3, 4);

#[derive(Clone)]
pub(crate) struct Connector {
    pub target: Target,
    /// TLS has its own handshake, with its own errors.
    pub has_tls: bool,
}

impl Service<http::Uri> for Connector {
    type Response = TokioIo<Connection>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let Self { target, has_tls } = self.clone();
        Box::pin(async move {
            let connection = tokio::time::timeout(CONNECT_TIME, connect(target)).await.map_err(|_| {
                io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {CONNECT_TIME:?}"))
            })??;
            Ok(TokioIo::new(Connection { stream: connection, received: 0, is_checked: has_tls }))
        })
    }
}

async fn connect(target: Target) -> io::Result<Stream> {
    match target {
        Target::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        }
        #[cfg(unix)]
        Target::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Target::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "this system does not support Unix sockets")),
    }
}

pub(crate) struct Connection {
    stream: Stream,
    /// Number of received bytes, until the first frame is checked.
    received: usize,
    is_checked: bool,
}

impl Connection {
    /// Whether the received bytes are the start of HTTP/2.
    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_checked {
            return Ok(());
        }
        if bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, CLOSED_AT_ONCE));
        }
        let (at, kind) = SETTINGS;
        if let Some(byte) = bytes.get(at - self.received) {
            self.is_checked = true;
            if *byte != kind {
                return Err(io::Error::new(io::ErrorKind::InvalidData, NOT_HTTP2));
            }
        }
        self.received += bytes.len();
        Ok(())
    }

    fn explain(&self, error: io::Error) -> io::Error {
        let is_first = !self.is_checked && self.received == 0;
        if is_first { io::Error::new(error.kind(), CLOSED_AT_ONCE) } else { error }
    }
}

enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

macro_rules! with_stream {
    ($connection:expr, $stream:ident => $call:expr) => {
        match &mut $connection.stream {
            Stream::Tcp($stream) => $call,
            #[cfg(unix)]
            Stream::Unix($stream) => $call,
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match with_stream!(this, stream => Pin::new(stream).poll_read(cx, buffer)) {
            Poll::Ready(Ok(())) => Poll::Ready(this.check(&buffer.filled()[before..])),
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.explain(error))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        with_stream!(this, stream => Pin::new(stream).poll_write(cx, bytes)).map_err(|error| this.explain(error))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        with_stream!(this, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        with_stream!(this, stream => Pin::new(stream).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        with_stream!(this, stream => Pin::new(stream).poll_write_vectored(cx, pieces))
            .map_err(|error| this.explain(error))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.is_write_vectored(),
        }
    }
}
