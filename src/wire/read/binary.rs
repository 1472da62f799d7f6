//! Where the items of a stream of protobuf begin and end: each says its length.

use std::ops::Range;

use super::chunks::{Framing, LONGEST_ITEM};

/// The tag of field 1 with a length behind it: `TracesData.resource_spans`, `ResourceSpans.resource`.
const FIELD_1: u8 = 0x0a;
/// The same of field 2: `ResourceSpans.scope_spans`.
const FIELD_2: u8 = 0x12;

/// The items that lie whole at the beginning of a buffer.
pub(super) struct Cut {
    pub(super) items: Vec<Range<usize>>,
    /// Bytes that they take.
    pub(super) length: usize,
    /// What follows them.
    pub(super) next: Next,
}

/// What follows the items that are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// An item that is not whole yet, or nothing.
    Unfinished,
    /// One over the limit, of so many bytes with its head.
    Long(usize),
    /// No item.
    Strange,
}

/// Bytes that tell text from protobuf.
const TELLING: usize = 16;

/// Whether a stream that begins so may be protobuf, and more of it would tell.
pub(super) fn may_be(begin: &[u8]) -> bool {
    begin.len() < TELLING && matches!(begin.first(), Some(&(0 | FIELD_1)))
}

/// How items lie in a stream that begins so; `None` where it is text.
pub(super) fn framing(begin: &[u8]) -> Option<Framing> {
    // A length below 16 MiB begins with a zero, which no text does.
    if let [0, _, _, _, FIELD_1, ..] = begin {
        return Some(Framing::Prefixed);
    }
    // A new line is the same byte as the tag: the lengths inside have to agree.
    let (head, length) = head(begin, Framing::Fields)??;
    let inside = &begin[head..];
    let (tag, rest) = inside.split_first()?;
    let (digits, inner) = varint(rest)??;
    let fits = matches!(*tag, FIELD_1 | FIELD_2) && 1 + digits + inner <= length;
    fits.then_some(Framing::Fields)
}

/// Finds the items.
pub(super) fn cut(buffer: &[u8], framing: Framing) -> Cut {
    let mut cut = Cut { items: Vec::new(), length: 0, next: Next::Unfinished };
    loop {
        let rest = &buffer[cut.length..];
        let (head, length) = match head(rest, framing) {
            Some(Some(found)) => found,
            Some(None) => return cut,
            None => return Cut { next: Next::Strange, ..cut },
        };
        if length > LONGEST_ITEM {
            return Cut { next: Next::Long(head.saturating_add(length)), ..cut };
        }
        if rest.len() < head + length {
            return cut;
        }
        // A field is a message of its own with its head, a prefix is not part of its message.
        let begin = if framing == Framing::Fields { cut.length } else { cut.length + head };
        cut.length += head + length;
        cut.items.push(begin..cut.length);
    }
}

/// The bytes of an item's head and of what follows it. The outer `None` is no head, the inner one that it is
/// not whole yet.
fn head(bytes: &[u8], framing: Framing) -> Option<Option<(usize, usize)>> {
    match (framing, bytes) {
        (_, []) => Some(None),
        (Framing::Prefixed, bytes) => Some(bytes.first_chunk().map(|prefix| {
            (prefix.len(), usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX))
        })),
        (_, [FIELD_1, rest @ ..]) => Some(varint(rest)?.map(|(digits, length)| (1 + digits, length))),
        _ => None,
    }
}

/// A length and the bytes that it takes, as in [`head`].
fn varint(bytes: &[u8]) -> Option<Option<(usize, usize)>> {
    let mut value = 0_u64;
    for (n, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some(Some((n + 1, usize::try_from(value).ok()?)));
        }
    }
    if bytes.len() < 5 { Some(None) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_taken_for_protobuf() {
        for text in
            ["\n\n\n{\"a\":1}", "\n{\"input\":\"\"}", "{}", "", "\n", "[1]", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"]
        {
            assert_eq!(framing(text.as_bytes()), None, "{text:?}");
        }
        // A resource without attributes, then a scope without spans.
        assert_eq!(framing(&[FIELD_1, 4, FIELD_1, 0, FIELD_2, 0]), Some(Framing::Fields));
        assert_eq!(framing(&[0, 0, 0, 2, FIELD_1, 0]), Some(Framing::Prefixed));
    }

    #[test]
    fn items_are_cut_by_their_lengths() {
        let found = cut(&[FIELD_1, 1, 7, FIELD_1, 0, FIELD_1, 9, 1], Framing::Fields);
        assert_eq!((found.items, found.length, found.next), (vec![0..3, 3..5], 5, Next::Unfinished));
        let found = cut(&[0, 0, 0, 1, 7, 0, 0, 0, 0, 9], Framing::Prefixed);
        assert_eq!((found.items, found.length, found.next), (vec![4..5, 9..9], 9, Next::Unfinished));
        assert_eq!(cut(&[FIELD_1, 1, 7, 3], Framing::Fields).next, Next::Strange);
        assert_eq!(cut(&[FIELD_1, 0xff, 0xff, 0xff, 0xff, 0xff], Framing::Fields).next, Next::Strange);
        assert_eq!(cut(&[0xff, 0, 0, 0], Framing::Prefixed).next, Next::Long(4 + 0xff00_0000));
    }
}
