use std::{error, fmt};

/// Why the receiving side gives up. Always final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The bytes are no frame that a client may send at this point: RFC 6455 5.1 (not masked), 5.2 (RSV bits,
    /// opcode, length), 5.4 (fragmentation), 5.5 (control frames), 7.4 (close code), RFC 7692 6.1 and 7.2.2
    /// (RSV1, data that does not inflate). Close code 1002; Cowboy's `badframe`.
    BadFrame,
    /// A text message or a close reason is not UTF-8: RFC 6455 8.1. Close code 1007; Cowboy's `badencoding`.
    BadEncoding,
    /// A frame or a message is larger than allowed: RFC 6455 7.4.1 and 10.4. Close code 1009; Cowboy's `badsize`.
    BadSize,
}

impl ProtocolError {
    /// The code of the close frame that tells the client.
    pub fn close_code(self) -> u16 {
        match self {
            Self::BadFrame => 1002,
            Self::BadEncoding => 1007,
            Self::BadSize => 1009,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadFrame => "the client broke the framing rules (RFC 6455 5)",
            Self::BadEncoding => "the client sent text that is not UTF-8 (RFC 6455 8.1)",
            Self::BadSize => "the client sent more than is allowed (RFC 6455 10.4)",
        })
    }
}

impl error::Error for ProtocolError {}
