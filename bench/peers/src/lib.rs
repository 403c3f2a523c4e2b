//! What the peers have in common: where they listen, and how they say that they do.

use std::io;
use std::net::TcpListener;

/// Listens on 127.0.0.1, at the port in PORT (any, unless given), and prints where.
pub fn listen() -> io::Result<TcpListener> {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    println!(
        "listening on {} pid {}",
        listener.local_addr()?,
        std::process::id()
    );
    Ok(listener)
}
