//! The guard in front of archives.

/// What an archive may be at most. The defaults are those of the program's promise: a hostile archive ends within a second and 64 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries, folders included.
    pub entries: usize,
    /// Unpacked bytes of all entries together.
    pub total: u64,
    /// Unpacked size of an entry by its packed size.
    pub ratio: u64,
    /// Unpacked bytes of an entry that are never held against it: small files may shrink to nothing.
    pub ratio_from: u64,
    /// Bytes of the central directory.
    pub directory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 64, total: 4 << 30, ratio: 200, ratio_from: 1 << 20, directory: 1 << 20 }
    }
}
