//! The command line.

use crate::messages::Kind;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

/// What to do with the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Send messages and wait for the same to come back.
    Echo,
    /// Take what the server sends.
    Push,
    /// Hold connections open and measure what each costs in memory.
    Idle,
    /// Open and close connections, again and again.
    Connect,
}

/// Which replies are compared, byte for byte, with what was sent. The number of replies is always checked, and so is the
/// length of those that are not compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Every reply.
    All,
    /// Those before the measured time; inflating each reply could make the generator the bottleneck.
    Warmup,
    /// None.
    None,
}

/// All that a run can be told. `Options::new` has the defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to do.
    pub mode: Mode,
    /// Where the server listens.
    pub addr: SocketAddr,
    /// Path, and query string, of the opening handshake.
    pub path: String,
    /// The server's process: its CPU time and memory are measured.
    pub pid: Option<u32>,
    /// Connections open at a time.
    pub connections: usize,
    /// Messages of a connection that are under way at a time, unless a rate is given.
    pub outstanding: usize,
    /// Messages per second over all connections, in idle mode after the rest. Each is sent at its time, whether or not the ones before it came back, and
    /// its latency is counted from that time.
    pub rate: Option<f64>,
    /// Bytes of a message.
    pub size: usize,
    /// Contents of a message.
    pub kind: Kind,
    /// Offer permessage-deflate and send compressed messages; it is an error when the server declines.
    pub deflate: bool,
    /// Speak TLS 1.3, with a handshake of its own for each connection, to whoever the server is.
    pub tls: bool,
    /// Echo: one more connection, by a thread of its own, which floods the server with messages, this many under way.
    pub flood: usize,
    /// No WebSocket at all: send bytes, expect the same bytes.
    pub raw: bool,
    /// Time before measuring.
    pub warmup: Duration,
    /// Time measured.
    pub seconds: Duration,
    /// What is compared.
    pub verify: Verify,
    /// Idle mode: messages echoed on every connection before it rests.
    pub prime: usize,
    /// Idle mode: rest before memory is looked at.
    pub settle: Duration,
}

/// Help for the command line.
pub const USAGE: &str = "\
usage: drover_bench echo|push|idle|connect --addr HOST:PORT [options]

  --path /            path of the opening handshake
  --pid PID           process of the server, for CPU time and memory
  --connections 64    connections at a time
  --outstanding 1     messages under way on each (echo)
  --rate N            messages per second over all connections, sent at fixed times instead (echo),
                      or after the rest (idle)
  --size 125          bytes of a message
  --kind text         text | utf8 | json | binary
  --deflate           permessage-deflate
  --tls               TLS 1.3, without looking whose certificate it is
  --flood 0           messages under way on one more connection, which is left out of the figures (echo)
  --raw               plain TCP instead of WebSocket (echo, idle)
  --warmup 1          seconds before measuring
  --seconds 5         seconds measured
  --verify all        all | warmup | none; with --deflate warmup unless given
  --prime 0           messages echoed on each connection before it rests (idle)
  --settle 2          seconds of rest before memory is measured (idle)";

impl Options {
    /// The defaults, for a server at `addr`.
    #[must_use]
    pub fn new(mode: Mode, addr: SocketAddr) -> Self {
        Self {
            mode,
            addr,
            path: "/".into(),
            pid: None,
            connections: 64,
            outstanding: 1,
            rate: None,
            size: 125,
            kind: Kind::Text,
            deflate: false,
            tls: false,
            flood: 0,
            raw: false,
            warmup: Duration::from_secs(1),
            seconds: Duration::from_secs(5),
            verify: Verify::All,
            prime: 0,
            settle: Duration::from_secs(2),
        }
    }

    /// Reads the command line, without the program's name.
    ///
    /// # Errors
    /// A sentence on the first argument that is wrong.
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut arguments = arguments.iter().map(String::as_str);
        let mode = arguments.next().unwrap_or_default().parse()?;
        let mut options = Self::new(mode, SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut verify = None;
        while let Some(name) = arguments.next() {
            match name {
                "--deflate" => options.deflate = true,
                "--tls" => options.tls = true,
                "--raw" => options.raw = true,
                "--verify" => verify = Some(value(name, arguments.next())?),
                _ => options.set(name, arguments.next())?,
            }
        }
        options.verify = verify.unwrap_or(if options.deflate {
            Verify::Warmup
        } else {
            Verify::All
        });
        options.checked()
    }

    fn set(&mut self, name: &str, given: Option<&str>) -> Result<(), String> {
        match name {
            "--addr" => self.addr = address(given.unwrap_or_default())?,
            "--path" => self.path = value(name, given)?,
            "--pid" => self.pid = Some(value(name, given)?),
            "--connections" => self.connections = value(name, given)?,
            "--outstanding" => self.outstanding = value(name, given)?,
            "--rate" => self.rate = Some(value(name, given)?),
            "--flood" => self.flood = value(name, given)?,
            "--size" => self.size = value(name, given)?,
            "--kind" => self.kind = value(name, given)?,
            "--warmup" => self.warmup = seconds(name, given)?,
            "--seconds" => self.seconds = seconds(name, given)?,
            "--prime" => self.prime = value(name, given)?,
            "--settle" => self.settle = seconds(name, given)?,
            _ => return Err(format!("there is no option {name}")),
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, String> {
        if self.addr.port() == 0 {
            return Err("--addr HOST:PORT is missing".into());
        }
        if self.connections == 0 || self.outstanding == 0 || self.size == 0 {
            return Err("--connections, --outstanding and --size must be positive".into());
        }
        if self
            .rate
            .is_some_and(|rate| !rate.is_finite() || rate <= 0.0)
        {
            return Err("--rate must be positive".into());
        }
        if self.flood > 0 && self.mode != Mode::Echo {
            return Err("--flood goes with echo".into());
        }
        if self.raw && (self.deflate || self.tls || !matches!(self.mode, Mode::Echo | Mode::Idle)) {
            return Err("--raw goes with echo and idle, and without --deflate and --tls".into());
        }
        Ok(self)
    }
}

fn value<T: FromStr>(name: &str, given: Option<&str>) -> Result<T, String> {
    let given = given.ok_or_else(|| format!("{name} needs a value"))?;
    given
        .parse()
        .map_err(|_| format!("{name} cannot be {given}"))
}

fn seconds(name: &str, given: Option<&str>) -> Result<Duration, String> {
    Duration::try_from_secs_f64(value(name, given)?).map_err(|error| format!("{name}: {error}"))
}

fn address(given: &str) -> Result<SocketAddr, String> {
    let found = given
        .to_socket_addrs()
        .map_err(|error| format!("--addr {given}: {error}"))?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| format!("--addr {given} has no address"))
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "echo" => Ok(Self::Echo),
            "push" => Ok(Self::Push),
            "idle" => Ok(Self::Idle),
            "connect" => Ok(Self::Connect),
            _ => Err("the first argument must be echo, push, idle or connect".into()),
        }
    }
}

impl FromStr for Verify {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "all" => Ok(Self::All),
            "warmup" => Ok(Self::Warmup),
            "none" => Ok(Self::None),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(
            &line
                .split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn reads_every_kind_of_option() {
        let options = parse(
            "echo --addr 127.0.0.1:9 --rate 1000 --kind utf8 --seconds 0.5 --deflate --pid 7",
        )
        .unwrap();
        assert_eq!(options.mode, Mode::Echo);
        assert_eq!(options.rate, Some(1000.0));
        assert_eq!(options.kind, Kind::Utf8);
        assert_eq!(options.seconds, Duration::from_millis(500));
        assert_eq!((options.verify, options.pid), (Verify::Warmup, Some(7)));
    }

    #[test]
    fn refuses_what_it_cannot_do() {
        for line in [
            "",
            "dance --addr 127.0.0.1:9",
            "echo",
            "echo --addr 127.0.0.1:9 --size 0",
            "echo --addr 127.0.0.1:9 --rate -1",
            "echo --addr 127.0.0.1:9 --colour red",
            "echo --addr 127.0.0.1:9 --size",
            "push --addr 127.0.0.1:9 --raw",
            "echo --addr 127.0.0.1:9 --raw --tls",
            "push --addr 127.0.0.1:9 --flood 1",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
