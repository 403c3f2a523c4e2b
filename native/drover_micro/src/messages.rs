//! What is worked on: the same bytes in every run.

/// Random numbers that are always the same.
fn noise() -> impl Iterator<Item = usize> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize
    })
}

pub(crate) fn ascii(size: usize) -> Vec<u8> {
    noise().map(|n| b' ' + (n % 95) as u8).take(size).collect()
}

/// Text of which most characters take two to four bytes.
pub(crate) fn utf8(size: usize) -> Vec<u8> {
    const CHARS: [char; 11] = ['a', 'é', 'ß', 'Ω', 'ж', 'न', '語', '한', '€', '🐑', ' '];
    whole(size, noise().map(|n| CHARS[n % 11].to_string()))
}

/// Text as an API would send it, which compresses well.
pub(crate) fn json(size: usize) -> Vec<u8> {
    const NAMES: [&str; 4] = ["anna", "bjarne", "chandra", "dmitri"];
    let object = |n: usize| {
        let (id, name, price) = (n % 100_000, NAMES[n % 4], n / 7 % 10_000);
        format!(r#"{{"id":{id},"user":"{name}","price":{price},"tags":["new","sale"]}},"#)
    };
    whole(size, noise().map(object))
}

/// Exactly `size` bytes: whole pieces, and blanks for the rest.
fn whole(size: usize, pieces: impl Iterator<Item = String>) -> Vec<u8> {
    let mut text = String::new();
    for piece in pieces {
        if text.len() + piece.len() > size {
            break;
        }
        text.push_str(&piece);
    }
    let mut bytes = text.into_bytes();
    bytes.resize(size, b' ');
    bytes
}

/// A frame of a client, with FIN set. The key is zero, so that it is the same after it was unmasked in place; it is no
/// less work for that.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | first];
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
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// An opening handshake as a browser makes it.
pub(crate) const HEAD: &[u8] = b"GET /chat/lobby?token=5b7c1e HTTP/1.1\r\n\
Host: chat.example.org\r\n\
Connection: keep-alive, Upgrade\r\n\
Pragma: no-cache\r\n\
Cache-Control: no-cache\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
Upgrade: websocket\r\n\
Origin: https://chat.example.org\r\n\
Sec-WebSocket-Version: 13\r\n\
Accept-Encoding: gzip, deflate, br\r\n\
Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
Cookie: session=0123456789abcdef0123456789abcdef\r\n\
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
