//! The generator against a small server made of tungstenite, a thread per connection.

use drover_bench::{Kind, Mode, Options, Report, run};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::{Message, WebSocket, accept};

/// Serves every connection with `session`, whose errors are the ends of connections.
fn serve(session: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || session(stream));
        }
    });
    addr
}

fn websocket(stream: TcpStream, mut answer: impl FnMut(&mut WebSocket<TcpStream>, Message)) {
    let Ok(mut socket) = accept(stream) else {
        return;
    };
    while let Ok(message) = socket.read() {
        if message.is_text() || message.is_binary() {
            answer(&mut socket, message);
        }
    }
}

fn echo(stream: TcpStream) {
    websocket(stream, |socket, message| drop(socket.send(message)));
}

fn options(mode: Mode, addr: SocketAddr) -> Options {
    Options {
        pid: Some(std::process::id()),
        connections: 5,
        warmup: Duration::from_millis(50),
        seconds: Duration::from_millis(200),
        settle: Duration::ZERO,
        ..Options::new(mode, addr)
    }
}

fn figure(report: &Report, name: &str) -> f64 {
    report
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {report}"))
}

fn error(options: &Options) -> String {
    run(options).unwrap_err().to_string()
}

#[test]
fn echoes_of_every_kind_and_size_are_counted() {
    let addr = serve(echo);
    for (kind, size, outstanding) in [
        (Kind::Text, 125, 1),
        (Kind::Text, 20, 100),
        (Kind::Utf8, 1024, 16),
        (Kind::Json, 300, 2),
        (Kind::Binary, 1 << 17, 2),
    ] {
        let report = run(&Options {
            kind,
            size,
            outstanding,
            ..options(Mode::Echo, addr)
        })
        .unwrap();
        assert!(figure(&report, "messages") > 0.0, "{kind:?} {report}");
        assert!(figure(&report, "server_cpu_us_per_message") > 0.0);
        assert!(figure(&report, "latency_us_p50") <= figure(&report, "latency_us_max"));
    }
}

#[test]
fn a_changed_reply_is_found() {
    let addr = serve(|stream| {
        let mut count = 0;
        websocket(stream, |socket, message| {
            count += 1;
            let text = message.into_text().unwrap();
            let text = if count == 10 {
                text.replace(' ', "_") + ""
            } else {
                text.to_string()
            };
            let _ = socket.send(Message::text(text));
        });
    });
    assert_eq!(
        error(&Options {
            size: 1000,
            ..options(Mode::Echo, addr)
        }),
        "a reply is not what was sent"
    );
}

#[test]
fn replies_in_another_order_are_found() {
    let addr = serve(|stream| {
        let mut kept = None;
        websocket(stream, |socket, message| match kept.take() {
            None => kept = Some(message),
            Some(first) => {
                let _ = socket.send(message);
                let _ = socket.send(first);
            }
        });
    });
    let options = Options {
        outstanding: 2,
        ..options(Mode::Echo, addr)
    };
    assert_eq!(error(&options), "a reply is not what was sent");
}

#[test]
fn an_additional_message_is_found() {
    let addr = serve(|stream| {
        websocket(stream, |socket, message| {
            let _ = socket.send(message.clone());
            let _ = socket.send(message);
        });
    });
    // It may come before or after the next message is under way.
    let found = error(&options(Mode::Echo, addr));
    assert!(
        found.contains("nobody asked for") || found == "a reply is not what was sent",
        "{found}"
    );
}

#[test]
fn a_refusal_and_a_closed_connection_are_told() {
    let refusing = serve(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    });
    assert_eq!(
        error(&options(Mode::Echo, refusing)),
        "the handshake was answered: HTTP/1.1 404 Not Found"
    );
    let closing = serve(|stream| websocket(stream, |socket, _| drop(socket.close(None))));
    assert_eq!(
        error(&options(Mode::Echo, closing)),
        "the server closed the WebSocket"
    );
    let plain = Options {
        deflate: true,
        ..options(Mode::Echo, serve(echo))
    };
    assert_eq!(error(&plain), "the server does not compress as asked");
}

#[test]
fn a_rate_is_kept_and_a_pause_of_the_server_shows_in_every_message_that_it_delays() {
    let addr = serve(|stream| {
        let began = Instant::now();
        let mut paused = false;
        websocket(stream, |socket, message| {
            if !paused && began.elapsed() > Duration::from_millis(400) {
                paused = true;
                thread::sleep(Duration::from_millis(300));
            }
            let _ = socket.send(message);
        });
    });
    let seconds = Duration::from_secs(1);
    let options = Options {
        connections: 1,
        rate: Some(500.0),
        seconds,
        ..options(Mode::Echo, addr)
    };
    let report = run(&options).unwrap();
    let messages = figure(&report, "messages");
    assert!((350.0..=650.0).contains(&messages), "{report}");
    // A closed loop would have met the pause once in 500 messages; here a seventh of them waited for 100 ms and more.
    assert!(figure(&report, "latency_us_p90") > 50_000.0, "{report}");
    assert!(figure(&report, "latency_us_max") >= 250_000.0, "{report}");
}

#[test]
fn plain_tcp_is_echoed_too() {
    let addr = serve(|mut stream| {
        let mut buffer = [0; 1000];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let _ = stream.write_all(&buffer[..length]);
        }
    });
    let report = run(&Options {
        raw: true,
        size: 3000,
        outstanding: 4,
        ..options(Mode::Echo, addr)
    })
    .unwrap();
    assert!(figure(&report, "messages") > 0.0);
}

#[test]
fn deliveries_are_counted_and_timed_by_their_stamp() {
    let addr = serve(|stream| {
        let Ok(mut socket) = accept(stream) else {
            return;
        };
        loop {
            let now = std::time::SystemTime::UNIX_EPOCH
                .elapsed()
                .unwrap()
                .as_nanos();
            if socket
                .send(Message::text(format!("{now:020} and more")))
                .is_err()
            {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    let report = run(&options(Mode::Push, addr)).unwrap();
    assert!(figure(&report, "messages") >= 20.0, "{report}");
    assert!(figure(&report, "latency_us_p50") < 100_000.0, "{report}");
}

#[test]
fn idle_connections_are_weighed() {
    let addr = serve(echo);
    let report = run(&Options {
        connections: 100,
        prime: 2,
        ..options(Mode::Idle, addr)
    })
    .unwrap();
    // Each has a thread, with its stack, and buffers of tungstenite's.
    assert!(figure(&report, "rss_kib_per_connection") > 1.0, "{report}");
}

#[test]
fn connections_are_opened_and_closed_again_and_again() {
    let report = run(&options(Mode::Connect, serve(echo))).unwrap();
    assert!(figure(&report, "messages") > 5.0, "{report}");
}

#[test]
fn what_idle_connections_say_at_a_rate_is_counted_too() {
    let report = run(&Options {
        connections: 20,
        rate: Some(400.0),
        ..options(Mode::Idle, serve(echo))
    })
    .unwrap();
    assert!(report.get("rss_kib_per_connection").is_some(), "{report}");
    assert!(figure(&report, "messages") > 0.0, "{report}");
    assert!(figure(&report, "server_cpu_cores") > 0.0, "{report}");
}

#[test]
fn a_flood_is_left_out_of_the_figures_of_the_others() {
    let report = run(&Options {
        rate: Some(100.0),
        flood: 64,
        seconds: Duration::from_millis(500),
        ..options(Mode::Echo, serve(echo))
    })
    .unwrap();
    let (quiet, flood) = (
        figure(&report, "messages_per_second"),
        figure(&report, "flood_messages_per_second"),
    );
    assert!(quiet < 300.0 && quiet < flood, "{report}");
}

#[test]
fn a_flood_that_fails_fails_the_run() {
    let addr = serve(|stream| {
        websocket(stream, |socket, message| {
            let text = message.into_text().unwrap();
            let _ = socket.send(Message::text(text.replace(' ', "_")));
        });
    });
    // The others send nothing in so short a time.
    let options = Options {
        rate: Some(0.001),
        flood: 16,
        size: 1000,
        ..options(Mode::Echo, addr)
    };
    assert_eq!(error(&options), "a reply is not what was sent");
}

/// A certificate that nobody knows, and its key: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256`.
const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.der");
const KEY: &[u8] = include_bytes!("tls/key.der");

fn serve_tls(session: fn(StreamOwned<ServerConnection, TcpStream>)) -> SocketAddr {
    let key = PrivatePkcs8KeyDer::from(KEY);
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CERTIFICATE.into()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let stream = StreamOwned::new(tls, stream.unwrap());
            thread::spawn(move || session(stream));
        }
    });
    addr
}

fn echo_tls(stream: StreamOwned<ServerConnection, TcpStream>) {
    let Ok(mut socket) = accept(stream) else {
        return;
    };
    while let Ok(message) = socket.read() {
        if message.is_text() || message.is_binary() {
            let _ = socket.send(message);
        }
    }
    // The answer to a close frame is written by the next call, then comes the end.
    let _ = socket.flush();
    let stream = socket.get_mut();
    stream.conn.send_close_notify();
    let _ = stream.conn.write_tls(&mut stream.sock);
}

#[test]
fn tls_is_spoken_in_every_mode() {
    let addr = serve_tls(echo_tls);
    for (size, outstanding) in [(125, 1), (125, 64), (1 << 18, 2)] {
        let report = run(&Options {
            tls: true,
            size,
            outstanding,
            ..options(Mode::Echo, addr)
        })
        .unwrap();
        assert!(figure(&report, "messages") > 0.0, "{size} {report}");
    }
    for mode in [Mode::Connect, Mode::Idle] {
        let options = Options {
            tls: true,
            prime: 1,
            ..options(mode, addr)
        };
        run(&options).unwrap();
    }
}
