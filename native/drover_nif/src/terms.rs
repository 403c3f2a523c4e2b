//! Terms of frames and events, both ways.

use crate::atoms;
use crate::resources::Bytes;
use crate::tuple::{Tuple, tuple};
use drover_io::{Body, Item, Mode, Reason, SendOutcome};
use drover_proto::OpCode;
use drover_proto::receive::{Event, Payload, ProtocolError};
use rustler::{
    Atom, Binary, Encoder, Env, Error, ListIterator, NewBinary, NifResult, ResourceArc, Term,
};
use smallvec::SmallVec;
use std::io;

/// From this length on an assembled payload is lent to Erlang, not copied.
const LEND: usize = 64 * 1024;
/// Longest payload of a control frame (RFC 6455 section 5.5).
const CONTROL_MAX: usize = 125;

pub(crate) fn event<'a>(env: Env<'a>, event: Event<'_>) -> Term<'a> {
    match event {
        Event::Text(data) => (atoms::text(), payload(env, data)).encode(env),
        Event::Binary(data) => (atoms::binary(), payload(env, data)).encode(env),
        Event::Ping(data) => control(env, atoms::ping(), data),
        Event::Pong(data) => control(env, atoms::pong(), data),
        Event::Close(None) => atoms::close().encode(env),
        Event::Close(Some((code, reason))) => {
            (atoms::close(), code, bytes(env, reason)).encode(env)
        }
        Event::Error(error) => (atoms::error(), protocol_error(error)).encode(env),
    }
}

fn payload<'a>(env: Env<'a>, data: Payload<'_>) -> Term<'a> {
    match data {
        Payload::Slice(slice) => bytes(env, slice),
        Payload::Owned(vec) if vec.len() < LEND => bytes(env, &vec),
        Payload::Owned(vec) => ResourceArc::new(Bytes(vec))
            .make_binary(env, |bytes| &bytes.0)
            .to_term(env),
    }
}

fn control<'a>(env: Env<'a>, tag: Atom, data: &[u8]) -> Term<'a> {
    if data.is_empty() {
        tag.encode(env)
    } else {
        (tag, bytes(env, data)).encode(env)
    }
}

/// Up to 64 bytes become a heap binary, more a reference-counted one.
pub(crate) fn bytes<'a>(env: Env<'a>, slice: &[u8]) -> Term<'a> {
    NewBinary::from_slice(env, slice).into()
}

fn protocol_error(error: ProtocolError) -> Atom {
    match error {
        ProtocolError::BadFrame => atoms::badframe(),
        ProtocolError::BadEncoding => atoms::badencoding(),
        ProtocolError::BadSize => atoms::badsize(),
    }
}

pub(crate) fn body<'a>(env: Env<'a>, body: &Body<'_>) -> Term<'a> {
    match body {
        Body::More(data) => (atoms::more(), bytes(env, data)).encode(env),
        Body::Last(data) => (atoms::fin(), bytes(env, data)).encode(env),
        Body::Closed => (atoms::error(), atoms::closed()).encode(env),
        Body::Malformed => (atoms::error(), atoms::badbody()).encode(env),
    }
}

/// `{error, Reason}`.
pub(crate) fn failure(env: Env<'_>, reason: Reason) -> Term<'_> {
    let reason = match reason {
        Reason::Closed => atoms::closed(),
        Reason::Errno(errno) => errno_name(errno),
        Reason::Internal => atoms::internal(),
    };
    (atoms::error(), reason).encode(env)
}

/// inet's name of a socket error that can happen on an open connection or a listening socket.
pub(crate) fn errno_name(errno: i32) -> Atom {
    match errno {
        libc::ETIMEDOUT => atoms::etimedout(),
        libc::EHOSTUNREACH => atoms::ehostunreach(),
        libc::ENETUNREACH => atoms::enetunreach(),
        libc::ECONNREFUSED => atoms::econnrefused(),
        libc::ENOBUFS => atoms::enobufs(),
        libc::ENOMEM => atoms::enomem(),
        libc::ENETDOWN => atoms::enetdown(),
        libc::EMFILE => atoms::emfile(),
        libc::ENFILE => atoms::enfile(),
        libc::EBADF => atoms::ebadf(),
        libc::ENOTSOCK => atoms::enotsock(),
        _ => atoms::einval(),
    }
}

/// `{error, Posix}`.
pub(crate) fn io_failure<'a>(env: Env<'a>, error: &io::Error) -> Term<'a> {
    (
        atoms::error(),
        errno_name(error.raw_os_error().unwrap_or(0)),
    )
        .encode(env)
}

pub(crate) fn outcome(env: Env<'_>, outcome: SendOutcome) -> Term<'_> {
    match outcome {
        SendOutcome::Done => atoms::ok().encode(env),
        SendOutcome::Wait => atoms::wait().encode(env),
        SendOutcome::Busy => atoms::busy().encode(env),
        SendOutcome::Failed(reason) => failure(env, reason),
    }
}

pub(crate) fn mode(term: Term<'_>) -> NifResult<Mode> {
    match term.decode::<Atom>()? {
        mode if mode == atoms::taken() => Ok(Mode::Taken),
        mode if mode == atoms::flush() => Ok(Mode::Flush),
        mode if mode == atoms::cork() => Ok(Mode::Cork),
        _ => Err(Error::BadArg),
    }
}

/// A callback's frames, few as a rule.
pub(crate) type Items<'a> = SmallVec<[Item<'a>; 4]>;

/// All of a list of frames, or an error and nothing.
pub(crate) fn items(list: Term<'_>) -> NifResult<Items<'_>> {
    let mut items = Items::new();
    for term in list.decode::<ListIterator<'_>>()? {
        items.push(item(term)?);
    }
    Ok(items)
}

fn item(term: Term<'_>) -> NifResult<Item<'_>> {
    if term.is_atom() {
        return bare(term.decode()?);
    }
    match tuple(term)? {
        Tuple::Pair(tag, value) => pair(tag.decode()?, value),
        Tuple::Triple(tag, code, reason) if tag.decode::<Atom>()? == atoms::close() => {
            let reason = limited(reason, CONTROL_MAX - 2)?;
            Ok(Item::Close(Some((code.decode()?, reason))))
        }
        Tuple::Triple(..) => Err(Error::BadArg),
    }
}

fn bare<'a>(tag: Atom) -> NifResult<Item<'a>> {
    match tag {
        tag if tag == atoms::ping() => Ok(Item::Frame(OpCode::Ping, &[])),
        tag if tag == atoms::pong() => Ok(Item::Frame(OpCode::Pong, &[])),
        tag if tag == atoms::close() => Ok(Item::Close(None)),
        _ => Err(Error::BadArg),
    }
}

fn pair(tag: Atom, value: Term<'_>) -> NifResult<Item<'_>> {
    match tag {
        tag if tag == atoms::text() => Ok(Item::Frame(OpCode::Text, iodata(value)?)),
        tag if tag == atoms::binary() => Ok(Item::Frame(OpCode::Binary, iodata(value)?)),
        tag if tag == atoms::ping() => Ok(Item::Frame(OpCode::Ping, limited(value, CONTROL_MAX)?)),
        tag if tag == atoms::pong() => Ok(Item::Frame(OpCode::Pong, limited(value, CONTROL_MAX)?)),
        tag if tag == atoms::close() => {
            Ok(Item::Close(Some((1000, limited(value, CONTROL_MAX - 2)?))))
        }
        tag if tag == atoms::deflate() => Ok(Item::Deflate(value.decode()?)),
        _ => Err(Error::BadArg),
    }
}

fn limited(term: Term<'_>, max: usize) -> NifResult<&[u8]> {
    iodata(term).and_then(|data| {
        if data.len() <= max {
            Ok(data)
        } else {
            Err(Error::BadArg)
        }
    })
}

pub(crate) fn iodata(term: Term<'_>) -> NifResult<&[u8]> {
    Binary::from_term(term)
        .or_else(|_| Binary::from_iolist(term))
        .map(|binary| binary.as_slice())
}
