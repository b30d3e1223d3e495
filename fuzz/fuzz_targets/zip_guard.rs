//! The guard in front of archives: never a panic, and whatever passes keeps to the limits.
#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use puomp::registry::archive::{Archive, Limits};

/// Small enough to try many archives a second, the same in kind as the program's own.
const LIMITS: Limits = Limits { entries: 8, total: 8 << 20, ratio: 200, ratio_from: 64 << 10, directory: 64 << 10, is_flat: true };

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut archive) = Archive::new(Cursor::new(bytes), &LIMITS) else { return };
    let entries = archive.entries().to_vec();
    assert!(entries.len() <= LIMITS.entries);
    assert!(entries.iter().map(|e| e.size).sum::<u64>() <= LIMITS.total);
    assert!(entries.iter().map(|e| e.packed).sum::<u64>() <= bytes.len() as u64, "entries do not share bytes");
    for (index, entry) in entries.iter().enumerate() {
        let name = &entry.name;
        assert!(!name.starts_with('/') && !name.contains(['\\', ':', '\0']) && name.split('/').all(|part| part != "..") && !name.is_empty(), "{name:?}");
        assert!(entries[..index].iter().all(|other| other.name != *name), "{name:?} twice");
        let Ok(mut stream) = archive.entry(index) else { continue };
        let mut unpacked = 0;
        let mut buffer = [0; 4096];
        let ended = loop {
            match stream.read(&mut buffer) {
                Ok(0) => break true,
                Ok(count) => unpacked += count as u64,
                Err(_) => break false,
            }
        };
        // A pipe may hand out one buffer before it notices.
        assert!(unpacked <= entry.size, "no more than declared");
        assert!(unpacked <= LIMITS.ratio_from || unpacked <= entry.packed.saturating_mul(LIMITS.ratio), "no bomb");
        assert!(!ended || unpacked == entry.size, "an entry that ends well is whole");
    }
    let _ = archive.refuse_nested();
});
