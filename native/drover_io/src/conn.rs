//! One connection as the threads that use it share it.

use crate::clock::now_ms;
use crate::hold::Hold;
use crate::listener::{Member, Place};
use crate::opening::{Control, Openings, Parked};
use crate::outbox::{Item, Mode, Outbox, SendOutcome};
use crate::rest::Watched;
use crate::sink::{Reason, Sink};
use crate::stats::Counted;
use crate::websocket::Begin;
use crate::worker::{Command, Worker};
use drover_proto::deflate::{Params, Rest, Rested};
use drover_proto::idle::{IdlePolicy, IdleRule};
use drover_proto::receive::RecvConfig;
use drover_proto::send::Sender;
use socket2::Socket;
use std::fmt;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::Waker;
use std::time::Duration;

/// Batches that may be with the owner, untaken, while the task still reads.
///
/// Two, so that a client which waits for each answer never waits for credit, and the mailbox stays bounded.
const WINDOW: u32 = 2;

/// How a connection turns into a WebSocket.
#[derive(Clone, Debug)]
pub struct Upgrade {
    /// Largest frame and message, in bytes. `None`: no limit.
    pub max_frame_size: Option<u64>,
    /// Whether text and close reasons must be UTF-8.
    pub validate_utf8: bool,
    /// The negotiated compression.
    pub deflate: Option<Params>,
    /// Whether bytes that came with the handshake are frames; Cowboy 2.0-pre dropped them.
    pub keep_early_data: bool,
    /// Milliseconds without received bytes after which the owner should close. `None`: never.
    pub idle_timeout: Option<u64>,
    /// How Cowboy counts them.
    pub idle_policy: IdlePolicy,
}

/// How long a connection takes to close, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a peer that does not read: time to write out the rest, which is lost then. `None`: no end.
    pub flush_ms: Option<u32>,
    /// For a peer that is still sending: time for it to see the end.
    pub linger_ms: u32,
}

impl Patience {
    pub(crate) fn flush(self) -> Option<Duration> {
        self.flush_ms.map(|ms| Duration::from_millis(ms.into()))
    }

    pub(crate) fn linger(self) -> Duration {
        Duration::from_millis(self.linger_ms.into())
    }
}

/// What [`Conn::start`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// Reading begins.
    Reading,
    /// Bytes came with the handshake: one batch, maybe empty, comes at once.
    Early,
}

/// A connection. Its socket is open until its task has finished; every method is safe to call at any time.
pub struct Conn {
    /// Unique in the life of the process.
    pub id: u64,
    sink: Box<dyn Sink>,
    worker: &'static Worker,
    patience: Patience,
    out: Mutex<Outbox>,
    opening: Openings,
    idle: Mutex<Option<IdleRule>>,
    counted: Mutex<Option<(Counted, Option<Member>)>>,
    max_frame_size: AtomicU64,
    last_activity: AtomicU64,
    untaken: AtomicU32,
    early: AtomicBool,
    active: AtomicBool,
    stalled: AtomicBool,
    corked: AtomicBool,
    watched: AtomicBool,
    closing: AtomicBool,
    told_idle: AtomicBool,
    /// Mirrors the outbox, so that the task need not take its lock to know.
    blocked: AtomicBool,
    /// Where the hub of its thread keeps it, once it is a WebSocket.
    seat: AtomicUsize,
    /// Whether its compression contexts are watched for a rest.
    rest: Watched,
}

/// No seat in a hub.
const NO_SEAT: usize = usize::MAX;

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Conn {
    pub(crate) fn new(
        socket: Arc<Socket>,
        sink: Box<dyn Sink>,
        worker: &'static Worker,
        patience: Patience,
        place: Option<Place>,
    ) -> Arc<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let (slot, member) = place.map(|place| (place.slot, place.member)).unzip();
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Relaxed),
            sink,
            worker,
            patience,
            out: Mutex::new(Outbox::new(socket)),
            opening: Openings::new(slot),
            idle: Mutex::new(None),
            counted: Mutex::new(Some((Counted::connection(), member))),
            max_frame_size: AtomicU64::new(u64::MAX),
            last_activity: AtomicU64::new(0),
            untaken: AtomicU32::new(0),
            early: AtomicBool::new(false),
            active: AtomicBool::new(true),
            stalled: AtomicBool::new(false),
            corked: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            told_idle: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            seat: AtomicUsize::new(NO_SEAT),
            rest: Watched::default(),
        })
    }

    /// Where the events go.
    #[must_use]
    pub fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    // ---- for the owner

    /// Ask for up to `max` bytes of the request body; the answer is [`Sink::body`].
    pub fn read_body(self: &Arc<Self>, max: usize) {
        self.ask(Control::ReadBody(max));
    }

    /// The response is out: ask for the next request; the answer is [`Sink::request`] or [`Sink::closed`].
    pub fn next_request(self: &Arc<Self>) {
        self.ask(Control::NextRequest);
    }

    /// Become a WebSocket: frames can be sent from now on, reading begins with [`Conn::start`].
    pub fn upgrade(&self, upgrade: Upgrade) {
        lock(&self.out).set_sender(Sender::new(upgrade.deflate.as_ref()));
        self.set_max_frame_size(upgrade.max_frame_size);
        let now = now_ms();
        self.last_activity.store(now, Relaxed);
        *lock(&self.idle) = upgrade
            .idle_timeout
            .map(|ms| IdleRule::new(upgrade.idle_policy, ms, now));
        self.opening.with(|opening| {
            opening.slot = None;
            opening.upgrade = Some(upgrade);
        });
    }

    /// Begin to read frames.
    pub fn start(self: &Arc<Self>) -> Started {
        let (upgrade, parked) = self
            .opening
            .with(|opening| (opening.upgrade.take(), opening.parked.take()));
        let Some(upgrade) = upgrade else {
            return Started::Reading;
        };
        let config = RecvConfig {
            max_frame_size: upgrade.max_frame_size,
            validate_utf8: upgrade.validate_utf8,
            deflate: upgrade.deflate,
        };
        let early = upgrade.keep_early_data && self.early.load(Acquire) && !self.is_closing();
        match parked {
            Some(Parked {
                socket,
                early: bytes,
            }) => {
                let early = early.then_some(bytes);
                let hold = Hold::new(Arc::clone(self), socket);
                self.worker.post(Command::Begin(Box::new(Begin {
                    hold,
                    config,
                    early,
                })));
            }
            None => self.ask(Control::Start(Box::new(config), early)),
        }
        if early {
            Started::Early
        } else {
            Started::Reading
        }
    }

    /// Send `items` in order. `allow_heavy`: this thread may be held for long.
    pub fn send(
        self: &Arc<Self>,
        items: &[Item<'_>],
        mode: Mode,
        allow_heavy: bool,
    ) -> SendOutcome {
        let cork = mode == Mode::Cork;
        let mut out = lock(&self.out);
        if !allow_heavy && out.is_heavy(items) {
            return SendOutcome::Busy;
        }
        let outcome = out.send(items, cork);
        self.corked.store(cork, Relaxed);
        let holds_context = out.holds_context();
        self.unlock_and_help(out);
        if holds_context && self.rest.begin() {
            self.worker.post(Command::WatchRest(Arc::clone(self)));
        }
        match mode {
            Mode::Cork => self.watch_cork(),
            Mode::Taken => self.give_credit(),
            Mode::Flush => {}
        }
        outcome
    }

    /// Send bytes that are no frames: a response of the HTTP phase.
    pub fn send_raw(self: &Arc<Self>, bytes: &[u8]) -> SendOutcome {
        let mut out = lock(&self.out);
        let outcome = out.send_raw(bytes);
        self.unlock_and_help(out);
        outcome
    }

    /// A batch has been handled: write what was corked and let the task read on.
    pub fn taken(self: &Arc<Self>) -> SendOutcome {
        let outcome = if self.corked.swap(false, Relaxed) {
            self.flush()
        } else {
            SendOutcome::Done
        };
        self.give_credit();
        outcome
    }

    /// Cowboy's `{active, Bool}`.
    pub fn set_active(self: &Arc<Self>, active: bool) {
        self.active.store(active, SeqCst);
        if active && self.stalled.swap(false, SeqCst) {
            self.poke();
        }
    }

    /// Limit frames and messages from the next header on.
    pub fn set_max_frame_size(&self, max: Option<u64>) {
        self.max_frame_size.store(max.unwrap_or(u64::MAX), Relaxed);
    }

    /// Restart the idle timeout with another length.
    pub fn set_idle_timeout(self: &Arc<Self>, timeout: Option<u64>) -> Option<u64> {
        let now = now_ms();
        let mut idle = lock(&self.idle);
        let policy = idle.as_ref().map_or(IdlePolicy::Ticks, IdleRule::policy);
        *idle = timeout.map(|ms| IdleRule::new(policy, ms, now));
        self.last_activity.store(now, Relaxed);
        let left = idle.as_ref().map(|rule| rule.left(now, now));
        drop(idle);
        self.worker.post(Command::WatchIdle(Arc::clone(self)));
        left
    }

    /// Milliseconds until the connection counts as idle; 0 if it does now, `None` if it never will.
    ///
    /// For the owner, who was told by [`Sink::idle`] and may be told again from now on.
    #[must_use]
    pub fn idle_left(&self) -> Option<u64> {
        self.told_idle.store(false, Release);
        self.time_left()
    }

    /// Write out what is queued, send FIN and close. Idempotent.
    pub fn close(self: &Arc<Self>) {
        if self.begin_close() {
            self.poke();
        }
    }

    /// The same, as far as possible on this thread, on which the sink may be used: the I/O thread need not wake for it.
    pub fn close_here(self: &Arc<Self>) {
        if self.begin_close() && !self.seat().is_some_and(|seat| self.worker.run_here(seat)) {
            self.poke();
        }
    }

    /// Whether there is something left to do.
    fn begin_close(&self) -> bool {
        if self.closing.swap(true, AcqRel) {
            return false;
        }
        let mut out = lock(&self.out);
        out.close();
        self.blocked.store(out.is_blocked(), Release);
        drop(out);
        if self.opening.with(|opening| opening.parked.take()).is_some() {
            self.drop_socket(Reason::Closed);
        }
        true
    }

    /// Keep an adopted socket until [`Conn::start`].
    pub(crate) fn park(&self, socket: Arc<Socket>, early: Vec<u8>) {
        self.set_early(!early.is_empty());
        self.opening
            .with(|opening| opening.parked = Some(Parked { socket, early }));
    }

    // ---- for the task

    pub(crate) fn time_left(&self) -> Option<u64> {
        let last = self.last_activity.load(Relaxed);
        lock(&self.idle)
            .as_ref()
            .map(|rule| rule.left(last, now_ms()))
    }

    /// Tell the owner, who may be busy, once.
    pub(crate) fn tell_idle(&self) {
        if !self.told_idle.swap(true, AcqRel) {
            self.sink.idle(self.id);
        }
    }

    pub(crate) fn patience(&self) -> Patience {
        self.patience
    }

    pub(crate) fn worker(&self) -> &'static Worker {
        self.worker
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Acquire)
    }

    pub(crate) fn out(&self) -> MutexGuard<'_, Outbox> {
        lock(&self.out)
    }

    pub(crate) fn take_control(&self) -> Option<Control> {
        self.opening.with(|opening| opening.control.take())
    }

    pub(crate) fn set_early(&self, early: bool) {
        self.early.store(early, Release);
    }

    pub(crate) fn set_waker(&self, waker: &Waker) {
        self.opening.with(|opening| {
            let old = opening.waker.as_ref();
            if !old.is_some_and(|old| old.will_wake(waker)) {
                opening.waker = Some(waker.clone());
            }
        });
    }

    /// Wake the task. On its own I/O thread only; others [`Conn::poke`].
    pub(crate) fn wake(&self) {
        let waker = self.opening.with(|opening| opening.waker.take());
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Where its hub keeps it, if it is a WebSocket.
    pub(crate) fn seat(&self) -> Option<usize> {
        Some(self.seat.load(Acquire)).filter(|seat| *seat != NO_SEAT)
    }

    pub(crate) fn set_seat(&self, seat: usize) {
        self.seat.store(seat, Release);
        self.opening.end();
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Acquire)
    }

    /// The socket may be writable again: write on. Gives what a waiting sender must hear, and whether it is blocked.
    ///
    /// `None`: a sender has the outbox, and may keep it for long, with a large message to compress. It has the task woken
    /// when it is done.
    pub(crate) fn resume_writing(&self) -> Option<(Option<Result<(), Reason>>, bool)> {
        let mut out = try_lock(&self.out)?;
        let news = out.resume();
        let blocked = out.is_blocked();
        self.blocked.store(blocked, Release);
        Some((news, blocked))
    }

    /// Have the task look again after some time.
    pub(crate) fn wake_in(self: Arc<Self>, time: Duration) {
        self.worker.post(Command::WakeIn(self, time));
    }

    pub(crate) fn watched_rest(&self) -> &Watched {
        &self.rest
    }

    /// Let the sending side rest, unless a sender has it.
    pub(crate) fn rest(&self, rest: Rest) -> Rested {
        try_lock(&self.out).map_or(Rested::Busy, |mut out| out.rest(rest))
    }

    pub(crate) fn received(&self) {
        self.last_activity.store(now_ms(), Relaxed);
    }

    pub(crate) fn frame_limit(&self) -> Option<u64> {
        match self.max_frame_size.load(Relaxed) {
            u64::MAX => None,
            max => Some(max),
        }
    }

    /// Whether the task may read on. If not, whoever changes that will poke it.
    pub(crate) fn may_read(&self) -> bool {
        let open = || self.active.load(SeqCst) && self.untaken.load(SeqCst) < WINDOW;
        open() || {
            self.stalled.store(true, SeqCst);
            open()
        }
    }

    /// Whether the owner is done with every batch. If not, whoever changes that will poke the task.
    pub(crate) fn all_taken(&self) -> bool {
        let none = || self.untaken.load(SeqCst) == 0;
        none() || {
            self.stalled.store(true, SeqCst);
            none()
        }
    }

    /// Hand the thread's batch of `events` events to the owner.
    pub(crate) fn deliver(self: &Arc<Self>, events: usize) {
        self.untaken.fetch_add(1, SeqCst);
        if events > 1 && !self.watched.swap(true, AcqRel) {
            self.worker.cork().watch(Arc::clone(self));
        }
        if !self.sink.deliver(self.id) {
            self.close();
        }
    }

    /// Write replies that a slow callback holds back. `false`: nothing to watch any more.
    pub(crate) fn flush_corked(self: &Arc<Self>) -> bool {
        if self.corked.swap(false, Relaxed)
            && let Some(mut out) = try_lock(&self.out)
        {
            out.write_corked();
            self.unlock_and_help(out);
        }
        self.watched.store(false, Release);
        self.untaken.load(SeqCst) > 0 && !self.is_closing() && !self.watched.swap(true, AcqRel)
    }

    /// The socket goes: tell a waiting sender, stop counting. The caller drops its own reference to the socket.
    pub(crate) fn drop_socket(&self, reason: Reason) {
        self.closing.store(true, Release);
        self.set_seat(NO_SEAT);
        let news = lock(&self.out).drop_socket(reason);
        if let Some(result) = news {
            self.sink.sent(self.id, result);
        }
        drop(lock(&self.counted).take());
    }

    // ---- inner

    fn ask(self: &Arc<Self>, control: Control) {
        self.opening.with(|opening| opening.control = Some(control));
        self.poke();
    }

    fn flush(self: &Arc<Self>) -> SendOutcome {
        let mut out = lock(&self.out);
        let outcome = out.flush();
        self.unlock_and_help(out);
        outcome
    }

    /// If the kernel took no more, the task has to go on.
    fn unlock_and_help(self: &Arc<Self>, out: MutexGuard<'_, Outbox>) {
        let blocked = out.is_blocked();
        self.blocked.store(blocked, Release);
        drop(out);
        if blocked {
            self.poke();
        }
    }

    fn give_credit(self: &Arc<Self>) {
        self.last_activity.store(now_ms(), Relaxed);
        let before = self
            .untaken
            .fetch_update(SeqCst, SeqCst, |n| Some(n.saturating_sub(1)));
        if before.is_ok_and(|n| n > 0) && self.stalled.swap(false, SeqCst) {
            self.poke();
        }
    }

    fn watch_cork(self: &Arc<Self>) {
        if !self.watched.swap(true, AcqRel) {
            self.worker.post(Command::WatchCork(Arc::clone(self)));
        }
    }

    /// Wake the task from any thread.
    pub(crate) fn poke(self: &Arc<Self>) {
        self.worker.post(Command::Wake(Arc::clone(self)));
    }
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// A panic elsewhere while the lock was held leaves nothing half done that matters more than going on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
