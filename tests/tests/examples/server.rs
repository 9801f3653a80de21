//! An example that answers HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::Instant;

use crate::program::LIMIT;

/// A program that answers HTTP. Killed when this is dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Asks again and again, until the answer will do.
    pub(crate) fn until(&self, request: &str, will_do: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let answer = self.answer(request);
            if will_do(&answer) {
                return answer;
            }
            assert!(began.elapsed() < LIMIT, "never: {answer}");
        }
    }

    /// What comes back for a request after which the connection is closed.
    pub(crate) fn answer(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
