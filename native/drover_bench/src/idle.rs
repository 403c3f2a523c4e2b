//! Idle: what a connection costs in memory while nothing is said on it, and, if there is to be a rate, what all of them cost in
//! CPU time when little is said.

use crate::load::Load;
use crate::options::Options;
use crate::process;
use crate::report::Report;
use std::io;
use std::thread::sleep;
use std::time::Duration;

/// One connection in so many comes and goes first, so that what the server allocates once is not charged to the others. They
/// are few, since their memory may wait to be used again, and is then not charged at all.
const PRELUDE: usize = 50;
const REST: Duration = Duration::from_millis(500);

pub(crate) fn run(options: &Options) -> io::Result<Report> {
    let pid = options
        .pid
        .ok_or_else(|| io::Error::other("idle needs --pid"))?;
    drop(opened(&Options {
        connections: options.connections.div_ceil(PRELUDE),
        ..options.clone()
    })?);
    sleep(REST + options.settle);
    let before = process::resident_kib(pid)?;
    let mut load = opened(options)?;
    sleep(options.settle);
    let busy = process::cpu_time(pid)?;
    sleep(REST);
    let idle = process::cpu_time(pid)?.saturating_sub(busy);
    let after = process::resident_kib(pid)?;
    let mut report = Report::default();
    report.integer("connections", options.connections as u64);
    report.integer("server_rss_kib", after);
    report.number(
        "rss_kib_per_connection",
        (after as f64 - before as f64) / options.connections as f64,
    );
    report.number(
        "server_idle_cpu_cores",
        idle.as_secs_f64() / REST.as_secs_f64(),
    );
    if options.rate.is_some() {
        report.append(load.measure()?);
    }
    Ok(report)
}

fn opened(options: &Options) -> io::Result<Load<'_>> {
    let mut load = Load::open(options)?;
    load.prime(options.prime)?;
    load.stop_verifying();
    Ok(load)
}
