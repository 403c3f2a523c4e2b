//! What a receiver holds on to; what it sees is tested from outside.

use super::*;
use crate::buffers;
use crate::deflate::{Kind, Params, Strategy};

fn receiver(deflate: bool) -> Receiver {
    Receiver::new(&RecvConfig {
        max_frame_size: Some(10_000_000),
        validate_utf8: true,
        deflate: deflate.then_some(Params {
            kind: Kind::PerMessage,
            server_takeover: true,
            client_takeover: true,
            server_bits: 15,
            client_bits: 15,
            level: 6,
            mem_level: 8,
            strategy: Strategy::Default,
        }),
    })
}

/// Masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes
}

fn header(first: u8, len: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match len {
        0..126 => bytes.push(0x80 | len as u8),
        126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}

fn feed(receiver: &mut Receiver, mut bytes: &[u8]) -> usize {
    let mut events = 0;
    loop {
        let mut input = bytes.to_vec();
        let (used, step) = receiver.next(&mut input);
        match step {
            Step::Event(_) => events += 1,
            Step::Yield => {}
            Step::TooLarge => events += usize::from(matches!(receiver.refuse(), Step::Event(_))),
            Step::NeedMore | Step::Ended => return events,
        }
        bytes = &bytes[used..];
    }
}

fn held(receiver: &Receiver) -> usize {
    receiver.message.body.capacity() + receiver.control.capacity()
}

#[test]
fn idle_it_is_small() {
    assert!(size_of::<Receiver>() < 200, "{}", size_of::<Receiver>());
}

#[test]
fn nothing_is_held_between_messages() {
    let mut receiver = receiver(true);
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let conversation = [
        frame(0x82, b"one frame"),
        frame(0x02, b"two "),
        frame(0x89, b"ping"),
        frame(0x80, b"frames"),
        frame(0xC1, &hello),
        frame(0x82, &[1; 100_000]),
    ]
    .concat();
    for size in [1, 7, 1000, conversation.len()] {
        let pieces = conversation.chunks(size);
        let events: usize = pieces.map(|piece| feed(&mut receiver, piece)).sum();
        assert_eq!(events, 5);
        assert_eq!(held(&receiver), 0, "in pieces of {size}");
    }
}

#[test]
fn nothing_is_held_after_the_end() {
    for end in [&frame(0x88, b"")[..], &[0xFF, 0xFF]] {
        let mut receiver = receiver(true);
        feed(&mut receiver, &frame(0x02, &[1; 1000]));
        assert!(held(&receiver) >= 1000);
        feed(&mut receiver, end);
        assert_eq!(held(&receiver), 0);
        assert!(receiver.inflater.is_none());
    }
}

#[test]
fn an_announced_length_reserves_nothing() {
    let mut receiver = receiver(false);
    feed(&mut receiver, &header(0x82, 10_000_000));
    assert_eq!(held(&receiver), 0);
    assert!(receiver.fill_buffer().is_none());
    feed(&mut receiver, &[1; 10]);
    assert!(held(&receiver) <= 20);
    assert!(receiver.fill_buffer().is_none());
}

#[test]
fn memory_follows_what_came() {
    let mut receiver = receiver(false);
    let len = 3_000_000;
    feed(&mut receiver, &header(0x82, len));
    let mut came = 0;
    while came < len as usize - 5000 {
        let n = match receiver.fill_buffer() {
            Some(window) => {
                assert!(window.len() <= came.min(FILL_MOST));
                let n = window.len().min(5000);
                assert_eq!(receiver.filled(n), Step::NeedMore);
                n
            }
            None => {
                feed(&mut receiver, &[1; 5000]);
                5000
            }
        };
        came += n;
        let most = (2 * came).min(len as usize);
        assert!(held(&receiver) <= most, "{} of {came}", held(&receiver));
    }
}

/// What an earlier message left in a buffer must not show. No other test has messages of about this length.
#[test]
fn a_buffer_that_is_used_again_holds_what_came() {
    let mut receiver = receiver(false);
    for (seed, len) in [
        (1, 1_000_000),
        (2, 999_999),
        (3, 700_000),
        (4, 1_000_000),
        (5, 1_100_000),
    ] {
        let payload: Vec<u8> = (0..len)
            .map(|i: u32| (i.wrapping_mul(seed) >> 3) as u8)
            .collect();
        let bytes = frame(0x82, &payload);
        let (mut at, mut turn, mut message) = (0, 0, None);
        while at < bytes.len() {
            turn += 1;
            let want = 1 + turn * 7919 * seed as usize % 70_000;
            let step = match receiver.fill_buffer() {
                // Now and then it is read elsewhere.
                Some(window) if turn % 3 > 0 => {
                    let n = window.len().min(want);
                    window[..n].copy_from_slice(&bytes[at..at + n]);
                    at += n;
                    receiver.filled(n)
                }
                _ => {
                    let mut piece = bytes[at..].to_vec();
                    piece.truncate(want);
                    let (used, step) = receiver.next(&mut piece);
                    at += used;
                    message = owned(step);
                    continue;
                }
            };
            message = owned(step);
        }
        let message = message.expect("all of it has come");
        assert!(message == payload, "{len}");
        buffers::give(message);
    }
}

fn owned(step: Step<'_>) -> Option<Vec<u8>> {
    match step {
        Step::Event(Event::Binary(Payload::Owned(bytes))) => Some(bytes),
        other => {
            assert_eq!(other, Step::NeedMore);
            None
        }
    }
}

#[test]
fn a_window_that_is_not_used_does_no_harm() {
    let mut receiver = receiver(false);
    let payload: Vec<u8> = (0..100_000_u32).map(|i| i as u8).collect();
    let bytes = frame(0x82, &payload);
    feed(&mut receiver, &bytes[..40_000]);
    receiver.fill_buffer().expect("much is missing").fill(0xAA);
    assert_eq!(receiver.filled(0), Step::NeedMore);
    let mut rest = bytes[40_000..].to_vec();
    let (_, step) = receiver.next(&mut rest);
    assert_eq!(step, Step::Event(Event::Binary(Payload::Slice(&payload))));
}

#[test]
fn a_whole_message_is_a_slice_of_the_input() {
    let mut receiver = receiver(false);
    let mut bytes = frame(0x81, b"Hello");
    let (used, step) = receiver.next(&mut bytes);
    assert_eq!(used, 11);
    assert!(matches!(
        step,
        Step::Event(Event::Text(Payload::Slice(b"Hello")))
    ));
}

#[test]
fn any_number_of_tiny_fragments_costs_what_their_bytes_cost() {
    let mut receiver = receiver(false);
    feed(&mut receiver, &frame(0x02, b"x"));
    feed(&mut receiver, &frame(0x00, b"").repeat(100_000));
    assert!(held(&receiver) < 10);
    feed(&mut receiver, &frame(0x00, b"x").repeat(100_000));
    assert!(held(&receiver) < 300_000);
}
