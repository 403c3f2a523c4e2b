//! A listening socket: accepts within its limit and starts a task for each connection.

use crate::conn::{Conn, Patience};
use crate::descriptor::{duplicate, register};
use crate::http;
use crate::link::Link;
use crate::sink::{Address, Sink};
use crate::stats::Counted;
use crate::worker::{self, Command, Worker};
use drover_proto::http::HeadLimits;
use socket2::{SockAddr, Socket};
use std::io;
use std::os::fd::RawFd;
use std::pin::pin;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, oneshot};

/// Pause after an accept that failed for want of descriptors or memory.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// How requests are read.
#[derive(Clone, Debug)]
pub(crate) struct HttpConfig {
    pub(crate) limits: HeadLimits,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) max_skip_body: usize,
    pub(crate) stop: Arc<Stop>,
}

/// Tells the connections that wait for their first request that nobody will take it.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: AtomicBool,
    changed: Notify,
}

impl Stop {
    fn set(&self) {
        self.stopped.store(true, SeqCst);
        self.changed.notify_waiters();
    }

    /// Returns when the listener has stopped for good.
    pub(crate) async fn wait(&self) {
        let mut changed = pin!(self.changed.notified());
        changed.as_mut().enable();
        if !self.stopped.load(SeqCst) {
            changed.await;
        }
    }
}

/// How a listener accepts.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// I/O threads to start, if none run yet.
    pub io_threads: usize,
    /// Connections in their HTTP phase at once; more wait in the backlog.
    pub max_connections: usize,
    /// Time for a whole request head, from accept or from the end of the response before it.
    pub request_timeout: Option<Duration>,
    /// Largest sizes of a request head.
    pub limits: HeadLimits,
    /// Bytes of an unread request body that are skipped to keep a connection.
    pub max_skip_body: usize,
    /// Time for closing a connection.
    pub patience: Patience,
    /// Whether to set `TCP_NODELAY`.
    pub nodelay: bool,
}

/// Connections of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// In their HTTP phase, counted against the limit.
    pub connections: usize,
    /// Open, WebSockets included.
    pub all_connections: usize,
    /// Accepted since the start.
    pub accepted: u64,
}

/// Makes the sink for a new connection.
type MakeSink = dyn Fn() -> Box<dyn Sink> + Send + Sync;

/// A listening socket. Dropping it closes it; its connections live on.
#[derive(Debug)]
pub struct Listener {
    shared: Arc<Shared>,
    stop: Arc<Stop>,
}

#[derive(Debug)]
struct Shared {
    max: AtomicUsize,
    now: AtomicUsize,
    all: AtomicUsize,
    accepted: AtomicU64,
    closed: AtomicBool,
    changed: Notify,
    gone: Mutex<Option<oneshot::Receiver<()>>>,
}

/// One connection's place under its listener's limit.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Shared>);

/// What a new connection takes of its listener.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) slot: Slot,
    pub(crate) member: Member,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
        self.0.changed.notify_one();
    }
}

/// One open connection of a listener.
#[derive(Debug)]
pub(crate) struct Member(Arc<Shared>);

impl Member {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.all.fetch_add(1, SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.all.fetch_sub(1, SeqCst);
    }
}

impl Listener {
    /// Accept on a duplicate of the listening socket `fd`.
    ///
    /// # Errors
    /// Those of duplicating `fd`, making it non-blocking, and starting the I/O threads.
    pub fn start(fd: RawFd, config: &ListenerConfig, sink: Box<MakeSink>) -> io::Result<Self> {
        worker::start(config.io_threads)?;
        let socket = Socket::from(duplicate(fd)?);
        socket.set_nonblocking(true)?;
        let (alive, gone) = oneshot::channel();
        let shared = Arc::new(Shared {
            max: AtomicUsize::new(config.max_connections),
            now: AtomicUsize::new(0),
            all: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            changed: Notify::new(),
            gone: Mutex::new(Some(gone)),
        });
        let stop = Arc::new(Stop::default());
        let acceptor = Acceptor {
            shared: Arc::clone(&shared),
            http: Arc::new(HttpConfig {
                limits: config.limits.clone(),
                request_timeout: config.request_timeout,
                max_skip_body: config.max_skip_body,
                stop: Arc::clone(&stop),
            }),
            patience: config.patience,
            nodelay: config.nodelay,
            sink,
            _counted: Counted::listener(),
            _alive: alive,
        };
        worker::next().post(Command::Spawn(Box::pin(acceptor.run(socket))));
        Ok(Self { shared, stop })
    }

    /// Close it for good: connections that wait for their first request are closed, too.
    pub fn stop(&self) {
        self.stop.set();
        self.close();
    }

    /// Stop accepting and close the listening socket; returns when it is closed.
    pub fn close(&self) {
        self.shared.closed.store(true, SeqCst);
        self.shared.changed.notify_one();
        let gone = self
            .shared
            .gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(gone) = gone {
            // The acceptor answers by dropping its end.
            let _ = gone.blocking_recv();
        }
    }

    /// Change the limit on connections in their HTTP phase.
    pub fn set_max_connections(&self, max: usize) {
        self.shared.max.store(max, SeqCst);
        self.shared.changed.notify_one();
    }

    /// How many connections there are.
    #[must_use]
    pub fn occupancy(&self) -> Occupancy {
        Occupancy {
            connections: self.shared.now.load(SeqCst),
            all_connections: self.shared.all.load(SeqCst),
            accepted: self.shared.accepted.load(Relaxed),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.closed.store(true, SeqCst);
        self.shared.changed.notify_one();
    }
}

struct Acceptor {
    shared: Arc<Shared>,
    http: Arc<HttpConfig>,
    patience: Patience,
    nodelay: bool,
    sink: Box<MakeSink>,
    _counted: Counted,
    _alive: oneshot::Sender<()>,
}

impl Acceptor {
    async fn run(self, socket: Socket) {
        let Ok(socket) = register(Arc::new(socket), Interest::READABLE) else {
            return;
        };
        while self.has_room().await {
            let accepted = tokio::select! {
                biased;
                () = self.shared.changed.notified() => continue,
                accepted = accept(&socket) => accepted,
            };
            match accepted {
                Ok((client, peer)) => self.welcome(client, &peer),
                // The client went away before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
            }
        }
    }

    /// Wait for room under the limit. `false`: the listener is closed.
    async fn has_room(&self) -> bool {
        loop {
            if self.shared.closed.load(SeqCst) {
                return false;
            }
            if self.shared.now.load(SeqCst) < self.shared.max.load(SeqCst) {
                return true;
            }
            self.shared.changed.notified().await;
        }
    }

    fn welcome(&self, client: Socket, peer: &SockAddr) {
        // A client that is gone already shows at the first read.
        let _ = client.set_nonblocking(true);
        if self.nodelay && peer.as_socket().is_some() {
            let _ = client.set_tcp_nodelay(true);
        }
        let sock = client
            .local_addr()
            .map_or(Address::Local(None), |addr| address(&addr));
        self.shared.now.fetch_add(1, SeqCst);
        self.shared.accepted.fetch_add(1, Relaxed);
        let place = Place {
            slot: Slot(Arc::clone(&self.shared)),
            member: Member::new(&self.shared),
        };
        let worker: &'static Worker = worker::next();
        let socket = Arc::new(client);
        let conn = Conn::new(
            Arc::clone(&socket),
            (self.sink)(),
            worker,
            self.patience,
            Some(place),
        );
        let (config, peer) = (Arc::clone(&self.http), address(peer));
        let link = Link::new(conn, socket);
        worker.post(Command::Spawn(Box::pin(http::run(
            link, config, peer, sock,
        ))));
    }
}

async fn accept(socket: &AsyncFd<Arc<Socket>>) -> io::Result<(Socket, SockAddr)> {
    loop {
        let mut guard = socket.readable().await?;
        if let Ok(result) = guard.try_io(|inner| inner.get_ref().accept()) {
            return result;
        }
    }
}

fn address(addr: &SockAddr) -> Address {
    match addr.as_socket() {
        Some(inet) => Address::Inet(inet),
        None => Address::Local(addr.as_pathname().map(Into::into)),
    }
}
