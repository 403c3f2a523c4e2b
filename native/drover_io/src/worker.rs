//! The I/O threads. Each runs its own single-threaded tokio runtime; a connection stays on one of them for life.

use crate::Conn;
use crate::clock;
use crate::codec;
use crate::cork::CorkWatch;
use crate::descriptor::{duplicate, register_poll};
use crate::hub::Hub;
use crate::rest::Sleeper;
use crate::shift::{LOOK_AFTER, Plan, Polled, Shift};
use crate::websocket::Begin;
use crossbeam_channel::{Receiver, Sender, unbounded};
use once_cell::sync::OnceCell;
use std::future::{Future, pending};
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::Duration;
use std::{fmt, io, thread};
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Turns after which the thread's tasks have one in any case.
const TURNS: u64 = 16;

static WORKERS: OnceCell<Vec<Worker>> = OnceCell::new();

/// What another thread hands to an I/O thread.
pub(crate) enum Command {
    /// Something about this connection has changed: let its task look.
    Wake(Arc<Conn>),
    /// The same, after some time.
    WakeIn(Arc<Conn>, Duration),
    /// Replies are being gathered: see that they get out.
    WatchCork(Arc<Conn>),
    /// Its idle timeout has changed.
    WatchIdle(Arc<Conn>),
    /// It sends with a compression context.
    WatchRest(Arc<Conn>),
    /// It codes with one.
    WatchCodec(Weak<codec::Shared>),
    /// Serve this WebSocket.
    Begin(Box<Begin>),
    /// Run this task here.
    Spawn(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// One I/O thread as others see it.
pub(crate) struct Worker {
    commands: Sender<Command>,
    shared: Arc<Shared>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

/// What the thread shares with those who speak to it.
struct Shared {
    woken: Wakeup,
    cork: CorkWatch,
    hub: Mutex<Hub>,
    shift: Shift,
}

/// One wake-up for all that happens before the thread looks.
#[derive(Default)]
struct Wakeup {
    pending: AtomicBool,
    notify: Notify,
}

impl Wakeup {
    fn wake(&self) {
        if !self.pending.swap(true, Ordering::AcqRel) {
            self.notify.notify_one();
        }
    }

    /// Wait for it. What happens from then on needs another.
    async fn woken(&self) {
        self.notify.notified().await;
        self.pending.store(false, Ordering::Release);
    }
}

impl Shared {
    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a thread that must not wait.
    fn try_hub(&self) -> Option<MutexGuard<'_, Hub>> {
        match self.hub.try_lock() {
            Ok(hub) => Some(hub),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Worker {
    /// Hand a command to the thread.
    pub(crate) fn post(&self, command: Command) {
        // The receiver lives as long as the process.
        let _ = self.commands.send(command);
        self.shared.woken.wake();
    }

    pub(crate) fn cork(&self) -> &CorkWatch {
        &self.shared.cork
    }

    fn start(index: usize) -> io::Result<Self> {
        let (commands, receiver) = unbounded();
        let shared = Arc::new(Shared {
            woken: Wakeup::default(),
            cork: CorkWatch::default(),
            hub: Mutex::new(Hub::new()?),
            shift: Shift::new(index),
        });
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let watch = Watch::new(&shared.hub())?;
        let (corked, mine) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::Builder::new()
            .name(format!("drover-io-{index}"))
            .spawn(move || {
                runtime.spawn(async move { corked.cork.run().await });
                runtime.block_on(work(&receiver, &mine, watch));
            })?;
        Ok(Self { commands, shared })
    }

    /// Have the connection in this seat do what it has to on this thread. `false`: its hub is taken.
    pub(crate) fn run_here(&self, seat: usize) -> bool {
        let Some(mut hub) = self.shared.try_hub() else {
            return false;
        };
        let deadline = hub.deadline();
        hub.run(seat);
        let busy = hub.is_busy() && !self.shared.shift.is_helpers();
        if busy || hub.deadline() != deadline {
            self.shared.woken.wake();
        }
        true
    }

    /// A helper's part: look at the sockets once.
    fn help(&self) -> Polled {
        let Shared { shift, woken, .. } = &*self.shared;
        if !shift.is_helpers() {
            return Polled::Rest;
        }
        shift.polls();
        let Some(mut hub) = self.shared.try_hub() else {
            return Polled::Again;
        };
        hub.poll();
        let found = hub.turn();
        drop(hub);
        if shift.goes_on(found) {
            return Polled::Again;
        }
        shift.end();
        woken.wake();
        Polled::Rest
    }
}

/// Look, on this thread, at the sockets that are ready, in place of the I/O thread `index`. To be called by the helper
/// whose bell has rung, until it says [`Polled::Rest`]. Takes no more than a fraction of a millisecond.
#[must_use]
pub fn help(index: usize) -> Polled {
    let worker = WORKERS.get().and_then(|workers| workers.get(index));
    worker.map_or(Polled::Rest, Worker::help)
}

/// The eye of the thread's runtime on the hub's poll.
enum Watch {
    Open(AsyncFd<OwnedFd>),
    Closed(OwnedFd),
}

impl Watch {
    fn new(hub: &Hub) -> io::Result<Self> {
        duplicate(hub.poll_fd()).map(Self::Closed)
    }

    /// While a helper has the shift, what becomes ready is to wake nobody here.
    fn set_open(self, open: bool) -> Self {
        match self {
            Self::Closed(poll) if open => match register_poll(poll) {
                Ok(watch) => Self::Open(watch),
                // Without memory for it in the kernel nothing else would work either.
                Err(error) => panic!("an I/O thread cannot watch its sockets: {error}"),
            },
            Self::Open(watch) if !open => Self::Closed(watch.into_inner()),
            same => same,
        }
    }

    /// Wait until sockets are ready, and have the hub see which.
    async fn ready(&mut self, shared: &Shared) {
        let Self::Open(watch) = self else {
            return pending().await;
        };
        let Ok(mut guard) = watch.readable().await else {
            return;
        };
        if !shared.hub().poll() {
            // What becomes ready from here on is a new event of the poll.
            guard.clear_ready();
        }
    }
}

/// Carry out commands and serve WebSockets, forever.
async fn work(commands: &Receiver<Command>, shared: &Shared, mut watch: Watch) {
    let mut plan = Plan::default();
    let mut timer = pin!(sleep(Duration::ZERO));
    let mut armed = None;
    for turn in 1u64.. {
        plan.look_after(&shared.shift);
        let helped = shared.shift.is_helpers();
        watch = watch.set_open(!helped);
        let (deadline, busy) = {
            let hub = shared.hub();
            (hub.deadline(), hub.is_busy() && !helped)
        };
        if deadline != armed {
            armed = deadline;
            timer
                .as_mut()
                .reset(deadline.map_or_else(Instant::now, clock::instant));
        }
        tokio::select! {
            biased;
            () = shared.woken.woken() => {
                commands.try_iter().for_each(|command| obey(command, shared));
            }
            () = watch.ready(shared) => {}
            () = tokio::task::yield_now(), if busy => {}
            () = sleep(LOOK_AFTER), if helped => {}
            () = &mut timer, if armed.is_some() => {
                shared.hub().look();
                armed = None;
            }
        }
        if !helped {
            let ready = shared.hub().turn();
            plan.found(ready, &shared.shift);
        }
        if turn % TURNS == 0 {
            tokio::task::yield_now().await;
            // Where there is always something to do, no timer has its turn.
            if deadline.is_some_and(|deadline| deadline <= clock::now_ms()) {
                shared.hub().look();
            }
        }
    }
}

fn obey(command: Command, shared: &Shared) {
    match command {
        Command::Wake(conn) => match conn.seat() {
            Some(seat) => shared.hub().run(seat),
            None => conn.wake(),
        },
        Command::WakeIn(conn, time) => {
            tokio::spawn(async move {
                sleep(time).await;
                conn.poke();
            });
        }
        Command::WatchIdle(conn) => {
            if let Some(seat) = conn.seat() {
                shared.hub().watch_idle(seat);
            }
        }
        Command::WatchRest(conn) => match conn.seat() {
            Some(seat) => {
                let sleeper = Sleeper::Seat { seat, id: conn.id };
                shared.hub().watch_rest(sleeper);
            }
            None => conn.watched_rest().end(),
        },
        Command::WatchCodec(codec) => shared.hub().watch_rest(Sleeper::Codec(codec)),
        Command::WatchCork(conn) => shared.cork.watch(conn),
        Command::Begin(begin) => shared.hub().adopt(begin.into_driver()),
        Command::Spawn(task) => drop(Handle::current().spawn(task)),
    }
}

/// Start the I/O threads, once; later calls, whatever number they ask for, change nothing.
pub(crate) fn start(threads: usize) -> io::Result<()> {
    WORKERS
        .get_or_try_init(|| {
            (0..threads.max(1))
                .map(Worker::start)
                .collect::<io::Result<Vec<_>>>()
        })
        .map(drop)
}

/// The I/O thread whose turn it is.
pub(crate) fn next() -> &'static Worker {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let workers = WORKERS.get().map_or(&[][..], Vec::as_slice);
    assert!(
        !workers.is_empty(),
        "a listener starts the I/O threads before it has a connection"
    );
    &workers[TURN.fetch_add(1, Ordering::Relaxed) % workers.len()]
}
