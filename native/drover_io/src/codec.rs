//! A connection whose bytes travel by somebody else's transport: bytes in, events out; frames in, bytes out.

use crate::Upgrade;
use crate::clock::now_ms;
use crate::outbox::{Item, encode, is_heavy};
use crate::rest::{Restful, Watched};
use crate::worker::{self, Command, Worker};
use drover_proto::deflate::{Rest, Rested};
use drover_proto::idle::{IdlePolicy, IdleRule};
use drover_proto::receive::{Event, Receiver, RecvConfig, Step};
use drover_proto::send::Sender;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// How far a call of [`Codec::decode`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Everything is decoded.
    All,
    /// There is more: when the events have been handled, call again without further bytes.
    Part,
}

/// A connection without a socket. One process uses it; the lock is waited for only while it is being parked.
#[derive(Debug)]
pub struct Codec(Arc<Shared>);

/// What a codec's user shares with the I/O thread that has it rest.
#[derive(Debug)]
pub(crate) struct Shared {
    halves: Mutex<Halves>,
    rest: Watched,
    /// `None`: there is nothing to park.
    worker: Option<&'static Worker>,
}

/// A codec in use.
#[derive(Debug)]
pub struct CodecGuard<'a> {
    halves: MutexGuard<'a, Halves>,
    shared: &'a Arc<Shared>,
}

/// Both halves of the protocol.
#[derive(Debug)]
pub struct Halves {
    receiver: Receiver,
    sender: Sender,
    /// Not decoded yet.
    rest: Vec<u8>,
    idle: Option<IdleRule>,
    policy: IdlePolicy,
    last_activity: u64,
}

impl Codec {
    /// A connection after its handshake. If it has to be parked, one of so many I/O threads will do that.
    #[must_use]
    pub fn new(upgrade: Upgrade, io_threads: usize) -> Self {
        let parks = upgrade.deflate.is_some() && worker::start(io_threads).is_ok();
        Self(Arc::new(Shared {
            halves: Mutex::new(Halves::new(upgrade)),
            rest: Watched::default(),
            worker: parks.then(worker::next),
        }))
    }

    /// Use it.
    #[must_use]
    pub fn lock(&self) -> CodecGuard<'_> {
        CodecGuard {
            halves: self.0.halves.lock().unwrap_or_else(PoisonError::into_inner),
            shared: &self.0,
        }
    }
}

impl Deref for CodecGuard<'_> {
    type Target = Halves;

    fn deref(&self) -> &Halves {
        &self.halves
    }
}

impl DerefMut for CodecGuard<'_> {
    fn deref_mut(&mut self) -> &mut Halves {
        &mut self.halves
    }
}

impl Drop for CodecGuard<'_> {
    fn drop(&mut self) {
        if let Some(worker) = self.shared.worker
            && self.halves.holds_context()
            && self.shared.rest.begin()
        {
            worker.post(Command::WatchCodec(Arc::downgrade(self.shared)));
        }
    }
}

impl Restful for Arc<Shared> {
    fn watched(&self) -> &Watched {
        &self.rest
    }

    fn rest(&mut self, rest: Rest) -> Rested {
        let mut halves = match self.halves.try_lock() {
            Ok(halves) => halves,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Rested::Busy,
        };
        halves.receiver.rest(rest).and(halves.sender.rest(rest))
    }

    /// Its owner's memory is small beside that of a transport of Erlang's.
    fn parked(&self) {}
}

impl Halves {
    fn new(upgrade: Upgrade) -> Self {
        let now = now_ms();
        Self {
            sender: Sender::new(upgrade.deflate.as_ref()),
            rest: Vec::new(),
            idle: upgrade
                .idle_timeout
                .map(|ms| IdleRule::new(upgrade.idle_policy, ms, now)),
            policy: upgrade.idle_policy,
            last_activity: now,
            receiver: Receiver::new(&RecvConfig {
                max_frame_size: upgrade.max_frame_size,
                validate_utf8: upgrade.validate_utf8,
                deflate: upgrade.deflate,
            }),
        }
    }

    fn holds_context(&self) -> bool {
        self.receiver.holds_context() || self.sender.holds_context()
    }

    /// Decode `bytes`, which follow what came before, and give each event to `each`.
    pub fn decode(&mut self, bytes: &[u8], mut each: impl FnMut(Event<'_>)) -> Decoded {
        self.last_activity = now_ms();
        let mut input = std::mem::take(&mut self.rest);
        input.extend_from_slice(bytes);
        let (mut events, mut position) = (0, 0);
        loop {
            let (consumed, step) = self.receiver.next(&mut input[position..]);
            position += consumed;
            match step {
                Step::Event(event) => {
                    events += 1;
                    each(event);
                }
                Step::NeedMore | Step::Ended => return Decoded::All,
                // Nothing before it is left that could raise the limit.
                Step::TooLarge if events == 0 => {
                    if let Step::Event(event) = self.receiver.refuse() {
                        each(event);
                    }
                    return Decoded::All;
                }
                Step::TooLarge | Step::Yield => {
                    self.rest = input.split_off(position);
                    return Decoded::Part;
                }
            }
        }
    }

    /// Whether encoding `items` may take longer than a scheduler should be held.
    #[must_use]
    pub fn is_heavy(&self, items: &[Item<'_>]) -> bool {
        is_heavy(&self.sender, items)
    }

    /// The bytes of `items`.
    pub fn encode(&mut self, items: &[Item<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&mut self.sender, items, &mut bytes);
        bytes
    }

    /// Limit frames and messages from the next header on.
    pub fn set_max_frame_size(&mut self, max: Option<u64>) {
        self.receiver.set_max_frame_size(max);
    }

    /// Milliseconds until the connection counts as idle; 0 if it does now, `None` if it never will.
    #[must_use]
    pub fn idle_left(&self) -> Option<u64> {
        self.idle
            .as_ref()
            .map(|rule| rule.left(self.last_activity, now_ms()))
    }

    /// Restart the idle timeout with another length.
    pub fn set_idle_timeout(&mut self, timeout: Option<u64>) -> Option<u64> {
        let now = now_ms();
        self.idle = timeout.map(|ms| IdleRule::new(self.policy, ms, now));
        self.last_activity = now;
        self.idle_left()
    }
}
