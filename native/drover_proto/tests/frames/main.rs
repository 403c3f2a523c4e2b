//! Frames in and out, seen from outside: one module per question.
//!
//! One binary, so that it links once.

mod compression;
mod framing;
mod idle;
mod limits;
mod oracle;
mod splits;
mod support;
mod utf8;
