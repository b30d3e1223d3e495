//! Element names as sixteen-byte numbers, so that names are compared with one instruction instead of a loop.

/// Longest element name in bytes that a table may contain; real names have at most 12.
pub const MAX_NAME: usize = 16;

/// A name of at most [`MAX_NAME`] bytes, padded with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameKey(pub u128);

impl NameKey {
    /// The key of a name; `None` when it is longer than [`MAX_NAME`].
    #[inline]
    pub fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_NAME];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self(u128::from_le_bytes(bytes)))
    }

    /// The key of the first `len` bytes of a sixteen-byte window; `len` is less than sixteen.
    #[inline]
    pub fn of_window(window: u128, len: usize) -> Self {
        debug_assert!(len < MAX_NAME);
        Self(window & ((1u128 << (len * 8)) - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_and_slice_agree() {
        let text = b"DATE_Z_1>2019-01";
        let window = u128::from_le_bytes(*text);
        assert_eq!(NameKey::of_window(window, 8), NameKey::new(b"DATE_Z_1").expect("short"));
        assert_eq!(NameKey::new(b"SEVENTEEN_LETTERS"), None);
    }
}
