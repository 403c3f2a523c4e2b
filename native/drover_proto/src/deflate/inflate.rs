//! The receiving direction.

use std::fmt;

use drover_zlib::{Inflate, WINDOW};

use super::pool::Held;
use super::rest::{History, Rest, Rested};
use super::window::Window;
use super::{Params, TAIL};

/// Output is made in steps of at most this many bytes.
const STEP: usize = 16 * 1024;

/// What starting over after a final block counts against the budget, in bytes of output.
const RESTART_COST: usize = 8 * 1024;

/// Why a message could not be inflated. Either ends the connection: the context is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// The output would pass the limit (close code 1009, Cowboy's `badsize`).
    TooBig,
    /// The input is no deflate data (close code 1002, Cowboy's `badframe`).
    Corrupt,
}

/// How far one call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inflated {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// The budget is used up; call again with the rest of the input, even if nothing is left of it.
    pub more_output: bool,
}

/// The context of a receiving side.
enum Context {
    /// The last message came as a whole.
    Window(Held<Window>),
    /// It came in pieces, was long, or unusual.
    Stream(Held<Inflate>),
}

impl Context {
    /// What is left of it, as much as a window of this size can reach.
    fn into_history(self, window: usize) -> History {
        match self {
            Self::Window(context) => History::new(context.history(), window),
            Self::Stream(context) => {
                let mut history = Vec::with_capacity(WINDOW);
                context.history(&mut history);
                History::new(&history, window)
            }
        }
    }
}

/// The receiving side's decompressor.
///
/// A message is one [`inflate_whole`](Self::inflate_whole), or any number of [`inflate`](Self::inflate), each repeated until its input is consumed and no more output
/// is announced, then [`finish`](Self::finish), repeated likewise.
pub struct Inflater {
    /// The context, from the first compressed byte on; without takeover only inside a message.
    context: Option<Context>,
    /// What is left of a context that was given up.
    history: History,
    takeover: bool,
    /// How far back a message may refer.
    window: usize,
    /// There was input since it was last asked to rest.
    used: bool,
    /// The present message has input.
    started: bool,
    /// The last step filled all the room it had: there may be output without further input.
    pending: bool,
    /// The last block said that it was final.
    ended: bool,
    /// How much of [`TAIL`] was fed.
    tail: u8,
    /// The last message ended as a sync flush does. It may also end in the middle of a block, and the next one go on there.
    aligned: bool,
}

impl Inflater {
    /// Allocates nothing until the first compressed byte.
    pub fn new(params: &Params) -> Self {
        Self {
            context: None,
            history: History::Empty,
            takeover: params.client_takeover,
            // Some clients write 9 where they agreed on 8, which zlib cannot do.
            window: 1 << params.client_bits.clamp(9, 15),
            used: false,
            started: false,
            pending: false,
            ended: false,
            tail: 0,
            aligned: true,
        }
    }

    /// Inflate a piece of the present message and append to `out`, whose length never passes `limit`.
    ///
    /// `out` holds what the message gave so far. One call does work for about `budget` bytes, of input and output together.
    ///
    /// # Panics
    ///
    /// If there is no memory for the context. It is of no further use then.
    pub fn inflate(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
        budget: usize,
    ) -> Result<Inflated, InflateError> {
        self.started |= !input.is_empty();
        self.used |= self.started;
        let result = self.run(input, out, limit, budget.max(1));
        if result.is_err() {
            self.context = None;
        }
        result
    }

    /// Inflate a message, or what is left of one of which nothing was inflated yet, and append to `out`. `false`: it has to be
    /// [inflated](Self::inflate) in pieces, as it is not a small one that ends as a sync flush does, or would pass `limit`;
    /// nothing was done.
    pub fn inflate_whole(&mut self, input: &[u8], out: &mut Vec<u8>, limit: usize) -> bool {
        if self.started || !self.aligned {
            return false;
        }
        let Some(message) = self.window().and_then(|it| it.inflate(input, limit)) else {
            return false;
        };
        out.extend_from_slice(message);
        self.used = true;
        if !self.takeover {
            self.context = None;
        }
        true
    }

    /// Whether it holds a context.
    pub fn holds_context(&self) -> bool {
        self.context.is_some()
    }

    /// Give up what is not needed while nothing comes.
    pub fn rest(&mut self, rest: Rest) -> Rested {
        let used = std::mem::take(&mut self.used) && rest == Rest::Park;
        if used || self.started {
            return Rested::Busy;
        }
        if !self.aligned {
            return Rested::Done;
        }
        self.keep_history(self.window);
        if rest == Rest::Park {
            self.history.squeeze();
        }
        Rested::Done
    }

    /// The message is over: get what is still inside. `consumed` is of no meaning here.
    pub fn finish(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        budget: usize,
    ) -> Result<Inflated, InflateError> {
        if self.needs_tail() {
            if self.tail == 0 {
                self.aligned = self.stream().is_at_sync_point();
            }
            let rest = &TAIL[usize::from(self.tail)..];
            let inflated = self.inflate(rest, out, limit, budget)?;
            self.tail += inflated.consumed as u8;
            if inflated.more_output {
                return Ok(inflated);
            }
        }
        self.next_message();
        Ok(Inflated {
            consumed: 0,
            more_output: false,
        })
    }

    /// A message without a byte, or whose last byte was that of a final block, is whole as it is.
    fn needs_tail(&self) -> bool {
        self.tail > 0 || (self.started && !self.ended)
    }

    fn next_message(&mut self) {
        self.started = false;
        self.pending = false;
        self.tail = 0;
        if self.takeover && !self.ended {
            return;
        }
        self.ended = false;
        self.context = None;
    }

    fn run(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
        budget: usize,
    ) -> Result<Inflated, InflateError> {
        let mut consumed = 0;
        let mut work = 0;
        while consumed < input.len() || self.pending {
            if work >= budget {
                return Ok(Inflated {
                    consumed,
                    more_output: true,
                });
            }
            if self.ended {
                self.restart(out);
                work += RESTART_COST;
            }
            let end = input.len().min(consumed.saturating_add(budget));
            let (read, written) = self.step(&input[consumed..end], out, limit)?;
            consumed += read;
            work += read + written;
        }
        Ok(Inflated {
            consumed,
            more_output: false,
        })
    }

    /// One call of zlib. Gives the bytes read and written.
    fn step(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(usize, usize), InflateError> {
        let start = out.len();
        // One byte past the limit is the only way to learn that there is one.
        let room = input
            .len()
            .saturating_mul(4)
            .clamp(256, STEP)
            .min(limit.saturating_sub(start).saturating_add(1));
        let result = self.stream().inflate(input, out, room);
        let written = out.len() - start;
        if out.len() > limit {
            out.truncate(limit);
            return Err(InflateError::TooBig);
        }
        let progress = result.map_err(|_| InflateError::Corrupt)?;
        let read = progress.taken;
        self.ended = progress.ended;
        let stuck = read == 0 && written == 0 && !input.is_empty() && !self.ended;
        if stuck {
            return Err(InflateError::Corrupt);
        }
        self.pending = written == room && !self.ended;
        Ok((read, written))
    }

    /// Go on after a final block, which may stand anywhere (RFC 7692 7.2.3.4). What this message gave so far stays
    /// within reach; what earlier messages gave does not, since no compressor ends its stream and yet refers back so far.
    fn restart(&mut self, out: &[u8]) {
        self.ended = false;
        let history = &out[out.len().saturating_sub(WINDOW)..];
        let context = self.stream();
        context.reset();
        context.set_history(history);
    }

    /// Give up the context, for what it knows.
    fn keep_history(&mut self, window: usize) {
        if let Some(context) = self.context.take() {
            self.history = context.into_history(window);
        }
    }

    /// The context for a whole message. `None`: there is no memory for it.
    fn window(&mut self) -> Option<&mut Window> {
        if !matches!(self.context, Some(Context::Window(_))) {
            self.keep_history(WINDOW);
            let context = self.history.window().ok()?;
            self.history = History::Empty;
            self.context = Some(Context::Window(context));
        }
        match &mut self.context {
            Some(Context::Window(context)) => Some(context),
            _ => None,
        }
    }

    /// The context for a message in pieces.
    fn stream(&mut self) -> &mut Inflate {
        if !matches!(self.context, Some(Context::Stream(_))) {
            self.keep_history(WINDOW);
            let history = std::mem::take(&mut self.history);
            let context = history.inflate().expect("memory for a context");
            self.context = Some(Context::Stream(context));
        }
        match &mut self.context {
            Some(Context::Stream(context)) => context,
            _ => unreachable!("it is one now"),
        }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("takeover", &self.takeover)
            .field("holds_context", &self.holds_context())
            .finish_non_exhaustive()
    }
}
