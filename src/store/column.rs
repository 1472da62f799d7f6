//! A column of whole numbers in little room: each as wide as the widest of them.
//!
//! The first byte is the width in bytes (0, 1, 2, 4 or 8); then each value plus one, little-endian, 0
//! standing for none. What models bill and clocks measure is never negative, so nothing is lost by that.

/// The stored form.
pub(super) fn pack(values: &[Option<i64>]) -> Vec<u8> {
    let number = |value: &Option<i64>| value.map_or(0, |v| v.cast_unsigned().wrapping_add(1));
    let width = match values.iter().map(number).max().unwrap_or(0) {
        0 => 0,
        n if n <= u64::from(u8::MAX) => 1,
        n if n <= u64::from(u16::MAX) => 2,
        n if n <= u64::from(u32::MAX) => 4,
        _ => 8,
    };
    let mut bytes = Vec::with_capacity(1 + values.len() * width);
    bytes.push(width as u8);
    for value in values {
        bytes.extend_from_slice(&number(value).to_le_bytes()[..width]);
    }
    bytes
}

/// A stored column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Packed<'a> {
    width: usize,
    bytes: &'a [u8],
}

impl<'a> Packed<'a> {
    /// Reads the stored form; one that is damaged or missing has no values.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        match bytes.split_first() {
            Some((width @ (1 | 2 | 4 | 8), bytes)) => Self { width: usize::from(*width), bytes },
            _ => Self::default(),
        }
    }

    /// The value at this place.
    #[inline]
    pub(super) fn get(self, at: usize) -> Option<i64> {
        fn read<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
            bytes.get(at * N..)?.first_chunk().copied()
        }
        let number = match self.width {
            1 => u64::from(*self.bytes.get(at)?),
            2 => u64::from(u16::from_le_bytes(read(self.bytes, at)?)),
            4 => u64::from(u32::from_le_bytes(read(self.bytes, at)?)),
            8 => u64::from_le_bytes(read(self.bytes, at)?),
            _ => 0,
        };
        number.checked_sub(1).map(u64::cast_signed)
    }

    /// The values from this place on, as many as there is room for. Quicker than one [`get`](Self::get) after
    /// the other. A column without any value leaves the room as it is.
    pub(super) fn fill<'r>(self, at: usize, room: impl Iterator<Item = &'r mut Option<i64>>) {
        match self.width {
            1 => self.fill_of(at, room, u8::from_le_bytes),
            2 => self.fill_of(at, room, u16::from_le_bytes),
            4 => self.fill_of(at, room, u32::from_le_bytes),
            8 => self.fill_of(at, room, u64::from_le_bytes),
            _ => {}
        }
    }

    fn fill_of<'r, const N: usize, T: Into<u64>>(
        self,
        at: usize,
        room: impl Iterator<Item = &'r mut Option<i64>>,
        number: impl Fn([u8; N]) -> T,
    ) {
        let (values, _) = self.bytes.as_chunks::<N>();
        let mut values = values.get(at..).unwrap_or_default().iter();
        for room in room {
            let number = values.next().map_or(0, |bytes| number(*bytes).into());
            *room = number.checked_sub(1).map(u64::cast_signed);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back_as_it_was(
            values in prop::collection::vec(
                prop::option::of(prop_oneof![0i64..3, 250..260i64, 65_530..65_540i64, 0..=i64::MAX]), 0..40)
        ) {
            let bytes = pack(&values);
            let packed = Packed::new(&bytes);
            let read: Vec<_> = (0..values.len()).map(|at| packed.get(at)).collect();
            prop_assert_eq!(&read, &values);
            let from = values.len() / 3;
            let mut filled = vec![None; values.len() - from + 2];
            packed.fill(from, filled.iter_mut());
            prop_assert_eq!(&filled[..values.len() - from], &values[from..]);
            prop_assert_eq!(&filled[values.len() - from..], &[None, None]);
        }

        #[test]
        fn damage_is_no_more_than_missing_values(bytes in prop::collection::vec(any::<u8>(), 0..20), at in 0usize..40) {
            Packed::new(&bytes).get(at);
            Packed::new(&bytes).fill(at, [None; 3].iter_mut());
        }
    }

    #[test]
    fn small_numbers_take_little_room() {
        assert_eq!(pack(&[Some(3), None, Some(0)]), [1, 4, 0, 1]);
        assert_eq!(pack(&[None; 100]), [0]);
        assert_eq!(pack(&vec![Some(1_000); 100]).len(), 201);
    }
}
