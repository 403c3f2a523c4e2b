//! Frames: those of a client, built once, and those of a server, taken apart as bytes come.

use std::io;

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;

/// A masked frame with FIN set.
pub(crate) fn encode(opcode: u8, compressed: bool, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | u8::from(compressed) << 6 | opcode];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// Says what is wrong with what the server sent.
pub(crate) fn fault(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

/// Who wants to know what a server sent.
pub(crate) trait Sink {
    /// A data message begins.
    fn begin(&mut self, opcode: u8, compressed: bool) -> io::Result<()>;
    /// Some more of its payload, as it is on the wire.
    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// It is complete.
    fn end(&mut self) -> io::Result<()>;
    /// The server closes.
    fn close(&mut self) -> io::Result<()>;
}

/// Takes frames of a server apart, without keeping more of them than a header.
#[derive(Default)]
pub(crate) struct Reader {
    /// The header, as far as it has come.
    header: [u8; 10],
    have: usize,
    /// Payload bytes missing, once the header is complete.
    left: u64,
    in_payload: bool,
    in_message: bool,
}

impl Reader {
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut impl Sink) -> io::Result<()> {
        loop {
            if !self.in_payload {
                bytes = self.gather_header(bytes);
                if !self.header_complete() {
                    return Ok(());
                }
                self.begin_frame(sink)?;
            }
            let now = bytes
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let (chunk, rest) = bytes.split_at(now);
            self.left -= now as u64;
            bytes = rest;
            if self.opcode() < CLOSE && now > 0 {
                sink.chunk(chunk)?;
            }
            if self.left > 0 {
                return Ok(());
            }
            self.end_frame(sink)?;
        }
    }

    fn gather_header<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while !self.header_complete() {
            let Some((first, rest)) = bytes.split_first() else {
                break;
            };
            self.header[self.have] = *first;
            self.have += 1;
            bytes = rest;
        }
        bytes
    }

    fn header_complete(&self) -> bool {
        self.have >= 2
            && self.have
                >= match self.header[1] & 0x7f {
                    126 => 4,
                    127 => 10,
                    _ => 2,
                }
    }

    fn begin_frame(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        let [_, second, extended @ ..] = self.header;
        self.left = match second {
            0..126 => u64::from(second),
            126 => u64::from(u16::from_be_bytes([extended[0], extended[1]])),
            127 => u64::from_be_bytes(extended),
            _ => return Err(fault("the server masked a frame")),
        };
        self.in_payload = true;
        let compressed = self.header[0] & 0x40 != 0;
        match self.opcode() {
            CONTINUATION if self.in_message && !compressed => Ok(()),
            opcode @ (TEXT | BINARY) if !self.in_message => sink.begin(opcode, compressed),
            opcode if opcode >= CLOSE => Ok(()),
            opcode => Err(fault(format!(
                "the server sent a frame with opcode {opcode} out of place"
            ))),
        }
    }

    fn end_frame(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        let (opcode, fin) = (self.opcode(), self.header[0] & 0x80 != 0);
        (self.have, self.in_payload) = (0, false);
        if opcode == CLOSE {
            return sink.close();
        }
        if opcode >= CLOSE {
            return Ok(());
        }
        self.in_message = !fin;
        if fin { sink.end() } else { Ok(()) }
    }

    fn opcode(&self) -> u8 {
        self.header[0] & 0x0f
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen {
        messages: Vec<(u8, bool, Vec<u8>)>,
        ended: usize,
        closed: bool,
    }

    impl Sink for Seen {
        fn begin(&mut self, opcode: u8, compressed: bool) -> io::Result<()> {
            self.messages.push((opcode, compressed, Vec::new()));
            Ok(())
        }
        fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.messages.last_mut().unwrap().2.extend_from_slice(bytes);
            Ok(())
        }
        fn end(&mut self) -> io::Result<()> {
            self.ended += 1;
            Ok(())
        }
        fn close(&mut self) -> io::Result<()> {
            self.closed = true;
            Ok(())
        }
    }

    fn served(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(length as u8),
            length => {
                frame.push(126);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        frame
    }

    #[test]
    fn the_same_whatever_the_pieces() {
        let stream = [
            served(0x81, b"hello"),
            served(0x02, b"in"),
            served(0x89, b"ping between"),
            served(0x80, b"pieces"),
            served(0xc1, &[7; 300]),
            served(0x82, b""),
            served(0x88, &[3, 232]),
        ]
        .concat();
        for step in [1, 2, 3, 7, 50, stream.len()] {
            let (mut reader, mut seen) = (Reader::default(), Seen::default());
            for piece in stream.chunks(step) {
                reader.feed(piece, &mut seen).unwrap();
            }
            let expected = [
                (TEXT, false, b"hello".to_vec()),
                (BINARY, false, b"inpieces".to_vec()),
                (TEXT, true, vec![7; 300]),
                (BINARY, false, vec![]),
            ];
            assert_eq!(seen.messages, expected);
            assert_eq!((seen.ended, seen.closed), (4, true));
        }
    }

    #[test]
    fn faults_are_told() {
        for stream in [
            &[0x81, 0x80][..],
            &[0x80, 0],
            &[0x83, 0],
            &[0x01, 0, 0x81, 0],
        ] {
            assert!(
                Reader::default()
                    .feed(stream, &mut Seen::default())
                    .is_err(),
                "{stream:?}"
            );
        }
    }

    #[test]
    fn client_frames_are_masked() {
        assert_eq!(
            encode(TEXT, false, [1, 2, 3, 4], b"abcde"),
            [0x81, 0x85, 1, 2, 3, 4, 96, 96, 96, 96, 100]
        );
        assert_eq!(
            encode(BINARY, true, [0; 4], &[0; 126])[..4],
            [0xc2, 0xfe, 0, 126]
        );
        assert_eq!(
            encode(BINARY, false, [0; 4], &[0; 65536])[1..10],
            [0xff, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }
}
