//! Compressed messages (RFC 7692): payload through the inflater into the message, in turns.

use super::{Progress, ProtocolError, Receiver, Stage, event::Found, frame::Input};
use crate::deflate::{InflateError, Inflated, Inflater};

/// Bytes that the inflater takes and gives, together, after which a call gives others a turn.
pub(super) const BUDGET: usize = 128 * 1024;

/// Compressed bytes handed to the inflater at a time.
const INFLATE_CHUNK: usize = 16 * 1024;

impl Receiver {
    pub(super) fn read_deflated(
        &mut self,
        input: &mut Input<'_>,
        more: bool,
        budget: &mut usize,
    ) -> Progress {
        if self.frame.left == 0 && !more {
            self.stage = if self.frame.fin {
                Stage::Flush
            } else {
                Stage::Header
            };
            return Ok(None);
        }
        if input.rest().is_empty() && !more {
            return Ok(Some(Found::NeedMore));
        }
        if *budget == 0 {
            return Ok(Some(Found::Yield));
        }
        let range = self.frame.take(input, INFLATE_CHUNK);
        let piece = input.get(&range);
        if self.frame.fin && self.frame.left == 0 && self.inflate_whole(piece, budget)? {
            return self.end_frame();
        }
        let inflated = self.inflate(budget, |inflater, out, limit, budget| {
            inflater.inflate(piece, out, limit, budget)
        })?;
        self.frame.give_back(input, range.len() - inflated.consumed);
        self.stage = Stage::Deflated {
            more: inflated.more_output,
        };
        Ok(inflated.more_output.then_some(Found::Yield))
    }

    /// Get what the inflater still holds at the end of a message.
    pub(super) fn flush(&mut self, budget: &mut usize) -> Progress {
        if *budget == 0 {
            return Ok(Some(Found::Yield));
        }
        let inflated = self.inflate(budget, Inflater::finish)?;
        if inflated.more_output {
            return Ok(Some(Found::Yield));
        }
        self.end_frame()
    }

    /// `false`: the message has to be inflated in pieces.
    fn inflate_whole(&mut self, piece: &[u8], budget: &mut usize) -> Result<bool, ProtocolError> {
        let mut whole = false;
        self.inflate(budget, |inflater, out, limit, _budget| {
            whole = inflater.inflate_whole(piece, out, limit);
            Ok(Inflated {
                consumed: if whole { piece.len() } else { 0 },
                more_output: false,
            })
        })?;
        Ok(whole)
    }

    /// Let the inflater append to the message, and check what it appended even if it then failed: which error a
    /// client gets must not depend on how its bytes were split.
    fn inflate<F>(&mut self, budget: &mut usize, step: F) -> Result<Inflated, ProtocolError>
    where
        F: FnOnce(&mut Inflater, &mut Vec<u8>, usize, usize) -> Result<Inflated, InflateError>,
    {
        let inflater = self
            .inflater
            .as_mut()
            .expect("only with an inflater is RSV1 accepted");
        let limit = usize::try_from(self.frame.limit).unwrap_or(usize::MAX);
        let before = self.message.body.len();
        let result = step(inflater, self.message.body.plain(), limit, *budget);
        let added = self.message.body.len() - before;
        let taken = result.map_or(0, |inflated| inflated.consumed);
        *budget = budget.saturating_sub(added + taken);
        self.message.check_from(before, self.validate)?;
        result.map_err(|error| match error {
            InflateError::TooBig => ProtocolError::BadSize,
            InflateError::Corrupt => ProtocolError::BadFrame,
        })
    }
}
