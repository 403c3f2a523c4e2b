//! Echo and push: the loop around the epoll.

use crate::connection::{Connection, Context};
use crate::flood;
use crate::frame::fault;
use crate::handshake;
use crate::messages::{Messages, Wire};
use crate::options::{Mode, Options, Verify};
use crate::report::{Report, Tally, Window};
use crate::stream::tls_config;
use crate::timer::Timer;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustls::ClientConfig;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TIMER: Token = Token(usize::MAX);
/// Time for the last replies.
const PATIENCE: Duration = Duration::from_secs(10);

/// No reply may be missing in the end.
pub(crate) fn run(options: &Options) -> io::Result<Report> {
    let mut load = Load::open(options)?;
    load.verify = options.verify != Verify::None;
    flood::beside(options, || load.measure())
}

pub(crate) struct Load<'a> {
    options: &'a Options,
    tls: Option<Arc<ClientConfig>>,
    messages: Messages,
    connections: Vec<Connection>,
    tally: Tally,
    verify: bool,
    /// Replies are answered with new messages.
    sending: bool,
    schedule: Option<Schedule>,
    poll: Poll,
    timer: Timer,
    epoch: Instant,
    buffer: Vec<u8>,
}

/// Messages at fixed times, dealt to the connections in turn.
struct Schedule {
    interval: f64,
    start: u64,
    sent: u64,
}

impl Schedule {
    fn next(&self) -> u64 {
        self.start + (self.sent as f64 * self.interval) as u64
    }
}

impl<'a> Load<'a> {
    /// Opens all connections; nothing is sent yet.
    pub(crate) fn open(options: &'a Options) -> io::Result<Self> {
        let wire = match options {
            Options { raw: true, .. } => Wire::Raw,
            Options { deflate: true, .. } => Wire::Deflate,
            _ => Wire::Plain,
        };
        let (poll, timer) = (Poll::new()?, Timer::new()?);
        poll.registry()
            .register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        let mut load = Self {
            options,
            tls: options.tls.then(tls_config),
            messages: Messages::new(options.kind, options.size, wire),
            connections: Vec::with_capacity(options.connections),
            tally: Tally::new(),
            verify: true,
            sending: false,
            schedule: None,
            poll,
            timer,
            epoch: Instant::now(),
            buffer: vec![0; 256 * 1024],
        };
        for number in 0..options.connections {
            load.add(number)?;
        }
        Ok(load)
    }

    fn add(&mut self, number: usize) -> io::Result<()> {
        let (mut stream, early) = handshake::open(self.options, number, self.tls.as_ref())?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream.socket, Token(number), interest)?;
        self.connections.push(Connection::new(stream, number));
        let now = self.now();
        let (connection, _, mut context) = self.parts(number);
        connection.take(&early, now, &mut context)
    }

    /// One connection, the buffer, and what is shared.
    fn parts(&mut self, number: usize) -> (&mut Connection, &mut [u8], Context<'_>) {
        let context = Context {
            messages: &self.messages,
            tally: &mut self.tally,
            verify: self.verify,
            raw: self.options.raw,
            push: self.options.mode == Mode::Push,
        };
        (&mut self.connections[number], &mut self.buffer, context)
    }

    fn now(&self) -> u64 {
        nanoseconds(self.epoch.elapsed())
    }

    /// Warms up, measures, and waits for what is still under way.
    pub(crate) fn measure(&mut self) -> io::Result<Report> {
        self.start()?;
        self.until(self.options.warmup)?;
        if self.options.verify == Verify::Warmup {
            self.stop_verifying();
        }
        let window = Window::begin(self.options.pid, &mut self.tally)?;
        self.until(self.options.seconds)?;
        let report = window.end(&self.tally, self.options.connections)?;
        self.drain()?;
        Ok(report)
    }

    pub(crate) fn messages(&self) -> u64 {
        self.tally.messages()
    }

    /// Sends the first messages.
    pub(crate) fn start(&mut self) -> io::Result<()> {
        if self.options.mode == Mode::Push {
            return Ok(());
        }
        if let Some(rate) = self.options.rate {
            self.schedule = Some(Schedule {
                interval: 1e9 / rate,
                start: self.now(),
                sent: 0,
            });
            return self.send_due();
        }
        self.sending = true;
        (0..self.connections.len()).try_for_each(|number| self.refill(number))
    }

    /// Echoes `count` messages on every connection, and waits for all of them.
    pub(crate) fn prime(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            for number in 0..self.connections.len() {
                self.queue(number, self.now());
                self.flush(number)?;
            }
            self.drain()?;
        }
        Ok(())
    }

    /// The rest of the run goes without comparing contents.
    pub(crate) fn stop_verifying(&mut self) {
        self.verify = false;
        self.connections
            .iter_mut()
            .for_each(Connection::stop_inflating);
    }

    /// Goes on for that long.
    pub(crate) fn until(&mut self, duration: Duration) -> io::Result<()> {
        let end = Instant::now() + duration;
        let mut events = Events::with_capacity(1024);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.turn(&mut events, left)?;
        }
    }

    /// Sends nothing more and waits for every reply.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        self.sending = false;
        self.schedule = None;
        let end = Instant::now() + PATIENCE;
        let mut events = Events::with_capacity(1024);
        while self
            .connections
            .iter()
            .any(|connection| connection.outstanding() > 0)
        {
            if Instant::now() > end {
                let missing: usize = self.connections.iter().map(Connection::outstanding).sum();
                return Err(fault(format!("{missing} replies are missing")));
            }
            self.turn(&mut events, Duration::from_millis(10))?;
        }
        Ok(())
    }

    fn turn(&mut self, events: &mut Events, longest: Duration) -> io::Result<()> {
        if let Some(schedule) = &self.schedule {
            self.timer.set(Duration::from_nanos(
                schedule.next().saturating_sub(self.now()),
            ))?;
        }
        if let Err(error) = self.poll.poll(events, Some(longest)) {
            return if error.kind() == io::ErrorKind::Interrupted {
                Ok(())
            } else {
                Err(error)
            };
        }
        for event in events.iter() {
            match event.token() {
                TIMER => self.send_due()?,
                Token(number) => self.ready(number, event.is_readable())?,
            }
        }
        Ok(())
    }

    fn ready(&mut self, number: usize, readable: bool) -> io::Result<()> {
        let epoch = self.epoch;
        let mut more = readable;
        while more {
            let (connection, buffer, mut context) = self.parts(number);
            more = connection.read(buffer, || nanoseconds(epoch.elapsed()), &mut context)?;
        }
        if self.sending {
            self.refill(number)
        } else {
            self.flush(number)
        }
    }

    /// As many messages as may be under way.
    fn refill(&mut self, number: usize) -> io::Result<()> {
        let missing = self
            .options
            .outstanding
            .saturating_sub(self.connections[number].outstanding());
        if missing > 0 {
            let now = self.now();
            (0..missing).for_each(|_| self.queue(number, now));
        }
        self.flush(number)
    }

    fn send_due(&mut self) -> io::Result<()> {
        let now = self.now();
        while let Some(schedule) = self
            .schedule
            .as_mut()
            .filter(|schedule| schedule.next() <= now)
        {
            let (intended, number) = (
                schedule.next(),
                schedule.sent as usize % self.options.connections,
            );
            schedule.sent += 1;
            self.queue(number, intended);
            self.flush(number)?;
        }
        Ok(())
    }

    fn queue(&mut self, number: usize, time: u64) {
        self.connections[number].queue(time);
    }

    fn flush(&mut self, number: usize) -> io::Result<()> {
        self.connections[number].flush(&self.messages)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
