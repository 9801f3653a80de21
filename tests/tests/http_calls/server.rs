//! A server that says what a test wants, byte by byte where it matters.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on a port of its own, which ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    open: Arc<AtomicUsize>,
    running: JoinHandle<()>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// How many came before it.
    pub(crate) number: usize,
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What the server says.
#[derive(Debug)]
pub(crate) struct Reply {
    text: String,
    body: Option<Vec<u8>>,
    /// Says nothing more, and does not hang up.
    stalls: bool,
}

impl Reply {
    pub(crate) fn status(code: u16) -> Self {
        Self {
            text: format!("HTTP/1.1 {code} Whatever\r\n"),
            body: Some(Vec::new()),
            stalls: false,
        }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).body(body)
    }

    /// Exactly these bytes, and then the end of the connection.
    pub(crate) fn raw(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            body: None,
            stalls: false,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.text, "{name}: {value}\r\n").unwrap();
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn stall(mut self) -> Self {
        self.stalls = true;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.text.clone().into_bytes();
        if let Some(body) = &self.body {
            let end = format!(
                "Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            bytes.extend_from_slice(end.as_bytes());
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&received);
        let answer = Arc::new(answer);
        let open = Arc::new(AtomicUsize::new(0));
        let opened = Arc::clone(&open);
        let running = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                let opened = Arc::clone(&opened);
                opened.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    serve(stream, &noted, &*answer).await;
                    opened.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            address,
            received,
            open,
            running,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// `GET /path`, one for each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: Received| format!("{} {}", request.method, request.path);
        self.received().into_iter().map(line).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    answer: &(dyn Fn(&Received) -> Reply + Send + Sync),
) {
    let Some(request) = read(&mut stream, received).await else {
        return;
    };
    let reply = answer(&request);
    // Who hangs up early has seen enough.
    let _ = stream.write_all(&reply.bytes()).await;
    if reply.stalls {
        // Until the other side hangs up.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream, received: &Mutex<Vec<Received>>) -> Option<Received> {
    let mut text = Vec::new();
    let head = loop {
        if let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8(text.drain(..end + 4).collect()).unwrap();
        }
        let is_over = stream.read_buf(&mut text).await.ok()? == 0;
        // What does not begin with a method is no HTTP.
        if is_over || !text[0].is_ascii_uppercase() {
            return None;
        }
    };
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    while text.len() < length {
        if stream.read_buf(&mut text).await.ok()? == 0 {
            return None;
        }
    }
    let mut received = received.lock().unwrap();
    let request = Received {
        number: received.len(),
        method,
        path,
        headers,
        body: String::from_utf8(text).unwrap(),
    };
    received.push(request.clone());
    Some(request)
}
