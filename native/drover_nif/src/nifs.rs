//! Every function that Erlang can call, in the order of `drover_nif.erl`: decode, one call, encode.

#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments of a NIF are decoded to values"
)]

use crate::options::{
    AdoptOptions, DeflateTuple, Limit, ListenOptions, UpgradeOptions, deflate_options,
    max_connections,
};
use crate::resources::{
    CodecRef, CodecResource, ConnRef, ConnResource, ListenerRef, ListenerResource,
};
use crate::sink::{Acceptors, ProcessSink};
use crate::{atoms, mailer, terms};
use drover_io::{Codec, Decoded, Listener, Polled, Started};
use drover_proto::deflate;
use drover_proto::http;
use rustler::{Atom, Binary, Encoder, Env, LocalPid, NewBinary, NifResult, Term, nif};
use std::sync::Arc;

/// Bytes that may be decoded on a scheduler thread in one call.
const DECODE_BUDGET: usize = 128 * 1024;

#[nif(schedule = "DirtyIo")]
fn listen<'a>(
    env: Env<'a>,
    fd: i32,
    id: u64,
    owners: Term<'a>,
    options: ListenOptions,
) -> NifResult<Term<'a>> {
    let owners = rustler::types::tuple::get_tuple(owners)?;
    let pids = owners
        .iter()
        .map(|pid| pid.decode())
        .collect::<NifResult<Vec<LocalPid>>>()?;
    let acceptors = Arc::new(Acceptors::new(id, pids));
    let sink = Box::new(move || Box::new(ProcessSink::new(Arc::clone(&acceptors))) as _);
    Ok(match Listener::start(fd, &(&options).into(), sink) {
        Ok(listener) => (
            atoms::ok(),
            ListenerRef::new(ListenerResource::new(listener)),
        )
            .encode(env),
        Err(error) => terms::io_failure(env, &error),
    })
}

#[nif(schedule = "DirtyIo")]
fn close_listener(listener: ListenerRef) -> Atom {
    listener.close();
    atoms::ok()
}

#[nif(schedule = "DirtyIo")]
fn stop_listener(listener: ListenerRef) -> Atom {
    listener.stop();
    atoms::ok()
}

#[nif]
fn set_max_connections(listener: ListenerRef, max: Limit) -> Atom {
    listener.set_max_connections(max_connections(max));
    atoms::ok()
}

#[nif]
fn listener_info<'a>(env: Env<'a>, listener: ListenerRef) -> NifResult<Term<'a>> {
    let occupancy = listener.occupancy();
    Term::map_from_pairs(
        env,
        &[
            (atoms::connections(), occupancy.connections.encode(env)),
            (
                atoms::all_connections(),
                occupancy.all_connections.encode(env),
            ),
            (atoms::accepted(), occupancy.accepted.encode(env)),
        ],
    )
}

#[nif]
fn stats(env: Env<'_>) -> NifResult<Term<'_>> {
    let stats = drover_io::stats();
    Term::map_from_pairs(
        env,
        &[
            (atoms::connections(), stats.connections),
            (atoms::listeners(), stats.listeners),
            (atoms::contexts(), stats.contexts),
        ],
    )
}

#[nif]
fn offer_help(env: Env<'_>, io_thread: usize) -> Atom {
    let helper = env.pid();
    let id = u64::try_from(io_thread).unwrap_or_default();
    let bell = move || {
        mailer::send(&helper, |env| {
            let nothing = Vec::<Term<'_>>::new().encode(env);
            mailer::message(env, id, atoms::help(), nothing)
        })
    };
    drover_io::offer_help(io_thread, Box::new(bell));
    atoms::ok()
}

#[nif]
fn help(env: Env<'_>, io_thread: usize) -> Atom {
    match mailer::in_nif(env, || drover_io::help(io_thread)) {
        Polled::Again => atoms::again(),
        Polled::Rest => atoms::rest(),
    }
}

#[nif]
fn own(env: Env<'_>, conn: ConnRef) -> Term<'_> {
    let pid = env.pid();
    if ProcessSink::own(&conn, pid) && env.monitor(&conn, &pid).is_some() {
        atoms::ok().encode(env)
    } else {
        (atoms::error(), atoms::closed()).encode(env)
    }
}

#[nif]
fn read_body(conn: ConnRef, max: usize) -> Atom {
    conn.read_body(max);
    atoms::ok()
}

#[nif]
fn next_request(conn: ConnRef) -> Atom {
    conn.next_request();
    atoms::ok()
}

#[nif]
fn send_data<'a>(env: Env<'a>, conn: ConnRef, data: Term<'a>) -> NifResult<Term<'a>> {
    let data = terms::iodata(data)?;
    Ok(terms::outcome(env, conn.send_raw(data)))
}

#[nif]
fn accept_key<'a>(env: Env<'a>, key: Binary<'a>) -> Term<'a> {
    terms::bytes(env, http::accept_key(&key).as_bytes())
}

#[nif]
fn negotiate<'a>(env: Env<'a>, header: Binary<'a>, options: Term<'a>) -> NifResult<Term<'a>> {
    let options = deflate_options(options)?;
    Ok(match deflate::negotiate(&header, &options) {
        Ok(Some((params, answer))) => {
            let answer = NewBinary::from_slice(env, answer.as_bytes());
            (
                atoms::ok(),
                DeflateTuple::from(params),
                Binary::from(answer),
            )
                .encode(env)
        }
        Ok(None) => atoms::none().encode(env),
        Err(_) => (atoms::error(), atoms::badheader()).encode(env),
    })
}

#[nif]
fn check_extensions<'a>(env: Env<'a>, header: Binary<'a>) -> Term<'a> {
    match deflate::check_extensions(&header) {
        Ok(()) => atoms::ok().encode(env),
        Err(_) => (atoms::error(), atoms::badheader()).encode(env),
    }
}

#[nif]
fn upgrade(conn: ConnRef, options: UpgradeOptions) -> Atom {
    conn.upgrade(options.into());
    atoms::ok()
}

#[nif]
fn start(conn: ConnRef) -> Atom {
    match conn.start() {
        Started::Reading => atoms::ok(),
        Started::Early => atoms::early(),
    }
}

#[nif]
fn send<'a>(
    env: Env<'a>,
    conn: &'a ConnResource,
    items: Term<'a>,
    mode: Term<'a>,
) -> NifResult<Term<'a>> {
    let (items, mode) = (terms::items(items)?, terms::mode(mode)?);
    Ok(terms::outcome(env, conn.send(&items, mode, false)))
}

#[nif(schedule = "DirtyCpu")]
fn send_dirty<'a>(
    env: Env<'a>,
    conn: ConnRef,
    items: Term<'a>,
    mode: Term<'a>,
) -> NifResult<Term<'a>> {
    let (items, mode) = (terms::items(items)?, terms::mode(mode)?);
    Ok(terms::outcome(env, conn.send(&items, mode, true)))
}

#[nif]
fn taken<'a>(env: Env<'a>, conn: &'a ConnResource) -> Term<'a> {
    terms::outcome(env, conn.taken())
}

#[nif]
fn set_active(conn: ConnRef, active: bool) -> Atom {
    conn.set_active(active);
    atoms::ok()
}

#[nif]
fn set_max_frame_size(conn: ConnRef, max: Limit) -> Atom {
    conn.set_max_frame_size(max.0);
    atoms::ok()
}

#[nif]
fn idle_left(env: Env<'_>, conn: ConnRef) -> Term<'_> {
    time_left(env, conn.idle_left())
}

#[nif]
fn set_idle_timeout(env: Env<'_>, conn: ConnRef, timeout: Limit) -> Term<'_> {
    time_left(env, conn.set_idle_timeout(timeout.0))
}

#[nif]
fn close(conn: ConnRef) -> Atom {
    conn.close();
    atoms::ok()
}

fn time_left(env: Env<'_>, left: Option<u64>) -> Term<'_> {
    left.map_or_else(|| atoms::infinity().encode(env), |ms| ms.encode(env))
}

#[nif]
fn adopt<'a>(env: Env<'a>, fd: i32, early: Binary<'a>, options: AdoptOptions) -> Term<'a> {
    let owner = env.pid();
    let sink = Box::new(ProcessSink::of(owner));
    match drover_io::adopt(
        fd,
        early.to_vec(),
        options.io_threads,
        options.patience(),
        sink,
    ) {
        Ok(conn) => {
            let id = conn.id;
            let resource = ConnRef::new(ConnResource::new(conn));
            // The owner is the calling process, so it is alive.
            let _ = env.monitor(&resource, &owner);
            (atoms::ok(), resource, id).encode(env)
        }
        Err(error) => terms::io_failure(env, &error),
    }
}

#[nif]
fn codec_new(options: UpgradeOptions, io_threads: usize) -> CodecRef {
    CodecRef::new(CodecResource::new(Codec::new(options.into(), io_threads)))
}

#[nif]
fn codec_decode<'a>(env: Env<'a>, codec: CodecRef, bytes: Binary<'a>) -> Term<'a> {
    if bytes.len() > DECODE_BUDGET {
        return (Vec::<Term<'_>>::new(), atoms::busy()).encode(env);
    }
    decode(env, &codec, &bytes)
}

#[nif(schedule = "DirtyCpu")]
fn codec_decode_dirty<'a>(env: Env<'a>, codec: CodecRef, bytes: Binary<'a>) -> Term<'a> {
    decode(env, &codec, &bytes)
}

#[nif]
fn codec_encode<'a>(env: Env<'a>, codec: CodecRef, items: Term<'a>) -> NifResult<Term<'a>> {
    let items = terms::items(items)?;
    let mut codec = codec.lock();
    if codec.is_heavy(&items) {
        return Ok(atoms::busy().encode(env));
    }
    Ok(terms::bytes(env, &codec.encode(&items)))
}

#[nif(schedule = "DirtyCpu")]
fn codec_encode_dirty<'a>(env: Env<'a>, codec: CodecRef, items: Term<'a>) -> NifResult<Term<'a>> {
    let items = terms::items(items)?;
    Ok(terms::bytes(env, &codec.lock().encode(&items)))
}

#[nif]
fn codec_set_max_frame_size(codec: CodecRef, max: Limit) -> Atom {
    codec.lock().set_max_frame_size(max.0);
    atoms::ok()
}

#[nif]
fn codec_idle_left(env: Env<'_>, codec: CodecRef) -> Term<'_> {
    time_left(env, codec.lock().idle_left())
}

#[nif]
fn codec_set_idle_timeout(env: Env<'_>, codec: CodecRef, timeout: Limit) -> Term<'_> {
    time_left(env, codec.lock().set_idle_timeout(timeout.0))
}

fn decode<'a>(env: Env<'a>, codec: &CodecRef, bytes: &[u8]) -> Term<'a> {
    let mut events = Vec::new();
    let decoded = codec
        .lock()
        .decode(bytes, |event| events.push(terms::event(env, event)));
    let more = match decoded {
        Decoded::All => atoms::more(),
        Decoded::Part => atoms::yield_(),
    };
    (events, more).encode(env)
}
