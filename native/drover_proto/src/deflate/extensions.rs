//! The `sec-websocket-extensions` header (RFC 6455 9.1), read as Cowboy reads it.

use std::borrow::Cow;

use crate::http::is_token;

/// A parameter of an offer. Sorts as Erlang does: tuples before binaries, so those with a value come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Param<'a> {
    /// `name=value` or `name="value"`.
    Valued(&'a [u8], Cow<'a, [u8]>),
    /// `name`.
    Bare(&'a [u8]),
}

/// One extension that the client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer<'a> {
    pub(super) name: &'a [u8],
    pub(super) params: Vec<Param<'a>>,
}

/// All offers, in order. `None` if the header is malformed, or a list without an element.
pub(super) fn parse(header: &[u8]) -> Option<Vec<Offer<'_>>> {
    let mut parser = Parser { rest: header };
    let mut offers = Vec::new();
    loop {
        parser.skip(b" \t,");
        if parser.rest.is_empty() {
            return Some(offers).filter(|offers| !offers.is_empty());
        }
        offers.push(parser.offer()?);
    }
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    /// Up to and including the comma that ends it, or the end.
    fn offer(&mut self) -> Option<Offer<'a>> {
        let name = self.token()?;
        let mut params = Vec::new();
        loop {
            self.skip(b" \t");
            match self.next() {
                None | Some(b',') => return Some(Offer { name, params }),
                Some(b';') => params.push(self.param()?),
                Some(_) => return None,
            }
        }
    }

    fn param(&mut self) -> Option<Param<'a>> {
        self.skip(b" \t");
        let name = self.token()?;
        if self.rest.first() != Some(&b'=') {
            return Some(Param::Bare(name));
        }
        self.next();
        let value = match self.rest.first() {
            Some(b'"') => self.quoted()?,
            _ => Cow::Borrowed(self.token()?),
        };
        Some(Param::Valued(name, value))
    }

    /// What a quoted string says must be a token as well (RFC 6455 9.1); Cowboy lets it be empty.
    fn quoted(&mut self) -> Option<Cow<'a, [u8]>> {
        self.next();
        let mut value = Vec::new();
        loop {
            let byte = match self.next()? {
                b'"' => return Some(Cow::Owned(value)),
                b'\\' => self.next()?,
                byte => byte,
            };
            if !is_token(byte) {
                return None;
            }
            value.push(byte);
        }
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        let len = self
            .rest
            .iter()
            .position(|&byte| !is_token(byte))
            .unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(len);
        self.rest = rest;
        Some(token).filter(|token| !token.is_empty())
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn skip(&mut self, bytes: &[u8]) {
        let len = self
            .rest
            .iter()
            .position(|byte| !bytes.contains(byte))
            .unwrap_or(self.rest.len());
        self.rest = &self.rest[len..];
    }
}
