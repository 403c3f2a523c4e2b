//! drover's native half as an Erlang NIF library: terms in, terms out; it decides nothing.
//!
//! [`entry`] introduces the library to the emulator, [`nifs`] lists every function that Erlang can call, [`sink`] sends what the connections have to say.
#![allow(missing_docs, reason = "nothing here is called from Rust")]

mod atoms;
mod entry;
mod mailer;
mod nifs;
mod options;
mod request;
mod resources;
mod sink;
mod terms;
mod tuple;
