//! Where the body of a request ends (RFC 9112 6). Whatever another parser might read differently is refused.

use super::{HeadError, Version};

/// How long the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// As many bytes as Content-Length says; never 0.
    Fixed(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
}

impl BodyLength {
    /// From the values of all Content-Length and Transfer-Encoding headers.
    pub(super) fn of(
        lengths: &[&[u8]],
        codings: &[&[u8]],
        version: Version,
    ) -> Result<Self, HeadError> {
        match (lengths, codings) {
            ([], []) => Ok(Self::None),
            ([length], []) => fixed(length).ok_or(HeadError::Malformed),
            ([], codings) if version == Version::Http11 => chunked(codings),
            _ => Err(HeadError::Malformed),
        }
    }
}

fn fixed(value: &[u8]) -> Option<BodyLength> {
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    match str::from_utf8(value).ok()?.parse().ok()? {
        0 => Some(BodyLength::None),
        length => Some(BodyLength::Fixed(length)),
    }
}

fn chunked(values: &[&[u8]]) -> Result<BodyLength, HeadError> {
    let codings = values
        .iter()
        .flat_map(|value| value.split(|&byte| byte == b','));
    let mut codings = codings
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty());
    let Some(first) = codings.next() else {
        return Err(HeadError::Malformed);
    };
    match (first.eq_ignore_ascii_case(b"chunked"), codings.next()) {
        (true, None) => Ok(BodyLength::Chunked),
        // Chunked must be the last and only once.
        (true, Some(_)) => Err(HeadError::Malformed),
        (false, _) => Err(HeadError::NotImplemented),
    }
}
