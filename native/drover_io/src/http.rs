//! The task of a connection before it speaks WebSocket: request heads in, bodies on demand, one request at a time.

use crate::conn::Conn;
use crate::link::Link;
use crate::listener::HttpConfig;
use crate::opening::Control;
use crate::sink::{Address, Body, Request};
use crate::websocket::Begin;
use crate::worker::Command;
use drover_proto::http::{BodyDecoder, BodyLength, Head, HeadScanner, parse_scanned};
use drover_proto::receive::RecvConfig;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::{Instant, timeout, timeout_at};

/// Bytes of a request read at a time.
const CHUNK: usize = 8192;

/// What ends the HTTP phase.
enum End {
    Upgrade(Box<RecvConfig>, bool),
    Closed,
}

/// Why there is no further head.
enum NoHead {
    /// The peer closed, or let the time pass without a byte.
    Closed,
    /// Answer with this status.
    Refused(u16),
}

/// Serve requests until the connection ends or becomes a WebSocket, and then serve that.
pub(crate) async fn run(link: Link, config: Arc<HttpConfig>, peer: Address, sock: Address) {
    let mut phase = Box::new(Phase {
        link,
        config,
        peer,
        sock,
        buffer: Vec::new(),
        first: true,
    });
    let end = Box::pin(phase.serve()).await;
    let Phase {
        mut link, buffer, ..
    } = *phase;
    match end {
        End::Upgrade(config, keep_early) => {
            let worker = link.conn().worker();
            let begin = Begin {
                hold: link.into_hold(),
                config: *config,
                early: keep_early.then_some(buffer),
            };
            worker.post(Command::Begin(Box::new(begin)));
        }
        End::Closed => poll_fn(|cx| link.poll_close(cx)).await,
    }
}

struct Phase {
    link: Link,
    config: Arc<HttpConfig>,
    peer: Address,
    sock: Address,
    /// Received and not consumed yet.
    buffer: Vec<u8>,
    first: bool,
}

impl Phase {
    async fn serve(&mut self) -> End {
        while let Some(mut body) = self.next_request().await {
            loop {
                match self.next_control().await {
                    Some(Control::ReadBody(max)) => self.read_body(&mut body, max).await,
                    Some(Control::NextRequest) if self.skip_body(&mut body).await => break,
                    Some(Control::Start(config, early)) => {
                        self.pass_body(&mut body).await;
                        return End::Upgrade(config, early);
                    }
                    Some(Control::NextRequest) | None => {
                        self.conn().sink().closed(self.conn().id);
                        return End::Closed;
                    }
                }
            }
        }
        End::Closed
    }

    /// Hand over a request. What is left of it is its body: thousands may wait for their answers at the same time.
    async fn next_request(&mut self) -> Option<BodyReader> {
        match self.next_head().await {
            Ok(head) => self.announce(&head).then(|| BodyReader::new(&head)),
            Err(no_head) => {
                self.refuse(&no_head);
                None
            }
        }
    }

    fn conn(&self) -> &Arc<Conn> {
        self.link.conn()
    }

    fn announce(&mut self, head: &Head) -> bool {
        let conn = self.link.conn();
        conn.set_early(!self.buffer.is_empty());
        let request = Request {
            head,
            peer: &self.peer,
            sock: &self.sock,
            first: self.first,
        };
        self.first = false;
        conn.sink().request(conn, &request)
    }

    fn refuse(&self, no_head: &NoHead) {
        if let NoHead::Refused(status) = no_head {
            self.conn().send_raw(refusal(*status).as_bytes());
        }
        if !self.first {
            self.conn().sink().closed(self.conn().id);
        }
    }

    /// Until the first head has come nobody owns the connection, so that it ends with the listener.
    async fn next_head(&mut self) -> Result<Head, NoHead> {
        if !self.first {
            return self.read_head().await;
        }
        let config = Arc::clone(&self.config);
        tokio::select! {
            biased;
            () = config.stop.wait() => Err(NoHead::Closed),
            head = self.read_head() => head,
        }
    }

    async fn read_head(&mut self) -> Result<Head, NoHead> {
        let deadline = self
            .config
            .request_timeout
            .map(|time| Instant::now() + time);
        match deadline {
            None => self.read_head_patiently().await,
            Some(deadline) => match timeout_at(deadline, self.read_head_patiently()).await {
                Ok(result) => result,
                Err(_) if self.buffer.is_empty() => Err(NoHead::Closed),
                Err(_) => Err(NoHead::Refused(408)),
            },
        }
    }

    async fn read_head_patiently(&mut self) -> Result<Head, NoHead> {
        let mut scanner = HeadScanner::new();
        loop {
            let limits = &self.config.limits;
            let found = scanner
                .scan(&self.buffer, limits)
                .map_err(|e| NoHead::Refused(e.status()))?;
            if let Some(length) = found {
                let head = parse_scanned(&self.buffer[..length], &scanner);
                self.consume(length);
                return head.map_err(|e| NoHead::Refused(e.status()));
            }
            match self.fill().await {
                Ok(n) if n > 0 => {}
                _ => return Err(NoHead::Closed),
            }
        }
    }

    async fn read_body(&mut self, body: &mut BodyReader, max: usize) {
        let id = self.conn().id;
        let mut out = Vec::new();
        let result = loop {
            let step = body.decoder.decode(&self.buffer, &mut out, max);
            match step {
                Err(_) => break Err(Body::Malformed),
                Ok((consumed, finished)) => {
                    self.consume(consumed);
                    body.finished = finished;
                    if finished || !out.is_empty() {
                        break Ok(());
                    }
                }
            }
            match self.fill().await {
                Ok(n) if n > 0 => {}
                _ => break Err(Body::Closed),
            }
        };
        self.conn().set_early(!self.buffer.is_empty());
        let sink = self.conn().sink();
        match result {
            Ok(()) if body.finished => sink.body(id, Body::Last(&out)),
            Ok(()) => sink.body(id, Body::More(&out)),
            Err(problem) => sink.body(id, problem),
        }
    }

    /// Read and drop what the handler left of the body. `false`: it is too much, or broken.
    async fn skip_body(&mut self, body: &mut BodyReader) -> bool {
        let mut left = self.config.max_skip_body;
        let mut out = Vec::new();
        while !body.finished {
            let Ok((consumed, finished)) = body.decoder.decode(&self.buffer, &mut out, usize::MAX)
            else {
                return false;
            };
            self.consume(consumed);
            body.finished = finished;
            if out.len() > left {
                return false;
            }
            left -= out.len();
            out.clear();
            if !finished && !matches!(self.fill().await, Ok(n) if n > 0) {
                return false;
            }
        }
        true
    }

    /// A handshake may have a body, which counts for nothing. If it does not end in time, the frames never begin.
    async fn pass_body(&mut self, body: &mut BodyReader) {
        let passed = match self.config.request_timeout {
            None => self.skip_body(body).await,
            Some(time) => matches!(timeout(time, self.skip_body(body)).await, Ok(true)),
        };
        if !passed {
            self.buffer = Vec::new();
            self.link.hang_up();
        }
    }

    /// What the owner wants next. `None`: that the connection be closed.
    async fn next_control(&self) -> Option<Control> {
        poll_fn(|cx| {
            let conn = self.conn();
            conn.set_waker(cx.waker());
            if conn.is_closing() {
                return Poll::Ready(None);
            }
            let _ = self.link.poll_flush(cx);
            conn.take_control()
                .map_or(Poll::Pending, |control| Poll::Ready(Some(control)))
        })
        .await
    }

    async fn fill(&mut self) -> io::Result<usize> {
        let (link, buffer) = (&self.link, &mut self.buffer);
        poll_fn(|cx| poll_fill(link, buffer, cx)).await
    }

    fn consume(&mut self, length: usize) {
        if length == self.buffer.len() {
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..length);
        }
    }
}

fn poll_fill(link: &Link, buffer: &mut Vec<u8>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let conn = link.conn();
    conn.set_waker(cx.waker());
    if conn.is_closing() {
        return Poll::Ready(Ok(0));
    }
    let _ = link.poll_flush(cx);
    let mut chunk = [0; CHUNK];
    let result = link.poll_recv(cx, &mut chunk);
    if let Poll::Ready(Ok(n)) = result {
        // As much as came and no more: the head is dropped soon, but many arrive at the same time.
        buffer.reserve_exact(n);
        buffer.extend_from_slice(&chunk[..n]);
    }
    result
}

struct BodyReader {
    decoder: BodyDecoder,
    finished: bool,
}

impl BodyReader {
    fn new(head: &Head) -> Self {
        let finished = matches!(head.body, BodyLength::None);
        Self {
            decoder: BodyDecoder::new(head.body),
            finished,
        }
    }
}

/// A whole response to a request that no handler will see.
fn refusal(status: u16) -> String {
    let phrase = match status {
        400 => "Bad Request",
        408 => "Request Timeout",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        _ => "HTTP Version Not Supported",
    };
    format!("HTTP/1.1 {status} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}
