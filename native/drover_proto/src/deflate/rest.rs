//! What a connection keeps of a context while it says nothing: the history, compressed.
//!
//! A context takes about 300 KiB, the history 32 KiB at most, and of text a tenth of that when compressed.

use std::borrow::Cow;

use drover_zlib::{Config, Deflate, Flush, Inflate, NoMemory, Strategy, WINDOW};

use super::pool::{self, Held};
use super::window::Window;

/// Compresses histories: quick rather than thorough.
const SQUEEZER: Config = Config {
    level: 2,
    window_bits: 15,
    mem_level: 8,
    strategy: Strategy::Default,
};

/// What does not compress grows by a little.
const EXTRA_ROOM: usize = 64;

/// How much of a context to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The context, at once: what is left is the history as it is.
    Release,
    /// If it was not used since this was last asked for: all but the history, and that compressed.
    Park,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rested {
    /// There is no more to give up.
    Done,
    /// It was used, or is in the middle of a message: ask again later.
    Busy,
}

impl Rested {
    /// Done only if both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Done {
            other
        } else {
            Self::Busy
        }
    }
}

/// The history of a context that was given up.
#[derive(Default)]
pub(super) enum History {
    #[default]
    Empty,
    Plain(Box<[u8]>),
    /// Deflate data up to a sync flush.
    Squeezed(Box<[u8]>),
}

impl History {
    /// The end of `bytes`, as much as a window of this size can reach.
    pub(super) fn new(bytes: &[u8], window: usize) -> Self {
        match &bytes[bytes.len().saturating_sub(window)..] {
            [] => Self::Empty,
            reached => Self::Plain(reached.into()),
        }
    }

    /// Compress it, if that makes it smaller, and there is memory to do it.
    pub(super) fn squeeze(&mut self) {
        if let Self::Plain(plain) = self
            && let Ok(mut context) = pool::deflate(&SQUEEZER)
        {
            let mut squeezed = Vec::new();
            let room = plain.len() + plain.len() / 8 + EXTRA_ROOM;
            let taken = context.deflate(plain, &mut squeezed, room, Flush::Sync);
            if taken == plain.len() && squeezed.len() < plain.len() {
                *self = Self::Squeezed(squeezed.into());
            }
        }
    }

    /// A decompressor that knows it.
    pub(super) fn inflate(&self) -> Result<Held<Inflate>, NoMemory> {
        let mut context = pool::inflate()?;
        match self {
            Self::Empty => {}
            Self::Plain(plain) => context.set_history(plain),
            // What has come out of it is its history.
            Self::Squeezed(squeezed) => drop(stretch(&mut context, squeezed)),
        }
        Ok(context)
    }

    /// A context for whole messages that knows it.
    pub(super) fn window(&self) -> Result<Held<Window>, NoMemory> {
        let mut context = pool::window()?;
        context.set_history(&self.plain()?);
        Ok(context)
    }

    /// A compressor that knows it.
    pub(super) fn deflate(&self, config: &Config) -> Result<Held<Deflate>, NoMemory> {
        let mut context = pool::deflate(config)?;
        let plain = self.plain()?;
        if !plain.is_empty() {
            context.set_history(&plain);
        }
        Ok(context)
    }

    fn plain(&self) -> Result<Cow<'_, [u8]>, NoMemory> {
        Ok(match self {
            Self::Empty => Cow::Borrowed(&[]),
            Self::Plain(plain) => Cow::Borrowed(plain),
            Self::Squeezed(squeezed) => Cow::Owned(stretch(&mut *pool::inflate()?, squeezed)),
        })
    }
}

fn stretch(context: &mut Inflate, squeezed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(WINDOW);
    let done = context.inflate(squeezed, &mut plain, WINDOW);
    debug_assert!(done.is_ok_and(|progress| progress.taken == squeezed.len()));
    plain
}
