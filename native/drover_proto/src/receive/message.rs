//! The data message that is coming in.

use super::{ProtocolError, assembly::Assembly, event::MessageKind};
use crate::utf8::{self, Validator};

/// Of which kind it is, what of it has come, and whether that is good text so far.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// `None` between messages.
    kind: Option<MessageKind>,
    pub(super) compressed: bool,
    pub(super) body: Assembly,
    text: Validator,
}

impl Message {
    pub(super) fn has_begun(&self) -> bool {
        self.kind.is_some()
    }

    pub(super) fn begin(&mut self, kind: MessageKind, compressed: bool) {
        self.kind = Some(kind);
        self.compressed = compressed;
    }

    pub(super) fn append(
        &mut self,
        piece: &[u8],
        ceiling: usize,
        validate: bool,
    ) -> Result<(), ProtocolError> {
        if validate && self.is_text() {
            check(self.text.push(piece))?;
        }
        self.body.append(piece, ceiling);
        Ok(())
    }

    /// `n` bytes of the window lent out by the body are there.
    pub(super) fn commit(&mut self, n: usize, validate: bool) -> Result<(), ProtocolError> {
        let before = self.body.len();
        self.body.commit(n);
        self.check_from(before, validate)
    }

    /// Look at what was appended to the body since it was `before` bytes long.
    pub(super) fn check_from(
        &mut self,
        before: usize,
        validate: bool,
    ) -> Result<(), ProtocolError> {
        if validate && self.is_text() {
            check(self.text.push(&self.body.bytes()[before..]))?;
        }
        Ok(())
    }

    /// The message is complete.
    pub(super) fn end(&mut self, validate: bool) -> Result<(MessageKind, Vec<u8>), ProtocolError> {
        if validate && self.is_text() {
            check(self.text.finish())?;
        }
        Ok((self.take_kind(), self.body.take()))
    }

    /// The message is complete, and `bytes` are all of it.
    pub(super) fn end_as(
        &mut self,
        bytes: &[u8],
        validate: bool,
    ) -> Result<MessageKind, ProtocolError> {
        if validate && self.is_text() && !utf8::is_valid(bytes) {
            return Err(ProtocolError::BadEncoding);
        }
        Ok(self.take_kind())
    }

    fn is_text(&self) -> bool {
        self.kind == Some(MessageKind::Text)
    }

    fn take_kind(&mut self) -> MessageKind {
        self.compressed = false;
        self.kind.take().expect("a data frame belongs to a message")
    }
}

fn check(result: Result<(), utf8::Invalid>) -> Result<(), ProtocolError> {
    result.map_err(|utf8::Invalid| ProtocolError::BadEncoding)
}
