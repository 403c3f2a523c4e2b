//! One connection that sends as fast as it can, while the others are measured.

use crate::load::Load;
use crate::options::Options;
use crate::report::Report;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const TURN: Duration = Duration::from_millis(20);

/// Does the work while the flood goes on, if there is to be one. It has a thread of its own, so that what the others wait for is
/// the server and not the generator.
pub(crate) fn beside(
    options: &Options,
    work: impl FnOnce() -> io::Result<Report>,
) -> io::Result<Report> {
    if options.flood == 0 {
        return work();
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let flood = scope.spawn(|| pour(options, &stop));
        let report = work();
        stop.store(true, Ordering::Relaxed);
        let rate = flood.join().expect("errors are results")?;
        let mut report = report?;
        report.number("flood_messages_per_second", rate);
        Ok(report)
    })
}

fn pour(options: &Options, stop: &AtomicBool) -> io::Result<f64> {
    let options = Options {
        connections: 1,
        outstanding: options.flood,
        rate: None,
        ..options.clone()
    };
    let mut load = Load::open(&options)?;
    load.start()?;
    let began = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        load.until(TURN)?;
    }
    let rate = load.messages() as f64 / began.elapsed().as_secs_f64();
    load.drain()?;
    Ok(rate)
}
