//! Messages from an I/O thread, or one that helps it, to a process.
//!
//! Each thread builds its messages in one environment that it keeps, and sends them without giving it away
//! (`msg_env` NULL: the message is copied), which costs half of handing an environment over. All `unsafe` of sending is
//! in this file.
#![allow(unsafe_code)]

use rustler::sys::{
    ErlNifEnv, ErlNifTerm, enif_alloc_env, enif_clear_env, enif_free_env,
    enif_make_list_from_array, enif_send,
};
use rustler::{Encoder, Env, LocalPid, Term};
use std::cell::{Cell, RefCell};
use std::ptr::null_mut;

thread_local! {
    static MAILER: RefCell<Mailer> = RefCell::new(Mailer::new());
    /// The environment of the NIF that runs on this thread, if it is a scheduler's that helps. A message must name it.
    static CALLER: Cell<*mut ErlNifEnv> = const { Cell::new(null_mut()) };
}

/// Run `f`, which may send messages, in a NIF.
pub(crate) fn in_nif<R>(env: Env<'_>, f: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            CALLER.set(null_mut());
        }
    }
    let _reset = Reset;
    CALLER.set(env.as_c_arg());
    f()
}

/// One thread's environment and the events gathered in it.
struct Mailer {
    env: *mut ErlNifEnv,
    batch: Vec<ErlNifTerm>,
}

impl Mailer {
    fn new() -> Self {
        // SAFETY: may be called on any thread; freed in `drop`.
        let env = unsafe { enif_alloc_env() };
        Self {
            env,
            batch: Vec::new(),
        }
    }

    fn with_env<R>(&self, f: impl FnOnce(Env<'_>) -> R) -> R {
        let lifetime = ();
        // SAFETY: `env` lives as long as `self`, and no other `Env` of this lifetime exists.
        f(unsafe { Env::new(&lifetime, self.env) })
    }

    fn post(&mut self, to: &LocalPid, message: ErlNifTerm) -> bool {
        // SAFETY: the caller's environment is that of the running NIF, or null on a thread that is no scheduler's;
        // `message` is a term of `self.env`.
        let sent = unsafe { enif_send(CALLER.get(), to.as_c_arg(), null_mut(), message) } == 1;
        self.clear();
        sent
    }

    fn clear(&mut self) {
        self.batch.clear();
        // SAFETY: no term of the environment is used after this.
        unsafe { enif_clear_env(self.env) };
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        // SAFETY: allocated in `new`, used by nobody else.
        unsafe { enif_free_env(self.env) };
    }
}

/// Put a term into this thread's batch.
pub(crate) fn gather(make: impl for<'a> FnOnce(Env<'a>) -> Term<'a>) {
    MAILER.with_borrow_mut(|mailer| {
        let term = mailer.with_env(|env| make(env).as_c_arg());
        mailer.batch.push(term);
    });
}

/// Send this thread's batch as one message, made by `wrap` around the list of its terms.
pub(crate) fn send_batch(to: &LocalPid, wrap: impl for<'a> FnOnce(Term<'a>) -> Term<'a>) -> bool {
    MAILER.with_borrow_mut(|mailer| {
        let message = mailer.with_env(|env| {
            let length = u32::try_from(mailer.batch.len()).unwrap_or(u32::MAX);
            // SAFETY: the terms belong to this environment, and there are `length` of them.
            let list =
                unsafe { enif_make_list_from_array(env.as_c_arg(), mailer.batch.as_ptr(), length) };
            // SAFETY: `list` was made in this environment.
            wrap(unsafe { Term::new(env, list) }).as_c_arg()
        });
        mailer.post(to, message)
    })
}

/// Forget this thread's batch: nobody is there to take it.
pub(crate) fn discard_batch() {
    MAILER.with_borrow_mut(Mailer::clear);
}

/// Send one message. The batch must be empty.
pub(crate) fn send(to: &LocalPid, make: impl for<'a> FnOnce(Env<'a>) -> Term<'a>) -> bool {
    MAILER.with_borrow_mut(|mailer| {
        let message = mailer.with_env(|env| make(env).as_c_arg());
        mailer.post(to, message)
    })
}

/// `{'$drover', Id, Tag, Payload}`.
pub(crate) fn message<'a>(
    env: Env<'a>,
    id: u64,
    tag: rustler::Atom,
    payload: Term<'a>,
) -> Term<'a> {
    (crate::atoms::drover(), id, tag, payload).encode(env)
}
