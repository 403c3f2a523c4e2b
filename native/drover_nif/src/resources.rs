//! What Erlang holds of a connection and a listener.

use drover_io::{Codec, Conn, Listener};
use rustler::{Env, LocalPid, Monitor, Resource, ResourceArc, resource_impl};
use std::sync::{Arc, Mutex};

/// A connection. When its owner dies, or nobody holds it any more, it is closed.
pub(crate) struct ConnResource(pub(crate) Arc<Conn>);

#[resource_impl]
impl Resource for ConnResource {
    const IMPLEMENTS_DOWN: bool = true;

    fn down<'a>(&'a self, _env: Env<'a>, _pid: LocalPid, _monitor: Monitor) {
        self.0.close();
    }
}

impl Drop for ConnResource {
    fn drop(&mut self) {
        self.0.close();
    }
}

pub(crate) type ConnRef = ResourceArc<ConnResource>;

/// A listening socket.
pub(crate) struct ListenerResource(pub(crate) Listener);

#[resource_impl]
impl Resource for ListenerResource {}

pub(crate) type ListenerRef = ResourceArc<ListenerResource>;

/// A connection whose bytes travel by a transport of Erlang's. One process uses it; the lock is never waited for.
pub(crate) struct CodecResource(pub(crate) Mutex<Codec>);

#[resource_impl]
impl Resource for CodecResource {}

pub(crate) type CodecRef = ResourceArc<CodecResource>;

/// A long payload, lent to Erlang where it lies instead of being copied.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

#[resource_impl]
impl Resource for Bytes {}
