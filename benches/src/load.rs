//! A client of HTTP that costs as little as possible: what is measured is the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use durable_runtime::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// Requests to be sent, each when an earlier one on its connection has been answered.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) server: SocketAddr,
    pub(crate) connections: u32,
    /// How many requests, over all connections.
    pub(crate) count: u32,
    /// Makes the request of a number.
    pub(crate) request: fn(u32) -> String,
    /// Looks at the answer to the request of a number: its head and its body.
    pub(crate) check: fn(u32, &str, &str) -> Result<()>,
}

impl Load {
    /// Sends all of them, from a thread of its own; gives how long each took.
    pub(crate) async fn send(self) -> Result<Vec<Duration>> {
        let sending = tokio::task::spawn_blocking(move || {
            let runtime = Builder::new_current_thread().enable_io().build()?;
            runtime.block_on(self.send_all())
        });
        sending.await?
    }

    async fn send_all(self) -> Result<Vec<Duration>> {
        let next = Arc::new(AtomicU32::new(0));
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            connections.spawn(self.clone().send_some(Arc::clone(&next)));
        }
        let mut took = Vec::new();
        while let Some(ended) = connections.join_next().await {
            took.append(&mut ended??);
        }
        Ok(took)
    }

    /// Sends requests over one connection until none is left.
    async fn send_some(self, next: Arc<AtomicU32>) -> Result<Vec<Duration>> {
        let mut connection = Connection::open(self.server).await?;
        let mut took = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.count {
                return Ok(took);
            }
            let request = (self.request)(number);
            let began = Instant::now();
            let (head, body) = connection.send(&request).await?;
            took.push(began.elapsed());
            (self.check)(number, head, body)?;
        }
    }
}

/// One answer after the other.
pub(crate) struct Connection {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let bytes = Vec::with_capacity(4_096);
        Ok(Self { stream, bytes })
    }

    /// Sends a request and gives the head and the body of the answer.
    pub(crate) async fn send(&mut self, request: &str) -> Result<(&str, &str)> {
        self.stream.write_all(request.as_bytes()).await?;
        let head = self.read_answer().await?;
        let answer = str::from_utf8(&self.bytes)?;
        Ok(answer.split_at(head))
    }

    /// Reads an answer and gives the length of its head.
    async fn read_answer(&mut self) -> Result<usize> {
        const END: &[u8] = b"\r\n\r\n";
        self.bytes.clear();
        loop {
            if self.stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(Error::msg("the server has closed a connection"));
            }
            let end = self.bytes.windows(END.len()).position(|bytes| bytes == END);
            if let Some(end) = end {
                let head = end + END.len();
                let length = content_length(&self.bytes[..head])?;
                while self.bytes.len() < head + length {
                    if self.stream.read_buf(&mut self.bytes).await? == 0 {
                        return Err(Error::msg("the server has closed a connection"));
                    }
                }
                return Ok(head);
            }
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = str::from_utf8(head)?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.ok_or_else(|| Error::msg(format!("no length: {head}")))?;
    Ok(length.parse()?)
}
