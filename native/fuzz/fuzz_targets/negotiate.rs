//! Any `sec-websocket-extensions` header under any options: an answer says what was agreed, offers nothing that was not
//! offered, and is itself a header that can be read.
//!
//! The first four bytes choose the options, the rest is the header.
#![no_main]

use drover_proto::deflate::{Kind, Options, Params, check_extensions, negotiate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [takeover, server_bits, client_bits, header @ ..] = data else {
        return;
    };
    let options = Options {
        server_context_takeover: takeover & 1 == 0,
        client_context_takeover: takeover & 2 == 0,
        server_max_window_bits: 8 + server_bits % 8,
        client_max_window_bits: 8 + client_bits % 8,
        ..Options::default()
    };
    let result = negotiate(header, &options);
    assert_eq!(result.is_err(), check_extensions(header).is_err());
    let Ok(Some((params, answer))) = result else {
        return;
    };
    assert_eq!(check_extensions(answer.as_bytes()), Ok(()));
    match params.kind {
        Kind::WebkitFrame => assert_eq!(answer, "x-webkit-deflate-frame"),
        Kind::PerMessage => check(&params, &options, &answer, header),
    }
});

fn check(params: &Params, options: &Options, answer: &str, header: &[u8]) {
    assert!(answer.starts_with("permessage-deflate"));
    assert_eq!(
        params.server_takeover,
        !answer.contains("server_no_context_takeover")
    );
    assert_eq!(
        params.client_takeover,
        !answer.contains("client_no_context_takeover")
    );
    assert!((8..=options.server_max_window_bits).contains(&params.server_bits));
    assert!((8..=options.client_max_window_bits).contains(&params.client_bits));
    if params.server_bits < 15 {
        assert!(answer.contains(&format!("server_max_window_bits={}", params.server_bits)));
    }
    if params.client_bits < 15 {
        assert!(answer.contains(&format!("client_max_window_bits={}", params.client_bits)));
    }
    if answer.contains("client_max_window_bits") {
        let name = b"client_max_window_bits";
        assert!(header.windows(name.len()).any(|window| window == name));
    }
    assert!(options.server_context_takeover || !params.server_takeover);
    assert!(options.client_context_takeover || !params.client_takeover);
}
