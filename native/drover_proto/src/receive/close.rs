//! The payload of a close frame (RFC 6455 5.5.1 and 7.4).

use super::ProtocolError;

/// Codes that a client may send, as Cowboy has them: neither those that must not appear on the wire nor those
/// that nobody has registered or that were registered after the RFC (1012 to 1014).
fn is_valid_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1011 | 3000..=4999)
}

/// The code of a whole payload, if it has one.
pub(super) fn check(payload: &[u8], validate: bool) -> Result<Option<u16>, ProtocolError> {
    check_prefix(payload, validate)?;
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Ok(None);
    };
    if validate && str::from_utf8(reason).is_err() {
        return Err(ProtocolError::BadEncoding);
    }
    Ok(Some(u16::from_be_bytes(*code)))
}

/// Refuse the beginning of a payload as soon as nothing that follows could make it right.
pub(super) fn check_prefix(payload: &[u8], validate: bool) -> Result<(), ProtocolError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Ok(());
    };
    if !is_valid_code(u16::from_be_bytes(*code)) {
        return Err(ProtocolError::BadFrame);
    }
    match str::from_utf8(reason) {
        Err(error) if validate && error.error_len().is_some() => Err(ProtocolError::BadEncoding),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_accepted_or_refused_as_cowboy_does() {
        let valid = |c: u16| {
            c >= 1000 && ![1004, 1005, 1006].contains(&c) && !(1012..3000).contains(&c) && c < 5000
        };
        for code in 0..=u16::MAX {
            let got = check(&code.to_be_bytes(), true);
            let want = if valid(code) {
                Ok(Some(code))
            } else {
                Err(ProtocolError::BadFrame)
            };
            assert_eq!(got, want, "{code}");
        }
    }

    #[test]
    fn a_reason_cut_within_a_sequence_is_only_bad_at_the_end() {
        let payload = b"\x03\xe8\xe2\x82";
        assert_eq!(check_prefix(payload, true), Ok(()));
        assert_eq!(check(payload, true), Err(ProtocolError::BadEncoding));
        assert_eq!(check(payload, false), Ok(Some(1000)));
        assert_eq!(
            check_prefix(b"\x03\xe8\xe2\x28", true),
            Err(ProtocolError::BadEncoding)
        );
    }
}
