//! The I/O threads. Each runs its own single-threaded tokio runtime; a connection stays on one of them for life.

use crate::Conn;
use crate::clock;
use crate::cork::CorkWatch;
use crate::hub::Hub;
use crate::websocket::Begin;
use crossbeam_channel::{Receiver, Sender, unbounded};
use once_cell::sync::OnceCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{io, thread};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Turns of the hub after which the thread's tasks have one in any case.
const TURNS: u64 = 16;

static WORKERS: OnceCell<Vec<Worker>> = OnceCell::new();

/// What another thread hands to an I/O thread.
pub(crate) enum Command {
    /// Something about this connection has changed: let its task look.
    Wake(Arc<Conn>),
    /// Replies are being gathered: see that they get out.
    WatchCork(Arc<Conn>),
    /// Its idle timeout has changed.
    WatchIdle(Arc<Conn>),
    /// Serve this WebSocket.
    Begin(Box<Begin>),
    /// Run this task here.
    Spawn(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// One I/O thread as others see it.
pub(crate) struct Worker {
    commands: Sender<Command>,
    woken: Arc<Wakeup>,
    cork: Arc<CorkWatch>,
}

/// One wake-up for all commands that are posted before the thread looks.
#[derive(Default)]
struct Wakeup {
    pending: AtomicBool,
    notify: Notify,
}

impl Worker {
    /// Hand a command to the thread.
    pub(crate) fn post(&self, command: Command) {
        // The receiver lives as long as the process.
        let _ = self.commands.send(command);
        if !self.woken.pending.swap(true, Ordering::AcqRel) {
            self.woken.notify.notify_one();
        }
    }

    pub(crate) fn cork(&self) -> &CorkWatch {
        &self.cork
    }

    fn start(index: usize) -> io::Result<Self> {
        let (commands, receiver) = unbounded();
        let woken = Arc::new(Wakeup::default());
        let cork = Arc::new(CorkWatch::default());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let hub = runtime.block_on(async { Hub::new() })?;
        let (wakeup, watch) = (Arc::clone(&woken), Arc::clone(&cork));
        thread::Builder::new()
            .name(format!("drover-io-{index}"))
            .spawn(move || {
                runtime.spawn(async move { watch.run().await });
                runtime.block_on(work(&receiver, &wakeup, hub));
            })?;
        Ok(Self {
            commands,
            woken,
            cork,
        })
    }
}

/// Carry out commands and serve WebSockets, forever.
async fn work(commands: &Receiver<Command>, woken: &Wakeup, mut hub: Hub) {
    let mut timer = pin!(sleep(Duration::ZERO));
    let mut armed = None;
    for turn in 1u64.. {
        let deadline = hub.idle_deadline();
        if deadline != armed {
            armed = deadline;
            timer
                .as_mut()
                .reset(deadline.map_or_else(Instant::now, clock::instant));
        }
        tokio::select! {
            biased;
            () = woken.notify.notified() => {
                woken.pending.store(false, Ordering::Release);
                commands.try_iter().for_each(|command| obey(command, &mut hub));
            }
            () = hub.turn() => {}
            () = tokio::task::yield_now(), if hub.is_busy() => hub.run_again(),
            () = &mut timer, if armed.is_some() => {
                hub.look_for_idle();
                armed = None;
            }
        }
        if turn % TURNS == 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn obey(command: Command, hub: &mut Hub) {
    match command {
        Command::Wake(conn) => match conn.seat() {
            Some(seat) => hub.run(seat),
            None => conn.wake(),
        },
        Command::WatchIdle(conn) => {
            if let Some(seat) = conn.seat() {
                hub.watch_idle(seat);
            }
        }
        Command::WatchCork(conn) => conn.worker().cork().watch(conn),
        Command::Begin(begin) => hub.adopt(Box::new(begin.into_driver())),
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
