//! `max_frame_size`: decided on the header, for every frame, every sum and everything inflated.

use crate::support::*;
use drover_proto::{Receiver, RecvConfig, Step, deflate::Kind};
use proptest::prelude::*;

const MAX: usize = 1000;

fn check(bytes: &[u8], want: &[Seen]) {
    for config in [limited(MAX as u64), deflating_limited()] {
        assert_eq!(decode(&config, bytes), want);
        assert_eq!(drip(&config, bytes), want);
    }
}

fn deflating_limited() -> RecvConfig {
    RecvConfig {
        max_frame_size: Some(MAX as u64),
        ..deflating(Kind::PerMessage)
    }
}

#[test]
fn one_frame() {
    let payload = [b'x'; MAX + 1];
    check(
        &frame(FIN | TEXT, &payload[..MAX - 1]),
        &[text(&payload[..MAX - 1])],
    );
    check(
        &frame(FIN | TEXT, &payload[..MAX]),
        &[text(&payload[..MAX])],
    );
    check(&frame(FIN | TEXT, payload), &[BAD_SIZE]);
}

#[test]
fn the_header_is_enough() {
    for len in [MAX as u64 + 1, 0xFFFF, 0x1_0000, (1 << 63) - 1] {
        check(&header(FIN | BINARY, len), &[BAD_SIZE]);
        check(&header(FIN | RSV1 | BINARY, len)[..0], &[]);
        assert_eq!(
            decode(&deflating_limited(), &header(FIN | RSV1 | BINARY, len)),
            [BAD_SIZE],
            "the wire length of a compressed frame counts as well"
        );
    }
    check(&header(FIN | BINARY, MAX as u64), &[]);
}

#[test]
fn breaking_a_rule_comes_before_being_too_large() {
    let mut unmasked = header(FIN | BINARY, 0x1_0000);
    unmasked[1] &= 0x7F;
    check(&unmasked, &[BAD_FRAME]);
}

#[test]
fn control_frames() {
    let config = limited(10);
    for opcode in [PING, PONG] {
        assert_eq!(decode(&config, &header(FIN | opcode, 11)), [BAD_SIZE]);
        assert_eq!(decode(&config, &frame(FIN | opcode, [b'x'; 10])).len(), 1);
    }
    assert_eq!(decode(&config, &close(1000, b"123456789")), [BAD_SIZE]);
    assert_eq!(
        decode(&config, &close(1000, b"12345678")),
        [Seen::Close(Some((1000, b"12345678".to_vec())))]
    );
}

#[test]
fn fragments_add_up() {
    let half = [b'x'; MAX / 2];
    let one_more = [b'x'; MAX / 2 + 1];
    let whole = [b'x'; MAX];
    check(&fragments(TEXT, false, &[&half, &half]), &[text(whole)]);
    check(
        &fragments(TEXT, false, &[&half, b"", &half, b""]),
        &[text(whole)],
    );
    // The last one, one in the middle, and by its header alone.
    check(&fragments(TEXT, false, &[&half, &one_more]), &[BAD_SIZE]);
    check(
        &fragments(TEXT, false, &[&half, &one_more, b""]),
        &[BAD_SIZE],
    );
    let mut bytes = frame(TEXT, half);
    bytes.extend(header(CONTINUE, one_more.len() as u64));
    check(&bytes, &[BAD_SIZE]);
    // The sum starts anew with each message.
    let mut twice = fragments(TEXT, false, &[&half, &half]);
    twice.extend(fragments(TEXT, false, &[&half, &half]));
    check(&twice, &[text(whole), text(whole)]);
}

#[test]
fn control_frames_do_not_add_to_a_message() {
    let half = [b'x'; MAX / 2];
    let mut bytes = frame(TEXT, half);
    bytes.extend(frame(FIN | PING, [b'p'; 100]));
    bytes.extend(frame(FIN | CONTINUE, half));
    check(&bytes, &[Seen::Ping(vec![b'p'; 100]), text([b'x'; MAX])]);
}

fn check_inflated(plain: &[u8], pieces: usize, want: &[Seen]) {
    let wire = compressed(plain);
    let size = wire.len().div_ceil(pieces);
    let bytes = fragments(TEXT, true, &wire.chunks(size).collect::<Vec<_>>());
    assert_eq!(decode(&deflating_limited(), &bytes), want);
    assert_eq!(drip(&deflating_limited(), &bytes), want);
}

#[test]
fn inflated_messages() {
    let plain = [b'x'; 100 * MAX];
    for pieces in [1, 2, 5] {
        check_inflated(&plain[..MAX - 1], pieces, &[text(&plain[..MAX - 1])]);
        check_inflated(&plain[..MAX], pieces, &[text(&plain[..MAX])]);
        check_inflated(&plain[..MAX + 1], pieces, &[BAD_SIZE]);
        check_inflated(&plain, pieces, &[BAD_SIZE]);
    }
}

#[test]
fn a_bomb_costs_no_more_than_the_limit() {
    let config = RecvConfig {
        max_frame_size: Some(1_000_000),
        ..deflating(Kind::PerMessage)
    };
    let wire = compressed(&vec![0; 50_000_000]);
    assert!(wire.len() < 1_000_000);
    let began = std::time::Instant::now();
    assert_eq!(
        decode(&config, &frame(FIN | RSV1 | BINARY, wire)),
        [BAD_SIZE]
    );
    assert!(began.elapsed().as_millis() < 1000);
}

#[test]
fn a_new_limit_holds_from_the_next_header_on() {
    let mut receiver = Receiver::new(&limited(10));
    let bytes = frame(FIN | TEXT, "0123456789");
    assert_eq!(feed(&mut receiver, &bytes[..8]), []);
    receiver.set_max_frame_size(Some(5));
    assert_eq!(feed(&mut receiver, &bytes[8..]), [text("0123456789")]);
    assert_eq!(
        feed(&mut receiver, &frame(FIN | TEXT, "01234")),
        [text("01234")]
    );
    receiver.set_max_frame_size(None);
    let large = vec![b'x'; 2_000_000];
    assert_eq!(
        feed(&mut receiver, &frame(FIN | TEXT, &large)),
        [text(&large)]
    );
    receiver.set_max_frame_size(Some(5));
    assert_eq!(feed(&mut receiver, &header(FIN | TEXT, 6)), [BAD_SIZE]);
}

#[test]
fn a_lower_limit_may_already_be_passed() {
    let wire = compressed(&[b'x'; 1000]);
    for (rsv1, payload) in [(RSV1, &wire[..]), (0, &[b'x'; 1000])] {
        let mut receiver = Receiver::new(&deflating_limited());
        assert_eq!(feed(&mut receiver, &frame(rsv1 | TEXT, payload)), []);
        receiver.set_max_frame_size(Some(10));
        assert_eq!(feed(&mut receiver, &frame(FIN | PING, "p")).len(), 1);
        assert_eq!(feed(&mut receiver, &frame(FIN | CONTINUE, "")), [BAD_SIZE]);
    }
}

#[test]
fn the_limit_in_force_at_the_header_bounds_what_is_inflated() {
    let wire = compressed(&[b'x'; 1000]);
    let bytes = frame(FIN | RSV1 | TEXT, wire);
    let mut receiver = Receiver::new(&deflating_limited());
    assert_eq!(feed(&mut receiver, &bytes[..7]), []);
    receiver.set_max_frame_size(Some(10));
    assert_eq!(feed(&mut receiver, &bytes[7..]), [text([b'x'; 1000])]);
}

proptest! {
    /// However it is compressed, fragmented and split: a message is delivered whole, or, if and only if it is
    /// larger than the limit, not at all.
    #[test]
    fn no_message_above_the_limit_is_ever_delivered(
        len in 0_usize..600,
        variety in 1_u8..50,
        max in 1_u64..600,
        deflate: bool,
        fragment in 1_usize..200,
        split in 1_usize..100,
    ) {
        let plain: Vec<u8> = (0..len).map(|i| (i * i) as u8 % variety).collect();
        let wire = if deflate { compressed(&plain) } else { plain.clone() };
        let pieces: Vec<&[u8]> = wire.chunks(fragment).collect();
        let pieces = if pieces.is_empty() { vec![&[][..]] } else { pieces };
        let bytes = fragments(BINARY, deflate, &pieces);
        let config = RecvConfig { max_frame_size: Some(max), ..deflating(Kind::PerMessage) };
        let seen = decode_split(&config, &bytes, &vec![split; bytes.len() / split]);
        let too_large_frame = pieces.iter().any(|piece| piece.len() as u64 > max);
        let want = if len as u64 > max || too_large_frame { BAD_SIZE } else { binary(&plain) };
        prop_assert_eq!(seen, [want]);
    }
}

#[test]
fn a_limit_that_is_raised_in_time_saves_the_frame_that_was_too_large() {
    let mut receiver = Receiver::new(&limited(5));
    let mut input = frame(FIN | BINARY, "123456");
    let (used, step) = receiver.next(&mut input);
    assert_eq!(step, Step::TooLarge);
    assert_eq!(receiver.next(&mut input[used..]), (0, Step::TooLarge));
    receiver.set_max_frame_size(Some(6));
    assert_eq!(feed(&mut receiver, &input[used..]), [binary("123456")]);
}

#[test]
fn a_frame_that_is_too_large_is_refused_when_its_reader_says_so() {
    let mut receiver = Receiver::new(&limited(5));
    let mut input = frame(FIN | BINARY, "123456");
    let (_, step) = receiver.next(&mut input);
    assert_eq!(step, Step::TooLarge);
    assert_eq!(refused(&mut receiver), BAD_SIZE);
    assert_eq!(receiver.next(&mut []), (0, Step::Ended));
}
