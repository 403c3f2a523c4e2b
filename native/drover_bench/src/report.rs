//! What was counted, and the line that tells it.

use crate::process;
use hdrhistogram::Histogram;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// Messages, and how long each took.
pub(crate) struct Tally {
    messages: u64,
    latency: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let latency = Histogram::new_with_bounds(1, 600_000_000_000, 3).expect("bounds are valid");
        Self {
            messages: 0,
            latency,
        }
    }

    /// A message that took `nanoseconds`.
    pub(crate) fn message(&mut self, nanoseconds: u64) {
        self.latency.saturating_record(nanoseconds.max(1));
        self.messages += 1;
    }

    /// A message of unknown age.
    pub(crate) fn count(&mut self) {
        self.messages += 1;
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    fn clear(&mut self) {
        self.messages = 0;
        self.latency.clear();
    }
}

/// The measured time: from `begin` on, everything counted before is forgotten.
pub(crate) struct Window {
    pid: Option<u32>,
    began: Instant,
    server: Duration,
    own: Duration,
}

impl Window {
    pub(crate) fn begin(pid: Option<u32>, tally: &mut Tally) -> io::Result<Self> {
        tally.clear();
        let server = pid.map_or(Ok(Duration::ZERO), process::cpu_time)?;
        let own = process::cpu_time(std::process::id())?;
        Ok(Self {
            pid,
            began: Instant::now(),
            server,
            own,
        })
    }

    pub(crate) fn end(&self, tally: &Tally, connections: usize) -> io::Result<Report> {
        let seconds = self.began.elapsed().as_secs_f64();
        let own = process::cpu_time(std::process::id())? - self.own;
        let messages = tally.messages();
        let mut report = Report::default();
        report.integer("connections", connections as u64);
        report.integer("messages", messages);
        report.number("seconds", seconds);
        report.number("messages_per_second", messages as f64 / seconds);
        if let Some(pid) = self.pid {
            let server = (process::cpu_time(pid)? - self.server).as_secs_f64();
            report.number(
                "server_cpu_us_per_message",
                server * 1e6 / messages.max(1) as f64,
            );
            report.number("server_cpu_cores", server / seconds);
            report.integer("server_rss_kib", process::resident_kib(pid)?);
        }
        // Near 1, it is the generator that was measured.
        report.number("client_cpu_cores", own.as_secs_f64() / seconds);
        report.latencies(&tally.latency);
        Ok(report)
    }
}

/// Names and figures, in the order in which they were added. `Display` makes them one line of JSON.
#[derive(Debug, Default)]
pub struct Report(Vec<(String, f64, usize)>);

impl Report {
    pub(crate) fn integer(&mut self, name: &str, value: u64) {
        self.0.push((name.into(), value as f64, 0));
    }

    pub(crate) fn number(&mut self, name: &str, value: f64) {
        self.0.push((name.into(), value, 3));
    }

    /// The figures of another report, but for those that this one has itself.
    pub(crate) fn append(&mut self, other: Self) {
        for figure in other.0 {
            if self.get(&figure.0).is_none() {
                self.0.push(figure);
            }
        }
    }

    fn latencies(&mut self, latency: &Histogram<u64>) {
        if latency.is_empty() {
            return;
        }
        for (name, quantile) in [
            ("p50", 0.5),
            ("p90", 0.9),
            ("p99", 0.99),
            ("p99_9", 0.999),
            ("max", 1.0),
        ] {
            self.number(
                &format!("latency_us_{name}"),
                latency.value_at_quantile(quantile) as f64 / 1e3,
            );
        }
    }

    /// The figure of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|(found, ..)| found == name)
            .map(|(_, value, _)| *value)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value, digits)) in self.0.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            write!(f, "{before}\"{name}\":{value:.digits$}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_quantiles_of_what_was_counted_since_the_beginning() {
        let mut tally = Tally::new();
        tally.message(1);
        let window = Window::begin(Some(std::process::id()), &mut tally).unwrap();
        for microseconds in 1..=1000 {
            tally.message(microseconds * 1000);
        }
        let report = window.end(&tally, 7).unwrap();
        assert_eq!(
            (report.get("messages"), report.get("connections")),
            (Some(1000.0), Some(7.0))
        );
        for (name, expected) in [("p50", 500.0), ("p99", 990.0), ("max", 1000.0)] {
            let found = report.get(&format!("latency_us_{name}")).unwrap();
            assert!((found / expected - 1.0).abs() < 0.01, "{name} {found}");
        }
    }

    #[test]
    fn is_a_line_of_json() {
        let mut report = Report::default();
        report.integer("a", 3);
        report.number("b", 0.12345);
        assert_eq!(report.to_string(), r#"{"a":3,"b":0.123}"#);
    }
}
