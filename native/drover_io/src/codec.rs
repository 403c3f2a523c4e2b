//! A connection whose bytes travel by somebody else's transport: bytes in, events out; frames in, bytes out.

use crate::Upgrade;
use crate::clock::now_ms;
use crate::outbox::{Item, encode, is_heavy};
use drover_proto::idle::{IdlePolicy, IdleRule};
use drover_proto::receive::{Event, Receiver, RecvConfig, Step};
use drover_proto::send::Sender;

/// How far a call of [`Codec::decode`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Everything is decoded.
    All,
    /// There is more: when the events have been handled, call again without further bytes.
    Part,
}

/// Both halves of the protocol, without a socket.
#[derive(Debug)]
pub struct Codec {
    receiver: Receiver,
    sender: Sender,
    /// Not decoded yet.
    rest: Vec<u8>,
    idle: Option<IdleRule>,
    policy: IdlePolicy,
    last_activity: u64,
}

impl Codec {
    /// A connection after its handshake.
    #[must_use]
    pub fn new(upgrade: Upgrade) -> Self {
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
