//! The idle rule in simulated time.

use drover_proto::{IdlePolicy, IdleRule};

/// Run the clock; bytes come at the given times. Gives the time at which it is over.
fn end(rule: IdleRule, start: u64, bytes: &[u64]) -> u64 {
    let mut last = start;
    for now in start.. {
        let left = rule.left(last, now);
        if left == 0 {
            return now;
        }
        if bytes.contains(&now) {
            last = now;
        }
    }
    unreachable!("it ends")
}

#[test]
fn exact_is_exact() {
    for timeout in [0, 1, 9, 10, 500] {
        let rule = IdleRule::new(IdlePolicy::Exact, timeout, 1000);
        assert_eq!(end(rule, 1000, &[]), 1000 + timeout);
        assert_eq!(rule.left(1000, 1000), timeout);
    }
    let rule = IdleRule::new(IdlePolicy::Exact, 500, 1000);
    assert_eq!(end(rule, 1000, &[1001, 1499, 1700]), 2200);
}

#[test]
fn ticks_end_it_at_the_eleventh() {
    let rule = IdleRule::new(IdlePolicy::Ticks, 500, 1000);
    assert_eq!(rule.left(1000, 1000), 550);
    assert_eq!(rule.left(1000, 1549), 1);
    assert_eq!(end(rule, 1000, &[]), 1550);
}

#[test]
fn a_byte_restarts_the_count_but_not_the_clock() {
    let rule = IdleRule::new(IdlePolicy::Ticks, 500, 1000);
    // Between the ticks at 1050 and 1100: the first tick that counts is that at 1100.
    for byte in [1050, 1051, 1075, 1099] {
        assert_eq!(end(rule, 1000, &[byte]), 1600, "{byte}");
    }
    assert_eq!(end(rule, 1000, &[1100]), 1650);
}

#[test]
fn ticks_take_once_to_one_and_a_tenth_of_the_timeout() {
    for timeout in [10, 15, 99, 500, 60_000] {
        let rule = IdleRule::new(IdlePolicy::Ticks, timeout, 7);
        let tick = timeout / 10;
        for last in 7..(7 + 3 * tick) {
            let left = rule.left(last, last);
            assert!((10 * tick..=11 * tick).contains(&left), "{timeout}: {left}");
        }
    }
}

#[test]
fn below_ten_milliseconds_there_is_no_time_between_ticks() {
    for timeout in 0..10 {
        let rule = IdleRule::new(IdlePolicy::Ticks, timeout, 1000);
        assert_eq!(rule.left(1000, 1000), 0);
        assert_eq!(rule.left(1005, 1005), 0);
    }
    assert_eq!(IdleRule::new(IdlePolicy::Ticks, 10, 0).left(0, 0), 11);
}

#[test]
fn what_came_before_the_start_does_not_count() {
    for policy in [IdlePolicy::Exact, IdlePolicy::Ticks] {
        let rule = IdleRule::new(policy, 100, 1000);
        assert_eq!(rule.left(10, 1000), rule.left(1000, 1000));
    }
}

#[test]
fn late_is_over_and_huge_timeouts_do_not_overflow() {
    for policy in [IdlePolicy::Exact, IdlePolicy::Ticks] {
        assert_eq!(IdleRule::new(policy, 100, 0).left(0, u64::MAX), 0);
        let rule = IdleRule::new(policy, u64::MAX, 5);
        assert!(rule.left(u64::MAX - 1, 10) > u64::MAX / 2);
    }
}
