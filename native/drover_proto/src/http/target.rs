//! The request line (RFC 9112 3) and the authority in a target or Host header (RFC 3986 3.2).

use std::net::Ipv6Addr;

use super::head::Version;
use super::{HeadError, is_token};

/// Cowboy's defaults.
const MAX_METHOD: usize = 32;
const MAX_AUTHORITY: usize = 255;

/// That of clear HTTP.
const DEFAULT_PORT: u16 = 80;

/// A request line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a str,
    /// From an absolute-form target.
    pub(super) authority: Option<Authority>,
    pub(super) path: &'a str,
    pub(super) qs: &'a str,
    pub(super) version: Version,
}

/// Host and port.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Authority {
    /// Lower case; an IPv6 literal keeps its brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// `line` is without its line end.
pub(super) fn parse_request_line(line: &[u8]) -> Result<RequestLine<'_>, HeadError> {
    let line = str::from_utf8(line).map_err(|_| HeadError::Malformed)?;
    let mut parts = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(HeadError::Malformed);
    };
    // First, since a target of another version (the preface of HTTP/2) need not make sense here.
    let version = parse_version(version)?;
    check_method(method)?;
    let (authority, path, qs) = parse_target(method, target)?;
    Ok(RequestLine {
        method,
        authority,
        path,
        qs,
        version,
    })
}

fn parse_version(version: &str) -> Result<Version, HeadError> {
    match version {
        "HTTP/1.1" => Ok(Version::Http11),
        "HTTP/1.0" => Ok(Version::Http10),
        _ if version.starts_with("HTTP/") => Err(HeadError::UnsupportedVersion),
        _ => Err(HeadError::Malformed),
    }
}

fn check_method(method: &str) -> Result<(), HeadError> {
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(HeadError::Malformed);
    }
    if method.len() > MAX_METHOD || method == "CONNECT" || method == "TRACE" {
        return Err(HeadError::NotImplemented);
    }
    Ok(())
}

type Target<'a> = (Option<Authority>, &'a str, &'a str);

fn parse_target<'a>(method: &str, target: &'a str) -> Result<Target<'a>, HeadError> {
    if target.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(HeadError::Malformed);
    }
    if target == "*" && method == "OPTIONS" {
        return Ok((None, "*", ""));
    }
    if target.starts_with('/') {
        let (path, qs) = split_path(target);
        return Ok((None, path, qs));
    }
    let rest = strip_scheme(target).ok_or(HeadError::Malformed)?;
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.len() > MAX_AUTHORITY {
        return Err(HeadError::RequestLineTooLong);
    }
    let authority = Authority::parse(authority.as_bytes()).ok_or(HeadError::Malformed)?;
    if authority.host.is_empty() {
        return Err(HeadError::Malformed);
    }
    let (path, qs) = split_path(rest);
    Ok((
        Some(authority),
        if path.is_empty() { "/" } else { path },
        qs,
    ))
}

fn strip_scheme(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")).then_some(rest)
}

/// Path and query string; the fragment is no business of a server.
fn split_path(target: &str) -> (&str, &str) {
    let target = target
        .split_once('#')
        .map_or(target, |(target, _fragment)| target);
    target.split_once('?').unwrap_or((target, ""))
}

impl Authority {
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.host == other.host && self.port() == other.port()
    }

    /// `None` if it is malformed. May be empty, as `Host` may.
    pub(super) fn parse(authority: &[u8]) -> Option<Self> {
        let authority = str::from_utf8(authority).ok()?;
        let (host, port) = match authority.rfind(']') {
            Some(end) => authority.split_at(end + 1),
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let valid = if host.ends_with(']') {
            is_ipv6(host)
        } else {
            host.bytes().all(is_reg_name)
        };
        if !valid {
            return None;
        }
        Some(Self {
            host: host.to_ascii_lowercase(),
            port: parse_port(port)?,
        })
    }
}

fn is_ipv6(host: &str) -> bool {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
}

/// Unreserved characters and sub-delimiters. Like Cowboy, without percent-encoding: no host name needs it.
fn is_reg_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

/// What follows the host: nothing, or a colon and digits, of which there may be none (RFC 3986 3.2.3).
fn parse_port(port: &str) -> Option<Option<u16>> {
    let Some(digits) = port.strip_prefix(':') else {
        return port.is_empty().then_some(None);
    };
    if digits.is_empty() {
        return Some(None);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(Some)
}
