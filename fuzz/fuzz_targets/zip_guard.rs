//! Any bytes are an archive or a fault; what an entry hands out never exceeds what the directory declared or the limits allow.

#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use puomp::registry::archive::{Archive, Limits};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { total: 16 << 20, ratio_from: 1 << 16, ..Limits::default() };
    let Ok(mut archive) = Archive::new(Cursor::new(bytes), &limits) else { return };
    let _ = archive.refuse_nested();
    assert!(archive.entries().len() <= limits.entries);
    let mut buffer = vec![0; 1 << 16];
    for index in 0..archive.entries().len() {
        let entry = archive.entries()[index].clone();
        let mut out = 0u64;
        let Ok(mut stream) = archive.entry(index) else { continue };
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            out += count as u64;
        }
        assert!(out <= entry.size && out <= limits.total);
        assert!(out <= limits.ratio_from || out <= entry.packed * limits.ratio);
    }
});
