//! Digests as text.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// Bytes read at once.
const BUFFER: usize = 256 << 10;

/// The bytes of a digest as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of all bytes of a stream, which `each` is told of piece by piece, as lower-case hexadecimal digits.
///
/// # Errors
/// The stream fails.
pub fn sha256_of(mut stream: impl Read, mut each: impl FnMut(&[u8])) -> io::Result<String> {
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
        each(&buffer[..count]);
    }
}
