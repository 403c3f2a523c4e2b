//! Taking a request head apart.

use httparse::Status;

use super::target::{Authority, parse_request_line};
use super::{BodyLength, HeadError, HeadLimits, HeadScanner};

/// The version of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// The scheme of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Clear TCP.
    Http,
    /// TLS.
    Https,
}

/// A request head, checked and taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// As sent; case matters.
    pub method: String,
    /// Begins with a slash, or is `*`.
    pub path: String,
    /// What stands between `?` and `#`.
    pub qs: String,
    /// The version of the request.
    pub version: Version,
    /// Lower case, without the port; an IPv6 literal keeps its brackets. Empty where HTTP/1.0 does not say it.
    pub host: String,
    /// From the target or Host, otherwise that of the scheme.
    pub port: u16,
    /// That of the transport: an absolute-form target cannot change it.
    pub scheme: Scheme,
    /// Sorted by name; names are lower case and unique, since the values of headers that came more than once are joined.
    /// Transfer-Encoding is left out, as its work is done before a handler sees the body.
    pub headers: Vec<(String, Vec<u8>)>,
    /// How long the body is.
    pub body: BodyLength,
}

type Headers = Vec<(String, Vec<u8>)>;

/// Take apart what is a whole head and nothing else. The request came over clear TCP.
pub fn parse_head(head: &[u8], limits: &HeadLimits) -> Result<Head, HeadError> {
    let mut scanner = HeadScanner::new();
    match scanner.scan(head, limits)? {
        Some(length) if length == head.len() => parse_scanned(head, &scanner),
        _ => Err(HeadError::Malformed),
    }
}

/// Take apart what this scanner has found.
///
/// # Panics
///
/// If it is something else.
pub fn parse_scanned(head: &[u8], scanner: &HeadScanner) -> Result<Head, HeadError> {
    let (line, fields, count) = scanner.split(head);
    let line = parse_request_line(line)?;
    let mut headers = parse_fields(fields, count)?;
    let body = BodyLength::of(
        &values(&headers, "content-length"),
        &values(&headers, "transfer-encoding"),
        line.version,
    )?;
    let authority = authority(line.authority, &values(&headers, "host"), line.version)?;
    headers.retain(|(name, _)| name != "transfer-encoding");
    Ok(Head {
        method: line.method.to_owned(),
        path: line.path.to_owned(),
        qs: line.qs.to_owned(),
        version: line.version,
        port: authority.port(),
        host: authority.host,
        scheme: Scheme::Http,
        headers: join(headers),
        body,
    })
}

fn parse_fields(fields: &[u8], count: usize) -> Result<Headers, HeadError> {
    let mut parsed = vec![httparse::EMPTY_HEADER; count];
    match httparse::parse_headers(fields, &mut parsed) {
        Ok(Status::Complete((length, parsed)))
            if (length, parsed.len()) == (fields.len(), count) =>
        {
            Ok(parsed
                .iter()
                .map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()))
                .collect())
        }
        _ => Err(HeadError::Malformed),
    }
}

fn values<'a>(headers: &'a Headers, name: &str) -> Vec<&'a [u8]> {
    headers
        .iter()
        .filter(|header| header.0 == name)
        .map(|header| header.1.as_slice())
        .collect()
}

/// A target with an authority must agree with Host (RFC 9112 3.2.2 lets it win; two opinions are refused, as in Cowboy).
fn authority(
    target: Option<Authority>,
    hosts: &[&[u8]],
    version: Version,
) -> Result<Authority, HeadError> {
    let host = match hosts {
        [] if version == Version::Http10 => return Ok(target.unwrap_or_default()),
        [host] => Authority::parse(host).ok_or(HeadError::Malformed)?,
        _ => return Err(HeadError::Malformed),
    };
    match target {
        Some(target) if !target.agrees(&host) => Err(HeadError::Malformed),
        _ => Ok(host),
    }
}

/// Values of one name in one header, in the order in which they came (RFC 9110 5.3, RFC 6265 5.4).
fn join(mut headers: Headers) -> Headers {
    headers.sort_by(|a, b| a.0.cmp(&b.0));
    headers.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            let separator: &[u8] = if kept.0 == "cookie" { b"; " } else { b", " };
            kept.1.extend_from_slice(separator);
            kept.1.extend_from_slice(&next.1);
        }
        same
    });
    headers
}
