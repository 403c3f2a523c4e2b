//! Option maps, validated and completed on the Erlang side: here every key must be present.

use crate::atoms;
use drover_io::{ListenerConfig, Patience, Upgrade};
use drover_proto::deflate::{Kind, Options, Params, Strategy};
use drover_proto::http::HeadLimits;
use drover_proto::idle::IdlePolicy;
use rustler::{Atom, Decoder, Error, NifMap, NifResult, NifTuple, NifUnitEnum, Term};
use std::time::Duration;

/// A number, or `infinity`.
#[derive(Clone, Copy)]
pub(crate) struct Limit(pub(crate) Option<u64>);

impl<'a> Decoder<'a> for Limit {
    fn decode(term: Term<'a>) -> NifResult<Self> {
        match term.decode::<u64>() {
            Ok(number) => Ok(Self(Some(number))),
            Err(_) if term.decode::<Atom>()? == atoms::infinity() => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

#[derive(NifMap)]
#[rustler(decode)]
pub(crate) struct ListenOptions {
    io_threads: usize,
    max_connections: Limit,
    request_timeout: Limit,
    max_request_line_length: usize,
    max_header_name_length: usize,
    max_header_value_length: usize,
    max_headers: usize,
    max_head_length: usize,
    max_empty_lines: usize,
    max_skip_body_length: usize,
    linger: u64,
    send_timeout: Limit,
    nodelay: bool,
}

#[derive(NifMap)]
#[rustler(decode)]
pub(crate) struct AdoptOptions {
    pub(crate) io_threads: usize,
    linger: u64,
    send_timeout: Limit,
}

impl AdoptOptions {
    pub(crate) fn patience(&self) -> Patience {
        patience(self.send_timeout, self.linger)
    }
}

impl From<&ListenOptions> for ListenerConfig {
    fn from(options: &ListenOptions) -> Self {
        Self {
            io_threads: options.io_threads,
            max_connections: options.max_connections.0.map_or(usize::MAX, clamp),
            request_timeout: options.request_timeout.0.map(Duration::from_millis),
            limits: HeadLimits {
                request_line: options.max_request_line_length,
                header_name: options.max_header_name_length,
                header_value: options.max_header_value_length,
                headers: options.max_headers,
                head: options.max_head_length,
                empty_lines: options.max_empty_lines,
            },
            max_skip_body: options.max_skip_body_length,
            patience: patience(options.send_timeout, options.linger),
            nodelay: options.nodelay,
        }
    }
}

/// A closing connection writes out its rest under the timeout of a send.
fn patience(send_timeout: Limit, linger: u64) -> Patience {
    Patience {
        flush_ms: send_timeout.0.map(clamp_ms),
        linger_ms: clamp_ms(linger),
    }
}

/// Erlang's timers go no further either.
fn clamp_ms(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn clamp(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(crate) fn max_connections(limit: Limit) -> usize {
    limit.0.map_or(usize::MAX, clamp)
}

#[derive(NifUnitEnum)]
enum EarlyData {
    Keep,
    Drop,
}

#[derive(NifUnitEnum)]
enum Policy {
    Exact,
    Ticks,
}

#[derive(NifMap)]
#[rustler(decode)]
pub(crate) struct UpgradeOptions {
    max_frame_size: Limit,
    validate_utf8: bool,
    deflate: Negotiated,
    early_data: EarlyData,
    idle_timeout: Limit,
    idle_policy: Policy,
}

impl From<UpgradeOptions> for Upgrade {
    fn from(options: UpgradeOptions) -> Self {
        Self {
            max_frame_size: options.max_frame_size.0,
            validate_utf8: options.validate_utf8,
            deflate: options.deflate.0,
            keep_early_data: matches!(options.early_data, EarlyData::Keep),
            idle_timeout: options.idle_timeout.0,
            idle_policy: match options.idle_policy {
                Policy::Exact => IdlePolicy::Exact,
                Policy::Ticks => IdlePolicy::Ticks,
            },
        }
    }
}

/// `none`, or what [`params`] encoded.
struct Negotiated(Option<Params>);

impl<'a> Decoder<'a> for Negotiated {
    fn decode(term: Term<'a>) -> NifResult<Self> {
        if term.is_atom() && term.decode::<Atom>()? == atoms::none() {
            return Ok(Self(None));
        }
        term.decode::<DeflateTuple>()
            .map(|tuple| Self(Some(tuple.into())))
    }
}

#[derive(NifUnitEnum)]
enum DeflateKind {
    PermessageDeflate,
    XWebkitDeflateFrame,
}

/// zlib's strategies under OTP's names.
#[derive(NifUnitEnum)]
enum DeflateStrategy {
    Default,
    Filtered,
    HuffmanOnly,
    Rle,
    Fixed,
}

/// Agreed parameters as they stay with Erlang between the handshake and the upgrade.
#[derive(NifTuple)]
pub(crate) struct DeflateTuple {
    kind: DeflateKind,
    server_takeover: bool,
    client_takeover: bool,
    server_bits: u8,
    client_bits: u8,
    level: i32,
    mem_level: i32,
    strategy: DeflateStrategy,
}

impl From<Params> for DeflateTuple {
    fn from(params: Params) -> Self {
        Self {
            kind: match params.kind {
                Kind::PerMessage => DeflateKind::PermessageDeflate,
                Kind::WebkitFrame => DeflateKind::XWebkitDeflateFrame,
            },
            server_takeover: params.server_takeover,
            client_takeover: params.client_takeover,
            server_bits: params.server_bits,
            client_bits: params.client_bits,
            level: params.level,
            mem_level: params.mem_level,
            strategy: match params.strategy {
                Strategy::Default => DeflateStrategy::Default,
                Strategy::Filtered => DeflateStrategy::Filtered,
                Strategy::HuffmanOnly => DeflateStrategy::HuffmanOnly,
                Strategy::Rle => DeflateStrategy::Rle,
                Strategy::Fixed => DeflateStrategy::Fixed,
            },
        }
    }
}

impl From<DeflateTuple> for Params {
    fn from(tuple: DeflateTuple) -> Self {
        Self {
            kind: match tuple.kind {
                DeflateKind::PermessageDeflate => Kind::PerMessage,
                DeflateKind::XWebkitDeflateFrame => Kind::WebkitFrame,
            },
            server_takeover: tuple.server_takeover,
            client_takeover: tuple.client_takeover,
            server_bits: tuple.server_bits,
            client_bits: tuple.client_bits,
            level: tuple.level,
            mem_level: tuple.mem_level,
            strategy: tuple.strategy.into(),
        }
    }
}

impl From<DeflateStrategy> for Strategy {
    fn from(strategy: DeflateStrategy) -> Self {
        match strategy {
            DeflateStrategy::Default => Self::Default,
            DeflateStrategy::Filtered => Self::Filtered,
            DeflateStrategy::HuffmanOnly => Self::HuffmanOnly,
            DeflateStrategy::Rle => Self::Rle,
            DeflateStrategy::Fixed => Self::Fixed,
        }
    }
}

#[derive(NifUnitEnum)]
enum Takeover {
    Takeover,
    NoTakeover,
}

/// Cowboy's `deflate_opts`, where any key may be missing.
pub(crate) fn deflate_options(map: Term<'_>) -> NifResult<Options> {
    if !map.is_map() {
        return Err(Error::BadArg);
    }
    let defaults = Options::default();
    Ok(Options {
        level: level(map)?.unwrap_or(defaults.level),
        mem_level: option(map, "mem_level")?.unwrap_or(defaults.mem_level),
        strategy: option::<DeflateStrategy>(map, "strategy")?.map_or(defaults.strategy, Into::into),
        server_context_takeover: takeover(map, "server_context_takeover")?
            .unwrap_or(defaults.server_context_takeover),
        client_context_takeover: takeover(map, "client_context_takeover")?
            .unwrap_or(defaults.client_context_takeover),
        server_max_window_bits: option(map, "server_max_window_bits")?
            .unwrap_or(defaults.server_max_window_bits),
        client_max_window_bits: option(map, "client_max_window_bits")?
            .unwrap_or(defaults.client_max_window_bits),
    })
}

fn option<'a, T: Decoder<'a>>(map: Term<'a>, key: &str) -> NifResult<Option<T>> {
    let key = Atom::from_str(map.get_env(), key)?;
    match map.map_get(key) {
        Ok(value) => value.decode().map(Some),
        Err(_) => Ok(None),
    }
}

fn takeover(map: Term<'_>, key: &str) -> NifResult<Option<bool>> {
    Ok(option::<Takeover>(map, key)?.map(|takeover| matches!(takeover, Takeover::Takeover)))
}

/// zlib's levels under OTP's names, or a number.
fn level(map: Term<'_>) -> NifResult<Option<i32>> {
    #[derive(NifUnitEnum)]
    enum Named {
        None,
        Default,
        BestCompression,
        BestSpeed,
    }
    if let Ok(number) = option::<i32>(map, "level") {
        return Ok(number);
    }
    Ok(option::<Named>(map, "level")?.map(|named| match named {
        Named::None => 0,
        Named::Default => -1,
        Named::BestCompression => 9,
        Named::BestSpeed => 1,
    }))
}
