//! Who polls: the I/O thread while there is little to do, a helper while there is much.

mod support;

use drover_io::{Conn, Mode, Polled, help, offer_help};
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use support::*;

/// The tests share the one I/O thread of this process, and its one helper.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hears the bell of I/O thread 0.
fn bell() -> Receiver<()> {
    let (ring, bell) = channel();
    offer_help(0, Box::new(move || ring.send(()).is_ok()));
    bell
}

/// Does what it should until the program ends.
fn helper() -> Arc<AtomicUsize> {
    let polls = Arc::new(AtomicUsize::new(0));
    let (bell, count) = (bell(), Arc::clone(&polls));
    thread::spawn(move || {
        while bell.recv().is_ok() {
            while help(0) == Polled::Again {
                count.fetch_add(1, SeqCst);
                thread::yield_now();
            }
        }
    });
    polls
}

/// One message there and back.
fn echo(server: &Server, client: &mut TcpStream, conn: &Arc<Conn>, message: &str) {
    client.write_all(&text(message)).unwrap();
    assert_eq!(server.events(), vec![Got::Text(message.into())]);
    send_text(conn, message, Mode::Taken);
    assert_eq!(
        read_exact(client, 2 + message.len())[2..],
        *message.as_bytes()
    );
}

fn echo_until(done: impl Fn() -> bool) {
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    for n in 0..1_000_000 {
        if done() {
            return;
        }
        echo(&server, &mut client, &conn, &format!("{n:07}"));
    }
    panic!("nobody was called");
}

#[test]
fn a_helper_polls_while_traffic_is_dense_and_then_the_io_thread_again() {
    let _alone = alone();
    let polls = helper();
    echo_until(|| polls.load(SeqCst) > 1000);
    // Traffic so sparse that no helper is there any more.
    let server = Server::start(&config());
    let (mut client, conn) = server.websocket();
    for n in 0..20 {
        thread::sleep(Duration::from_millis(5));
        echo(&server, &mut client, &conn, &format!("{n:07}"));
    }
}

#[test]
fn a_helper_that_does_not_come_loses_its_shift() {
    let _alone = alone();
    let bell = bell();
    let called = AtomicUsize::new(0);
    echo_until(|| called.fetch_add(bell.try_iter().count(), SeqCst) > 3);
}

#[test]
fn a_helper_that_has_gone_is_called_once() {
    let _alone = alone();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    offer_help(
        0,
        Box::new(move || {
            count.fetch_add(1, SeqCst);
            false
        }),
    );
    echo_until(|| called.load(SeqCst) > 0);
    let rounds = AtomicUsize::new(0);
    echo_until(|| rounds.fetch_add(1, SeqCst) > 1000);
    assert_eq!(called.load(SeqCst), 1);
}

#[test]
fn help_without_a_call_is_none() {
    let _alone = alone();
    let _server = Server::start(&config());
    assert_eq!(help(0), Polled::Rest);
    assert_eq!(help(99), Polled::Rest);
}

#[test]
fn many_connections_lose_nothing_when_shifts_change() {
    let _alone = alone();
    let _polls = helper();
    let clients: Vec<_> = (0..8)
        .map(|client| thread::spawn(move || echo_with_pauses(client)))
        .collect();
    for client in clients {
        client.join().expect("each message to come back");
    }
}

fn echo_with_pauses(client: u64) {
    let server = Server::start(&config());
    let (mut socket, conn) = server.websocket();
    for n in 0..2000 {
        if n % 100 == client {
            thread::sleep(Duration::from_millis(2));
        }
        echo(&server, &mut socket, &conn, &format!("{client}:{n:07}"));
    }
}
