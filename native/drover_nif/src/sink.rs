//! Where a connection's events go: an Erlang process.

use crate::mailer::{discard_batch, gather, message, send, send_batch};
use crate::resources::{ConnRef, ConnResource};
use crate::{atoms, request, terms};
use drover_io::{Body, Conn, Reason, Request, Sink};
use drover_proto::receive::Event;
use rustler::{Atom, Encoder, Env, LocalPid, Term};
use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The processes that take a listener's new connections, in turn.
pub(crate) struct Acceptors {
    listener: u64,
    pids: Vec<LocalPid>,
    turn: AtomicUsize,
}

impl Acceptors {
    pub(crate) fn new(listener: u64, pids: Vec<LocalPid>) -> Self {
        Self {
            listener,
            pids,
            turn: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> Option<&LocalPid> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.pids.get(turn % self.pids.len().max(1))
    }
}

/// Sends a connection's events to its owner, and its first request to an acceptor.
pub(crate) struct ProcessSink {
    acceptors: Arc<Acceptors>,
    owner: OnceLock<LocalPid>,
}

impl ProcessSink {
    pub(crate) fn new(acceptors: Arc<Acceptors>) -> Self {
        Self {
            acceptors,
            owner: OnceLock::new(),
        }
    }

    /// For a connection that has no listener here and whose owner is known.
    pub(crate) fn of(owner: LocalPid) -> Self {
        Self {
            acceptors: Arc::new(Acceptors::new(0, Vec::new())),
            owner: OnceLock::from(owner),
        }
    }

    /// The first process to ask becomes the owner of a connection.
    pub(crate) fn own(conn: &Conn, owner: LocalPid) -> bool {
        let sink: &dyn Any = conn.sink();
        sink.downcast_ref::<Self>()
            .is_some_and(|sink| sink.owner.set(owner).is_ok())
    }

    fn tell(&self, id: u64, tag: Atom, make: impl for<'a> FnOnce(Env<'a>) -> Term<'a>) {
        if let Some(owner) = self.owner.get() {
            send(owner, |env| message(env, id, tag, make(env)));
        }
    }

    fn announce(&self, conn: &Arc<Conn>, request: &Request<'_>) -> bool {
        let Some(acceptor) = self.acceptors.next() else {
            return false;
        };
        let resource = ConnRef::new(ConnResource::new(Arc::clone(conn)));
        send(acceptor, |env| {
            let payload = (resource, conn.id, request::encode(env, request)).encode(env);
            message(env, self.acceptors.listener, atoms::request(), payload)
        })
    }
}

impl Sink for ProcessSink {
    fn event(&self, event: Event<'_>) {
        gather(|env| terms::event(env, event));
    }

    fn ended(&self, reason: Reason) {
        gather(|env| terms::failure(env, reason));
    }

    fn deliver(&self, id: u64) -> bool {
        let Some(owner) = self.owner.get() else {
            discard_batch();
            return false;
        };
        send_batch(owner, |events| {
            message(events.get_env(), id, atoms::events(), events)
        })
    }

    fn idle(&self, id: u64) {
        self.tell(id, atoms::idle(), |env| Vec::<Term<'_>>::new().encode(env));
    }

    fn parked(&self, id: u64) {
        self.tell(id, atoms::parked(), |env| {
            Vec::<Term<'_>>::new().encode(env)
        });
    }

    fn request(&self, conn: &Arc<Conn>, request: &Request<'_>) -> bool {
        if request.first {
            return self.announce(conn, request);
        }
        self.tell(conn.id, atoms::request(), |env| {
            request::encode(env, request)
        });
        true
    }

    fn body(&self, id: u64, body: Body<'_>) {
        self.tell(id, atoms::body(), |env| terms::body(env, &body));
    }

    fn closed(&self, id: u64) {
        self.tell(id, atoms::closed(), |env| atoms::closed().encode(env));
    }

    fn sent(&self, id: u64, result: Result<(), Reason>) {
        self.tell(id, atoms::sent(), |env| match result {
            Ok(()) => atoms::ok().encode(env),
            Err(reason) => terms::failure(env, reason),
        });
    }
}
