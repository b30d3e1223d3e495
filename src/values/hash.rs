//! A fast hash for tables of the program's own; it is not for secrets, nor for data that stays.

/// A 64-bit hash of bytes, continued from a state.
pub fn hash(state: u64, bytes: &[u8]) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let fold = |a: u64, b: u64| {
        let wide = u128::from(a) * u128::from(b);
        (wide as u64) ^ (wide >> 64) as u64
    };
    let mut h = fold(state ^ K, (bytes.len() as u64) ^ 0xD1B5_4A32_D192_ED03);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        h = fold(h ^ u64::from_le_bytes(word), K | 1) ^ h.rotate_left(23);
    }
    fold(h, 0xA24B_AED4_963E_E407)
}
