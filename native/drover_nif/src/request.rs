//! A request as Cowboy's map, still without what only the listener's processes know.

use crate::atoms;
use crate::terms::bytes;
use drover_io::{Address, Request};
use drover_proto::http::{BodyLength, Version};
use rustler::{Encoder, Env, Term};
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt;

pub(crate) fn encode<'a>(env: Env<'a>, request: &Request<'_>) -> Term<'a> {
    let head = request.head;
    let version = match head.version {
        Version::Http10 => atoms::http_1_0(),
        Version::Http11 => atoms::http_1_1(),
    };
    let pairs = [
        (atoms::method(), bytes(env, head.method.as_bytes())),
        (atoms::version(), version.encode(env)),
        (atoms::scheme(), bytes(env, b"http")),
        (atoms::host(), bytes(env, head.host.as_bytes())),
        (atoms::port(), head.port.encode(env)),
        (atoms::path(), bytes(env, head.path.as_bytes())),
        (atoms::qs(), bytes(env, head.qs.as_bytes())),
        (atoms::headers(), headers(env, &head.headers)),
        (atoms::peer(), address(env, request.peer)),
        (atoms::sock(), address(env, request.sock)),
        (atoms::cert(), atoms::undefined().encode(env)),
        (
            atoms::has_body(),
            (!matches!(head.body, BodyLength::None)).encode(env),
        ),
        (atoms::body_length(), body_length(env, head.body)),
    ];
    map(
        env,
        pairs.iter().map(|(key, value)| (key.encode(env), *value)),
    )
}

fn headers<'a>(env: Env<'a>, headers: &[(String, Vec<u8>)]) -> Term<'a> {
    map(
        env,
        headers
            .iter()
            .map(|(name, value)| (bytes(env, name.as_bytes()), bytes(env, value))),
    )
}

fn map<'a>(env: Env<'a>, pairs: impl Iterator<Item = (Term<'a>, Term<'a>)>) -> Term<'a> {
    let (keys, values): (Vec<_>, Vec<_>) = pairs.unzip();
    Term::map_from_term_arrays(env, &keys, &values).unwrap_or_else(|_| Term::map_new(env))
}

fn body_length(env: Env<'_>, body: BodyLength) -> Term<'_> {
    match body {
        BodyLength::None => 0.encode(env),
        BodyLength::Fixed(length) => length.encode(env),
        BodyLength::Chunked => atoms::undefined().encode(env),
    }
}

/// `{Ip, Port}`, or `{local, Path}` as inet has it.
fn address<'a>(env: Env<'a>, address: &Address) -> Term<'a> {
    match address {
        Address::Inet(socket) => (ip(env, socket.ip()), socket.port()).encode(env),
        Address::Local(path) => {
            let path = path
                .as_deref()
                .map_or(&[][..], |path| path.as_os_str().as_bytes());
            (atoms::local(), bytes(env, path)).encode(env)
        }
    }
}

fn ip(env: Env<'_>, ip: IpAddr) -> Term<'_> {
    match ip {
        IpAddr::V4(v4) => {
            let parts = v4.octets().map(|part| part.encode(env));
            rustler::types::tuple::make_tuple(env, &parts)
        }
        IpAddr::V6(v6) => {
            let parts = v6.segments().map(|part| part.encode(env));
            rustler::types::tuple::make_tuple(env, &parts)
        }
    }
}
