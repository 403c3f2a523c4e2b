//! Pieces of work for the rules of `drover_proto`, each ready to be done again and again.
//!
//! `benches/rules.rs` takes the time of each, `src/main.rs` does one of them so often that its instructions can be counted.

mod messages;
mod works;

pub use works::{Work, works};
