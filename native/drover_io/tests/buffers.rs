//! The buffers of large messages do not stay for ever.

mod support;

use drover_proto::buffers;
use std::io::Write;
use std::time::Instant;
use support::{Got, PATIENCE, Server, config, text};

#[test]
fn a_thread_that_is_awake_frees_buffers_that_nobody_needs() {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    buffers::give(vec![0; 1 << 20]);
    assert_eq!(buffers::kept(), 1 << 20);
    let begin = Instant::now();
    while buffers::kept() > 0 {
        assert!(begin.elapsed() < PATIENCE);
        client.write_all(&text("awake")).unwrap();
        assert_eq!(server.events(), vec![Got::Text(b"awake".to_vec())]);
        conn.taken();
    }
}
