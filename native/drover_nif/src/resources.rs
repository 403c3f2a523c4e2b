//! What Erlang holds of a connection and a listener.
//!
//! Each type has one object that is never freed, and it keeps the type when the module is purged. Hence
//! the `Option`s, which are `None` in that object alone.

use drover_io::{Codec, Conn, Listener};
use drover_proto::buffers;
use rustler::{Env, LocalPid, Monitor, Resource, ResourceArc, resource_impl};
use std::mem::{forget, take};
use std::ops::Deref;
use std::sync::Arc;

/// What an `expect` says of an object that stands for nothing.
const PIN: &str = "nobody holds the object that keeps the type";

/// A connection. When its owner dies, or nobody holds it any more, it is closed.
pub(crate) struct ConnResource(Option<Arc<Conn>>);

impl ConnResource {
    pub(crate) fn new(conn: Arc<Conn>) -> Self {
        Self(Some(conn))
    }
}

impl Deref for ConnResource {
    type Target = Arc<Conn>;

    fn deref(&self) -> &Arc<Conn> {
        self.0.as_ref().expect(PIN)
    }
}

#[resource_impl]
impl Resource for ConnResource {
    const IMPLEMENTS_DOWN: bool = true;

    fn down<'a>(&'a self, _env: Env<'a>, _pid: LocalPid, _monitor: Monitor) {
        self.close();
    }
}

impl Drop for ConnResource {
    fn drop(&mut self) {
        self.close();
    }
}

pub(crate) type ConnRef = ResourceArc<ConnResource>;

/// A listening socket.
pub(crate) struct ListenerResource(Option<Listener>);

impl ListenerResource {
    pub(crate) fn new(listener: Listener) -> Self {
        Self(Some(listener))
    }
}

impl Deref for ListenerResource {
    type Target = Listener;

    fn deref(&self) -> &Listener {
        self.0.as_ref().expect(PIN)
    }
}

#[resource_impl]
impl Resource for ListenerResource {}

pub(crate) type ListenerRef = ResourceArc<ListenerResource>;

/// A connection whose bytes travel by a transport of Erlang's.
pub(crate) struct CodecResource(Option<Codec>);

impl CodecResource {
    pub(crate) fn new(codec: Codec) -> Self {
        Self(Some(codec))
    }
}

impl Deref for CodecResource {
    type Target = Codec;

    fn deref(&self) -> &Codec {
        self.0.as_ref().expect(PIN)
    }
}

#[resource_impl]
impl Resource for CodecResource {}

pub(crate) type CodecRef = ResourceArc<CodecResource>;

/// A long payload, lent to Erlang where it lies instead of being copied.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Drop for Bytes {
    fn drop(&mut self) {
        buffers::give(take(&mut self.0));
    }
}

#[resource_impl]
impl Resource for Bytes {}

/// Keep the types for as long as the process lives. To be called once.
pub(crate) fn pin() {
    forget(ConnRef::new(ConnResource(None)));
    forget(ListenerRef::new(ListenerResource(None)));
    forget(CodecRef::new(CodecResource(None)));
    forget(ResourceArc::new(Bytes(Vec::new())));
}
