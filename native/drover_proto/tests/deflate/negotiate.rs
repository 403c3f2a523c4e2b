//! Offers of deflate and their answers.

use drover_proto::deflate::{
    Kind, NegotiateError, Options, Params, Strategy, check_extensions, negotiate,
};

fn answer(header: &str, options: &Options) -> Option<String> {
    negotiate(header.as_bytes(), options)
        .unwrap()
        .map(|(_, answer)| answer)
}

/// What follows `permessage-deflate` in the answer to `permessage-deflate` with these parameters.
fn answer_to(params: &str, options: &Options) -> Option<String> {
    let answer = answer(&format!("permessage-deflate{params}"), options)?;
    Some(
        answer
            .strip_prefix("permessage-deflate")
            .expect("the name comes first")
            .to_owned(),
    )
}

fn agreed(header: &str, options: &Options) -> Params {
    negotiate(header.as_bytes(), options)
        .unwrap()
        .expect("an acceptable offer")
        .0
}

#[test]
fn accepted_with_the_defaults() {
    let table = [
        ("", ""),
        ("; client_max_window_bits", "; client_max_window_bits=15"),
        ("; client_max_window_bits=10", "; client_max_window_bits=10"),
        (
            "; client_max_window_bits=\"10\"",
            "; client_max_window_bits=10",
        ),
        (
            "; client_max_window_bits=\"1\\0\"",
            "; client_max_window_bits=10",
        ),
        (";client_max_window_bits=8", "; client_max_window_bits=8"),
        (
            "\t;\t client_max_window_bits=15 ",
            "; client_max_window_bits=15",
        ),
        ("; server_max_window_bits=8", "; server_max_window_bits=8"),
        ("; server_max_window_bits=15", "; server_max_window_bits=15"),
        (
            "; client_no_context_takeover",
            "; client_no_context_takeover",
        ),
        (
            "; server_no_context_takeover",
            "; server_no_context_takeover",
        ),
        (
            "; server_max_window_bits=9; client_no_context_takeover; server_no_context_takeover; client_max_window_bits=12",
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=12",
        ),
        (
            "; client_max_window_bits; server_no_context_takeover; client_no_context_takeover",
            "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=15",
        ),
        // Only exact repetition declines.
        (
            "; server_max_window_bits=10; server_max_window_bits=11",
            "; server_max_window_bits=10",
        ),
        (
            "; server_max_window_bits=8; server_max_window_bits=10",
            "; server_max_window_bits=8; server_max_window_bits=10",
        ),
        (
            "; client_max_window_bits; client_max_window_bits=10",
            "; client_max_window_bits=10; client_max_window_bits=10",
        ),
    ];
    for (offer, expected) in table {
        assert_eq!(
            answer_to(offer, &Options::default()).as_deref(),
            Some(expected),
            "{offer}"
        );
    }
}

#[test]
fn declined() {
    let table = [
        "; unknown",
        "; unknown=1",
        "; server_max_window_bits",
        "; server_max_window_bits=7",
        "; server_max_window_bits=16",
        "; server_max_window_bits=08",
        "; server_max_window_bits=010",
        "; server_max_window_bits=99",
        "; server_max_window_bits=+9",
        "; server_max_window_bits=\"\"",
        "; client_max_window_bits=7",
        "; client_max_window_bits=16",
        "; client_max_window_bits=x",
        "; client_max_window_bits=\"\"",
        "; client_no_context_takeover=1",
        "; server_no_context_takeover=\"true\"",
        "; client_no_context_takeover; client_no_context_takeover",
        "; server_no_context_takeover; server_no_context_takeover",
        "; client_max_window_bits; client_max_window_bits",
        "; server_max_window_bits=10; server_max_window_bits=\"10\"",
        "; Client_no_context_takeover",
    ];
    for offer in table {
        assert_eq!(answer_to(offer, &Options::default()), None, "{offer}");
        let then =
            format!("permessage-deflate{offer}, permessage-deflate; client_no_context_takeover");
        let expected = "permessage-deflate; client_no_context_takeover";
        assert_eq!(
            answer(&then, &Options::default()).as_deref(),
            Some(expected),
            "{offer}"
        );
    }
}

#[test]
fn the_first_acceptable_offer_is_the_only_one_taken() {
    let table = [
        (
            "permessage-deflate, x-webkit-deflate-frame",
            Some("permessage-deflate"),
        ),
        (
            "x-webkit-deflate-frame, permessage-deflate",
            Some("x-webkit-deflate-frame"),
        ),
        (
            "permessage-deflate, permessage-deflate; server_no_context_takeover",
            Some("permessage-deflate"),
        ),
        (
            "permessage-deflate; bad, x-webkit-deflate-frame; no_context_takeover",
            Some("x-webkit-deflate-frame"),
        ),
        (
            "permessage-bzip2, permessage-deflate",
            Some("permessage-deflate"),
        ),
        ("permessage-bzip2", None),
        ("Permessage-Deflate", None),
        ("X-Webkit-Deflate-Frame", None),
        ("permessage-deflat", None),
        ("permessage-deflate2", None),
        (", ,\t permessage-deflate ,, ", Some("permessage-deflate")),
    ];
    for (header, expected) in table {
        assert_eq!(
            answer(header, &Options::default()).as_deref(),
            expected,
            "{header}"
        );
    }
}

#[test]
fn our_options_show_in_the_answer() {
    let no_takeover = Options {
        server_context_takeover: false,
        client_context_takeover: false,
        ..Options::default()
    };
    let narrow = Options {
        server_max_window_bits: 12,
        client_max_window_bits: 11,
        ..Options::default()
    };
    let table = [
        (
            &no_takeover,
            "",
            Some("; client_no_context_takeover; server_no_context_takeover"),
        ),
        (
            &no_takeover,
            "; server_no_context_takeover; client_no_context_takeover",
            Some("; client_no_context_takeover; server_no_context_takeover"),
        ),
        (
            &no_takeover,
            "; client_max_window_bits",
            Some(
                "; client_max_window_bits=15; client_no_context_takeover; server_no_context_takeover",
            ),
        ),
        (&narrow, "", None),
        (&narrow, "; server_max_window_bits=10", None),
        (
            &narrow,
            "; client_max_window_bits",
            Some("; server_max_window_bits=12; client_max_window_bits=11"),
        ),
        (
            &narrow,
            "; client_max_window_bits=10",
            Some("; server_max_window_bits=12; client_max_window_bits=10"),
        ),
        (
            &narrow,
            "; client_max_window_bits=11",
            Some("; server_max_window_bits=12; client_max_window_bits=11"),
        ),
        (
            &narrow,
            "; client_max_window_bits=12",
            Some("; server_max_window_bits=12; client_max_window_bits=11"),
        ),
        (
            &narrow,
            "; client_max_window_bits; server_max_window_bits=13",
            Some("; server_max_window_bits=12; client_max_window_bits=11"),
        ),
        (
            &narrow,
            "; client_max_window_bits; server_max_window_bits=12; server_no_context_takeover",
            Some(
                "; server_no_context_takeover; client_max_window_bits=11; server_max_window_bits=12",
            ),
        ),
        (
            &narrow,
            "; client_max_window_bits; server_no_context_takeover",
            Some(
                "; server_max_window_bits=12; server_no_context_takeover; client_max_window_bits=11",
            ),
        ),
    ];
    for (options, offer, expected) in table {
        assert_eq!(
            answer_to(offer, options).as_deref(),
            expected,
            "{offer} with {options:?}"
        );
    }
}

#[test]
fn what_was_agreed_is_what_was_answered() {
    let options = Options {
        level: 1,
        mem_level: 3,
        strategy: Strategy::Rle,
        ..Options::default()
    };
    let header = "permessage-deflate; client_no_context_takeover; client_max_window_bits=9; server_max_window_bits=8";
    let expected = Params {
        kind: Kind::PerMessage,
        server_takeover: true,
        client_takeover: false,
        server_bits: 8,
        client_bits: 9,
        level: 1,
        mem_level: 3,
        strategy: Strategy::Rle,
    };
    assert_eq!(agreed(header, &options), expected);
    let other = Params {
        server_takeover: false,
        client_takeover: true,
        server_bits: 15,
        client_bits: 15,
        ..expected
    };
    assert_eq!(
        agreed("permessage-deflate; server_no_context_takeover", &options),
        other
    );
}

#[test]
fn the_frame_extension_ignores_parameters_on_both_sides() {
    let options = Options {
        server_context_takeover: false,
        client_context_takeover: false,
        server_max_window_bits: 9,
        client_max_window_bits: 9,
        level: 2,
        ..Options::default()
    };
    let header =
        "x-webkit-deflate-frame; max_window_bits=8; no_context_takeover; no_context_takeover";
    let (params, answer) = negotiate(header.as_bytes(), &options).unwrap().unwrap();
    assert_eq!(answer, "x-webkit-deflate-frame");
    let expected = Params {
        kind: Kind::WebkitFrame,
        server_takeover: true,
        client_takeover: true,
        server_bits: 15,
        client_bits: 15,
        level: 2,
        mem_level: 5,
        strategy: Strategy::Default,
    };
    assert_eq!(params, expected);
}

#[test]
fn malformed_headers() {
    let table = [
        "",
        " ",
        ",",
        ";;;",
        "permessage-deflate;",
        "permessage-deflate; ",
        "permessage-deflate;;",
        "permessage-deflate; ,",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; client_max_window_bits= 10",
        "permessage-deflate; client_max_window_bits =10",
        "permessage-deflate; client_max_window_bits=\"10",
        "permessage-deflate; client_max_window_bits=\"1 0\"",
        "permessage-deflate; client_max_window_bits=\"10\\\"",
        "permessage-deflate; a=b=c",
        "permessage-deflate; a b",
        "permessage deflate",
        "permessage-deflate=1",
        "permessage-deflate, \"x\"",
        "permessage-deflate, ünknown",
        "permessage-deflate\u{b}",
        // Behind an acceptable offer as well.
        "permessage-deflate, ;",
    ];
    for header in table {
        let bytes = header.as_bytes();
        assert_eq!(
            negotiate(bytes, &Options::default()),
            Err(NegotiateError::BadHeader),
            "{header}"
        );
        assert_eq!(
            check_extensions(bytes),
            Err(NegotiateError::BadHeader),
            "{header}"
        );
    }
    assert_eq!(
        check_extensions(b"anything; goes=\"here\", x; y; z=1"),
        Ok(())
    );
}
