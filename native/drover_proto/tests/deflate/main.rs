//! permessage-deflate, seen from outside: one module per question.
//!
//! One binary, so that it links once.

mod negotiate;
mod rest;
mod round_trip;
mod support;
mod whole;
