//! How far a run has come; the library tells, whoever called it shows.

/// Told about the progress of a run, from several threads at once.
pub trait Progress: Sync {
    /// The inputs are known: bytes to be read in all, as they stand on the disk.
    fn start(&self, packages: u64, bytes: u64);

    /// So many further bytes have been read.
    fn advance(&self, bytes: u64);

    /// One package is finished.
    fn package_done(&self);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _packages: u64, _bytes: u64) {}

    fn advance(&self, _bytes: u64) {}

    fn package_done(&self) {}
}
