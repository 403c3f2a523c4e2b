//! Contexts that nobody holds, kept for whoever needs one next.
//!
//! To allocate one costs more than to compress a small message. A few are enough: connections that talk keep theirs.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use drover_zlib::{Config, Deflate, Inflate, NoMemory};

use super::window::Window;

/// Contexts of each kind that are kept.
const KEPT: usize = 8;

static HELD: AtomicUsize = AtomicUsize::new(0);
static INFLATE: Shelf<Inflate> = Shelf::new();
static WINDOW: Shelf<Window> = Shelf::new();
static DEFLATE: Shelf<Deflate> = Shelf::new();

/// Contexts in use now, all connections and both directions together.
pub fn contexts() -> usize {
    HELD.load(Relaxed)
}

/// The kinds of contexts.
pub(super) trait Context: Sized + 'static {
    fn shelf() -> &'static Shelf<Self>;

    /// Start over.
    fn reset(&mut self);

    /// Whether another can start over with it.
    fn is_reusable(&self) -> bool {
        true
    }
}

impl Context for Inflate {
    fn shelf() -> &'static Shelf<Self> {
        &INFLATE
    }

    fn reset(&mut self) {
        self.reset();
    }
}

impl Context for Window {
    fn shelf() -> &'static Shelf<Self> {
        &WINDOW
    }

    fn reset(&mut self) {
        self.reset();
    }
}

impl Context for Deflate {
    fn shelf() -> &'static Shelf<Self> {
        &DEFLATE
    }

    fn reset(&mut self) {
        self.reset();
    }

    fn is_reusable(&self) -> bool {
        self.is_drained()
    }
}

/// A context in use. It goes back when it is dropped.
pub(super) struct Held<T: Context>(Option<T>);

impl<T: Context> Held<T> {
    fn new(context: T) -> Self {
        HELD.fetch_add(1, Relaxed);
        Self(Some(context))
    }
}

impl<T: Context> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("taken only by drop")
    }
}

impl<T: Context> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("taken only by drop")
    }
}

impl<T: Context> Drop for Held<T> {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Relaxed);
        // A panic may have come out of the context.
        let whole = |context: &T| !std::thread::panicking() && context.is_reusable();
        if let Some(context) = self.0.take().filter(whole) {
            drop(T::shelf().put(context));
        }
    }
}

pub(super) struct Shelf<T>(Mutex<Vec<T>>);

impl<T> Shelf<T> {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back what there is no room for, so that it is freed outside of the lock.
    fn put(&self, context: T) -> Option<T> {
        let mut all = self.lock();
        let oldest = (all.len() >= KEPT).then(|| all.remove(0));
        all.push(context);
        oldest
    }

    fn take(&self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut all = self.lock();
        let index = all.iter().rposition(fits)?;
        Some(all.remove(index))
    }
}

/// A context at the start of its data.
pub(super) fn inflate() -> Result<Held<Inflate>, NoMemory> {
    held(|_| true, Inflate::new)
}

/// Likewise, one for whole messages.
pub(super) fn window() -> Result<Held<Window>, NoMemory> {
    held(|_| true, Window::new)
}

/// Likewise, one of this configuration.
pub(super) fn deflate(config: &Config) -> Result<Held<Deflate>, NoMemory> {
    held(
        |it: &Deflate| it.config() == config,
        || Deflate::new(*config),
    )
}

fn held<T: Context>(
    fits: impl Fn(&T) -> bool,
    new: impl FnOnce() -> Result<T, NoMemory>,
) -> Result<Held<T>, NoMemory> {
    let context = match T::shelf().take(fits) {
        Some(mut context) => {
            context.reset();
            context
        }
        None => new()?,
    };
    Ok(Held::new(context))
}
