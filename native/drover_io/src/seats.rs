//! Where a hub keeps its connections: each has a number for as long as it is there.
//!
//! They lie in blocks of many. One by one, in memory that a handshake has just given back, they would leave holes too small for the
//! next.

/// Seats in a block; a bit of a word each.
const BLOCK: usize = u64::BITS as usize;

pub(crate) struct Seats<T> {
    blocks: Vec<Option<Block<T>>>,
    /// No block before this one has a seat that is free.
    first_open: usize,
    taken: usize,
}

struct Block<T> {
    seats: Box<[Option<T>; BLOCK]>,
    /// Which of them are taken, the first in the lowest bit.
    taken: u64,
}

impl<T> Block<T> {
    fn new() -> Self {
        Self {
            seats: Box::new([const { None }; BLOCK]),
            taken: 0,
        }
    }
}

impl<T> Default for Seats<T> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            first_open: 0,
            taken: 0,
        }
    }
}

impl<T> Seats<T> {
    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// The lowest number that is free.
    pub(crate) fn next(&mut self) -> usize {
        let rest = &self.blocks[self.first_open..];
        let has_room =
            |block: &Option<Block<T>>| block.as_ref().is_none_or(|it| it.taken != u64::MAX);
        self.first_open += rest.iter().position(has_room).unwrap_or(rest.len());
        let block = self.blocks.get(self.first_open).and_then(Option::as_ref);
        let within = block.map_or(0, |block| block.taken.trailing_ones() as usize);
        self.first_open * BLOCK + within
    }

    /// Take the seat that [`next`](Self::next) has named.
    pub(crate) fn take(&mut self, seat: usize, sitter: T) {
        let (number, within) = (seat / BLOCK, seat % BLOCK);
        if number == self.blocks.len() {
            self.blocks.push(None);
        }
        let block = self.blocks[number].get_or_insert_with(Block::new);
        block.seats[within] = Some(sitter);
        block.taken |= 1 << within;
        self.taken += 1;
    }

    /// Whoever sits there goes.
    pub(crate) fn leave(&mut self, seat: usize) {
        let (number, within) = (seat / BLOCK, seat % BLOCK);
        let Some(block) = self.blocks.get_mut(number).and_then(Option::as_mut) else {
            return;
        };
        let gone = block.seats[within].take();
        self.taken -= usize::from(gone.is_some());
        block.taken &= !(1 << within);
        if block.taken == 0 {
            self.blocks[number] = None;
        }
        self.first_open = self.first_open.min(number);
    }

    pub(crate) fn get(&self, seat: usize) -> Option<&T> {
        let block = self.blocks.get(seat / BLOCK)?.as_ref()?;
        block.seats[seat % BLOCK].as_ref()
    }

    pub(crate) fn get_mut(&mut self, seat: usize) -> Option<&mut T> {
        let block = self.blocks.get_mut(seat / BLOCK)?.as_mut()?;
        block.seats[seat % BLOCK].as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Seats};

    fn sit(seats: &mut Seats<usize>) -> usize {
        let seat = seats.next();
        seats.take(seat, seat);
        seat
    }

    #[test]
    fn the_lowest_seat_that_is_free_is_next() {
        let mut seats = Seats::default();
        for expected in 0..3 * BLOCK {
            assert_eq!(sit(&mut seats), expected);
        }
        for free in [2 * BLOCK + 5, BLOCK - 1, BLOCK, 0] {
            seats.leave(free);
        }
        for expected in [0, BLOCK - 1, BLOCK, 2 * BLOCK + 5, 3 * BLOCK] {
            assert_eq!(sit(&mut seats), expected);
        }
        assert_eq!(seats.taken(), 3 * BLOCK + 1);
    }

    #[test]
    fn each_keeps_its_own() {
        let mut seats = Seats::default();
        (0..2 * BLOCK).for_each(|_| _ = sit(&mut seats));
        (0..BLOCK).for_each(|seat| seats.leave(seat));
        assert!(seats.blocks[0].is_none(), "an empty block takes no room");
        assert_eq!(seats.get(3), None);
        assert_eq!(seats.get(BLOCK + 3), Some(&(BLOCK + 3)));
        assert_eq!(seats.get_mut(2 * BLOCK), None);
        // To leave twice, or from where nobody ever sat, does nothing.
        seats.leave(3);
        seats.leave(9 * BLOCK);
        assert_eq!((seats.taken(), seats.next()), (BLOCK, 0));
    }
}
