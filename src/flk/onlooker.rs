//! Whoever else wants to see a file while the control reads it, so that a file is read and unpacked once.

use crate::finding::FileRole;
use crate::registry::chunk::Chunk;
use crate::registry::encoding::Encoding;
use crate::registry::format::Format;

/// Shown each piece of a package's files as the control comes to it.
pub trait Onlooker: Sync {
    /// A piece of a file that is read by a format. Pieces come from several threads in no order, and also of a file that turns out to be
    /// broken further on.
    fn piece(&self, file: FileRole, format: &Format, encoding: Encoding, chunk: &Chunk);
}

/// Looks at nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nobody;

impl Onlooker for Nobody {
    fn piece(&self, _file: FileRole, _format: &Format, _encoding: Encoding, _chunk: &Chunk) {}
}
