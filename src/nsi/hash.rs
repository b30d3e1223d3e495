//! The hash of the values in books. Builders and indexes of books use it for their tables.

/// Hashes eight bytes at a time by multiplying and rotating. Values are short, and the sender of a registry cannot put keys into the table, so
/// resistance to chosen collisions is not needed.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u32 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let start = bytes.len() as u64;
    let mix = |state: u64, bytes: &[u8]| (state.rotate_left(5) ^ word(bytes)).wrapping_mul(K);
    let state = if bytes.len() <= 8 { mix(start, bytes) } else { bytes.chunks(8).fold(start, mix) };
    (state ^ (state >> 32)).wrapping_mul(K).rotate_right(32) as u32
}

/// At most eight bytes as a little-endian number, padded with zeros. It needs no call to copy the bytes.
#[inline]
pub(super) fn word(bytes: &[u8]) -> u64 {
    let half = |b: &[u8]| b.first_chunk::<4>().map_or(0, |b| u64::from(u32::from_le_bytes(*b)));
    match bytes.len() {
        8.. => bytes.first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b)),
        // The two halves overlap; the bytes that both contain are equal, so OR keeps them.
        n @ 4..8 => half(bytes) | half(&bytes[n - 4..]) << (8 * (n - 4)),
        _ => bytes.iter().rev().fold(0, |word, b| word << 8 | u64::from(*b)),
    }
}
