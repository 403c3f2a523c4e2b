//! What a process costs: its CPU time, threads that ended included, and its memory.

use std::io;
use std::time::Duration;

/// CPU time of a process since it began, by its own clock: in nanoseconds, where `/proc/PID/stat` counts hundredths of a second.
pub(crate) fn cpu_time(pid: u32) -> io::Result<Duration> {
    let mut clock = 0;
    // SAFETY: `clock` outlives the call.
    let error = unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &raw mut clock) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` outlives the call.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// Resident memory of a process, in KiB.
pub(crate) fn resident_kib(pid: u32) -> io::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    number.ok_or_else(|| io::Error::other("smaps_rollup has no Rss"))
}

/// As many descriptors as the system allows, since each connection takes one.
pub fn raise_descriptor_limit() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` outlives both calls. A failure leaves the limit as it is, and opening connections tells.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn sees_the_work_and_the_memory_of_a_process() {
        let before = cpu_time(std::process::id()).unwrap();
        let end = Instant::now() + Duration::from_millis(30);
        while Instant::now() < end {}
        // Other processes may have had the processor meanwhile, so no more than some of it is certain.
        assert!(cpu_time(std::process::id()).unwrap() > before);
        assert!(resident_kib(std::process::id()).unwrap() > 100);
    }

    #[test]
    fn tells_of_a_process_that_is_not_there() {
        assert!(cpu_time((1 << 22) + 1).is_err());
        assert!(resident_kib((1 << 22) + 1).is_err());
    }
}
