//! Finding words in a conversation and going through the places.
//!
//! In what is laid out the places are known. In a piece that is not yet, they are counted in its text; when one
//! goes there it is laid out, and what was a guess is put right.

use super::lay::Laid;
use super::{AT_ONCE, Found, Place, Talk};

impl Talk {
    /// The words that are looked for.
    pub fn needle(&self) -> &str {
        self.found.as_ref().map_or("", |found| &found.needle)
    }

    /// How many places were found.
    pub(super) fn hits(&self) -> usize {
        self.laid.iter().map(hits_of).sum()
    }

    /// Looks for words, unfolding where they stand, and goes to the first from the page's top on. Gives
    /// how many places there are. Empty words end the search.
    pub fn find(&mut self, needle: &str, page: usize) -> usize {
        let needle = needle.trim();
        self.found = None;
        if needle.is_empty() {
            self.laid.iter_mut().for_each(|laid| laid.search(""));
            return 0;
        }
        let (anchor, room) = (self.anchor(), self.room());
        let mut budget = AT_ONCE;
        for laid in &mut self.laid {
            if laid.hides(needle, room, &mut budget) {
                laid.show(false, true);
                laid.again(room);
            }
        }
        self.lay_first(room);
        self.found = Some(Found { needle: needle.to_owned(), current: (0, 0, 0) });
        self.search_again();
        self.stack(anchor);
        let top = self.scroll.top;
        let first = self.places().find(|place| self.line_of(*place) >= top).or_else(|| self.places().next());
        if let Some(first) = first {
            self.go_to(first, true, page);
        }
        self.hits()
    }

    /// Marks what is looked for in the lines as they are now.
    pub(super) fn search_again(&mut self) {
        let Some(found) = &mut self.found else { return };
        for laid in &mut self.laid {
            laid.search(&found.needle);
        }
        // Where the reader was may be folded away: then it is the next place, or the last.
        let (block, piece, hit) = found.current;
        let pieces = |at: usize| self.laid.get(at).map_or(0, |laid| laid.pieces.len());
        let has = |(block, piece): &(usize, usize)| {
            self.laid.get(*block).and_then(|laid| laid.pieces.get(*piece)).is_some_and(|of| of.hits.len() > 0)
        };
        let all = || (0..self.laid.len()).flat_map(|at| (0..pieces(at)).map(move |piece| (at, piece)));
        let next = all().filter(has).find(|at| *at >= (block, piece));
        if let Some(next) = next.or_else(|| all().rfind(has)) {
            let last = self.laid[next.0].pieces[next.1].hits.len() - 1;
            let hit = if next == (block, piece) { hit.min(last) } else { 0 };
            found.current = (next.0, next.1, hit);
        }
    }

    /// The places that were found, in order.
    fn places(&self) -> impl Iterator<Item = Place> {
        self.laid.iter().enumerate().flat_map(|(at, laid)| {
            let pieces = laid.pieces.iter().enumerate();
            pieces.flat_map(move |(piece, of)| (0..of.hits.len()).map(move |hit| (at, piece, hit)))
        })
    }

    fn line_of(&self, (block, piece, hit): Place) -> usize {
        let laid = &self.laid[block];
        let line = laid.pieces[piece].hits.found().get(hit).map_or(0, |hit| hit.line);
        laid.start_of(piece) + line
    }

    /// Goes to a place; when its piece turns out to have none after all, to the next one in that direction.
    fn go_to(&mut self, place: Place, forwards: bool, page: usize) {
        let mut place = place;
        let room = self.room();
        loop {
            let Some(found) = &mut self.found else { return };
            found.current = place;
            let (block, piece, hit) = place;
            if self.laid[block].pieces[piece].lines.is_none() {
                let anchor = self.anchor();
                let needle = self.needle().to_owned();
                self.laid[block].lay(piece, room, Some(&needle));
                self.stack(anchor);
            }
            let hits = self.laid[block].pieces[piece].hits.len();
            if let (Some(last), Some(found)) = (hits.checked_sub(1), &mut self.found) {
                found.current = (block, piece, hit.min(last));
                break;
            }
            let other = if forwards {
                self.places().find(|other| *other > place).or_else(|| self.places().next())
            } else {
                self.places().filter(|other| *other < place).last().or_else(|| self.places().last())
            };
            match other {
                Some(other) => place = other,
                None => return,
            }
        }
        if let Some(found) = &self.found {
            self.scroll.reveal(self.line_of(found.current), self.height, page);
        }
        self.fill(page);
        // What was laid out around it may have moved it.
        if let Some(found) = &self.found {
            self.scroll.reveal(self.line_of(found.current), self.height, page);
        }
        self.fill(page);
    }

    /// The place of the reader among what was found, and how many there are.
    pub(super) fn current(&self) -> Option<(usize, usize)> {
        let (block, piece, hit) = self.found.as_ref()?.current;
        let here = self.laid.get(block)?;
        if hit >= here.pieces.get(piece)?.hits.len() {
            return None;
        }
        let before: usize = self.laid.iter().take(block).map(hits_of).sum();
        let inside: usize = here.pieces.iter().take(piece).map(|piece| piece.hits.len()).sum();
        Some((before + inside + hit, self.hits()))
    }

    pub(super) fn next_match(&mut self, forwards: bool, page: usize) {
        let Some((at, count)) = self.current() else { return };
        let next = (if forwards { at + 1 } else { at + count - 1 }) % count;
        let next = self.places().nth(next);
        if let Some(next) = next {
            self.go_to(next, forwards, page);
        }
    }
}

fn hits_of(laid: &Laid) -> usize {
    laid.pieces.iter().map(|piece| piece.hits.len()).sum()
}
