//! The write side of a connection: frames are encoded and written on the thread that sends them.
//!
//! What the kernel does not take stays in a queue that the connection's task writes out when the socket is writable
//! again. The queue is bounded: past [`HIGH_WATER`] the sender is told to wait, as `gen_tcp:send/2` would make it.

use crate::sink::Reason;
use drover_proto::OpCode;
use drover_proto::deflate::{Rest, Rested};
use drover_proto::send::Sender;
use socket2::Socket;
use std::cell::RefCell;
use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::sync::Arc;

/// Unwritten bytes from which a sender has to wait.
const HIGH_WATER: usize = 64 * 1024;
/// Corked bytes from which they are written without waiting for the end of the batch.
const CORK_LIMIT: usize = 64 * 1024;
/// Payloads up to this size are copied behind their header, larger ones are written from where they are.
const COPY_LIMIT: usize = 4 * 1024;
/// Plain bytes a single call may write on a scheduler thread.
const PLAIN_BUDGET: usize = 512 * 1024;
/// Bytes a single call may compress on a scheduler thread; about half a millisecond.
const DEFLATE_BUDGET: usize = 32 * 1024;

/// Something to send, in order.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A frame that is no close.
    Frame(OpCode, &'a [u8]),
    /// A close frame; what follows it is not sent.
    Close(Option<(u16, &'a [u8])>),
    /// Cowboy's `{deflate, Bool}`.
    Deflate(bool),
}

/// When to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// More of this batch follows at once: gather.
    Cork,
    /// Write now.
    Flush,
    /// Write now; the batch is done.
    Taken,
}

/// What became of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// Written, or queued within bounds.
    Done,
    /// The peer does not read. [`crate::Sink::sent`] tells when to go on.
    Wait,
    /// Nothing was done: too much work for this thread.
    Busy,
    /// The connection is gone.
    Failed(Reason),
}

/// The queue and the socket behind it.
#[derive(Debug)]
pub(crate) struct Outbox {
    socket: Option<Arc<Socket>>,
    sender: Sender,
    queue: Vec<u8>,
    written: usize,
    /// The kernel took no more; the task goes on when it does.
    blocked: bool,
    /// A sender waits for the queue to empty.
    waiting: bool,
    /// The peer was told that nothing more comes.
    finished: bool,
    failed: Option<Reason>,
}

impl Outbox {
    pub(crate) fn new(socket: Arc<Socket>) -> Self {
        Self {
            socket: Some(socket),
            sender: Sender::new(None),
            queue: Vec::new(),
            written: 0,
            blocked: false,
            waiting: false,
            finished: false,
            failed: None,
        }
    }

    pub(crate) fn set_sender(&mut self, sender: Sender) {
        self.sender = sender;
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    fn unwritten(&self) -> usize {
        self.queue.len() - self.written
    }

    /// Whether encoding and writing `items` may take longer than a scheduler should be held.
    pub(crate) fn is_heavy(&self, items: &[Item<'_>]) -> bool {
        is_heavy(&self.sender, items)
    }

    /// Whether a compression context is held.
    pub(crate) fn holds_context(&self) -> bool {
        self.sender.holds_context()
    }

    /// Give up what is not needed while nothing is sent.
    pub(crate) fn rest(&mut self, rest: Rest) -> Rested {
        self.sender.rest(rest)
    }

    /// Encode `items` behind what is queued; write unless corked.
    pub(crate) fn send(&mut self, items: &[Item<'_>], cork: bool) -> SendOutcome {
        if let Some(reason) = self.failed {
            return SendOutcome::Failed(reason);
        }
        for item in items {
            match *item {
                Item::Frame(opcode, payload) => self.push(opcode, payload),
                Item::Deflate(on) => self.sender.set_deflate(on),
                Item::Close(close) => {
                    self.open_queue();
                    Sender::encode_close(close, &mut self.queue);
                    break;
                }
            }
        }
        if !cork || self.unwritten() > CORK_LIMIT {
            self.write(&[]);
        }
        self.outcome()
    }

    /// Write bytes that are no frames: an HTTP response.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> SendOutcome {
        if self.failed.is_none() {
            self.write(bytes);
        }
        self.outcome()
    }

    fn push(&mut self, opcode: OpCode, payload: &[u8]) {
        self.open_queue();
        if payload.len() <= COPY_LIMIT || self.sender.compresses(opcode) {
            self.sender.encode(opcode, &[payload], &mut self.queue);
        } else {
            let header = Sender::header(opcode, false, payload.len());
            self.queue.extend_from_slice(header.as_ref());
            self.write(payload);
        }
    }

    fn outcome(&mut self) -> SendOutcome {
        match self.failed {
            Some(reason) => SendOutcome::Failed(reason),
            None if self.blocked && self.unwritten() > HIGH_WATER => {
                self.waiting = true;
                SendOutcome::Wait
            }
            None => SendOutcome::Done,
        }
    }

    /// Write the queue and then `tail`; queue what is left of both.
    fn write(&mut self, mut tail: &[u8]) {
        if let Some(socket) = self.socket.as_ref().filter(|_| !self.blocked) {
            while self.written < self.queue.len() || !tail.is_empty() {
                match write_once(socket, &self.queue[self.written..], tail) {
                    Ok(n) => {
                        let queued = n.min(self.queue.len() - self.written);
                        self.written += queued;
                        tail = &tail[n - queued..];
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.blocked = true;
                        break;
                    }
                    Err(error) => return self.fail(Reason::from(&error)),
                }
            }
        }
        if !tail.is_empty() {
            self.open_queue();
            self.queue.extend_from_slice(tail);
        } else if self.written == self.queue.len() {
            self.recycle_queue();
        }
    }

    /// Write what is corked.
    pub(crate) fn flush(&mut self) -> SendOutcome {
        self.write_corked();
        self.outcome()
    }

    /// Write what is corked, on behalf of a sender that is busy elsewhere.
    pub(crate) fn write_corked(&mut self) {
        if self.unwritten() > 0 && self.failed.is_none() {
            self.write(&[]);
        }
    }

    /// The socket is writable again. `Some`: a waiting sender must hear of it.
    pub(crate) fn resume(&mut self) -> Option<Result<(), Reason>> {
        self.blocked = false;
        self.write(&[]);
        let news = match self.failed {
            Some(reason) => Err(reason),
            None if self.blocked => return None,
            None => Ok(()),
        };
        std::mem::take(&mut self.waiting).then_some(news)
    }

    /// No more sends. If nothing is queued the FIN goes out at once.
    pub(crate) fn close(&mut self) {
        self.write(&[]);
        self.failed.get_or_insert(Reason::Closed);
        if self.unwritten() == 0 {
            self.finish();
        }
    }

    /// Tell the peer that nothing more comes.
    pub(crate) fn finish(&mut self) {
        if let Some(socket) = self.socket.as_ref().filter(|_| !self.finished) {
            self.finished = true;
            // An error here means that the peer is gone already.
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    /// Let go of the socket. `Some`: a waiting sender must hear of it.
    pub(crate) fn drop_socket(&mut self, reason: Reason) -> Option<Result<(), Reason>> {
        self.socket = None;
        // What Erlang holds of the connection may live on for long.
        self.sender.end();
        self.queue = Vec::new();
        self.written = 0;
        self.blocked = false;
        let reason = *self.failed.get_or_insert(reason);
        std::mem::take(&mut self.waiting).then_some(Err(reason))
    }

    fn fail(&mut self, reason: Reason) {
        self.failed = Some(reason);
        self.blocked = false;
        self.written = self.queue.len();
        self.recycle_queue();
    }

    fn open_queue(&mut self) {
        if self.queue.capacity() == 0 {
            self.queue = pool::take();
        }
    }

    fn recycle_queue(&mut self) {
        self.written = 0;
        if self.queue.capacity() > 0 {
            pool::give(std::mem::take(&mut self.queue));
        }
    }
}

/// Whether encoding `items`, and writing them, may take longer than a scheduler should be held.
pub(crate) fn is_heavy(sender: &Sender, items: &[Item<'_>]) -> bool {
    let (mut plain, mut deflated) = (0, 0);
    for item in items {
        if let Item::Frame(opcode, payload) = *item {
            if sender.compresses(opcode) {
                deflated += payload.len();
            } else {
                plain += payload.len();
            }
        }
    }
    plain > PLAIN_BUDGET || deflated > DEFLATE_BUDGET
}

/// Append the bytes of `items`, up to a close frame.
pub(crate) fn encode(sender: &mut Sender, items: &[Item<'_>], out: &mut Vec<u8>) {
    for item in items {
        match *item {
            Item::Frame(opcode, payload) => sender.encode(opcode, &[payload], out),
            Item::Deflate(on) => sender.set_deflate(on),
            Item::Close(close) => return Sender::encode_close(close, out),
        }
    }
}

fn write_once(mut socket: &Socket, queued: &[u8], tail: &[u8]) -> io::Result<usize> {
    match (queued.is_empty(), tail.is_empty()) {
        (_, true) => socket.write(queued),
        (true, false) => socket.write(tail),
        (false, false) => socket.write_vectored(&[IoSlice::new(queued), IoSlice::new(tail)]),
    }
}

/// Buffers of this thread, so that an idle connection holds none and a busy one does not allocate.
mod pool {
    use super::RefCell;

    const KEEP: usize = 8;
    const LARGEST: usize = 128 * 1024;

    thread_local! {
        static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take() -> Vec<u8> {
        BUFFERS
            .with_borrow_mut(Vec::pop)
            .unwrap_or_else(|| Vec::with_capacity(1024))
    }

    pub(super) fn give(mut buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST {
            buffer.clear();
            BUFFERS.with_borrow_mut(|buffers| {
                if buffers.len() < KEEP {
                    buffers.push(buffer);
                }
            });
        }
    }
}
